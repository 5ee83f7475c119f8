package healer

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"logstream/healer/update"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Which services there are, as they are configured or discovered.

// add adds a service, as it was last published where it was. What was repaired of it
// before still counts, as it does after a start.
func add(c *Controller, def service.Definition, now time.Time) *serviceState {
	var published *event.Service
	if prior, known := c.prior[def.Name]; known && prior.Definition != nil {
		published = &prior
	}
	s := newServiceState(def, published, now)
	for _, in := range c.incidents.Of(def.Name, c.host) {
		s.incident = in
		for _, e := range in.Events {
			s.budget.Apply(e)
		}
	}
	if c.replayed { // what is replayed has its own time
		s.budget.Tick(now)
	}
	c.services[def.Name], c.graph = s, nil
	c.fleet.touch(s)
	c.order = append(c.order, def.Name)
	return s
}

// addAgain adds a service anew, in its place.
func addAgain(c *Controller, def service.Definition, now time.Time) *serviceState {
	i := slices.Index(c.order, def.Name)
	s := add(c, def, now)
	c.order = slices.Delete(c.order, len(c.order)-1, len(c.order))
	c.order[i] = def.Name
	return s
}

// departed is what is remembered of a service that is no longer configured, for as
// long as its specification is kept: an edit that is put back loses nothing.
type departed struct {
	container string // that it named
	memory    memory
	at        time.Time
}

// depart remembers a service that is about to be forgotten.
func depart(c *Controller, s *serviceState, now time.Time) {
	maps.DeleteFunc(c.departed, func(_ string, d departed) bool { return now.Sub(d.at) > sweptAfter })
	if s.memory.good != nil && len(c.departed) < maxMemories {
		c.departed[s.def.Name] = departed{s.def.Container, s.memory, now}
	}
}

// takeBack gives a service that is configured again what was remembered of it.
func takeBack(c *Controller, s *serviceState, now time.Time) {
	if d, left := c.departed[s.def.Name]; left && d.container == s.def.Container && now.Sub(d.at) <= sweptAfter && s.memory.good == nil {
		s.memory = d.memory
	}
	delete(c.departed, s.def.Name)
}

func forget(c *Controller, name string) {
	c.fleet.touch(c.services[name])
	delete(c.services, name)
	if c.busy == name {
		c.busy = ""
	}
	c.graph = nil
	c.order = slices.DeleteFunc(c.order, func(n string) bool { return n == name })
}

// reconfigure takes the services as they are from now on.
func reconfigure(c *Controller, in Reconfigured, now time.Time) {
	wanted := map[string]bool{}
	for _, def := range in.Services {
		wanted[def.Name] = true
		s := c.services[def.Name]
		switch {
		case s == nil:
			s = add(c, def, now)
			takeBack(c, s, now)
		case !s.removed && !s.seeded && reflect.DeepEqual(s.def, def):
			continue // others were edited
		case s.def.Container != def.Container:
			s.container, s.links, s.needed, s.memory, s.update = nil, links{}, nil, memory{}, update.Watch{}
			s.inspection = inspection{request: s.inspection.request, stale: true}
			fallthrough
		default:
			s.define(def)
			s.removed, s.seeded, s.edited, c.graph = false, false, now, nil
			s.status.Redefine(def, now)
		}
		c.reconcile(s, now)
	}
	for _, name := range slices.Clone(c.order) {
		if s := c.services[name]; !wanted[name] && !(in.Discovering && s.seeded) {
			s.removed, c.graph = true, nil
			refuseRemoved(c, s)
			c.reconcile(s, now)
		}
	}
}

// adoptUnconfigured takes up the services that were published, or about which
// an incident is open, and that are no longer configured: they left while this
// process was not there, and are ended like those that leave meanwhile.
func adoptUnconfigured(c *Controller, now time.Time) {
	names := map[string]bool{}
	for name, prior := range c.prior {
		if prior.Definition != nil {
			names[name] = true
		}
	}
	for _, in := range c.incidents.All() {
		if in.Host == c.host && in.State != state.Resolved && in.Service != event.ReservedService {
			names[in.Service] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if c.services[name] == nil {
			def := service.Default()
			def.Name = name
			add(c, def, now).removed = true
		}
	}
}

// isWatched says whether a container is a service's.
func isWatched(c *Controller, name string) bool {
	for _, s := range c.services {
		if s.containerName() == name {
			return true
		}
	}
	return false
}
