package healer

import (
	"errors"
	"time"

	"logstream/internal/container"
)

const (
	inspectAgain = 5 * time.Second  // an inspection is good for that long
	inspectRetry = time.Second      // while the engine does not answer
	inspectLost  = 15 * time.Second // an inspection whose outcome never came is made again
	idleRetry    = 10 * time.Second // of a service about which nothing is open
)

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

// since says whether the container was inspected after t, and not so long ago
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
	i.open, i.asked, i.stale, i.full = true, now, false, withLogs
	return i.request
}

// take takes the outcome of an inspection, and says whether it is the newest.
func (i *inspection) take(in Inspected, now time.Time) bool {
	if in.Request != i.request || !i.open {
		return false
	}
	i.open, i.at = false, now
	i.state, i.err, i.logs = in.State, in.Err, readLog{in.Logs, in.Truncated, in.FirstSeen, in.Signs, in.LogsMissing}
	return true
}
