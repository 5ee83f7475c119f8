package state

import (
	"reflect"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	// keptIncidents bounds the memory of a fleet.
	keptIncidents  = 5000
	shownIncidents = 50
	// strangerFresh is how long a name that nobody configured is held to be
	// what was last said of it.
	strangerFresh = time.Minute
	// defaultFresh is how long an observation speaks where no interval is known.
	defaultFresh = 30 * time.Second
)

// The kinds of changes.
const (
	KindHealth   = "health"
	KindService  = "service"
	KindIncident = "incident"
	KindAgent    = "agent"
	KindThinking = "thinking" // what a model writes, while it writes it
	KindInfo     = "info"
	// KindResync has no data: something is gone, and only a whole snapshot says so.
	KindResync = "resync"
)

// Change is something that a page must hear of.
type Change struct {
	Kind string `json:"kind"`
	Data any    `json:"data"`
}

// Fleet is every service of every host, folded from the log into the objects
// that the API shows. What one page sees is seen from one host.
type Fleet struct {
	Incidents *Incidents
	Commands  *Commands

	host       string
	instance   string
	begin      time.Time
	limits     Limits
	model      string
	logAway    bool // the log can't be written: what is open is held by that
	services   *Services
	history    *History
	configured map[string]service.Definition // of this host
	order      map[string]int                // of configured, from 1
	agents     agentFold
	thoughts   thoughts
	agent      AgentView                   // as last told
	strangers  map[ServiceKey]event.Status // as last told
}

// NewFleet is the fleet before anything was read, as instance sees it on host.
func NewFleet(instance, host string, configured []service.Definition, limits Limits, now time.Time) *Fleet {
	f := &Fleet{
		Incidents: NewIncidents(), Commands: NewCommands(),
		host: host, instance: instance, begin: now.UTC(), limits: limits,
		history: NewHistory(host), strangers: map[ServiceKey]event.Status{},
	}
	f.services = NewServices(&f.Incidents.Claims)
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
			changes = append(changes, f.serviceChange(ServiceKey{f.host, def.Name}, now)...)
		}
	}
	for name := range before {
		changes = append(changes, f.dropped(ServiceKey{f.host, name})...)
	}
	return changes
}

// SetModel says which model is asked, or none.
func (f *Fleet) SetModel(model string, now time.Time) []Change {
	f.model = model
	return f.agentChange(now)
}

// SetLogAway says whether the log can't be written. What is open is held by the
// gate log meanwhile, which can stand nowhere else.
func (f *Fleet) SetLogAway(away bool, now time.Time) []Change {
	if away == f.logAway {
		return nil
	}
	f.logAway = away
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
	var changes []Change
	all := len(f.Incidents.All())
	in, counted := f.Incidents.Apply(e)
	if claim, is := e.Data.(event.Claim); is && counted {
		if len(f.Incidents.All()) != all {
			f.agents.rebuild(f.Incidents.All()) // what stood before the claim counts by it
		}
		for _, key := range f.services.Claimed(claim.Host) {
			changes = append(changes, f.serviceChange(key, now)...)
		}
	}
	if in != nil && counted {
		f.agents.apply(in, e)
		if e.Type == event.TypeDiagnosed || e.Type == event.TypeResolved {
			f.thoughts.end(e.ID)
		}
		changes = append(changes, Change{KindIncident, IncidentEvent{e, in.State}})
	}
	return append(changes, f.agentChange(now)...)
}

// ApplyService folds a record of TopicServices.
func (f *Fleet) ApplyService(r event.Service, now time.Time) []Change {
	if !f.services.Apply(r) {
		return nil
	}
	key := ServiceKey{r.Host, r.Service}
	if r.Definition == nil {
		return f.dropped(key)
	}
	return f.serviceChange(key, now)
}

// dropped forgets what was heard of a service that is not known any more.
func (f *Fleet) dropped(key ServiceKey) []Change {
	if f.known(key) {
		return nil
	}
	f.history.Drop(key)
	return []Change{{KindResync, nil}}
}

