package healer

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// diagnose is what facts mean here and now: without what policy forbids, and
// what was tried for the same cause and failed; an operator's choice first.
func diagnose(v View, f runbook.Facts) runbook.Diagnosis {
	dx := runbook.Diagnose(f)
	if more := refusals(v, dx); len(more) > 0 {
		f.Refused = slices.Concat(f.Refused, more)
		dx = runbook.Diagnose(f)
	}
	if f.Worse == "" {
		dx = offerRun(v, dx, f.Refused)
	} // else it answers, and nothing shows that the command would help
	if v.Forced == "" {
		return dx
	}
	dx.Wait = ""
	if whyNot(v.Forced, v.Target) == "" {
		dx.Action, dx.Confidence, dx.Why = v.Forced, 1, "an operator asked for it"
		if v.Proposed {
			opened, _ := v.Incident.Last(event.TypeOpened)
			dx.Why = proposedBy(opened)
		}
		if !slices.ContainsFunc(dx.Legal, func(c event.Choice) bool { return c.Action == v.Forced }) {
			dx.Legal = append(slices.Clone(dx.Legal), event.Choice{Letter: string(rune('A' + len(dx.Legal))), Action: v.Forced, Why: dx.Why})
		}
	}
	return dx
}

// whyNot says why an action cannot be done to a target, as a clause, or nothing.
func whyNot(name string, t action.Target) string {
	a, known := action.ByName(name)
	if !known {
		return "this version has no such action"
	}
	_, _, why := a.Prepare(t)
	return why
}

// offerRun offers the operator's own command where nothing else repairs the
// cause: the first choice then. A check that has never succeeded shows no fault
// of the service, and what a log line shows makes nothing legal.
func offerRun(v View, dx runbook.Diagnosis, refused []event.Refusal) runbook.Diagnosis {
	isRun := func(c event.Choice) bool { return c.Action == service.ActionRun }
	if len(v.Def.Heal.Commands) == 0 || dx.ByLog || dx.Wait != "" || dx.Action != service.ActionEscalate || dx.CauseID == "check_never_up" || slices.ContainsFunc(dx.Legal, isRun) {
		return dx
	}
	if i := slices.IndexFunc(refused, func(r event.Refusal) bool { return r.Action == service.ActionRun }); i >= 0 {
		dx.NotOffered = append(slices.Clone(dx.NotOffered), refused[i])
		return dx
	}
	legal := []event.Choice{{Action: service.ActionRun, Why: "the operator configured a command for this service"}}
	for _, c := range dx.Legal {
		legal = append(legal, event.Choice{Action: c.Action, Why: c.Why})
	}
	for i := range legal {
		legal[i].Letter = string(rune('A' + i))
	}
	dx.Legal, dx.Action = legal, service.ActionRun
	return dx
}

// containerFacts are those of a container that was inspected.
func containerFacts(v View) runbook.Facts {
	c := v.Inspection.state
	f := runbook.Facts{Container: c.Name, State: string(c.Status), ExitCode: c.ExitCode, Error: c.Error, Policy: c.RestartPolicy, Unchecked: isUnchecked(v.Def, c),
		Restarts: c.RestartCount, StartedAt: c.StartedAt, Image: c.Image}
	f.Parent, f.ParentStarted = v.Parent, v.ParentStarted
	if v.Status.Looping() {
		f.State = string(container.Restarting) // whatever moment the inspection met
	}
	if v.Situation.Ended {
		f.End, f.Events = v.Situation.Ending.End, v.Situation.Ending.Order
	}
	return withEvidence(v, answers(v, f))
}

// isUnchecked says whether no check shows that a container which ended by itself should
// keep running. Reports show it where one is due each interval and the container ran for
// longer than that: a job that reports when it is done ends sooner, and a job with a
// schedule runs only at its times.
func isUnchecked(def service.Definition, c container.State) bool {
	reportsOn := def.Pushes() && def.Push.Schedule == "" && c.FinishedAt.Sub(c.StartedAt) > def.Interval
	return !def.HasOwnCheck() && c.Health == "" && !reportsOn
}

