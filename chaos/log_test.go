package chaos

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"logstream/internal/event"
)

// memoryLog keeps one topic in memory, with the promises of event.Log.
type memoryLog struct {
	mu          sync.Mutex
	values      [][]byte
	unreachable bool
	changed     chan struct{}
}

func newMemoryLog() *memoryLog { return &memoryLog{changed: make(chan struct{})} }

func (l *memoryLog) Append(_ context.Context, topic, key string, value []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unreachable {
		return errors.New("no broker answers")
	}
	l.values = append(l.values, value)
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

func (l *memoryLog) setUnreachable(unreachable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unreachable = unreachable
}

func (l *memoryLog) from(n int) ([][]byte, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.values[n:], l.changed
}

func (l *memoryLog) Subscribe(ctx context.Context, s event.Subscription) error {
	next, caughtUp := 0, false
	for {
		values, changed := l.from(next)
		for _, value := range values {
			_ = s.Handle(event.Record{Topic: s.Topic, Value: value, Signed: true})
			next++
		}
		if !caughtUp {
			s.CaughtUp()
			caughtUp = true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// results are those of the command with that id, in the log's order.
func (l *memoryLog) results(t *testing.T, id string) []event.CommandResult {
	t.Helper()
	values, _ := l.from(0)
	var all []event.CommandResult
	for _, value := range values {
		c, err := event.DecodeCommand(value)
		if err != nil {
			t.Fatal(err)
		}
		if c.ID == id && c.Result != nil {
			if c.Instance != "here" || c.By != "operator:test" || c.Args.Fault == "" {
				t.Errorf("the answer is not the command with our origin: %s", value)
			}
			all = append(all, *c.Result)
		}
	}
	return all
}

func (l *memoryLog) publish(t *testing.T, c event.Command) {
	t.Helper()
	c.By, c.Command = "operator:test", event.CommandInject
	if c.Time.IsZero() {
		c.Time = time.Now().UTC()
	}
	if err := l.Append(t.Context(), event.TopicCommands, c.Service, event.Encode(c)); err != nil {
		t.Fatal(err)
	}
}

func (l *memoryLog) await(t *testing.T, id string) event.CommandResult {
	t.Helper()
	end := time.After(20 * time.Second)
	for {
		_, changed := l.from(0)
		if all := l.results(t, id); len(all) > 0 {
			return all[0]
		}
		select {
		case <-changed:
		case <-end:
			t.Fatalf("no result of %s", id)
		}
	}
}
