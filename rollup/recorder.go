package rollup

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/supervise"
)

const (
	tickEach = time.Second
	// unhurried is how long a life waits before it reads: nothing needs it before a
	// minute is over, and much else begins at the same time.
	unhurried = 3 * time.Second
	// settle is how long no bucket is closed after Kafka was unreachable: the
	// health logs that waited are read within it.
	settle = 10 * time.Second
	// pastDays is how far back the newest day is searched.
	pastDays = 40 * 24 * time.Hour
	// pastServices is how long before the open minute a service was surely
	// published: its owner does so each hour.
	pastServices = 65 * time.Minute
	// pastHealth bounds how many health logs are read again.
	pastHealth = 100_000
)

// Log is the part of the bus that the Recorder uses; event.Log documents it.
type Log interface {
	Enqueue(topic, key string, value []byte)
	Subscribe(ctx context.Context, s event.Subscription) error
}

// Deps are what a Recorder needs; all of them are mandatory.
type Deps struct {
	Log       Log
	Host      string
	Owner     func() (event.Origin, bool) // the claim under which this instance owns its host, if it does
	Reachable func() bool                 // whether Kafka is; it must not block
}

// Recorder is the actor around a Fold.
type Recorder struct {
	deps      Deps
	revisions atomic.Int64 // of what was written so far: they grow over restarts of Run as well
}

// New is a recorder that has read nothing yet.
func New(deps Deps) *Recorder { return &Recorder{deps: deps} }

// errClaim ends a life: another one begins under another claim.
var errClaim = errors.New("the claim has changed")

// Run records until ctx ends, whenever this instance owns its host. Under each
// claim it begins with what is on the log, and with nothing else.
func (r *Recorder) Run(ctx context.Context) error {
	for {
		origin, owns := r.awaitClaim(ctx)
		if !owns {
			return nil
		}
		l := &life{Recorder: r, origin: origin, fold: NewFold(r.deps.Host, origin.Epoch), calls: make(chan func(), 256)}
		if err := l.run(ctx); ctx.Err() == nil && !errors.Is(err, errClaim) {
			return err
		}
	}
}

// awaitClaim waits until this instance owns its host; false when ctx ends first.
func (r *Recorder) awaitClaim(ctx context.Context) (event.Origin, bool) {
	ticker := time.NewTicker(tickEach / 4)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if origin, owns := r.deps.Owner(); owns {
			return origin, true
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return event.Origin{}, false
}

// life is one claim. Fold and outbox belong to the goroutine of its loop.
type life struct {
	*Recorder
	origin event.Origin
	calls  chan func()

	fold    *Fold
	outbox  outbox
	ready   bool      // all that was written before is read
	began   bool      // and the fold has ticked since
	settled time.Time // when Kafka was last unreachable
}

func (l *life) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	supervise.Go(ctx, group, "rollup loop", l.loop)
	supervise.Go(ctx, group, "rollup records", func(ctx context.Context) error { return l.read(ctx, group) })
	return group.Wait()
}

func (l *life) loop(ctx context.Context) error {
	ticker := time.NewTicker(tickEach)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case call := <-l.calls:
			call()
		case <-ticker.C:
			if origin, owns := l.deps.Owner(); !owns || origin != l.origin {
				return errClaim
			}
			l.tick(time.Now())
		}
	}
}

// tick closes what is over, and writes what has to be written.
func (l *life) tick(now time.Time) {
	if !l.deps.Reachable() {
		l.settled = now
	}
	if !l.ready || now.Sub(l.settled) < settle {
		return
	}
	if !l.outbox.isFull() {
		for _, c := range l.fold.Tick(now) {
			c.Record.Revision, c.Record.Origin = l.revisions.Add(1), l.origin
			l.outbox.add(c)
		}
		if !l.began {
			l.began = true
			debug.FreeOSMemory() // what all that is read at a start has left: this is the last of it, and the fold has dropped it
		}
	}
	for _, c := range l.outbox.due(now) {
		l.deps.Log.Enqueue(event.Levels[c.Level].Topic, c.Record.Service, event.Encode(c.Record))
	}
}

// read subscribes to what the fold is made of. What was written before comes
// first, the longest buckets before the shorter ones: each says from when on the
// next are needed.
func (l *life) read(ctx context.Context, group *errgroup.Group) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(unhurried):
	}
	now := time.Now()
	since := now.Add(-pastDays)
	for level := days; level >= minutes; level-- {
		newest, caught := time.Time{}, make(chan time.Time, 1)
		if !l.follow(ctx, group, event.Subscription{Topic: event.Levels[level].Topic, Since: since,
			Handle: func(rec event.Record) error {
				r, err := event.DecodeRollup(rec.Value)
				if err == nil && rec.Signed && r.Host == l.origin.Host {
					newest = later(newest, r.Start)
					l.give(ctx, func() { l.fold.ReadRollup(level, r); l.outbox.confirm(level, r) })
				}
				return err
			},
			CaughtUp: func() { caught <- newest },
		}) {
			return nil
		}
		since = <-caught
	}
	from := since // the start of the newest minute that was written
	if from.IsZero() {
		from = now
	}
	if !l.follow(ctx, group, event.Subscription{Topic: event.TopicServices, Linger: event.Linger, Since: from.Add(-pastServices), Handle: l.readService(ctx)}) ||
		!l.follow(ctx, group, event.Subscription{Topic: event.TopicHealth, Linger: event.Linger, Since: from.Add(-reach), Newest: pastHealth, Handle: l.readHealth(ctx)}) {
		return nil
	}
	l.give(ctx, func() { l.ready = true })
	return nil
}

// follow subscribes, and waits until what was there is read; false when ctx ends first.
func (l *life) follow(ctx context.Context, group *errgroup.Group, s event.Subscription) bool {
	caught, reported := make(chan struct{}), s.CaughtUp
	s.CaughtUp = func() {
		if reported != nil {
			reported()
		}
		close(caught)
	}
	supervise.Go(ctx, group, "rollup reads "+s.Topic, func(ctx context.Context) error { return l.deps.Log.Subscribe(ctx, s) })
	select {
	case <-caught:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *life) readService(ctx context.Context) func(event.Record) error {
	return func(rec event.Record) error {
		s, err := event.DecodeService(rec.Value)
		if err == nil && rec.Signed {
			l.give(ctx, func() { l.fold.ReadService(s) })
		}
		return err
	}
}

func (l *life) readHealth(ctx context.Context) func(event.Record) error {
	return func(rec event.Record) error {
		if !rec.Signed {
			return nil // others' are not the owner's
		}
		h, err := event.DecodeHealthLog(rec.Value)
		if err == nil {
			l.give(ctx, func() { l.fold.ReadHealth(h, rec.Time) })
		}
		return err
	}
}

// give has the loop do something.
func (l *life) give(ctx context.Context, call func()) {
	select {
	case l.calls <- call:
	case <-ctx.Done():
	}
}
