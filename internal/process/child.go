package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/container"
)

const (
	defaultStopTimeout = 10 * time.Second
	// endGrace is what a child gets between SIGTERM and SIGKILL when the
	// runtime itself ends; a second covers any service that stops in order.
	endGrace = time.Second
)

// child is a declared child. Its loop, run, owns the process and does one act
// at a time; inspect may be called from anywhere.
type child struct {
	spec     Child
	id       string
	image    string // the program's file name
	hub      *hub
	log      *slog.Logger
	logs     *tail
	requests chan request

	proc    *proc // nil: not running. Owned by the loop
	leaks   bool  // it was asked to use up its memory since it was started
	workers *errgroup.Group

	mu    sync.Mutex
	state container.State
}

// request is an act for the child's loop.
type request struct {
	do   func(*child, context.Context) error
	done chan error // takes the one answer without a reader
}

func newChild(spec Child, imageID string, hub *hub, log *slog.Logger) *child {
	if spec.StopTimeout <= 0 {
		spec.StopTimeout = defaultStopTimeout
	}
	c := &child{
		spec: spec, id: newID(), image: programName(spec.Path), hub: hub,
		log: log.With("child", spec.Name), logs: newTail(hub.now), requests: make(chan request),
	}
	c.state = container.State{
		Name: spec.Name, ID: c.id, Image: c.image, ImageID: imageID, SpecHash: specHash(spec),
		Status: container.Created, StopTimeout: spec.StopTimeout,
	}
	return c
}

// do hands an act to the loop and waits for its answer, both while ctx and
// the turn last.
func (c *child) do(ctx context.Context, t *turn, act request) error {
	select {
	case c.requests <- act:
	case <-t.down:
		return errDown
	case <-ctx.Done():
		return fmt.Errorf("another action was in progress: %w", ctx.Err())
	}
	select {
	case err := <-act.done:
		return err
	case <-t.down:
		return errDown
	case <-ctx.Done():
		return fmt.Errorf("the action is still in progress: %w", ctx.Err())
	}
}

// run starts the child, does what is requested until ctx ends, and ends it. The
// process is tied to the life of the operating system's thread that started
// it, where the kernel can do that, so the loop keeps its own.
func (c *child) run(ctx context.Context, workers *errgroup.Group, started func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer c.end()
	c.workers = workers
	func() {
		defer started()
		if err := c.start(ctx); err != nil {
			c.log.Error("cannot start a demo service", "error", err)
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case code := <-c.proc.exited():
			c.ended(code)
		case act := <-c.requests:
			c.settle()
			act.done <- act.do(c, ctx)
		}
	}
}

// settle takes an end that came just before.
func (c *child) settle() {
	select {
	case code := <-c.proc.exited():
		c.ended(code)
	default:
	}
}

// inspect is the state now.
func (c *child) inspect() container.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *child) update(change func(*container.State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.state)
}

// emit publishes an event. The state that it is about is set before.
func (c *child) emit(e container.Event) {
	e.Name, e.ID, e.Image = c.spec.Name, c.id, c.image
	c.hub.add(e)
}

func (c *child) start(context.Context) error {
	switch {
	case c.proc == nil:
		return c.spawn()
	case c.inspect().Status == container.Paused:
		return errors.New("it is paused: unpause it instead")
	}
	return nil
}

func (c *child) restart(ctx context.Context) error { return c.restartWithin(ctx, c.spec.StopTimeout) }

// restartWithin leaves the child that long between SIGTERM and SIGKILL.
func (c *child) restartWithin(ctx context.Context, grace time.Duration) error {
	if err := c.stopWithin(ctx, grace); err != nil {
		return err
	}
	if err := c.spawn(); err != nil {
		return err
	}
	c.emit(container.Event{Action: container.ActionRestart})
	return nil
}

func (c *child) spawn() error {
	proc, err := spawn(c.spec, c.logs, c.workers)
	if err != nil {
		c.update(func(s *container.State) { s.ExitCode, s.Error = 127, err.Error() })
		return err
	}
	c.proc, c.leaks = proc, false
	c.update(func(s *container.State) {
		s.Status, s.StartedAt, s.ExitCode, s.Error, s.OOMKilled = container.Running, c.hub.now(), 0, "", false
	})
	c.emit(container.Event{Action: container.ActionStart})
	return nil
}

func (c *child) unpause(context.Context) error {
	switch {
	case c.proc == nil:
		return errors.New("it is not running: start it instead")
	case c.inspect().Status != container.Paused:
		return nil
	}
	return c.resume()
}

func (c *child) resume() error {
	if err := c.proc.signal(signalResume); err != nil {
		return err
	}
	c.update(func(s *container.State) { s.Status = container.Running })
	c.emit(container.Event{Action: container.ActionUnpause})
	return nil
}

func (c *child) pause(context.Context) error {
	switch {
	case c.proc == nil:
		return errors.New("it is not running")
	case c.inspect().Status == container.Paused:
		return nil
	}
	if err := c.proc.signal(signalPause); err != nil {
		return err
	}
	c.update(func(s *container.State) { s.Status = container.Paused })
	c.emit(container.Event{Action: container.ActionPause})
	return nil
}

// kill is kill(9) and die.
func (c *child) kill(ctx context.Context) error {
	if c.proc == nil {
		return nil
	}
	_, err := c.strike(ctx, signalKill, 0)
	return err
}

// stop is kill(15), die and stop; with kill(9) before the die where SIGTERM
// did not help in time. A paused child is let go on, so that it can end.
func (c *child) stop(ctx context.Context) error { return c.stopWithin(ctx, c.spec.StopTimeout) }

func (c *child) stopWithin(ctx context.Context, grace time.Duration) error {
	if c.proc == nil {
		return nil
	}
	struck, err := c.strike(ctx, signalStop, grace)
	if err == nil && c.proc != nil {
		_, err = c.strike(ctx, signalKill, 0)
	}
	if err == nil && struck {
		c.emit(container.Event{Action: container.ActionStop})
	}
	return err
}

// strike sends a signal that ends, and waits until the child has died, at
// most for limit (zero: as long as it takes). It reports whether the signal
// reached a living process.
func (c *child) strike(ctx context.Context, sig signal, limit time.Duration) (bool, error) {
	err := c.proc.signal(sig)
	struck := err == nil
	if struck {
		c.emit(container.Event{Action: container.ActionKill, Signal: strconv.Itoa(sig.number())})
		if sig != signalKill && c.inspect().Status == container.Paused {
			err = c.resume()
		}
	}
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return struck, err
	}
	var late <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case code := <-c.proc.exited():
		c.died(code)
		return struck, nil
	case <-late:
		return struck, nil
	case <-ctx.Done(): // the runtime ends, and the child with it
		return struck, errDown
	}
}

// died: the process has ended, by whatever.
func (c *child) died(code int) {
	c.proc.close()
	c.proc = nil
	c.update(func(s *container.State) {
		s.Status, s.ExitCode, s.FinishedAt = container.Exited, code, c.hub.now()
	})
	c.emit(container.Event{Action: container.ActionDie, ExitCode: code})
}

// end ends the child with the runtime. That is no act on a service, so
// there is no event of it.
func (c *child) end() {
	if c.proc == nil {
		return
	}
	c.proc.close()
	code, ended := c.proc.finish(endGrace)
	if !ended {
		c.log.Error("a demo service did not stop in time", "pid", c.proc.cmd.Process.Pid)
	}
	c.proc = nil
	c.update(func(s *container.State) {
		s.Status, s.ExitCode, s.FinishedAt = container.Exited, code, c.hub.now()
	})
}
