package importer

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s:\n%s", path, got)
	}
}

func config(t *testing.T, r *Result) []byte {
	t.Helper()
	content, err := r.Config()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// The file is one that Gatus 5.36 itself starts with.
func TestGatus(t *testing.T) {
	content, err := os.ReadFile("testdata/gatus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Gatus("gatus.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "gatus.golden.yaml", config(t, r))
}

func TestWhatIsNoGatusConfigurationIsRefused(t *testing.T) {
	for content, want := range map[string]string{
		"":                     "no endpoints",
		"services: []":         "no endpoints",
		"endpoints: 7":         "cannot unmarshal",
		"endpoints: [{name: [": "yaml",
	} {
		if _, err := Gatus("x.yaml", []byte(content)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.yaml") {
			t.Errorf("%q gives %v", content, err)
		}
	}
}

func TestADisabledServiceIsAComment(t *testing.T) {
	r, err := Gatus("x.yaml", []byte("endpoints: [{name: a, url: 'ssh://a', conditions: []}, {name: b, url: 'http://b', conditions: []}, {name: c, url: 'http://c', conditions: []}]"))
	if err != nil {
		t.Fatal(err)
	}
	r.Disable(1, "it is\nwrong")
	out := string(config(t, r))
	if r.Services() != 1 || !strings.Contains(out, "# not imported: it is wrong\n  # - name: c\n") || !strings.Contains(out, "\n  - name: b\n") {
		t.Errorf("%d services:\n%s", r.Services(), out)
	}
}

func TestWhatIsNoYAMLIsSaidOnce(t *testing.T) {
	_, err := Gatus("bad.yaml", []byte("{"))
	if err == nil || strings.Count(err.Error(), "yaml:") != 1 || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %q", err)
	}
}
