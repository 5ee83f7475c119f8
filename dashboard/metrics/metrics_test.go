package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	origin = event.Origin{Instance: "a", Host: "local", Epoch: 1, Nonce: "n"}
	build  = Build{Version: "1.2.3", Go: "go1.26"}
)

// eventLog folds the events of incidents, one second apart, as the dashboard does.
type eventLog struct {
	incidents *state.Incidents
	metrics   *Metrics
	seqs      map[string]int
	now       time.Time
}

func newEventLog(owned bool) *eventLog {
	p := &eventLog{incidents: state.NewIncidents(), metrics: New("local", build, nil), seqs: map[string]int{}, now: noon}
	if owned {
		p.claim()
	}
	return p
}

func (p *eventLog) claim() {
	p.incidents.Apply(event.Incident{ID: "n", Seq: 1, Time: p.now, Service: event.ReservedService, Type: event.TypeClaim,
		Data: event.Claim{Host: "local", Instance: "a", Epoch: 1, Nonce: "n"}, Origin: origin})
}

func (p *eventLog) put(id, by string, all ...event.Data) {
	for _, data := range all {
		p.seqs[id]++
		p.now = p.now.Add(time.Second)
		e := event.Incident{ID: id, Seq: p.seqs[id], Time: p.now, Service: "web", Type: event.TypeOf(data), By: by, Data: data, Origin: origin}
		if in, counts := p.incidents.Apply(e); counts {
			p.metrics.Counted(in, e)
		}
	}
}

func (p *eventLog) scenario() {
	const model = event.ByModel + "tiny"
	p.put("repaired", model, event.Opened{Kind: "service"}, event.Evidence{}, event.Suppressed{Gate: "deploy"},
		event.Diagnosed{CauseID: "stopped", Action: "start", Asked: "tiny"}, event.ActionStarted{Attempt: 1, Action: "start"},
		event.ActionFinished{OK: true, Outcome: event.OutcomeOK}, event.Verified{OK: true, Outcome: event.OutcomeVerified},
		event.Resolved{How: event.HowHealed, DownMS: 4000})
	p.put("in vain", event.ByRunbook, event.Opened{Kind: "service"}, event.Evidence{},
		event.Diagnosed{CauseID: "http_5xx", Action: "restart", Asked: "tiny", InvalidCode: event.InvalidLate},
		event.ActionStarted{Attempt: 1, Action: "restart"}, event.ActionFinished{Outcome: event.OutcomeRefused},
		event.Diagnosed{CauseID: "hang", Action: "restart"}, event.ActionStarted{Attempt: 2, Action: "restart"},
		event.ActionFinished{OK: true, Outcome: event.OutcomeOK}, event.Verified{Outcome: event.OutcomeFailed}, event.Escalated{})
	p.put("by itself", event.ByLogstream, event.Opened{Kind: "service"}, event.Suppressed{Gate: "unconfirmed"}, event.Resolved{How: event.HowRecovered, DownMS: 70_000})
}

// counted is what the scenario counts.
const counted = `
# HELP logstream_gate_holds_total Repairs that a gate began to hold.
# TYPE logstream_gate_holds_total counter
logstream_gate_holds_total{gate="deploy"} 1
logstream_gate_holds_total{gate="unconfirmed"} 1
# HELP logstream_incidents_opened_total Incidents that were opened.
# TYPE logstream_incidents_opened_total counter
logstream_incidents_opened_total 3
# HELP logstream_incidents_resolved_total Incidents that ended, by how: healed, recovered or operator.
# TYPE logstream_incidents_resolved_total counter
logstream_incidents_resolved_total{how="healed"} 1
logstream_incidents_resolved_total{how="operator"} 0
logstream_incidents_resolved_total{how="recovered"} 1
# HELP logstream_incidents_total Incidents by the first diagnosed cause; none if it ended without a diagnosis.
# TYPE logstream_incidents_total counter
logstream_incidents_total{cause_id="http_5xx"} 1
logstream_incidents_total{cause_id="none"} 1
logstream_incidents_total{cause_id="stopped"} 1
# HELP logstream_model_verdicts_total Diagnoses by verdict on the model's choice: used, or why it was not used.
# TYPE logstream_model_verdicts_total counter
logstream_model_verdicts_total{verdict="garbage"} 0
logstream_model_verdicts_total{verdict="illegal"} 0
logstream_model_verdicts_total{verdict="late"} 1
logstream_model_verdicts_total{verdict="missing_model"} 0
logstream_model_verdicts_total{verdict="no_opinion"} 0
logstream_model_verdicts_total{verdict="overruled"} 0
logstream_model_verdicts_total{verdict="unreachable"} 0
logstream_model_verdicts_total{verdict="used"} 1
# HELP logstream_repairs_total Repairs by cause, action and outcome: verified, failed, interrupted, refused or not_executed.
# TYPE logstream_repairs_total counter
logstream_repairs_total{action="restart",cause_id="hang",outcome="failed"} 1
logstream_repairs_total{action="restart",cause_id="hang",outcome="interrupted"} 0
logstream_repairs_total{action="restart",cause_id="hang",outcome="not_executed"} 0
logstream_repairs_total{action="restart",cause_id="hang",outcome="refused"} 0
logstream_repairs_total{action="restart",cause_id="hang",outcome="verified"} 0
logstream_repairs_total{action="restart",cause_id="http_5xx",outcome="failed"} 0
logstream_repairs_total{action="restart",cause_id="http_5xx",outcome="interrupted"} 0
logstream_repairs_total{action="restart",cause_id="http_5xx",outcome="not_executed"} 0
logstream_repairs_total{action="restart",cause_id="http_5xx",outcome="refused"} 1
logstream_repairs_total{action="restart",cause_id="http_5xx",outcome="verified"} 0
logstream_repairs_total{action="start",cause_id="stopped",outcome="failed"} 0
logstream_repairs_total{action="start",cause_id="stopped",outcome="interrupted"} 0
logstream_repairs_total{action="start",cause_id="stopped",outcome="not_executed"} 0
logstream_repairs_total{action="start",cause_id="stopped",outcome="refused"} 0
logstream_repairs_total{action="start",cause_id="stopped",outcome="verified"} 1
`

