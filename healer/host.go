package healer

import (
	"slices"
	"time"

	"logstream/healer/gate"
	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// gatherHost adds to a situation what is not of the container alone: all
// services, operators, windows of time, and what others did.
func gatherHost(c *Controller, s *serviceState, v View, own []bool, out *gate.Situation) {
	out.MaintenanceUntil = maintenanceUntil(v.Now, c.config.Maintenance, s.def.Maintenance)
	if s.silence != nil && v.Now.Before(s.silence.Until) {
		out.Silence = s.silence
	}
	out.Blind, out.Breaker = blindness(c, s, v.Now), breaker(c, v.Now)
	if of := s.inspection.state; of.Status == container.Running {
		out.StartsUntil = s.status.CountsAfter(v.began())
	}
	out.Outside = repairsByOthers(v.History, own, c.incidents.Of(s.def.Name, c.host), actorOf(s, c), v.Now)
}

// maintenanceUntil is when the windows end that are open; zero where none is.
func maintenanceUntil(now time.Time, windows ...[]service.Maintenance) time.Time {
	var until time.Time
	for _, window := range slices.Concat(windows...) {
		if end, inside := window.Until(now); inside {
			until = later(until, end)
		}
	}
	return until
}

// readLate is how much later than it happened an event may be read: what is read
// so soon after the first bad observation may have come before it.
const readLate = 500 * time.Millisecond

// actor says which events from outside may be another healer's.
type actor struct {
	// container is its id. Empty: it could not be inspected, so nothing is known of
	// its restart policy either, and no event counts.
	container string
	seen      container.State // as it was inspected: its restart policy
	stop      history.Stop
	ours      func(readAt time.Time) bool // it was requested by `inject`, or is the engine's own
}

func actorOf(s *serviceState, c *Controller) actor {
	known := s.inspection.state
	return actor{container: known.ID, seen: known, stop: stopOf(known),
		ours: func(readAt time.Time) bool { return s.injected(readAt) || c.engine.StoppedByEngine(readAt) }}
}

// repairsByOthers reads what others did to repair a container, from the engine's events
// and the incidents of its service. A restart of what did not fail is no repair,
// and neither is the first start of a container: that is a deployment.
func repairsByOthers(h history.History, own []bool, incidents []*state.Incident, by actor, now time.Time) (out gate.Outside) {
	for i, e := range h {
		if e.Action != "start" && e.Action != "unpause" || own[i] || now.Sub(e.ReadAt) >= gate.OutsideReach || e.ID != by.container {
			continue
		}
		fell, restarted := h.FellBefore(i)
		in := during(incidents, e.ReadAt)
		code, byItself := h.FollowsOwnEnd(i, by.stop)
		if fell.IsZero() || in == nil || by.ours(e.ReadAt) || h.IsEcho(i) || byItself && gate.PolicyStarts(by.seen, code) || h.IsUnpausedToStop(i, by.stop) {
			continue
		}
		if in == incidents[len(incidents)-1] && in.State != state.Resolved {
			out.Started = e.ReadAt
		}
		if restarted && !in.FirstBad.Before(fell.Add(-readLate)) {
			continue // it was well until it was restarted
		}
		out.Repairs++
		out.Last = later(out.Last, e.ReadAt)
	}
	return out
}

// during is the incident at the instant at which an event was read; nil where
// there was none.
func during(incidents []*state.Incident, at time.Time) *state.Incident {
	for _, in := range slices.Backward(incidents) {
		if !at.Before(in.FirstBad) {
			if in.Resolved != nil && at.After(*in.Resolved) {
				return nil
			}
			return in
		}
	}
	return nil
}

// fullDisk is the line that shows that the service's disk is full; empty where
// none does.
func fullDisk(v View) string {
	if own, known := v.Status.OwnLast(); known && own.Status == event.Down && own.Failure == event.FailureDisk {
		return own.Error
	}
	if v.Inspection.due(v.Now) != fresh {
		return ""
	}
	line, _ := runbook.LineOf(v.Inspection.logs.signs, runbook.SignNoSpace)
	return line
}
