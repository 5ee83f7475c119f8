package view

import (
	"math"
	"slices"
	"time"

	"logstream/internal/event"
)

// Service is a service as the API and the page show it.
type Service struct {
	Name          string                  `json:"name"`
	Group         string                  `json:"group"`
	Host          string                  `json:"host"`
	Status        event.Status            `json:"status"`
	Since         time.Time               `json:"since"`
	FirstBad      *time.Time              `json:"first_bad,omitempty"`
	Code          int                     `json:"code"`
	LatencyMS     float64                 `json:"latency_ms"`
	Error         string                  `json:"error"`
	Uptime        Uptime                  `json:"uptime"`
	WatchedS      float64                 `json:"watched_s"` // the 1h of known_s
	KnownS        KnownS                  `json:"known_s"`
	Container     *event.ServiceContainer `json:"container"`
	Managed       bool                    `json:"managed"`    // some configuration defines it, a container's labels for one; else it is known only from foreign records
	Discovered    bool                    `json:"discovered"` // by its container and its labels, not by config.yaml
	Healing       bool                    `json:"healing"`
	Held          string                  `json:"held,omitempty"` // the gate that holds its repair
	HeldReason    string                  `json:"held_reason,omitempty"`
	Flapping      bool                    `json:"flapping"` // its status changed too often lately
	SilencedUntil *time.Time              `json:"silenced_until"`
	SilencedBy    string                  `json:"silenced_by,omitempty"`
	SilenceReason string                  `json:"silence_reason,omitempty"`
	OpenIncident  *string                 `json:"open_incident"`
	Owner         string                  `json:"owner"` // the instance that is active for its host
	Sources       []event.Source          `json:"sources"`
	Needs         []event.Need            `json:"needs,omitempty"` // the services that it depends on, and where each is known from

	Update *event.Update `json:"update,omitempty"` // the newest change of its image that LogStream did not make
	Trust  *event.Trust  `json:"trust,omitempty"`  // what would have been repaired in mode observe

	Configured bool    `json:"configured"` // the same as managed
	URL        string  `json:"url"`        // masked
	Note       string  `json:"note"`
	IntervalS  float64 `json:"interval_s"`
	Chaos      bool    `json:"chaos"`
	// Order is its place in the configuration of the host that serves the page,
	// from 1; 0 where it stands in another one, or in none.
	Order int `json:"order"`
}

// Uptime is the share of the known time, 0 to 1, over windows that end now;
// nil where nothing is known.
type Uptime struct {
	Hour  *float64 `json:"1h"`
	Day   *float64 `json:"24h"`
	Week  *float64 `json:"7d"`
	Month *float64 `json:"30d"`
}

// KnownS is how many seconds of the windows of an Uptime are known: what its
// shares are of.
type KnownS struct {
	Hour  float64 `json:"1h"`
	Day   float64 `json:"24h"`
	Week  float64 `json:"7d"`
	Month float64 `json:"30d"`
}

// Services are all that are shown, by name and host.
func (f *Fleet) Services(now time.Time) []Service {
	keys := f.keys()
	views := make([]Service, len(keys))
	for i, key := range keys {
		views[i] = f.view(key, now)
	}
	return views
}

// Service is the service of that name.
func (f *Fleet) Service(name string, now time.Time) (Service, bool) {
	key, is := f.find(name)
	if !is {
		return Service{}, false
	}
	return f.view(key, now), true
}

// NeededBy are the services of the same host that need the one of that name
// themselves, by name.
func (f *Fleet) NeededBy(name string) []string {
	of, _ := f.find(name)
	var list []string
	for _, key := range f.keys() {
		r, _ := f.services.Get(key)
		if key.Host == of.Host && slices.ContainsFunc(r.Needs, func(n event.Need) bool { return n.Service == name }) {
			list = append(list, key.Name)
		}
	}
	return list
}

// Definition is what the service of that name is, secrets masked; nil where
// no configuration defines it.
func (f *Fleet) Definition(name string) *event.Definition {
	key, is := f.find(name)
	if !is {
		return nil
	}
	return f.definition(key)
}

func (f *Fleet) definition(key Key) *event.Definition {
	if def, is := f.configured[key.Name]; is && key.Host == f.host {
		return def.Masked()
	}
	published, _ := f.services.Get(key)
	return published.Definition
}

// Observations are the newest of all sources about the service of that name.
func (f *Fleet) Observations(name string) []Observation {
	key, _ := f.find(name)
	return f.history.Observations(key)
}

