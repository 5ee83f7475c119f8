package history

import (
	"maps"
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	maxNames     = 2048
	deployment   = 10 * time.Second // after a container was created, removed or renamed
	settle       = 5 * time.Second  // after the engine is back
	engineStop   = 15 * time.Second // a stop whose event stream ends within it was the engine's own
	projectStops = 10 * time.Second // stops of one project's containers within it belong together
)

// Host is what the engine of a host reported: of every container, by its name, and
// of itself.
type Host struct {
	byName    map[string]History
	lostAt    time.Time          // when the event stream ended, as read; zero while it is read
	backAt    time.Time          // when it came back
	losses    []time.Time        // when it ended, within MaxAge
	projects  map[string][]Event // by Compose project: the newest containers of it that were created, removed or renamed
	replacing []Event            // containers that were created of late to replace another
	renamed   []Event            // renames, under the new names, within MaxAge
	ticked    time.Time          // the newest Tick
}

// NewHost is a host without events.
func NewHost() *Host {
	return &Host{byName: map[string]History{}, projects: map[string][]Event{}}
}

// Read takes an event, or the end or return of the stream of events. watched
// says whether a name is a service's container: those are always kept; where
// there are too many names, the others, without an event for long, make room.
func (h *Host) Read(e event.Docker, now time.Time, watched func(name string) bool) {
	switch e.Action {
	case event.StreamLost:
		h.lostAt = now
		h.losses = append(slices.DeleteFunc(h.losses, older(now, MaxAge)), now)
		return
	case event.StreamBack:
		if !h.lostAt.IsZero() {
			h.lostAt, h.backAt = time.Time{}, now
		}
		return
	}
	if !h.makeRoom(e.Container, now, watched) {
		return
	}
	read := Event{Docker: e, ReadAt: now}
	h.byName[e.Container] = h.byName[e.Container].Add(read)
	switch e.Action {
	case "create", "destroy", "rename":
		if e.Project != "" {
			old := func(e Event) bool { return now.Sub(e.ReadAt) > deployment }
			h.projects[e.Project] = append(slices.DeleteFunc(h.projects[e.Project], old), read)
			maps.DeleteFunc(h.projects, func(_ string, of []Event) bool { return old(of[len(of)-1]) })
		}
	}
	if e.Action == "rename" {
		h.renamed = append(slices.DeleteFunc(h.renamed, func(old Event) bool { return old.ID == e.ID || now.Sub(old.ReadAt) > MaxAge }), read)
	}
	if e.Replace != "" && e.Action == "create" {
		h.replacing = append(slices.DeleteFunc(h.replacing, func(old Event) bool { return now.Sub(old.ReadAt) > deployment }), read)
	}
}

func older(now time.Time, age time.Duration) func(time.Time) bool {
	return func(t time.Time) bool { return now.Sub(t) > age }
}

func (h *Host) makeRoom(name string, now time.Time, watched func(string) bool) bool {
	if _, known := h.byName[name]; known || len(h.byName) < maxNames {
		return true
	}
	maps.DeleteFunc(h.byName, func(old string, of History) bool {
		return !watched(old) && now.Sub(of[len(of)-1].ReadAt) > MaxAge
	})
	return len(h.byName) < maxNames || watched(name)
}

// Of is the events of the containers with that name.
func (h *Host) Of(name string) History { return h.byName[name] }

// Lost says whether the engine's events are not read: Docker is unreachable.
func (h *Host) Lost() bool { return !h.lostAt.IsZero() }

// SettledAt is when what a returning engine does of itself is over.
func (h *Host) SettledAt() time.Time {
	if h.backAt.IsZero() {
		return time.Time{}
	}
	return h.backAt.Add(settle)
}

// StoppedByEngine says whether the event stream ended soon after an event that
// was read then: an engine that stops takes its containers down.
func (h *Host) StoppedByEngine(readAt time.Time) bool {
	return slices.ContainsFunc(h.losses, func(lost time.Time) bool {
		since := lost.Sub(readAt)
		return since >= 0 && since < engineStop
	})
}

// DeployedUntil is until when a deployment may be under way: by the engine's
// removals and renames of containers of that name, and by the rename of the one with
// that id to another name, for at least quiet, and by what was created, removed or
// renamed in its Compose project. own says whether an action of ours caused an event.
func (h *Host) DeployedUntil(name, id, project string, quiet time.Duration, own func(Event) bool) time.Time {
	var until time.Time
	if e, found := h.byName[name].Last(func(_ int, e Event) bool { return !own(e) }, "destroy", "rename"); found {
		until = e.ReadAt.Add(max(deployment, quiet))
	}
	for _, e := range h.renamed {
		if ends := e.ReadAt.Add(max(deployment, quiet)); id != "" && e.ID == id && ends.After(until) && !own(e) {
			until = ends
		}
	}
	for _, e := range slices.Backward(h.projects[project]) {
		if ends := e.ReadAt.Add(deployment); ends.After(until) && !own(e) {
			until = ends
		}
	}
	return until
}

// IsReplaced says whether a container was created a moment ago that is to
// replace the one with that name or id.
func (h *Host) IsReplaced(name, id string, now time.Time) bool {
	return slices.ContainsFunc(h.replacing, func(e Event) bool {
		return (e.Replace == name || e.Replace == id) && now.Sub(e.ReadAt) < deployment
	})
}

// Tick notes what time it is by our clock. Where that was set back, what was read at a
// later time was read by now.
func (h *Host) Tick(now time.Time) {
	back := now.Before(h.ticked)
	if h.ticked = now; !back {
		return
	}
	for _, of := range h.byName {
		for i := range of {
			if of[i].ReadAt.After(now) {
				of[i].ReadAt = now
			}
		}
	}
}

// DoneTogether says whether another container of the project was stopped, or paused,
// beside one of which that lasted from began to at, by the engine's clock: within ten
// seconds of it. action is that event. A stop that is in progress at now, by our clock,
// counts: it may take as long as its time-out. counts says whether an event of the container with that name, by
// its index, counts as an act from outside; stopOf how the container with that id is stopped.
func (h *Host) DoneTogether(action, name, project string, began, at, now time.Time, counts func(name string, i int, e Event) bool, stopOf func(id string) Stop) bool {
	if project == "" {
		return false
	}
	for other, of := range h.byName {
		if other == name {
			continue
		}
		if _, found := of.Last(func(i int, e Event) bool {
			near := e.Project == project && e.Time.After(began.Add(-projectStops)) && e.Time.Before(at.Add(projectStops))
			switch {
			case !near || !counts(other, i, e):
				return false
			case e.Action == "kill":
				return action == "stop" && of.beginsStop(i, stopOf(e.ID), now)
			}
			return !of.IsEcho(i) && !of.IsOfRestart(i)
		}, action, "kill"); found {
			return true
		}
	}
	return false
}
