package view

import (
	"logstream/internal/event"
	"logstream/internal/state"
)

// Gauges is how things stand on this host, in numbers. Unmanaged services are
// not in it: any program may report any number of names.
type Gauges struct {
	Status    map[string]event.Status // of every service that some configuration defines
	Open      map[string]int          // incidents by cause; before the diagnosis it is empty
	Escalated map[string]int          // incidents that wait for a person, by cause
	Held      map[string]int          // open incidents by the gate that holds them
}

// Gauges are those of now.
func (f *Fleet) Gauges() Gauges {
	g := Gauges{map[string]event.Status{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for name := range f.configured {
		g.Status[name] = event.Pending
	}
	for _, key := range f.services.Keys() {
		if published, is := f.services.Get(key); is && key.Host == f.host {
			g.Status[key.Name] = published.Status
		}
	}
	for _, in := range f.agents.open {
		switch {
		case in.Host != f.host:
		case in.State == state.Escalated:
			g.Escalated[in.CauseID]++
		default:
			g.Open[in.CauseID]++
			if in.Held != "" {
				g.Held[in.Held]++
			}
		}
	}
	return g
}

// Managed says whether some configuration defines a service of this host.
func (f *Fleet) Managed(name string) bool { return f.known(Key{f.host, name}) }
