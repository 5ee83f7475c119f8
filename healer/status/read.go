package status

import (
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// Good says whether the service answers: UP, or DEGRADED.
func (s *Status) Good() bool { return s.Value == event.Up || s.Value == event.Degraded }

// Level is the container's level: its status, or empty where it is not known.
func (s *Status) Level() event.Status {
	if level := s.level(); level != nil {
		return level.Status
	}
	return ""
}

// LevelAt is when the container's level was observed; zero where it is not known.
func (s *Status) LevelAt() time.Time {
	if level := s.level(); level != nil {
		return level.last.Time()
	}
	return time.Time{}
}

func (s *Status) level() *source {
	for _, src := range s.sources {
		if src.kind == OwnersLevel {
			return src
		}
	}
	return nil
}

// Looping says whether the container keeps exiting and its restart policy keeps
// starting it.
func (s *Status) Looping() bool {
	level := s.level()
	return level != nil && level.Status == event.Down && level.last.Failure == event.FailureCrashLoop
}

// OwnDown says whether a check of our own holds it to be DOWN.
func (s *Status) OwnDown() bool {
	return s.down(Own) || s.def.IsContainerAlone() && s.down(OwnersHealth)
}

// ForeignDown says whether a foreign source holds it to be DOWN.
func (s *Status) ForeignDown() bool { return s.down(Foreign) }

func (s *Status) down(kind Kind) bool {
	for _, src := range s.sources {
		if src.kind == kind && src.Status == event.Down {
			return true
		}
	}
	return false
}

// WasUp says whether our own check was UP at some time under the present url,
// expectation and container. While it was not, the check itself may be wrong.
func (s *Status) WasUp() bool { return s.wasUp }

// OwnNeeded is the least number of bad observations that make our own check, or
// what stands for it, DOWN.
func (s *Status) OwnNeeded() int {
	def := s.thresholds(Own)
	if s.def.IsContainerAlone() {
		def = s.thresholds(OwnersHealth)
	}
	if def.Window.Failures > 0 {
		return min(def.FailureThreshold, def.Window.Failures)
	}
	return def.FailureThreshold
}

// OwnBadSince counts the bad observations of our own check that began after t:
// those in a row, up to the highest threshold, or those that the window sees.
func (s *Status) OwnBadSince(t time.Time) int {
	most := 0
	for _, src := range s.sources {
		if src.kind != Own && !(src.kind == OwnersHealth && s.def.IsContainerAlone()) {
			continue
		}
		n := 0
		for _, began := range src.bad {
			if began.After(t) {
				n++
			}
		}
		most = max(most, n, src.failures(t))
	}
	return most
}

// OwnLast is the newest observation of our own check, or of what stands for it.
func (s *Status) OwnLast() (event.HealthLog, bool) {
	if own := s.own(); own != nil {
		return own.last, true
	}
	return event.HealthLog{}, false
}

// own is our own check, or what stands for it: of a container alone its
// HEALTHCHECK, or its level where there is none; nil where it was not seen.
func (s *Status) own() *source {
	var own *source
	for _, src := range s.ordered() {
		switch {
		case src.kind == Own && (own == nil || own.Status != event.Down && src.Status == event.Down):
			own = src // of those that report by themselves, one that is DOWN
		case src.kind == OwnersHealth && s.def.IsContainerAlone():
			return src
		case src.kind == OwnersLevel && s.def.IsContainerAlone() && own == nil:
			own = src
		}
	}
	return own
}

// Sources are those that are fresh, ordered by instance and check.
func (s *Status) Sources() []event.Source {
	list := make([]event.Source, 0, len(s.sources))
	for _, src := range s.ordered() {
		list = append(list, src.Source)
	}
	return list
}

func (s *Status) ordered() []*source {
	list := make([]*source, 0, len(s.sources))
	for _, src := range s.sources {
		list = append(list, src)
	}
	slices.SortFunc(list, func(a, b *source) int {
		if c := strings.Compare(a.Instance, b.Instance); c != 0 {
			return c
		}
		return strings.Compare(a.Check, b.Check)
	})
	return list
}

// IsOwn says whether records of that kind are those of our own check, or stand
// for it: of a container alone its HEALTHCHECK does, or its level where there is
// none; of a service that reports by itself what it says, and its level.
func (s *Status) IsOwn(kind Kind, now time.Time) bool {
	switch {
	case kind == Own:
		return true
	case s.def.Pushes():
		return kind == Foreign || kind == OwnersLevel
	case !s.def.IsContainerAlone():
		return false
	}
	return kind == OwnersHealth || kind == OwnersLevel && !s.hasHealth() && !now.Before(s.healthDue)
}

func (s *Status) hasHealth() bool {
	for _, src := range s.sources {
		if src.kind == OwnersHealth {
			return true
		}
	}
	return false
}

// counts says whether a source has a say in what the service is: a level only
// where it is DOWN, for its UP only lifts that; a HEALTHCHECK only where no check
// of our own decides.
func (s *Status) counts(src, own *source, now time.Time) bool {
	switch {
	case s.def.IsContainerAlone():
		return true
	case src.kind == OwnersLevel:
		return src.Status == event.Down
	case src.kind == OwnersHealth:
		return own == nil && now.Sub(s.begin) > s.Fresh() || own != nil && own.Status == event.Down
	}
	return true
}

// Disputed says whether the container's HEALTHCHECK fails while our own check
// succeeds.
func (s *Status) Disputed() bool {
	own := s.own()
	return !s.def.IsContainerAlone() && s.down(OwnersHealth) && own != nil && (own.Status == event.Up || own.Status == event.Degraded)
}

// thresholds are those of a kind: what a HEALTHCHECK says was counted by the
// engine already, and a service that reports by itself is as it says.
func (s *Status) thresholds(kind Kind) service.Definition {
	if kind == OwnersHealth || kind == Own && s.def.Pushes() {
		return reporting(s.def)
	}
	return s.def
}

// CountsAfter is from when on failures of our own check count after a start:
// from its first success, or else from the end of start_period.
func (s *Status) CountsAfter(started time.Time) time.Time {
	if s.start.answered.Before(started) && !s.def.Pushes() {
		return started.Add(s.def.StartPeriod)
	}
	return started
}

// Flapping says whether its status changed too often lately.
func (s *Status) Flapping() bool { return s.flap.now }

// ThresholdsSince is from when on the present thresholds count; zero where they
// always did.
func (s *Status) ThresholdsSince() time.Time { return s.counting }

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
// none, or where it was not seen.
func (s *Status) Healthcheck() event.Status {
	for _, src := range s.sources {
		if src.kind == OwnersHealth {
			return src.Status
		}
	}
	return ""
}
