package healer

import (
	"slices"
	"strings"
	"time"

	"logstream/healer/action"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What operators want, and what must never happen against it. A repair that an
// operator asked for is held by none of it.

// wanted checks, right before a call, that no wish of an operator forbids it.
func (m *sim) wanted(e Execute) {
	b := m.box(e.Service)
	if m.requested(e) {
		return
	}
	for _, w := range m.windows {
		if (w.service == "" || w.service == e.Service) && !m.now.Before(w.from) && m.now.Before(w.to) {
			m.violated("%s gets %s inside a window of maintenance", e.Service, e.Intent.Action)
		}
	}
	switch {
	case m.silencedNow(e.Service):
		m.violated("%s gets %s while it is silenced", e.Service, e.Intent.Action)
	case m.heldNow():
		m.violated("%s gets %s while the host is on hold", e.Service, e.Intent.Action)
	case m.modeOf(b) == service.Observe:
		m.violated("%s gets %s in mode observe", e.Service, e.Intent.Action)
	case slices.Contains(b.def.Heal.Never, e.Intent.Action):
		m.violated("%s gets %s, which heal.never forbids", e.Service, e.Intent.Action)
	case m.isBlind() && m.level(e.Service) != event.Down:
		m.violated("%s gets %s from a blind observer, and its container runs", e.Service, e.Intent.Action)
	}
}

// requested says whether a call is what an operator asked for: that action, or
// any, until a person was called, or to undo one.
func (m *sim) requested(e Execute) bool {
	if e.Intent.Undoes > 0 {
		return true
	}
	in := m.incident(e.Service)
	opened, _ := in.Events[0].Data.(event.Opened)
	return requestedByOperator(in) && !answeredBefore(in) && (opened.Action == "" || opened.Action == e.Intent.Action)
}

func (m *sim) modeOf(b *box) service.Mode {
	if b.def.Heal.Mode != "" {
		return b.def.Heal.Mode
	}
	return m.cfg.Mode
}

// isBlind says whether the incident of the fleet says so.
func (m *sim) isBlind() bool {
	all := fleetIncidents(m)
	return len(all) > 0 && all[len(all)-1].State == state.Open
}

// silencedNow says so by the commands that were executed.
func (m *sim) silencedNow(name string) bool {
	return m.now.Before(m.wishUntil(event.CommandSilence, event.CommandUnsilence, name))
}

func (m *sim) heldNow() bool {
	return m.now.Before(m.wishUntil(event.CommandHold, event.CommandRelease, event.AllServices))
}

// wishUntil is when a wish ends that the newest of two commands began; zero: it
// ended it.
func (m *sim) wishUntil(begins, ends, name string) time.Time {
	for _, r := range slices.Backward(m.commands) {
		c := r.in.Command
		if c.Service != name || c.Result == nil || !c.Result.OK || r.copy || c.Command != begins && c.Command != ends {
			continue
		}
		d, _ := time.ParseDuration(c.Args.For)
		if c.Command == begins {
			return c.Time.Add(d)
		}
		return time.Time{}
	}
	return time.Time{}
}

// approved checks an intent that needs approval: before it stands the
// approval of exactly that, or it is what an operator asked for.
func (m *sim) approved(in *state.Incident, opened event.Opened, started event.ActionStarted) {
	b := m.box(in.Service)
	a, _ := action.ByName(started.Action)
	listed := a.Tier < 2 || slices.Contains(b.def.Heal.Actions, started.Action)
	listed = listed && !isProposed(in, started.Action) && !reopenedByProposal(in)
	requested := opened.Action == started.Action && strings.HasPrefix(in.Events[0].By, event.ByOperator) && !answeredBefore(in)
	if m.modeOf(b) != service.Approve && listed || requested {
		return
	}
	request, is := approvedLast(in)
	pins := request.Pins
	if b.loops {
		pins.StartedAt, pins.State = started.Pins.StartedAt, started.Pins.State
	}
	pins.LastEvent = started.Pins.LastEvent
	if !is || request.Action != started.Action || pins != started.Pins || !sameParams(request.Params, started.Params) {
		m.violated("%s: attempt %d, %s, was not approved", in.ID, started.Attempt, started.Action)
	}
}

// approvedLast is the request that the newest event before an intent approved.
func approvedLast(in *state.Incident) (event.ApprovalRequested, bool) {
	var before []event.Incident
	for _, e := range in.Events[:len(in.Events)-1] {
		if e.Type != event.TypeAcknowledged {
			before = append(before, e)
		}
	}
	n := len(before)
	if n < 2 || before[n-1].Type != event.TypeApproved || !strings.HasPrefix(before[n-1].By, event.ByOperator) {
		return event.ApprovalRequested{}, false
	}
	request, is := before[n-2].Data.(event.ApprovalRequested)
	return request, is
}

// answeredBefore says whether an action was executed, or a person called, before an
// incident's newest event.
func answeredBefore(in *state.Incident) bool {
	return slices.ContainsFunc(in.Events, func(e event.Incident) bool {
		finished, is := e.Data.(event.ActionFinished)
		return is && finished.Outcome != event.OutcomeNotExecuted || e.Type == event.TypeEscalated
	})
}

// notDenied checks that what an operator denied is not done in that incident.
func (m *sim) notDenied(in *state.Incident, started event.ActionStarted) {
	asked := ""
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.ApprovalRequested:
			asked = data.Action
		case event.Denied:
			if asked == started.Action {
				m.violated("%s: attempt %d, %s, was denied before", in.ID, started.Attempt, started.Action)
			}
		}
	}
}

