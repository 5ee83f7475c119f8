package process

import (
	"context"
	"fmt"
	"sync"
	"time"

	"logstream/internal/container"
)

// remembered is how many events are kept: as many as Docker keeps.
const remembered = 256

// hub keeps the newest events, and lets any number of readers follow them,
// each at its own pace: readers fetch and nothing is pushed, so none can delay the
// runtime.
type hub struct {
	mu      sync.Mutex
	events  []container.Event // oldest first, at most remembered
	next    int               // the number of the event that comes next, from 0
	last    time.Time
	changed chan struct{} // closed at the next event
}

func newHub() *hub { return &hub{changed: make(chan struct{})} }

// now is the runtime's clock: never twice the same, never backwards, so that
// the order of two instants is that of what happened.
func (h *hub) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tick()
}

func (h *hub) tick() time.Time {
	now := time.Now().UTC().Round(0)
	if !now.After(h.last) {
		now = h.last.Add(time.Nanosecond)
	}
	h.last = now
	return now
}

// add dates an event and keeps it.
func (h *hub) add(e container.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.Time = h.tick()
	if len(h.events) == remembered {
		h.events = append(h.events[:0], h.events[1:]...)
	}
	h.events = append(h.events, e)
	h.next++
	close(h.changed)
	h.changed = make(chan struct{})
}

// position is the number of the first event that is not before since; zero
// is from now on.
func (h *hub) position(since time.Time) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if since.IsZero() {
		return h.next
	}
	at := h.next - len(h.events)
	for _, e := range h.events {
		if !e.Time.Before(since) {
			break
		}
		at++
	}
	return at
}

// from are the events at that position and after it, and what is closed when
// there are more.
func (h *hub) from(position int) ([]container.Event, <-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	oldest := h.next - len(h.events)
	if position < oldest {
		return nil, nil, fmt.Errorf("the reader fell behind: %d events are no longer kept", oldest-position)
	}
	return append([]container.Event(nil), h.events[position-oldest:]...), h.changed, nil
}

// follow calls handle with the events from since on until ctx or the runtime
// ends.
func (h *hub) follow(ctx context.Context, down <-chan struct{}, since time.Time, ready func(), handle func(container.Event)) error {
	position := h.position(since)
	ready()
	for {
		events, changed, err := h.from(position)
		if err != nil {
			return err
		}
		for _, e := range events {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			handle(e)
			position++
		}
		select {
		case <-changed:
		case <-down:
			return errDown
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
