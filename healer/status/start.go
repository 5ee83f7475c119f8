package status

import (
	"slices"
	"time"

	"logstream/internal/event"
)

// start is what start_period needs: failures of a check that began within it,
// after the container's start or the first observation of a new service, don't
// count before the first success since that start. So do Compose's.
type start struct {
	isNew    bool        // nothing was ever published of it: it starts with its first observation
	times    []time.Time // starts, newest last: those of the container and that one
	answered time.Time   // when the newest good observation of our own check began
}

// maxStarts is how many starts are remembered: checks are read long after the
// engine's events in a replay alone.
const maxStarts = 32

// Started says that the container started then. It may be said twice, and before
// or after the checks that began around it are observed.
func (s *Status) Started(at time.Time) {
	s.start.add(at)
	for _, src := range s.sources {
		if !src.last.Time().Before(at) && s.isStarting(src, src.last) {
			src.fail(src.last.Time(), false)
		}
	}
}

func (t *start) add(at time.Time) {
	i, known := slices.BinarySearchFunc(t.times, at, time.Time.Compare)
	if known {
		return
	}
	t.times = slices.Insert(t.times, i, at)
	t.times = t.times[max(0, len(t.times)-maxStarts):]
}

// restore takes from what was published that it was decided then, and was not
// starting any more, or that it was new.
func (t *start) restore(published *event.Service) {
	switch published.Status {
	case event.Pending:
		t.add(published.Since)
	case event.Up, event.Degraded, event.Down:
		t.answered = published.Since
	}
}

// newest is the last start at or before t.
func (t *start) newest(at time.Time) (time.Time, bool) {
	for _, began := range slices.Backward(t.times) {
		if !began.After(at) {
			return began, true
		}
	}
	return time.Time{}, false
}

// countStart notes what an observation says about a start. Where there was one
// since the last, with a start_period, failures before it count no more.
func (s *Status) countStart(src *source, h event.HealthLog) {
	if began, is := s.start.newest(h.Time()); is && s.def.StartPeriod > 0 && s.starts(src) && src.last.Time().Before(began) {
		src.bad, src.window = nil, nil
	}
	if src.kind != Own {
		return
	}
	if s.start.isNew {
		s.start.isNew = false
		s.start.add(h.Time())
	}
	if h.Status != event.Down && h.Time().After(s.start.answered) {
		s.start.answered = h.Time()
	}
}

// starts says whether a source looks at the service from outside, and so fails
// while it starts.
func (s *Status) starts(src *source) bool {
	return (src.kind == Own || src.kind == Foreign) && !s.def.Pushes()
}

// isStarting says whether an observation is a failure within the start period.
func (s *Status) isStarting(src *source, h event.HealthLog) bool {
	if h.Status != event.Down || s.def.StartPeriod == 0 || !s.starts(src) {
		return false
	}
	began, is := s.start.newest(h.Time())
	return is && s.start.answered.Before(began) && h.Time().Before(began.Add(s.def.StartPeriod))
}

// CountsAfter is from when on failures of our own check count after a start:
// from its first success, or else from the end of start_period.
func (s *Status) CountsAfter(started time.Time) time.Time {
	if s.start.answered.Before(started) && !s.def.Pushes() {
		return started.Add(s.def.StartPeriod)
	}
	return started
}
