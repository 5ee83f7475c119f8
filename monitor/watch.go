package monitor

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/retry"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

const (
	// tick is how often the loop reads who owns the host, and what is due.
	tick = 100 * time.Millisecond
	// levelEvery is how often a level that doesn't change is written.
	levelEvery = 30 * time.Second
	// inspectTimeout bounds one call of the runtime. A runtime that takes longer
	// hangs, and is treated as one that is unreachable.
	inspectTimeout = 10 * time.Second
	// maxInspections is how many containers are inspected at a time.
	maxInspections = 8
	// inspectAgain is when to inspect again after an answer that makes no sense.
	inspectAgain = time.Second
	// eventGrace is how long a change without an event waits for its event,
	// which is to stand on the log before it.
	eventGrace = 200 * time.Millisecond
	// A reconnected stream gives the past in one burst: it is over after replayQuiet without an event, or after replayMost.
	replayQuiet = 250 * time.Millisecond
	replayMost  = 2 * time.Second
)

// watch follows the runtime: events to the log, and the state of each service's
// container as its level. One goroutine, the loop, owns all of it; the stream
// and the inspections, which may block, hand it what they have as functions.
type watch struct {
	runtime  container.Runtime
	log      Log
	owner    func() (event.Origin, bool)
	identity event.Origin
	logger   *slog.Logger
	registry *health.Registry
	problems *problems
	out      *outbox
	burst    func(service string)
	group    *errgroup.Group
	inbox    chan func() // run by the loop, in order

	// Below: the loop's own.
	written     *journal
	targets     map[string]*target // by service
	inspections int                // under way
	nonce       string             // of the claim under which levels are written; empty: none

	up          bool            // the stream stands
	settled     bool            // and all that was missed is read
	lossWritten bool            // the last stream record says that it was lost
	readyAt     time.Time       // when it stood
	replayedAt  time.Time       // when it last gave something of the past
	drop        func(err error) // ends the stream
}

func newWatch(d Deps, group *errgroup.Group, out *outbox, problems *problems, burst func(string)) *watch {
	return &watch{
		runtime: d.Runtime, log: d.Log, owner: d.Owner, identity: d.Identity,
		logger: d.Logger, registry: d.Health, problems: problems, out: out, burst: burst, group: group,
		inbox: make(chan func(), 256), targets: map[string]*target{},
	}
}

// run watches until ctx ends. The log is read first: without it nothing could
// be written, and it isn't known what is written already.
func (w *watch) run(ctx context.Context, changed <-chan struct{}, services func() []service.Definition) error {
	w.written = w.recall(ctx)
	if w.written == nil {
		return nil
	}
	w.apply(services())
	supervise.Go(ctx, w.group, "monitor: container events", w.follow)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case change := <-w.inbox:
			change()
		case <-changed:
			w.apply(services())
		case <-ticker.C:
			w.tick(time.Now())
		}
		w.inspect(ctx, time.Now())
	}
}

// recall is what is written already; nil when ctx ended before that was known.
func (w *watch) recall(ctx context.Context) *journal {
	tries := retry.NewBackoff(firstRetry, maxRetry)
	for {
		j, err := recall(ctx, w.log, w.identity.Host, time.Now())
		if err == nil {
			return j
		}
		if ctx.Err() == nil {
			w.logger.Warn("container events cannot be read from Kafka; retrying", "error", err)
		}
		if !tries.Wait(ctx) {
			return nil
		}
	}
}

// do has the loop run change; false when ctx ended before it was taken. After
// the first that is refused for a ctx all are: a stream that is being dropped
// must not leave an event out and hand over a later one, since the next
// stream is asked for what follows the latest.
func (w *watch) do(ctx context.Context, change func()) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case w.inbox <- change:
		return true
	}
}

// apply takes the services over: those whose container is named as before keep
// what is known of it.
func (w *watch) apply(services []service.Definition) {
	wanted := map[string]service.Definition{}
	for _, def := range services {
		if def.Container != "" {
			wanted[def.Name] = def
		}
	}
	for name, t := range w.targets {
		if wanted[name].Container != t.ref {
			delete(w.targets, name)
			w.out.forget(name)
			w.problems.clear(t.problem())
		}
	}
	for name, def := range wanted {
		if t := w.targets[name]; t != nil {
			t.define(def)
			continue
		}
		t := newTarget(def)
		t.want(time.Now(), true)
		w.targets[name] = t
	}
}

// tick does what is due by time alone.
func (w *watch) tick(now time.Time) {
	if w.replayed(now) {
		w.settle(now)
	}
	owner, is := w.owner()
	if !is {
		w.nonce = ""
		return
	}
	anew := owner.Nonce != w.nonce
	w.nonce = owner.Nonce
	for _, t := range w.targets {
		t.repeat(now, anew)
		if t.written.failure == event.FailureCrashLoop && w.written.loops.over(t.id, t.startPeriod, now) {
			t.want(now, false)
		}
	}
}

// happened takes one event of the stream, which was read at now.
func (w *watch) happened(e container.Event, now time.Time) {
	if e.Time.Before(w.readyAt) {
		w.replayedAt = now
	}
	if !isRecorded(e.Action) {
		return
	}
	var of []*target
	projects := map[string]bool{}
	for _, t := range w.targets {
		projects[t.project] = true
		if isOf(e, t.ref, t.id) {
			of = append(of, t)
		}
	}
	if len(of) == 0 && !isNear(e, projects) {
		return
	}
	if e.Name == "" && len(of) > 0 {
		e.Name = of[0].name // of a network's event the engine reports the ID alone
	}
	record := dockerRecord(e, w.identity)
	if !w.written.add(record) {
		return // given again by a stream that was asked for the past
	}
	w.written.loops.observe(record, now)
	w.out.putEvent(record)
	for _, t := range of {
		t.observe(e, now)
		w.fell(t, e, now)
		if fresh := w.settled || e.Time.After(w.readyAt.Add(-burstFor)); fresh && wakes(e.Action) {
			w.burst(t.service)
		}
	}
}
