package healer

import (
	"errors"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/gate"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

// A call that consists of several, and was cut off between two of them by the end
// of the process: what it left is completed, or undone, and never begun again.

// halfRaised is what a container's memory limit was before an attempt of the
// incident raised it that was interrupted then; 0: none was.
func halfRaised(attempts []budget.Attempt, c container.State) int64 {
	if len(attempts) == 0 {
		return 0
	}
	last := attempts[len(attempts)-1]
	if before, is := action.HalfRaised(last.Intent, c); is && last.Outcome == event.OutcomeNotExecuted {
		return before
	}
	return 0
}

// interrupted is what a call left that was cut off without its effect.
func interrupted(intent event.ActionStarted, c container.State) string {
	if _, half := action.HalfRaised(intent, c); half {
		return "the call was interrupted after it raised the limit and before it started the container"
	}
	return "the call was interrupted and left no effect"
}

// unknownOf is what is known of a call that was interrupted, and shows no effect.
func unknownOf(result Executed) string {
	if result.Done.KeptID != "" {
		return "it was interrupted after the old container was renamed, and before the new one was created"
	}
	return "it was interrupted, and nothing shows whether it took effect"
}

// replacement is an attempt to put another container in the place of the service's.
type replacement struct {
	begun    event.ActionStarted
	finished event.ActionFinished
}

// halfReplaced is the replacement of an incident that ended after the old container was
// taken out of its place and before the new one was created, until it was tried
// to put the old one back, or a person was called.
func halfReplaced(in *state.Incident) (of replacement, is bool) {
	var begun event.ActionStarted
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.ActionStarted:
			begun = data
		case event.ActionFinished:
			switch {
			case data.Outcome == event.OutcomeUnknown && data.KeptID != "" && begun.Undo != nil:
				of, is = replacement{begun, data}, true
			case data.Outcome != event.OutcomeNotExecuted:
				is = false
			}
		case event.Escalated:
			is = false
		}
	}
	return of, is
}

// planPutBack puts the old container of a replacement back that was cut off, once,
// as its undo: where nothing has its place. Anything else is for a person.
func planPutBack(v View) (Decision, bool) {
	of, is := halfReplaced(v.Incident)
	last, _ := v.Incident.Last(event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified)
	if !is || last.Type != event.TypeActionFinished {
		return Decision{}, false
	}
	if d, due := planInspection(v); due {
		return d, true
	}
	switch l := v.Inspection; {
	case errors.Is(l.err, container.ErrUnavailable):
		return wait(), true
	case l.err == nil && l.state.ID == of.finished.KeptID: // a user has put it back
		return planRepair(v), true
	case !v.Target.Missing, v.Situation.NotExecuted >= mostUndone:
		return write(event.ByGuard, event.Escalated{Reason: unknownEffect(of.finished)}), true
	}
	verdict := gate.Check(gate.Repair, byOperator(v, of.begun.Action))
	switch {
	case verdict.Escalate != "":
		return write(event.ByGuard, event.Escalated{Reason: unknownEffect(of.finished)}), true
	case !verdict.Passes():
		return heldIfOpen(v, verdict), true
	}
	return write(event.ByGuard, putBackIntent(v, of)), true
}

// putBackIntent is the intent that puts the old container back.
func putBackIntent(v View, of replacement) event.ActionStarted {
	a, _ := action.ByName(of.begun.Action)
	params := *of.begun.Undo
	params.ContainerID = of.finished.KeptID
	return event.ActionStarted{Attempt: v.Incident.Attempts + 1, Action: of.begun.Action, Target: v.Def.Name,
		Command: a.Undo.CommandLine(v.CLI, v.Target, params), Pins: event.Pins{LastEvent: v.History.Newest()},
		Expires: v.Now.Add(a.Undo.Timeout(0)).UTC(), Params: &params, Undoes: of.begun.Attempt,
		FirstBad: v.Status.FirstBad.UTC()}
}

// putBackBy is the container that an intent puts back into the empty place; empty:
// it is no such intent.
func putBackBy(intent event.ActionStarted) string {
	if !action.PutsBack(intent) {
		return ""
	}
	return intent.Params.ContainerID
}

// planAfterPutBack goes on with the incident once the old container is in its
// place again, and calls a person where it could not be put back.
func planAfterPutBack(v View, ok bool, why string) (Decision, bool) {
	begun, _ := v.Incident.Last(event.TypeActionStarted)
	intent, _ := begun.Data.(event.ActionStarted)
	switch {
	case !action.PutsBack(intent):
		return Decision{}, false
	case ok:
		return planRepair(v), true
	}
	return write(event.ByGuard, event.Escalated{Reason: notPutBack(intent, why)}), true
}
