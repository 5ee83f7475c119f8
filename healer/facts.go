package healer

import (
	"errors"
	"fmt"
	"time"

	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// failedBefore begins the reason of an action that was tried and did not hold.
const failedBefore = "it was tried for this and did not hold"

// facts are what is known to decide from, and whether it is enough: if not,
// a look is under way, a gate was written, or something comes in a moment.
func (w *World) facts(s *svc, now time.Time) (runbook.Facts, bool) {
	if s.def.Container == "" {
		return w.answers(s, runbook.Facts{}), true
	}
	if w.engineAway(s, now) || !w.seen(s, now) {
		return runbook.Facts{}, false
	}
	var ambiguous *container.AmbiguousError
	switch err := s.look.err; {
	case err == nil:
	case errors.Is(err, container.ErrNotFound):
		return w.missing(s, now)
	case errors.As(err, &ambiguous):
		w.orEscalate(s, ambiguous.Error(), now)
		return runbook.Facts{}, false
	default:
		w.orSuppress(s, "engine", "the container engine does not answer", nil, now)
		return runbook.Facts{}, false
	}
	c := s.look.state
	f := runbook.Facts{Container: c.Name, State: string(c.Status), ExitCode: c.ExitCode, Error: c.Error, Policy: c.RestartPolicy,
		Restarts: c.RestartCount, StartedAt: c.StartedAt, Image: c.Image}
	if !w.complete(s, now) {
		return f, false
	}
	e, known := w.ending(s, now)
	if !known && w.stands(s) {
		return f, false
	}
	if known {
		f.End, f.Events = e.End, e.Order
	}
	f = w.answers(s, f)
	f.Refused = w.refusals(s, runbook.Diagnose(f).Cause)
	return f, true
}

// orSuppress and orEscalate write nothing about an incident that a person has
// been called for already.
func (w *World) orSuppress(s *svc, gate, reason string, until *time.Time, now time.Time) {
	if s.incident.State == "open" {
		w.suppress(s, gate, reason, until, now)
	}
}

func (w *World) orEscalate(s *svc, reason string, now time.Time) {
	if s.incident.State == "open" {
		w.escalate(s, event.ByGuard, reason, now)
	}
}

func (w *World) engineAway(s *svc, now time.Time) bool {
	switch {
	case !w.streamLost.IsZero():
		w.orSuppress(s, "engine", "the container engine does not answer", nil, now)
		return true
	case !w.streamBack.IsZero() && now.Sub(w.streamBack) < settle:
		w.orSuppress(s, "engine", "the container engine is back and settles", at(w.streamBack.Add(settle)), now)
		return true
	}
	return false
}

// seen says whether the container was looked at since anything happened to
// it, and not long ago. If not, it asks.
func (w *World) seen(s *svc, now time.Time) bool {
	l := &s.look
	if l.open {
		if now.Sub(l.asked) < lookLost {
			return false
		}
		l.open = false
	}
	age := now.Sub(l.at)
	stale := l.at.IsZero() || age > lookAgain
	if !l.dirty && !stale && (l.err == nil || age < lookRetry || errors.Is(l.err, container.ErrNotFound)) {
		return true
	}
	w.ask(s, now)
	return false
}

func (w *World) ask(s *svc, now time.Time) {
	l := &s.look
	l.request++
	l.open, l.asked, l.dirty = true, now, false
	w.emit(Look{Service: s.def.Name, Request: l.request, Ref: s.def.Container})
}

// missing is a container that is gone: it may be about to be made anew.
func (w *World) missing(s *svc, now time.Time) (runbook.Facts, bool) {
	if until := w.deployedUntil(s); now.Before(until) {
		w.orSuppress(s, "deploy", "its container was removed or renamed a moment ago: a deployment may be under way", at(until), now)
		return runbook.Facts{}, false
	}
	return w.answers(s, runbook.Facts{Container: s.name(), Missing: true}), true
}

// deployedUntil is until when a deployment may be under way, by the engine's
// removals and renames of containers of its name, and by what was made, removed
// or renamed in its Compose project.
func (w *World) deployedUntil(s *svc) time.Time {
	var until time.Time
	if e, found := w.history(s).Last(nil, "destroy", "rename"); found {
		until = e.ReadAt.Add(max(deployment, w.cfg.Quiet))
	}
	if changed, known := w.projects[s.look.state.Project]; known {
		until = laterOf(until, changed.Add(deployment))
	}
	return until
}

// complete says whether the engine's events have caught up with what was seen
// of the container. Events that never come are not waited for longer than
// patienceMax.
func (w *World) complete(s *svc, now time.Time) bool {
	c, h := s.look.state, w.history(s)
	complete := true
	switch c.Status {
	case container.Exited, container.Dead:
		e, found := w.ending(s, now)
		complete = found && !e.Waiting
	case container.Paused:
		_, complete = h.Last(func(_ int, e history.Event) bool { return e.ID == c.ID && e.Time.After(c.StartedAt) }, "pause")
	}
	state := laterOf(c.StartedAt, c.FinishedAt)
	if complete || s.work.gaveUp.Equal(state) {
		s.work.missing = time.Time{}
		return true
	}
	if s.work.missing.IsZero() {
		s.work.missing = now
	}
	if now.Sub(s.work.missing) > patienceMax {
		s.work.gaveUp = state
	}
	return s.work.gaveUp.Equal(state)
}

// stands says that an operator's decision holds the incident, and was about the
// state that the container is in still: the engine's events that showed it are
// remembered for a while only, and not longer in a new life.
func (w *World) stands(s *svc) bool {
	held, is := lastOf(s, event.TypeSuppressed, event.TypeActionStarted)
	c := s.look.state
	if c.Status != container.Exited && c.Status != container.Dead && c.Status != container.Paused {
		return false
	}
	return is && s.incident.Held == "operator" && s.incident.HeldUntil == nil && s.def.Heal.ManualStop != service.StopAlways &&
		laterOf(c.StartedAt, c.FinishedAt).Before(held.Time)
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ending is how the service's container ended, if it did, by its own events.
func (w *World) ending(s *svc, now time.Time) (history.Ending, bool) {
	c, h := s.look.state, w.history(s)
	own := h.Own(w.intents(s))
	switch c.Status {
	case container.Exited, container.Dead:
		e, found := h.Ending(c.ID, stopOf(c), own, now)
		return e, found && !e.Died.Before(c.FinishedAt.Add(-time.Second))
	case container.Paused:
		return h.Pause(c.ID, own)
	}
	return history.Ending{}, false
}

// answers adds what our own check says of the service; where others may be
// believed alone, what they say.
func (w *World) answers(s *svc, f runbook.Facts) runbook.Facts {
	f.Needed, f.WasUp = s.def.FailureThreshold, true
	own, known := s.status.OwnLast()
	switch {
	case s.status.OwnDown() && own.Status == event.Down:
		f.Check, f.Failure, f.Code, f.CheckError = event.Down, own.Failure, own.Code, own.Error
		f.BadChecks = s.status.OwnBadSince(f.StartedAt.Add(s.def.StartPeriod))
	case s.status.OwnDown():
		f.Check = event.Pending // it has just succeeded again
	case !s.def.Heal.Confirm && s.status.ForeignDown():
		f.Check, f.Failure, f.Code = event.Down, event.FailureStatus, max(s.status.Last.Code, 500)
		if s.status.Decided.Since.After(f.StartedAt) {
			f.BadChecks = f.Needed
		}
	case known && own.Status != event.Down && s.status.Good():
		f.Check = event.Up
	}
	return f
}

// refusals are the actions that policy forbids, and those beyond tier 0 that
// were tried for this cause and did not hold.
func (w *World) refusals(s *svc, cause string) []event.Refusal {
	var list []event.Refusal
	for _, action := range s.def.Heal.Never {
		list = append(list, event.Refusal{Action: action, Why: "config.yaml says heal.never"})
	}
	for _, a := range attempts(s.incident) {
		if a.outcome == failed && a.cause == cause && !runbook.Tier0(a.action) {
			list = append(list, event.Refusal{Action: a.action, Why: fmt.Sprintf("%s (attempt %d: %s)", failedBefore, a.number, a.err)})
		}
	}
	return list
}

// forcedAction is what an operator asked for, until it was carried out.
func forcedAction(in interface {
	Last(...event.Type) (event.Incident, bool)
}) string {
	opened, known := in.Last(event.TypeOpened)
	if !known || opened.Data.(event.Opened).Action == "" {
		return ""
	}
	if finished, done := in.Last(event.TypeActionFinished); done && !notCarriedOut(finished.Data.(event.ActionFinished)) {
		return ""
	}
	return opened.Data.(event.Opened).Action
}

// force makes an operator's choice the first, where it is legal.
func force(dx runbook.Diagnosis, action string) runbook.Diagnosis {
	dx.Wait = ""
	if action == service.ActionRestart || action == dx.Action {
		dx.Action, dx.Confidence, dx.Why = action, 1, "an operator asked for it"
	}
	return dx
}

func at(t time.Time) *time.Time { t = t.UTC(); return &t }
