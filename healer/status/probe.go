package status

import (
	"time"

	"logstream/internal/event"
)

// Probe is how our own check, made by us, goes.
type Probe struct {
	Checked  time.Time // when the newest began; zero: none was read
	Failing  bool      // it failed
	FirstBad time.Time // when the first of those that failed in a row began
	Failure  event.Failure
	Red      bool // it is DOWN by its thresholds
}

// Probe is how our own check goes. What is published or pushed by others is none.
func (s *Status) Probe() Probe {
	if !s.def.HasOwnCheck() {
		return Probe{}
	}
	for _, src := range s.sources {
		if src.kind == Own {
			return Probe{Checked: src.last.Time(), Failing: src.last.Status == event.Down, FirstBad: src.firstBad(false),
				Failure: src.last.Failure, Red: src.Status == event.Down}
		}
	}
	return Probe{}
}

// Healthcheck is what the container's own HEALTHCHECK says; empty where it has
// none, or where it was not heard.
func (s *Status) Healthcheck() event.Status {
	for _, src := range s.sources {
		if src.kind == OwnersHealth {
			return src.Status
		}
	}
	return ""
}
