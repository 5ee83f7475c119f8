package healer

import (
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// Trust: in mode observe nothing is repaired, and it is counted how often that
// would have been right. It is a fold of the service's incidents.
//
// An incident counts once it was held because the mode is observe. A repair would
// have been right where the service did not recover by itself in the time that a
// repair has: a user started, restarted or unpaused the container and then it
// recovered, or it stayed DOWN for longer than a verification may take. It would
// have been wrong where the service recovered sooner without any action.

// trust is what was counted of the incidents that have ended.
type trust struct {
	upTo  counted // what it was counted up to
	ended event.Trust
}

// counted is the state of the newest incident.
type counted struct {
	incident string
	state    string
}

// of is what is published of it; nil: nothing would have been repaired yet.
func (t *trust) of(c *Controller, s *serviceState, now time.Time) *event.Trust {
	needed := verifyTimeout(c.config, s.def)
	if s.incident == nil {
		return nil
	}
	if upTo := (counted{s.incident.ID, s.incident.State}); t.upTo != upTo {
		t.upTo, t.ended = upTo, event.Trust{}
		for _, in := range c.incidents.Of(s.def.Name, c.host) {
			if in.State == state.Resolved {
				countTrust(&t.ended, in, needed, now)
			}
		}
	}
	all := t.ended
	if s.open() {
		countTrust(&all, s.incident, needed, now)
	}
	if all.Would == 0 {
		return nil
	}
	return &all
}

// countTrust counts one incident, once it is known whether a repair would have
// been right.
func countTrust(t *event.Trust, in *state.Incident, needed time.Duration, now time.Time) {
	would, right, decided := wouldHaveActed(in, needed, now)
	if would.IsZero() || !decided {
		return
	}
	if t.Would++; right {
		t.Right++
	}
	if t.Since.IsZero() || would.Before(t.Since) {
		t.Since = would.UTC()
	}
}

// wouldHaveActed is when the mode held the incident's repair; zero: it did not.
// Not decided is an incident that goes on, for less than a repair has.
func wouldHaveActed(in *state.Incident, needed time.Duration, now time.Time) (held time.Time, right, decided bool) {
	outside := false
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.Suppressed:
			if data.Gate == "observe" && held.IsZero() {
				held = e.Time
			}
			outside = outside || data.Gate == "rival" && !held.IsZero()
		case event.ActionStarted:
			return time.Time{}, false, true // an operator had it repaired, or the mode was changed
		case event.Resolved:
			if data.How != event.HowRecovered {
				return time.Time{}, false, true // nothing shows what would have come of it
			}
			recovered := in.FirstBad.Add(time.Duration(data.DownMS * float64(time.Millisecond)))
			return held, outside || recovered.Sub(held) > needed, true
		}
	}
	return held, true, !held.IsZero() && now.Sub(held) > needed
}

func isSameTrust(a, b event.Trust) bool {
	return a.Would == b.Would && a.Right == b.Right && a.Since.Equal(b.Since)
}
