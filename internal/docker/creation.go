package docker

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
)

// creation is how a container is made of a specification: with one network, as
// engines before 25 want it, and then connected to the others.
type creation struct {
	name     string
	config   *apicontainer.Config
	host     *apicontainer.HostConfig
	networks map[string]*network.EndpointSettings // at most one
	others   []attachment
}

type attachment struct {
	name     string
	endpoint *network.EndpointSettings
}

// plan makes a creation of the specification, with that image. replaces is the
// ID of the container in whose place it comes, or empty. anonymous are volumes
// that were made without a name, which the new container takes over.
func plan(s specification, imageName, replaces string, anonymous []apicontainer.MountPoint) creation {
	c := creation{name: s.Name}
	host := *s.Host
	host.ContainerIDFile = ""
	host.Links = linksAsGiven(host.Links)
	host.Mounts = withVolumes(host.Mounts, anonymous)
	config := *s.Config
	if s.Image != nil {
		config = *subtract(config, host.PortBindings, *s.Image)
	}
	config.Volumes = maps.Clone(config.Volumes)
	for _, v := range anonymous {
		delete(config.Volumes, v.Destination)
	}
	if config.Hostname == short(s.ID) || host.NetworkMode.IsContainer() || host.UTSMode.IsHost() {
		config.Hostname = "" // made up, or another's
	}
	config.Image = imageName
	config.Labels = maps.Clone(config.Labels)
	if config.Labels == nil {
		config.Labels = map[string]string{}
	}
	delete(config.Labels, labelReplace)
	delete(config.Labels, labelReplaces)
	config.Labels[labelReplaces] = cmp.Or(replaces, s.ID)
	if replaces != "" {
		if number, is := config.Labels[labelNumber]; is {
			config.Labels[labelNumber] = numberBefore(number)
		}
	}
	c.config, c.host = &config, &host
	c.networks, c.others = split(s, &host)
	return c
}

// made says whether a container was made by this creation, or by one of the same
// specification: it has the mark of it.
func (c creation) made(of apicontainer.InspectResponse) bool {
	mark := c.config.Labels[labelReplaces]
	return mark != "" && of.Config.Labels[labelReplaces] == mark
}

// numberBefore is a replica's number for a container that takes the place of the
// one with that number. What was kept still has Compose's labels, which cannot be
// changed, so the next "docker compose up" sees a replica too many: it keeps those
// with the lowest numbers, and would else remove the new container and start the
// kept one. The price is a name: what the next deployment makes of a service
// without a container_name is shop-web-0 where it was shop-web-1.
//
// The label with the image stays as it was for the same reason: what was rolled
// back is replaced at the next deployment, and not by the image that failed.
func numberBefore(number string) string {
	n, err := strconv.Atoi(number)
	if err != nil {
		return number
	}
	return strconv.Itoa(min(n, 1) - 1)
}

// split gives the network that the container is made with, which is that of its
// mode, and the others. Where it was detached from that of its mode, another is
// its mode from now on; where from all, it comes back to that of its mode.
func split(s specification, host *apicontainer.HostConfig) (first map[string]*network.EndpointSettings, others []attachment) {
	mode := host.NetworkMode
	if mode.IsContainer() || mode.IsHost() || mode.IsNone() {
		return nil, nil
	}
	names := slices.Sorted(maps.Keys(s.Networks))
	i := slices.IndexFunc(names, func(name string) bool {
		n := s.Networks[name]
		return name == string(mode) || mode.IsDefault() && name == network.NetworkBridge || n != nil && n.NetworkID == string(mode)
	})
	if i < 0 && len(names) > 0 {
		i = 0
		host.NetworkMode = apicontainer.NetworkMode(names[0])
	}
	for at, name := range names {
		endpoint := endpointAsGiven(s.Networks[name], s.ID)
		if at == i {
			first = map[string]*network.EndpointSettings{name: endpoint}
			continue
		}
		others = append(others, attachment{name, endpoint})
	}
	return first, others
}

// endpointAsGiven is what was asked of the network, without what was assigned.
func endpointAsGiven(was *network.EndpointSettings, id string) *network.EndpointSettings {
	if was == nil {
		return &network.EndpointSettings{}
	}
	given := &network.EndpointSettings{Aliases: ownAliases(was.Aliases, id), Links: was.Links, DriverOpts: was.DriverOpts, GwPriority: was.GwPriority}
	if c := was.IPAMConfig; c != nil && (c.IPv4Address != "" || c.IPv6Address != "" || len(c.LinkLocalIPs) > 0) {
		given.IPAMConfig = c
	}
	return given
}

// linksAsGiven are the links of the default network as they are asked for: the
// engine shows "db:alias" as "/db:/name/alias".
func linksAsGiven(shown []string) []string {
	var given []string
	for _, link := range shown {
		to, alias, _ := strings.Cut(link, ":")
		given = append(given, strings.TrimPrefix(to, "/")+":"+path.Base(alias))
	}
	return given
}

// anonymousVolumes are those without a name of their own.
func anonymousVolumes(host *apicontainer.HostConfig, mounts []apicontainer.MountPoint) []apicontainer.MountPoint {
	named := map[string]bool{}
	for _, bind := range host.Binds {
		named[bindTarget(bind)] = true
	}
	for _, m := range host.Mounts {
		if m.Type != mount.TypeVolume || m.Source != "" {
			named[path.Clean(m.Target)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(mounts), func(m apicontainer.MountPoint) bool {
		return m.Type != mount.TypeVolume || m.Name == "" || named[path.Clean(m.Destination)]
	})
}

// bindTarget is where "source:target:options" is mounted.
func bindTarget(bind string) string {
	_, rest, _ := strings.Cut(bind, ":")
	target, _, _ := strings.Cut(rest, ":")
	return path.Clean(target)
}

// withVolumes are the mounts, and the volumes by their names.
func withVolumes(mounts []mount.Mount, volumes []apicontainer.MountPoint) []mount.Mount {
	all := slices.Clone(mounts)
	for _, v := range volumes {
		i := slices.IndexFunc(all, func(m mount.Mount) bool { return path.Clean(m.Target) == path.Clean(v.Destination) })
		if i >= 0 {
			all[i].Source = v.Name
			continue
		}
		all = append(all, mount.Mount{Type: mount.TypeVolume, Source: v.Name, Target: v.Destination, ReadOnly: !v.RW})
	}
	return all
}
