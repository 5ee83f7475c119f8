package schema

import (
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"

	"logstream/internal/event"
)

// data are the types of what an incident event says.
var data = []event.Data{
	event.Opened{}, event.Evidence{}, event.Diagnosed{}, event.ApprovalRequested{}, event.Approved{}, event.Denied{}, event.Acknowledged{}, event.Noted{},
	event.ActionStarted{}, event.ActionFinished{}, event.Verified{}, event.Resolved{}, event.Escalated{}, event.Suppressed{}, event.Reported{}, event.Claim{},
}

// RefineRecords makes the schemas of records say what their Go types cannot:
// that the data of an incident event is of its type, which fields another program
// may leave out, and which statuses there are.
func (s *Set) RefineRecords() error {
	s.Refine[reflect.TypeFor[event.Status]()] = func(made *jsonschema.Schema) {
		made.Extra, made.Enum = nil, enum(event.Up, event.Degraded, event.Down, event.Pending, event.Unknown)
	}
	s.Refine[reflect.TypeFor[event.HealthLog]()] = func(made *jsonschema.Schema) {
		made.Required = []string{"timestamp", "service", "status"}
		made.Properties["status"].Enum = enum(event.Up, event.Degraded, event.Down)
	}
	var cases []*jsonschema.Schema
	for _, d := range data {
		of, err := s.Of(reflect.TypeOf(d))
		if err != nil {
			return err
		}
		is := any(string(event.TypeOf(d)))
		cases = append(cases, &jsonschema.Schema{
			If:   &jsonschema.Schema{Properties: map[string]*jsonschema.Schema{"type": {Const: &is}}},
			Then: &jsonschema.Schema{Properties: map[string]*jsonschema.Schema{"data": of}},
		})
	}
	s.Refine[reflect.TypeFor[event.Incident]()] = func(made *jsonschema.Schema) {
		made.Properties["data"].Type = "object"
		made.AllOf = cases
	}
	return nil
}

func enum(of ...event.Status) []any {
	var all []any
	for _, status := range of {
		all = append(all, string(status))
	}
	return all
}

// Close has every object of a document in JSON accept no other fields than
// those that it names. Tests find with it what a document lacks.
func Close(document any) {
	switch of := document.(type) {
	case map[string]any:
		_, named := of["properties"]
		if _, open := of["additionalProperties"]; named && !open && of["type"] == "object" {
			of["additionalProperties"] = false
		}
		for _, part := range of {
			Close(part)
		}
	case []any:
		for _, part := range of {
			Close(part)
		}
	}
}
