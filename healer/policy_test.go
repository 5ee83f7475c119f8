package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

// TestStartsByAnOnFailurePolicyAreNotAnotherHealers: while a container runs its exit
// code is 0, and the policy started it nevertheless. Once it gave up a person is
// called: another start would end the same way.
func TestStartsByAnOnFailurePolicyAreNotAnotherHealers(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.state.RestartPolicy, b.state.RestartLimit = "on-failure", 3
		wait := 100 * time.Millisecond
		var crash func()
		crash = func() {
			m.die(b, 3)
			if b.state.RestartCount == b.state.RestartLimit {
				return
			}
			b.state.Status = container.Restarting
			b.state.RestartCount++
			m.after(wait, func() {
				m.start(b)
				b.state.ExitCode = 0
				m.after(time.Second, crash)
			})
			wait *= 2
		}
		crash()
		m.run(time.Minute)
		for _, held := range dataOf[event.Suppressed](m) {
			if held.Gate == "rival" {
				t.Errorf("it was held by %q: %s", held.Gate, held.Reason)
			}
		}
		wantActions(t, m)
		if in := m.of0(); in.State != state.Escalated || in.CauseID != "exits_at_start" {
			t.Errorf("the incident is %s for %s, held by %q", in.State, in.CauseID, in.Held)
		}
	})
}

// TestProjectThatIsPausedTogetherIsIntentional: docker compose pause, for a backup.
func TestProjectThatIsPausedTogetherIsIntentional(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		m := quietSim(t, 2, func(m *sim) { m.stopFirst = stopFirst })
		for _, b := range m.boxes {
			b.state.Project = "shop"
			do("pause", m, b)
		}
		m.run(2 * time.Minute)
		for _, b := range m.boxes {
			if in := m.incident(b.def.Name); b.state.Status != container.Paused || in == nil || in.Held != "operator" {
				t.Errorf("%s is %s, its incident %+v", b.def.Name, b.state.Status, in)
			}
		}
	}
}
