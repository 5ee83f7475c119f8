package main

import (
	"slices"
	"sync"
	"sync/atomic"

	"logstream/internal/docker"
	"logstream/internal/service"
	"logstream/monitor/discover"
)

// serviceSet is every service that the parts work on: those of config.yaml, and
// those that are discovered. It is the one place that has both.
type serviceSet struct {
	all       atomic.Pointer[[]service.Definition]
	searching atomic.Bool // what is discovered is not known yet

	mu         sync.Mutex // held until the parts have what changed, so that all end with the same
	configured []service.Definition
	discovered []service.Definition
}

// combine is what there is in all: a configured service wins over a discovered
// one with its name or its container.
func (s *serviceSet) combine() []service.Definition {
	all := slices.Clone(s.configured)
	for _, found := range s.discovered {
		if !slices.ContainsFunc(s.configured, func(d service.Definition) bool {
			return d.Name == found.Name || found.Container != "" && d.Container == found.Container
		}) {
			all = append(all, found)
		}
	}
	s.all.Store(&all)
	return all
}

// configured are all services as they are now.
func (a *app) configured() []service.Definition { return *a.services.all.Load() }

// configure takes the services of config.yaml, and what each service begins
// with.
func (a *app) configure(services []service.Definition, defaults service.Definition) {
	a.services.mu.Lock()
	defer a.services.mu.Unlock()
	a.services.configured = services
	a.apply(a.services.combine())
	if a.discovery != nil {
		a.discovery.Apply(services, defaults)
	}
}

// found takes the services that are discovered.
func (a *app) found(services []service.Definition) {
	a.services.mu.Lock()
	defer a.services.mu.Unlock()
	a.services.discovered = services
	all := a.services.combine()
	a.services.searching.Store(false) // after the services: a reader of it has them all
	a.apply(all)
}

// openDiscovery makes what finds services in containers, where that is wanted.
// What stands for containers in the demo is configured.
func (a *app) openDiscovery() {
	if a.children != nil || a.config.Docker.Discover == docker.DiscoverOff {
		return
	}
	a.services.searching.Store(true)
	a.discovery = discover.New(discover.Deps{
		Runtime: a.runtime, Found: a.found, Logger: a.log, Health: a.registry,
		Rules: discover.Rules{Mode: discover.Mode(a.config.Docker.Discover), Defaults: a.config.Defaults, Configured: a.config.Services},
	})
}

// apply gives every part the new services. The healer comes before the monitor:
// it forgets the state of a container that a service no longer names, and must
// not forget what the monitor sees of the next one.
func (a *app) apply(services []service.Definition) {
	a.healer.now().Apply()
	a.monitor.Apply(services)
	a.chaos.Apply(services)
	a.dashboard.now().Apply(services)
}
