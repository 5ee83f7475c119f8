package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
)

func TestDegradedIsNeverRepaired(t *testing.T) {
	m, b := quiet(t)
	b.app = "slow"
	m.run(10 * time.Minute)
	wantActions(t, m)
	if in := m.incident("svc-0"); in != nil {
		t.Errorf("incident %+v was opened", in)
	}
	if got := m.services[len(m.services)-1].in.Service.Status; got != event.Degraded {
		t.Errorf("it is %s", got)
	}
}

// A repair is verified by checks that are DEGRADED too: they count as good.
func TestDegradedVerifiesARepair(t *testing.T) {
	m, b := quiet(t)
	b.app = "slow"
	m.run(time.Minute)
	m.killed(b)
	m.run(time.Minute)
	wantActions(t, m, "start")
	wantEnd(t, m, event.HowHealed)
}
