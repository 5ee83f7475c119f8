package action

import (
	"context"
	"strings"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// connect attaches a container to the networks that it had while its service
// was UP, with the same aliases and addresses. Its events are of networks,
// and not of the container's life.
var connect = Action{
	Name:    service.ActionConnect,
	Cost:    "Non-disruptive: the container joins the networks that it had.",
	Prepare: prepareConnect,
	Timeout: atMost(10 * time.Second),
	Events:  causes(),
	Needed:  anything,
	EffectSeen: func(intent event.ActionStarted, c container.State) bool {
		return c.ID == intent.Pins.ContainerID && len(missing(params(intent).Networks, c.Networks)) == 0
	},
	Leaves: func(intent event.ActionStarted, finished event.ActionFinished, c container.State) bool {
		return c.Status == container.Running && c.ID == Left(intent, finished) && len(missing(params(intent).Networks, c.Networks)) == 0
	},
	Undo: &disconnect,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		return Done{}, on.Connect(ctx, r.ID, networks(r.Params.Networks))
	},
	line: func(t Target, p event.Params) string { return eachNetwork(p, connectLine(t)) },
}

var disconnect = Action{
	Name:    service.ActionConnect,
	Cost:    "The container leaves the networks that it was connected to.",
	Timeout: atMost(10 * time.Second),
	Events:  causes(),
	Needed:  func(Signs) bool { return true },
	EffectSeen: func(intent event.ActionStarted, c container.State) bool {
		return c.ID == intent.Pins.ContainerID && left(intent, c)
	},
	Leaves: func(intent event.ActionStarted, finished event.ActionFinished, c container.State) bool {
		return c.ID == Left(intent, finished) && left(intent, c)
	},
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		return Done{}, on.Disconnect(ctx, r.ID, networks(r.Params.Networks))
	},
	line: func(t Target, p event.Params) string {
		return eachNetwork(p, func(n event.Network) string { return docker("network", "disconnect", n.Name, t.Name) })
	},
}

func prepareConnect(t Target) (event.Params, *event.Params, string) {
	switch why := absent(t); {
	case why != "":
		return event.Params{}, nil, why
	case t.Good == nil && !t.NetworksKnown:
		return event.Params{}, nil, notKnown
	case t.State.NetworkOf != "":
		return event.Params{}, nil, "it uses the network of the container " + t.State.NetworkOf
	}
	had := t.Networks
	if !t.NetworksKnown {
		had = t.Good.Networks // of the container before it
	}
	lost := missing(had, t.State.Networks)
	if len(lost) == 0 {
		return event.Params{}, nil, "it has all the networks that LogStream remembers of it"
	}
	p := event.Params{Networks: lost}
	return p, &event.Params{Networks: lost}, ""
}

// left says whether a container is in none of an intent's networks.
func left(intent event.ActionStarted, c container.State) bool {
	return len(missing(params(intent).Networks, c.Networks)) == len(params(intent).Networks)
}

func connectLine(t Target) func(event.Network) string {
	return func(n event.Network) string {
		words := []string{"network", "connect"}
		for _, alias := range n.Aliases {
			words = append(words, "--alias", alias)
		}
		if n.IPv4 != "" {
			words = append(words, "--ip", n.IPv4)
		}
		if n.IPv6 != "" {
			words = append(words, "--ip6", n.IPv6)
		}
		return docker(append(words, n.Name, t.Name)...)
	}
}

func eachNetwork(p event.Params, line func(event.Network) string) string {
	lines := make([]string, len(p.Networks))
	for i, n := range p.Networks {
		lines[i] = line(n)
	}
	return strings.Join(lines, " && ")
}
