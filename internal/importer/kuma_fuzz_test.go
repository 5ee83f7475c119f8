package importer

import (
	"encoding/json"
	"testing"

	"gopkg.in/yaml.v3"
)

// FuzzUptimeKuma: whatever the rows of the database hold, what is made of them
// is YAML of the sections that were meant, with as many services as are in use,
// and repairs nothing.
func FuzzUptimeKuma(f *testing.F) {
	for _, m := range monitors {
		row, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(row))
	}
	f.Add(`{"type":"http","name":"a\nhealer: {mode: auto}","url":"http://$","headers":"{\"a: b\":\"\\u2028x\"}","description":"#\u2029services: []"}`)
	f.Add(`{"type":"json-query","url":"http://[","json_path":"a","json_path_operator":">=","expected_value":"${A}","maxretries":9e18,"interval":-1}`)
	f.Add(`{"type":"postgres","name":"db","database_connection_string":"postgres://a","database_query":"x\nother: 1"}`)
	f.Add(`{"type":"json-query","name":"b","url":"http://b","json_path":"(\u2028other: 1","active":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m row
		if json.Unmarshal([]byte(text), &m) != nil {
			return
		}
		r := &Result{from: "kuma.db", usual: usual{interval: 60e9, timeout: 48e9, failures: 1, successes: 1}}
		for range 2 { // the second has a name that is taken
			r.monitor(m, m.text("group"))
		}
		content, err := r.Config()
		if err != nil {
			t.Fatal(err)
		}
		var made struct {
			Healer   struct{ Mode string }
			Defaults map[string]any
			Services []map[string]any
			Rest     map[string]any `yaml:",inline"`
		}
		if err := yaml.Unmarshal(content, &made); err != nil {
			t.Fatalf("%v in\n%s", err, content)
		}
		if made.Healer.Mode != "observe" || len(made.Services) != r.Services() || len(made.Rest) != 0 {
			t.Fatalf("mode %q, %d of %d services, and %v in\n%s", made.Healer.Mode, len(made.Services), r.Services(), made.Rest, content)
		}
	})
}
