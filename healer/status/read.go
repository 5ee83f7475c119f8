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

// OwnDown says whether a check of our own holds it to be DOWN.
func (s *Status) OwnDown() bool { return s.down(Own) }

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

// OwnBadSince counts the bad observations in a row of our own check that
// began after t, up to a bound above every threshold.
func (s *Status) OwnBadSince(t time.Time) int {
	most := 0
	for _, src := range s.sources {
		if src.kind != Own {
			continue
		}
		n := 0
		for _, began := range src.bad {
			if began.After(t) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// OwnLast is the newest observation of our own check.
func (s *Status) OwnLast() (event.HealthLog, bool) {
	for _, src := range s.ordered() {
		if src.kind == Own {
			return src.last, true
		}
	}
	return event.HealthLog{}, false
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
