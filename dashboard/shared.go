package dashboard

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	engineWithin = 5 * time.Second
	// engineReads is how many reads of the container engine for pages run at once:
	// the healer's own reads go first.
	engineReads = 4
)

// shared gives equal requests one read of the container engine: all requests that come
// while it runs, or within keepFor after it, get the same answer. So the cost for the
// engine does not grow with the number of open pages.
type shared[T any] struct {
	ctx     context.Context // of the actor
	keepFor time.Duration
	slots   chan struct{} // holds one for each read that runs
	group   singleflight.Group

	mu   sync.Mutex
	kept map[string]answered[T] // no older than keepFor
}

// answered is what a read gave, and when.
type answered[T any] struct {
	at    time.Time
	value T
	err   error
}

func newShared[T any](ctx context.Context, keepFor time.Duration, slots chan struct{}) *shared[T] {
	return &shared[T]{ctx: ctx, keepFor: keepFor, slots: slots, kept: map[string]answered[T]{}}
}

var errEngineBusy = errors.New("too many reads of the container engine at once")

// get returns what read gives, or gave within keepFor. A read ends with the actor, and
// not with the request that began it, because other requests wait for it too.
func (s *shared[T]) get(key string, read func(context.Context) (T, error)) (T, error) {
	if a, is := s.recent(key); is {
		return a.value, a.err
	}
	shown, _, _ := s.group.Do(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(s.ctx, engineWithin)
		defer cancel()
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-ctx.Done():
			return answered[T]{err: errEngineBusy}, nil
		}
		value, err := read(ctx)
		a := answered[T]{time.Now(), value, err}
		s.keep(key, a)
		return a, nil
	})
	a := shown.(answered[T])
	return a.value, a.err
}

func (s *shared[T]) recent(key string) (answered[T], bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, is := s.kept[key]
	return a, is && time.Since(a.at) < s.keepFor
}

func (s *shared[T]) keep(key string, a answered[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, of := range s.kept {
		if time.Since(of.at) >= s.keepFor {
			delete(s.kept, old)
		}
	}
	s.kept[key] = a
}
