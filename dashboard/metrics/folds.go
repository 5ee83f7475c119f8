package metrics

import (
	"cmp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

// folds are the metrics of what is on the log.
type folds struct {
	services, up, success, open, escalated, held               *prometheus.GaugeVec
	probes, opened, incidents, resolved, repairs, holds, model *prometheus.CounterVec
	duration, downtime, queries                                *prometheus.HistogramVec
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// Few buckets for checks, because every service has its own.
var (
	checkBuckets  = []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10}
	outageBuckets = []float64{1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600}
	modelBuckets  = []float64{.5, 1, 2, 4, 8, 16, 32, 64}
)

func (f *folds) register(r *prometheus.Registry) {
	f.services = gauges("logstream_services", "Services on this host by status.", "status")
	f.up = gauges("logstream_service_up", "1 if the service is UP or DEGRADED, 0 if it is DOWN; absent while its status is unknown.", "service")
	f.success = gauges("logstream_probe_success", "1 if the newest check of the service succeeded, even if slowly; 0 if it failed.", "service")
	f.probes = counters("logstream_probes_total", "Checks of a service since LogStream started, by status.", "service", "status")
	f.duration = histogram("logstream_probe_duration_seconds", "Duration of the checks of a service.", checkBuckets, "service")
	f.open = gauges("logstream_incidents_open", "Open incidents that do not need a person, by cause; unknown before the diagnosis.", "cause_id")
	f.escalated = gauges("logstream_incidents_escalated", "Open incidents that need a person, by cause.", "cause_id")
	f.held = gauges("logstream_incidents_held", "Open incidents by the gate that holds their repair.", "gate")
	f.opened = counters("logstream_incidents_opened_total", "Incidents that were opened.")
	f.incidents = counters("logstream_incidents_total", "Incidents by the first diagnosed cause; none if it ended without a diagnosis.", "cause_id")
	f.resolved = counters("logstream_incidents_resolved_total", "Incidents that ended, by how: healed, recovered or operator.", "how")
	f.downtime = histogram("logstream_incident_downtime_seconds", "Time from the first bad check of an incident to the first good check at its end.", outageBuckets)
	f.repairs = counters("logstream_repairs_total", "Repairs by cause, action and outcome: verified, failed, interrupted, refused or not_executed.", "cause_id", "action", "outcome")
	f.holds = counters("logstream_gate_holds_total", "Repairs that a gate began to hold.", "gate")
	f.model = counters("logstream_model_verdicts_total", "Diagnoses by verdict on the model's choice: used, or why it was not used.", "verdict")
	f.queries = histogram("logstream_model_query_duration_seconds", "Time from the evidence to the diagnosis when the model was queried.", modelBuckets)
	r.MustRegister(f.services, f.up, f.success, f.probes, f.duration, f.open, f.escalated, f.held, f.opened, f.incidents, f.resolved, f.downtime,
		f.repairs, f.holds, f.model, f.queries)
	f.begin()
}

// The outcomes of a repair: of its call where that failed, else of its verification.
var outcomes = []event.Outcome{event.OutcomeVerified, event.OutcomeFailed, event.OutcomeInterrupted, event.OutcomeRefused, event.OutcomeNotExecuted}

const used = "used" // the verdict on a model's view that stands

// begin sets to 0 what can be counted whatever happens: Prometheus sees no
// increase in a series that begins with 1.
func (f *folds) begin() {
	for _, v := range []*prometheus.CounterVec{f.opened, f.incidents, f.resolved, f.repairs, f.holds, f.model} {
		v.Reset()
	}
	f.downtime.Reset()
	f.queries.Reset()
	f.opened.WithLabelValues()
	f.downtime.WithLabelValues()
	f.queries.WithLabelValues()
	for _, how := range []string{event.HowHealed, event.HowRecovered, event.HowOperator} {
		f.resolved.WithLabelValues(how)
	}
	for _, verdict := range []event.InvalidCode{used, event.InvalidLate, event.InvalidUnreachable, event.InvalidMissingModel, event.InvalidIllegal,
		event.InvalidGarbage, event.InvalidNoOpinion, event.InvalidOverruled} {
		f.model.WithLabelValues(string(verdict))
	}
}

// statuses are all that a service can have.
var statuses = []event.Status{event.Up, event.Degraded, event.Down, event.Pending, event.Unknown}

// set takes the gauges of now.
func (f *folds) set(g view.Gauges) {
	f.up.Reset()
	count := map[event.Status]int{}
	for name, status := range g.Status {
		count[status]++
		switch status {
		case event.Up, event.Degraded:
			f.up.WithLabelValues(name).Set(1)
		case event.Down:
			f.up.WithLabelValues(name).Set(0)
		}
	}
	for _, status := range statuses {
		f.services.WithLabelValues(string(status)).Set(float64(count[status]))
	}
	each(f.open, g.Open)
	each(f.escalated, g.Escalated)
	each(f.held, g.Held)
}

// each sets one gauge for each label; what is not there any more is gone.
func each(v *prometheus.GaugeVec, count map[string]int) {
	v.Reset()
	for label, n := range count {
		v.WithLabelValues(cmp.Or(label, unknown)).Set(float64(n))
	}
}

const unknown = "unknown"

func (f *folds) observed(h event.HealthLog) {
	f.probes.WithLabelValues(h.Service, string(h.Status)).Inc()
	f.duration.WithLabelValues(h.Service).Observe(h.LatencyMS / 1000)
	f.success.WithLabelValues(h.Service).Set(truth(h.Status != event.Down))
}

func (f *folds) forget(service string) {
	of := prometheus.Labels{"service": service}
	f.probes.DeletePartialMatch(of)
	f.duration.DeletePartialMatch(of)
	f.success.DeletePartialMatch(of)
}

// Rebuild counts all incidents anew: a claim can make events count that stand
// before it.
func (m *Metrics) Rebuild(all []*state.Incident) {
	m.scrape.Lock()
	defer m.scrape.Unlock()
	m.fold.begin()
	for _, in := range all {
		so := *in
		so.Events, so.CauseID = nil, ""
		for _, e := range in.Events {
			so.Events = append(so.Events, e)
			if d, is := e.Data.(event.Diagnosed); is {
				so.CauseID = d.CauseID
			}
			m.Counted(&so, e)
		}
	}
}

// Counted counts the newest event of an incident.
func (m *Metrics) Counted(in *state.Incident, e event.Incident) {
	f := &m.fold
	if in.Host != m.host {
		return
	}
	switch data := e.Data.(type) {
	case event.Opened:
		f.opened.WithLabelValues().Inc()
	case event.Suppressed:
		f.holds.WithLabelValues(data.Gate).Inc()
	case event.Diagnosed:
		f.diagnosed(in, e, data)
	case event.ActionStarted:
		for _, outcome := range outcomes {
			f.repairs.WithLabelValues(cmp.Or(in.CauseID, unknown), data.Action, string(outcome)) // 0, until it is known
		}
	case event.ActionFinished:
		if data.Outcome != event.OutcomeOK { // else its verification says
			f.repaired(in, data.Outcome)
		}
	case event.Verified:
		f.repaired(in, data.Outcome)
	case event.Resolved:
		if _, diagnosed := in.Last(event.TypeDiagnosed); !diagnosed {
			f.incidents.WithLabelValues("none").Inc()
		}
		f.resolved.WithLabelValues(data.How).Inc()
		f.downtime.WithLabelValues().Observe(data.DownMS / 1000)
	}
}

func (f *folds) repaired(in *state.Incident, outcome event.Outcome) {
	if begun, is := in.Last(event.TypeActionStarted); is {
		f.repairs.WithLabelValues(cmp.Or(in.CauseID, unknown), begun.Data.(event.ActionStarted).Action, string(outcome)).Inc()
	}
}

func (f *folds) diagnosed(in *state.Incident, e event.Incident, d event.Diagnosed) {
	first, before := true, event.Incident{}
	for _, earlier := range in.Events[:len(in.Events)-1] {
		before = earlier
		first = first && earlier.Type != event.TypeDiagnosed
	}
	if first {
		f.incidents.WithLabelValues(cmp.Or(d.CauseID, unknown)).Inc()
	}
	switch {
	case strings.HasPrefix(e.By, event.ByModel):
		f.model.WithLabelValues(used).Inc()
	case d.InvalidCode != "":
		f.model.WithLabelValues(string(d.InvalidCode)).Inc()
	}
	if d.Asked != "" && before.Seq > 0 {
		f.queries.WithLabelValues().Observe(e.Time.Sub(before.Time).Seconds())
	}
}
