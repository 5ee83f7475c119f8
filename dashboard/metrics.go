package dashboard

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"logstream/dashboard/metrics"
	"logstream/dashboard/view"
	"logstream/internal/event"
)

func newMetrics(d Deps) *metrics.Metrics {
	return metrics.New(d.Identity.Host, metrics.Build{Version: d.Version, Go: runtime.Version()}, d.Checks)
}

// getMetrics is what Prometheus scrapes. It may say the names of services, so it
// needs the token, which Prometheus can send.
func (r *run) getMetrics(w http.ResponseWriter, req *http.Request) {
	var now metrics.State
	if r.fetch(w, req, func(l *loop) { now = l.standing() }) {
		promhttp.HandlerFor(r.metrics.Scrape(now), promhttp.HandlerOpts{}).ServeHTTP(w, req)
	}
}

// standing is how things stand, for a scrape.
func (l *loop) standing() metrics.State {
	info := l.info()
	s := metrics.State{Gauges: l.fleet.Gauges(), CaughtUp: info.CaughtUp, Active: info.Active, Held: info.Held != "",
		BusUp: info.Bus.OK, DockerUp: info.Docker.OK, Dropped: info.Bus.Dropped}
	if info.LLM.Model != "" {
		s.Model = &info.LLM.Ready
	}
	for _, p := range info.Troubles {
		s.Problems = append(s.Problems, p.Part)
	}
	return s
}

// countIncident counts an event of an incident, if it counted. A claim can make
// others count that stand before it.
func (l *loop) countIncident(e event.Incident, changes []view.Change, before int) {
	switch all := l.fleet.Incidents.All(); {
	case e.Type == event.TypeClaim && len(all) != before:
		l.metrics.Rebuild(all)
	case counted(changes):
		l.metrics.Counted(l.fleet.Incidents.Get(e.ID), e)
	}
}

// countCheck counts a check of ours that was read for the first time, of a
// service that a configuration defines.
func (l *loop) countCheck(h event.HealthLog, signed bool, changes []view.Change) {
	for _, c := range changes {
		seen, is := c.Data.(view.Observation)
		if is && seen.Counted && signed && h.Nonce != "" && l.fleet.Managed(h.Service) {
			l.metrics.Observed(h)
		}
	}
}
