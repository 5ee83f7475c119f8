package action

import (
	"fmt"
	"slices"

	"logstream/internal/container"
	"logstream/internal/event"
)

// Why an action cannot be prepared, where several say so.
const (
	notThere   = "there is no such container"
	notDefined = "no container is configured for the service"
	notKnown   = "LogStream has not seen the service healthy yet, so it does not know how its container was then"
)

// plain prepares an action that takes no parameters and cannot be undone. in are
// the states in which it cannot be done, each with the reason.
func plain(in map[container.Status]string) func(Target) (event.Params, *event.Params, string) {
	return func(t Target) (event.Params, *event.Params, string) {
		why := absent(t)
		if why == "" {
			why = in[t.State.Status]
		}
		return event.Params{}, nil, why
	}
}

// absent is why there is nothing to act on, or empty.
func absent(t Target) string {
	switch {
	case t.Def.Container == "":
		return notDefined
	case t.Missing:
		return notThere
	}
	return ""
}

// irreplaceable is why a container cannot give its place to another, or empty. It would
// have to be kept, and of one that a first replacement kept, that is all that is left
// of what was there.
func irreplaceable(t Target) string {
	switch {
	case t.State.AutoRemove:
		return "it was started with --rm, so Docker removes it when it stops and the repair could not be undone; create it again without --rm"
	case t.State.Kept == "":
		return ""
	}
	return fmt.Sprintf("the container %s is still kept from the last time; remove it with docker rm %s when it is no longer needed", t.State.Kept, Quote(t.State.Kept))
}

// missing are the networks, or aliases of them, that a container had and has no
// longer.
func missing(good []event.Network, now []container.Network) []event.Network {
	var lost []event.Network
	for _, g := range good {
		i := slices.IndexFunc(now, func(n container.Network) bool { return n.Name == g.Name })
		if i < 0 || !hasAll(now[i].Aliases, g.Aliases) {
			lost = append(lost, g)
		}
	}
	return lost
}

func hasAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(have, w) })
}

// networks are those of a record, as a runtime takes them.
func networks(of []event.Network) []container.Network {
	out := make([]container.Network, len(of))
	for i, n := range of {
		out[i] = container.Network{Name: n.Name, Aliases: n.Aliases, IPv4: n.IPv4, IPv6: n.IPv6}
	}
	return out
}
