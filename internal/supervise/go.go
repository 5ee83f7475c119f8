package supervise

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// Actor is a part that is kept running.
type Actor interface {
	Run(ctx context.Context) error
}

// PanicError is a panic as an error. Its text carries the stack, so that it
// reaches the log on whichever way the error takes.
type PanicError struct {
	Name  string // of the goroutine
	Value any    // what was given to panic
	Stack []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("panic in %s: %v\n\n%s", e.Name, e.Value, e.Stack)
}

// Unwrap is the error that was given to panic, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Go runs fn in group. A panic of fn becomes a *PanicError, which like every
// error cancels the group's context and is returned by its Wait.
func Go(ctx context.Context, group *errgroup.Group, name string, fn func(context.Context) error) {
	group.Go(func() error { return guard(ctx, name, fn) })
}

// guard runs fn and turns its panic into an error.
func guard(ctx context.Context, name string, fn func(context.Context) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Name: name, Value: value, Stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}
