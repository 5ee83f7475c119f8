package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
)

// Injector causes faults in the containers of an engine. It never uses docker
// exec, and never removes a volume.
type Injector struct{ r *Runtime }

var _ container.Injector = (*Injector)(nil)

// NewInjector is the injector of r's containers.
func NewInjector(r *Runtime) *Injector { return &Injector{r} }

// harmer is what of the Docker client only an injector uses: a Runtime cannot
// remove.
type harmer interface {
	engine
	ContainerRemove(ctx context.Context, id string, options apicontainer.RemoveOptions) error
}

// harm makes one call that a Runtime would not make.
func (i *Injector) harm(ctx context.Context, what, id string, do func(harmer) error) error {
	return i.r.call(ctx, what, "container "+short(id), func(e engine) error {
		h, is := e.(harmer)
		if !is {
			return container.ErrUnsupported
		}
		return do(h)
	})
}

// harms are the faults of any container.
var harms = map[string]func(*Injector, context.Context, string) (container.Before, error){
	container.FaultStop: (*Injector).stop, container.FaultKill: (*Injector).kill, container.FaultCrash: (*Injector).crash,
	container.FaultPause: (*Injector).pause, container.FaultDisconnect: (*Injector).disconnect, container.FaultRemove: (*Injector).remove,
	container.FaultMemory: (*Injector).squeeze, container.FaultCPU: (*Injector).throttle,
}

// Inject harms the container: one of Faults. What is harmed so already is
// success.
func (i *Injector) Inject(ctx context.Context, id, fault string) (container.Before, error) {
	harm, known := harms[fault]
	if !known {
		return container.Before{}, fmt.Errorf("inject %q into container %s: the Docker engine can inject only %s",
			fault, short(id), strings.Join(i.Faults(""), ", "))
	}
	before, err := harm(i, ctx, id)
	before.ID = id // also of one that failed halfway
	return before, err
}

// Faults are those of any container.
func (i *Injector) Faults(string) []string {
	var names []string
	for _, f := range container.KnownFaults() {
		if _, known := harms[f.Name]; known {
			names = append(names, f.Name)
		}
	}
	return names
}

// Undo takes the fault back.
func (i *Injector) Undo(ctx context.Context, id, fault string, before container.Before) error {
	known, _ := container.FaultNamed(fault)
	switch known.Undo {
	case container.UndoStart:
		return i.r.Start(ctx, id)
	case container.UndoUnpause:
		return i.r.Unpause(ctx, id)
	case container.UndoConnect:
		if len(before.Networks) == 0 {
			return noBefore(id, "docker network connect attaches it again")
		}
		return i.r.Connect(ctx, id, before.Networks)
	case container.UndoLimits:
		if before.Limits == nil {
			return noBefore(id, "docker update sets its limits")
		}
		return i.restoreLimits(ctx, id, fault, *before.Limits)
	case container.UndoRecreate:
		return i.recreate(ctx, id, before)
	}
	return fmt.Errorf("undo %s of container %s: %w", fault, short(id), container.ErrUnsupported)
}

func noBefore(id, remedy string) error {
	return fmt.Errorf("container %s: %w: LogStream was restarted since, or did not cause it; %s", short(id), container.ErrNoBefore, remedy)
}

func (i *Injector) stop(ctx context.Context, id string) (none container.Before, err error) {
	return none, i.harm(ctx, container.FaultStop, id, func(e harmer) error {
		return e.ContainerStop(ctx, id, apicontainer.StopOptions{})
	})
}

func (i *Injector) kill(ctx context.Context, id string) (none container.Before, err error) {
	err = i.harm(ctx, container.FaultKill, id, func(e harmer) error { return e.ContainerKill(ctx, id, "SIGKILL") })
	return none, i.r.unless(ctx, id, err, func(now apicontainer.InspectResponse) bool { return !now.State.Running })
}

func (i *Injector) pause(ctx context.Context, id string) (none container.Before, err error) {
	err = i.harm(ctx, container.FaultPause, id, func(e harmer) error { return e.ContainerPause(ctx, id) })
	return none, i.r.unless(ctx, id, err, func(now apicontainer.InspectResponse) bool { return now.State.Paused })
}

// disconnect detaches the container from every network of its own.
func (i *Injector) disconnect(ctx context.Context, id string) (before container.Before, err error) {
	now, err := i.r.Inspect(ctx, id)
	if err != nil {
		return before, err
	}
	if now.NetworkOf != "" {
		return before, fmt.Errorf("disconnect container %s: it uses the network of %s: %w", now.Name, now.NetworkOf, container.ErrUnsupported)
	}
	networks := slices.DeleteFunc(slices.Clone(now.Networks), func(n container.Network) bool { return n.Name == "host" || n.Name == "none" })
	if len(networks) == 0 && len(now.Networks) > 0 {
		return before, fmt.Errorf("disconnect container %s: it has no network of its own: %w", now.Name, container.ErrUnsupported)
	}
	before.Networks = networks
	if len(networks) == 0 {
		return before, nil // so already
	}
	return before, i.r.Disconnect(ctx, id, networks)
}

// remove removes the container where it can be created again. Its volumes stay.
func (i *Injector) remove(ctx context.Context, id string) (before container.Before, err error) {
	now, err := i.r.inspectWhole(ctx, id)
	if err != nil {
		return before, err
	}
	if now.HostConfig.AutoRemove {
		return before, fmt.Errorf("remove container %s: the engine would remove its anonymous volumes too, since it was started with --rm: %w", short(id), container.ErrUnsupported)
	}
	if before.Spec, err = i.r.Specification(ctx, id); err != nil {
		return before, fmt.Errorf("not removed, because it could not be created again: %w", err)
	}
	before.Name = strings.TrimPrefix(now.Name, "/")
	err = i.harm(ctx, container.FaultRemove, id, func(e harmer) error {
		return e.ContainerRemove(ctx, id, apicontainer.RemoveOptions{Force: true})
	})
	if errors.Is(err, container.ErrNotFound) {
		err = nil
	}
	return before, err
}

// recreate creates the container again unless something with its name is
// there.
func (i *Injector) recreate(ctx context.Context, id string, before container.Before) error {
	if before.Name != "" {
		switch there, err := i.r.Find(ctx, before.Name); {
		case err == nil:
			return i.r.Start(ctx, there.ID)
		case !errors.Is(err, container.ErrNotFound):
			return err
		}
	}
	if len(before.Spec) == 0 {
		return noBefore(id, "docker compose up -d, or the docker run that made it, creates it again")
	}
	_, _, err := i.r.Recreate(ctx, container.Replacement{Spec: before.Spec})
	return err
}
