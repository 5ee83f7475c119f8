package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"logstream/internal/container"
)

// labelTask is on containers that a Swarm keeps, and replaces by itself.
const labelTask = "com.docker.swarm.task.id"

// cannot says why a container cannot be replaced; nothing was changed by then.
func cannot(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), container.ErrUnsupported)
}

// movable says why the container cannot be taken out of its place, or nil.
func (r *Runtime) movable(ctx context.Context, c apicontainer.InspectResponse) error {
	name := strings.TrimPrefix(c.Name, "/")
	switch {
	case r.self != "" && strings.HasPrefix(c.ID, r.self):
		return cannot("LogStream runs in container %s: stopping it would end the replacement", name)
	case c.HostConfig.AutoRemove:
		return cannot("container %s was started with --rm: the engine would remove it when it is stopped, and it could not be put back", name)
	case c.Config.Labels[labelTask] != "":
		return cannot("container %s is a task of a Swarm service, which replaces it by itself: use docker service update", name)
	case isKept(name, string(c.State.Status)):
		return cannot("container %s was replaced already, and is only kept", name)
	}
	switch status := container.Status(c.State.Status); status {
	case container.Removing, container.Dead:
		return cannot("container %s is being removed", name)
	}
	all, err := query(ctx, r, "list the containers of", theEngine, func(ctx context.Context, e engine) ([]apicontainer.Summary, error) {
		return e.ContainerList(ctx, apicontainer.ListOptions{All: true})
	})
	if err != nil {
		return err
	}
	for _, other := range all {
		of := networkOf(apicontainer.NetworkMode(other.HostConfig.NetworkMode))
		if of != "" && (of == name || strings.HasPrefix(c.ID, of)) && placeOf(summaryName(other)) == "" {
			return cannot("container %s uses the network of container %s, and would lose it", summaryName(other), name)
		}
	}
	return nil
}

// possible says why a container cannot be made so, or nil: all that it needs is
// there.
func (r *Runtime) possible(ctx context.Context, c creation) error {
	for _, needed := range otherContainers(c.host) {
		if _, err := r.inspect(ctx, needed); errors.Is(err, container.ErrNotFound) {
			return cannot("it uses container %s, which is gone", needed)
		} else if err != nil {
			return err
		}
	}
	for _, name := range c.allNetworks() {
		_, err := query(ctx, r, "inspect", fmt.Sprintf("network %q", name), func(ctx context.Context, e engine) (network.Inspect, error) {
			return e.NetworkInspect(ctx, name, network.InspectOptions{})
		})
		if cerrdefs.IsNotFound(err) {
			return cannot("its network %q is gone: create it again, with docker compose up or docker network create", name)
		} else if err != nil {
			return err
		}
	}
	return r.mountable(ctx, c.host)
}

// allNetworks are the names of those that it is connected to.
func (c creation) allNetworks() []string {
	names := slices.Collect(maps.Keys(c.networks))
	for _, other := range c.others {
		names = append(names, other.name)
	}
	if c.host.NetworkMode.IsUserDefined() {
		names = append(names, string(c.host.NetworkMode))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// otherContainers are those whose volumes or namespaces the container uses.
func otherContainers(host *apicontainer.HostConfig) []string {
	var all []string
	for _, from := range host.VolumesFrom {
		name, _, _ := strings.Cut(from, ":")
		all = append(all, name)
	}
	for _, mode := range []string{string(host.NetworkMode), string(host.IpcMode), string(host.PidMode)} {
		if of := networkOf(apicontainer.NetworkMode(mode)); of != "" {
			all = append(all, of)
		}
	}
	return all
}

// mountable says which volume or directory is gone, or nil. The engine would
// make most of them anew, empty.
func (r *Runtime) mountable(ctx context.Context, host *apicontainer.HostConfig) error {
	sources := map[string]string{} // by target
	for _, bind := range host.Binds {
		sources[bindTarget(bind)], _, _ = strings.Cut(bind, ":")
	}
	for _, m := range host.Mounts {
		if (m.Type == mount.TypeVolume || m.Type == mount.TypeBind) && m.Source != "" {
			sources[m.Target] = m.Source
		}
	}
	for _, target := range slices.Sorted(maps.Keys(sources)) {
		source := sources[target]
		if strings.HasPrefix(source, "/") {
			if _, err := os.Stat(source); r.sameMachine() && errors.Is(err, fs.ErrNotExist) {
				return cannot("%s, which is mounted at %s, is gone", source, target)
			}
			continue
		}
		_, err := query(ctx, r, "inspect", fmt.Sprintf("volume %q", source), func(ctx context.Context, e engine) (volume.Volume, error) {
			return e.VolumeInspect(ctx, source)
		})
		if cerrdefs.IsNotFound(err) {
			return cannot("volume %s, which is mounted at %s, is gone", source, target)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// sameMachine says whether we see the files that the engine sees.
func (r *Runtime) sameMachine() bool { return r.self == "" && strings.HasPrefix(r.Host(), "unix://") }
