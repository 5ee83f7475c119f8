// Package history reads the engine's events of a container: how it ended,
// which of the events our own action caused, and what changed from outside. It
// is pure.
//
// Engine times are only ever compared with engine times; waiting is measured
// from when an event was read.
//
// Within one life of a container, from a start to the next, the order of its
// stop and die events means nothing: Docker 20.10 reports die first, Docker 29
// stop first, because they come from different goroutines of the engine. What
// ended a life is therefore read from the set of its events.
package history

import (
	"cmp"
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	// MaxAge is how long events are kept.
	MaxAge = 15 * time.Minute
	maxLen = 256 // of one name
	// echoPair is how close a pause and its unpause may follow each other to be
	// no more than an echo, which engine 20.10 writes after a quick unpause.
	echoPair = 250 * time.Millisecond
	// lateStop is how long after a start a stop event may still come that
	// belongs to the life before.
	lateStop = 500 * time.Millisecond
)

// Event is an engine event, and when it was read here.
type Event struct {
	event.Docker
	ReadAt time.Time
}

// IsOfLife says whether an event is about a container's life: that its health
// changed, or its networks, starts and ends nothing.
func IsOfLife(action string) bool {
	switch action {
	case "health_status", "connect", "disconnect":
		return false
	}
	return true
}

// History is the engine's events of the containers of one name, in the order
// of the engine's times.
type History []Event

// Add is h with e at its place: what was missed is reported later, and belongs in
// between. The same event read twice counts once. Old events make room.
func (h History) Add(e Event) History {
	at := len(h)
	for at > 0 && h[at-1].Time.After(e.Time) {
		at--
	}
	for i := at - 1; i >= 0 && h[i].Time.Equal(e.Time); i-- {
		if h[i].ID == e.ID && h[i].Action == e.Action {
			return h
		}
	}
	h = slices.Insert(h, at, e)
	for len(h) > maxLen || e.ReadAt.Sub(h[0].ReadAt) > MaxAge {
		h = h[1:]
	}
	return h
}

// Newest is the engine's time of the newest event; zero where there is none.
func (h History) Newest() time.Time {
	if len(h) == 0 {
		return time.Time{}
	}
	return h[len(h)-1].Time
}

// After is the part of h that is newer than the engine's time t.
func (h History) After(t time.Time) History {
	i := slices.IndexFunc(h, func(e Event) bool { return e.Time.After(t) })
	if i < 0 {
		return nil
	}
	return h[i:]
}

// Last is the newest event of one of the actions that keep, given its index,
// says yes to; a nil keep says yes to all.
func (h History) Last(keep func(int, Event) bool, actions ...string) (Event, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if slices.Contains(actions, h[i].Action) && (keep == nil || keep(i, h[i])) {
			return h[i], true
		}
	}
	return Event{}, false
}

// Ran says whether an event shows that the container with that id has run.
func (h History) Ran(id string) bool {
	_, ran := h.Last(func(_ int, e Event) bool { return e.ID == id }, "die", "start", "restart")
	return ran
}

// IsEcho says whether event i is a pause, or the unpause that belongs to it,
// which follow each other so closely that nothing can have happened between.
func (h History) IsEcho(i int) bool {
	switch h[i].Action {
	case "pause":
		for _, next := range h[i+1:] {
			if next.ID == h[i].ID {
				return next.Action == "unpause" && next.Time.Sub(h[i].Time) < echoPair
			}
		}
	case "unpause":
		for k := i - 1; k >= 0; k-- {
			if h[k].ID == h[i].ID {
				return h[k].Action == "pause" && h[i].Time.Sub(h[k].Time) < echoPair
			}
		}
	}
	return false
}

// MayBecomeEcho says whether the unpause that would make a pause an echo may
// still be read.
func (e Event) MayBecomeEcho(now time.Time) bool {
	return e.Action == "pause" && now.Sub(e.ReadAt) < echoPair+300*time.Millisecond
}

// isLateStop says whether event i is a stop that was reported late: without a kill in
// its life, and right after its start, it belongs to the life before.
func (h History) isLateStop(i int) bool {
	if h[i].Action != "stop" {
		return false
	}
	for k := i - 1; k >= 0; k-- {
		switch e := h[k]; {
		case e.ID != h[i].ID:
		case e.Action == "kill":
			return false
		case e.Action == "start":
			return h[i].Time.Sub(e.Time) < lateStop
		}
	}
	return false
}

// IsOfRestart says whether stop i is only the first half of a restart.
func (h History) IsOfRestart(i int) bool {
	for _, next := range h[i+1:] {
		switch {
		case next.ID != h[i].ID, next.Action == "die", next.Action == "start":
		case next.Action == "restart":
			return true
		default:
			return false
		}
	}
	return false
}

// How long a stop may still be in progress at, by our clock: after its signal, unless the
// container's own time-out is longer, and after the end of the process, which the engine
// reports just before the stop. What is longer was a signal alone, such as the QUIT of a
// thread dump.
const (
	stopLasts   = time.Minute
	stopReports = 2 * time.Second
)

// beginsStop says whether kill i was sent by a stop that is in progress at now, or that
// has stopped its container, which is stopped in that way. A stop that is the first half
// of a restart is none.
func (h History) beginsStop(i int, stop Stop, now time.Time) bool {
	if !stop.terminates(h[i].Signal) || h[i].Signal == "9" {
		return false
	}
	since, lasts := h[i].ReadAt, stopLasts
	if h[i].Signal == cmp.Or(stop.Signal, "15") {
		lasts = max(lasts, stop.Timeout+killReach)
	}
	for k, next := range h[i+1:] {
		switch {
		case next.ID != h[i].ID:
		case next.Action == "stop":
			return !h.IsOfRestart(i + 1 + k)
		case next.Action == "start":
			return false
		case next.Action == "die":
			since, lasts = next.ReadAt, stopReports
		}
	}
	return now.Sub(since) < lasts
}

// StopBegan is when the stop of the container with that id began that ended at at, both
// by the engine's clock: its newest signal before that which asks the process to end, or
// at itself.
func (h History) StopBegan(id string, stop Stop, at time.Time) time.Time {
	signal, found := h.Last(func(_ int, e Event) bool {
		return e.ID == id && e.Time.Before(at) && at.Sub(e.Time) <= stop.Timeout+begunWithin && e.Signal != "9" && stop.terminates(e.Signal)
	}, "kill")
	if !found {
		return at
	}
	return signal.Time
}

// IsRemovedAfter says whether the container of event i was removed after it: a
// deployment stops what it replaces.
func (h History) IsRemovedAfter(i int) bool {
	_, gone := h[i:].Last(func(_ int, e Event) bool { return e.ID == h[i].ID }, "destroy")
	return gone
}
