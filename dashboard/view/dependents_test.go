package view

import (
	"slices"
	"testing"
	"time"

	"logstream/internal/state"
)

// TestDependentsOfARoot that failed after some of them, whose holds name no
// incident of it, while an older failure of one is not its.
func TestDependentsOfARoot(t *testing.T) {
	at := func(seconds int) time.Time { return time.Date(2026, 11, 29, 5, 0, seconds, 0, time.UTC) }
	ended := at(5)
	root := &state.Incident{ID: "root", Service: "db", Opened: at(10)}
	for name, test := range map[string]struct {
		in   state.Incident
		want bool
	}{
		"it names the incident":           {state.Incident{ID: "a", Root: "db", RootIncident: "root", Opened: at(11)}, true},
		"it names another incident":       {state.Incident{ID: "a", Root: "db", RootIncident: "older", Opened: at(11)}, false},
		"it failed before its root":       {state.Incident{ID: "a", Root: "db", Opened: at(9)}, true},
		"it ended before its root failed": {state.Incident{ID: "a", Root: "db", Opened: at(1), Resolved: &ended}, false},
		"it has another root":             {state.Incident{ID: "a", Root: "cache", Opened: at(11)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.ContainsFunc(dependents([]*state.Incident{root, &test.in}, root), func(d Dependent) bool { return d.ID == "a" })
			if got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
