package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// TestRequestedRepairWaitsForTheEngine: a repair that an operator requested of a service
// that is UP is executed once Docker is reachable again; until then its incident does not
// end as recovered.
func TestRequestedRepairWaitsForTheEngine(t *testing.T) {
	for name, crashes := range map[string]bool{"in one life": false, "across two": true} {
		t.Run(name, func(t *testing.T) {
			m, _ := quiet(t)
			m.heal(service.ActionRestart)
			m.until(t, "its incident", func() bool { return m.open("svc-0") })
			m.dockerUnreachable(30 * time.Second)
			if crashes {
				m.crash(time.Second)
			}
			m.run(20 * time.Second)
			wantHeld(t, m, "engine")
			m.run(time.Minute)
			wantActions(t, m, service.ActionRestart)
			wantEnd(t, m, event.HowHealed)
		})
	}
}
