// Package chaos is the actor that breaks things on purpose: it reads inject
// commands, injects real faults into containers of services that allow it, and
// answers each command with its result on the same topic.
//
// A command is executed at most once: not when its id was read before, not
// when its result is on the topic already, and not when it is first read more
// than ten seconds after its time, so that a replay breaks nothing. Commands
// for one service are executed in their order, those for several beside
// each other.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

const (
	// lookBack is how far back commands are read at a start: those without a
	// result are answered, so that a waiting client gets one, and what the undo of
	// a fault needs is read from the result.
	lookBack = time.Hour
	// injectGrace is what an injection may take beyond the container's own
	// stop time-out.
	injectGrace = 15 * time.Second
	findTimeout = 5 * time.Second
)

// Log is what of the bus is needed here.
type Log interface {
	Append(ctx context.Context, topic, key string, value []byte) error
	Subscribe(ctx context.Context, s event.Subscription) error
}

// Runtime is what of a container.Runtime is needed here.
type Runtime interface {
	Find(ctx context.Context, ref string) (container.State, error)
}

// Chaos is the actor.
type Chaos struct {
	log      *slog.Logger
	bus      Log
	runtime  Runtime
	injector container.Injector
	origin   event.Origin
	memory   memory

	mu       sync.Mutex
	services map[string]service.Definition
}

// New makes the actor of the instance and host that origin names.
func New(log *slog.Logger, bus Log, runtime Runtime, injector container.Injector, origin event.Origin, services []service.Definition) *Chaos {
	c := &Chaos{log: log.With("component", "chaos"), bus: bus, runtime: runtime, injector: injector, origin: origin}
	c.Apply(services)
	return c
}

// Apply replaces the services. What is under way goes on; what waits is judged
// by the new ones.
func (c *Chaos) Apply(services []service.Definition) {
	byName := make(map[string]service.Definition, len(services))
	for _, s := range services {
		byName[s.Name] = s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.services = byName
}

func (c *Chaos) service(name string) (service.Definition, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, is := c.services[name]
	return s, is
}

// Run reads and executes commands until ctx ends, and returns after
// the last one under way has been given up.
func (c *Chaos) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	r := &run{
		Chaos: c, group: group, queue: newInjectionQueue(c.origin.Host),
		read: make(chan event.Command), caughtUp: make(chan struct{}),
		done: make(chan string), answers: make(chan event.Command, maxAnswers),
	}
	supervise.Go(ctx, group, "chaos reader", r.follow)
	supervise.Go(ctx, group, "chaos answers", r.answerAll)
	supervise.Go(ctx, group, "chaos loop", r.loop)
	return group.Wait()
}

// run is one Run. The queue belongs to its loop.
type run struct {
	*Chaos
	group    *errgroup.Group
	queue    *injectionQueue
	read     chan event.Command
	caughtUp chan struct{}
	done     chan string // names of services whose injection has ended
	answers  chan event.Command
}

// follow hands what is read to the loop.
func (r *run) follow(ctx context.Context) error {
	err := r.bus.Subscribe(ctx, event.Subscription{
		Topic: event.TopicCommands,
		Since: time.Now().Add(-lookBack),
		Handle: func(record event.Record) error {
			command, err := event.DecodeCommand(record.Value)
			if err != nil {
				return err
			}
			if record.Signed && command.Host == r.origin.Host {
				r.memory.read(command)
			}
			select {
			case r.read <- command:
			case <-ctx.Done():
			}
			return nil
		},
		CaughtUp: func() {
			select {
			case r.caughtUp <- struct{}{}:
			case <-ctx.Done():
			}
		},
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return fmt.Errorf("read %s: the subscription ended", event.TopicCommands)
	}
	return fmt.Errorf("read %s: %w", event.TopicCommands, err)
}

func (r *run) loop(ctx context.Context) error {
	for {
		var decisions []decision
		select {
		case <-ctx.Done():
			return ctx.Err()
		case command := <-r.read:
			decisions = r.queue.take(command, time.Now(), r.service)
		case <-r.caughtUp:
			decisions = r.queue.caughtUp(r.service)
		case name := <-r.done:
			decisions = r.queue.finished(name, r.service)
		}
		for _, d := range decisions {
			r.execute(ctx, d)
		}
	}
}

func (r *run) execute(ctx context.Context, d decision) {
	if d.refused != "" {
		r.log.Warn("fault not injected", "service", d.command.Service, "fault", d.command.Args.Fault, "by", d.command.By, "reason", d.refused)
		r.answer(d.command, "", errors.New(d.refused))
		return
	}
	supervise.Go(ctx, r.group, "chaos worker", func(ctx context.Context) error {
		before, err := r.guarded(ctx, d)
		if panicked := (*supervise.PanicError)(nil); errors.As(err, &panicked) {
			// Answered before the actor restarts: the replay would repeat it.
			return errors.Join(err, r.try(ctx, d.command.Service, event.Encode(r.result(d.command, "", errPanicked))))
		}
		if ctx.Err() != nil {
			if err != nil {
				err = errEnded
			}
			r.answerLast(ctx, r.result(d.command, before, err))
			return nil
		}
		r.answer(d.command, before, err)
		select {
		case r.done <- d.command.Service:
		case <-ctx.Done():
		}
		return nil
	})
}

var (
	errPanicked = errors.New("internal error while injecting the fault; see the server log")
	errEnded    = errors.New("LogStream was stopped meanwhile: check whether the fault was injected")
)

// guarded is inject, with a panic returned as an error.
func (r *run) guarded(ctx context.Context, d decision) (before string, err error) {
	var alone errgroup.Group
	supervise.Go(ctx, &alone, "chaos injection", func(ctx context.Context) (err error) {
		before, err = r.inject(ctx, d.command, d.container)
		return err
	})
	err = alone.Wait()
	return before, err
}
