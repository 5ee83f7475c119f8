package process

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"logstream/internal/container"
)

// Info counts the declared children.
func (r *Runtime) Info(ctx context.Context) (container.Info, error) {
	if _, err := r.ready(ctx); err != nil {
		return container.Info{}, fmt.Errorf("get the version of the process runtime: %w", err)
	}
	return container.Info{Kind: "process", Version: runtime.Version(), Containers: len(r.children)}, nil
}

// Find knows names only: there are no Compose projects here.
func (r *Runtime) Find(ctx context.Context, ref string) (container.State, error) {
	return r.state(ctx, ref, func(c *child) bool { return c.spec.Name == ref })
}

// Inspect is the child with that ID.
func (r *Runtime) Inspect(ctx context.Context, id string) (container.State, error) {
	return r.state(ctx, id, func(c *child) bool { return c.id == id })
}

func (r *Runtime) state(ctx context.Context, ref string, is func(*child) bool) (container.State, error) {
	if _, err := r.ready(ctx); err != nil {
		return container.State{}, fmt.Errorf("inspect %q: %w", ref, err)
	}
	i := slices.IndexFunc(r.children, is)
	if i < 0 {
		return container.State{}, fmt.Errorf("inspect %q: %w", ref, container.ErrNotFound)
	}
	return r.children[i].inspect(), nil
}

// Logs are the last lines that the child wrote to both its outputs, over all
// its runs: at most 1000 of at most 4 KiB.
func (r *Runtime) Logs(ctx context.Context, id string, tail int) ([]container.Line, error) {
	c, _, err := r.child(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the log of %q: %w", id, err)
	}
	return c.logs.last(tail), nil
}

// Events ends with an error when the reader is 256 events behind: nothing that
// it still needs would be kept otherwise.
func (r *Runtime) Events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error {
	t, err := r.ready(ctx)
	if err == nil {
		err = r.hub.follow(ctx, t.down, since, ready, handle)
	}
	return fmt.Errorf("follow the events of the demo's processes: %w", err)
}

// Start starts the child. One that runs is success, a paused one is not.
func (r *Runtime) Start(ctx context.Context, id string) error {
	return r.act(ctx, "start", id, (*child).start)
}

// Restart stops the child, within its StopTimeout, and starts it. When ctx
// ends first, the restart is still finished.
func (r *Runtime) Restart(ctx context.Context, id string) error {
	return r.act(ctx, "restart", id, (*child).restart)
}

// KillStart is Restart, with grace in the place of the child's StopTimeout.
func (r *Runtime) KillStart(ctx context.Context, id string, grace time.Duration) error {
	return r.act(ctx, "kill and start", id, func(c *child, ctx context.Context) error {
		return c.restartWithin(ctx, max(grace, time.Second))
	})
}

// Unpause lets the child go on. One that runs is success.
func (r *Runtime) Unpause(ctx context.Context, id string) error {
	return r.act(ctx, "unpause", id, (*child).unpause)
}

// act has the child's own loop do something, and waits for it. An act that
// has begun goes on when ctx ends.
func (r *Runtime) act(ctx context.Context, verb, id string, do func(*child, context.Context) error) error {
	c, t, err := r.child(ctx, id)
	if err != nil {
		return fmt.Errorf("%s %q: %w", verb, id, err)
	}
	act := request{do: do, done: make(chan error, 1)}
	if err := c.do(ctx, t, act); err != nil {
		return fmt.Errorf("%s %s: %w", verb, c.spec.Name, err)
	}
	return nil
}

func (r *Runtime) child(ctx context.Context, id string) (*child, *turn, error) {
	t, err := r.ready(ctx)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(r.children, func(c *child) bool { return c.id == id })
	if i < 0 {
		return nil, nil, container.ErrNotFound
	}
	return r.children[i], t, nil
}

// List is every child; they have no labels.
func (r *Runtime) List(ctx context.Context) ([]container.Listed, error) {
	if _, err := r.ready(ctx); err != nil {
		return nil, fmt.Errorf("list the demo's processes: %w", err)
	}
	var list []container.Listed
	for _, c := range r.children {
		s := c.inspect()
		list = append(list, container.Listed{Name: s.Name, ID: s.ID, Status: s.Status})
	}
	slices.SortFunc(list, func(a, b container.Listed) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Ports are none: a child publishes nothing, it listens by itself.
func (r *Runtime) Ports(ctx context.Context, id string) ([]string, error) {
	if _, _, err := r.child(ctx, id); err != nil {
		return nil, fmt.Errorf("find the ports of %q: %w", id, err)
	}
	return nil, nil
}