// undoes checks that what is undone was done: an attempt of this incident, or of
// the one that it was opened for, which was executed, has an inverse, and was
// not undone before.
func (m *sim) undoes(in *state.Incident, opened event.Opened, undo event.ActionStarted) {
	of := in.ID
	if opened.UndoesIncident != "" {
		of = opened.UndoesIncident
	}
	started, finished, undone := false, false, 0
	begun := map[string]bool{} // undos of the same, by incident and attempt
	for _, w := range m.incidents {
		if !w.copy.IsZero() {
			continue
		}
		switch data := w.event.Data.(type) {
		case event.ActionStarted:
			started = started || w.event.ID == of && data.Attempt == undo.Undoes && data.Undoes == 0 && data.Undo != nil && data.Action == undo.Action
			if data.Undoes == undo.Undoes && m.undoneIn(w.event.ID) == of {
				begun[key(w.event.ID, data.Attempt)] = true
			}
		case event.ActionFinished:
			cutOff := action.PutsBack(undo) && data.Outcome == event.OutcomeUnknown && data.KeptID != ""
			finished = finished || w.event.ID == of && data.Attempt == undo.Undoes && (data.OK || cutOff)
			if id := key(w.event.ID, data.Attempt); begun[id] && data.OK {
				undone++
				delete(begun, id)
			}
		}
	}
	switch {
	case !started || !finished:
		m.violated("%s: attempt %d undoes attempt %d of %s, which was not done", in.ID, undo.Attempt, undo.Undoes, of)
	case undone > 1:
		m.violated("attempt %d of %s was undone %d times", undo.Undoes, of, undone)
	case action.PutsBack(undo): // it needs no request
	case !strings.HasPrefix(in.Events[0].By, event.ByOperator) && !strings.HasPrefix(in.Events[len(in.Events)-1].By, event.ByOperator):
		m.violated("%s: attempt %d undoes what no operator asked to be undone", in.ID, undo.Attempt)
	}
}

// undoneIn is the incident whose attempts are undone in one.
func (m *sim) undoneIn(id string) string {
	for _, w := range m.incidents {
		if opened, is := w.event.Data.(event.Opened); is && w.event.ID == id && opened.UndoesIncident != "" {
			return opened.UndoesIncident
		}
	}
	return id
}

// answered checks that what is answered as done is on the log: each result of a
// command that an event of an incident executes has its own.
func (m *sim) answered(c event.Command) {
	if c.Result == nil || !c.Result.OK || !byAnEvent[c.Command] {
		return
	}
	answered := 1
	for _, r := range m.commands {
		if before := r.in.Command; before.Result != nil && before.Result.OK && byAnEvent[before.Command] && !r.copy {
			answered++
		}
	}
	if n := byOperators(m); n < answered {
		m.violated("%s of %s is answered as done: %d of %d such events are on the log", c.Command, c.Service, n, answered)
	}
}

var byAnEvent = map[string]bool{event.CommandHeal: true, event.CommandApprove: true, event.CommandDeny: true, event.CommandUndo: true, event.CommandAcknowledge: true}

// byOperators is how many events of the log operators have written.
func byOperators(m *sim) (n int) {
	for _, w := range m.incidents {
		if strings.HasPrefix(w.event.By, event.ByOperator) && w.copy.IsZero() {
			n++
		}
	}
	return n
}
