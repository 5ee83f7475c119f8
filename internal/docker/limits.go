package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
)

const (
	minQuota  = 1000    // µs: the engine's least
	minMemory = 6 << 20 // bytes: the engine allows no lower limit
	period    = 100_000 // µs of a CPU quota: the kernel's default
	tinyShare = 50      // a fiftieth of a core is what the fault cpu leaves
	unlimited = -1      // in an update, where 0 is no change
)

// limits are those of the container as the engine keeps them, and whether it
// runs.
func (i *Injector) limits(ctx context.Context, id string) (limits container.Limits, running bool, err error) {
	now, err := i.r.inspectWhole(ctx, id)
	if err != nil {
		return limits, false, err
	}
	h := now.HostConfig.Resources
	return container.Limits{Memory: h.Memory, MemorySwap: h.MemorySwap, NanoCPUs: h.NanoCPUs, CPUQuota: h.CPUQuota, CPUPeriod: h.CPUPeriod}, now.State.Running, nil
}

func (i *Injector) update(ctx context.Context, what, id string, r apicontainer.Resources) error {
	return i.harm(ctx, what, id, func(e harmer) error {
		_, err := e.ContainerUpdate(ctx, id, apicontainer.UpdateConfig{Resources: r})
		return err
	})
}

// squeeze sets the memory limit just under what the container uses, without
// swap. A kernel with control groups of version 1 refuses a limit under what is
// used and cannot be taken back: there it is the lowest that it takes, and the
// next allocation meets it.
func (i *Injector) squeeze(ctx context.Context, id string) (before container.Before, err error) {
	limits, running, err := i.limits(ctx, id)
	if err != nil {
		return before, err
	}
	if !running {
		return before, fmt.Errorf("squeeze the memory of container %s: it does not run", short(id))
	}
	used, err := i.r.Stats(ctx, id)
	if err != nil {
		return before, err
	}
	if used.Memory <= minMemory {
		return before, fmt.Errorf("squeeze the memory of container %s: it uses %d bytes, and the engine allows no limit under %d: %w", short(id), used.Memory, minMemory, container.ErrUnsupported)
	}
	before.Limits = &limits
	for _, percent := range []int64{90, 101, 105, 115, 130, 160, 200} {
		limit := max(used.Memory/100*percent, minMemory)
		err = i.update(ctx, container.FaultMemory, id, apicontainer.Resources{Memory: limit, MemorySwap: limit})
		if err == nil {
			before.Set = &container.Limits{Memory: limit, MemorySwap: limit, NanoCPUs: limits.NanoCPUs, CPUQuota: limits.CPUQuota, CPUPeriod: limits.CPUPeriod}
			return before, nil
		}
		var refused *refusal
		if !errors.As(err, &refused) {
			break // no higher limit changes that
		}
	}
	return before, err
}

// throttle leaves the container a fiftieth of a core, in the way in which it has
// a limit already.
func (i *Injector) throttle(ctx context.Context, id string) (before container.Before, err error) {
	limits, _, err := i.limits(ctx, id)
	if err != nil {
		return before, err
	}
	set := limits
	var change apicontainer.Resources
	if limits.NanoCPUs > 0 {
		set.NanoCPUs = 1e9 / tinyShare
		change.NanoCPUs = set.NanoCPUs
	} else {
		// Only the quota: an engine whose container has a period refuses --cpus
		// from then on.
		set.CPUQuota = max(cmp.Or(limits.CPUPeriod, period)/tinyShare, minQuota)
		change.CPUQuota = set.CPUQuota
	}
	before.Limits, before.Set = &limits, &set
	return before, i.update(ctx, container.FaultCPU, id, change)
}

// restoreLimits sets the old limits again, of the kind that the fault has
// changed. One that has ended for lack of memory is started.
func (i *Injector) restoreLimits(ctx context.Context, id, fault string, old container.Limits) error {
	var change apicontainer.Resources
	switch {
	case fault == container.FaultMemory:
		change.Memory, change.MemorySwap = old.Memory, old.MemorySwap
		if old.Memory <= 0 {
			change.Memory = noMemoryLimit
		}
		if old.Memory <= 0 || old.MemorySwap < 0 {
			change.MemorySwap = noSwapLimit
		}
	case old.NanoCPUs > 0:
		change.NanoCPUs = old.NanoCPUs
	default:
		change.CPUQuota = orUnlimited(old.CPUQuota)
	}
	if err := i.update(ctx, "undo "+fault+" of", id, change); err != nil {
		return err
	}
	if fault == container.FaultCPU {
		return nil
	}
	return i.r.Start(ctx, id)
}

func orUnlimited(limit int64) int64 {
	if limit == 0 {
		return unlimited
	}
	return limit
}
