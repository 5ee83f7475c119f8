package healer

import (
	"fmt"
	"strings"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// carryOut goes from an intent that stands on the log to its result.
func (w *World) carryOut(s *svc, e event.Incident, intent event.ActionStarted, now time.Time) {
	job := &s.work
	if job.incident != s.incident.ID || job.attempt != intent.Attempt || !job.ours {
		// A predecessor's: its effect is in doubt.
		*job = work{incident: s.incident.ID, attempt: intent.Attempt, ours: true, doubt: now}
		w.busy, w.busySince = s.def.Name, now
		s.look.dirty = true
	}
	switch {
	case job.acting:
	case job.acted != nil:
		w.finish(s, intent, *job.acted, now)
	case !job.doubt.IsZero():
		w.doubt(s, intent, now)
	default:
		if why := w.lastCheck(s, intent, now); why != "" {
			w.finish(s, intent, Acted{NotMade: why}, now)
			return
		}
		job.acting = true
		w.emit(Act{Service: s.def.Name, Incident: s.incident.ID, Attempt: intent.Attempt, Action: intent.Action,
			Pins: intent.Pins, Deadline: job.wrote.Add(deadline(intent.Action, s.look.state.StopTimeout))})
	}
}

// lastCheck says why the call must not be made any more, or nothing: asked
// when the intent was read back, immediately before the call. The runtime's
// part of the pins is checked by whoever makes the call.
func (w *World) lastCheck(s *svc, intent event.ActionStarted, now time.Time) string {
	asked := asked(s.incident)
	uncalled := w.intent(s, intent)
	uncalled.Pattern = nil // nothing is its doing yet
	switch {
	case !now.Before(s.work.wrote.Add(deadline(intent.Action, s.look.state.StopTimeout))):
		return "its deadline passed before it was read back"
	case s.removed:
		return "the service was removed"
	case !w.streamLost.IsZero():
		return "the container engine does not answer"
	case w.held != nil && !asked:
		return "repairs on this host were put on hold"
	case len(w.history(s).External(uncalled)) > 0:
		return "the engine told of something new about the container"
	case asked:
		return ""
	case intent.Action == service.ActionRestart && !s.status.OwnDown() && (s.def.Heal.Confirm || !s.status.ForeignDown()):
		return "its own check no longer says DOWN"
	case intent.Action != service.ActionRestart && s.status.Level() != event.Down:
		return "its container is no longer down"
	}
	return ""
}

// finish writes the result of an action.
func (w *World) finish(s *svc, intent event.ActionStarted, result Acted, now time.Time) {
	data := event.ActionFinished{Attempt: intent.Attempt, Action: intent.Action, Target: intent.Target, Command: intent.Command,
		OK: result.NotMade == "" && result.Err == nil, DurationMS: float64(result.Took.Microseconds()) / 1000}
	switch {
	case result.NotMade != "":
		data.Error = event.NotCarriedOut + result.NotMade
	case result.Err != nil:
		data.Error = clip(result.Err.Error(), 1000)
	default:
		data.StartedAt = result.After.StartedAt
	}
	s.look.dirty = true
	w.write(s, event.ByLogstream, data, now)
}

// doubt looks at the container until it shows what became of a call, or the
// call can no longer come: then it was not made.
func (w *World) doubt(s *svc, intent event.ActionStarted, now time.Time) {
	since := s.work.doubt
	l := &s.look
	if !l.open && (l.dirty || l.at.Before(since) || now.Sub(l.at) > lookRetry) || l.open && now.Sub(l.asked) > lookLost {
		w.ask(s, now)
		return
	}
	if l.open || l.at.Before(since) {
		return
	}
	if l.err == nil && effectSeen(intent, l.state) {
		w.finish(s, intent, Acted{After: l.state}, now)
		return
	}
	limit := deadline(intent.Action, max(l.state.StopTimeout, 10*time.Second))
	if unavailable := l.err != nil && !refused(l.err); now.Sub(since) > limit && l.at.Sub(since) > limit && !unavailable {
		w.finish(s, intent, Acted{NotMade: "the call was interrupted and left no effect"}, now)
	}
}

// effectSeen compares a container with what was pinned, never with a clock.
func effectSeen(intent event.ActionStarted, c container.State) bool {
	if c.ID != intent.Pins.ContainerID {
		return false
	}
	switch intent.Action {
	case service.ActionStart, service.ActionRestart:
		return !c.StartedAt.Equal(intent.Pins.StartedAt) && c.StartedAt.After(intent.Pins.StartedAt)
	case service.ActionUnpause:
		return c.Status != container.Paused
	}
	return false
}

// pinsHold says how the world has changed since the decision, or nothing.
func pinsHold(pins event.Pins, c container.State) string {
	switch {
	case c.ID != pins.ContainerID:
		return "another container has its name now"
	case c.ImageID != pins.ImageID:
		return "its image changed"
	case c.SpecHash != pins.SpecHash:
		return "its specification changed"
	case !c.StartedAt.Equal(pins.StartedAt):
		return "it was started meanwhile"
	case string(c.Status) != pins.State:
		return fmt.Sprintf("it is %s now, and was %s", c.Status, pins.State)
	case c.Replacing != "":
		return "a deployment is replacing it"
	}
	return ""
}

// asked says whether an operator asked for this incident's repair, and it was
// not carried out yet: what happens after it is judged like everything else.
func asked(in *state.Incident) bool {
	opened, known := in.Last(event.TypeOpened)
	finished, done := in.Last(event.TypeActionFinished)
	return known && strings.HasPrefix(opened.By, "operator:") && (!done || notCarriedOut(finished.Data.(event.ActionFinished)))
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "… (cut)"
}
