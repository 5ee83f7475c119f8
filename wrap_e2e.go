//go:build e2e

package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/supervise"
)

// panicDir names the directory in which a test puts a file to have an actor
// panic: <actor> in the middle of whatever it does, <actor>-worker in the
// goroutine that next writes a record or handles one. The file is removed
// by the panic. No such code is in the build that people run.
const panicDir = "LOGSTREAM_E2E_PANICS"

// panicIf panics where the test asks for it.
func panicIf(name string) {
	dir := os.Getenv(panicDir)
	if dir != "" && os.Remove(filepath.Join(dir, name)) == nil {
		panic("a test asked " + name + " to panic")
	}
}

// wrap has the actor panic when it is asked to.
func wrap(name string, run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		ended := make(chan struct{})
		supervise.Go(ctx, group, name, func(ctx context.Context) error {
			defer close(ended)
			return run(ctx)
		})
		supervise.Go(ctx, group, name, func(ctx context.Context) error {
			ticker := time.NewTicker(20 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-ended:
					return nil
				case <-ticker.C:
					panicIf(name)
				}
			}
		})
		return group.Wait()
	}
}

// wrapLog has the actor's workers panic when they are asked to, and the process
// end at a boundary of a repair.
func wrapLog(name string, log event.Log) event.Log {
	return panicking{killed(name, log), name + "-worker"}
}

type panicking struct {
	event.Log
	name string
}

func (p panicking) Append(ctx context.Context, topic, key string, value []byte) error {
	panicIf(p.name)
	return p.Log.Append(ctx, topic, key, value)
}

func (p panicking) Enqueue(topic, key string, value []byte) {
	panicIf(p.name)
	p.Log.Enqueue(topic, key, value)
}

func (p panicking) Subscribe(ctx context.Context, s event.Subscription) error {
	handle := s.Handle
	s.Handle = func(r event.Record) error {
		panicIf(p.name)
		return handle(r)
	}
	return p.Log.Subscribe(ctx, s)
}
