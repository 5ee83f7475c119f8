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
	// outOfOrder is how much older than what was read before it an event may be whose place
	// is before that: the engine is asked again for the last second alone. What is older
	// still was dated by a clock that was set back.
	outOfOrder = 2 * time.Second
	// apart is how much later than it happened an event may be read, and how much later
	// than StartedAt a start may be reported. Where it is more, the clocks do not agree.
	apart = 30 * time.Second
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
// of the engine's times; where its clock was set back, in the order they were read.
type History []Event

// Add is h with e at its place: what was missed is reported later, and belongs in
// between. The same event read twice counts once. Old events make room.
func (h History) Add(e Event) History {
	if slices.ContainsFunc(h, func(known Event) bool {
		return known.Time.Equal(e.Time) && known.ID == e.ID && known.Action == e.Action
	}) {
		return h
	}
	at := len(h)
	for at > 0 && h[at-1].Time.After(e.Time) && h[at-1].Time.Sub(e.Time) <= outOfOrder {
		at--
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

// Until is how many events came up to the one of the engine's time t, and with it.
// Where there is none of that time, those count that are not newer.
func (h History) Until(t time.Time) int {
	for i, e := range slices.Backward(h) {
		if e.Time.Equal(t) {
			return i + 1
		}
	}
	for i, e := range slices.Backward(h) {
		if e.Time.Before(t) {
			return i + 1
		}
	}
	return 0
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

// startOf is the start of the container with that id that began the life of the engine's
// time started; false where it was not read yet, or is not known any more.
func (h History) startOf(id string, started time.Time) (Event, bool) {
	e, found := h.Last(func(_ int, e Event) bool { return e.ID == id }, "start")
	after := e.Time.Sub(started)
	return e, found && after >= 0 && after < apart
}

// Began is when the life of the container with that id, of the engine's time started, had
// begun at the latest by our clock, with which the engine's may not agree.
func (h History) Began(id string, started time.Time) time.Time {
	if e, known := h.startOf(id, started); known && (e.ReadAt.Before(started) || e.ReadAt.Sub(e.Time) > apart) {
		return e.ReadAt
	}
	return started
}

// IsOfRunning says whether e, after which no start of its container was read, came in the
// life of the engine's time started, and not in the one before. A start that is still to
// be read is not much later than e; what is later was dated before the clock was set back.
func (h History) IsOfRunning(e Event, started, now time.Time) bool {
	_, known := h.startOf(e.ID, started)
	return known || e.Time.After(started) || started.Sub(e.Time) > now.Sub(e.ReadAt)+apart
}

// IsEcho says whether event i is a pause, or the unpause that belongs to it,
// which follow each other so closely that nothing can have happened between.
func (h History) IsEcho(i int) bool {
	switch h[i].Action {
	case "pause":
		for _, next := range h[i+1:] {
			if next.ID == h[i].ID {
				return next.Action == "unpause" && next.Time.Sub(h[i].Time).Abs() < echoPair
			}
		}
	case "unpause":
		for k := i - 1; k >= 0; k-- {
			if h[k].ID == h[i].ID {
				return h[k].Action == "pause" && h[i].Time.Sub(h[k].Time).Abs() < echoPair
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
			return h[i].Time.Sub(e.Time).Abs() < lateStop
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
