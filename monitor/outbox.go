package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"logstream/internal/event"
	"logstream/internal/retry"
)

const (
	maxEvents = 4096 // engine events that wait for Kafka; the oldest goes first
	maxLevels = 8    // levels of one service that wait for it
	// An append that failed is made again after this, doubling up to the most.
	firstRetry = 100 * time.Millisecond
	maxRetry   = 2 * time.Second
)

// entry is a record that waits to be appended: an engine's event or a level.
type entry struct {
	number uint64
	event  *event.Docker
	level  *event.HealthLog // the claim of either is the owner's at the time of writing
}

// outbox appends the engine's events and the containers' levels in the order
// in which they came, each until the log has acknowledged it.
type outbox struct {
	log      Log
	owner    func() (event.Origin, bool)
	identity event.Origin
	revise   func() int64
	logger   *slog.Logger
	arrivals chan struct{} // something was put in

	mu      sync.Mutex
	waiting []entry
	number  uint64
	events  int // of waiting
	dropped int // events that there was no room for, since the log was last there
}

func newOutbox(d Deps, revise func() int64) *outbox {
	return &outbox{log: d.Log, owner: d.Owner, identity: d.Identity, revise: revise, logger: d.Logger, arrivals: make(chan struct{}, 1)}
}

// putEvent never blocks. Where too many wait the oldest is dropped.
func (o *outbox) putEvent(d event.Docker) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.events == maxEvents {
		oldest := slices.IndexFunc(o.waiting, func(e entry) bool { return e.event != nil })
		o.remove(oldest)
		o.dropped++
	}
	o.events++
	d.Revision = o.revise()
	o.put(entry{event: &d})
}

// putLevel never blocks. A level, or what a HEALTHCHECK says, that says what the
// service's last waiting one says takes its place.
func (o *outbox) putLevel(h event.HealthLog) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var of []int // where levels of this service stand
	for i, e := range o.waiting {
		if e.level != nil && e.level.Service == h.Service && e.level.Check == h.Check {
			of = append(of, i)
		}
	}
	if n := len(of); n > 0 {
		last := o.waiting[of[n-1]].level
		if last.Status == h.Status && last.Error == h.Error {
			o.remove(of[n-1])
		} else if n >= maxLevels {
			o.remove(of[0])
		}
	}
	h.Revision = o.revise()
	o.put(entry{level: &h})
}

// forget drops the levels of a service that is no longer watched.
func (o *outbox) forget(service string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = slices.DeleteFunc(o.waiting, func(e entry) bool { return e.level != nil && e.level.Service == service })
}

func (o *outbox) put(e entry) {
	o.number++
	e.number = o.number
	o.waiting = append(o.waiting, e)
	select {
	case o.arrivals <- struct{}{}:
	default:
	}
}

func (o *outbox) remove(i int) {
	if o.waiting[i].event != nil {
		o.events--
	}
	o.waiting = slices.Delete(o.waiting, i, i+1)
}

// first is the entry that is to be written next. It stays until done, so that
// what replaces it meanwhile replaces it in a retry as well.
func (o *outbox) first() (entry, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return entry{}, false
	}
	return o.waiting[0], true
}

func (o *outbox) done(e entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.IndexFunc(o.waiting, func(w entry) bool { return w.number == e.number }); i >= 0 {
		o.remove(i)
	}
}

// run appends until ctx ends.
func (o *outbox) run(ctx context.Context) error {
	failing := false
	tries := retry.NewBackoff(firstRetry, maxRetry)
	for {
		e, is := o.first()
		if !is {
			select {
			case <-ctx.Done():
				return nil
			case <-o.arrivals:
			}
			continue
		}
		owner, owns := o.owner()
		if !owns && e.event != nil {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(tick):
			}
			continue
		}
		err := o.write(ctx, e, owner)
		if ctx.Err() != nil {
			return nil
		}
		if now, _ := o.owner(); err == nil && e.event != nil && now.Nonce != owner.Nonce {
			continue // a claim came in between, under which it may have been read too late: once more
		}
		if err == nil {
			o.done(e)
			if failing {
				o.logger.Info("Kafka is reachable again: container records are written", "dropped", o.takeDropped())
			}
			failing = false
			tries.Reset()
			continue
		}
		if !failing {
			failing = true
			o.logger.Warn("Kafka is unreachable: container records wait", "error", err)
		}
		if !tries.Wait(ctx) {
			return nil
		}
	}
}

// write appends one entry under the owner's claim. Without one an event waits,
// and a level is not written: it is observed again when there is a claim.
func (o *outbox) write(ctx context.Context, e entry, owner event.Origin) error {
	origin := o.identity
	origin.Epoch, origin.Nonce = owner.Epoch, owner.Nonce
	if e.event != nil {
		record := *e.event
		record.Origin = origin
		if err := o.log.Append(ctx, event.TopicDocker, record.Container, event.Encode(record)); err != nil {
			return fmt.Errorf("append the event %s of container %q: %w", e.event.Action, e.event.Container, err)
		}
		return nil
	}
	if owner.Nonce == "" {
		return nil
	}
	level := *e.level
	level.Origin = origin
	if err := o.log.Append(ctx, event.TopicHealth, level.Service, event.Encode(level)); err != nil {
		return fmt.Errorf("append the level of %s: %w", level.Service, err)
	}
	return nil
}

func (o *outbox) takeDropped() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.dropped
	o.dropped = 0
	return n
}
