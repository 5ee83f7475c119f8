package healer

import (
	"fmt"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// prove verifies a repair on the same stream that told of the failure: enough
// good scheduled checks of our own in a row that began after the result was on
// the log, with the container up throughout.
func (w *World) prove(s *svc, finished event.ActionFinished, now time.Time) {
	v := s.work.verify
	if v == nil || v.attempt != finished.Attempt || s.work.incident != s.incident.ID {
		v = w.beginProof(s, finished, now)
	}
	if !w.streamLost.IsZero() {
		v.deadline = now.Add(w.verifyTimeout(s.def)) // the engine is away: nothing is proved or refuted
		v.run = run{}
		return
	}
	started, _ := lastOf(s, event.TypeActionStarted)
	intent := started.Data.(event.ActionStarted)
	if v.takeover && !w.asLeft(s, v, intent, finished, now) {
		return
	}
	if why, wait := w.broken(s, intent, now); why != "" {
		w.unproved(s, why, now)
		return
	} else if wait {
		return
	}
	if s.status.Level() == event.Down {
		w.downAgain(s, v, now)
		return
	}
	v.downFrom = time.Time{}
	if _, heard := s.status.OwnLast(); !heard {
		v.run = run{} // it fell silent, and starts anew
	}
	needed := intent.Verify
	switch {
	case v.run.n >= needed && s.status.Good() && s.status.Level() == event.Up:
		w.write(s, event.ByLogstream, event.Verified{OK: true, Observations: v.run.n, Since: v.run.first}, now)
	case now.After(v.deadline):
		w.unproved(s, fmt.Sprintf("%d of %d good checks in %s", v.run.n, needed, w.verifyTimeout(s.def)), now)
	}
}

func (w *World) beginProof(s *svc, finished event.ActionFinished, now time.Time) *verifying {
	takeover := s.work.incident != s.incident.ID || s.work.attempt != finished.Attempt
	if takeover {
		s.work = work{incident: s.incident.ID, attempt: finished.Attempt}
		s.look.dirty = true
	}
	s.work.verify = &verifying{attempt: finished.Attempt, since: now, deadline: now.Add(w.verifyTimeout(s.def)), takeover: takeover}
	return s.work.verify
}

// downAgain waits for the events that tell why the container is down, which
// come at most a moment later.
func (w *World) downAgain(s *svc, v *verifying, now time.Time) {
	v.run = run{}
	if v.downFrom.IsZero() {
		v.downFrom = now
	}
	if now.Sub(v.downFrom) > patience {
		w.unproved(s, "its container is down again", now)
	}
}

func (w *World) unproved(s *svc, why string, now time.Time) {
	v := s.work.verify
	s.look.dirty = true
	w.write(s, event.ByLogstream, event.Verified{OK: false, Observations: v.run.n, Since: v.since, Error: why}, now)
}

// broken reads from the engine's events what came after the action: an act
// from outside interrupts the attempt, an end by itself refutes it. wait says
// that an event is still to come that decides.
func (w *World) broken(s *svc, begun event.ActionStarted, now time.Time) (why string, wait bool) {
	h := w.history(s)
	for _, i := range h.External(w.intent(s, begun)) {
		e := h[i]
		switch {
		case h.IsEcho(i), e.Action == "create", e.Action == "oom":
			continue
		case e.MayBecomeEcho(now):
			return "", true // its unpause may follow: an echo
		case e.Action == "die":
			code := 0
			if e.ExitCode != nil {
				code = *e.ExitCode
			}
			return fmt.Sprintf("it ended again by itself, with exit code %d", code), false
		}
		return event.Interrupted + "somebody else did something to it: " + e.Action, false
	}
	if other, replaced := h.Last(func(_ int, e history.Event) bool {
		return e.ID != begun.Pins.ContainerID && e.Time.After(begun.Pins.LastEvent)
	}, "start", "rename"); replaced {
		return event.Interrupted + "another container has its name now: " + other.Action, false
	}
	return "", false
}

// asLeft says, in a new life, whether the container is as the action left it.
// If not, the attempt has ended: interrupted, unless the engine's events
// prove an end by itself, which broken tells.
func (w *World) asLeft(s *svc, v *verifying, intent event.ActionStarted, finished event.ActionFinished, now time.Time) bool {
	if !w.seen(s, now) || s.look.at.Before(v.since) {
		return false
	}
	c, err := s.look.state, s.look.err
	if err != nil && !refused(err) {
		return false
	}
	same := err == nil && c.ID == intent.Pins.ContainerID && c.Status == container.Running
	if same && !finished.StartedAt.IsZero() && intent.Action != service.ActionUnpause {
		same = c.StartedAt.Equal(finished.StartedAt)
	}
	if same {
		v.takeover = false
		return true
	}
	if why, wait := w.broken(s, intent, now); why != "" {
		w.unproved(s, why, now)
	} else if !wait && now.Sub(v.since) > patience {
		w.unproved(s, event.Interrupted+"it is not as the repair left it", now)
	}
	return false
}
