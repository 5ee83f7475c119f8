package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"logstream/internal/container"
)

// attachments are the container's networks, by name.
func attachments(c apicontainer.InspectResponse) []container.Network {
	if c.NetworkSettings == nil {
		return nil
	}
	var attached []container.Network
	for _, name := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
		n := container.Network{Name: name}
		if endpoint := c.NetworkSettings.Networks[name]; endpoint != nil {
			n.Aliases = ownAliases(endpoint.Aliases, c.ID)
			n.IPv4, n.IPv6 = askedFor(endpoint)
			if n.Address = endpoint.IPAddress; n.Address == "" {
				n.Address = endpoint.GlobalIPv6Address
			}
		}
		attached = append(attached, n)
	}
	return attached
}

// ownAliases are those that were asked for: engines before 25 add the short ID.
// The container's own name is never added, so where it is there it was asked for.
func ownAliases(aliases []string, id string) []string {
	return slices.Compact(slices.DeleteFunc(slices.Sorted(slices.Values(aliases)), func(alias string) bool {
		return alias == short(id)
	}))
}

// askedFor are the addresses that were asked for, not assigned.
func askedFor(endpoint *network.EndpointSettings) (ipv4, ipv6 string) {
	if endpoint.IPAMConfig == nil {
		return "", ""
	}
	return endpoint.IPAMConfig.IPv4Address, endpoint.IPAMConfig.IPv6Address
}

// networkOf is the container whose network this mode uses, or empty.
func networkOf(mode apicontainer.NetworkMode) string {
	of, _ := strings.CutPrefix(string(mode), "container:")
	if of == string(mode) {
		return ""
	}
	return of
}

// networkless are the modes in which an engine lists no network of a container that has
// what it was made for, up to a colon: the last are Podman's.
var networkless = []string{"none", "host", "container", "ns", "private", "pasta", "slirp4netns"}

// detached says whether a container runs without any of the networks that it was made for.
func detached(c apicontainer.InspectResponse) bool {
	mode, _, _ := strings.Cut(string(c.HostConfig.NetworkMode), ":")
	return container.Status(c.State.Status) == container.Running && c.NetworkSettings != nil && len(c.NetworkSettings.Networks) == 0 &&
		!c.Config.NetworkDisabled && !slices.Contains(networkless, mode)
}

// Connect attaches the container to the networks, one after the other, and ends
// at the first that fails. What is attached already is success where it is so
// with the aliases and addresses asked for.
func (r *Runtime) Connect(ctx context.Context, id string, networks []container.Network) error {
	for _, n := range networks {
		endpoint := &network.EndpointSettings{Aliases: n.Aliases}
		if n.IPv4 != "" || n.IPv6 != "" {
			endpoint.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: n.IPv4, IPv6Address: n.IPv6}
		}
		if err := r.connect(ctx, id, n, endpoint); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runtime) connect(ctx context.Context, id string, n container.Network, endpoint *network.EndpointSettings) error {
	err := r.call(ctx, "connect", fmt.Sprintf("container %s to network %q", short(id), n.Name), func(e engine) error {
		return e.NetworkConnect(ctx, n.Name, id, endpoint)
	})
	if noSuchNetwork(err) {
		return fmt.Errorf("%w: create the network again, with docker compose up or docker network create", err)
	}
	// The engine refuses likewise where another container, or a trace of a former
	// one, has the endpoint.
	return r.unless(ctx, id, err, func(now apicontainer.InspectResponse) bool {
		return slices.ContainsFunc(attachments(now), func(has container.Network) bool { return has.Name == n.Name && covers(has, n) })
	})
}

// covers says whether has is all that was wanted.
func covers(has, want container.Network) bool {
	for _, alias := range want.Aliases {
		if !slices.Contains(has.Aliases, alias) {
			return false
		}
	}
	return (want.IPv4 == "" || want.IPv4 == has.IPv4) && (want.IPv6 == "" || want.IPv6 == has.IPv6)
}

// noSuchNetwork reports whether the engine refused for want of the network.
func noSuchNetwork(err error) bool {
	return cerrdefs.IsNotFound(err) && !errors.Is(err, container.ErrNotFound)
}

// Disconnect detaches the container from the networks. What is not attached, or
// to a network that is gone, is success.
func (r *Runtime) Disconnect(ctx context.Context, id string, networks []container.Network) error {
	for _, n := range networks {
		err := r.call(ctx, "disconnect", fmt.Sprintf("container %s from network %q", short(id), n.Name), func(e engine) error {
			return e.NetworkDisconnect(ctx, n.Name, id, false)
		})
		if noSuchNetwork(err) {
			continue
		}
		err = r.unless(ctx, id, err, func(now apicontainer.InspectResponse) bool {
			return !slices.ContainsFunc(attachments(now), func(has container.Network) bool { return has.Name == n.Name })
		})
		if err != nil {
			return err
		}
	}
	return nil
}
