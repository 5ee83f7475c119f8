package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/config"
	"logstream/internal/health"
	"logstream/internal/supervise"
)

// stopWithin bounds a stop as a whole: longer than the healer needs to write
// the result of an action that runs, unless the engine hangs.
const stopWithin = 15 * time.Second

// run keeps the parts running until ctx ends, one of them failed too often, or
// another configuration has all of them opened again: then that is returned. It
// stops them in order: first the actors, of which the healer finishes the
// action that runs; then what they stand on, the children and the bus's
// forwarding; the bus itself last.
func (a *app) run(ctx context.Context) (next *config.Config, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	base, standing := errgroup.WithContext(context.WithoutCancel(ctx))
	standing, end := context.WithCancel(standing)
	defer end()
	a.keep(standing, base, health.Bus, a.bus.Run)
	if a.children != nil {
		a.keep(standing, base, "process", a.children.Run)
	}
	if a.events != nil { // it ends after the healer, whose last events are written too
		a.keep(standing, base, "events", func(ctx context.Context) error { return a.events.follow(ctx, a.bus, a.identity.Host) })
	}

	actors, acting := errgroup.WithContext(ctx)
	a.keep(acting, actors, health.Monitor, afterListening(a.listening, a.monitor.Run))
	a.keep(acting, actors, health.Healer, a.healer.Run)
	a.keep(acting, actors, health.Chaos, a.chaos.Run)
	a.keep(acting, actors, health.Rollup, a.rollups.Run)
	a.keep(acting, actors, health.Notify, a.notifier.Run)
	a.keep(acting, actors, health.Dashboard, a.dashboard.Run)
	if a.discovery != nil {
		a.keep(acting, actors, health.Discovery, a.discovery.Run)
	}
	if a.watcher != nil {
		a.keep(acting, actors, health.Config, a.watcher.Run)
	}
	printer := &consolePrinter{console: a.console, log: a.log, events: a.bus, host: a.identity.Host}
	a.keep(acting, actors, "console", printer.Run)
	supervise.Go(acting, actors, "base", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-standing.Done():
			return context.Cause(standing)
		case other := <-a.restart:
			next = &other
			stop()
			return nil
		}
	})

	<-acting.Done()
	a.log.Info("stopping", "parts", a.running.names())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err = a.ended(last, actors)
	end()
	err = errors.Join(err, a.ended(last, base))
	if last.Err() != nil {
		return nil, err // a part that is late still uses the bus
	}
	return next, errors.Join(err, a.bus.Close(last))
}

// keep runs a part under supervision, in group.
func (a *app) keep(ctx context.Context, group *errgroup.Group, name string, run func(context.Context) error) {
	a.running.add(name)
	supervise.Go(ctx, group, name, func(ctx context.Context) error {
		defer a.running.remove(name)
		return supervise.Keep(ctx, a.log, name, a.registry, wrap(name, run))
	})
}

// ended waits for a group as long as ctx allows, and else names the parts that
// are late.
func (a *app) ended(ctx context.Context, group *errgroup.Group) error {
	done := make(chan error, 1)
	var waiting errgroup.Group
	supervise.Go(ctx, &waiting, "stop", func(context.Context) error {
		done <- group.Wait()
		return nil
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		late := a.running.names()
		a.log.Error("parts did not stop in time", "after", stopWithin, "late", late)
		return fmt.Errorf("not stopped within %s: %s", stopWithin, strings.Join(late, ", "))
	}
}

// runningSet is which parts are running. The zero value is ready.
type runningSet struct {
	mu    sync.Mutex
	parts []string
}

func (r *runningSet) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = append(r.parts, name)
}

func (r *runningSet) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = slices.DeleteFunc(r.parts, func(part string) bool { return part == name })
}

func (r *runningSet) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.parts)
}
