package monitor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"logstream/internal/event"
)

var (
	identity       = event.Origin{Instance: "me-1234", Host: "local"}
	errUnreachable = errors.New("no broker answers")
)

// recordingLog keeps what is written, in memory, and can be unreachable.
type recordingLog struct {
	mu          sync.Mutex
	records     []event.Record
	unreachable bool
	refused     int // appends meanwhile
}

func (l *recordingLog) Append(_ context.Context, topic, key string, value []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unreachable {
		l.refused++
		return errUnreachable
	}
	l.add(topic, key, value)
	return nil
}

func (l *recordingLog) Enqueue(topic, key string, value []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(topic, key, value)
}

func (l *recordingLog) add(topic, key string, value []byte) {
	l.records = append(l.records, event.Record{
		Topic: topic, Offset: int64(len(l.records)), Time: time.Now(), Key: []byte(key), Value: value, Signed: true,
	})
}

func (l *recordingLog) Subscribe(ctx context.Context, s event.Subscription) error {
	for _, r := range l.all() {
		if r.Topic == s.Topic && !r.Time.Before(s.Since) && ctx.Err() == nil {
			s.Handle(r)
		}
	}
	if s.CaughtUp != nil && ctx.Err() == nil {
		s.CaughtUp()
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *recordingLog) setUnreachable(unreachable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unreachable = unreachable
}

func (l *recordingLog) all() []event.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

// health are the health logs of one check, in order.
func (l *recordingLog) health(t *testing.T, check string) []event.HealthLog {
	t.Helper()
	var list []event.HealthLog
	for _, r := range l.all() {
		if r.Topic != event.TopicHealth {
			continue
		}
		h, err := event.DecodeHealthLog(r.Value)
		if err != nil {
			t.Fatalf("a health log that can't be read: %v", err)
		}
		if string(r.Key) != h.Service {
			t.Errorf("a health log of %q has the key %q", h.Service, r.Key)
		}
		if h.Check == check {
			list = append(list, h)
		}
	}
	return list
}

// appended is what was appended about containers, in order: an event as its
// action and container, a level as its service, status and error.
func (l *recordingLog) appended(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, r := range l.all() {
		switch r.Topic {
		case event.TopicDocker:
			d, err := event.DecodeDocker(r.Value)
			if err != nil {
				t.Fatalf("an event that can't be read: %v", err)
			}
			if string(r.Key) != d.Container {
				t.Errorf("an event of %q has the key %q", d.Container, r.Key)
			}
			line := d.Action
			if d.Container != "" {
				line += " " + d.Container
			}
			list = append(list, line)
		case event.TopicHealth:
			h, err := event.DecodeHealthLog(r.Value)
			if err != nil {
				t.Fatalf("a level that can't be read: %v", err)
			}
			if h.Check != event.CheckContainer {
				continue
			}
			line := h.Service + " " + string(h.Status)
			if h.Error != "" {
				line += ": " + h.Error
			}
			list = append(list, line)
		}
	}
	return list
}

// claims is an owner whose claim a test sets.
type claims struct {
	mu    sync.Mutex
	owner event.Origin
}

func (c *claims) set(epoch int64, nonce string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner = event.Origin{Epoch: epoch, Nonce: nonce}
}

func (c *claims) get() (event.Origin, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owner, c.owner.Nonce != ""
}
