package dashboard

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

// TestTheFleetsIncidentIsShown like any other, though no service has its name.
func TestTheFleetsIncidentIsShown(t *testing.T) {
	const says = "The observer is blind: 28 of 30 services failed within 2s while their containers run"
	s := serve(t, nil, (*site).claim, func(s *site) {
		s.incident("b", 1, event.ReservedService, event.Opened{Kind: "fleet", Check: "fleet", Error: says, FirstBad: time.Now().UTC()}, event.ByLogstream)
		s.incident("b", 2, event.ReservedService, event.Diagnosed{CauseID: "observer_blind", Cause: says + ".", Action: "none", Target: event.ReservedService}, event.ByRunbook)
		s.incident("b", 3, event.ReservedService, event.Suppressed{Gate: "blind", Reason: "repairs wait"}, event.ByGuard)
	})
	for path, wants := range map[string][]string{
		"/api/v1/incidents?service=logstream": {`"kind":"fleet"`, `"service":"logstream"`, `"held":"blind"`, `"cause_id":"observer_blind"`, says},
		"/api/v1/incidents/b":                 {`"kind":"fleet"`, `"held_reason":"repairs wait"`},
	} {
		_, body := s.do("GET", path, "", nil)
		for _, want := range wants {
			if !strings.Contains(string(body), want) {
				t.Errorf("%s: %s is not in %s", path, want, body)
			}
		}
	}
	if _, body := s.do("GET", "/api/v1/services", "", nil); strings.Contains(string(body), `"name":"logstream"`) {
		t.Errorf("the services are %s", body)
	}
	if f := s.page().next(); len(f.Incidents) != 1 || f.Incidents[0].Kind != "fleet" {
		t.Errorf("the page gets %+v", f.Incidents)
	}
	s.incident("b", 4, event.ReservedService, event.Resolved{How: event.HowRecovered}, event.ByLogstream)
	s.eventually("it is resolved", func() bool {
		_, body := s.do("GET", "/api/v1/incidents/b", "", nil)
		return strings.Contains(string(body), `"state":"resolved"`)
	})
}
