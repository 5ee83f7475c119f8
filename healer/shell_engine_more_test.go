package healer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"logstream/internal/container"
)

// network is the only one that the engine in memory has.
const network = "backend"

// Connect is container.Runtime's.
func (e *memoryEngine) Connect(ctx context.Context, id string, networks []container.Network) error {
	return e.work(ctx, "Connect", id, func(u *unit) error {
		for _, n := range networks {
			if n.Name != network {
				return fmt.Errorf("network %q not found", n.Name)
			}
			n.Address = "192.0.2.2"
			if len(u.state.Networks) == 0 {
				u.state.Networks = []container.Network{n}
				e.attached(u, container.ActionConnect)
			}
		}
		return nil
	})
}

// Disconnect is container.Runtime's.
func (e *memoryEngine) Disconnect(ctx context.Context, id string, networks []container.Network) error {
	return e.work(ctx, "Disconnect", id, func(u *unit) error {
		if len(u.state.Networks) > 0 && slices.ContainsFunc(networks, func(n container.Network) bool { return n.Name == network }) {
			u.state.Networks = nil
			e.attached(u, container.ActionDisconnect)
		}
		return nil
	})
}

// attached emits a network's event, which has no name of a container.
func (e *memoryEngine) attached(u *unit, action container.Action) {
	e.events = append(e.events, container.Event{Time: e.tick(), ID: u.state.ID, Action: action, Network: network})
	e.change()
}

// KillStart is container.Runtime's.
func (e *memoryEngine) KillStart(ctx context.Context, id string, grace time.Duration) error {
	return e.work(ctx, "KillStart", id, func(u *unit) error {
		e.restart(u, max(grace, time.Second))
		return nil
	})
}

// SetMemory is container.Runtime's.
func (e *memoryEngine) SetMemory(ctx context.Context, id string, bytes int64) error {
	return e.work(ctx, "SetMemory", id, func(u *unit) error {
		u.state.Memory = bytes
		return nil
	})
}

// Specification is container.Runtime's: the state will do.
func (e *memoryEngine) Specification(ctx context.Context, id string) ([]byte, error) {
	state, err := e.Inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	return json.Marshal(state)
}

// Recreate is container.Runtime's. Any image is there but noImage, which the suite
// asks for.
func (e *memoryEngine) Recreate(ctx context.Context, with container.Replacement) (string, string, error) {
	if with.ID == "" {
		made := make(chan string, 1)
		err := e.call(ctx, "Recreate", "", func() error {
			e.mu.Lock()
			defer e.mu.Unlock()
			u, err := e.fresh(container.State{}, with)
			if err == nil {
				e.put(u)
				e.takes(startTakes)
				e.started(u)
				made <- u.state.ID
			}
			return err
		})
		if err != nil {
			return "", "", err
		}
		return <-made, "", nil
	}
	made := make(chan string, 1)
	err := e.work(ctx, "Recreate", with.ID, func(old *unit) error {
		u, err := e.fresh(old.state, with)
		if err != nil {
			return err
		}
		e.stop(old, old.state.StopTimeout)
		e.setAside(old)
		u.stubborn, u.state.Kept = old.stubborn, old.state.Name
		e.put(u)
		e.takes(startTakes)
		e.started(u)
		made <- u.state.ID
		return nil
	})
	if err != nil {
		return "", "", err
	}
	return <-made, with.ID, nil
}

// fresh is a new container, not started.
func (e *memoryEngine) fresh(old container.State, with container.Replacement) (*unit, error) {
	spec := old
	if with.Spec != nil {
		if err := json.Unmarshal(with.Spec, &spec); err != nil {
			return nil, err
		}
	}
	taken := slices.ContainsFunc(e.units, func(u *unit) bool { return u.state.Name == spec.Name && u.state.ID != old.ID })
	switch {
	case reflect.DeepEqual(spec, container.State{}):
		return nil, errors.New("neither a container nor a specification is given")
	case taken:
		return nil, fmt.Errorf("container %s exists", spec.Name)
	case with.ImageID == noImage:
		return nil, fmt.Errorf("no image %s: %w", with.ImageID, container.ErrUnsupported)
	case with.ImageID != "":
		spec.ImageID, spec.SpecHash = with.ImageID, "spec-of-"+with.ImageID
	}
	e.made++
	spec.ID = fmt.Sprintf("id-%d-of-%s", e.made, spec.Name)
	spec.Status, spec.StartedAt, spec.FinishedAt, spec.ExitCode, spec.Kept = container.Created, time.Time{}, time.Time{}, 0, ""
	return &unit{state: spec, busy: make(chan struct{}, 1)}, nil
}

// put has the container be there.
func (e *memoryEngine) put(u *unit) {
	e.units = append(e.units, u)
	e.emit(u, container.ActionCreate, nil)
}

// noImage is the image that is not there.
const noImage = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func (e *memoryEngine) setAside(u *unit) {
	u.kept = true
	u.state.Name += "-kept-" + u.state.ID
	e.emit(u, container.ActionRename, nil)
}

// Restore is container.Runtime's.
func (e *memoryEngine) Restore(ctx context.Context, with container.Restoration) error {
	if with.ID == "" {
		return e.work(ctx, "Restore", with.Kept, func(u *unit) error {
			place, _, kept := strings.Cut(u.state.Name, "-kept-")
			if kept && slices.ContainsFunc(e.units, func(other *unit) bool { return other.state.Name == place }) {
				return fmt.Errorf("container %s exists", place)
			}
			if kept {
				u.kept, u.state.Name = false, place
				e.emit(u, container.ActionRename, nil)
			}
			if !with.Stopped && u.state.Status != container.Running {
				e.takes(startTakes)
				e.started(u)
			}
			return nil
		})
	}
	return e.work(ctx, "Restore", with.ID, func(u *unit) error {
		former, err := e.byID(with.Kept)
		if err != nil {
			return err
		}
		if former.kept {
			place := u.state.Name
			e.stop(u, u.state.StopTimeout)
			e.setAside(u)
			former.kept, former.state.Name = false, place
			e.emit(former, container.ActionRename, nil)
		}
		if former.state.Status != container.Running {
			e.takes(startTakes)
			e.started(former)
		}
		return nil
	})
}

// Stats is container.Runtime's.
func (e *memoryEngine) Stats(ctx context.Context, id string) (container.Stats, error) {
	state, err := e.running(ctx, id)
	return container.Stats{Memory: 16 << 20, MemoryLimit: state.Memory, PIDs: 1}, err
}

// Processes is container.Runtime's.
func (e *memoryEngine) Processes(ctx context.Context, id string) ([]container.Process, error) {
	state, err := e.running(ctx, id)
	if err != nil {
		return nil, err
	}
	return []container.Process{{PID: "1", State: "S", Command: "/" + state.Name}}, nil
}

func (e *memoryEngine) running(ctx context.Context, id string) (container.State, error) {
	state, err := e.Inspect(ctx, id)
	if err == nil && state.Status != container.Running {
		err = errors.New("it is not running")
	}
	return state, err
}
