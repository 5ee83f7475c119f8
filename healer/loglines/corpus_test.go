package loglines

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"logstream/internal/container"
	"logstream/internal/raced"
)

// marked is a log of testdata with the marks of its evidence.
type marked struct {
	name     string
	lines    []string
	Specific []int    `json:"specific"` // from 1
	Spans    [][2]int `json:"spans"`    // both ends belong to it
}

// corpus is all logs by name, in the halves for tuning and for the final figures.
func corpus(t testing.TB) map[string][]marked {
	t.Helper()
	files, err := filepath.Glob("testdata/*.log")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d logs in testdata, %v", len(files), err)
	}
	halves := map[string][]marked{}
	for i, file := range files { // sorted by name
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := marked{name: strings.TrimSuffix(filepath.Base(file), ".log"), lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")}
		marks, err := os.ReadFile(strings.TrimSuffix(file, ".log") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(marks, &m); err != nil || len(m.Specific) == 0 || len(m.Spans) == 0 {
			t.Fatalf("%s has no marks: %v", m.name, err)
		}
		half := []string{"tune", "final"}[i%2]
		halves[half] = append(halves[half], m)
	}
	return halves
}

// hits says whether the chosen lines, counted from 0, have one that is specific,
// and how many spans have one of their lines among them.
func (m marked) hits(chosen []int) (specific bool, spans int) {
	for _, span := range m.Spans {
		if slices.ContainsFunc(chosen, func(i int) bool { return span[0] <= i+1 && i+1 <= span[1] }) {
			spans++
		}
	}
	return slices.ContainsFunc(chosen, func(i int) bool { return slices.Contains(m.Specific, i+1) }), spans
}

func (m marked) raw() []container.Line {
	raw := make([]container.Line, len(m.lines))
	for i, line := range m.lines {
		raw[i].Text = line
	}
	return raw
}

// errorWord is what a search for errors usually finds.
var errorWord = regexp.MustCompile(`(?i)error|fail|fatal|exception|panic|critical`)

// choosers are the ways of choosing that are compared; the first is ours.
var choosers = []struct {
	name   string
	choose func(marked) []int
}{
	{"rules", func(m marked) []int {
		chosen, _ := Choose(m.raw(), nil)
		var places []int
		for _, c := range chosen {
			places = append(places, c.Place)
		}
		return places
	}},
	{"the last 12", func(m marked) []int { return upTo(max(0, len(m.lines)-Most), len(m.lines)) }},
	{"12 at random", func(m marked) []int {
		h := fnv.New64a()
		h.Write([]byte(m.name))
		return rand.New(rand.NewPCG(h.Sum64(), 1)).Perm(len(m.lines))[:Most]
	}},
	{"the last 12 with an error word", func(m marked) (places []int) {
		for i := len(m.lines) - 1; i >= 0 && len(places) < Most; i-- {
			if errorWord.MatchString(m.lines[i]) {
				places = append(places, i)
			}
		}
		return places
	}},
}

// The goals of the choice, as shares of all logs and of all spans.
const specificGoal, spansGoal = 0.90, 0.84

func TestChosenLinesHitTheEvidence(t *testing.T) {
	raced.Skip(t)
	t.Parallel()
	halves := corpus(t)
	for _, half := range []string{"tune", "final"} {
		t.Run(half, func(t *testing.T) { measure(t, half, halves[half]) })
	}
}

func measure(t *testing.T, half string, logs []marked) {
	for i, by := range choosers {
		hit, spans, ofSpans := 0, 0, 0
		var misses []string
		for _, m := range logs {
			specific, n := m.hits(by.choose(m))
			if specific {
				hit++
			}
			spans, ofSpans = spans+n, ofSpans+len(m.Spans)
			if !specific || n < len(m.Spans) {
				misses = append(misses, fmt.Sprintf("%s (specific %v, spans %d of %d)", m.name, specific, n, len(m.Spans)))
			}
		}
		specific, share := float64(hit)/float64(len(logs)), float64(spans)/float64(ofSpans)
		t.Logf("%-5s %-30s specific %3.0f %% of %d logs, spans %3.0f %% of %d", half, by.name, 100*specific, len(logs), 100*share, ofSpans)
		if i > 0 {
			continue
		}
		if specific < specificGoal || share < spansGoal {
			t.Errorf("%s: specific %.0f %%, spans %.0f %%, below the goals", half, 100*specific, 100*share)
		}
		if half == "tune" { // what the final half misses is not inspected
			t.Logf("missed: %s", strings.Join(misses, "\n\t"))
		}
	}
}
