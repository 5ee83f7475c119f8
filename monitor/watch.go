package monitor

import (
	"context"
	"errors"
	"fmt"
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
	// tick is how often the loop asks who owns the host, and what is due.
	tick = 100 * time.Millisecond
	// levelEvery is how often a level that doesn't change is written.
	levelEvery = 30 * time.Second
	// lookTimeout bounds one question to the engine. One that takes longer
	// hangs, and is treated as one that is away.
	lookTimeout = 10 * time.Second
	// maxLooks is how many questions are asked of the engine at a time.
	maxLooks = 8
	// lookAgain is when to ask again after an answer that makes no sense.
	lookAgain = time.Second
	// eventGrace is how long a change that no event has told yet waits for
	// its event, which is to stand on the log before it.
	eventGrace = 200 * time.Millisecond
	// What a reconnected stream tells of the past comes in one burst: it is
	// over after backQuiet without an event, or after backMost.
	backQuiet = 250 * time.Millisecond
	backMost  = 2 * time.Second
)

// watch follows the engine: events to the log, and the state of each service's
// container as its level. One goroutine, the loop, owns all of it; the stream
// and the looks, which may block, hand it what they have as functions.
type watch struct {
	runtime  container.Runtime
	log      Log
	owner    func() (event.Origin, bool)
	identity event.Origin
	logger   *slog.Logger
	board    *health.Registry
	notes    *notices
	out      *outbox
	burst    func(service string)
	group    *errgroup.Group
	inbox    chan func() // run by the loop, in order

	// Below: the loop's own.
	written *journal
	targets map[string]*target // by service
	looks   int                // under way
	nonce   string             // of the claim under which levels are written; empty: none

	up      bool            // the stream stands
	settled bool            // and what it told of the past is over
	lost    bool            // the last stream record says so, or there is none
	readyAt time.Time       // when it stood
	heardAt time.Time       // when it last told something of the past
	drop    func(err error) // ends the stream
}

// target is a service's container.
type target struct {
	service, ref string

	id        string // as last found
	project   string // Compose's
	destroyed bool   // an event told so, and it was not found since
	renamed   string // to what, where it was and is not found since

	asked    time.Time // a look is wanted, since then; zero: none is
	forced   bool      // and what it sees is written, changed or not
	after    time.Time // but not before this
	repeated time.Time // when such a look was last asked for
	busy     bool      // a look is under way

	announced event.Status // the level as the events tell it; empty: they told nothing yet
	turned    time.Time    // when they first told so
	waited    bool         // the grace for a change without an event was given
	shown     level        // as last written; zero: none was
	stamp     time.Time    // of the last one written
}

func newWatch(d Deps, group *errgroup.Group, out *outbox, notes *notices, burst func(string)) *watch {
	return &watch{
		runtime: d.Runtime, log: d.Log, owner: d.Owner, identity: d.Identity,
		logger: d.Logger, board: d.Health, notes: notes, out: out, burst: burst, group: group,
		inbox: make(chan func(), 256), targets: map[string]*target{},
	}
}

// run watches until ctx ends. The log is read first: without it nothing could
// be written, and it isn't known what is written already.
func (w *watch) run(ctx context.Context, told <-chan struct{}, services func() []service.Definition) error {
	w.written = w.recall(ctx)
	if w.written == nil {
		return nil
	}
	w.apply(services())
	supervise.Go(ctx, w.group, "monitor: the engine's events", w.follow)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case change := <-w.inbox:
			change()
		case <-told:
			w.apply(services())
		case <-ticker.C:
			w.tick(time.Now())
		}
		w.look(ctx, time.Now())
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
			w.logger.Warn("the container events on the log can't be read, trying again", "error", err)
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
	wanted := map[string]string{}
	for _, def := range services {
		if def.Container != "" {
			wanted[def.Name] = def.Container
		}
	}
	for name, t := range w.targets {
		if wanted[name] != t.ref {
			delete(w.targets, name)
			w.out.forget(name)
			w.notes.clear(t.about())
		}
	}
	for name, ref := range wanted {
		if w.targets[name] == nil {
			t := &target{service: name, ref: ref, project: projectOf(ref)}
			t.ask(time.Now(), true)
			w.targets[name] = t
		}
	}
}

// tick does what is due by time alone.
func (w *watch) tick(now time.Time) {
	if w.isBack(now) {
		w.back(now)
	}
	owner, is := w.owner()
	if !is {
		w.nonce = ""
		return
	}
	anew := owner.Nonce != w.nonce
	w.nonce = owner.Nonce
	for _, t := range w.targets {
		if anew || now.Sub(t.repeated) >= levelEvery {
			t.ask(now, true)
		}
	}
}

