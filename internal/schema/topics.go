package schema

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"logstream/internal/event"
)

// The schemas of the records, and the AsyncAPI document, are kept in docs/schemas.
//
//go:generate go test -run TestDocuments -update .

// Topic is a topic of the log, or several with the same records.
type Topic struct {
	Names   []string
	Key     string
	Kept    string
	Summary string
	// Record is the type of its records; nil: bytes of any kind.
	Record reflect.Type
	// Anybody may publish to it.
	Anybody bool
}

// Topics are all topics, as the contract has them.
func Topics() []Topic {
	const service = "the service's name"
	return []Topic{
		{[]string{event.TopicHealth}, service, "by time and size", "Observations of services, by LogStream and any other program.", reflect.TypeFor[event.HealthLog](), true},
		{[]string{event.TopicServices}, service, "the newest of each key", "Each service's definition and state, at every change and each hour.", reflect.TypeFor[event.Service](), false},
		{[]string{event.TopicIncidents}, service, "90 days", "The life of every incident, in order: also the audit log.", reflect.TypeFor[event.Incident](), false},
		{[]string{event.TopicCommands}, service + ", or * for the whole host", "7 days", "What operators request, and a second record with the result.", reflect.TypeFor[event.Command](), false},
		{[]string{event.TopicDocker}, "the container's name", "7 days", "Events of the container engine.", reflect.TypeFor[event.Docker](), false},
		{[]string{event.TopicThinking}, service, "1 hour", "What a model writes about an incident, while it writes it.", reflect.TypeFor[event.Thinking](), false},
		{[]string{event.TopicRollups1m, event.TopicRollups1h, event.TopicRollups1d}, service, "48 hours, 35 days and for ever", "What is known of a service over one minute, hour or day.", reflect.TypeFor[event.Rollup](), false},
		{[]string{event.TopicNotifications}, "the receiver's name", "7 days", "Which messages were sent to which receiver, so that none is sent again.", reflect.TypeFor[event.Notification](), false},
		{[]string{event.TopicDeadLetters}, "as it came", "7 days", "Records that could not be read: their bytes untouched, the reason in the headers.", nil, false},
	}
}

// File is the name of the file that has the schema of a topic's records.
func (t Topic) File() string {
	name := t.Names[0]
	if len(t.Names) > 1 {
		name = name[:strings.LastIndex(name, ".")]
	}
	return name + ".schema.json"
}

// Files are the schema of each topic's records, and the AsyncAPI document, by
// the names of their files. The sources of our packages are below root.
func Files(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, topic := range Topics() {
		if topic.Record == nil {
			continue
		}
		made, err := alone(root, topic)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", topic.File(), err)
		}
		if files[topic.File()], err = encode(made); err != nil {
			return nil, err
		}
	}
	var err error
	files["asyncapi.json"], err = asyncAPI(root)
	return files, err
}

// alone is the schema of a topic's records in a document of its own.
func alone(root string, topic Topic) (*jsonschema.Schema, error) {
	s := NewSet(root, "#/$defs/")
	if err := s.RefineRecords(); err != nil {
		return nil, err
	}
	if topic.Record != reflect.TypeFor[event.Incident]() { // whose events alone have data
		clear(s.Defs)
		clear(s.types)
	}
	of, err := s.Of(topic.Record)
	if err != nil {
		return nil, err
	}
	made := s.Defs[strings.TrimPrefix(of.Ref, s.prefix)]
	delete(s.Defs, strings.TrimPrefix(of.Ref, s.prefix))
	made.Schema = "https://json-schema.org/draft/2020-12/schema"
	made.Title = strings.Join(topic.Names, ", ")
	if len(s.Defs) > 0 {
		made.Defs = s.Defs
	}
	return made, nil
}
