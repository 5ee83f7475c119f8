package config

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"logstream/internal/event"
)

// TestWrittenDefinitionReadsBackAsPublished parses what is written with the YAML library,
// and compares it with what was published.
func TestWrittenDefinitionReadsBackAsPublished(t *testing.T) {
	def := event.Definition{Name: `no: "odd" #1`, URL: "http://user:***@host/?a=${X}", Interval: "2s", Container: "web", Discovered: true, Chaos: true,
		Expect: event.Expect{Status: "200-399", Body: ".*|$: # '"}, DependsOn: []string{"db", "null"}, Heal: event.Heal{ManualStop: "heal"}}
	text, err := Written(event.Encode(def))
	if err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{"discovered", "note", "window", "tls", "never", "latency"} {
		if strings.Contains(text, absent+":") {
			t.Errorf("%s has no value, and is in\n%s", absent, text)
		}
	}
	var read []map[string]any
	if err := yaml.Unmarshal([]byte(text), &read); err != nil || len(read) != 1 {
		t.Fatalf("%v in\n%s", err, text)
	}
	of := read[0]
	if of["name"] != def.Name || of["chaos"] != true || of["url"] != "http://user:***@host/?a=$${X}" || of["expect"].(map[string]any)["body"] != def.Expect.Body {
		t.Errorf("it is read as %v from\n%s", of, text)
	}
	if !strings.HasPrefix(text, "- name: ") || !strings.Contains(text, `depends_on: [db, "null"]`) {
		t.Errorf("it is not as a person would write it:\n%s", text)
	}
}
