package healer_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"logstream/internal/container"
)

// What is read of the engine in memory, and what a test does to it.

// Info is container.Runtime's.
func (e *memoryEngine) Info(ctx context.Context) (container.Info, error) {
	found := make(chan container.Info, 1) // a caller that has left takes nothing
	if err := e.call(ctx, "Info", "", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		found <- container.Info{Kind: "memory", ID: "engine-of-this-machine", Version: "1", Containers: len(e.units)}
		return nil
	}); err != nil {
		return container.Info{}, err
	}
	return <-found, nil
}

// Find is container.Runtime's.
func (e *memoryEngine) Find(ctx context.Context, ref string) (container.State, error) {
	return e.find(ctx, "Find", ref, func(u *unit) bool { return u.state.Name == ref })
}

// Inspect is container.Runtime's.
func (e *memoryEngine) Inspect(ctx context.Context, id string) (container.State, error) {
	return e.find(ctx, "Inspect", id, func(u *unit) bool { return u.state.ID == id })
}

func (e *memoryEngine) find(ctx context.Context, method, of string, is func(*unit) bool) (container.State, error) {
	found := make(chan container.State, 1) // a caller that has left takes nothing
	err := e.call(ctx, method, of, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		i := slices.IndexFunc(e.units, is)
		if i < 0 {
			return container.ErrNotFound
		}
		found <- e.units[i].state
		return nil
	})
	if err != nil {
		return container.State{}, err
	}
	return <-found, nil
}

// List is container.Runtime's.
func (e *memoryEngine) List(ctx context.Context) ([]container.Listed, error) {
	found := make(chan []container.Listed, 1)
	err := e.call(ctx, "List", "", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		var list []container.Listed
		for _, u := range e.units {
			list = append(list, container.Listed{Name: u.state.Name, ID: u.state.ID, Status: u.state.Status, Temporary: u.kept})
		}
		slices.SortFunc(list, func(a, b container.Listed) int { return strings.Compare(a.Name, b.Name) })
		found <- list
		return nil
	})
	if err != nil {
		return nil, err
	}
	return <-found, nil
}

// Ports is container.Runtime's: nothing is published.
func (e *memoryEngine) Ports(ctx context.Context, id string) ([]string, error) {
	_, err := e.Inspect(ctx, id)
	return nil, err
}

// Logs is container.Runtime's.
func (e *memoryEngine) Logs(ctx context.Context, id string, tail int) ([]container.Line, error) {
	found := make(chan []container.Line, 1)
	err := e.call(ctx, "Logs", id, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		u, err := e.byID(id)
		if err == nil {
			found <- slices.Clone(u.lines[max(0, len(u.lines)-max(0, tail)):])
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-found, nil
}

// Events is container.Runtime's.
func (e *memoryEngine) Events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error {
	if err := e.call(ctx, "Events", "", func() error { return nil }); err != nil {
		return err
	}
	e.mu.Lock()
	next := len(e.events)
	if !since.IsZero() {
		next = slices.IndexFunc(append(slices.Clone(e.events), container.Event{Time: since}), func(old container.Event) bool { return !old.Time.Before(since) })
	}
	e.mu.Unlock()
	ready()
	for {
		e.mu.Lock()
		events, changed, unreachable := e.events[next:], e.changed, e.unreachable
		e.mu.Unlock()
		for _, event := range events {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			handle(event)
		}
		next += len(events)
		if unreachable {
			return container.ErrUnavailable
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fail gives the calls of a method a fault; the zero value ends it. Calls that
// hang go on hanging until their own end.
func (e *memoryEngine) fail(method string, fault callFault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults[method] = fault
}

func (e *memoryEngine) setUnreachable(unreachable bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unreachable = unreachable
	e.change()
}

// underway are the calls of a method that have not returned.
func (e *memoryEngine) underway(method string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open[method]
}

// mostAtOnce is how many calls that change something were made at the same time.
func (e *memoryEngine) mostAtOnce() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.most
}

// state is a container as it is, whether the engine answers or not.
func (e *memoryEngine) state(name string) (container.State, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, u := range e.units {
		if u.state.Name == name {
			return u.state, u.failing
		}
	}
	return container.State{}, false
}

// exit ends a process by itself.
func (e *memoryEngine) exit(name string, code int) {
	e.each(name, func(u *unit) { e.ended(u, code) })
}

// say writes to a process's standard output.
func (e *memoryEngine) say(name, text string) {
	e.each(name, func(u *unit) {
		for line := range strings.Lines(text + "\n") {
			line = strings.TrimSuffix(line, "\n")
			u.lines = append(u.lines, container.Line{Time: e.tick(), Text: line[:min(len(line), mostText)]})
		}
		u.lines = u.lines[max(0, len(u.lines)-mostLines):]
	})
}

// remove removes a container.
func (e *memoryEngine) remove(name string) {
	e.each(name, func(u *unit) {
		if u.state.Status == container.Running || u.state.Status == container.Paused {
			e.signalled(u, "9")
			e.ended(u, 137)
		}
		e.emit(u, container.ActionDestroy, nil)
		e.units = slices.DeleteFunc(e.units, func(other *unit) bool { return other == u })
	})
}

func (e *memoryEngine) each(name string, do func(*unit)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, u := range slices.Clone(e.units) {
		if u.state.Name == name {
			do(u)
		}
	}
}

// startOutside is a start that another user requests.
func (e *memoryEngine) startOutside(name string) { e.each(name, e.started) }
