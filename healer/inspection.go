package healer

import (
	"errors"
	"time"

	"logstream/healer/gate"
	"logstream/healer/history"
	"logstream/healer/loglines"
	"logstream/internal/container"
	"logstream/internal/event"
)

const (
	inspectAgain = 5 * time.Second  // an inspection is good for that long
	inspectRetry = time.Second      // while the engine does not answer
	inspectLost  = 15 * time.Second // an inspection whose outcome never came is made again
	idleRetry    = 10 * time.Second // of a service about which nothing is open
	pauseReach   = time.Second      // a pause event not further from now counts as an inspection, unless it is this soon after a start or unpause
)

// pausedLog is why no log of a paused container is read.
const pausedLog = "its container is paused"

// inspection is what was last seen of the container.
type inspection struct {
	request int       // the newest
	open    bool      // it is under way
	asked   time.Time // when it was begun
	at      time.Time // when the last one ended; zero: never
	state   container.State
	err     error
	logs    readLog
	full    bool // the newest was made with its log
	stale   bool // something happened since it was begun
	byEvent bool // state is as a pause event shows it
}

// freshness says whether an inspection can be decided from.
type freshness int

const (
	fresh    freshness = iota
	underway           // its outcome comes in a moment
	overdue            // it is to be made
)

// due says whether the container was inspected since anything happened to it,
// and not long ago.
func (i inspection) due(now time.Time) freshness {
	age := now.Sub(i.at)
	switch {
	case i.open && now.Sub(i.asked) < inspectLost:
		return underway
	case i.stale || i.at.IsZero() || age > inspectAgain:
		return overdue
	case i.err != nil && age >= inspectRetry && !errors.Is(i.err, container.ErrNotFound):
		return overdue
	}
	return fresh
}

// mayWrite says whether the container, as it was inspected, may have written more
// since, such as why it fails.
func (i inspection) mayWrite() bool {
	return i.isCurrent() && i.err == nil && i.state.Status == container.Running
}

// planInspection is what is to be done until the container was inspected since
// anything happened to it, and not long ago.
func planInspection(v View) (Decision, bool) {
	if verdict := gate.Check(gate.Engine, v.Situation); !verdict.Passes() {
		return heldIfOpen(v, verdict), true
	}
	switch v.Inspection.due(v.Now) {
	case underway:
		return wait(), true
	case overdue:
		return Decision{Kind: DoInspect}, true
	}
	return Decision{}, false
}

// dueSince says whether the container was inspected after t, and not so long ago
// that the effect of a call could be seen by now.
func (i inspection) dueSince(t, now time.Time) freshness {
	switch {
	case i.open && now.Sub(i.asked) <= inspectLost:
		return underway
	case i.open, i.stale, i.at.Before(t), now.Sub(i.at) > inspectRetry:
		return overdue
	}
	return fresh
}

// dueAfter says whether the container was inspected after t, and since anything
// happened to it.
func (i inspection) dueAfter(t, now time.Time) freshness {
	switch {
	case i.open && now.Sub(i.asked) < inspectLost:
		return underway
	case i.stale || !i.asked.After(t):
		return overdue
	}
	return fresh
}

// idleDue says whether the container of a service about which nothing is open is
// to be inspected: once, and again when something happened to it, so that it is
// known which container it was, and that it ran, before anything breaks.
func (i inspection) idleDue(now time.Time) bool {
	switch {
	case i.open && now.Sub(i.asked) < inspectLost:
		return false
	case !i.at.IsZero() && !i.stale && i.err == nil:
		return false
	case !i.at.IsZero() && now.Sub(i.asked) < time.Second:
		return false
	}
	return i.err == nil || now.Sub(i.asked) >= idleRetry
}

// isCurrent says that nothing happened to the container since it was inspected
// that the inspection does not show.
func (i inspection) isCurrent() bool { return !i.stale && !i.open && !i.at.IsZero() }

// begin is the next inspection, begun at now.
func (i *inspection) begin(withLogs bool, now time.Time) (request int) {
	i.request++
	i.open, i.asked, i.stale, i.full, i.byEvent = true, now, false, withLogs, false
	return i.request
}

// observe takes an event of the engine, at now: what was inspected before is no
// longer so. A pause changes nothing but the state, so its event stands for an
// inspection where the last one still held: an engine answers one only once it is
// through with the pause. Where the engine's clock is off by pauseReach or more, it is not
// known whether the event came before or after the inspection, and the container is
// inspected again. The pins are compared with the container before any call all the same.
func (i *inspection) observe(e event.Docker, h history.History, now time.Time) {
	wake, woke := h.Last(func(_ int, w history.Event) bool { return w.ID == e.ID }, "start", "restart", "unpause")
	echo := woke && e.Time.Sub(wake.Time) < pauseReach // after a quick unpause an engine may report another pause, which never happened
	if e.Action != "pause" || echo || !i.isCurrent() || i.err != nil || i.state.ID != e.ID || i.state.Status != container.Running ||
		!i.at.Before(e.Time) || now.Sub(e.Time).Abs() >= pauseReach {
		i.stale = true
		return
	}
	i.begin(true, now)
	i.open, i.at, i.byEvent = false, now, true
	i.state.Status, i.logs = container.Paused, readLog{missing: pausedLog}
}

// shows says whether a change of the container's level is what the event that
// stands for the inspection shows already.
func (i inspection) shows(level event.Status) bool {
	return i.byEvent && i.isCurrent() && level == event.Down
}

// take takes the outcome of an inspection, and says whether it is the newest.
func (i *inspection) take(in Inspected, now time.Time) bool {
	if in.Request != i.request || !i.open {
		return false
	}
	i.open, i.at = false, now
	i.state, i.err, i.logs = in.State, in.Err, readLog{in.Logs, in.Truncated, in.FirstSeen, in.Signs, in.LogsMissing, loglines.KeyLine(in.Logs)}
	return true
}
