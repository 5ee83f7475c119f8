package healer

import (
	"slices"
	"time"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/gate"
	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/state"
)

// recurrenceOf counts how often a service was healed of a cause lately, by repairs
// that lose something and that no operator asked for. What was injected does not
// count, nor what came before a person acknowledged it.
func recurrenceOf(c *Controller, s *serviceState, cause string, now time.Time) gate.Recurrence {
	limit := c.config.Budget.Recurrence
	out := gate.Recurrence{Cause: cause, Times: 1, Most: limit.Times, Within: limit.Within}
	if cause == "" || s.incident == nil {
		return out
	}
	all := c.incidents.Of(s.def.Name, c.host)
	if n := len(all); n == 0 || all[n-1].ID != s.incident.ID { // its opening was not read back yet
		all = append(slices.Clip(all), s.incident)
	}
	if runbook.IsOfProcess(cause) {
		out.Return = returnOf(all, later(s.incident.FirstBad, s.status.FirstBad), cause, s.inspection.state.ID, limit.Soon, s.injected)
	}
	if limit.Times == 0 {
		return out
	}
	for _, in := range all {
		if in.CauseID != cause || now.Sub(in.Opened) >= limit.Within {
			continue
		}
		if calledFor(in, gate.CodeRecurrence) {
			out.Called = in.ID
			out.Times = max(out.Times, limit.Times)
		}
		if in.Acknowledged != nil {
			out.Called, out.Times = "", 1
			continue
		}
		if in != s.incident && healedAtACost(in) && !s.injected(in.FirstBad) {
			out.Times++
		}
	}
	if out.Called == s.incident.ID {
		out.Called = "" // it is this one that a person was called for
	}
	return out
}

// healedAtACost says whether a repair beyond those that lose nothing healed it.
func healedAtACost(in *state.Incident) bool {
	opened, known := in.Last(event.TypeOpened)
	begun, acted := in.Last(event.TypeActionStarted)
	return known && acted && in.How == event.HowHealed && !isByHand(opened.By) &&
		!action.Lossless(begun.Data.(event.ActionStarted).Action)
}

// returnOf is the restart that did not last: one of the same container against the
// same cause, before the failure that began at firstBad. Since then the
// service was never without that failure for as long as soon: each incident of the
// cause began less than soon after the one before had ended. A failure that was
// injected came back on purpose, and what a person acknowledged is forgotten. all
// are the service's incidents, oldest first, with the present one.
func returnOf(all []*state.Incident, firstBad time.Time, cause, container string, soon time.Duration, injected func(time.Time) bool) gate.Return {
	out, failed := gate.Return{}, firstBad
	if soon == 0 || injected(firstBad) {
		return out
	}
	for i, in := range slices.Backward(all) {
		before := i < len(all)-1
		if before && (in.Resolved == nil || failed.Sub(*in.Resolved) >= soon) {
			break
		}
		repair, repaired := lastRestart(in, cause, container, before)
		if before && (injected(in.FirstBad) || !repaired && !runbook.Alike(in.CauseID, cause)) {
			continue
		}
		if _, called := in.Last(event.TypeEscalated); called && before && in.Acknowledged == nil {
			out.Called = in.ID
		}
		if repaired {
			out.Action, out.Failed, out.After = repair.Intent.Action, repair.VerifiedAt.IsZero(), max(0, firstBad.Sub(later(repair.VerifiedAt, repair.AnsweredAt)))
			return out
		}
		if in.Acknowledged != nil {
			break
		}
		failed = in.FirstBad
	}
	return gate.Return{}
}

// calledFor says whether a person was called for an incident for that reason.
func calledFor(in *state.Incident, code string) bool {
	escalated, is := in.Last(event.TypeEscalated)
	return is && escalated.Data.(event.Escalated).Code == code
}

// lastRestart is the newest attempt of an incident against that cause that
// restarted that container and was verified; or failed, where that is asked for.
// What was begun before a person acknowledged the incident does not count.
func lastRestart(in *state.Incident, cause, container string, orFailed bool) (budget.Attempt, bool) {
	for _, a := range slices.Backward(budget.Attempts(in.Events)) {
		ended := a.Outcome == event.OutcomeVerified || orFailed && a.Outcome == event.OutcomeFailed
		switch {
		case in.Acknowledged != nil && !a.Began.After(in.Acknowledged.At):
			return budget.Attempt{}, false
		case !ended || !action.Restarts(a.Intent.Action):
		case runbook.Alike(a.Cause, cause) && (a.Intent.Pins.ContainerID == container || a.Left == container):
			return a, true
		}
	}
	return budget.Attempt{}, false
}
