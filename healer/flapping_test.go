package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// A service that is DOWN and UP again all the time has one incident, and not one
// for each time.

// flaps lets a box fail for one check, and answer for three.
func flaps(m *sim, b *box, times int) {
	if times == 0 {
		return
	}
	b.app = "broken"
	m.after(b.def.Interval, func() { b.app = "ok" })
	m.after(4*b.def.Interval, func() { flaps(m, b, times-1) })
}

func flapping(mode service.Mode) func(*sim) {
	return defined(func(d *service.Definition) {
		d.Interval, d.FailureThreshold, d.SuccessThreshold, d.Heal.Mode = 4*time.Second, 1, 1, mode
	})
}

func TestAFlappingServiceHasOneIncident(t *testing.T) {
	for _, mode := range []service.Mode{service.Observe, service.Auto} {
		t.Run(string(mode), func(t *testing.T) {
			m, b := quiet(t, flapping(mode))
			flaps(m, b, 40)
			m.run(3 * time.Minute)
			if !m.status("svc-0").Flapping || !m.open("svc-0") {
				t.Fatalf("flapping: %t, its incident is open: %t", m.status("svc-0").Flapping, m.open("svc-0"))
			}
			id := m.of0().ID
			m.run(7 * time.Minute)
			if m.of0().ID != id {
				t.Errorf("%d incidents were opened", len(dataOf[event.Opened](m)))
			}
			if n := len(m.actions()); mode == service.Observe && n > 0 || n > 5 {
				t.Errorf("%d repairs", n)
			}
			m.run(4 * time.Minute) // it has settled
			if m.status("svc-0").Flapping || m.of0().State != state.Resolved || m.of0().ID != id {
				t.Errorf("in the end it flaps: %t, and its incident is %s, held by %q", m.status("svc-0").Flapping, m.of0().State, m.gate())
			}
		})
	}
}

// TestRepairsThatHoldForAMomentAreOneIncident: where they are repeated, each is
// verified, and the next failure belongs to the same outage.
func TestRepairsThatHoldForAMomentAreOneIncident(t *testing.T) {
	m, b := quiet(t, flapping(service.Auto), configured(func(c *Config) { c.Budget.PerHour, c.Budget.Recurrence = 100, Recurrence{} }))
	const times = 20
	for i := range times {
		b.app = "error"
		m.until(t, "its repair is verified", func() bool { return len(dataOf[event.Verified](m)) > i })
	}
	if n := len(m.actions()); n != times {
		t.Errorf("%d repairs of %d", n, times)
	}
	if opened := len(dataOf[event.Opened](m)); opened > times/2 || !m.status("svc-0").Flapping || !m.open("svc-0") {
		t.Errorf("%d incidents were opened, flapping %t, open %t", opened, m.status("svc-0").Flapping, m.open("svc-0"))
	}
	m.run(3 * time.Minute)
	wantEnd(t, m, event.HowHealed)
}

func TestAFlappingServiceIsShownAsSuch(t *testing.T) {
	m, b := quiet(t, flapping(service.Observe))
	flaps(m, b, 40)
	held := false
	for range 600 {
		m.run(time.Second)
		held = held || m.status("svc-0").Held == "flapping" && m.good("svc-0")
	}
	if !held {
		t.Error("while it is good nothing says why its incident is open")
	}
}

// TestFlappingIsKeptOverARestart: the new life neither ends the incident nor opens another.
func TestFlappingIsKeptOverARestart(t *testing.T) {
	m, b := quiet(t, flapping(service.Observe))
	flaps(m, b, 40)
	m.run(3 * time.Minute)
	id := m.of0().ID
	m.crash(2 * time.Second)
	m.run(3 * time.Minute)
	if m.of0().ID != id || !m.open("svc-0") || !m.status("svc-0").Flapping {
		t.Errorf("after the restart the incident is %s (was %s), open %t, flapping %t", m.of0().ID, id, m.open("svc-0"), m.status("svc-0").Flapping)
	}
}