func (f *Fleet) view(key Key, now time.Time) Service {
	v := Service{Name: key.Name, Host: key.Host, Status: event.Pending, Since: f.begin, Sources: []event.Source{}}
	if key.Host == f.host {
		v.Order = f.order[key.Name]
	}
	published, is := f.services.Get(key)
	if is {
		f.viewPublished(&v, published)
		if since := f.staleSince(key, published, now); !since.IsZero() {
			v.Status, v.Since, v.Error = event.Unknown, since, ""
		}
	}
	if def := f.definition(key); def != nil {
		v.define(def)
	} else {
		f.viewUnmanaged(&v, key, now)
	}
	if own, seen := f.history.Own(key); seen && !own.Time().Before(published.Time) {
		v.Code, v.LatencyMS = own.Code, own.LatencyMS
	}
	v.Uptime.Hour, v.KnownS.Hour = f.uptime(key, HistoryKept, minutes, now)
	v.Uptime.Day, v.KnownS.Day = f.uptime(key, day, hours, now)
	v.Uptime.Week, v.KnownS.Week = f.uptime(key, 7*day, hours, now)
	v.Uptime.Month, v.KnownS.Month = f.uptime(key, 30*day, days, now)
	v.WatchedS = v.KnownS.Hour
	return v
}

// uptime is the share, 0 to 1, of the known time within window before now in which
// a service was not DOWN, and how many seconds that known time is; nil where nothing is
// known. It is of rollups as far as there are any, and after them of what our own
// check saw.
func (f *Fleet) uptime(key Key, window time.Duration, coarsest int, now time.Time) (*float64, float64) {
	known := f.since(key, now.Add(-window), coarsest, now)
	if known.all() <= 0 {
		return nil, 0
	}
	share := math.Round(float64(known.Good)/float64(known.all())*1e6) / 1e6
	return &share, known.all().Round(time.Millisecond).Seconds()
}

// since is what is known of the time from an instant until now.
func (f *Fleet) since(key Key, from time.Time, coarsest int, now time.Time) Known {
	known, until := f.rollups.Since(key, from, coarsest)
	if until.Before(now) {
		recent := f.history.Since(key, until, f.fresh(key), now)
		known.Good, known.Down = known.Good+recent.Good, known.Down+recent.Down
	}
	return known
}

func (f *Fleet) viewPublished(v *Service, r event.Service) {
	v.Status, v.Since, v.FirstBad, v.Code, v.LatencyMS, v.Error = r.Status, r.Since, r.FirstBad, r.Code, r.LatencyMS, r.Error
	v.Container, v.Healing, v.Held, v.HeldReason, v.SilencedUntil = r.Container, r.Healing, r.Held, r.HeldReason, r.SilencedUntil
	v.SilencedBy, v.SilenceReason = r.SilencedBy, r.SilenceReason
	if f.busDown && r.OpenIncident != "" {
		v.Held, v.HeldReason = "log", "Kafka is unreachable: repairs wait until it is back"
	}
	v.Flapping, v.Needs = r.Flapping, r.Needs
	v.Update, v.Trust = r.Update, r.Trust
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

// define takes what a definition says.
func (v *Service) define(def *event.Definition) {
	v.Managed, v.Configured, v.Discovered = true, true, def.Discovered
	v.Group, v.URL, v.Note, v.Chaos = def.Group, def.URL, def.Note, def.Chaos
	interval, _ := time.ParseDuration(def.Interval)
	v.IntervalS = interval.Seconds()
}

// fresh is how long an observation of a service speaks: three intervals, or
// time-outs where those are longer.
func (f *Fleet) fresh(key Key) time.Duration {
	if def, is := f.configured[key.Name]; is && key.Host == f.host {
		return 3 * max(def.Interval, def.Timeout)
	}
	published, is := f.services.Get(key)
	if !is {
		return defaultFresh
	}
	def := published.Definition
	interval, _ := time.ParseDuration(def.Interval)
	timeout, _ := time.ParseDuration(def.Timeout)
	if interval <= 0 {
		return defaultFresh
	}
	return 3 * max(interval, timeout)
}

// viewUnmanaged takes what was last said of a service that no configuration
// defines.
func (f *Fleet) viewUnmanaged(v *Service, key Key, now time.Time) {
	last, since, lastRead := f.history.Newest(key)
	v.Since = lastRead
	if last.Service == "" {
		return // no observation counts
	}
	v.Status, v.Since, v.Code, v.LatencyMS, v.Error = last.Status, since, last.Code, last.LatencyMS, last.Error
	v.Sources = []event.Source{{Instance: last.Instance, Check: last.Check, Status: last.Status, Since: last.Time()}}
	if now.Sub(lastRead) > unmanagedFresh {
		v.Status = event.Unknown
	}
}
