package dashboard

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"logstream/internal/event"
)

var errUnreachable = errors.New("no broker answers")

// memLog is a log in memory with the promises of event.Log: one order, nothing
// lost, nothing twice.
type memLog struct {
	mu          sync.Mutex
	records     []event.Record
	grown       chan struct{}
	unreachable bool // appends fail
	frozen      bool // appends wait for their ctx
	unread      bool // subscriptions see nothing
}

func newMemLog() *memLog { return &memLog{grown: make(chan struct{})} }

// put adds a record that the broker took at taken.
func (m *memLog) put(topic, key string, value []byte, signed bool, taken time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, event.Record{Topic: topic, Offset: int64(len(m.records)), Time: taken,
		Key: []byte(key), Value: slices.Clone(value), Signed: signed})
	m.wake()
}

func (m *memLog) wake() {
	close(m.grown)
	m.grown = make(chan struct{})
}

func (m *memLog) set(change func(*memLog)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
	m.wake()
}

func (m *memLog) Append(ctx context.Context, topic, key string, value []byte) error {
	m.mu.Lock()
	unreachable, frozen := m.unreachable, m.frozen
	m.mu.Unlock()
	if frozen {
		<-ctx.Done()
		return ctx.Err()
	}
	if unreachable {
		return errUnreachable
	}
	m.put(topic, key, value, true, time.Now())
	return nil
}

func (m *memLog) Enqueue(topic, key string, value []byte) {
	m.put(topic, key, value, true, time.Now())
}

func (m *memLog) Subscribe(ctx context.Context, s event.Subscription) error {
	m.mu.Lock()
	end := len(m.records)
	m.mu.Unlock()
	for next, caught := 0, false; ; {
		m.mu.Lock()
		batch, grown, unread := m.records[min(next, len(m.records)):], m.grown, m.unread
		m.mu.Unlock()
		if unread {
			batch = nil
		}
		for _, rec := range batch {
			if next == end && !caught {
				caught = true
				s.CaughtUp()
			}
			next++
			if rec.Topic == s.Topic && !rec.Time.Before(s.Since) {
				_ = s.Handle(rec) // what can't be read is the next test's business
			}
		}
		if next >= end && !caught && !unread {
			caught = true
			s.CaughtUp()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

// on is every record of a topic.
func (m *memLog) on(topic string) []event.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.records), func(r event.Record) bool { return r.Topic != topic })
}

func TestMemLogKeepsOrderAndSaysWhenCaughtUp(t *testing.T) {
	m := newMemLog()
	m.put("a", "", []byte("1"), true, time.Now())
	m.put("b", "", []byte("x"), true, time.Now())
	m.put("a", "", []byte("2"), true, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 10)
	done := make(chan error)
	go func() {
		done <- m.Subscribe(ctx, event.Subscription{Topic: "a",
			Handle:   func(r event.Record) error { got <- string(r.Value); return nil },
			CaughtUp: func() { got <- "caught up" },
		})
	}()
	want := []string{"1", "2", "caught up"}
	for _, w := range want {
		if g := <-got; g != w {
			t.Fatalf("got %q, want %q", g, w)
		}
	}
	m.put("a", "", []byte("3"), true, time.Now())
	if g := <-got; g != "3" {
		t.Fatalf("got %q, want 3", g)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe ended with %v", err)
	}
}
