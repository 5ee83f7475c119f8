package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// What fails while it starts is given start_period; the status and the gate
// "starting" agree on what that is.

func withStartPeriod(d time.Duration) func(*sim) {
	return defined(func(def *service.Definition) { def.StartPeriod = d })
}

// failsFor lets a box answer with errors for a while, whatever is restarted.
func failsFor(m *sim, b *box, d time.Duration) {
	b.app = "broken"
	m.after(d, func() { b.app = "ok" })
}

func TestWhatIsSlowToStartIsRepairedOnce(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		failsFor(m, b, 20*time.Second)
		m.run(90 * time.Second)
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
	}, withStartPeriod(30*time.Second))
}

func TestARestartFromOutsideIsNoOutageWhileItStarts(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.run(time.Minute)
		b.unleveled = true // the level misses so short an end
		b.state.StartedAt = m.now
		m.emit(b, "start", nil)
		failsFor(m, b, 20*time.Second)
		m.run(25 * time.Second)
		if got := m.status("svc-0"); got.Status == event.Down || m.incident("svc-0") != nil {
			t.Errorf("while it starts it is %s, incident %+v", got.Status, m.incident("svc-0"))
		}
		m.run(time.Minute)
		wantActions(t, m)
	}, withStartPeriod(30*time.Second))
}

// TestTheStartPeriodEnds with what still fails: only then is it restarted, and
// DOWN is not said before.
func TestTheStartPeriodEnds(t *testing.T) {
	m, b := quiet(t, withStartPeriod(30*time.Second))
	b.unleveled = true
	b.state.StartedAt = m.now
	started := m.now
	m.emit(b, "start", nil)
	b.app = "error"
	m.until(t, "it is DOWN", func() bool { return m.status("svc-0").Status == event.Down })
	if after := m.now.Sub(started); after < 30*time.Second || after > 36*time.Second {
		t.Errorf("it is DOWN after %v", after)
	}
	b.unleveled = false
	m.run(10 * time.Second)
	wantActions(t, m, "restart")
}

// TestASuccessEndsTheStartPeriod for the gate as for the status: what fails after
// it is restarted at once.
func TestASuccessEndsTheStartPeriod(t *testing.T) {
	m, b := quiet(t, withStartPeriod(10*time.Minute))
	do("kill", m, b)
	m.run(30 * time.Second)
	wantEnd(t, m, event.HowHealed)
	b.app = "error"
	m.run(20 * time.Second)
	wantActions(t, m, "start", "restart")
}
