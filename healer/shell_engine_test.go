package healer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"logstream/internal/container"
)

// memoryEngine is a container runtime in memory. It passes containertest, and
// beyond that it can be what an engine is on a bad day: see callFault.
type memoryEngine struct {
	timeline *timeline
	working  sync.WaitGroup // what goes on in the engine, also after its caller left

	mu          sync.Mutex
	units       []*unit
	events      []container.Event
	changed     chan struct{} // closed at every event, and when it becomes unreachable
	clock       time.Time
	unreachable bool
	faults      map[string]callFault // by method
	open        map[string]int       // calls that have not returned, by method
	most        int                  // of the calls that change something at once
	changing    int
	made        int // containers by Recreate
}

// unit is a container with the one process in it.
type unit struct {
	state    container.State
	kept     bool // another has its place
	stubborn bool // the process ignores its stop signal
	failing  bool // it answers with an error, until it is started again
	lines    []container.Line
	busy     chan struct{} // holds one: the engine works on it
}

// callFault says what the engine does with the calls of a method.
type callFault struct {
	slow   time.Duration // before it takes the call
	hang   bool          // it never takes it
	refuse bool          // it answers with an error, and does nothing
	mute   bool          // it does it, and never answers
	lose   bool          // it does it, and the connection breaks
	crash  bool          // it does it, and the client panics
}

const (
	startTakes = 30 * time.Millisecond
	stopTakes  = 20 * time.Millisecond
	mostLines  = 1000
	mostText   = 16 << 10
)

var errDriver = errors.New("driver failed programming external connectivity")

func newMemoryEngine(tl *timeline) *memoryEngine {
	return &memoryEngine{timeline: tl, changed: make(chan struct{}), faults: map[string]callFault{}, open: map[string]int{}}
}

// add declares a container that runs.
func (e *memoryEngine) add(name string, stubborn bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	stop := 10 * time.Second
	if stubborn {
		stop = time.Second
	}
	e.units = append(e.units, &unit{stubborn: stubborn, busy: make(chan struct{}, 1), state: container.State{Name: name, ID: "id-of-" + name, Image: name + ":1",
		ImageID: "sha256:" + name, SpecHash: "spec-of-" + name, Status: container.Running, StartedAt: e.tick(), StopTimeout: stop,
		Networks: []container.Network{{Name: "backend", Aliases: []string{name}, Address: "192.0.2.2"}}}})
}

// tick is the engine's clock: never twice the same.
func (e *memoryEngine) tick() time.Time {
	now := time.Now().UTC().Round(0)
	if !now.After(e.clock) {
		now = e.clock.Add(time.Microsecond)
	}
	e.clock = now
	return now
}

// emit makes an event of a container known.
func (e *memoryEngine) emit(u *unit, action container.Action, more func(*container.Event)) {
	event := container.Event{Time: e.tick(), Name: u.state.Name, ID: u.state.ID, Image: u.state.Image, Action: action}
	if more != nil {
		more(&event)
	}
	e.events = append(e.events, event)
	e.change()
}

func (e *memoryEngine) change() {
	close(e.changed)
	e.changed = make(chan struct{})
}

func (e *memoryEngine) started(u *unit) {
	u.state.Status, u.state.StartedAt, u.failing = container.Running, e.tick(), false
	e.emit(u, container.ActionStart, nil)
}

func (e *memoryEngine) signalled(u *unit, signal string) {
	e.emit(u, container.ActionKill, func(k *container.Event) { k.Signal = signal })
}

func (e *memoryEngine) ended(u *unit, code int) {
	u.state.Status, u.state.FinishedAt, u.state.ExitCode = container.Exited, e.tick(), code
	e.emit(u, container.ActionDie, func(d *container.Event) { d.ExitCode = code })
}

// byID is the container with that id; e.mu is held.
func (e *memoryEngine) byID(id string) (*unit, error) {
	for _, u := range e.units {
		if u.state.ID == id {
			return u, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", container.ErrNotFound, id)
}

// call is one call of a method: what the engine does with it, and what the
// caller gets to know. do runs in the engine, and goes on there when the caller
// has left.
func (e *memoryEngine) call(ctx context.Context, method, id string, do func() error) error {
	e.enter(method)
	defer e.leave(method)
	e.mu.Lock()
	fault, unreachable := e.faults[method], e.unreachable
	e.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", container.ErrUnavailable, ctx.Err())
	case unreachable:
		return container.ErrUnavailable
	case fault.hang:
		<-ctx.Done()
		return ctx.Err()
	case fault.refuse:
		return errDriver
	}
	if arrive(ctx, time.Now().Add(fault.slow)) != nil {
		return ctx.Err() // it was not taken yet
	}
	done := make(chan error, 1)
	e.working.Go(func() {
		e.timeline.call(method, id)
		err := do()
		e.timeline.answer(method, id)
		done <- err
	})
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case fault.mute:
		<-ctx.Done()
		return ctx.Err()
	case fault.lose:
		return fmt.Errorf("%w: EOF", container.ErrUnavailable)
	case fault.crash:
		panic("the client's own mistake")
	}
	return err
}

