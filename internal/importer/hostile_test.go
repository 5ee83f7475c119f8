package importer

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestNoTextBecomesConfigurationOfAnotherPlace has texts with the line breaks
// that YAML has beside \n, in an entry that is used and in one that is a comment.
func TestNoTextBecomesConfigurationOfAnotherPlace(t *testing.T) {
	for _, lineBreak := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
		evil := "x" + lineBreak + "docker: {discover: all} #"
		for _, enabled := range []bool{true, false} {
			r := &Result{from: evil, usual: usual{1, 1, 1, 1}}
			e := r.add("pay"+evil, evil)
			e.set("url", evil)
			e.set("note", evil+"\n"+evil)
			e.note("%s", evil)
			var request section
			request.set("headers", map[string]string{"X": evil, evil: "y\n" + evil})
			request.set("body", "z\n"+evil)
			e.put("request", &request)
			e.off = ""
			if !enabled {
				e.off = "off " + evil
			}
			content, err := r.Config()
			if err != nil {
				t.Fatal(err)
			}
			var read map[string]any
			if err := yaml.Unmarshal(content, &read); err != nil {
				t.Errorf("%q, %t: %v\n%s", lineBreak, enabled, err, content)
				continue
			}
			if _, is := read["docker"]; is || len(read) != 3 {
				t.Errorf("%q, %t: it became\n%s", lineBreak, enabled, content)
			}
			if !enabled {
				continue
			}
			got := read["services"].([]any)[0].(map[string]any)
			if got["url"] != evil || got["name"] != "pay"+evil || !strings.HasSuffix(got["note"].(string), evil) {
				t.Errorf("%q: read back is %q", lineBreak, got)
			}
		}
	}
}

func TestNotesAreFitForATerminal(t *testing.T) {
	r, err := Gatus("gatus.yaml", []byte("endpoints: [{name: \"a\\e]0;b\\ac\\nd\", url: \"\\e[31m\", conditions: [\"[BODY] == any(\\e[2J)\"], \"\\e[2Jx\": 1}]\n\"\\e[2Jy\": 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range r.Notes() {
		if strings.ContainsAny(n.Of+n.What, "\x1b\x07\n") {
			t.Errorf("%q: %q", n.Of, n.What)
		}
	}
	if len(r.Notes()) < 3 {
		t.Errorf("the notes are %q", r.Notes())
	}
}

// TestEmptyEntriesHideNothingOfTheNext: YAML leaves them out of a list of some types only.
func TestEmptyEntriesHideNothingOfTheNext(t *testing.T) {
	r, err := Gatus("gatus.yaml", []byte("endpoints: [null, {name: a, url: 'http://h', novel: 1}]"))
	if err != nil || len(r.Notes()) != 1 || !strings.Contains(r.Notes()[0].What, "novel") {
		t.Errorf("the notes are %q, %v", r.Notes(), err)
	}
}
