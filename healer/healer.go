package healer

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/healer/llm"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

// Log is the part of the bus that the healer uses; event.Log documents it.
type Log interface {
	Append(ctx context.Context, topic, key string, value []byte) error
	Enqueue(topic, key string, value []byte)
	Subscribe(ctx context.Context, s event.Subscription) error
}

// Runtime is the part of a container runtime that the healer uses;
// container.Runtime documents it. There is no way in it to run a command.
type Runtime interface {
	Info(ctx context.Context) (container.Info, error)
	Find(ctx context.Context, ref string) (container.State, error)
	Inspect(ctx context.Context, id string) (container.State, error)
	Logs(ctx context.Context, id string, tail int) ([]container.Line, error)
	Start(ctx context.Context, id string) error
	Restart(ctx context.Context, id string) error
	Unpause(ctx context.Context, id string) error
	Connect(ctx context.Context, id string, networks []container.Network) error
	Disconnect(ctx context.Context, id string, networks []container.Network) error
	KillStart(ctx context.Context, id string, grace time.Duration) error
	SetMemory(ctx context.Context, id string, bytes int64) error
	Specification(ctx context.Context, id string) ([]byte, error)
	Recreate(ctx context.Context, with container.Replacement) (id, kept string, err error)
	Restore(ctx context.Context, with container.Restoration) error
	Stats(ctx context.Context, id string) (container.Stats, error)
	Processes(ctx context.Context, id string) ([]container.Process, error)
}

// Model is a language model; *llm.Client documents it.
type Model interface {
	Check(ctx context.Context) error
	Query(ctx context.Context, q llm.Question, thinking func(string)) llm.Answer
}

// Deps are what a Healer needs. All of them are mandatory but Model, CheckNow,
// Commands, Specs, Protected and Discovering.
type Deps struct {
	Log      Log
	Runtime  Runtime
	Model    Model    // nil: the runbook decides alone
	Commands Commands // nil: none is executed
	Specs    Specs    // nil: none are kept
	Instance string
	Host     string
	Config   Config
	CLI      string                      // the program of the commands that are shown, such as docker; empty: there is none
	Services func() []service.Definition // as they are configured, or discovered, now
	// Discovering says that services are discovered and not all are known yet:
	// those that were when they were last published are kept. nil: none are.
	Discovering func() bool
	// CheckNow has a service checked once at once; it must not block, and its
	// observation need not come. nil: nothing can be checked beside the schedule.
	CheckNow  func(service string)
	Protected []string // containers that are never touched, for we depend on them: names, or ports of this machine such as :9092
	Logger    *slog.Logger
	Health    *health.Registry
	// CheckAt makes a service's own check once at another address (host:port) than
	// its url's; an error says why it could not be made. nil: no such check.
	CheckAt func(ctx context.Context, def service.Definition, address string) (event.HealthLog, error)
	// Observe, where it is set, is called at the beginning of each life with what
	// its controller is made of, and what it returns with every input, its time
	// and the effects, in order. It is nil in the program that people run.
	Observe func(services []service.Definition, began time.Time) func(in Input, at time.Time, out []Effect)
}

// Healer is the actor around a Controller: it reads Kafka, feeds the controller,
// and carries its effects out in workers.
type Healer struct {
	deps    Deps
	apply   chan struct{}
	claimed atomic.Pointer[event.Origin]
	model   atomic.Pointer[Readiness]
}

// New is a healer that has read nothing yet.
func New(deps Deps) *Healer {
	if deps.Discovering == nil {
		deps.Discovering = func() bool { return false }
	}
	if deps.CheckNow == nil {
		deps.CheckNow = func(string) {}
	}
	h := &Healer{deps: deps, apply: make(chan struct{}, 1)}
	h.model.Store(&Readiness{Why: notSeenYet})
	return h
}

// Apply says that the configured services have changed.
func (h *Healer) Apply() {
	select {
	case h.apply <- struct{}{}:
	default: // it is signalled already, and will fetch all of them
	}
}

