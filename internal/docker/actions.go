package docker

import (
	"context"
	"fmt"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
)

// Start starts the container. One that runs already is success (the engine's
// 304); one that is paused is not.
func (r *Runtime) Start(ctx context.Context, id string) error {
	return r.call(ctx, "start", "container "+short(id), func(e engine) error {
		return e.ContainerStart(ctx, id, apicontainer.StartOptions{})
	})
}

// Restart stops and starts the container within the container's own stop
// time-out, so ctx should last longer than that.
func (r *Runtime) Restart(ctx context.Context, id string) error {
	return r.call(ctx, "restart", "container "+short(id), func(e engine) error {
		return e.ContainerRestart(ctx, id, apicontainer.StopOptions{})
	})
}

// Unpause lets the container go on. One that runs already is success.
func (r *Runtime) Unpause(ctx context.Context, id string) error {
	err := r.call(ctx, "unpause", "container "+short(id), func(e engine) error {
		return e.ContainerUnpause(ctx, id)
	})
	if err == nil || !says(err, "is not paused") {
		return err
	}
	// The engine says the same of one that has ended.
	now, lookErr := r.inspect(ctx, id)
	if lookErr != nil {
		return lookErr
	}
	if now.ContainerJSONBase != nil && now.State != nil && now.State.Running && !now.State.Paused {
		return nil
	}
	return err
}

// harms are the faults of any container, and what the engine answers where it
// is harmed so already.
var harms = map[string]struct {
	do      func(context.Context, engine, string) error
	already string
}{
	container.FaultStop: {do: func(ctx context.Context, e engine, id string) error {
		return e.ContainerStop(ctx, id, apicontainer.StopOptions{})
	}},
	container.FaultKill: {already: "is not running", do: func(ctx context.Context, e engine, id string) error {
		return e.ContainerKill(ctx, id, "SIGKILL")
	}},
	container.FaultPause: {already: "is already paused", do: func(ctx context.Context, e engine, id string) error {
		return e.ContainerPause(ctx, id)
	}},
}

// Inject harms the container: one of Faults. What is harmed so already is
// success.
func (r *Runtime) Inject(ctx context.Context, id, fault string) error {
	harm, known := harms[fault]
	if !known {
		return fmt.Errorf("inject %q into container %s: the Docker engine can inject only %s",
			fault, short(id), strings.Join(r.Faults(""), ", "))
	}
	err := r.call(ctx, fault, "container "+short(id), func(e engine) error { return harm.do(ctx, e, id) })
	if err != nil && harm.already != "" && says(err, harm.already) {
		return nil
	}
	return err
}

// Faults are stop, kill and pause, of any container.
func (r *Runtime) Faults(string) []string {
	return []string{container.FaultStop, container.FaultKill, container.FaultPause}
}
