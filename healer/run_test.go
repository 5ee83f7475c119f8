package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// scripted is a service whose own command does that.
func scripted(t *testing.T, does func(m *sim, b *box, done func(error)), story func(t *testing.T, m *sim, b *box)) {
	t.Helper()
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.script = func(done func(error)) { does(m, b, done) }
		story(t, m, b)
	}, defined(func(d *service.Definition) {
		d.Heal.Commands = service.Commands{{Name: "again", Args: []string{"/usr/bin/again"}}}
	}))
}

// TestAnAcknowledgementHidesNoUnknownOutcome: it comes while the outcome is being
// written.
func TestAnAcknowledgementHidesNoUnknownOutcome(t *testing.T) {
	never := func(*sim, *box, func(error)) {}
	scripted(t, never, func(t *testing.T, m *sim, b *box) {
		b.app = "error"
		m.heal(service.ActionRun)
		m.until(t, "its call", func() bool { return m.running[b.def.Name] })
		m.crash(time.Second)
		m.until(t, "its outcome", func() bool { return m.outstanding["svc-0"].Type == event.TypeActionFinished })
		m.operator(event.CommandAcknowledge, "")
		m.run(10 * time.Second)
		if m.of0().Acknowledged == nil || m.of0().State != state.Escalated || len(m.actions()) != 1 {
			t.Errorf("it is %s after %v", m.of0().State, m.actions())
		}
	})
}
