package healer

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"logstream/healer/action"
	"logstream/healer/gate"
	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
	"logstream/internal/text"
)

const maxCallError = 1000 // bytes of an engine's error

// planExecution goes from an intent that was confirmed to its result.
func planExecution(v View, intent event.ActionStarted) Decision {
	switch x := v.Execution; {
	case x.running:
		return wait()
	case x.result != nil:
		return finish(intent, *x.result)
	case !x.unknown.IsZero():
		return planUnknownOutcome(v, intent)
	}
	if why := preflight(v, intent); why != "" {
		return finish(intent, Executed{NotExecuted: why})
	}
	return Decision{Kind: DoExecute}
}

// pinned is the target as it was inspected.
func pinned(v View) event.Pins {
	c := v.Target.State
	return event.Pins{ContainerID: c.ID, ImageID: c.ImageID, SpecHash: c.SpecHash, StartedAt: c.StartedAt, State: string(c.Status), LastEvent: v.History.Newest()}
}

// preflight says why the call must not be made any more, or nothing: checked when
// the intent was confirmed, immediately before the call. The runtime's part of
// the pins is checked by the caller of the action.
func preflight(v View, intent event.ActionStarted) string {
	a, known := action.Of(intent)
	untouched := intentOf(intent, "", v.Inspection.state)
	untouched.Pattern, untouched.Unforeseen = nil, false // nothing is its doing yet
	requested := v.Situation.Asked || intent.Undoes > 0
	situation := v.situationFor(intent.Action)
	situation.Asked = requested
	requested = requested || v.Proposed && v.Forced == intent.Action // and approved; the gates hold it like any other
	foreign := !v.Def.Heal.Confirm && v.Status.ForeignDown()
	broken, isBroken := brokenDependency(v)
	wish := gate.Check(gate.Wish, situation)
	switch {
	case !known:
		return "this version has no such action"
	case !v.Now.Before(deadline(v, intent)):
		return "its deadline passed before Kafka confirmed the record of it"
	case v.Removed:
		return "the service was removed"
	case v.Edited.After(v.Execution.wrote): // mode, never and container may be others now
		return "the service's definition was edited"
	case v.Situation.EngineLost && v.Def.Container != "":
		return "Docker is unreachable"
	case v.Situation.Hold != nil && !v.Situation.Asked:
		return "repairs on this host were put on hold"
	case !wish.Passes():
		return cmp.Or(wish.Reason, "most services fail at once")
	case len(v.History.External(untouched)) > 0:
		return "Docker reported a new event of the container"
	case requested:
		return ""
	case isBroken:
		return broken
	case !a.Needed(action.Signs{Level: v.Situation.LevelDown, Own: v.Status.OwnDown(), Foreign: foreign, Update: v.Accused}):
		return "the check that showed the cause no longer reports DOWN"
	}
	return ""
}

// deadline is when the call of an intent of this life must have ended.
func deadline(v View, intent event.ActionStarted) time.Time {
	a, _ := action.Of(intent)
	if a.Timeout == nil {
		return v.Execution.wrote
	}
	return v.Execution.wrote.Add(a.Timeout(v.Inspection.state.StopTimeout))
}

// finish is the result of an action.
func finish(intent event.ActionStarted, result Executed) Decision {
	data := event.ActionFinished{Attempt: intent.Attempt, Action: intent.Action, Target: intent.Target, Command: intent.Command,
		DurationMS: float64(result.Took.Microseconds()) / 1000}
	switch {
	case result.Unseen:
		data.Outcome, data.Error, data.KeptID = event.OutcomeUnknown, unknownOf(result), result.Done.KeptID
	case result.NotExecuted != "":
		data.Outcome, data.Error = event.OutcomeNotExecuted, event.NotCarriedOut+result.NotExecuted
	case result.Err != nil:
		data.Outcome, data.Error = event.OutcomeRefused, text.Clip(result.Err.Error(), maxCallError)
	default:
		data.OK, data.Outcome, data.StartedAt = true, event.OutcomeOK, result.After.StartedAt
		if left := result.Done.ContainerID; left != intent.Pins.ContainerID {
			data.ContainerID, data.KeptID = left, result.Done.KeptID
		}
	}
	data.Output = text.Clip(result.Done.Output, event.MaxOutput)
	return write(event.ByLogstream, data)
}

