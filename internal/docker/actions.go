package docker

import (
	"context"
	"errors"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/redact"
)

// Start starts the container. One that runs already is success (the engine's
// 304); one that is paused is not.
func (r *Runtime) Start(ctx context.Context, id string) error {
	return r.hiding(ctx, id, r.call(ctx, "start", "container "+short(id), func(e engine) error {
		return e.ContainerStart(ctx, id, apicontainer.StartOptions{})
	}))
}

// hiding is why a container could not be started. The engine's sentence may have its
// command line in it: the secrets among its variables are masked.
func (r *Runtime) hiding(ctx context.Context, id string, err error) error {
	var refused *refusal
	if !errors.As(err, &refused) {
		return err
	}
	now, inspectErr := r.inspect(ctx, id)
	if inspectErr != nil || now.Config == nil {
		return &withheld{err, refused}
	}
	return &hidden{err, redact.OfEnvironment(now.Config.Env)}
}

// Restart stops and starts the container within the container's own stop
// time-out, so ctx should last longer than that.
func (r *Runtime) Restart(ctx context.Context, id string) error {
	return r.hiding(ctx, id, r.call(ctx, "restart", "container "+short(id), func(e engine) error {
		return e.ContainerRestart(ctx, id, apicontainer.StopOptions{})
	}))
}

// Unpause lets the container go on. One that runs already is success.
func (r *Runtime) Unpause(ctx context.Context, id string) error {
	err := r.call(ctx, "unpause", "container "+short(id), func(e engine) error {
		return e.ContainerUnpause(ctx, id)
	})
	return r.unless(ctx, id, err, func(now apicontainer.InspectResponse) bool { return now.State.Running && !now.State.Paused })
}
