package dashboard

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

// TestDependenciesAreShown: what a service needs and who needs it, which incident
// is the root of which.
func TestDependenciesAreShown(t *testing.T) {
	s := serve(t, nil, func(s *site) {
		s.claim()
		s.service(event.Down, func(r *event.Service) { r.Needs = []event.Need{{Service: "db", From: "compose"}} })
		s.service(event.Down, func(r *event.Service) { r.Service, r.Definition.Name = "db", "db" })
		opened := event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}
		s.incident("root", 1, "db", opened, event.ByLogstream)
		s.incident("above", 1, "payment-service", opened, event.ByLogstream)
		s.incident("above", 2, "payment-service", event.Suppressed{Gate: "dependency", Reason: "waits for db", Root: "db", RootIncident: "root"}, event.ByGuard)
	})
	get := func(path string, v any) {
		t.Helper()
		_, body := s.do("GET", "/api/v1/"+path, "", nil)
		if err := json.Unmarshal([]byte(body), v); err != nil {
			t.Fatalf("%s: %v: %s", path, err, body)
		}
	}
	var of, on struct {
		Needs     []event.Need `json:"needs"`
		DependsOn []string     `json:"depends_on"`
		NeededBy  []string     `json:"needed_by"`
	}
	get("services/payment-service", &of)
	get("services/db", &on)
	if !slices.Equal(of.Needs, []event.Need{{Service: "db", From: "compose"}}) || !slices.Contains(of.DependsOn, "db") || len(of.NeededBy) != 0 {
		t.Errorf("the dependent is shown as %+v", of)
	}
	if !slices.Equal(on.NeededBy, []string{"payment-service"}) {
		t.Errorf("the root is shown as %+v", on)
	}
	var above struct {
		Root         string `json:"root"`
		RootIncident string `json:"root_incident"`
		Dependents   []any  `json:"dependents"`
	}
	var root struct {
		Dependents []map[string]string `json:"dependents"`
	}
	get("incidents/above", &above)
	get("incidents/root", &root)
	if above.Root != "db" || above.RootIncident != "root" || above.Dependents == nil || len(above.Dependents) != 0 {
		t.Errorf("the dependent's incident is shown as %+v", above)
	}
	if len(root.Dependents) != 1 || root.Dependents[0]["id"] != "above" || root.Dependents[0]["service"] != "payment-service" {
		t.Errorf("the root's incident is shown as %+v", root)
	}
}
