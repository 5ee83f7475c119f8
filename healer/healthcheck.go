package healer

import (
	"time"

	"logstream/healer/fleet"
	"logstream/healer/gate"
	"logstream/healer/status"
	"logstream/internal/container"
	"logstream/internal/event"
)

// healthRun is the newest run of a container's HEALTHCHECK that ended, as inspections
// showed it.
type healthRun struct {
	container string // its id
	started   time.Time
	seen      time.Time // when that life of it was first seen here, by our clock
	began     time.Time // by the engine's clock: only another one is another run
	ok        bool
	since     time.Time // by our clock: it began then or later; zero: not known
	asked     time.Time // when the last inspection was begun
}

// observe takes what an inspection shows that was begun then. A run that the one
// before it did not show ended after that was begun, and so began no earlier than its
// own time before: that needs no comparison of two clocks.
func (r *healthRun) observe(c container.State, asked time.Time) {
	run := c.HealthRun
	if c.ID != r.container || !c.StartedAt.Equal(r.started) {
		*r = healthRun{container: c.ID, started: c.StartedAt, seen: asked, began: run.Began, ok: run.OK}
	}
	if !run.Began.Equal(r.began) {
		r.began, r.ok, r.since = run.Began, run.OK, time.Time{}
		if run.Took >= 0 { // else the engine's clock was set back meanwhile
			r.since = r.asked.Add(-run.Took)
		}
	}
	if r.asked = asked; r.seen.After(asked) { // our clock was set back
		r.seen = asked
	}
}

// healthProof is what the container's HEALTHCHECK shows of a service whose own check
// fails, and how often it runs. In another container's network, which may be cut off
// itself, it proves nothing; nor does it of a service that answered during its incident.
func healthProof(s *serviceState, own status.Probe) (proof fleet.Proof, each time.Duration) {
	c, says, r := s.inspection.state, s.status.Healthcheck(), s.healthRun
	if says == event.Up && c.HealthEach <= fleet.LongestRuns && c.NetworkOf == "" && !answered(s) {
		each = c.HealthEach
	}
	had, _ := s.memory.networks(c.ID)
	since := !r.since.IsZero() && !r.since.Before(own.FirstBad)
	switch {
	case !own.Failing:
	case says == event.Down, c.HealthEach > 0 && since && !r.ok, len(networksLost(had, c)) > 0:
		proof = fleet.Ill
	case each == 0:
	case since:
		proof = fleet.Well
	default:
		proof = fleet.Awaited
	}
	return proof, each
}

// answered says whether a check of our own was good since the service's incident was
// opened: then it is not cut off, however often it fails.
func answered(s *serviceState) bool {
	return s.open() && time.Time(s.served).After(s.incident.Opened)
}

// proofDue is until when HEALTHCHECKs may still prove that few services are cut off,
// as much as this one; zero: they cannot.
func proofDue(c *Controller, s *serviceState, p fleet.Picture) time.Time {
	if p.Probed >= fleet.Least || !s.open() || answered(s) {
		return time.Time{}
	}
	leads, _ := c.claim.Leader() // what an earlier life saw of them is not known
	m := memberOf(c, s)
	if awaits := p.Awaits(m); awaits > 0 {
		return later(later(m.FirstBad, s.incident.Opened), leads).Add(awaits)
	}
	return time.Time{}
}

// proofWait is how such a proof was waited for.
type proofWait struct {
	until time.Time // zero: it was not, or in vain
	ended time.Time // before then, for others answer; zero: it did not
}

// observe takes until when it is waited for now; before now: not at all. It returns when
// that ended because others answer: what failed before does not count any more.
func (w *proofWait) observe(due time.Time, failing bool, now time.Time) (ended time.Time) {
	switch {
	case now.Before(due):
		*w = proofWait{until: due}
	case !failing, w.ended.IsZero() && !now.Before(w.until):
		*w = proofWait{}
	case w.ended.IsZero():
		w.ended = now
	}
	return w.ended
}

// awaitsProof says whether what holds a repair is a run of a HEALTHCHECK that an
// inspection may show by now.
func awaitsProof(v View, held gate.Verdict) bool {
	return !v.Situation.Blind.Proof.IsZero() && held.Gate == "blind" && v.Def.Container != "" && !v.Situation.EngineLost && v.Inspection.due(v.Now) == overdue
}
