//go:build e2e

package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/process/remote"
)

// killDir names the directory in which a test puts a file to have the process
// end as kill -9 ends it, the moment that it comes to a boundary of a repair:
//
//	<service>.before-<event>, .after-<event>   an event of its incident is to be written; was acknowledged
//	<service>.read-<event>                     was read back, and nothing has come of it
//	<container>.before-call, .after-call       the runtime is to be called for it; has returned
//
// The file is removed by it. No such code is in the build that people run.
const killDir = "LOGSTREAM_E2E_KILLS"

// runtimeSocket names the socket of the runtime that is used instead of Docker.
const runtimeSocket = "LOGSTREAM_E2E_RUNTIME"

// killAt ends the process where the test requests it.
func killAt(subject, boundary string) {
	dir := os.Getenv(killDir)
	if dir == "" || os.Remove(filepath.Join(dir, subject+"."+boundary)) != nil {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// killing is the healer's log, in a process that may end at a boundary.
type killing struct{ event.Log }

// killed is the log of an actor, in a process that may end at a boundary.
func killed(name string, log event.Log) event.Log {
	if name != health.Healer || os.Getenv(killDir) == "" {
		return log
	}
	return killing{log}
}

func (k killing) Append(ctx context.Context, topic, key string, value []byte) error {
	what, _ := event.DecodeIncident(value) // of another topic: no event
	if topic != event.TopicIncidents {
		return k.Log.Append(ctx, topic, key, value)
	}
	killAt(what.Service, "before-"+string(what.Type))
	err := k.Log.Append(ctx, topic, key, value)
	if err == nil {
		killAt(what.Service, "after-"+string(what.Type))
	}
	return err
}

func (k killing) Subscribe(ctx context.Context, s event.Subscription) error {
	handle := s.Handle
	s.Handle = func(r event.Record) error {
		if r.Topic == event.TopicIncidents {
			if what, err := event.DecodeIncident(r.Value); err == nil {
				killAt(what.Service, "read-"+string(what.Type))
			}
		}
		return handle(r)
	}
	return k.Log.Subscribe(ctx, s)
}

// wrapRuntime is the runtime, in a process that may end at a boundary.
func wrapRuntime(r container.Runtime) container.Runtime {
	if socket := os.Getenv(runtimeSocket); socket != "" {
		r = remote.Dial(socket)
	}
	if os.Getenv(killDir) == "" {
		return r
	}
	return calling{r}
}

// calling is a runtime each of whose repairs has a boundary before and after.
type calling struct{ container.Runtime }

func (c calling) around(ctx context.Context, id string, do func() error) error {
	name := id
	if now, err := c.Inspect(ctx, id); err == nil {
		name = now.Name
	}
	killAt(name, "before-call")
	err := do()
	if err == nil {
		killAt(name, "after-call")
	}
	return err
}

func (c calling) Start(ctx context.Context, id string) error {
	return c.around(ctx, id, func() error { return c.Runtime.Start(ctx, id) })
}

func (c calling) Restart(ctx context.Context, id string) error {
	return c.around(ctx, id, func() error { return c.Runtime.Restart(ctx, id) })
}

func (c calling) Unpause(ctx context.Context, id string) error {
	return c.around(ctx, id, func() error { return c.Runtime.Unpause(ctx, id) })
}

func (c calling) Connect(ctx context.Context, id string, networks []container.Network) error {
	return c.around(ctx, id, func() error { return c.Runtime.Connect(ctx, id, networks) })
}

func (c calling) Disconnect(ctx context.Context, id string, networks []container.Network) error {
	return c.around(ctx, id, func() error { return c.Runtime.Disconnect(ctx, id, networks) })
}

func (c calling) KillStart(ctx context.Context, id string, grace time.Duration) error {
	return c.around(ctx, id, func() error { return c.Runtime.KillStart(ctx, id, grace) })
}

func (c calling) SetMemory(ctx context.Context, id string, bytes int64) error {
	return c.around(ctx, id, func() error { return c.Runtime.SetMemory(ctx, id, bytes) })
}

func (c calling) Recreate(ctx context.Context, with container.Replacement) (id, kept string, err error) {
	err = c.around(ctx, with.ID, func() error {
		id, kept, err = c.Runtime.Recreate(ctx, with)
		return err
	})
	return id, kept, err
}

func (c calling) Restore(ctx context.Context, with container.Restoration) error {
	return c.around(ctx, cmp.Or(with.ID, with.Kept), func() error { return c.Runtime.Restore(ctx, with) })
}
