// Package testlog is an event log in memory, for tests of the actors.
package testlog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"logstream/internal/event"
)

// ErrUnreachable is why an append fails.
var ErrUnreachable = errors.New("no broker answers")

// Log is a log in memory with the promises of event.Log: one order, nothing
// lost, nothing twice.
type Log struct {
	mu          sync.Mutex
	records     []event.Record
	grown       chan struct{}
	caughtUp    map[string]bool // by topic
	Unreachable bool            // appends fail
	Frozen      bool            // appends wait for their ctx
	Unread      bool            // subscriptions see nothing
}

// New is an empty log.
func New() *Log { return &Log{grown: make(chan struct{}), caughtUp: map[string]bool{}} }

// Put adds a record that the broker took at taken.
func (m *Log) Put(topic, key string, value []byte, signed bool, taken time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, event.Record{Topic: topic, Offset: int64(len(m.records)), Time: taken,
		Key: []byte(key), Value: slices.Clone(value), Signed: signed})
	m.wake()
}

func (m *Log) wake() {
	close(m.grown)
	m.grown = make(chan struct{})
}

// Set changes how the log behaves from now on.
func (m *Log) Set(change func(*Log)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
	m.wake()
}

// Append is event.Log's.
func (m *Log) Append(ctx context.Context, topic, key string, value []byte) error {
	m.mu.Lock()
	unreachable, frozen := m.Unreachable, m.Frozen
	m.mu.Unlock()
	if frozen {
		<-ctx.Done()
		return ctx.Err()
	}
	if unreachable {
		return ErrUnreachable
	}
	m.Put(topic, key, value, true, time.Now())
	return nil
}

// Enqueue is event.Log's.
func (m *Log) Enqueue(topic, key string, value []byte) {
	m.Put(topic, key, value, true, time.Now())
}

// Subscribe is event.Log's.
func (m *Log) Subscribe(ctx context.Context, s event.Subscription) error {
	m.mu.Lock()
	end := len(m.records)
	m.mu.Unlock()
	catchUp := func() {
		s.CaughtUp()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.caughtUp[s.Topic] = true
	}
	for next, caught := 0, false; ; {
		m.mu.Lock()
		batch, grown, unread := m.records[min(next, len(m.records)):], m.grown, m.Unread
		m.mu.Unlock()
		if unread {
			batch = nil
		}
		for _, rec := range batch {
			if next == end && !caught {
				caught = true
				catchUp()
			}
			next++
			if rec.Topic == s.Topic && !rec.Time.Before(s.Since) {
				_ = s.Handle(rec) // other tests check unreadable records
			}
		}
		if next >= end && !caught && !unread {
			caught = true
			catchUp()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

// CaughtUp says whether a subscription of a topic has said that it caught up.
func (m *Log) CaughtUp(topic string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.caughtUp[topic]
}

// On is every record of a topic.
func (m *Log) On(topic string) []event.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.records), func(r event.Record) bool { return r.Topic != topic })
}
