package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Operation is one call of an HTTP API.
type Operation struct {
	Method, Path string // with parameters in braces
	Tag          string
	Summary      string // one line
	Description  string
	Query        []Parameter
	// Body is what is sent; nil: nothing. It may be left out where Optional, and be
	// an array of several where Several.
	Body              reflect.Type
	Optional, Several bool
	Form              bool // Body is sent as a form
	// Answer is what comes back with Status; nil: a text of MediaType.
	Answer    reflect.Type
	Status    int
	MediaType string // of an Answer that is nil; empty: there is no body
	Pages     bool   // failures are texts of MediaType, too
	// Else are answers with another status that are no failures.
	Else     map[int]reflect.Type
	Security string // the name of the scheme; empty: none is needed
}

// Parameter is one value in the address.
type Parameter struct {
	Name, Description string
	Default           any      // what it is where it is left out; nil: nothing
	Values            []string // that it may have; nil: any
}

// API is what an OpenAPI document says beside its operations.
type API struct {
	Title, Description, Version string
	Parameters                  map[string]string // of paths, by name
	Security                    map[string]string // schemes: a bearer token each, by name
	Failure                     reflect.Type      // of every answer that is no success
	Operations                  []Operation
}

// References to the components of the document.
const openAPIPrefix = "#/components/schemas/"

// NewOpenAPISet is a set for an OpenAPI document.
func NewOpenAPISet(root string) *Set { return NewSet(root, openAPIPrefix) }

type document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       map[string]any                  `json:"info"`
	Servers    []map[string]string             `json:"servers"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components map[string]any                  `json:"components"`
}

type operation struct {
	ID          string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Description string                `json:"description,omitempty"`
	Security    []map[string][]string `json:"security"`
	Parameters  []parameter           `json:"parameters,omitempty"`
	Body        *body                 `json:"requestBody,omitempty"`
	Responses   map[string]response   `json:"responses"`
}

type parameter struct {
	Name        string             `json:"name"`
	In          string             `json:"in"`
	Required    bool               `json:"required,omitempty"`
	Description string             `json:"description"`
	Schema      *jsonschema.Schema `json:"schema"`
}

type body struct {
	Required bool             `json:"required"`
	Content  map[string]media `json:"content"`
}

type response struct {
	Description string           `json:"description"`
	Content     map[string]media `json:"content,omitempty"`
}

type media struct {
	Schema *jsonschema.Schema `json:"schema"`
}

// OpenAPI is the document of an API, whose types are put into s.
func (s *Set) OpenAPI(api API) ([]byte, error) {
	failure, err := s.Of(api.Failure)
	if err != nil {
		return nil, err
	}
	doc := document{
		OpenAPI: "3.1.0",
		Info: map[string]any{"title": api.Title, "description": api.Description, "version": api.Version,
			"license": map[string]string{"name": "MIT", "identifier": "MIT"}},
		Servers: []map[string]string{{"url": "/"}},
		Paths:   map[string]map[string]operation{},
	}
	failed := response{"Why it was not done, in one sentence.", jsonOf(failure)}
	for _, op := range api.Operations {
		made, err := s.operation(api, op)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", op.Method, op.Path, err)
		}
		made.Responses["default"] = failed
		if op.Pages {
			made.Responses["default"] = response{failed.Description, map[string]media{op.MediaType: {&jsonschema.Schema{Type: "string"}}}}
		}
		if doc.Paths[op.Path] == nil {
			doc.Paths[op.Path] = map[string]operation{}
		}
		doc.Paths[op.Path][strings.ToLower(op.Method)] = made
	}
	schemes := map[string]any{}
	for name, what := range api.Security {
		schemes[name] = map[string]string{"type": "http", "scheme": "bearer", "description": what}
	}
	doc.Components = map[string]any{"schemas": s.Defs, "securitySchemes": schemes}
	return encode(doc)
}

func (s *Set) operation(api API, op Operation) (operation, error) {
	made := operation{ID: id(op), Tags: []string{op.Tag}, Summary: op.Summary, Description: op.Description, Security: []map[string][]string{}, Responses: map[string]response{}}
	if op.Summary == "" {
		return made, fmt.Errorf("has no summary")
	}
	if op.Security != "" {
		made.Security = append(made.Security, map[string][]string{op.Security: {}})
	}
	for _, part := range strings.Split(op.Path, "/") {
		if _, after, is := strings.Cut(part, "{"); is {
			name, _, _ := strings.Cut(after, "}")
			made.Parameters = append(made.Parameters, parameter{name, "path", true, api.Parameters[name], &jsonschema.Schema{Type: "string"}})
		}
	}
	for _, q := range op.Query {
		p := parameter{Name: q.Name, In: "query", Description: q.Description, Schema: &jsonschema.Schema{Type: "string"}}
		if n, is := q.Default.(int); is {
			p.Schema.Type, p.Schema.Default = "integer", json.RawMessage(strconv.Itoa(n))
		} else if text, is := q.Default.(string); is {
			p.Schema.Default = json.RawMessage(strconv.Quote(text))
		}
		for _, v := range q.Values {
			p.Schema.Enum = append(p.Schema.Enum, v)
		}
		made.Parameters = append(made.Parameters, p)
	}
	if op.Body != nil {
		of, err := s.Of(op.Body)
		if err != nil {
			return made, err
		}
		if op.Several {
			of = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{of, {Type: "array", Items: of.CloneSchemas()}}}
		}
		made.Body = &body{Required: !op.Optional, Content: jsonOf(of)}
		if op.Form {
			made.Body.Content = map[string]media{"application/x-www-form-urlencoded": {of}}
		}
	}
	good := response{Description: "Done."}
	switch {
	case op.Answer != nil:
		of, err := s.Of(op.Answer)
		if err != nil {
			return made, err
		}
		good.Content = jsonOf(of)
	case op.MediaType != "":
		good.Content = map[string]media{op.MediaType: {&jsonschema.Schema{Type: "string"}}}
	}
	made.Responses[strconv.Itoa(op.Status)] = good
	for status, answer := range op.Else {
		of, err := s.Of(answer)
		if err != nil {
			return made, err
		}
		made.Responses[strconv.Itoa(status)] = response{http.StatusText(status) + ".", jsonOf(of)}
	}
	return made, nil
}

func jsonOf(of *jsonschema.Schema) map[string]media {
	return map[string]media{"application/json": {of}}
}

// id names an operation by its method and path: getServicesName.
func id(op Operation) string {
	name := strings.ToLower(op.Method)
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(op.Path, "/api/v1"), func(r rune) bool { return strings.ContainsRune("/{}.-_", r) }) {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

// encode writes a document as it is kept: indented, and ended by a line break.
func encode(doc any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(doc)
	return out.Bytes(), err
}
