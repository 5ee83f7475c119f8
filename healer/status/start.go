package status

import (
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
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

// count notes what an observation says about a start. Where there was one
// since the last, with a start_period, failures before it count no more.
func (t *start) count(src *source, h event.HealthLog, def service.Definition) {
	if began, is := t.newest(h.Time()); is && def.StartPeriod > 0 && starts(src, def) && src.last.Time().Before(began) {
		src.bad, src.window = nil, nil
	}
	if src.kind != Own {
		return
	}
	if t.isNew {
		t.isNew = false
		t.add(h.Time())
	}
	if h.Status != event.Down && h.Time().After(t.answered) {
		t.answered = h.Time()
	}
}

// covers says whether an observation is a failure within the start period.
func (t *start) covers(src *source, h event.HealthLog, def service.Definition) bool {
	if h.Status != event.Down || def.StartPeriod == 0 || !starts(src, def) {
		return false
	}
	began, is := t.newest(h.Time())
	return is && t.answered.Before(began) && h.Time().Before(began.Add(def.StartPeriod))
}

// starts says whether a source checks the service from outside, and so fails
// while it starts.
func starts(src *source, def service.Definition) bool {
	return (src.kind == Own || src.kind == Foreign) && !def.Pushes()
}
