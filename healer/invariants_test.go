package healer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"logstream/healer/budget"
	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What must never happen, at any time and in the log as a whole.

func (m *sim) check() {
	_, owns := m.owner()
	if !owns || !m.logUp || !m.engine || m.now.Sub(m.ownerSince) <= 90*time.Second {
		return
	}
	for _, b := range m.boxes {
		name := b.def.Name
		if _, outstanding := m.outstanding[name]; outstanding {
			continue
		}
		status, in := m.status(name), m.incident(name)
		moved := laterTime(status.Since, m.backAt)
		if in != nil {
			moved = laterTime(moved, in.Events[len(in.Events)-1].Time)
		}
		still := m.now.Sub(moved)
		switch {
		case status.Status == event.Down && m.open(name) && in.State == state.Open && in.Held == "" && still > 60*time.Second:
			m.violated("%s is DOWN, and its incident %s neither moves nor says why", name, in.ID)
		case status.Status == event.Down && !m.open(name) && still > 10*time.Second:
			m.violated("%s is DOWN without an incident", name)
		case m.good(name) && m.open(name) && still > 90*time.Second && !m.updateIsBad(name) && !m.isAsked(in):
			m.violated("%s has been good for %s, and its incident %s is %s", name, still, in.ID, in.State)
		}
	}
}

// updateIsBad says that an incident may go on while its service answers: its
// image is held to be bad.
func (m *sim) updateIsBad(name string) bool {
	u := m.status(name).Update
	return u != nil && u.Verdict == event.UpdateBad
}

// isAsked says that an incident was opened for a proposal, and that the time for
// its approval is not over, or that of a wish which holds it.
func (m *sim) isAsked(in *state.Incident) bool {
	return openedFor(in) && slices.Contains([]string{state.HeldForApproval, "maintenance", "silence"}, in.Held) && in.HeldUntil != nil && m.now.Before(in.HeldUntil.Add(90*time.Second))
}

// audit checks the whole log at the end of a history.
func (m *sim) audit() {
	fold := state.NewIncidents()
	kept := map[string][]byte{}
	perMinute := map[string]int{}
	for _, w := range m.incidents {
		e := w.event
		in, counted := fold.Apply(e)
		if e.Type == event.TypeClaim || !fold.Owns(e.Origin) {
			continue
		}
		id := key(e.ID, e.Seq)
		if counted {
			kept[id] = w.value
			minute := fmt.Sprintf("%s %d", e.Service, e.Time.Unix()/60)
			if perMinute[minute]++; perMinute[minute] > 60 {
				m.violated("more than 60 records a minute on %s", e.Service)
			}
			if diagnosed, is := e.Data.(event.Diagnosed); is {
				m.legal(e, diagnosed)
			}
			if started, is := e.Data.(event.ActionStarted); is {
				m.allowed(in, started)
				m.proposalApproved(in, e, started)
			}
			if resolved, is := e.Data.(event.Resolved); is && resolved.How == event.HowHealed {
				m.verifiedHealthy(in)
			}
			continue
		}
		before, known := kept[id]
		switch {
		case !known:
			m.violated("a gap before %s", id)
		case !bytes.Equal(before, w.value) && before != nil:
			m.violated("a fork at %s: %s and %s", id, before, w.value)
		}
	}
}

// legal checks that what stands was legal, by either view, and that who is
// named had said so.
func (m *sim) legal(e event.Incident, d event.Diagnosed) {
	byModel := strings.HasPrefix(e.By, event.ByModel)
	_, byProgram := event.ProposerName(e.By)
	switch {
	case byProgram != (d.Proposed != nil) || byProgram && (d.Proposed.Action != d.Action || slices.Contains([]string{service.ActionNone, service.ActionEscalate}, d.Action)):
		m.violated("%s/%d is by %s and stands for %s; proposed was %+v", e.ID, e.Seq, e.By, d.Action, d.Proposed)
	case !slices.Contains(names(d.Legal), d.Action):
		m.violated("%s/%d stands for %s, which is not legal", e.ID, e.Seq, d.Action)
	case byModel && (d.Model == nil || d.Model.Action != d.Action):
		m.violated("%s/%d is by %s, which had not chosen %s", e.ID, e.Seq, e.By, d.Action)
	case !byModel && !byProgram && d.Runbook.Action != d.Action:
		m.violated("%s/%d is by %s, and the runbook had not chosen %s", e.ID, e.Seq, e.By, d.Action)
	case d.Action == service.ActionNone && d.Runbook.Action != service.ActionNone:
		m.violated("%s/%d leaves undone what the runbook would do", e.ID, e.Seq)
	}
}