// answers adds what our own check says of the service; where others may be
// believed alone, what they say.
func answers(v View, f runbook.Facts) runbook.Facts {
	s, began := v.Status, v.began()
	f.Needed, f.WasUp = s.OwnNeeded(), s.WasUp()
	f.Scheduled = v.Def.Pushes() && v.Def.Push.Schedule != ""
	own, known := s.OwnLast()
	switch {
	case s.OwnDown() && own.Status == event.Down:
		f.Check, f.Failure, f.Code, f.CheckError = event.Down, own.Failure, own.Code, own.Error
		f.BadChecks = s.OwnBadSince(s.CountsAfter(began))
		if v.Def.Pushes() && own.Failure != event.FailureSilence {
			f.Failure, f.Code = event.FailureReported, 0 // by itself: its words decide nothing
		}
	case s.OwnDown():
		f.Check = event.Pending // it has just succeeded again
	case !v.Def.Heal.Confirm && s.ForeignDown():
		f.Check, f.Failure, f.Code, f.WasUp = event.Down, event.FailureStatus, max(s.Last.Code, 500), true
		if s.Decided.Since.After(began) {
			f.BadChecks = f.Needed
		}
	case known && own.Status != event.Down && s.Good():
		f.Check = event.Up
	}
	return f
}

// refusals are the actions that policy forbids, those beyond tier 0 that were
// tried for this cause and failed, and those that cannot be done to the target.
func refusals(v View, dx runbook.Diagnosis) []event.Refusal {
	var list []event.Refusal
	for _, name := range v.Def.Heal.Never {
		list = append(list, event.Refusal{Action: name, Why: "heal.never in config.yaml forbids it"})
	}
	list = slices.Concat(list, denials(v.Incident), v.Undone)
	for _, a := range v.Attempts {
		again := a.Outcome == event.OutcomeFailed && (runbook.Alike(a.Cause, dx.CauseID) || a.Cause == dx.Cause) && !action.Lossless(a.Intent.Action)
		changes := a.Outcome == event.OutcomeRefused && changesContainer(a.Intent.Action)
		if (again || changes || a.Outcome == event.OutcomeUnknown) && a.Intent.Undoes == 0 {
			list = append(list, event.Refusal{Action: a.Intent.Action, Why: fmt.Sprintf("attempt %d failed: %s", a.Number, a.Error)})
		}
	}
	for _, a := range action.All {
		if why := whyNot(a.Name, v.Target); why != "" {
			list = append(list, event.Refusal{Action: a.Name, Why: why})
		}
	}
	return list
}

// changesContainer says whether an action is of tier 2: where the engine refused
// it once it would refuse it again, and stop the container each time.
func changesContainer(name string) bool {
	a, known := action.ByName(name)
	return known && a.Tier >= 2
}

// failedAttempt is the newest attempt that failed and is not offered for
// that again, where there is one.
func failedAttempt(v View, dx runbook.Diagnosis) (event.Refusal, bool) {
	for _, refused := range dx.NotOffered {
		failed := slices.ContainsFunc(v.Attempts, func(a budget.Attempt) bool {
			return a.Intent.Action == refused.Action && a.Outcome == event.OutcomeFailed
		})
		if failed && slices.Contains(refusals(v, dx), refused) {
			return refused, true
		}
	}
	return event.Refusal{}, false
}

// intentionalHold says that an operator's decision holds the incident, and was
// about the state that the container is in still: the engine's events that
// showed it are kept for a while only, and not longer in a new life. The engine's
// clock may be ahead of ours: its time is compared with its own, where that is known.
func intentionalHold(v View) bool {
	c := v.Inspection.state
	if v.Incident == nil || c.Status != container.Exited && c.Status != container.Dead && c.Status != container.Paused {
		return false
	}
	held, is := v.Incident.Last(event.TypeSuppressed, event.TypeActionStarted)
	since := later(c.StartedAt, c.FinishedAt)
	hold, _ := held.Data.(event.Suppressed)
	same := hold.StateSince != nil && hold.StateSince.Equal(since)
	return is && v.Incident.Held == "operator" && v.Incident.HeldUntil == nil && v.Def.Heal.ManualStop != service.StopAlways &&
		(same || since.Before(held.Time))
}

func sourceName(source event.Source) string {
	if source.Instance == "" {
		return "a source that names no instance"
	}
	return strconv.Quote(source.Instance)
}

// verifyNeeded is how many good scheduled checks in a row, or records of what
// stands for our own check, verify a repair:
// max(successes, ⌈for / interval⌉).
func verifyNeeded(c Config, def service.Definition) int {
	checks := int((c.Verify.For + def.Interval - 1) / def.Interval)
	return max(c.Verify.Successes, checks, 1)
}

// verifyTimeout is how long a verification may take, unless its checks are late.
func verifyTimeout(c Config, def service.Definition) time.Duration {
	return def.StartPeriod + def.Push.Grace + max(2*c.Verify.For, time.Duration(verifyNeeded(c, def)+2)*def.Interval)
}
