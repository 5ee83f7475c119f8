package discover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/container"
	"logstream/internal/health"
	"logstream/internal/retry"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

const (
	// gather is how long what happens to containers is gathered before they are
	// listed: one "docker compose up" is one list.
	gather = 300 * time.Millisecond
	// listEvery is how often they are listed though nothing happened.
	listEvery = time.Minute
	// leaveAfter is how long a container that is gone stays a service: it may be
	// about to be made again under the same name.
	leaveAfter = 5 * time.Second
	// listPause is the least between two lists, whatever happens.
	listPause = time.Second
	// A failed list is made again after this, doubling up to the most.
	firstRetry = 500 * time.Millisecond
	maxRetry   = 10 * time.Second
	// steady is how long an event stream stands that did not fail at once.
	steady = 10 * time.Second
	// maxNamed is how many problems one report spells out.
	maxNamed = 5
)

// Runtime is what of a container.Runtime is needed here.
type Runtime interface {
	List(ctx context.Context) ([]container.Listed, error)
	Ports(ctx context.Context, id string) ([]string, error)
	Events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error
}

// Deps is what a Discovery is made of. All of it is needed.
type Deps struct {
	Runtime Runtime
	Rules   Rules
	// Found takes all services that are discovered: once when the containers were
	// first listed, and at every change. It must not block.
	Found  func(services []service.Definition)
	Logger *slog.Logger
	Health *health.Registry
}

// Discovery is an actor that finds services in containers. Make one with New.
type Discovery struct {
	deps    Deps
	changed chan struct{} // the rules did
	wake    chan struct{} // the containers did

	mu    sync.Mutex
	rules Rules

	// Of the loop, and kept over restarts of Run.
	last     []Container          // those that are gone for less than leaveAfter as well
	gone     map[string]time.Time // since when one is, by ID
	ports    map[string]string    // first published address, by ID
	services []service.Definition // nil: not known yet
}

// New makes a Discovery; nothing is listed before Run.
func New(deps Deps) *Discovery {
	deps.Logger = deps.Logger.With("component", "discovery")
	return &Discovery{deps: deps, rules: deps.Rules, changed: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		ports: map[string]string{}, gone: map[string]time.Time{}}
}

// Apply replaces the configured services, and what each service begins with.
// It never blocks, and is remembered where Run is not running.
func (d *Discovery) Apply(configured []service.Definition, defaults service.Definition) {
	d.mu.Lock()
	d.rules.Configured, d.rules.Defaults = configured, defaults
	d.mu.Unlock()
	signal(d.changed)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is signalled already
	}
}

// Run discovers until ctx ends, and then returns nil.
func (d *Discovery) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	supervise.Go(ctx, group, "discovery: container events", d.follow)
	supervise.Go(ctx, group, "discovery", d.loop)
	return group.Wait()
}

func (d *Discovery) loop(ctx context.Context) error {
	tries := retry.NewBackoff(firstRetry, maxRetry)
	for {
		due, err := d.round(ctx, time.Now())
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			tries.Reset()
		default:
			if !errors.Is(err, container.ErrUnavailable) { // else the monitor says so
				d.deps.Logger.Warn("containers cannot be listed; retrying", "error", err)
			}
			due = tries.Next()
		}
		if !d.wait(ctx, due) {
			return nil
		}
	}
}

// wait waits until the next list is due, or wanted; false: ctx ended meanwhile.
func (d *Discovery) wait(ctx context.Context, due time.Duration) bool {
	began := time.Now()
	timer := time.NewTimer(due)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-d.changed:
	case <-d.wake:
		if !retry.Sleep(ctx, max(gather, listPause-time.Since(began))) {
			return false
		}
		select {
		case <-d.wake: // the list that follows has it
		default:
		}
	}
	return true
}

