package docker

import (
	"context"
	"fmt"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
)

// KillStart restarts the container with grace in the place of its own stop
// time-out. The engine counts in seconds: less than one is one.
func (r *Runtime) KillStart(ctx context.Context, id string, grace time.Duration) error {
	seconds := max(1, int((grace+time.Second-1)/time.Second))
	return r.hiding(ctx, id, r.call(ctx, "kill and start", "container "+short(id), func(e engine) error {
		return e.ContainerRestart(ctx, id, apicontainer.StopOptions{Timeout: &seconds})
	}))
}

// SetMemory changes the limit, and reads it back: where the kernel cannot limit
// memory the engine only warns. What the container may swap stays the same.
func (r *Runtime) SetMemory(ctx context.Context, id string, bytes int64) error {
	if bytes <= 0 {
		return fmt.Errorf("limit the memory of container %s to %d bytes: the engine removes no limit: %w", short(id), bytes, container.ErrUnsupported)
	}
	before, err := r.inspectWhole(ctx, id)
	if err != nil {
		return err
	}
	limits := apicontainer.Resources{Memory: bytes, MemorySwap: swapBeside(bytes, limitOf(before.HostConfig.Memory), before.HostConfig.MemorySwap)}
	var answer apicontainer.UpdateResponse
	on := fmt.Sprintf("the memory of container %s to %d bytes", short(id), bytes)
	if err := r.call(ctx, "limit", on, func(e engine) (err error) {
		answer, err = e.ContainerUpdate(ctx, id, apicontainer.UpdateConfig{Resources: limits})
		return err
	}); err != nil {
		return err
	}
	after, err := r.inspectWhole(ctx, id)
	if err != nil {
		return err
	}
	if after.HostConfig.Memory != bytes {
		return fmt.Errorf("limit %s: the engine kept the limit of %d bytes: %s", on, after.HostConfig.Memory, strings.Join(answer.Warnings, "; "))
	}
	return nil
}

// swapBeside is the engine's MemorySwap, which is memory and swap together, for
// a new limit of memory: as much swap as before, and where there was no limit as
// much as the engine gives a new container with this one.
func swapBeside(bytes, memory, swap int64) int64 {
	switch {
	case swap < 0:
		return -1 // without limit
	case swap == 0 || memory <= 0:
		return 2 * bytes
	}
	return bytes + max(swap-memory, 0)
}

// inspectWhole is inspect of an answer that has what every container has.
func (r *Runtime) inspectWhole(ctx context.Context, id string) (apicontainer.InspectResponse, error) {
	c, err := r.inspect(ctx, id)
	if err != nil {
		return c, err
	}
	if _, err := toState(c); err != nil {
		return c, fmt.Errorf("inspect container %s: %w: the answer of %s is not valid: %w", short(id), container.ErrUnavailable, r.Host(), err)
	}
	return c, nil
}