// planUnknownOutcome inspects the container until it shows what became of a
// call, or the call can no longer come: then it was not made.
func planUnknownOutcome(v View, intent event.ActionStarted) Decision {
	a, known := action.Of(intent)
	if known && a.EffectSeen == nil {
		return finish(intent, Executed{Unseen: true})
	}
	since, l := v.Execution.unknown, v.Inspection
	switch l.dueSince(since, v.Now) {
	case underway:
		return wait()
	case overdue:
		return Decision{Kind: DoInspect}
	}
	if l.err == nil && known && a.EffectSeen(intent, l.state) {
		return finish(intent, Executed{After: l.state, Done: seen(a, intent, l.state)})
	}
	limit := 10 * time.Second
	if known {
		limit = a.Timeout(max(l.state.StopTimeout, 10*time.Second))
	}
	unavailable := errors.Is(l.err, container.ErrUnavailable)
	halfway := known && a.Replaces && intent.Pins.ContainerID != "" && errors.Is(l.err, container.ErrNotFound)
	switch over := v.Now.Sub(since) > limit && l.at.Sub(since) > limit && !unavailable; {
	case over && halfway: // the old container is out of its place, and no new one is in it
		return finish(intent, Executed{Unseen: true, Done: action.Done{KeptID: intent.Pins.ContainerID}})
	case over:
		return finish(intent, Executed{NotExecuted: interrupted(intent, l.state)})
	}
	return wait()
}

// seen is what a call left that was interrupted, by what was inspected after it.
func seen(a action.Action, intent event.ActionStarted, c container.State) action.Done {
	if !a.Replaces {
		return action.Done{}
	}
	return action.Done{ContainerID: c.ID, KeptID: intent.Pins.ContainerID}
}

// left is the container in which the newest attempt left its service, where it
// was executed.
func left(v View) string {
	finished, _ := v.Incident.Last(event.TypeActionFinished)
	done, _ := finished.Data.(event.ActionFinished)
	return done.ContainerID
}

// planVerification verifies a repair on the same stream that showed the
// failure: enough good scheduled checks of our own in a row that began after
// the result was confirmed, with the container up throughout.
func planVerification(v View, finished event.ActionFinished) Decision {
	if v.Situation.EngineLost && v.Def.Container != "" {
		return wait()
	}
	begun, _ := v.Incident.Last(event.TypeActionStarted)
	intent := begun.Data.(event.ActionStarted)
	if intent.Undoes > 0 {
		return planUndone(v, intent)
	}
	if v.Verification.takeover && v.Def.Container != "" {
		return planTakeover(v, intent)
	}
	if d, is := interference(v, intent); is {
		return d
	}
	p := v.Verification
	broken, isBroken := brokenDependency(v)
	seen := v.Status.Level() == event.Up || v.Def.Container == ""
	switch {
	case v.Situation.LevelDown && !startedSinceLevel(v) && v.Now.Sub(p.downFrom) > patience:
		return refuted(v, event.OutcomeFailed, "its container is down again")
	case v.Situation.LevelDown && (!startedSinceLevel(v) || v.Now.Before(p.deadline)):
		return wait() // the events that show why come at most a moment later
	case p.run.n >= intent.Verify && v.Status.Good() && seen:
		return write(event.ByLogstream, event.Verified{OK: true, Outcome: event.OutcomeVerified, Observations: p.run.n, Since: p.run.first})
	case isBroken:
		return refuted(v, event.OutcomeInterrupted, broken)
	case over(v):
		return refuted(v, event.OutcomeFailed, unverified(v, intent))
	}
	if unseen := gate.Unseen(v.Situation); !unseen.Passes() && !v.Status.Good() {
		return held(v, unseen)
	}
	return wait()
}

// over says whether the time of the verification has passed.
func over(v View) bool {
	own, known := v.Status.OwnLast()
	return v.Verification.over(own, known, v.Now)
}

// startedSinceLevel says whether the container's level is still that of before the
// repair, while the events show that it was started, or unpaused: the level of that
// start is still to be read. Health logs lag where their topic is flooded, and the
// events do not. The level has our time, as the result does, and not the engine's.
func startedSinceLevel(v View) bool {
	done, _ := v.Incident.Last(event.TypeActionFinished)
	newest, found := v.History.Last(func(_ int, e history.Event) bool { return e.ID == v.Situation.Container.ID },
		"start", "unpause", "die", "stop", "pause")
	return found && (newest.Action == "start" || newest.Action == "unpause") && v.Status.LevelAt().Before(done.Time)
}

