package view

import (
	"slices"
	"strings"
	"time"

	"logstream/internal/state"
)

// Wanted says which incidents a list has. What is empty restricts nothing.
type Wanted struct {
	Service string
	State   string // state.Open, Resolved or Escalated
	Cause   string // a cause_id
	// DecidedBy is who decided: all of decided_by, such as llm:qwen3:0.6b, or what
	// stands before its first colon, such as llm or operator.
	DecidedBy string
	// Text stands somewhere in the service's name, the cause, the error, the action
	// or the id, in upper or lower case.
	Text string
	// Before is an incident: the list goes on with what was opened before it.
	Before string
}

// has says whether an incident is wanted. It does not look at Before: List does.
func (w Wanted) has(in *state.Incident) bool {
	kind, _, _ := strings.Cut(in.DecidedBy, ":")
	return (w.Service == "" || in.Service == w.Service) &&
		(w.State == "" || in.State == w.State) &&
		(w.Cause == "" || in.CauseID == w.Cause) &&
		(w.DecidedBy == "" || in.DecidedBy == w.DecidedBy || kind == w.DecidedBy) &&
		(w.Text == "" || mentions(in, strings.ToLower(w.Text)))
}

// mentions says whether a text in lower case stands in what a list shows of an incident.
func mentions(in *state.Incident, text string) bool {
	return slices.ContainsFunc([]string{in.Service, in.Cause, in.CausePast, in.CauseID, in.Error, in.Action, in.ID},
		func(said string) bool { return strings.Contains(strings.ToLower(said), text) })
}

// List is the newest incidents that are wanted, at most limit, newest first. False:
// there is no incident with the id Wanted.Before.
func (f *Fleet) List(w Wanted, limit int, now time.Time) ([]Incident, bool) {
	all := f.Incidents.All()
	if w.Before != "" {
		end := slices.IndexFunc(all, func(in *state.Incident) bool { return in.ID == w.Before })
		if end < 0 {
			return nil, false
		}
		all = all[:end]
	}
	shown := []Incident{}
	for _, in := range slices.Backward(all) {
		if len(shown) == limit {
			break
		}
		if w.has(in) {
			shown = append(shown, f.incident(in, now))
		}
	}
	return shown, true
}
