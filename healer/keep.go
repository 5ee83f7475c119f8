package healer

import (
	"context"
	"time"

	"logstream/internal/container"
	"logstream/internal/retry"
)

// What is kept of services beside their records: specifications in the data
// directory, and in memory what their containers write.

const (
	sweepEach  = time.Hour
	sweptAfter = 24 * time.Hour // what is kept of a service that is no longer configured is kept so long
)

// sweepKept frees, each hour, what is kept of services that are no longer configured.
func sweepKept(ctx context.Context, l *life) error {
	for ctx.Err() == nil {
		if !l.deps.Discovering() { // else some are not known yet
			sweep(ctx, l, time.Now())
		}
		retry.Sleep(ctx, sweepEach)
	}
	return nil
}

func sweep(ctx context.Context, l *life, now time.Time) {
	var names []string
	for _, def := range l.deps.Services() {
		names = append(names, def.Name)
	}
	l.memories.keepOnly(names)
	if l.deps.Specs == nil {
		return
	}
	swept, err := l.deps.Specs.Sweep(names, sweptAfter, now)
	if err != nil {
		l.deps.Logger.Warn("specifications of services that are no longer configured cannot be deleted", "error", err)
	}
	if swept {
		giveSpecs(ctx, l)
	}
}

// giveSpecs reports to the loop which specifications are in the data directory.
func giveSpecs(ctx context.Context, l *life) {
	if l.deps.Specs == nil {
		return
	}
	keys, err := l.deps.Specs.Kept()
	if err != nil {
		l.deps.Logger.Warn("specifications of containers cannot be read: removed containers are not recreated", "error", err)
	}
	if before := l.gaveSpecs.Swap(len(keys) > 0); before || len(keys) > 0 {
		l.give(ctx, timed{in: SpecsKept{keys}})
	}
}

// keepLimit is how long the reads for a specification may take: nothing waits for it, and
// without it a removed container is not recreated.
const keepLimit = 10 * time.Second

// keepSpec reads a container's specification and keeps it. What the controller
// asked for it still has to be: the container may have changed since.
func keepSpec(l *life, e KeepSpec) {
	if l.deps.Specs == nil {
		return
	}
	ctx, cancel := context.WithTimeout(l.work, keepLimit)
	defer cancel()
	spec, err := l.deps.Runtime.Specification(ctx, e.ContainerID)
	if err == nil {
		var now container.State
		if now, err = l.deps.Runtime.Inspect(ctx, e.ContainerID); err == nil && now.SpecHash != e.Hash {
			return
		}
	}
	if err == nil {
		err = l.deps.Specs.Keep(e.Service, e.Hash, spec)
	}
	if err != nil {
		l.deps.Logger.Debug("specification of a container not kept: it cannot be recreated once it is removed", "service", e.Service, "error", err)
		return
	}
	giveSpecs(l.work, l) // one that was older may be gone
}
