package docker

import (
	"encoding/json"
	"slices"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// labelBinds is on a container that plan made with directories as mounts: how they
// were given before. What it was asked for is so the same specification still.
const labelBinds = "io.logstream.binds"

// bindAsMount is "source:target:options" as a mount, of which the engine makes no
// directory anew where it is gone: it refuses. A volume is none, and an option that a
// mount does not have, such as SELinux's z, leaves it as it is.
func bindAsMount(bind string) (mount.Mount, bool) {
	parts := strings.Split(bind, ":")
	if len(parts) < 2 || len(parts) > 3 || !strings.HasPrefix(parts[0], "/") {
		return mount.Mount{}, false
	}
	m := mount.Mount{Type: mount.TypeBind, Source: parts[0], Target: parts[1]}
	if len(parts) == 2 {
		return m, true
	}
	for option := range strings.SplitSeq(parts[2], ",") {
		switch {
		case option == "ro":
			m.ReadOnly = true
		case slices.Contains(mount.Propagations, mount.Propagation(option)):
			m.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(option)}
		case option == string(mount.ConsistencyFull), option == string(mount.ConsistencyCached), option == string(mount.ConsistencyDelegated):
			m.Consistency = mount.Consistency(option)
		case option != "" && option != "rw":
			return mount.Mount{}, false
		}
	}
	return m, true
}

// bindsAsMounts gives the host's part its directories as mounts, as far as they can be.
// The label is how they were given; empty: there are none.
func bindsAsMounts(host *apicontainer.HostConfig) (label string) {
	var kept []string
	var mounts []mount.Mount
	for _, bind := range host.Binds {
		if m, is := bindAsMount(bind); is {
			mounts = append(mounts, m)
		} else {
			kept = append(kept, bind)
		}
	}
	if len(mounts) == 0 {
		return ""
	}
	given, err := json.Marshal(host.Binds)
	if err != nil {
		return ""
	}
	host.Binds, host.Mounts = kept, append(slices.Clone(host.Mounts), mounts...)
	return string(given)
}

// bindsAsGiven are the binds and mounts as they were before bindsAsMounts. A label that
// does not say how these were given, such as an image's, says nothing.
func bindsAsGiven(label string, host *apicontainer.HostConfig) (binds []string, mounts []mount.Mount) {
	var given []string
	if label == "" || json.Unmarshal([]byte(label), &given) != nil {
		return host.Binds, host.Mounts
	}
	kept, mounts := slices.Clone(host.Binds), slices.Clone(host.Mounts)
	for _, bind := range given {
		if m, is := bindAsMount(bind); is {
			at := slices.IndexFunc(mounts, func(o mount.Mount) bool {
				return o.Type == m.Type && o.Source == m.Source && o.Target == m.Target && o.ReadOnly == m.ReadOnly
			})
			if at < 0 {
				return host.Binds, host.Mounts
			}
			mounts = slices.Delete(mounts, at, at+1)
			continue
		}
		i := slices.Index(kept, bind)
		if i < 0 {
			return host.Binds, host.Mounts
		}
		kept = slices.Delete(kept, i, i+1)
	}
	if len(kept) > 0 {
		return host.Binds, host.Mounts
	}
	return given, mounts
}
