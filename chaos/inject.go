package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/text"
)

// inject does what the command says to that container, or undoes it, within a
// time limit. It gives what the result says of how it was before.
func (r *run) inject(ctx context.Context, command event.Command, ref string) (string, error) {
	target, err := r.target(ctx, command, ref)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, target.StopTimeout+injectGrace)
	defer cancel()
	log := r.log.With("service", command.Service, "container", target.Name, "fault", command.Args.Fault, "undo", command.Args.Undo, "by", command.By)
	var kept string
	if command.Args.Undo {
		err = r.undo(ctx, command, target)
	} else {
		var before container.Before
		before, err = r.injector.Inject(ctx, target.ID, command.Args.Fault)
		kept = r.memory.injected(command, before)
	}
	if err != nil {
		log.Warn("fault not injected", "error", err)
		return kept, err
	}
	log.Info("fault injected")
	return kept, nil
}

// target is the container, if it is one that may be harmed and knows the
// fault. Of a fault that has removed it, the undo finds it in the memory.
func (r *run) target(ctx context.Context, command event.Command, ref string) (container.State, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	fault := command.Args.Fault
	target, err := r.runtime.Find(ctx, ref)
	if before, is := r.memory.of(command); is && command.Args.Undo && errors.Is(err, container.ErrNotFound) {
		return container.State{ID: before.ID, Name: before.Name}, nil
	}
	if err != nil {
		return container.State{}, err
	}
	if target.Self {
		return container.State{}, fmt.Errorf("LogStream itself runs in container %s: faults are not injected into it", target.Name)
	}
	if known := r.injector.Faults(target.Name); !slices.Contains(known, fault) {
		return container.State{}, fmt.Errorf("unknown fault %q for %s; known faults: %s", text.Clip(fault, maxError), target.Name, strings.Join(known, ", "))
	}
	return target, nil
}

// undo takes the fault back. Where another container has taken the place of the
// one that was harmed, nothing is left of what was done to its networks and
// limits.
func (r *run) undo(ctx context.Context, command event.Command, target container.State) error {
	known, _ := container.FaultNamed(command.Args.Fault)
	before, is := r.memory.of(command)
	replaced := is && before.ID != target.ID && (known.Undo == container.UndoConnect || known.Undo == container.UndoLimits)
	if !replaced {
		if err := r.injector.Undo(ctx, target.ID, known.Name, before); err != nil {
			return err
		}
	}
	r.memory.undone(command)
	return nil
}
