package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/text"
)

// inject does what the command says to that container, or undoes it, within a
// time limit.
func (r *run) inject(ctx context.Context, command event.Command, ref string) error {
	target, err := r.target(ctx, command.Args.Fault, ref)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, target.StopTimeout+injectGrace)
	defer cancel()
	log := r.log.With("service", command.Service, "container", target.Name, "fault", command.Args.Fault, "undo", command.Args.Undo, "by", command.By)
	if command.Args.Undo {
		err = r.undo(ctx, target, command.Args.Fault)
	} else {
		err = r.runtime.Inject(ctx, target.ID, command.Args.Fault)
	}
	if err != nil {
		log.Warn("fault not injected", "error", err)
		return err
	}
	log.Info("fault injected")
	return nil
}

// target is the container, if it is one that may be harmed and knows the
// fault.
func (r *run) target(ctx context.Context, fault, ref string) (container.State, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	target, err := r.runtime.Find(ctx, ref)
	if err != nil {
		return container.State{}, err
	}
	if target.Self {
		return container.State{}, fmt.Errorf("LogStream itself runs in container %s: faults are not injected into it", target.Name)
	}
	if known := r.runtime.Faults(target.Name); !slices.Contains(known, fault) {
		return container.State{}, fmt.Errorf("unknown fault %q for %s; known faults: %s", text.Clip(fault, maxError), target.Name, strings.Join(known, ", "))
	}
	return target, nil
}

// undo reverts what the fault does.
func (r *run) undo(ctx context.Context, target container.State, fault string) error {
	known, _ := container.FaultNamed(fault)
	switch known.Undo {
	case service.ActionStart:
		return r.runtime.Start(ctx, target.ID)
	case service.ActionRestart:
		return r.runtime.Restart(ctx, target.ID)
	case service.ActionUnpause:
		return r.runtime.Unpause(ctx, target.ID)
	}
	return errors.New("this fault cannot be undone")
}