func (e *memoryEngine) enter(method string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[method]++
	if isRepair(method) {
		e.changing++
		e.most = max(e.most, e.changing)
	}
}

func (e *memoryEngine) leave(method string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[method]--
	if isRepair(method) {
		e.changing--
	}
}

func isRepair(method string) bool {
	return slices.Contains([]string{"Start", "Restart", "Unpause", "Connect", "Disconnect", "KillStart", "SetMemory", "Recreate", "Restore"}, method)
}

// work is a call that works on a container, one at a time.
func (e *memoryEngine) work(ctx context.Context, method, id string, do func(u *unit) error) error {
	return e.call(ctx, method, id, func() error {
		e.mu.Lock()
		u, err := e.byID(id)
		e.mu.Unlock()
		if err != nil {
			return err
		}
		u.busy <- struct{}{}
		defer func() { <-u.busy }()
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, err := e.byID(id); err != nil {
			return err // it was removed meanwhile
		}
		return do(u)
	})
}

// takes lets time pass in which the engine answers others.
func (e *memoryEngine) takes(d time.Duration) {
	e.mu.Unlock()
	time.Sleep(d)
	e.mu.Lock()
}

// Start is container.Runtime's.
func (e *memoryEngine) Start(ctx context.Context, id string) error {
	return e.work(ctx, "Start", id, func(u *unit) error {
		switch u.state.Status {
		case container.Running:
			return nil
		case container.Paused:
			return errors.New("cannot start a paused container, try unpause instead")
		}
		e.takes(startTakes)
		e.started(u)
		return nil
	})
}

// Restart is container.Runtime's.
func (e *memoryEngine) Restart(ctx context.Context, id string) error {
	return e.work(ctx, "Restart", id, func(u *unit) error {
		e.restart(u, u.state.StopTimeout)
		return nil
	})
}

func (e *memoryEngine) restart(u *unit, grace time.Duration) {
	e.stop(u, grace)
	e.takes(startTakes)
	e.started(u)
	e.emit(u, container.ActionRestart, nil)
}

// stop signals the process to end, and kills it when the grace is over.
func (e *memoryEngine) stop(u *unit, grace time.Duration) {
	if u.state.Status != container.Running && u.state.Status != container.Paused {
		return
	}
	code := 0
	e.signalled(u, "15")
	if u.stubborn {
		e.takes(grace)
		e.signalled(u, "9")
		code = 137
	} else {
		e.takes(stopTakes)
	}
	e.ended(u, code)
	e.emit(u, container.ActionStop, nil)
}

// Unpause is container.Runtime's.
func (e *memoryEngine) Unpause(ctx context.Context, id string) error {
	return e.work(ctx, "Unpause", id, func(u *unit) error {
		switch u.state.Status {
		case container.Running:
			return nil
		case container.Paused:
			u.state.Status = container.Running
			e.emit(u, container.ActionUnpause, nil)
			return nil
		}
		return fmt.Errorf("container %s is not paused", u.state.Name)
	})
}

// Inject is container.Runtime's.
func (e *memoryEngine) Inject(ctx context.Context, id, fault string) error {
	return e.work(ctx, "Inject", id, func(u *unit) error {
		runs := u.state.Status == container.Running
		switch fault {
		case container.FaultStop:
			e.stop(u, u.state.StopTimeout)
		case container.FaultKill:
			if runs || u.state.Status == container.Paused {
				e.signalled(u, "9")
				e.ended(u, 137)
			}
		case container.FaultPause:
			if runs {
				u.state.Status = container.Paused
				e.emit(u, container.ActionPause, nil)
			}
		case container.FaultFail:
			u.failing = true
		default:
			return fmt.Errorf("unknown fault %q; known faults: %v", fault, e.Faults(u.state.Name))
		}
		return nil
	})
}

// Faults is container.Runtime's.
func (e *memoryEngine) Faults(string) []string {
	return []string{container.FaultStop, container.FaultKill, container.FaultPause, container.FaultFail}
}

// injectorOf is the engine as a container.Injector.
type injectorOf struct{ *memoryEngine }

func (i injectorOf) Inject(ctx context.Context, id, fault string) (container.Before, error) {
	return container.Before{ID: id}, i.memoryEngine.Inject(ctx, id, fault)
}

func (i injectorOf) Undo(context.Context, string, string, container.Before) error {
	return container.ErrUnsupported
}