var countedNames = []string{"logstream_gate_holds_total", "logstream_incidents_opened_total", "logstream_incidents_resolved_total", "logstream_incidents_total",
	"logstream_model_verdicts_total", "logstream_repairs_total"}

// uncounted begin with the first that is counted: their labels are not known before.
var uncounted = []string{"logstream_gate_holds_total", "logstream_incidents_total", "logstream_repairs_total"}

func compare(t *testing.T, g prometheus.Gatherer, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(g, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

// sum is the count and the sum of a histogram without labels.
func sum(t *testing.T, g prometheus.Gatherer, name string) string {
	t.Helper()
	all, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			h := f.GetMetric()[0].GetHistogram()
			return fmt.Sprint(h.GetSampleCount(), " ", h.GetSampleSum())
		}
	}
	return ""
}

func TestIncidentsAreCountedFromTheLog(t *testing.T) {
	p := newEventLog(true)
	p.scenario()
	scrape := p.metrics.Scrape(State{CaughtUp: true})
	compare(t, scrape, counted, countedNames...)
	if got := sum(t, scrape, "logstream_incident_downtime_seconds"); got != "2 74" {
		t.Errorf("downtime: %s", got)
	}
	if got := sum(t, scrape, "logstream_model_query_duration_seconds"); got != "2 2" { // each a second after the event before
		t.Errorf("queries: %s", got)
	}
}

// TestEventsThatStandBeforeTheirClaimAreCounted: retention takes the oldest records,
// a claim among them, and the owner repeats it.
func TestEventsThatStandBeforeTheirClaimAreCounted(t *testing.T) {
	p := newEventLog(false)
	p.scenario()
	compare(t, p.metrics.Scrape(State{CaughtUp: true}), "", uncounted...)
	p.claim()
	for range 2 { // counting anew counts nothing twice
		p.metrics.Rebuild(p.incidents.All())
		compare(t, p.metrics.Scrape(State{CaughtUp: true}), counted, countedNames...)
	}
}

func TestIncidentsOfAnotherHostAreItsOwn(t *testing.T) {
	p := newEventLog(true)
	p.metrics = New("another", build, nil)
	p.scenario()
	compare(t, p.metrics.Scrape(State{CaughtUp: true}), "", uncounted...)
}

func check(service string, status event.Status) event.HealthLog {
	return event.HealthLog{Timestamp: event.Seconds(noon), Service: service, Status: status, LatencyMS: 30, Check: "http", Origin: origin}
}

