package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"logstream/internal/container"
)

// putBackTimeout is what putting a container back may take beyond a stop: it is
// done also when the caller's time is over, so that a service is not left
// without a container.
const putBackTimeout = 20 * time.Second

// Recreate checks first that all is there that the new container needs: until
// then nothing is changed, and what stands against it is ErrUnsupported. Nothing
// is ever removed: a new container that does not start is kept beside the old
// one, stopped.
func (r *Runtime) Recreate(ctx context.Context, with container.Replacement) (id, kept string, err error) {
	old, c, err := r.prepare(ctx, with)
	if err != nil {
		return "", "", fmt.Errorf("recreate: %w", err)
	}
	if old == nil {
		if id, err = r.make(ctx, c); err != nil {
			return "", "", fmt.Errorf("recreate %s: %w", c.name, r.withdraw(ctx, c.name, c.made, err))
		}
		return id, "", nil
	}
	if err = r.setAside(ctx, *old, c.name); err == nil {
		id, err = r.make(ctx, c)
	}
	if err != nil {
		return "", "", fmt.Errorf("recreate %s: %w", c.name, r.putBack(ctx, *old, c.name, c.made, err))
	}
	return id, old.ID, nil
}

// prepare finds the container to replace, nil where there is none, and what the
// new one is made of, and checks that both can be done.
func (r *Runtime) prepare(ctx context.Context, with container.Replacement) (*apicontainer.InspectResponse, creation, error) {
	var (
		old  *apicontainer.InspectResponse
		spec specification
		err  error
	)
	if with.ID != "" {
		c, err := r.inspectWhole(ctx, with.ID)
		if err != nil {
			return nil, creation{}, err
		}
		if err := r.movable(ctx, c); err != nil {
			return nil, creation{}, err
		}
		old = &c
	}
	switch {
	case with.Spec != nil:
		spec, err = readSpecification(with.Spec)
	case old != nil:
		spec, err = r.specify(ctx, *old)
	default:
		err = errors.New("neither a container nor a specification is given")
	}
	if err != nil {
		return nil, creation{}, err
	}
	replaces, anonymous := "", anonymousVolumes(spec.Host, spec.Mounts)
	if old != nil {
		replaces, anonymous = old.ID, anonymousVolumes(old.HostConfig, old.Mounts)
		if name := strings.TrimPrefix(old.Name, "/"); name != spec.Name {
			return nil, creation{}, fmt.Errorf("the specification is that of container %s, not of %s", spec.Name, name)
		}
	} else if there, err := r.occupant(ctx, spec.Name); err != nil {
		return nil, creation{}, err
	} else if there != "" {
		return nil, creation{}, fmt.Errorf("container %s exists, with the ID %s", spec.Name, short(there))
	} else if err := r.departed(ctx, spec); err != nil {
		return nil, creation{}, err
	}
	name, err := r.imageFor(ctx, spec, with.ImageID)
	if err != nil {
		return nil, creation{}, err
	}
	if spec.Image == nil && with.ImageID != "" && with.ImageID != spec.ImageID {
		return nil, creation{}, cannot("the image that container %s was made of is gone: what it has of it cannot be distinguished from what it was given", spec.Name)
	}
	c := plan(spec, name, replaces, anonymous)
	return old, c, r.possible(ctx, c)
}

// departed says that the container of the specification is there, under another
// name, or nothing: a second one would use its volumes. One that is only kept is
// what Recreate left behind, and stands for nothing.
func (r *Runtime) departed(ctx context.Context, spec specification) error {
	if spec.ID == "" {
		return nil
	}
	c, err := r.inspectWhole(ctx, spec.ID)
	if errors.Is(err, container.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if name := strings.TrimPrefix(c.Name, "/"); !isKept(name, string(c.State.Status)) {
		return cannot("container %s was renamed to %s, and a second one would use the same volumes: docker rename %[2]s %[1]s, or set the service's container to %[2]s", spec.Name, name)
	}
	return nil
}

// make creates the container, connects it and starts it.
func (r *Runtime) make(ctx context.Context, c creation) (string, error) {
	var made apicontainer.CreateResponse
	err := r.call(ctx, "create", "container "+c.name, func(e engine) (err error) {
		made, err = e.ContainerCreate(ctx, c.config, c.host, &network.NetworkingConfig{EndpointsConfig: c.networks}, nil, c.name)
		return err
	})
	if err != nil {
		return "", err
	}
	for _, other := range c.others {
		err := r.call(ctx, "connect", fmt.Sprintf("container %s to network %q", short(made.ID), other.name), func(e engine) error {
			return e.NetworkConnect(ctx, other.name, made.ID, other.endpoint)
		})
		if err != nil {
			return "", err
		}
	}
	return made.ID, r.Start(ctx, made.ID)
}

// setAside stops the container, in its own time, and takes it out of the place
// with that name: no name or restart policy brings it back. The policy comes last:
// what has the place always has its own.
func (r *Runtime) setAside(ctx context.Context, c apicontainer.InspectResponse, place string) error {
	if err := r.call(ctx, "stop", "container "+short(c.ID), func(e engine) error {
		return e.ContainerStop(ctx, c.ID, apicontainer.StopOptions{})
	}); err != nil {
		return err
	}
	if err := r.rename(ctx, c.ID, keptName(place, c.ID)); err != nil {
		return err
	}
	return r.setPolicy(ctx, c.ID, c.HostConfig.RestartPolicy, apicontainer.RestartPolicy{Name: apicontainer.RestartPolicyDisabled})
}

// setPolicy changes the restart policy where it is another.
func (r *Runtime) setPolicy(ctx context.Context, id string, from, to apicontainer.RestartPolicy) error {
	if from == to || from.IsNone() && to.IsNone() {
		return nil
	}
	if to.IsNone() {
		to.Name = apicontainer.RestartPolicyDisabled // an empty one changes nothing
	}
	return r.call(ctx, "set the restart policy of", "container "+short(id), func(e engine) error {
		_, err := e.ContainerUpdate(ctx, id, apicontainer.UpdateConfig{RestartPolicy: to})
		return err
	})
}

func (r *Runtime) rename(ctx context.Context, id, name string) error {
	return r.call(ctx, "rename", fmt.Sprintf("container %s to %s", short(id), name), func(e engine) error {
		return e.ContainerRename(ctx, id, name)
	})
}

// occupant is the ID of the container with that exact name, or empty.
func (r *Runtime) occupant(ctx context.Context, name string) (string, error) {
	found, err := query(ctx, r, "look for", fmt.Sprintf("container %q", name), func(ctx context.Context, e engine) ([]apicontainer.Summary, error) {
		return e.ContainerList(ctx, apicontainer.ListOptions{All: true, Filters: listFilter(name)})
	})
	if err != nil {
		return "", err
	}
	one, err := pick(name, found)
	if errors.Is(err, container.ErrNotFound) {
		return "", nil
	}
	return one.ID, err
}
