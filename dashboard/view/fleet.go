// Package view holds the folds of the log that only people read: services,
// incidents, the agent, history and commands as the API and the page show them.
// It decides nothing, does no I/O and has no clock of its own; nothing in it is
// safe for concurrent use.
package view

import (
	"reflect"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

const (
	// keptIncidents bounds the memory of a fleet.
	keptIncidents  = 5000
	shownIncidents = 50
	// unmanagedFresh is how long an observation of an unmanaged service speaks.
	unmanagedFresh = time.Minute
	// defaultFresh is how long an observation speaks where no interval is known.
	defaultFresh = 30 * time.Second
)

// The kinds of changes.
const (
	KindHealth   = "health"
	KindService  = "service"
	KindIncident = "incident"
	// KindSummary is an incident whose progress changed without an event: an
	// object of GET /incidents.
	KindSummary  = "incident_summary"
	KindAgent    = "agent"
	KindThinking = "thinking" // what a model writes, while it writes it
	KindInfo     = "info"
	// KindCommand is a command, when it was recorded and when its result was.
	KindCommand = "command"
	// KindResync has no data: something is gone, and only a whole snapshot says so.
	KindResync = "resync"
)

// Change is something that every page is sent.
type Change struct {
	Kind string `json:"kind"`
	Data any    `json:"data"`
}

// Fleet is every service of every host, folded from the log into the objects
// that the API shows. What one page sees is seen from one host.
type Fleet struct {
	Incidents *state.Incidents
	Commands  *Commands

	host       string
	instance   string
	begin      time.Time
	limits     Limits
	model      string
	busDown    bool // Kafka is unreachable: what is open is held by that
	services   *Published
	history    *History
	rollups    *Rollups
	configured map[string]service.Definition // of this host
	order      map[string]int                // of configured, from 1
	agents     agentFold
	thoughts   thoughts
	claimed    map[string]time.Time // when the newest claim of a host was made
	verifying  map[Key]verifying
	agent      Agent                // as last sent to clients
	unmanaged  map[Key]event.Status // as last sent to clients
	hosts      hosts
}

// NewFleet is the fleet before anything was read, as instance sees it on host.
func NewFleet(instance, host string, configured []service.Definition, limits Limits, now time.Time) *Fleet {
	f := &Fleet{
		Incidents: state.NewIncidents(), Commands: NewCommands(),
		host: host, instance: instance, begin: now.UTC(), limits: limits,
		history: NewHistory(host), rollups: NewRollups(), claimed: map[string]time.Time{}, verifying: map[Key]verifying{}, unmanaged: map[Key]event.Status{}, hosts: newHosts(),
	}
	f.services = NewPublished(&f.Incidents.Claims)
	f.configured, f.order = byName(configured), places(configured)
	f.agent = f.Agent(now)
	return f
}

func byName(defs []service.Definition) map[string]service.Definition {
	named := make(map[string]service.Definition, len(defs))
	for _, def := range defs {
		named[def.Name] = def
	}
	return named
}

func places(defs []service.Definition) map[string]int {
	order := make(map[string]int, len(defs))
	for i, def := range defs {
		order[def.Name] = i + 1
	}
	return order
}

// Configure replaces what is configured on this host. What is gone and was
// published leaves when its owner says so.
func (f *Fleet) Configure(defs []service.Definition, now time.Time) []Change {
	before, order := f.configured, f.order
	f.configured, f.order = byName(defs), places(defs)
	var changes []Change
	for _, def := range defs {
		if old, was := before[def.Name]; !was || order[def.Name] != f.order[def.Name] || !reflect.DeepEqual(old, def) {
			changes = append(changes, f.serviceChange(Key{f.host, def.Name}, now)...)
		}
	}
	for name := range before {
		changes = append(changes, f.dropped(Key{f.host, name})...)
	}
	return changes
}

// SetModel says which model is queried, or none.
func (f *Fleet) SetModel(model string, now time.Time) []Change {
	f.model = model
	return f.agentChange(now)
}

// SetBusDown says whether Kafka is unreachable. What is open is held by the gate
// log meanwhile, which can stand nowhere else.
func (f *Fleet) SetBusDown(down bool, now time.Time) []Change {
	if down == f.busDown {
		return nil
	}
	f.busDown = down
	var changes []Change
	for _, key := range f.services.Keys() {
		if r, is := f.services.Get(key); is && r.OpenIncident != "" {
			changes = append(changes, f.serviceChange(key, now)...)
		}
	}
	return changes
}

// ApplyIncident folds a record of TopicIncidents.
func (f *Fleet) ApplyIncident(e event.Incident, now time.Time) []Change {
	if noted, is := e.Data.(event.Noted); is {
		return f.applyNoted(e, noted, now)
	}
	var changes []Change
	before, _ := f.Incidents.Newest(e.Host)
	all := len(f.Incidents.All())
	in, counted := f.Incidents.Apply(e)
	if claim, is := e.Data.(event.Claim); is && counted {
		if before.Nonce != claim.Nonce || before.Epoch != claim.Epoch {
			f.claimed[claim.Host] = e.Time
		}
		if len(f.Incidents.All()) != all { // what stood before the claim counts by it
			f.agents.rebuild(f.Incidents.All())
			for _, in := range f.Incidents.All() {
				f.track(in, f.incident(in, now))
			}
		}
		for _, key := range f.services.Claimed(claim.Host) {
			changes = append(changes, f.serviceChange(key, now)...)
		}
		changes = append(changes, f.progressChanges(now)...)
	}
	if in != nil && counted {
		f.agents.apply(in, e)
		if e.Type == event.TypeDiagnosed || e.Type == event.TypeResolved {
			f.thoughts.end(e.ID)
		}
		shown := f.incident(in, now)
		f.track(in, shown)
		changes = append(changes, Change{KindIncident, IncidentEvent{e, in.State, shown}})
	}
	return append(changes, f.agentChange(now)...)
}

// ApplyService folds a record of TopicServices.
func (f *Fleet) ApplyService(r event.Service, now time.Time) []Change {
	if !f.services.Apply(r) {
		return nil
	}
	f.hosts.alive(r.Host, r.Time)
	key := Key{r.Host, r.Service}
	if r.Definition == nil {
		return f.dropped(key)
	}
	return f.serviceChange(key, now)
}

// dropped forgets the observations of a service that no longer exists.
func (f *Fleet) dropped(key Key) []Change {
	if f.known(key) {
		return nil
	}
	f.history.Drop(key)
	f.rollups.Drop(key)
	return []Change{{KindResync, nil}}
}

// ApplyHealth folds a record of TopicHealth that the broker took at taken.
func (f *Fleet) ApplyHealth(h event.HealthLog, signed bool, taken, now time.Time) []Change {
	if signed {
		f.hosts.alive(h.Host, taken)
	}
	key, seen, room := f.history.Apply(h, signed, taken, f.known)
	if !room {
		return nil
	}
	changes := []Change{{KindHealth, seen}}
	if !f.known(key) {
		changes = append(changes, f.unmanagedChange(key, now)...)
	}
	return append(changes, f.progressChange(key, now)...)
}

// ApplyRollup folds a record of one of event.Levels. It changes what is asked for
// next, and no page at once.
func (f *Fleet) ApplyRollup(level int, r event.Rollup) { f.rollups.Apply(level, r) }

// ApplyThinking folds a record of TopicThinking.
func (f *Fleet) ApplyThinking(t event.Thinking) []Change {
	f.thoughts.apply(t)
	return []Change{{KindThinking, t}}
}

// Thoughts are what models write at this moment.
func (f *Fleet) Thoughts() []Thought { return append([]Thought{}, f.thoughts...) }

// Tick lets time pass; once a second is often enough.
func (f *Fleet) Tick(now time.Time) []Change {
	f.history.Tick(now, f.known)
	f.rollups.Tick(now)
	f.Incidents.Forget(keptIncidents)
	var changes []Change
	for key := range f.unmanaged {
		changes = append(changes, f.unmanagedChange(key, now)...)
	}
	changes = append(changes, f.progressChanges(now)...) // a gap ends a run
	changes = append(changes, f.hostChanges(now)...)
	return append(changes, f.agentChange(now)...)
}

func (f *Fleet) agentChange(now time.Time) []Change {
	agent := f.Agent(now)
	if reflect.DeepEqual(agent, f.agent) {
		return nil
	}
	f.agent = agent
	return []Change{{KindAgent, agent}}
}

func (f *Fleet) serviceChange(key Key, now time.Time) []Change {
	if !f.known(key) {
		return nil
	}
	return []Change{{KindService, f.view(key, now)}}
}

// progressChanges are those of all verifications.
func (f *Fleet) progressChanges(now time.Time) []Change {
	var changes []Change
	for key := range f.verifying {
		changes = append(changes, f.progressChange(key, now)...)
	}
	return changes
}

// unmanagedChange is an unmanaged service whose status changed, or that was not
// observed for a while.
func (f *Fleet) unmanagedChange(key Key, now time.Time) []Change {
	switch {
	case f.known(key):
		delete(f.unmanaged, key)
		return nil
	case !f.history.Known(key):
		delete(f.unmanaged, key)
		return []Change{{KindResync, nil}}
	}
	v := f.view(key, now)
	if sent, was := f.unmanaged[key]; was && sent == v.Status {
		return nil
	}
	f.unmanaged[key] = v.Status
	return []Change{{KindService, v}}
}

func (f *Fleet) known(key Key) bool {
	if _, published := f.services.Get(key); published {
		return true
	}
	_, configured := f.configured[key.Name]
	return configured && key.Host == f.host
}

// keys are all services that are shown, by name and host.
func (f *Fleet) keys() []Key {
	keys := append(f.services.Keys(), f.history.Keys()...)
	for name := range f.configured {
		keys = append(keys, Key{f.host, name})
	}
	slices.SortFunc(keys, Key.compare)
	return slices.Compact(keys)
}

// find is the service of that name: ours, else that of the first other host.
func (f *Fleet) find(name string) (Key, bool) {
	own := Key{f.host, name}
	if f.known(own) {
		return own, true
	}
	for _, key := range f.services.Keys() {
		if key.Name == name {
			return key, true
		}
	}
	return own, f.history.Known(own)
}

// Owner is the instance that is active for this host, or empty.
func (f *Fleet) Owner() string {
	claim, _ := f.Incidents.Newest(f.host)
	return claim.Instance
}

// Held is the hold of this host, and whether there is one.
func (f *Fleet) Held(now time.Time) (Hold, bool) { return f.Commands.Held(f.host, now) }

// Agent is what the healer is doing.
func (f *Fleet) Agent(now time.Time) Agent {
	return f.agents.view(f.model, f.limits, now)
}
