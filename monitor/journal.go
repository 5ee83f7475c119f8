package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"logstream/internal/event"
)

const (
	// recallWindow is how far back the log is read at a start, to know what of
	// the engine's events is written already.
	recallWindow = 15 * time.Minute
	// maxWritten is how many written events are remembered; an engine
	// remembers far fewer (Docker 256).
	maxWritten = 4096
	// overlap is how far before the newest event a stream is asked for again:
	// an engine's events may stand a little out of the order of their times.
	overlap = time.Second
)

// mark is an engine event's identity.
type mark struct {
	nano   int64
	id     string
	action string
}

func markOf(d event.Docker) mark { return mark{d.Time.UnixNano(), d.ID, d.Action} }

// journal is what was written of the engine's events: the newest maxWritten.
type journal struct {
	newest time.Time // the engine's time of the newest event, as its clock is now; zero: none is known
	began  bool      // something was written at some time, if not lately
	first  time.Time // of what was written lately, the oldest time; zero: nothing was
	known  map[mark]bool
	order  []mark
	next   int // the place in order, once it is full, of the next one
	loops  crashLoops
}

// add remembers an event; false where it is known already.
func (j *journal) add(d event.Docker) bool {
	m := markOf(d)
	if j.known[m] {
		return false
	}
	if j.known == nil {
		j.known = map[mark]bool{}
	}
	if len(j.order) < maxWritten {
		j.order = append(j.order, m)
	} else {
		delete(j.known, j.order[j.next])
		j.order[j.next] = m
		j.next = (j.next + 1) % maxWritten
	}
	j.known[m] = true
	if d.Time.After(j.newest) || j.newest.Sub(d.Time) > overlap { // the engine's clock was set back
		j.newest = d.Time
	}
	return true
}

// since is from when on to read the engine's events. Where nothing was ever written that
// is zero, from now on: what happened before logstream was first started is
// not its business, and must not be taken for something that it saw.
func (j *journal) since(now time.Time) time.Time {
	switch {
	case !j.newest.IsZero():
		return j.newest.Add(-overlap)
	case j.began:
		return later(now.Add(-recallWindow), j.first.Add(-overlap))
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// recall reads from the log what of the engine's events is written already.
// Only signed records of our own host are believed: a forged one could
// make us leave out an event.
func recall(ctx context.Context, log Log, host string, now time.Time) (*journal, error) {
	j := &journal{loops: crashLoops{}}
	err := read(ctx, log, now.Add(-recallWindow), func(r event.Record) bool {
		d, err := event.DecodeDocker(r.Value)
		if err != nil || !r.Signed || d.Host != host {
			return true
		}
		j.began = true
		if j.first.IsZero() || d.Time.Before(j.first) {
			j.first = d.Time
		}
		if d.Action != event.StreamLost && d.Action != event.StreamBack {
			if j.add(d) {
				j.loops.observe(d, d.Time)
			}
			// An old one that was published again must not have the engine
			// asked for all events since then.
			j.newest = later(j.newest, now.Add(-recallWindow))
		}
		return true
	})
	if err != nil || j.began {
		return j, err
	}
	err = read(ctx, log, time.Time{}, func(r event.Record) bool {
		d, err := event.DecodeDocker(r.Value)
		j.began = err == nil && r.Signed && d.Host == host
		return !j.began
	})
	return j, err
}

// read calls more with the engine's events on the log, until it returns false
// or all that stood there at the beginning was read.
func read(ctx context.Context, log Log, since time.Time, more func(event.Record) bool) error {
	reading, enough := context.WithCancel(ctx)
	defer enough()
	finished := false
	err := log.Subscribe(reading, event.Subscription{
		Topic: event.TopicDocker, Since: since,
		Handle: func(r event.Record) error {
			if !finished && !more(r) {
				finished = true
				enough()
			}
			return nil
		},
		CaughtUp: func() {
			finished = true
			enough()
		},
	})
	if finished {
		return nil
	}
	if err == nil {
		err = errors.New("the reading ended before the end of the topic")
	}
	return fmt.Errorf("read %s since %s: %w", event.TopicDocker, since.UTC().Format(time.RFC3339), err)
}
