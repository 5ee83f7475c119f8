package healer

import (
	"sync/atomic"
	"time"

	"logstream/internal/event"
)

// observations are the health records on their way to the loop. Once the replay is
// over they are taken before anything else that waits: where many incidents move at
// once, none of them is decided about by what its service was before.
type observations struct {
	first   chan timed    // those that are taken first
	inOrder *atomic.Int64 // those that wait among all other inputs
	over    *atomic.Bool  // the replay is over
}

func newObservations() observations {
	return observations{first: make(chan timed, 1024), inOrder: &atomic.Int64{}, over: &atomic.Bool{}}
}

// handle gives the loop the health records, in their order: none is taken first while
// one before it waits among the others.
func (o observations) handle(l *life) func(event.Record) error {
	return func(r event.Record) error {
		in, err := readHealth(r)
		if err != nil || in == nil {
			return err
		}
		if o.over.Load() && o.inOrder.Load() == 0 {
			select {
			case o.first <- timed{in, r.Time}:
			case <-l.work.Done():
			}
			return nil
		}
		o.inOrder.Add(1)
		l.give(l.work, timed{in, r.Time})
		return nil
	}
}

// takeSeen takes what was observed by now.
func takeSeen(l *life) {
	for range len(l.seen.first) {
		l.step((<-l.seen.first).in, time.Now())
	}
}

// take takes one input, at the time of its record while that is replayed.
func take(l *life, in timed) {
	now := time.Now()
	if !l.controller.Replayed() && !in.at.IsZero() && in.at.Before(now) {
		now = in.at
	}
	l.step(in.in, now)
	switch in.in.(type) {
	case ReadHealth:
		l.seen.inOrder.Add(-1)
	case Replayed:
		l.seen.over.Store(true)
	}
}