// ApplyHealth folds a record of TopicHealth that the broker took at taken.
func (f *Fleet) ApplyHealth(h event.HealthLog, signed bool, taken, now time.Time) []Change {
	key, seen, room := f.history.Apply(h, signed, taken, f.known)
	if !room {
		return nil
	}
	changes := []Change{{KindHealth, seen}}
	if !f.known(key) {
		changes = append(changes, f.strangerChange(key, now)...)
	}
	return changes
}

// ApplyThinking folds a record of TopicThinking.
func (f *Fleet) ApplyThinking(t event.Thinking) []Change {
	f.thoughts.apply(t)
	return []Change{{KindThinking, t}}
}

// Thoughts are what models write at this moment.
func (f *Fleet) Thoughts() []ThoughtView { return append([]ThoughtView{}, f.thoughts...) }

// Tick lets time pass; once a second is often enough.
func (f *Fleet) Tick(now time.Time) []Change {
	f.history.Tick(now, f.known)
	f.Incidents.Forget(keptIncidents)
	var changes []Change
	for key := range f.strangers {
		changes = append(changes, f.strangerChange(key, now)...)
	}
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

func (f *Fleet) serviceChange(key ServiceKey, now time.Time) []Change {
	if !f.known(key) {
		return nil
	}
	return []Change{{KindService, f.view(key, now)}}
}

// strangerChange tells of a name that nobody configured when what is said of
// it changed, or nothing was said for a while.
func (f *Fleet) strangerChange(key ServiceKey, now time.Time) []Change {
	switch {
	case f.known(key):
		delete(f.strangers, key)
		return nil
	case !f.history.Heard(key):
		delete(f.strangers, key)
		return []Change{{KindResync, nil}}
	}
	v := f.view(key, now)
	if told, was := f.strangers[key]; was && told == v.Status {
		return nil
	}
	f.strangers[key] = v.Status
	return []Change{{KindService, v}}
}

func (f *Fleet) known(key ServiceKey) bool {
	if _, published := f.services.Get(key); published {
		return true
	}
	_, configured := f.configured[key.Name]
	return configured && key.Host == f.host
}

// keys are all services that are shown, by name and host.
func (f *Fleet) keys() []ServiceKey {
	keys := append(f.services.Keys(), f.history.Keys()...)
	for name := range f.configured {
		keys = append(keys, ServiceKey{f.host, name})
	}
	slices.SortFunc(keys, ServiceKey.compare)
	return slices.Compact(keys)
}

// find is the service of that name: ours, else that of the first other host.
func (f *Fleet) find(name string) (ServiceKey, bool) {
	own := ServiceKey{f.host, name}
	if f.known(own) {
		return own, true
	}
	for _, key := range f.services.Keys() {
		if key.Name == name {
			return key, true
		}
	}
	return own, f.history.Heard(own)
}

// Services are all that are shown, by name and host.
func (f *Fleet) Services(now time.Time) []ServiceView {
	keys := f.keys()
	views := make([]ServiceView, len(keys))
	for i, key := range keys {
		views[i] = f.view(key, now)
	}
	return views
}

// Service is the service of that name.
func (f *Fleet) Service(name string, now time.Time) (ServiceView, bool) {
	key, is := f.find(name)
	if !is {
		return ServiceView{}, false
	}
	return f.view(key, now), true
}

// Definition is what the service of that name is, secrets masked; nil where
// nobody configured it.
func (f *Fleet) Definition(name string) *event.Definition {
	key, is := f.find(name)
	if !is {
		return nil
	}
	return f.definition(key)
}

func (f *Fleet) definition(key ServiceKey) *event.Definition {
	if def, is := f.configured[key.Name]; is && key.Host == f.host {
		return def.Masked()
	}
	published, _ := f.services.Get(key)
	return published.Definition
}

// Observations are the newest of anybody about the service of that name.
func (f *Fleet) Observations(name string) []Observation {
	key, _ := f.find(name)
	return f.history.Observations(key)
}

// Points are the chart of the service of that name.
func (f *Fleet) Points(name string, window time.Duration, now time.Time) []Point {
	key, _ := f.find(name)
	return f.history.Points(key, window, now)
}

// Owner is the instance that is active for this host, or empty.
func (f *Fleet) Owner() string {
	claim, _ := f.Incidents.Newest(f.host)
	return claim.Instance
}

// Held is the hold of this host, and whether there is one.
func (f *Fleet) Held(now time.Time) (Hold, bool) { return f.Commands.Held(f.host, now) }

// Agent is what the healer is doing.
func (f *Fleet) Agent(now time.Time) AgentView {
	return f.agents.view(f.model, f.limits, now)
}

// Recent are the incidents that are not resolved, and the newest of all;
// newest first.
func (f *Fleet) Recent() []IncidentView {
	all := f.Incidents.All()
	views := []IncidentView{}
	for i := len(all) - 1; i >= 0; i-- {
		if len(views) < shownIncidents || all[i].State != Resolved {
			views = append(views, all[i].View())
		}
	}
	return views
}

func (f *Fleet) view(key ServiceKey, now time.Time) ServiceView {
	v := ServiceView{Name: key.Name, Host: key.Host, Status: event.Pending, Since: f.begin, Sources: []event.Source{}, Configured: true}
	if key.Host == f.host {
		v.Order = f.order[key.Name]
	}
	published, is := f.services.Get(key)
	if is {
		f.viewPublished(&v, published)
	}
	fresh := defaultFresh
	if def := f.definition(key); def != nil {
		fresh = v.define(def)
	} else {
		f.viewStranger(&v, key, now)
	}
	if own, seen := f.history.Own(key); seen && !own.Time().Before(published.Time) {
		v.Code, v.LatencyMS = own.Code, own.LatencyMS
	}
	share, known := f.history.Uptime(key, HistoryKept, fresh, now)
	v.Uptime.Hour, v.WatchedS = share, known.Round(time.Millisecond).Seconds()
	return v
}

func (f *Fleet) viewPublished(v *ServiceView, r event.Service) {
	v.Status, v.Since, v.FirstBad, v.Code, v.LatencyMS, v.Error = r.Status, r.Since, r.FirstBad, r.Code, r.LatencyMS, r.Error
	v.Container, v.Healing, v.Held, v.HeldReason, v.SilencedUntil = r.Container, r.Healing, r.Held, r.HeldReason, r.SilencedUntil
	if f.logAway && r.OpenIncident != "" {
		v.Held, v.HeldReason = "log", "the log cannot be written: nothing is repaired until it is back"
	}
	v.Owner = r.Instance
	if claim, claimed := f.Incidents.Newest(r.Host); claimed {
		v.Owner = claim.Instance
	}
	if r.Sources != nil {
		v.Sources = r.Sources
	}
	if r.OpenIncident != "" {
		v.OpenIncident = &r.OpenIncident
	}
}

// define takes what a definition says, and returns how long an observation of
// such a service speaks: three intervals, or time-outs where those are longer.
func (v *ServiceView) define(def *event.Definition) time.Duration {
	v.Group, v.URL, v.Note, v.Chaos = def.Group, def.URL, def.Note, def.Chaos
	v.Managed = def.Container != ""
	interval, _ := time.ParseDuration(def.Interval)
	timeout, _ := time.ParseDuration(def.Timeout)
	v.IntervalS = interval.Seconds()
	if interval <= 0 {
		return defaultFresh
	}
	return 3 * max(interval, timeout)
}

// viewStranger takes what was last said of a name that nobody configured.
func (f *Fleet) viewStranger(v *ServiceView, key ServiceKey, now time.Time) {
	last, since, heard := f.history.Newest(key)
	v.Configured, v.Since = false, heard
	if last.Service == "" {
		return // nothing was said that counts
	}
	v.Status, v.Since, v.Code, v.LatencyMS, v.Error = last.Status, since, last.Code, last.LatencyMS, last.Error
	v.Sources = []event.Source{{Instance: last.Instance, Check: last.Check, Status: last.Status, Since: last.Time()}}
	if now.Sub(heard) > strangerFresh {
		v.Status = event.Unknown
	}
}