// Owner is the origin under which this instance owns its host, and whether it
// does. Safe for concurrent use.
func (h *Healer) Owner() (event.Origin, bool) {
	if origin := h.claimed.Load(); origin != nil {
		return *origin, true
	}
	return event.Origin{}, false
}

const (
	tickEach     = 100 * time.Millisecond
	pastHealth   = 3 * time.Minute  // how much of the past is read: enough for every threshold
	pastEvents   = 15 * time.Minute // and for the second-stop rule
	inspectLimit = 2 * time.Second
	writeLimit   = 10 * time.Second
	farewell     = 5 * time.Second
)

// timed is an input and the time at which it counts: now for what is new, and
// the time of the record for what is replayed.
type timed struct {
	in Input
	at time.Time // zero: now
}

// life is one run of the healer: a controller, rebuilt from what is on Kafka and
// from nothing else.
type life struct {
	*Healer
	controller  *Controller
	observe     func(in Input, at time.Time, out []Effect) // nil: not observed
	inputs      chan timed
	discovering bool            // not all services were known when it began
	work        context.Context // of workers: it outlives a stop until they are done
	group       *errgroup.Group
	executing   int           // calls whose workers have not ended
	ended       chan struct{} // one of them has
	leadership  leadership
	cycles      string // of dependencies, as last reported
	identifier  *identifier
	queries     map[string]context.CancelFunc // under way, by service
	querying    atomic.Int32                  // and how many there are
	recheck     chan struct{}                 // the model is to be checked at once
	replied     <-chan struct{}               // closed: the newest result of a command is written
	memories    memories                      // of what the services' containers write
	gaveSpecs   atomic.Bool                   // it was reported that specifications are kept
}

// Run heals until ctx ends. A call that runs then is let finish within its own
// deadline, and its result is written.
func (h *Healer) Run(ctx context.Context) error {
	defer h.claimed.Store(nil)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	group, reading := errgroup.WithContext(ctx)
	discovering := h.deps.Discovering() // before the services: they are all where it is over
	services, began := h.deps.Services(), time.Now()
	none := make(chan struct{})
	close(none)
	l := &life{Healer: h, inputs: make(chan timed, 1024), ended: make(chan struct{}), work: work, group: group, discovering: discovering,
		queries: map[string]context.CancelFunc{}, recheck: make(chan struct{}, 1), replied: none,
		leadership: leadership{Healer: h},
		controller: NewController(Setup{Config: h.deps.Config, CLI: h.deps.CLI, Instance: h.deps.Instance, Host: h.deps.Host,
			Services: services, Protected: h.deps.Protected}, began)}
	if h.deps.Observe != nil {
		l.observe = h.deps.Observe(services, began)
	}
	supervise.Go(reading, group, "healer loop", func(reading context.Context) error {
		defer cancel()
		return l.loop(reading)
	})
	l.identifier = &identifier{runtime: h.deps.Runtime, give: l.give, queried: make(chan struct{}), again: make(chan struct{}, 1)}
	supervise.Go(reading, group, "healer engine", l.identifier.run)
	supervise.Go(reading, group, "healer replay", l.read)
	if h.deps.Model != nil {
		supervise.Go(reading, group, "healer model", l.watchModel)
	}
	err := group.Wait()
	cancel()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// read subscribes to what the controller is made of. What was published of the
// services comes first: the rest is understood on top of it.
func (l *life) read(ctx context.Context) error {
	now := time.Now()
	subscriptions := []event.Subscription{
		{Topic: event.TopicServices, Version: event.ServiceVersion, Handle: l.handle(readService)},
		{Topic: event.TopicIncidents, Handle: l.handle(readIncident)},
		{Topic: event.TopicDocker, Since: now.Add(-pastEvents), Handle: l.handle(readDocker)},
		{Topic: event.TopicCommands, Handle: l.handle(readCommand)},
		{Topic: event.TopicHealth, Since: now.Add(-pastHealth), Handle: l.handle(readHealth)},
	}
	for _, s := range subscriptions {
		caught := make(chan struct{})
		s.DeadLetters = true
		s.CaughtUp = func() { close(caught) }
		supervise.Go(ctx, l.group, "healer reads "+s.Topic, func(ctx context.Context) error { return l.deps.Log.Subscribe(ctx, s) })
		select {
		case <-caught:
		case <-ctx.Done():
			return nil
		}
	}
	select {
	case <-l.identifier.queried:
	case <-ctx.Done():
		return nil
	}
	giveSpecs(ctx, l)
	supervise.Go(ctx, l.group, "healer sweep", func(ctx context.Context) error { return sweepKept(ctx, l) })
	l.give(ctx, timed{in: Replayed{rand.Text(), l.discovering}})
	return nil
}

// handle reads a record into an input, and gives it to the loop.
func (l *life) handle(read func(event.Record) (Input, error)) func(event.Record) error {
	return func(r event.Record) error {
		in, err := read(r)
		if err != nil || in == nil {
			return err
		}
		l.give(l.work, timed{in, r.Time})
		return nil
	}
}

func (l *life) give(ctx context.Context, in timed) {
	select {
	case l.inputs <- in:
	case <-ctx.Done():
	}
}

// loop owns the controller.
func (l *life) loop(ctx context.Context) error {
	tick := time.NewTicker(tickEach)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.stop(ctx)
		case in := <-l.inputs:
			now := time.Now()
			if !l.controller.Replayed() && !in.at.IsZero() && in.at.Before(now) {
				now = in.at
			}
			l.step(in.in, now)
		case <-l.apply:
			discovering := l.deps.Discovering()
			l.step(Reconfigured{l.deps.Services(), discovering}, time.Now())
		case <-l.ended:
			l.executing--
		case <-tick.C:
			l.step(Tick{}, time.Now())
		}
	}
}

