package status

import (
	"reflect"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// What another definition changes.

// Redefine changes thresholds, interval, url, expectation or container. What is
// known stays, but for the level of a container that the service no longer
// names, and for what our own check saw at another url or expected otherwise.
//
// Other thresholds, and another window, count from here on: an observation that
// was read before makes it neither DOWN nor UP by them, and what it was held to
// be stands until as many new ones say otherwise.
func (s *Status) Redefine(def service.Definition, now time.Time) {
	if reflect.DeepEqual(s.def, def) {
		return
	}
	s.pass(now)
	anotherContainer := s.def.Container != def.Container
	before, after := s.def.Masked(), def.Masked()
	anotherCheck := !sameCheck(*before, *after)
	if anotherCheck || anotherContainer {
		s.forgetProof(false)
	}
	if anotherCheck {
		s.endOwn(s.def.Pushes() || def.Pushes())
	}
	if !sameThresholds(*before, *after) {
		s.counting = now
		for _, src := range s.sources {
			if src.kind == Own || src.kind == Foreign {
				src.startOver()
			}
		}
	}
	s.def, s.begin = def, now
	s.expectReport(now)
	if anotherContainer {
		s.endLevel([2]string{})
		s.awaited = time.Time{}
		s.endHealth(now)
		s.checked, s.healthDue = false, time.Time{}
	}
	s.dropStale(now)
	s.settle(now)
}

// sameCheck says whether two definitions ask the same of the same address.
func sameCheck(a, b event.Definition) bool {
	return a.URL == b.URL && reflect.DeepEqual(a.Request, b.Request) && a.TLS == b.TLS && reflect.DeepEqual(a.Expect, b.Expect)
}

// countingSince is from when on a definition's thresholds count, after a life
// that published them or others.
func countingSince(published *event.Service, def service.Definition, now time.Time) time.Time {
	switch {
	case published.Definition == nil:
		return time.Time{}
	case !sameThresholds(*published.Definition, *def.Masked()):
		return now
	case published.ThresholdsSince == nil:
		return time.Time{}
	}
	return *published.ThresholdsSince
}

func sameThresholds(a, b event.Definition) bool {
	return a.FailureThreshold == b.FailureThreshold && a.SuccessThreshold == b.SuccessThreshold && a.Window == b.Window
}

// ThresholdsSince is from when on the present thresholds count; zero where they
// always did.
func (s *Status) ThresholdsSince() time.Time { return s.counting }

// endOwn forgets what our own check saw, or the service itself reported; and
// what foreign sources saw, where those are the service itself from now on, or
// were until now.
func (s *Status) endOwn(andForeign bool) {
	for key, src := range s.sources {
		if src.kind == Own || andForeign && src.kind == Foreign {
			delete(s.sources, key)
		}
	}
}
