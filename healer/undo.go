package healer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/gate"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

// Undo: an operator has what an attempt did undone, while the container is still
// as the attempt left it. It is an attempt of its own, begun by the operator:
// with pins, deadline and attribution like each other, and verified by its
// effect alone, for whether the service is healthy is not what was asked for.

// undoneFor is how long an action is not taken again by itself that an operator
// has undone.
const undoneFor = 24 * time.Hour

// undo begins the undo of an attempt: in its incident while that is open, else
// in one that is opened for it. Another open one ends for it.
func undo(c *Controller, asked event.Command, now time.Time) error {
	s, in, err := incidentOf(c, asked)
	if err != nil {
		return err
	}
	of, why := c.incidents.Undoable(in, asked.Args.Attempt)
	if why != "" {
		return notUndoable(why, in, asked.Args.Attempt)
	}
	v := newView(c, s, now)
	if _, is := action.UndoParams(of.Started, of.Finished); !is {
		return notUndoable(event.RefusedNothing, in, of.Started.Attempt)
	}
	if s.byHand != nil || s.open() && v.acts() {
		return refuse(event.RefusedBusy, "undo: a repair is under way; try again when it has ended")
	}
	l := s.inspection
	known := l.isCurrent() && (l.err == nil || v.Target.Missing)
	if gone := overtaken(of, l.state, v.Target.Missing); known && gone != "" {
		return refuse(event.RefusedOvertaken, "undo: it can no longer be undone: %s", gone)
	}
	if in.State != state.Resolved && s.incident == in {
		if verdict := gate.Check(gate.Repair, byOperator(v, of.Started.Action)); !verdict.Passes() {
			return heldUndo(verdict)
		}
		if l.due(now) != fresh || l.err != nil {
			s.inspection.stale = true
			return refuse(event.RefusedBusy, "undo: the container is being inspected; try again in a moment")
		}
		return appendFor(c, s, asked, undoIntent(v, of), now)
	}
	asked.Args.Attempt = of.Started.Attempt
	s.byHand = &asked
	if s.open() {
		c.apply(s, v, resolve(v, event.HowOperator, now), now)
		return errDeferred
	}
	c.apply(s, View{}, openByHand(v, asked), now)
	return errDeferred
}

// notUndoable says why nothing of an incident can be undone.
func notUndoable(why event.RefusalCode, in *state.Incident, attempt int) error {
	switch why {
	case event.RefusedUnknown:
		return refuse(why, "undo: incident %s has no attempt %d", in.ID, attempt)
	case event.RefusedDuplicate:
		return refuse(why, "undo: it was undone already, or is being undone")
	}
	return refuse(why, "undo: nothing was done in incident %s that can be undone", in.ID)
}

// heldUndo is a gate's verdict as an answer.
func heldUndo(verdict gate.Verdict) error {
	switch {
	case verdict.Wait:
		return refuse(event.RefusedBusy, "undo: another repair runs on this host; try again in a moment")
	case verdict.Escalate != "":
		return refuse(event.RefusedBusy, "undo: %s", verdict.Escalate)
	}
	return refuse(event.RefusedBusy, "undo: held by gate %q: %s", verdict.Gate, verdict.Reason)
}

// byOperator is the situation of what an operator asked for by name.
func byOperator(v View, chosen string) gate.Situation {
	s := v.situationFor(chosen)
	s.Asked = true
	s.Counted, s.NotExecuted = 0, 0 // an undo is no attempt to repair
	return s
}

// overtaken says why what an attempt did can no longer be undone, or nothing:
// the container is another one, or shows its effect no longer.
func overtaken(of state.Undoable, c container.State, missing bool) string {
	a, known := action.ByName(of.Started.Action)
	switch {
	case missing:
		return "the container is gone"
	case !known || a.EffectSeen == nil:
		return "this version does not know the action"
	case c.ID != action.Left(of.Started, of.Finished):
		return "another container is in its place now"
	case !a.EffectSeen(of.Started, c):
		return "the container was changed after the repair"
	}
	return ""
}

// undoTarget is the attempt that an incident was opened to undo, and whether it
// was opened for that.
func undoTarget(in *state.Incident) (incident string, attempt int, is bool) {
	opened, known := in.Last(event.TypeOpened)
	if !known {
		return "", 0, false
	}
	data := opened.Data.(event.Opened)
	return data.UndoesIncident, data.Undoes, data.UndoesIncident != ""
}

// noteUndo is what the incident of a view was opened to undo; nil where it is
// no such incident, and where nothing can be undone any more.
func noteUndo(c *Controller, in *state.Incident) *state.Undoable {
	if in == nil || in.State == state.Resolved {
		return nil
	}
	id, attempt, is := undoTarget(in)
	before := c.incidents.Get(id)
	if !is || before == nil {
		return nil
	}
	if of, why := c.incidents.Undoable(before, attempt); why == "" {
		return &of
	}
	return nil
}

// openedToUndo is the beginning of an incident that an operator's undo opens.
func openedToUndo(opened event.Opened, c event.Command) event.Opened {
	opened.Error = fmt.Sprintf("an operator asked to undo attempt %d of incident %s", c.Args.Attempt, c.Args.Incident)
	opened.UndoesIncident, opened.Undoes = c.Args.Incident, c.Args.Attempt
	return opened
}

