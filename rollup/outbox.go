package rollup

import (
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	// confirmWithin is how long a record may take to be read back before it is
	// written again: the batching producer gives up what is too much for it.
	confirmWithin = 30 * time.Second
	// writtenAtOnce bounds what a tick writes, so that health logs have room beside it.
	writtenAtOnce = 2000
	// outboxFull is from how many on no more buckets are closed.
	outboxFull = 10_000
)

// identity is what readers identify records by.
type identity struct {
	level   int
	service string
	start   int64
}

func identityOf(level int, r event.Rollup) identity {
	return identity{level, r.Service, r.Start.Unix()}
}

// outbox holds records from when they are made until they were read back.
type outbox struct {
	order []identity
	held  map[identity]*outgoing
}

type outgoing struct {
	Closed
	sent time.Time // zero: not yet
}

func (o *outbox) add(c Closed) {
	if o.held == nil {
		o.held = map[identity]*outgoing{}
	}
	id := identityOf(c.Level, c.Record)
	if o.held[id] == nil {
		o.order = append(o.order, id)
	}
	o.held[id] = &outgoing{Closed: c}
}

// confirm takes a record that was read.
func (o *outbox) confirm(level int, r event.Rollup) {
	id := identityOf(level, r)
	if held := o.held[id]; held != nil && held.Record.Nonce == r.Nonce && held.Record.Revision == r.Revision {
		delete(o.held, id)
	}
}

func (o *outbox) isFull() bool { return len(o.held) >= outboxFull }

// due are the records to be written now, in order.
func (o *outbox) due(now time.Time) []Closed {
	o.order = slices.DeleteFunc(o.order, func(id identity) bool { return o.held[id] == nil })
	var due []Closed
	for _, id := range o.order {
		if held := o.held[id]; len(due) < writtenAtOnce && (held.sent.IsZero() || now.Sub(held.sent) >= confirmWithin) {
			held.sent = now
			due = append(due, held.Closed)
		}
	}
	return due
}
