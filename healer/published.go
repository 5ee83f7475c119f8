package healer

import (
	"maps"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What was published of services in an earlier life, and what it means in this one.

// readService takes what was last published of a service, before the claim.
// After it, it is our own record that comes back.
func (c *Controller) readService(published event.Service, now time.Time) {
	if published.Host != c.host {
		return
	}
	if c.replayed {
		c.readOwnService(published, now)
		return
	}
	if old, known := c.prior[published.Service]; known && !state.Newer(published, old) {
		return
	}
	c.prior[published.Service] = published
	old := c.services[published.Service]
	discovered := published.Definition != nil && published.Definition.Discovered
	switch {
	case old == nil && discovered:
		c.add(service.Published(*published.Definition), now).seeded = true
	case old == nil:
	case old.seeded && !discovered:
		c.forget(published.Service)
	case old.seeded:
		c.again(service.Published(*published.Definition), now).seeded = true
	default:
		c.again(old.def, now)
	}
}

// again adds a service anew, in its place.
func (c *Controller) again(def service.Definition, now time.Time) *serviceState {
	i := slices.Index(c.order, def.Name)
	s := c.add(def, now)
	c.order = slices.Delete(c.order, len(c.order)-1, len(c.order))
	c.order[i] = def.Name
	return s
}

func (c *Controller) forget(name string) {
	delete(c.services, name)
	c.order = slices.DeleteFunc(c.order, func(n string) bool { return n == name })
}

// readOwnService has what we published of a service written again where an old
// record was put over it: the newest of each is what the topic keeps.
func (c *Controller) readOwnService(published event.Service, now time.Time) {
	s := c.services[published.Service]
	origin, leads := c.Owner()
	if s != nil && leads && (published.Nonce != origin.Nonce || !s.publication.order.Next(published.Epoch, published.Revision)) {
		if covered := now.Add(coveredFor - republish); covered.Before(s.publication.at) {
			s.publication.at = covered
		}
	}
}

// adoptUnconfigured takes up the services that were published, or about which
// an incident is open, and that are no longer configured: they left while this
// process was not there, and are ended like those that leave meanwhile.
func (c *Controller) adoptUnconfigured(now time.Time) {
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
			c.add(def, now).removed = true
		}
	}
}
