package dashboard

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

// scraped is every sample of a name, in the order of Prometheus' text.
func (s *site) scraped(name string) string {
	s.t.Helper()
	resp, body := s.do("GET", "/metrics", "", nil)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET /metrics: %d %s", resp.StatusCode, body)
	}
	samples := regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? .*$`).FindAllString(string(body), -1)
	return strings.Join(samples, "\n")
}

// own is a check by the owner of the host.
func (s *site) own(name string, status event.Status, at time.Time, revision int64) {
	h := event.HealthLog{Timestamp: event.Seconds(at), Service: name, Status: status, LatencyMS: 12.5, Check: "http", Revision: revision, Origin: origin}
	s.log.Put(event.TopicHealth, name, event.Encode(h), true, at)
}

func TestMetricsAreAFoldOfTheLog(t *testing.T) {
	incident := func(s *site) {
		s.claim()
		s.service(event.Down, nil)
		s.incident("in-1", 1, "payment-service", event.Opened{Kind: "service"}, event.ByLogstream)
		s.incident("in-1", 2, "payment-service", event.Diagnosed{CauseID: "stopped", Action: "start"}, event.ByRunbook)
		s.incident("in-1", 3, "payment-service", event.Suppressed{Gate: "deploy"}, event.ByGuard)
		s.own("payment-service", event.Down, time.Now().Add(-time.Minute), 1) // before the start: not counted
	}
	s := serve(t, nil, incident)
	for name, want := range map[string]string{
		"logstream_incidents_total":  `logstream_incidents_total{cause_id="stopped"} 1`,
		"logstream_incidents_open":   `logstream_incidents_open{cause_id="stopped"} 1`,
		"logstream_incidents_held":   `logstream_incidents_held{gate="deploy"} 1`,
		"logstream_gate_holds_total": `logstream_gate_holds_total{gate="deploy"} 1`,
		"logstream_service_up":       `logstream_service_up{service="payment-service"} 0`,
		"logstream_probes_total":     "",
		"logstream_active":           "logstream_active 1",
		"logstream_bus_up":           "logstream_bus_up 1",
		"logstream_build_info":       s.scraped("logstream_build_info"), // Go's version is in it
	} {
		if got := s.scraped(name); got != want || name == "logstream_build_info" && !strings.Contains(got, `version="1.2.3"`) {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	now := time.Now()
	s.own("payment-service", event.Up, now, 2)
	s.own("payment-service", event.Up, now, 2) // published again from outside
	s.health("nobody's", event.Up, now)        // of a name that no configuration has
	s.log.Put(event.TopicHealth, "payment-service", event.Encode(event.HealthLog{Timestamp: event.Seconds(now), Service: "payment-service", Status: event.Down,
		Check: "http", Origin: origin}), false, now) // forged
	s.own("payment-service", event.Down, now.Add(time.Second), 3)
	s.eventually("the last check is counted", func() bool { return strings.Contains(s.scraped("logstream_probes_total"), "DOWN") })
	const want = "logstream_probes_total{service=\"payment-service\",status=\"DOWN\"} 1\nlogstream_probes_total{service=\"payment-service\",status=\"UP\"} 1"
	if got := s.scraped("logstream_probes_total"); got != want {
		t.Errorf("checks are %s", got)
	}
	if got := s.scraped("logstream_bus_lag_seconds"); !strings.Contains(got, `topic="system-logs"} `) {
		t.Errorf("lag is %s", got)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.run() // it is read again
	s.eventually("the incident is counted as before", func() bool {
		return s.scraped("logstream_incidents_total") == `logstream_incidents_total{cause_id="stopped"} 1`
	})
}

func TestMetricsNeedTheToken(t *testing.T) {
	s := open(t, func(d *Deps) { d.Config.Token = "secret" }).run()
	if resp, body := s.do("GET", "/metrics", "", nil); resp.StatusCode != http.StatusUnauthorized || strings.Contains(string(body), "logstream_") {
		t.Errorf("without it = %d %s", resp.StatusCode, body)
	}
	if got := s.status("GET", "/metrics", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret") }); got != http.StatusOK {
		t.Errorf("with it = %d", got)
	}
	if got := s.status("POST", "/metrics", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret") }); got != http.StatusMethodNotAllowed {
		t.Errorf("another method = %d", got)
	}
}
