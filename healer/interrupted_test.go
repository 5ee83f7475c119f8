package healer

import (
	"testing"
	"time"

	"logstream/internal/service"
	"logstream/internal/state"
)

// An end of the process in the middle of a call that consists of several.

// TestALimitIsRaisedOnceAcrossAnEndOfTheProcess: between the new limit and the
// start of the container.
func TestALimitIsRaisedOnceAcrossAnEndOfTheProcess(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.run(time.Minute)
		do("kill", m, b)
		m.until(t, "a person", func() bool { return m.of0() != nil && m.of0().State == state.Escalated })
		m.heal(service.ActionRaiseMemory)
		m.until(t, "the new limit", func() bool { return b.state.Memory == 128*mib })
		m.crash(time.Second)
		m.run(5 * time.Minute)
		if b.state.Memory != 128*mib || !m.serves(b) || m.of0().State != state.Resolved {
			t.Errorf("its limit is %d MiB, it is %s, its incident %s", b.state.Memory/mib, b.state.Status, m.of0().State)
		}
		wantResult(t, m, m.undoOf(m.of0().ID, 0), "", "")
		m.run(30 * time.Second)
		if b.state.Memory != 64*mib {
			t.Errorf("undone, its limit is %d MiB", b.state.Memory/mib)
		}
	}, limited, func(m *sim) { m.boxes[0].def.Heal.Never = []string{service.ActionStart} })
}
