package status

import (
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// Kind says what a source is to the host's owner.
type Kind int

// The kinds of sources.
const (
	Foreign      Kind = iota // another program
	Own                      // our own check
	OwnersLevel              // check: container, from the owner: a level
	OwnersHealth             // check: health, from the owner: the container's own HEALTHCHECK
)

// source is one instance and check, with the thresholds' counters.
type source struct {
	event.Source
	kind     Kind
	lastRead time.Time
	last     event.HealthLog
	bad      []time.Time // when the checks of the present bad run began, newest last, at most maxRun
	good     int         // observations of the present run that are not DOWN
	slow     int         // and of those, DEGRADED in a row
	fast     int         // and UP in a row
	proof    int         // of the present run, those under the present definition
}

// maxRun is the highest threshold and the first of the run beside it, so that
// as many can be counted after any instant.
const maxRun = 101

// count is the threshold, with hysteresis: DEGRADED is good for that of DOWN.
func (src *source) count(seen event.Status, began time.Time, def service.Definition) {
	if seen == event.Down {
		src.good, src.slow, src.fast, src.proof = 0, 0, 0, 0
		if len(src.bad) == maxRun {
			src.bad = append(src.bad[:1], src.bad[2:]...) // the first is when it began
		}
		src.bad = append(src.bad, began)
		if len(src.bad) >= def.FailureThreshold {
			src.turn(event.Down, src.bad[0])
		}
		return
	}
	src.bad = nil
	src.good, src.proof = src.good+1, src.proof+1
	if seen == event.Degraded {
		src.slow, src.fast = src.slow+1, 0
	} else {
		src.slow, src.fast = 0, src.fast+1
	}
	switch src.Status {
	case event.Up:
		if src.slow >= def.FailureThreshold {
			src.turn(event.Degraded, began)
		}
	case event.Degraded:
		if src.fast >= def.SuccessThreshold {
			src.turn(event.Up, began)
		}
	default:
		if src.good >= def.SuccessThreshold {
			src.turn(seen, began)
		}
	}
}

func (src *source) turn(to event.Status, at time.Time) {
	if src.Status != to {
		src.Status, src.Since = to, at
	}
}
