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
	Foreign      Kind = iota // another program; of a push:// service the service itself, which then is Own
	Own                      // our own check
	OwnersLevel              // check: container, from the owner: a level
	OwnersHealth             // check: health, from the owner: the container's own HEALTHCHECK
)

// source is one instance and check, with the thresholds' counters.
//
// It turns DOWN with failure_threshold bad observations in a row, or with
// window.failures of them among the last window.of. It turns back with
// success_threshold good ones in a row, once the window is no longer satisfied;
// then the window starts over. So every turn takes as many new observations as
// its threshold says, and none of them counts for two turns to DOWN: no pattern
// of observations makes it change faster than that.
type source struct {
	event.Source
	kind      Kind
	lastRead  time.Time
	until     time.Time // of a push:// service: when its next report is overdue
	last      event.HealthLog
	first     time.Time     // when the first check of the present bad run began
	bad       []time.Time   // when those of it that count began, newest last, at most maxRun
	window    []observation // those that the window counts, newest last
	good      int           // observations of the present run that are not DOWN
	slow      int           // and of those, DEGRADED in a row
	fast      int           // and UP in a row
	confirmed int           // of the present run, those under the present definition
}

// observation is what the window keeps of one.
type observation struct {
	began time.Time
	bad   bool
}

// maxRun is the highest threshold, so that as many can be counted after any instant.
const maxRun = 100

// count is the threshold, with hysteresis: DEGRADED is good for that of DOWN.
func (src *source) count(seen event.Status, began time.Time, def service.Definition) {
	src.note(observation{began, seen == event.Down}, def.Window.Of)
	if seen == event.Down {
		src.fail(began, true)
		if len(src.bad) >= def.FailureThreshold || src.exceeds(def.Window) {
			src.turn(event.Down, src.firstBad(src.exceeds(def.Window)))
		}
		return
	}
	src.first, src.bad = time.Time{}, nil
	src.good, src.confirmed = src.good+1, src.confirmed+1
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
		if src.good >= def.SuccessThreshold && !src.exceeds(def.Window) {
			src.turn(seen, began)
			src.window = nil
		}
	}
}

// fail notes a bad observation: it ends the run of good ones, whether it counts
// for the threshold of DOWN or not.
func (src *source) fail(began time.Time, counts bool) {
	src.good, src.slow, src.fast, src.confirmed = 0, 0, 0, 0
	if src.first.IsZero() {
		src.first = began
	}
	if !counts {
		src.bad, src.window = nil, nil
		return
	}
	if len(src.bad) == maxRun {
		src.bad = src.bad[1:]
	}
	src.bad = append(src.bad, began)
}

func (src *source) note(o observation, of int) {
	if of == 0 {
		return
	}
	src.window = append(src.window, o)
	src.window = src.window[max(0, len(src.window)-of):]
}

func (src *source) exceeds(w service.Window) bool {
	return w.Failures > 0 && src.failures(time.Time{}) >= w.Failures
}

// failures counts the bad observations that the window sees and that began after t.
func (src *source) failures(t time.Time) int {
	n := 0
	for _, o := range src.window {
		if o.bad && o.began.After(t) {
			n++
		}
	}
	return n
}

// firstBad is when the first observation began of the present bad run, or of
// all bad ones that the window sees. Zero where there is none.
func (src *source) firstBad(windowed bool) time.Time {
	first := src.first
	for _, o := range src.window {
		if windowed && o.bad && (first.IsZero() || o.began.Before(first)) {
			first = o.began
		}
	}
	return first
}

// startOver makes other thresholds count from the next observation on. What the
// source was held to be stands, and a bad run began when it did.
func (src *source) startOver() {
	src.bad, src.window = nil, nil
	src.good, src.slow, src.fast = 0, 0, 0
}

func (src *source) turn(to event.Status, at time.Time) {
	if src.Status != to {
		src.Status, src.Since = to, at
	}
}