// stop waits for the calls that run, and writes their results.
func (l *life) stop(ctx context.Context) error {
	for l.executing > 0 {
		select {
		case in := <-l.inputs:
			l.last(in.in)
		case <-l.ended:
			l.executing--
		}
	}
	for len(l.inputs) > 0 {
		in := <-l.inputs
		l.last(in.in)
	}
	return ctx.Err()
}

// last writes the result of a call, and passes over everything else.
func (l *life) last(in Input) {
	if _, is := in.(Executed); !is {
		return
	}
	for _, e := range l.decide(in, time.Now()) {
		if result, is := e.(Append); is {
			ctx, cancel := context.WithTimeout(l.work, farewell)
			if failed, err := l.write(ctx, result); err != nil {
				l.deps.Logger.Warn("result of a repair not written to Kafka; the next start inspects the container to find it", "incident", failed.ID, "error", err)
			}
			cancel()
		}
	}
}

// decide gives the controller an input.
func (l *life) decide(in Input, now time.Time) []Effect {
	effects := l.controller.Step(in, now)
	if l.observe != nil {
		l.observe(in, now, effects)
	}
	return effects
}

func (l *life) step(in Input, now time.Time) {
	effects := l.decide(in, now)
	l.report(in)
	for _, e := range effects {
		l.start(e)
	}
}

// report makes the leadership known, and cancels queries that are no longer needed.
func (l *life) report(in Input) {
	if l.leadership.report(l.controller) {
		for service := range l.queries {
			l.withdraw(service)
		}
	}
	if cycles := l.controller.Cycles(); cycles != l.cycles {
		if l.cycles = cycles; cycles != "" {
			l.deps.Logger.Warn("dependencies make a cycle: these are ignored", "ignored", cycles)
		}
	}
	switch read := in.(type) {
	case ReadDocker:
		l.identifier.noteDocker(read.Event)
	case ReadIncident:
		if read.Event.Type == event.TypeResolved && read.Event.Host == l.deps.Host {
			l.withdraw(read.Event.Service)
		}
	}
}