func TestChecksAreCountedForTheServicesThatExist(t *testing.T) {
	m := New("local", build, nil)
	for _, h := range []event.HealthLog{check("web", event.Up), check("web", event.Degraded), check("db", event.Up), check("db", event.Down)} {
		m.Observed(h)
	}
	level, healthcheck, foreign := check("web", event.Down), check("web", event.Down), check("web", event.Down)
	level.Check, healthcheck.Check, foreign.Host = event.CheckContainer, event.CheckHealth, "another"
	for _, h := range []event.HealthLog{level, healthcheck, foreign} {
		m.Observed(h)
	}
	all := State{CaughtUp: true, Gauges: view.Gauges{Status: map[string]event.Status{"web": event.Degraded, "db": event.Down, "new": event.Pending}}}
	names := []string{"logstream_probe_success", "logstream_probes_total", "logstream_service_up", "logstream_services"}
	compare(t, m.Scrape(all), `
# HELP logstream_probe_success 1 if the newest check of the service succeeded, even if slowly; 0 if it failed.
# TYPE logstream_probe_success gauge
logstream_probe_success{service="db"} 0
logstream_probe_success{service="web"} 1
# HELP logstream_probes_total Checks of a service since LogStream started, by status.
# TYPE logstream_probes_total counter
logstream_probes_total{service="db",status="DOWN"} 1
logstream_probes_total{service="db",status="UP"} 1
logstream_probes_total{service="web",status="DEGRADED"} 1
logstream_probes_total{service="web",status="UP"} 1
# HELP logstream_service_up 1 if the service is UP or DEGRADED, 0 if it is DOWN; absent while its status is unknown.
# TYPE logstream_service_up gauge
logstream_service_up{service="db"} 0
logstream_service_up{service="web"} 1
# HELP logstream_services Services on this host by status.
# TYPE logstream_services gauge
logstream_services{status="DEGRADED"} 1
logstream_services{status="DOWN"} 1
logstream_services{status="PENDING"} 1
logstream_services{status="UNKNOWN"} 0
logstream_services{status="UP"} 0
`, names...)
	removed := State{CaughtUp: true, Gauges: view.Gauges{Status: map[string]event.Status{"web": event.Up}}}
	compare(t, m.Scrape(removed), `
# HELP logstream_probe_success 1 if the newest check of the service succeeded, even if slowly; 0 if it failed.
# TYPE logstream_probe_success gauge
logstream_probe_success{service="web"} 1
# HELP logstream_probes_total Checks of a service since LogStream started, by status.
# TYPE logstream_probes_total counter
logstream_probes_total{service="web",status="DEGRADED"} 1
logstream_probes_total{service="web",status="UP"} 1
`, "logstream_probe_success", "logstream_probes_total")
	if n, err := testutil.GatherAndCount(m.Scrape(removed), "logstream_probe_duration_seconds"); n != 1 || err != nil {
		t.Errorf("%d services have durations, %v", n, err)
	}
}

// A counter on its way up would look like a burst.
func TestCountersOfTheEventLogAreAbsentUntilItWasRead(t *testing.T) {
	p := newEventLog(true)
	p.scenario()
	ready := true
	s := State{Gauges: view.Gauges{Status: map[string]event.Status{"web": event.Up}}, Model: &ready, BusUp: true, Dropped: 7, Problems: []string{"docker"}}
	compare(t, p.metrics.Scrape(s), "", append(countedNames, "logstream_services", "logstream_service_up")...)
	compare(t, p.metrics.Scrape(s), `
# HELP logstream_build_info Version of LogStream and of Go; always 1.
# TYPE logstream_build_info gauge
logstream_build_info{goversion="go1.26",version="1.2.3"} 1
# HELP logstream_bus_dropped_records_total Records dropped because memory was full while Kafka was unreachable.
# TYPE logstream_bus_dropped_records_total counter
logstream_bus_dropped_records_total 7
# HELP logstream_bus_up 1 while Kafka is reachable; without it no repair is made.
# TYPE logstream_bus_up gauge
logstream_bus_up 1
# HELP logstream_component_problem 1 while a component of LogStream has a problem; the dashboard shows it and how to fix it.
# TYPE logstream_component_problem gauge
logstream_component_problem{part="docker"} 1
# HELP logstream_model_ready 1 while the model can be queried; absent if none is configured.
# TYPE logstream_model_ready gauge
logstream_model_ready 1
`, "logstream_build_info", "logstream_bus_up", "logstream_bus_dropped_records_total", "logstream_component_problem", "logstream_model_ready", "logstream_probes_late_total")
}

func TestLateAndSkippedChecksAreTheMonitors(t *testing.T) {
	m := New("local", build, func() map[string]Checks { return map[string]Checks{"web": {Late: 3, Skipped: 2}, "db": {}} })
	compare(t, m.Scrape(State{}), `
# HELP logstream_probes_late_total Checks of a service that began later than scheduled.
# TYPE logstream_probes_late_total counter
logstream_probes_late_total{service="db"} 0
logstream_probes_late_total{service="web"} 3
# HELP logstream_probes_skipped_total Checks of a service that were skipped because the previous one was still running.
# TYPE logstream_probes_skipped_total counter
logstream_probes_skipped_total{service="db"} 0
logstream_probes_skipped_total{service="web"} 2
`, "logstream_probes_late_total", "logstream_probes_skipped_total")
}

func TestNamesFollowTheConventions(t *testing.T) {
	p := newEventLog(true)
	p.scenario()
	p.metrics.Observed(check("web", event.Up))
	p.metrics.Read(event.TopicHealth, time.Second)
	s := State{CaughtUp: true, Gauges: view.Gauges{Status: map[string]event.Status{"web": event.Up}, Open: map[string]int{"": 1}, Held: map[string]int{"deploy": 1}}}
	problems, err := testutil.GatherAndLint(p.metrics.Scrape(s))
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	if err != nil {
		t.Error(err)
	}
}
