package replay

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// fewestDecisions is how many a recording has to hold: a daemon that only
// started and ended is no scenario.
const fewestDecisions = 4

// collectInto takes the recordings that a run of the scenarios left in dir into
// the corpus. One that does not replay to what was recorded, as where the program
// changed since, is refused without -update. Those of the same scenario on the same engine go.
func collectInto(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(corpus, 0o755); err != nil {
		t.Fatal(err)
	}
	scenarios := map[string][]*Recording{}
	for _, file := range files {
		r := anonymous(t, file)
		if len(r.recordedDecisions()) < fewestDecisions {
			continue
		}
		switch different, err := r.Compare(); {
		case err != nil:
			t.Fatalf("%s: %v", file, err)
		case different != "" && *update:
			t.Logf("%s (%s), as it is decided today:\n%s", file, r.Scenario, different)
		case different != "":
			t.Errorf("%s (%s) does not replay to what was recorded:\n%s", file, r.Scenario, different)
			continue
		}
		name := fileName(r.Engine + "-" + r.Scenario)
		scenarios[name] = append(scenarios[name], r)
	}
	for name, lives := range scenarios {
		old, err := filepath.Glob(filepath.Join(corpus, name+".*.jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range old {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(lives, func(a, b *Recording) int { return a.Start.Compare(b.Start) })
		for i, r := range lives {
			save(t, filepath.Join(corpus, fmt.Sprintf("%s.%d.jsonl.gz", name, i+1)), r)
		}
	}
}

// fileName is a name that every file system takes.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' {
			return r
		}
		return '-'
	}, name)
}

// anonymous is a recording's text with the name of no real machine as its
// instance.
func anonymous(t *testing.T, file string) *Recording {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	r, err = Read(bytes.NewReader(bytes.ReplaceAll(text, []byte(strconv.Quote(r.Instance)), []byte(`"recorder"`))))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}
