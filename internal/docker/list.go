package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"logstream/internal/container"
	"logstream/internal/text"
)

// More of Compose's labels.
const (
	labelNumber    = "com.docker.compose.container-number"
	labelDependsOn = "com.docker.compose.depends_on"
)

// Bounds of what is read of a container's labels.
const (
	maxLabels  = 64   // that begin with container.LabelPrefix
	maxLabel   = 4096 // bytes of one value
	maxNeeded  = 64   // services that one needs
	maxReplica = 9999
)

// List is every container, by name.
func (r *Runtime) List(ctx context.Context) ([]container.Listed, error) {
	found, err := query(ctx, r, "list the containers of", theEngine, func(ctx context.Context, e engine) ([]apicontainer.Summary, error) {
		return e.ContainerList(ctx, apicontainer.ListOptions{All: true})
	})
	if err != nil {
		return nil, err
	}
	list := make([]container.Listed, 0, len(found))
	for _, c := range found {
		if name := summaryName(c); name != "" && c.ID != "" {
			list = append(list, r.listed(name, c))
		}
	}
	slices.SortFunc(list, func(a, b container.Listed) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

func (r *Runtime) listed(name string, c apicontainer.Summary) container.Listed {
	l := container.Listed{
		Name: name, ID: c.ID, Status: container.Status(c.State), Labels: ownLabels(c.Labels),
		Project: text.Clip(c.Labels[labelProject], maxAttribute), Service: text.Clip(c.Labels[labelService], maxAttribute),
		Self:      r.self != "" && strings.HasPrefix(c.ID, r.self),
		Temporary: isKept(name, c.State),
		Image:     text.Clip(c.Image, maxAttribute), StoppedBy: stoppedBy(c.Labels),
	}
	if l.Project == "" || l.Service == "" {
		return l
	}
	l.Number = replica(c.Labels[labelNumber], name)
	l.DependsOn = dependsOn(c.Labels[labelDependsOn])
	l.Temporary = l.Temporary || strings.EqualFold(c.Labels[labelOneOff], "true") || successorName.MatchString(name)
	return l
}

// replica is the number that the label says, or the name where Recreate had to
// change the label: see numberBefore.
func replica(label, name string) int {
	if n, err := strconv.Atoi(label); err != nil {
		return 0
	} else if n < 1 {
		label = name[strings.LastIndexAny(name, "-_")+1:] // such as shop-web-2
		if n, err := strconv.Atoi(label); err != nil || n < 1 {
			return 1 // a service with a container_name has one replica
		}
	}
	if n, err := strconv.ParseUint(label, 10, 16); err == nil && n <= maxReplica {
		return int(n)
	}
	return 0
}

// ownLabels are the labels that are meant for us.
func ownLabels(all map[string]string) map[string]string {
	own := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, container.LabelPrefix) && len(own) < maxLabels {
			own[text.Clip(name, maxAttribute)] = text.Clip(all[name], maxLabel)
		}
	}
	return own
}

// dependsOn reads Compose's label, such as "db:service_healthy:false,init:…":
// the services that are to run while this one does. One that is to have ended
// is none of them.
func dependsOn(label string) []string {
	var needed []string
	for entry := range strings.SplitSeq(text.Clip(label, maxLabel), ",") {
		service, condition, _ := strings.Cut(strings.TrimSpace(entry), ":")
		condition, _, _ = strings.Cut(condition, ":")
		if service != "" && condition != "service_completed_successfully" && len(needed) < maxNeeded {
			needed = append(needed, service)
		}
	}
	return needed
}

// Ports are where this process reaches what the container publishes.
func (r *Runtime) Ports(ctx context.Context, id string) ([]string, error) {
	c, err := r.inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.ContainerJSONBase == nil || c.HostConfig == nil {
		return nil, fmt.Errorf("inspect container %s: %w: %w", short(id), container.ErrUnavailable, errors.New("the answer lacks its HostConfig"))
	}
	if r.self != "" {
		return nil, nil // the engine's loopback is not that of our own container
	}
	return publishedAt(c.HostConfig.PortBindings, engineAddress(r.Host())), nil
}

// engineAddress is the address of the machine on which the engine runs, as this
// process reaches it.
func engineAddress(host string) string {
	if u, err := url.Parse(host); err == nil && u.Hostname() != "" && u.Scheme != "unix" && u.Scheme != "npipe" {
		return u.Hostname()
	}
	return "127.0.0.1"
}

// publishedAt are the fixed TCP ports of bindings, by the container's port, on
// the engine's machine.
func publishedAt(bindings nat.PortMap, machine string) []string {
	here := machine == "127.0.0.1"
	var all []string
	for _, inner := range slices.SortedFunc(maps.Keys(bindings), func(a, b nat.Port) int { return cmp.Compare(a.Int(), b.Int()) }) {
		if inner.Proto() != "tcp" {
			continue
		}
		for _, b := range bindings[inner] {
			port, err := strconv.ParseUint(b.HostPort, 10, 16)
			ip := net.ParseIP(b.HostIP)
			switch {
			case err != nil || port == 0: // another one at each start
			case b.HostIP == "" || ip.IsUnspecified():
				all = append(all, net.JoinHostPort(machine, b.HostPort))
			case ip != nil && (here || !ip.IsLoopback()):
				all = append(all, net.JoinHostPort(b.HostIP, b.HostPort))
			}
		}
	}
	return all
}
