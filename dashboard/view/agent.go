package view

import (
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// The states of the agent.
const (
	AgentWatching   = "WATCHING"
	AgentDiagnosing = "DIAGNOSING"
	AgentWaiting    = "WAITING_APPROVAL"
	AgentFixing     = "FIXING"
	AgentVerifying  = "VERIFYING"
	AgentEscalated  = "ESCALATED"
)

// shortGrace is how long a hold may last that is no rest.
const shortGrace = 5 * time.Second

// agentOrder is which state is shown where incidents differ: the first.
var agentOrder = []string{AgentWaiting, AgentFixing, AgentVerifying, AgentDiagnosing, AgentEscalated, AgentWatching}

// Agent is what the healer is doing, in one object.
type Agent struct {
	State    string `json:"state"`
	Incident string `json:"incident"` // that the state is about, or empty
	Service  string `json:"service"`
	Model    string `json:"model"`
	// LastAction is the newest action that was begun, as a person would type it.
	LastAction  string     `json:"last_action"`
	LastAt      *time.Time `json:"last_action_at,omitempty"`
	LastService string     `json:"last_action_service,omitempty"`
	Open        int        `json:"open"`
	Escalated   int        `json:"escalated"`
	Budget      Budget     `json:"budget"`
}

// Budget is what was spent on the incident, and on its service within the last
// hour. Attempt never exceeds Attempts: an intent that was not executed, or that
// an external change interrupted, counts for the hour only.
type Budget struct {
	Attempt   int        `json:"attempt"`
	Attempts  int        `json:"attempts"`
	Hour      int        `json:"hour"`
	PerHour   int        `json:"per_hour"`
	NotBefore *time.Time `json:"not_before"` // a cooldown or a spent budget ends then
}

// Limits is what may be spent, from the healer's configuration.
type Limits struct{ Attempts, PerHour int }

// agentFold folds incidents into what Agent shows: which are not
// resolved, which actions were begun within the hour, and the newest of all.
type agentFold struct {
	open  []*state.Incident // in the order in which they were opened
	begun map[string][]time.Time
	last  event.Incident
}

func (a *agentFold) apply(in *state.Incident, e event.Incident) {
	i := slices.Index(a.open, in)
	switch {
	case i < 0 && in.State != state.Resolved:
		a.open = append(a.open, in)
	case i >= 0 && in.State == state.Resolved:
		a.open = slices.Delete(a.open, i, i+1)
	}
	if e.Type != event.TypeActionStarted {
		return
	}
	if a.begun == nil {
		a.begun = map[string][]time.Time{}
	}
	recent := slices.DeleteFunc(a.begun[in.Service], func(t time.Time) bool { return t.Before(e.Time.Add(-time.Hour)) })
	a.begun[in.Service] = append(recent, e.Time)
	if !e.Time.Before(a.last.Time) {
		a.last = e
	}
}

// rebuild folds everything again.
func (a *agentFold) rebuild(all []*state.Incident) {
	*a = agentFold{}
	for _, in := range all {
		for _, e := range in.Events {
			a.apply(in, e)
		}
	}
}

// view is what the healer is doing at now. Where several incidents are open
// the state that comes first is shown, of the oldest such incident.
func (a *agentFold) view(model string, limits Limits, now time.Time) Agent {
	v := Agent{State: AgentWatching, Model: model, Budget: Budget{Attempts: limits.Attempts, PerHour: limits.PerHour}}
	if begun, is := a.last.Data.(event.ActionStarted); is {
		at := a.last.Time
		v.LastAction, v.LastService, v.LastAt = begun.Command, a.last.Service, &at
		if v.LastAction == "" {
			v.LastAction = begun.Action + " " + begun.Target
		}
	}
	states := map[string]*state.Incident{}
	for _, in := range a.open {
		if in.State == state.Escalated {
			v.Escalated++
		} else {
			v.Open++
		}
		if at := agentState(in); states[at] == nil {
			states[at] = in
		}
	}
	for _, name := range agentOrder {
		if in := states[name]; in != nil {
			v.State, v.Incident, v.Service = name, in.ID, in.Service
			v.Budget.spend(in, a.begun[in.Service], now)
			break
		}
	}
	return v
}

func (b *Budget) spend(in *state.Incident, begun []time.Time, now time.Time) {
	b.Attempt = in.Counted
	for _, at := range begun {
		if now.Sub(at) < time.Hour {
			b.Hour++
		}
	}
	if in.Held == "cooldown" || in.Held == "budget" {
		b.NotBefore = in.HeldUntil
	}
}

// agentState is the state in which one unresolved incident has the agent.
func agentState(in *state.Incident) string {
	switch phase(in) {
	case PhaseEnded:
		return AgentEscalated
	case PhaseApproval:
		return AgentWaiting
	case PhaseAction:
		return AgentFixing
	case PhaseVerification:
		return AgentVerifying
	}
	if in.Held != "" && !inGrace(in) {
		return AgentWatching
	}
	return AgentDiagnosing
}

// inGrace says whether what holds the incident is only a short grace, such as
// the second after a stop: the agent goes on deciding meanwhile.
func inGrace(in *state.Incident) bool {
	held, known := in.Last(event.TypeSuppressed)
	return known && in.HeldUntil != nil && in.HeldUntil.Sub(held.Time) <= shortGrace
}