// happened takes one event of the stream, which was read at now.
func (w *watch) happened(e container.Event, now time.Time) {
	if e.Time.Before(w.readyAt) {
		w.heardAt = now
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
	record := dockerRecord(e, w.identity)
	if !w.written.add(record) {
		return // told again by a stream that was asked for the past
	}
	w.out.putEvent(record)
	for _, t := range of {
		t.hear(e, now)
		if fresh := w.settled || e.Time.After(w.readyAt.Add(-burstFor)); fresh && wakes(e.Action) {
			w.burst(t.service)
		}
	}
}

// hear takes an event of the target's own container.
func (t *target) hear(e container.Event, now time.Time) {
	if e.Project != "" {
		t.project = e.Project
	}
	if status, is := announces(e.Action); is && status != t.announced {
		t.announced, t.turned = status, now
	}
	switch {
	case e.Action == container.ActionDestroy:
		t.destroyed = true
	case e.Action == container.ActionRename && e.ID == t.id:
		t.renamed = e.Name
	}
	if asksForLook(e.Action) {
		t.ask(now, false)
		t.after, t.waited = time.Time{}, false
	}
}

func (t *target) ask(at time.Time, forced bool) {
	if forced {
		t.forced, t.repeated = true, at
	}
	if t.asked.IsZero() {
		t.asked = at
	}
}

func (t *target) about() string { return "container of " + t.service }

// look begins the looks that are due, as many as may be under way.
func (w *watch) look(ctx context.Context, now time.Time) {
	if !w.settled {
		return
	}
	for _, t := range w.targets {
		if w.looks >= maxLooks {
			return
		}
		if t.busy || t.asked.IsZero() || now.Before(t.after) {
			continue
		}
		asked, forced := t.asked, t.forced
		t.busy, t.asked, t.forced = true, time.Time{}, false
		w.looks++
		supervise.Go(ctx, w.group, "monitor: a look at "+t.ref, func(ctx context.Context) error {
			began := time.Now()
			state, err := w.find(ctx, t.ref)
			took := time.Since(began)
			if ctx.Err() != nil {
				return nil
			}
			w.do(ctx, func() {
				w.looks--
				t.busy = false
				w.saw(t, asked, forced, took, state, err)
			})
			return nil
		})
	}
}

func (w *watch) find(ctx context.Context, ref string) (container.State, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return w.runtime.Find(ctx, ref)
}

// saw takes what one look saw, as of asked.
func (w *watch) saw(t *target, asked time.Time, forced bool, took time.Duration, state container.State, err error) {
	if w.targets[t.service] != t || !w.settled {
		return // it is somebody else's, or will be looked at when the engine is back
	}
	now := time.Now()
	seen, known := levelOf(t.ref, state, err)
	var many *container.AmbiguousError
	switch {
	case errors.As(err, &many):
		w.ambiguous(t, many)
		return
	case isAway(err):
		w.drop(err)
		return
	case errors.Is(err, container.ErrNotFound) && !t.destroyed:
		w.notFound(t, forced, now)
		return
	case !known:
		w.logger.Warn("a container can't be looked at, trying again", "service", t.service, "container", t.ref, "error", err)
		t.ask(now, forced)
		t.after = now.Add(lookAgain)
		return
	}
	w.notes.clear(t.about())
	if err == nil {
		t.learn(state)
	}
	if seen == t.shown && !forced {
		return
	}
	if seen != t.shown && t.announced != "" && seen.status != t.announced && !t.waited {
		t.waited = true
		t.ask(now, forced)
		t.after = now.Add(eventGrace)
		return
	}
	t.waited = false
	if _, is := w.owner(); !is {
		return
	}
	t.stamp = nextStamp(t.date(seen, asked), t.stamp)
	t.shown = seen
	w.out.putLevel(event.HealthLog{
		Timestamp: event.Seconds(t.stamp), Service: t.service, Status: seen.status,
		LatencyMS: milliseconds(took), Check: event.CheckContainer, Error: seen.err,
	})
}

// date is when what was seen came to be so. A change that an event told dates
// from that event, and not from a later look: checks that began before a
// change to UP don't count, and the first ones follow the event at once.
func (t *target) date(seen level, asked time.Time) time.Time {
	if seen.status != t.shown.status && seen.status == t.announced && t.turned.After(t.stamp) {
		return t.turned
	}
	return asked
}

// learn keeps by what a container's events are known.
func (t *target) learn(state container.State) {
	if state.ID != "" {
		t.id = state.ID
	}
	if state.Project != "" {
		t.project = state.Project
	}
	t.destroyed, t.renamed = false, ""
}

// notFound says that a container is not there, without a destroy that would say
// why: it was renamed, its name in the configuration is wrong, or it went while
// nobody watched. Its service may answer all the same, so no level is written.
func (w *watch) notFound(t *target, forced bool, now time.Time) {
	if !t.waited { // the event may follow
		t.waited = true
		t.ask(now, forced)
		t.after = now.Add(eventGrace)
		return
	}
	t.shown = level{}
	what := "no container is named " + clean(t.ref)
	remedy := health.Remedy{Text: "correct container: of " + t.service + " in config.yaml; to list all names", Command: "docker ps -a"}
	if t.renamed != "" {
		what = fmt.Sprintf("its container %s was renamed to %s", clean(t.ref), clean(t.renamed))
		remedy = health.Remedy{Text: "set container: " + clean(t.renamed) + " in config.yaml, or rename it back",
			Command: "docker rename " + clean(t.renamed) + " " + clean(t.ref)}
	}
	w.notes.raise(t.about(), health.Problem{
		What:   "service " + t.service + ": " + what,
		Works:  "the checks of " + t.service + " by its url",
		OnHold: "seeing and repairing the container of " + t.service,
		Remedy: remedy,
	})
}

// ambiguous says that a service names several containers. Nothing is known of
// its container then, and nothing written.
func (w *watch) ambiguous(t *target, many *container.AmbiguousError) {
	t.shown = level{}
	w.notes.raise(t.about(), health.Problem{
		What:   "container of " + t.service + ": " + clean(many.Error()),
		Works:  "the checks of " + t.service + " by its url",
		OnHold: "seeing and repairing the container of " + t.service,
		Remedy: health.Remedy{Text: "give the exact name of one of them as the service's container in config.yaml"},
	})
}
