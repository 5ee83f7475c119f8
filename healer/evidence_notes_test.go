package healer

import (
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

// TestTheEvidenceHasWhatIsBesideTheContainer: the HEALTHCHECK's own words, and
// networks, image and configuration beside those of the healthy state.
func TestTheEvidenceHasWhatIsBesideTheContainer(t *testing.T) {
	const created = 40 * time.Minute
	healthy := func(v *View) {
		v.Inspection.state.Networks = []container.Network{{Name: "shop", Aliases: []string{"web", "pay"}}, {Name: "db"}}
		v.Target.Good = &event.Good{ContainerID: "id", Image: "pay:1", ImageID: "sha256:new", SpecHash: "s", Since: simStart, ImageSince: simStart,
			Networks: []event.Network{{Name: "db"}, {Name: "shop", Aliases: []string{"pay", "web"}}}}
	}
	for name, tt := range map[string]struct {
		change  func(*View)
		want    []string // of "key: value. why"
		without []string // keys
	}{
		"nothing known": {func(*View) {}, []string{"healthy state: not available: the service was not seen healthy yet. "}, []string{"HEALTHCHECK", "networks", "other services"}},
		"unchanged":     {healthy, []string{"networks: db, shop (pay web). ", "image id: new. " + unchanged, "configuration: s. " + unchanged}, []string{"networks before", "image before", "healthy state"}},
		"an alias is lost": {func(v *View) {
			healthy(v)
			v.Inspection.state.Networks[0].Aliases = nil
		}, []string{"networks: db, shop. ", "networks before: db, shop (pay web). It was healthy with them."}, nil},
		"created anew with another image and configuration": {func(v *View) {
			healthy(v)
			v.Target.Good.ContainerID, v.Target.Good.ImageID, v.Target.Good.SpecHash = "before", "sha256:old", "r"
			v.History = history.History{{Docker: event.Docker{Time: simStart.Add(created), ID: "id", Action: "create"}}}
		}, []string{"image before: pay:1 (old). It was healthy with it.", "image now: new. It changed at 2026-01-02T03:44:05Z, when the container was created anew.",
			"configuration before: r. It was healthy with it.", "configuration now: s. It changed at 2026-01-02T03:44:05Z, when the container was created anew."}, []string{"image id"}},
		"created anew while its events were not read": {func(v *View) {
			healthy(v)
			v.Target.Good.ContainerID, v.Target.Good.SpecHash = "before", "r"
		}, []string{"configuration now: s. It changed before 2026-01-02T03:04:05Z, when the container was started."}, nil},
		"unhealthy": {func(v *View) {
			v.Inspection.state.Health, v.Inspection.state.HealthOutput = container.Unhealthy, "curl:\x1b[31m refused\npassword=hunter2sesame"
		}, []string{"HEALTHCHECK: unhealthy. It printed: curl: refused password=***"}, nil},
		"healthy": {func(v *View) { v.Inspection.state.Health = container.Healthy }, []string{"HEALTHCHECK: healthy. "}, nil},
		"others are DOWN as well": {func(v *View) {
			v.Around.neighbours = fleet.Picture{Members: 30, Down: []string{"a", "pay", "b", "c", "d"}}
		}, []string{"other services: 4 of 29 DOWN: a, b, c and 1 more. "}, nil},
		"it alone is DOWN": {func(v *View) { v.Around.neighbours = fleet.Picture{Members: 3, Down: []string{"pay"}} }, []string{"other services: none of 2 DOWN. "}, nil},
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
