package discover

import (
	"maps"
	"slices"

	"logstream/internal/container"
	"logstream/internal/nearest"
)

// known are the services that a dependency may mean.
type known struct {
	naming  naming
	names   map[string]bool     // all, the configured ones too
	bases   map[string][]string // replicas, by the name that they share
	compose map[[2]string][]string
}

func (k known) add(name string, c container.Listed) {
	k.names[name] = true
	if isReplica(c) {
		base := k.naming.base(c)
		k.bases[base] = append(k.bases[base], name)
	}
	if c.Service != "" {
		of := [2]string{c.Project, c.Service}
		k.compose[of] = append(k.compose[of], name)
	}
}

// meant are the services that a label names: one, or all replicas of one.
func (k known) meant(name string, by container.Listed) []string {
	switch {
	case k.names[name]:
		return []string{name}
	case len(k.bases[name]) > 0:
		return k.bases[name]
	}
	return k.compose[[2]string{by.Project, name}]
}

// depend gives each service its dependencies: what its label names, or else
// what Compose knows. One that is not monitored now is left out.
func (p *plan) depend() {
	for i := range p.services {
		d, c := &p.services[i].Definition, p.services[i].of
		var needed []string
		if value, given := c.Labels[labelDependsOn]; given && !p.services[i].reduced {
			for _, name := range list(value) {
				meant := p.known.meant(name, c)
				if len(meant) == 0 {
					p.problem(Problem{Container: c.Name, Label: labelDependsOn, Value: shown("", name), Suggestion: p.nearest(name),
						Message: "is not the name of a service", leftOut: true})
				}
				needed = append(needed, meant...)
			}
		} else {
			for _, name := range c.DependsOn {
				needed = append(needed, p.known.compose[[2]string{c.Project, name}]...)
			}
		}
		slices.Sort(needed)
		needed = slices.Compact(needed)
		d.DependsOn = slices.DeleteFunc(needed, func(name string) bool { return name == d.Name })
	}
	p.breakCircles()
}

// nearest is the service that a mistyped name most likely means.
func (p *plan) nearest(name string) string {
	return nearest.Of(name, slices.Concat(slices.Sorted(maps.Keys(p.known.names)), slices.Sorted(maps.Keys(p.known.bases))))
}

// breakCircles leaves out each dependency that closes a circle. Configured
// services depend on configured ones alone, so only discovered ones can.
func (p *plan) breakCircles() {
	at := map[string]int{}
	for i := range p.services {
		at[p.services[i].Name] = i
	}
	const onWay, done = 1, 2
	state := map[string]int{}
	var walk func(i int)
	walk = func(i int) {
		f := &p.services[i]
		state[f.Name] = onWay
		kept := f.DependsOn[:0]
		for _, needed := range f.DependsOn {
			if state[needed] == onWay {
				p.problem(Problem{Container: f.of.Name, Label: labelDependsOn, Value: shown("", needed), Message: "makes a dependency cycle", leftOut: true})
				continue
			}
			kept = append(kept, needed)
			if j, discovered := at[needed]; discovered && state[needed] != done {
				walk(j)
			}
		}
		f.DependsOn, state[f.Name] = kept, done
	}
	for i := range p.services {
		if state[p.services[i].Name] == 0 {
			walk(i)
		}
	}
}