// planUndoing plans an undo before its intent and after its end, and says whether
// that is what is to be planned: between them it is an attempt like each other.
func planUndoing(v View) (Decision, bool) {
	last, acted := v.Incident.Last(event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified)
	if !acted {
		_, _, is := undoTarget(v.Incident)
		if _, over := v.Incident.Last(event.TypeEscalated); !is || over {
			return Decision{}, false
		}
		return planUndo(v), true
	}
	begun, is := v.Incident.Last(event.TypeActionStarted)
	if !is || begun.Data.(event.ActionStarted).Undoes == 0 || newestButAcknowledged(v.Incident).Seq != last.Seq {
		return Decision{}, false
	}
	switch data := last.Data.(type) {
	case event.ActionFinished:
		_, _, opened := undoTarget(v.Incident)
		switch {
		case opened && data.Outcome == event.OutcomeNotExecuted && v.Situation.NotExecuted < mostUndone:
			return planUndo(v), true // the call was not made, and is wanted still
		case !data.OK:
			return planAfterUndo(v, false, data.Error), true
		}
	case event.Verified:
		return planAfterUndo(v, data.OK, data.Error), true
	}
	return Decision{}, false
}

// mostUndone is how many intents of one undo may be closed without a call.
const mostUndone = 5

// planUndo goes from an incident that was opened to undo something to the intent.
func planUndo(v View) Decision {
	if d, due := planInspection(v); due {
		return d
	}
	if v.Undo == nil {
		return write(event.ByGuard, event.Escalated{Reason: "It cannot be undone: it was undone already, or its record is no longer kept."})
	}
	if v.Inspection.err != nil && !v.Target.Missing {
		return write(event.ByGuard, event.Escalated{Reason: fmt.Sprintf("It was not undone: its container cannot be inspected: %v.", v.Inspection.err)})
	}
	if gone := overtaken(*v.Undo, v.Inspection.state, v.Target.Missing); gone != "" {
		return write(event.ByGuard, event.Escalated{Reason: fmt.Sprintf("It can no longer be undone: %s.", gone)})
	}
	verdict := gate.Check(gate.Repair, byOperator(v, v.Undo.Started.Action))
	switch {
	case verdict.Escalate != "":
		return write(event.ByGuard, event.Escalated{Reason: verdict.Escalate})
	case !verdict.Passes():
		return held(v, verdict)
	}
	opened, _ := v.Incident.Last(event.TypeOpened)
	return write(opened.By, undoIntent(v, *v.Undo))
}

// undoIntent is the intent that undoes an attempt.
func undoIntent(v View, of state.Undoable) event.ActionStarted {
	a, _ := action.ByName(of.Started.Action)
	params, _ := action.UndoParams(of.Started, of.Finished)
	return event.ActionStarted{Attempt: v.Incident.Attempts + 1, Action: of.Started.Action, Target: v.Def.Name,
		Command: a.Undo.CommandLine(v.CLI, v.Target, params), Pins: pinned(v), Expires: v.Now.Add(a.Undo.Timeout(v.Target.State.StopTimeout)).UTC(),
		Params: orNone(params), Undoes: of.Started.Attempt, FirstBad: v.Status.FirstBad.UTC()}
}

// undoCommand is how a person undoes an action that is about to be taken:
// empty where nothing undoes it.
func undoCommand(v View, a action.Action, undo *event.Params) string {
	if a.Undo == nil || undo == nil {
		return ""
	}
	if line := a.Undo.CommandLine(v.CLI, v.Target, *undo); line != "" {
		return line
	}
	return "logstream undo " + v.Incident.ID
}

// planUndone verifies an undo by its effect alone.
func planUndone(v View, intent event.ActionStarted) Decision {
	p, l := v.Verification, v.Inspection
	switch l.dueSince(p.since, v.Now) {
	case underway:
		return wait()
	case overdue:
		return Decision{Kind: DoInspect}
	}
	a, known := action.Of(intent)
	if known && l.err == nil && a.EffectSeen(intent, l.state) {
		return write(event.ByLogstream, event.Verified{OK: true, Outcome: event.OutcomeVerified, Since: p.since})
	}
	if v.Now.After(p.deadline) {
		return refuted(v, event.OutcomeFailed, "the container does not show that it was undone")
	}
	return wait()
}

// planAfterUndo is what follows from an undo that is over, in an incident that
// was opened for it or not: ok where the container shows its effect.
func planAfterUndo(v View, ok bool, why string) Decision {
	if d, is := planAfterPutBack(v, ok, why); is {
		return d
	}
	if ok {
		return resolve(v, event.HowOperator, v.Now)
	}
	if _, _, is := undoTarget(v.Incident); is && v.Incident.State == state.Open {
		return write(event.ByGuard, event.Escalated{Reason: fmt.Sprintf("It was not undone: %s.", strings.TrimRight(why, ". "))})
	}
	return planRepair(v)
}

// undone are the actions that operators have undone of late: they are not taken
// again by themselves.
func undone(c *Controller, s *serviceState, now time.Time) []event.Refusal {
	var list []event.Refusal
	for _, in := range slices.Backward(c.incidents.Of(s.def.Name, c.host)) {
		if now.Sub(in.Events[len(in.Events)-1].Time) > undoneFor {
			break
		}
		for _, a := range budget.Attempts(in.Events) {
			if a.Intent.Undoes > 0 && !action.PutsBack(a.Intent) && a.Outcome == event.OutcomeVerified && now.Sub(a.Began) < undoneFor {
				list = append(list, event.Refusal{Action: a.Action, Why: "an operator undid it at " + a.Began.UTC().Format(time.RFC3339)})
			}
		}
	}
	return list
}
