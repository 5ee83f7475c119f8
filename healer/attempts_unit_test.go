package healer

import (
	"testing"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// TestSpent counts what the budgets count.
func TestSpent(t *testing.T) {
	started := event.ActionStarted{Attempt: 1, Action: service.ActionStart}
	for _, tt := range []struct {
		name           string
		after          []event.Data
		counted, never int
	}{
		{"nothing known yet", nil, 0, 0},
		{"proved", []event.Data{event.ActionFinished{OK: true}, event.Verified{OK: true}}, 0, 0},
		{"did not hold", []event.Data{event.ActionFinished{OK: true}, event.Verified{Error: "2 of 5"}}, 1, 0},
		{"interrupted", []event.Data{event.ActionFinished{OK: true}, event.Verified{Error: event.Interrupted + "x"}}, 0, 0},
		{"refused", []event.Data{event.ActionFinished{Error: "no such network"}}, 1, 0},
		{"not carried out", []event.Data{event.ActionFinished{Error: event.NotCarriedOut + "x"}}, 0, 1},
	} {
		in := &state.Incident{}
		for _, data := range append([]event.Data{started}, tt.after...) {
			in.Events = append(in.Events, event.Incident{Type: event.TypeOf(data), Data: data})
		}
		if counted, never := spent(attempts(in)); counted != tt.counted || never != tt.never {
			t.Errorf("%s: counted %d, never %d", tt.name, counted, never)
		}
	}
}
