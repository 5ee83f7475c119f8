package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"logstream/internal/event"
)

var update = flag.Bool("update", false, "write docs/schemas anew")

const (
	root   = "../.."
	folder = root + "/docs/schemas"
	golden = root + "/internal/event/testdata"
)

// TestDocuments compares what is kept with what the types say now.
func TestDocuments(t *testing.T) {
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/schemas/%s is not what the types say now: go generate ./internal/schema, and look at the difference (%v)", name, err)
		}
	}
	kept, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(kept) != len(files) {
		t.Errorf("docs/schemas has %v, want %v (%v)", kept, slices.Sorted(maps.Keys(files)), err)
	}
}

// read is a document in JSON.
func read(t *testing.T, path string) any {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	value, err := validator.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(path, err)
	}
	return value
}

// schemaIn compiles a schema of a kept document; closed, it takes no field that
// it does not name.
func schemaIn(t *testing.T, file, pointer string, closed bool) *validator.Schema {
	t.Helper()
	doc := read(t, filepath.Join(folder, file))
	if closed {
		Close(doc)
	}
	c := validator.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(file, doc); err != nil {
		t.Fatal(err)
	}
	made, err := c.Compile(file + "#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// kinds are the topic of each golden record by what its name begins with, and
// the message of the AsyncAPI document.
var kinds = map[string][2]string{
	"health": {"system-logs", "HealthLog"}, "service": {"logstream.services", "Service"}, "incident": {"logstream.incidents", "Incident"},
	"command": {"logstream.commands", "Command"}, "docker": {"logstream.docker", "Docker"}, "thinking": {"logstream.thinking", "Thinking"},
	"rollup": {"logstream.rollups", "Rollup"}, "notification": {"logstream.notifications", "Notification"},
}

// goldenRecords are the files, and the kind of each.
func goldenRecords(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(golden + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	before, err := filepath.Glob(golden + "/before_codes/*.json")
	if err != nil || len(before) == 0 {
		t.Fatal(before, err)
	}
	records, seen := map[string]string{}, map[string]bool{}
	for _, file := range slices.Concat(files, before) {
		kind, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "_")
		if _, is := kinds[kind]; !is {
			t.Errorf("%s is of no topic that has a schema", file)
			continue
		}
		records[file], seen[kind] = kind, true
	}
	if len(seen) != len(kinds) {
		t.Errorf("only %v have golden records", seen)
	}
	return records
}

// TestGoldenRecordsAreValid: every golden record, of this version and of those
// before, has the schema of its topic, and no field that the schema lacks.
func TestGoldenRecordsAreValid(t *testing.T) {
	for file, kind := range goldenRecords(t) {
		record := read(t, file)
		topic, message := kinds[kind][0], kinds[kind][1]
		for _, made := range []*validator.Schema{
			schemaIn(t, topic+".schema.json", "", false), schemaIn(t, topic+".schema.json", "", true),
			schemaIn(t, "asyncapi.json", "/components/messages/"+message+"/payload", true),
		} {
			if err := made.Validate(record); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// TestEachFieldOfAGoldenRecordIsHeldToItsType replaces each field by what no
// field can be: every one of them must be found.
func TestEachFieldOfAGoldenRecordIsHeldToItsType(t *testing.T) {
	for file, kind := range goldenRecords(t) {
		made := schemaIn(t, kinds[kind][0]+".schema.json", "", false)
		record := read(t, file).(map[string]any)
		data, _ := record["data"].(map[string]any)
		if strings.Contains(file, "unknown") {
			data = nil // of a type that has no schema
		}
		for _, object := range []map[string]any{record, data} {
			for name, value := range object {
				object[name] = []any{json.Number("1.5"), false}
				if made.Validate(record) == nil {
					t.Errorf("%s: %s may be anything", file, name)
				}
				object[name] = value
			}
		}
		for _, needed := range []string{"service", "id", "time", "timestamp", "container", "action", "start", "incident"} {
			value, has := record[needed]
			delete(record, needed)
			if optional := kind == "docker" && needed == "id"; has && !optional && made.Validate(record) == nil {
				t.Errorf("%s: %s may be missing", file, needed)
			}
			if has {
				record[needed] = value
			}
		}
	}
}

// TestEveryTypeOfEventHasASchema: one that is forgotten in data would have its
// data unchecked.
func TestEveryTypeOfEventHasASchema(t *testing.T) {
	types, err := newSource(root).values(reflect.TypeFor[event.Type]())
	if err != nil || len(types) < 15 {
		t.Fatal(types, err)
	}
	for _, name := range types {
		if !slices.ContainsFunc(data, func(d event.Data) bool { return string(event.TypeOf(d)) == name }) {
			t.Errorf("data has no type for %s", name)
		}
	}
}

// TestReadersSkipWhatTheyDoNotKnow: a field, a value of a list that may grow and
// a type of event that a later version adds are valid.
func TestReadersSkipWhatTheyDoNotKnow(t *testing.T) {
	for file, change := range map[string]func(record map[string]any){
		"health.json":             func(r map[string]any) { r["region"], r["failure"] = "eu", "quantum" },
		"incident_diagnosed.json": func(r map[string]any) { r["data"].(map[string]any)["mood"] = "good" },
		"incident_resolved.json":  func(r map[string]any) { r["type"], r["data"] = "pondered", map[string]any{"how": 7} },
	} {
		kind, _, _ := strings.Cut(strings.TrimSuffix(file, ".json"), "_")
		record := read(t, filepath.Join(golden, file)).(map[string]any)
		change(record)
		if err := schemaIn(t, kinds[kind][0]+".schema.json", "", false).Validate(record); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
