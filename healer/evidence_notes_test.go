package healer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/healer/fleet"
	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// TestEvidenceComparesContainerWithHealthyState: the HEALTHCHECK's own words, and
// networks, image and configuration beside those of the healthy state.
func TestEvidenceComparesContainerWithHealthyState(t *testing.T) {
	const created = 40 * time.Minute
	healthy := func(v *View) {
		v.Inspection.state.Image = "pay:1"
		v.Inspection.state.Networks = []container.Network{{Name: "shop", Aliases: []string{"web", "pay"}}, {Name: "db"}}
		v.Target.Good = &event.Good{ContainerID: "id", Image: "pay:1", ImageID: "sha256:new", SpecHash: "s", Since: simStart, ImageSince: simStart,
			Networks: []event.Network{{Name: "db"}, {Name: "shop", Aliases: []string{"pay", "web"}}}}
	}
	for name, tt := range map[string]struct {
		change  func(*View)
		want    []string // of "key: value. why"
		without []string // keys
	}{
		"nothing known": {func(*View) {}, []string{"last healthy state: none: the service has not been healthy since LogStream began to monitor it. "}, []string{"HEALTHCHECK", "networks", "other services"}},
		"unchanged":     {healthy, []string{"networks: db, shop (aliases: pay, web). ", "image id: pay:1 (new). " + unchanged, "configuration hash: s. " + unchanged}, []string{"networks before", "image id before", "last healthy state"}},
		"an alias is lost": {func(v *View) {
			healthy(v)
			v.Inspection.state.Networks[0].Aliases = nil
		}, []string{"networks: db, shop. ", "networks before: db, shop (aliases: pay, web). The service was last healthy on these networks."}, nil},
		"created anew with another image and configuration": {func(v *View) {
			healthy(v)
			v.Target.Good.ContainerID, v.Target.Good.Image, v.Target.Good.ImageID, v.Target.Good.SpecHash = "before", "pay:0", "sha256:old", "r"
			v.History = history.History{{Docker: event.Docker{Time: simStart.Add(created), ID: "id", Action: "create"}}}
		}, []string{"image id before: pay:0 (old). The service was last healthy with this image.", "image id: pay:1 (new). The container was recreated with it at 2026-01-02T03:44:05Z.",
			"configuration hash before: r. The service was last healthy with this configuration.", "configuration hash: s. The container was recreated with it at 2026-01-02T03:44:05Z."}, nil},
		"created anew while its events were not read": {func(v *View) {
			healthy(v)
			v.Target.Good.ContainerID, v.Target.Good.SpecHash = "before", "r"
		}, []string{"configuration hash: s. The change was made before the container's last start at 2026-01-02T03:04:05Z."}, nil},
		"unhealthy": {func(v *View) {
			v.Inspection.state.Health, v.Inspection.state.HealthOutput = container.Unhealthy, "curl:\x1b[31m refused\npassword=hunter2sesame"
		}, []string{"HEALTHCHECK: unhealthy. Its last output: curl: refused password=***"}, nil},
		"healthy": {func(v *View) { v.Inspection.state.Health = container.Healthy }, []string{"HEALTHCHECK: healthy. "}, nil},
		"others are DOWN as well": {func(v *View) {
			v.Around.neighbours = fleetOf(30, "d", "pay", "b", "c")
		}, []string{"other services: 3 of 29 DOWN: b, c, d. "}, nil},
		"many are DOWN": {func(v *View) {
			v.Around.neighbours = fleetOf(30, "a", "pay", "b", "c", "d")
		}, []string{"other services: 4 of 29 DOWN. "}, nil},
		"it alone is DOWN": {func(v *View) { v.Around.neighbours = fleetOf(3, "pay") }, []string{"other services: 0 of 2 DOWN. "}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got, keys []string
			for _, fact := range withEvidence(viewOf(tt.change), runbook.Facts{}).Notes {
				got, keys = append(got, fact.Key+": "+fact.Value+". "+fact.Why), append(keys, fact.Key)
				if fact.Decisive {
					t.Errorf("%s is decisive", fact.Key)
				}
			}
			for _, want := range tt.want {
				if !slices.Contains(got, want) {
					t.Errorf("%q is missing in\n%s", want, strings.Join(got, "\n"))
				}
			}
			for _, key := range tt.without {
				if slices.Contains(keys, key) {
					t.Errorf("%q is in\n%s", key, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// fleetOf is the picture of n services, of which those are DOWN.
func fleetOf(n int, down ...string) fleet.Picture {
	members := make([]fleet.Member, n)
	for i := range members {
		members[i] = fleet.Member{Name: fmt.Sprintf("up-%d", i), Status: event.Up}
		if i < len(down) {
			members[i] = fleet.Member{Name: down[i], Status: event.Down}
		}
	}
	return fleet.Assess(members)
}

// TestTheEvidenceSaysWhichNeighboursAreDown of a service that fails while another does.
func TestTheEvidenceSaysWhichNeighboursAreDown(t *testing.T) {
	m := quietSim(t, 3, func(m *sim) { m.boxes[1].def.Heal.Mode = service.Observe })
	do("error", m, m.boxes[1])
	m.until(t, "the first incident", func() bool { return m.open("svc-1") })
	do("error", m, m.boxes[0])
	m.until(t, "evidence", func() bool {
		in := m.incident("svc-0")
		return in != nil && slices.ContainsFunc(in.Events, func(e event.Incident) bool { return e.Type == event.TypeEvidence })
	})
	evidence, _ := m.incident("svc-0").Last(event.TypeEvidence)
	facts := evidence.Data.(event.Evidence).Facts
	if !slices.ContainsFunc(facts, func(f event.Fact) bool { return f.Key == "other services" && f.Value == "1 of 2 DOWN: svc-1" }) {
		t.Errorf("the evidence is %+v", facts)
	}
}
