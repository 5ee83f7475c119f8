package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"logstream/internal/container"
)

// Injector causes faults in the children of a Runtime.
type Injector struct{ runtime *Runtime }

var _ container.Injector = (*Injector)(nil)

// NewInjector is the injector of r's children.
func NewInjector(r *Runtime) *Injector { return &Injector{r} }

// outside are the faults that are done to a child; all others it executes
// itself.
var outside = map[string]func(*child, context.Context) error{
	container.FaultStop:  (*child).stop,
	container.FaultKill:  (*child).kill,
	container.FaultCrash: (*child).crash,
	container.FaultPause: (*child).pause,
}

// missing are the faults of any container that a process has no part for.
var missing = []string{container.FaultDisconnect, container.FaultMemory, container.FaultCPU, container.FaultRemove}

// Inject causes a fault of the child. What is so already is success.
func (i *Injector) Inject(ctx context.Context, id, fault string) (container.Before, error) {
	if slices.Contains(missing, fault) {
		return container.Before{}, fmt.Errorf("inject %s: a child process has no network, limit or specification of its own: %w", fault, container.ErrUnsupported)
	}
	if !slices.Contains(faults(), fault) {
		return container.Before{}, fmt.Errorf("inject %q: the demo's services support only %s", fault, strings.Join(faults(), ", "))
	}
	cause, done := outside[fault]
	if !done {
		cause = func(c *child, _ context.Context) error { return c.order(fault) }
	}
	return container.Before{ID: id}, i.runtime.act(ctx, fault, id, cause)
}

// Undo needs nothing of what was before.
func (i *Injector) Undo(ctx context.Context, id, fault string, _ container.Before) error {
	known, _ := container.FaultNamed(fault)
	switch known.Undo {
	case container.UndoStart:
		return i.runtime.Start(ctx, id)
	case container.UndoRestart:
		return i.runtime.Restart(ctx, id)
	case container.UndoUnpause:
		return i.runtime.Unpause(ctx, id)
	case container.UndoFree:
		return i.runtime.act(ctx, "undo "+fault, id, func(c *child, ctx context.Context) error {
			return errors.Join(c.start(ctx), c.order("undo "+fault))
		})
	}
	return fmt.Errorf("undo %s: %w", fault, container.ErrUnsupported)
}

// Faults are the same for every child.
func (i *Injector) Faults(name string) []string {
	if !slices.ContainsFunc(i.runtime.children, func(c *child) bool { return c.spec.Name == name }) {
		return nil
	}
	return faults()
}

func faults() []string {
	var names []string
	for _, f := range container.KnownFaults() {
		if !slices.Contains(missing, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// crash ends the child as the kernel would: a die without a request.
func (c *child) crash(ctx context.Context) error {
	if c.proc == nil {
		return nil
	}
	if err := c.proc.signal(signalKill); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case code := <-c.proc.exited():
		c.died(code)
		return nil
	case <-ctx.Done(): // the runtime ends, and the child with it
		return errDown
	}
}

// order has the child execute a fault by itself.
func (c *child) order(what string) error {
	switch {
	case c.proc == nil:
		return errors.New("it is not running")
	case c.inspect().Status == container.Paused:
		return errors.New("the service is paused and cannot execute the fault")
	}
	c.leaks = c.leaks || what == container.FaultLeak
	return c.proc.say(what)
}

// ended: the process has ended, and nothing that was requested ended it. One
// that used up its memory was ended by the kernel, in its own name: the limit is
// its own.
func (c *child) ended(code int) {
	if c.leaks && code == 128+signalKill.number() {
		c.update(func(s *container.State) { s.OOMKilled = true })
		c.emit(container.Event{Action: container.ActionOOM})
	}
	c.died(code)
}