// allowed checks that the decider of an action was permitted to begin it.
func (m *sim) allowed(in *state.Incident, started event.ActionStarted) {
	opened, _ := in.Events[0].Data.(event.Opened)
	if started.Undoes > 0 {
		m.undoes(in, opened, started)
		return
	}
	m.approved(in, opened, started)
	m.notDenied(in, started)
	m.notInVain(in, started)
}

// verifiedHealthy checks that the health log shows the verification of a healed incident.
func (m *sim) verifiedHealthy(in *state.Incident) {
	started, _ := in.Last(event.TypeActionStarted)
	finished, _ := in.Last(event.TypeActionFinished)
	needed := started.Data.(event.ActionStarted).Verify
	good, best := 0, 0
	for _, r := range m.health {
		h := r.in
		if r.copy || h.Log.Service != in.Service || h.Log.Check != m.box(in.Service).check() || h.Log.Extra || !h.Log.Time().After(finished.Time) || h.Log.Time().After(*in.Resolved) {
			continue
		}
		if h.Log.Status == event.Down {
			good = 0
			continue
		}
		good++
		best = max(best, good)
	}
	first := slices.IndexFunc(m.health, func(r onWire[ReadHealth]) bool { return !r.copy })
	if best < needed && m.health[first].at.Before(finished.Time) {
		m.violated("%s is resolved with %d of %d good checks", in.ID, best, needed)
	}
}

// check is the check that stands for our own.
func (b *box) check() string {
	switch {
	case b.def.HasOwnCheck():
		return "http"
	case b.checked:
		return event.CheckHealth
	}
	return event.CheckContainer
}

func (m *sim) history() string { return strings.Join(m.trace, "\n") }

// notInVain checks that a container is not restarted by itself while a restart of
// it against the same fault of its process, verified or not, is that recent, unless
// a person acknowledged that before this restart, or one since: the rule forgets what
// came before.
func (m *sim) notInVain(in *state.Incident, started event.ActionStarted) {
	soon := m.cfg.Budget.Recurrence.Soon
	if started.Action != service.ActionRestart && started.Action != service.ActionKillStart || requestedByOperator(in) || in.Acknowledged != nil || !runbook.IsOfProcess(in.CauseID) {
		return
	}
	all, now := m.folded.Of(in.Service, in.Host), in.Events[len(in.Events)-1].Time
	forgiven := func(before *state.Incident) bool {
		return slices.ContainsFunc(all, func(o *state.Incident) bool {
			return o.Acknowledged != nil && o.Acknowledged.At.Before(now) && o.CauseID == in.CauseID && !o.Opened.Before(before.Opened) && !o.Opened.After(in.Opened)
		})
	}
	for _, before := range all {
		if before.ID == in.ID || forgiven(before) || before.CauseID != in.CauseID || before.Resolved == nil || before.Opened.After(in.Opened) {
			continue
		}
		for _, a := range budget.Attempts(before.Events) {
			since := in.FirstBad.Sub(*before.Resolved)
			ended := a.Outcome == event.OutcomeVerified || a.Outcome == event.OutcomeFailed
			if ended && a.Intent.Action == started.Action && a.Cause == in.CauseID && a.Intent.Pins.ContainerID == started.Pins.ContainerID && since < soon {
				m.violated("%s gets %s for %s, %s after %s, whose own was %s", in.ID, started.Action, in.CauseID, since, before.ID, a.Outcome)
			}
		}
	}
}
