package monitor

import (
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// healthOf is what a container's own HEALTHCHECK says, as a level; false where it
// says nothing: there is none, it has not decided, or the container does not
// run. The engine keeps the last result of one that is paused or has ended.
func healthOf(s container.State) (level, bool) {
	if s.Status != container.Running {
		return level{}, false
	}
	switch s.Health {
	case container.Healthy:
		return level{status: event.Up, id: s.ID, started: s.StartedAt}, true
	case container.Unhealthy:
		l := level{status: event.Down, id: s.ID, started: s.StartedAt, failure: event.FailureUnhealthy,
			err: "the HEALTHCHECK of container " + clean(s.Name) + " fails"}
		if s.HealthOutput != "" {
			l.err += ": " + clean(s.HealthOutput)
		}
		return l, true
	}
	return level{}, false
}

// writeHealth writes what the HEALTHCHECK says, at every change and whenever the
// level is written again.
func (w *watch) writeHealth(t *target, s container.State, wanted time.Time, forced bool, took time.Duration) {
	seen, says := healthOf(s)
	if !says {
		t.health = level{}
		return
	}
	if seen.isAs(t.health) && !forced {
		return
	}
	if _, is := w.owner(); !is {
		return
	}
	t.healthStamp = nextStamp(later(wanted, t.stamp), t.healthStamp)
	t.health = seen
	w.out.putLevel(t.record(event.CheckHealth, seen, t.healthStamp, forced, took))
}

// isAs says whether nothing changed but the words: those of a health check may
// differ each time.
func (l level) isAs(other level) bool {
	l.err, other.err = "", ""
	return l == other
}
