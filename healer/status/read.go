package status

import (
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
)

// Good says whether the service answers: UP, or DEGRADED.
func (s *Status) Good() bool { return s.Value == event.Up || s.Value == event.Degraded }

// Level is the container's level: its status, or empty where it is not known.
func (s *Status) Level() event.Status {
	for _, src := range s.sources {
		if src.kind == OwnersLevel {
			return src.Status
		}
	}
	return ""
}

// Looping says whether the container keeps exiting and its restart policy keeps
// starting it.
func (s *Status) Looping() bool {
	for _, src := range s.sources {
		if src.kind == OwnersLevel && src.Status == event.Down && src.last.Failure == event.FailureCrashLoop {
			return true
		}
	}
	return false
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
// HEALTHCHECK, or its level where there is none; nil where it was not heard.
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