// follow wakes the loop at what may bring or take a service, over losses of the
// event stream, until ctx ends.
func (d *Discovery) follow(ctx context.Context) error {
	tries := retry.NewBackoff(firstRetry, maxRetry)
	for {
		began := time.Now()
		err := d.deps.Runtime.Events(ctx, time.Time{}, func() { signal(d.wake) }, func(e container.Event) {
			switch e.Action {
			case container.ActionCreate, container.ActionStart, container.ActionDestroy, container.ActionRename:
				signal(d.wake)
			}
		})
		if ctx.Err() != nil {
			return nil
		}
		d.deps.Logger.Debug("container events cannot be followed; retrying", "error", err)
		if time.Since(began) >= steady {
			tries.Reset()
		}
		if !tries.Wait(ctx) {
			return nil
		}
	}
}

// round lists the containers, decides which services there are, and says so
// where they changed. due is when the next one is.
func (d *Discovery) round(ctx context.Context, now time.Time) (due time.Duration, err error) {
	listed, err := d.deps.Runtime.List(ctx)
	if err != nil {
		return 0, err
	}
	containers, err := d.published(ctx, listed)
	if err != nil {
		return 0, err
	}
	d.last, due = d.linger(containers, now)
	d.mu.Lock()
	rules := d.rules
	d.mu.Unlock()
	services, problems := rules.Plan(d.last, d.services)
	d.report(problems)
	if d.services == nil || !reflect.DeepEqual(services, d.services) {
		d.deps.Logger.Info("services discovered", "services", len(services))
		d.services = services
		d.deps.Found(slices.Clone(services))
	}
	return due, nil
}

// published adds where the first published port of each is reached, where that
// is asked for.
func (d *Discovery) published(ctx context.Context, listed []container.Listed) ([]Container, error) {
	containers, ports := make([]Container, len(listed)), map[string]string{}
	for i, c := range listed {
		containers[i].Listed = c
		if d.deps.Rules.Mode != All || len(c.Labels) > 0 || c.Temporary {
			continue
		}
		at, known := d.ports[c.ID]
		if !known {
			all, err := d.deps.Runtime.Ports(ctx, c.ID)
			if errors.Is(err, container.ErrUnavailable) {
				return nil, err
			}
			if err != nil {
				continue // it is gone, or the next round reads again
			}
			at = append(all, "")[0]
		}
		ports[c.ID], containers[i].Published = at, at
	}
	d.ports = ports
	return containers, nil
}

// linger adds the containers that are gone for less than leaveAfter, as ones
// that do not run, unless there is another one of that name. due is when the
// first of them leaves, or the next list.
func (d *Discovery) linger(containers []Container, now time.Time) (all []Container, due time.Duration) {
	present, gone, due := map[string]bool{}, map[string]time.Time{}, listEvery
	for _, c := range containers {
		present[c.Name], present[c.ID] = true, true
	}
	for _, c := range d.last {
		if present[c.Name] || present[c.ID] || c.Temporary {
			continue
		}
		since, was := d.gone[c.ID]
		if !was {
			since = now
		}
		if left := leaveAfter - now.Sub(since); left > 0 {
			c.Status, gone[c.ID], due = container.Removing, since, min(due, left)
			containers = append(containers, c)
		}
	}
	d.gone = gone
	return containers, due
}

// report has the problems shown as one, for the registry has room for one.
func (d *Discovery) report(problems []Problem) {
	if len(problems) == 0 {
		d.deps.Health.Clear(health.Discovery)
		return
	}
	var what []string
	reduced := false
	for _, p := range problems {
		reduced = reduced || !p.leftOut
		if len(what) < maxNamed {
			what = append(what, p.String())
		}
	}
	if more := len(problems) - maxNamed; more > 0 {
		what = append(what, fmt.Sprintf("and %d more", more))
	}
	onHold := "repairs of these containers, and checks by url: a service with a wrong label is monitored by its container's state alone"
	if !reduced {
		onHold = "the dependencies named above"
	}
	said := strings.ReplaceAll(strings.Join(what, ". "), "?. ", "? ")
	d.deps.Health.Report(health.Problem{Part: health.Discovery, What: said,
		Works: "monitoring and repair of all other services", OnHold: onHold,
		Remedy: health.Remedy{Text: "correct the labels and recreate the container; this command shows its labels",
			Command: "docker inspect --format '{{json .Config.Labels}}' " + problems[0].Container}})
}
