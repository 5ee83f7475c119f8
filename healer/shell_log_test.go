package healer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"logstream/internal/event"
)

// memoryLog is the event log in memory. It keeps what event.Log says: what was
// acknowledged is read by every subscriber, in the order of its topic, and what
// is not signed reaches the dead letters where signatures are required. Its
// faults are those of a broker and of the way to it.
type memoryLog struct {
	timeline *timeline

	mu          sync.Mutex
	topics      map[string][]event.Record
	changed     chan struct{} // closed at every change
	unreachable bool
	held        map[string]func(event.Record) bool // by topic: what is not delivered, nor what stands behind it
	faults      map[string]appendFault             // by topic
	waiting     []event.Record                     // enqueued while it was unreachable
	attempts    []event.Record                     // every append by the healer, whatever became of it
	rejected    []event.Record
}

// appendFault says what becomes of an append. refuse and forget decide for each
// record whether they apply.
type appendFault struct {
	slow   time.Duration             // it is written only after that
	refuse func(r event.Record) bool // it is not written, and an error says so
	forget func(r event.Record) bool // it is written, and its answer is lost
}

const (
	toBroker   = time.Millisecond
	fromBroker = 2 * time.Millisecond
)

var (
	errRefused = errors.New("the broker refused")
	errNoReply = errors.New("EOF")
	signedOnly = []string{event.TopicCommands, event.TopicIncidents, event.TopicServices}
)

func newMemoryLog(tl *timeline) *memoryLog {
	return &memoryLog{timeline: tl, topics: map[string][]event.Record{}, changed: make(chan struct{}),
		held: map[string]func(event.Record) bool{}, faults: map[string]appendFault{}}
}

// Append is event.Log's.
func (l *memoryLog) Append(ctx context.Context, topic, key string, value []byte) error {
	r := event.Record{Topic: topic, Key: []byte(key), Value: slices.Clone(value), Signed: true}
	l.mu.Lock()
	l.attempts = append(l.attempts, r)
	fault := l.faults[topic]
	l.mu.Unlock()
	if err := l.whenReachable(ctx); err != nil {
		return err
	}
	if fault.refuse != nil && fault.refuse(r) {
		return errRefused
	}
	written := make(chan struct{})
	time.AfterFunc(toBroker+fault.slow, func() { // what is on its way arrives, wanted or not
		l.write(r)
		close(written)
	})
	select {
	case <-written:
	case <-ctx.Done():
		return ctx.Err()
	}
	if fault.forget != nil && fault.forget(r) {
		return errNoReply
	}
	return nil
}

// whenReachable waits until the log can be reached.
func (l *memoryLog) whenReachable(ctx context.Context) error {
	for {
		l.mu.Lock()
		unreachable, changed := l.unreachable, l.changed
		l.mu.Unlock()
		if !unreachable {
			return ctx.Err()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Enqueue is event.Log's.
func (l *memoryLog) Enqueue(topic, key string, value []byte) {
	l.put(event.Record{Topic: topic, Key: []byte(key), Value: slices.Clone(value), Signed: true})
}

// put writes a record, of whomever, once the log can be reached.
func (l *memoryLog) put(r event.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unreachable {
		l.waiting = append(l.waiting, r)
		return
	}
	l.add(r)
}

func (l *memoryLog) write(r event.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(r)
}

func (l *memoryLog) add(r event.Record) {
	r.Offset, r.Time = int64(len(l.topics[r.Topic])), time.Now().Truncate(time.Millisecond)
	l.topics[r.Topic] = append(l.topics[r.Topic], r)
	l.timeline.record("write", r)
	l.change()
}

func (l *memoryLog) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Subscribe is event.Log's.
func (l *memoryLog) Subscribe(ctx context.Context, s event.Subscription) error {
	if l.whenReachable(ctx) != nil {
		return nil
	}
	l.mu.Lock()
	end := len(l.topics[s.Topic])
	next := slices.IndexFunc(l.topics[s.Topic], func(r event.Record) bool { return !r.Time.Before(s.Since) })
	if next < 0 {
		next = end
	}
	l.mu.Unlock()
	for caughtUp := false; ; {
		if next >= end && !caughtUp {
			caughtUp = true
			if s.CaughtUp != nil {
				s.CaughtUp()
			}
		}
		r, err := l.next(ctx, s.Topic, next)
		if err != nil {
			return nil
		}
		next++
		if !r.Signed && slices.Contains(signedOnly, s.Topic) {
			l.bury(s, r)
			continue
		}
		l.timeline.record("read", r)
		if err := s.Handle(r); err != nil {
			l.bury(s, r)
		}
	}
}

// next waits for the record with that offset.
func (l *memoryLog) next(ctx context.Context, topic string, offset int) (event.Record, error) {
	for {
		l.mu.Lock()
		var r event.Record
		there := !l.unreachable && offset < len(l.topics[topic])
		if there {
			r = l.topics[topic][offset]
			if hold := l.held[topic]; hold != nil && hold(r) {
				there = false
			}
		}
		changed := l.changed
		l.mu.Unlock()
		if there {
			return r, arrive(ctx, r.Time.Add(fromBroker))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return event.Record{}, ctx.Err()
		}
	}
}

// arrive waits for an instant.
func arrive(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *memoryLog) bury(s event.Subscription, r event.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.DeadLetters {
		l.rejected = append(l.rejected, r)
	}
}

// --- what a test does to it ---

func (l *memoryLog) setUnreachable(unreachable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unreachable = unreachable
	if !unreachable {
		for _, r := range l.waiting {
			l.add(r)
		}
		l.waiting = nil
	}
	l.change()
}

// fail gives the appends to a topic a fault; the zero value ends it.
func (l *memoryLog) fail(topic string, fault appendFault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults[topic] = fault
}

// hold keeps what is from being delivered, and all that stands behind it on its
// topic; nil delivers it.
func (l *memoryLog) hold(topic string, what func(event.Record) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[topic] = what
	l.change()
}

// records are those of a topic, and attempted the healer's appends to it.
func (l *memoryLog) records(topic string) []event.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.topics[topic])
}

func (l *memoryLog) attempted(topic string) []event.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.attempts), func(r event.Record) bool { return r.Topic != topic })
}

func (l *memoryLog) deadLetters() []event.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.rejected)
}
