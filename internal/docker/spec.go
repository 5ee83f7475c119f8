package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"path"
	"slices"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// specHash is the SHA-256, in hex, of what recreating the container would
// take: its configuration, its host's part of it, and its networks with their
// aliases, as canonical JSON. What the engine made up (ID, default host name,
// addresses, endpoints) is left out, so the hash stays over every start, stop
// and pause, and two containers from the same specification share it. A
// container that lost a network has another hash, and the former one again
// once it is connected with the same aliases and addresses.
func specHash(c apicontainer.InspectResponse) (string, error) {
	config := *c.Config
	if config.Hostname == short(c.ID) {
		config.Hostname = ""
	}
	config.Labels = maps.Clone(config.Labels)
	delete(config.Labels, labelReplace) // says how it came about, not what it is
	delete(config.Labels, labelReplaces)
	delete(config.Labels, labelNumber)
	host := *c.HostConfig
	host.ContainerIDFile, host.ConsoleSize = "", [2]uint{}
	host.Resources = unlimitedIsNone(host.Resources)
	if host.RestartPolicy.IsNone() {
		host.RestartPolicy.Name = "" // what says "no" is the same, and Restore leaves that
	}

	config.Volumes, host.Mounts = unnamed(config.Volumes, host.Mounts)

	document, err := canonical(map[string]any{"config": config, "host": host, "networks": asked(c)})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:]), nil
}

// unnamed puts the anonymous volumes with those that are asked for by
// their target alone: Recreate mounts what it takes over by the name that the
// engine made up.
func unnamed(targets map[string]struct{}, mounts []mount.Mount) (map[string]struct{}, []mount.Mount) {
	all := maps.Clone(targets)
	named := slices.DeleteFunc(slices.Clone(mounts), func(m mount.Mount) bool {
		madeUp := m.Source == "" || fullID.MatchString(m.Source)
		if m.Type != mount.TypeVolume || !madeUp || m.ReadOnly {
			return false
		}
		if all == nil {
			all = map[string]struct{}{}
		}
		all[path.Clean(m.Target)] = struct{}{}
		return true
	})
	return all, named
}

// askedNetwork is what was asked of one network, without what it was given.
type askedNetwork struct {
	Name           string
	Aliases, Links []string
	IPv4, IPv6     string // asked for, not assigned
	DriverOpts     map[string]string
}

func asked(c apicontainer.InspectResponse) []askedNetwork {
	if c.NetworkSettings == nil {
		return nil
	}
	var all []askedNetwork
	for _, name := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
		n := askedNetwork{Name: name}
		if endpoint := c.NetworkSettings.Networks[name]; endpoint != nil {
			n.Aliases = ownAliases(endpoint.Aliases, c.ID)
			n.Links = slices.Sorted(slices.Values(endpoint.Links))
			n.DriverOpts = endpoint.DriverOpts
			n.IPv4, n.IPv6 = askedFor(endpoint)
		}
		all = append(all, n)
	}
	return all
}

// canonical is value as JSON with sorted keys and without empty members, so
// that a field that a newer client knows and that is not set doesn't change it.
func canonical(value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var generic any
	if err := json.Unmarshal(raw, &generic); err != nil {
		return nil, err
	}
	return json.Marshal(prune(generic))
}

// prune drops what is empty from objects, from the inside out; nil is empty.
func prune(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = prune(member)
		}
		maps.DeleteFunc(v, func(_ string, member any) bool { return member == nil })
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i, member := range v {
			v[i] = prune(member)
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return value
}

// An engine removes no memory limit, but takes one that no machine reaches.
// The other is memory and swap together: with both the same there would be no
// swap.
const (
	noMemoryLimit = 1 << 61
	noSwapLimit   = 1 << 62
)

// limitOf is a memory limit in bytes; 0: none, however the engine keeps that.
func limitOf(memory int64) int64 {
	if memory < 0 || memory >= noMemoryLimit {
		return 0
	}
	return memory
}

// unlimitedIsNone writes a limit that was removed as one that there never was.
func unlimitedIsNone(r apicontainer.Resources) apicontainer.Resources {
	r.CPUQuota, r.Memory = max(r.CPUQuota, 0), limitOf(r.Memory)
	switch {
	case r.Memory == 0 && (r.MemorySwap < 0 || r.MemorySwap >= noMemoryLimit):
		r.MemorySwap = 0
	case r.MemorySwap >= noMemoryLimit:
		r.MemorySwap = -1
	}
	return r
}