// goesOn says whether something happened in the incident after its newest event
// that verified a repair, beside that it waits for the service to settle.
func goesOn(v View) bool {
	newest := newestButAcknowledged(v.Incident)
	suppressed, is := newest.Data.(event.Suppressed)
	return newest.Type != event.TypeVerified && !(is && suppressed.Gate == gate.Flapping().Gate)
}

// newestButAcknowledged is an incident's newest event that says something of it.
func newestButAcknowledged(in *state.Incident) event.Incident {
	i := len(in.Events) - 1
	for i > 0 && in.Events[i].Type == event.TypeAcknowledged {
		i--
	}
	return in.Events[i]
}

// planHealed ends the incident of a repair that was verified. While the service
// flaps it stays open, and what fails again meanwhile is the same incident.
func planHealed(v View, verified event.Verified) Decision {
	unsettled := v.Status.Flapping() || v.Incident.Held == gate.Flapping().Gate
	switch {
	case unsettled && !v.Status.Good():
		return planRepair(v)
	case v.Status.Flapping():
		return heldIfOpen(v, gate.Flapping())
	}
	return resolve(v, event.HowHealed, verified.Since)
}

// unverified is what was missing when the time of a verification was over.
func unverified(v View, intent event.ActionStarted) string {
	within := verifyTimeout(v.Config, v.Def)
	if p := v.Verification; p.late.After(p.deadline) {
		within = v.Now.Sub(p.since).Round(time.Second)
	}
	switch n := v.Verification.run.n; {
	case n < intent.Verify:
		return fmt.Sprintf("%d of %d good checks in %s", n, intent.Verify, within)
	case !v.Status.Good():
		return fmt.Sprintf("another source reports it DOWN, also after %s", within)
	}
	return fmt.Sprintf("Docker did not report its container as running within %s", within)
}

func refuted(v View, outcome event.Outcome, why string) Decision {
	if outcome == event.OutcomeInterrupted {
		why = event.Interrupted + why
	}
	return write(event.ByLogstream, event.Verified{Outcome: outcome, Observations: v.Verification.run.n, Since: v.Verification.since, Error: why})
}

// interference reads from the engine's events what came after the action: an
// external change interrupts the attempt, an end by itself refutes it. It waits
// for an event that decides.
func interference(v View, intent event.ActionStarted) (Decision, bool) {
	h, successor := v.History, left(v)
	in := intentOf(intent, successor, v.Inspection.state)
	if answered, is := v.Incident.Last(event.TypeActionFinished); is && in.Unforeseen {
		in.Until = answered.Time.Add(refusedReach)
	}
	for _, i := range h.External(in) {
		e := h[i]
		switch {
		case h.IsEcho(i), e.Action == "create", e.Action == "oom":
			continue
		case e.MayBecomeEcho(v.Now):
			return wait(), true
		case e.Action == "die":
			code := 0
			if e.ExitCode != nil {
				code = *e.ExitCode
			}
			return refuted(v, event.OutcomeFailed, fmt.Sprintf("it exited again by itself (exit code %d)", code)), true
		}
		return refuted(v, event.OutcomeInterrupted, "an external change of the container during the verification: "+e.Action), true
	}
	known := h.Until(intent.Pins.LastEvent)
	if other, replaced := h.Last(func(i int, e history.Event) bool {
		return e.ID != intent.Pins.ContainerID && e.ID != successor && i >= known && !in.Unforeseen
	}, "start", "rename"); replaced {
		return refuted(v, event.OutcomeInterrupted, "another container has its name now: "+other.Action), true
	}
	return Decision{}, false
}

// planTakeover, in a new life of the process, waits until the container is seen
// as the action left it. If it is not, the attempt has ended: interrupted, unless
// the engine's events show an end by itself.
func planTakeover(v View, intent event.ActionStarted) Decision {
	switch v.Inspection.due(v.Now) {
	case underway:
		return wait()
	case overdue:
		return Decision{Kind: DoInspect}
	}
	if v.Inspection.at.Before(v.Verification.since) {
		return Decision{Kind: DoInspect}
	}
	if errors.Is(v.Inspection.err, container.ErrUnavailable) {
		return wait()
	}
	if d, is := interference(v, intent); is {
		return d
	}
	if v.Now.Sub(v.Verification.since) > patience {
		return refuted(v, event.OutcomeInterrupted, "its state changed after the repair")
	}
	return wait()
}
