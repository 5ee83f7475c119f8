// Package metrics is what Prometheus scrapes of one host: counters that are a
// fold of the log, and gauges of how things stand.
//
// What holds of it:
//
//   - What is counted of incidents is everything that is on the log, so that a
//     restart goes on where it was: Prometheus sees no reset. Until the log was
//     read to its end nothing of it is exported, because a counter on its way up
//     would look like a burst.
//   - What is counted of checks begins with the process: the log keeps them too
//     briefly for more.
//   - Labels are bounded: services that a configuration defines, and codes of
//     ours. What others write is never a label.
package metrics

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

// Build is which logstream this is.
type Build struct{ Version, Go string }

// Checks is what the monitor says of its schedule for one service.
type Checks struct {
	Late    uint64 `json:"late"`    // checks that began too late
	Skipped uint64 `json:"skipped"` // checks that were left out
}

// State is how things stand at a scrape.
type State struct {
	view.Gauges
	CaughtUp bool // the log was read to the end that it had at the start
	Active   bool // this instance owns its host
	Held     bool // an operator holds all repairs of the host
	BusUp    bool
	DockerUp bool
	Dropped  uint64   // records for which there was no room while Kafka was unreachable
	Model    *bool    // whether it can be queried; nil: none is configured
	Problems []string // parts of ours that have one
}

// Metrics is everything that is scraped of one life of the dashboard. Its
// methods may be called by several goroutines.
type Metrics struct {
	host string
	now  parts // of this process
	fold folds // of the event log; exported once it was read

	scrape   sync.Mutex // held during a scrape
	own, log *prometheus.Registry
	state    State

	healthLag atomic.Int64 // nanoseconds; -1 before the first

	mu    sync.Mutex      // of known: a check is counted without waiting for a scrape
	known map[string]bool // services with a check that was counted
}

// New is the metrics of a host before anything was read. checks is what the
// monitor counts of each service that is configured; nil: it does not.
func New(host string, build Build, checks func() map[string]Checks) *Metrics {
	m := &Metrics{host: host, own: prometheus.NewRegistry(), log: prometheus.NewRegistry(), known: map[string]bool{}}
	m.healthLag.Store(-1)
	m.own.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.now.register(m, build, checks)
	m.fold.register(m.log)
	return m
}

// Scrape is every metric with its value, as things stand.
func (m *Metrics) Scrape(s State) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		m.scrape.Lock()
		defer m.scrape.Unlock()
		m.state = s
		m.now.set(s)
		if !s.CaughtUp {
			return m.own.Gather()
		}
		m.forgetServices()
		m.fold.set(s.Gauges)
		return prometheus.Gatherers{m.own, m.log}.Gather()
	})
}

// forgetServices drops the series of services that no longer exist.
func (m *Metrics) forgetServices() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Collect(maps.Keys(m.known)) {
		if _, is := m.state.Status[name]; !is {
			delete(m.known, name)
			m.fold.forget(name)
		}
	}
}

// Observed counts a check of ours of a service that a configuration defines.
// What the engine reports of a container is no check: it is repeated, and takes
// no time.
func (m *Metrics) Observed(h event.HealthLog) {
	if h.Host != m.host || h.Check == event.CheckContainer || h.Check == event.CheckHealth {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[h.Service] = true
	m.fold.observed(h)
}

// Read says that the newest record of a topic was on the log for that long
// before it was read.
func (m *Metrics) Read(topic string, lag time.Duration) {
	lag = max(0, lag)
	m.now.lag.WithLabelValues(topic).Set(lag.Seconds())
	if topic == event.TopicHealth {
		m.healthLag.Store(int64(lag))
	}
}

// HealthLag is what Read said last of the health logs; negative before.
func (m *Metrics) HealthLag() time.Duration {
	if m == nil {
		return -1
	}
	return time.Duration(m.healthLag.Load())
}
