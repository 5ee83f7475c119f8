// Package process is a container runtime over child processes, for the demo:
// no engine is needed, and the healer meets the same states, the same errors
// and the same events in the same order as with Docker. It passes the same
// conformance suite.
//
// A child's standard input is its lifeline: it holds no data but the names of
// faults that the child is to execute, one a line, and a child leaves when
// it closes, which it does however the parent ends. A paused child can't read
// that its lifeline is closed. Therefore each child has a process group of its
// own, which the kernel ends when the group is stopped and has lost its
// parent; and on Linux the kernel kills a child when its parent is gone.
//
// A container here is a declared child: its ID is random and kept over starts,
// its image is the program's file, its specification the arguments and the
// names of the variables.
package process

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/container"
	"logstream/internal/supervise"
)

// Child is a service that runs as a child process.
//
// It ends when its standard input closes, and executes the faults whose names
// it reads there, on a line of their own, and "undo disk": as demoservice does.
type Child struct {
	Name string // as a container's name: exact
	Path string // of the program; empty: the program that runs now, also when its file was replaced
	Args []string
	Env  []string // its whole environment, as "NAME=value"
	// StopTimeout is what a stop leaves it between SIGTERM and SIGKILL; zero
	// is 10 s, as Docker has it.
	StopTimeout time.Duration
}

// Runtime keeps child processes as containers. It is ready once Run has
// started them all: until then calls wait, and after Run they say that the
// runtime is unavailable.
type Runtime struct {
	log      *slog.Logger
	hub      *hub
	children []*child

	mu   sync.Mutex
	turn *turn
}

var _ container.Runtime = (*Runtime)(nil)

// turn is one Run: up is closed when every child was started, down when all
// have ended.
type turn struct {
	up, down chan struct{}
	begun    bool
}

func newTurn() *turn { return &turn{up: make(chan struct{}), down: make(chan struct{})} }

// New declares the children, in that order; their names differ. None runs
// before Run.
func New(log *slog.Logger, children []Child) *Runtime {
	r := &Runtime{log: log.With("component", "process"), hub: newHub(), turn: newTurn()}
	images := imageIDs{}
	for _, spec := range children {
		r.children = append(r.children, newChild(spec, images.of(spec.Path), r.hub, r.log))
	}
	return r
}

// Run starts every child, and ends them all when ctx does: it returns after
// the last has ended, with an error only where a part of the runtime itself
// failed. A child that can't be started is an exited container, not an error.
// Run may be called again when it has returned.
func (r *Runtime) Run(ctx context.Context) error {
	t, err := r.begin()
	if err != nil {
		return err
	}
	defer close(t.down)
	group, ctx := errgroup.WithContext(ctx)
	var starting sync.WaitGroup
	for _, c := range r.children {
		starting.Add(1)
		supervise.Go(ctx, group, "process "+c.spec.Name, func(ctx context.Context) error {
			return c.run(ctx, group, starting.Done)
		})
	}
	starting.Wait()
	close(t.up)
	return group.Wait()
}

func (r *Runtime) begin() (*turn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.turn.begun {
		select {
		case <-r.turn.down:
			r.turn = newTurn()
		default:
			return nil, fmt.Errorf("run the child processes: they are already running")
		}
	}
	r.turn.begun = true
	return r.turn, nil
}

// ready waits until the children were started, and says why they are not.
func (r *Runtime) ready(ctx context.Context) (*turn, error) {
	r.mu.Lock()
	t := r.turn
	r.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-t.down:
		return nil, errDown
	default:
	}
	select {
	case <-t.up:
		return t, nil
	case <-t.down:
		return nil, errDown
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errDown = fmt.Errorf("%w: the demo's processes have ended", container.ErrUnavailable)
