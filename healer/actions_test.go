package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Actions that change what a container is, in the sim: with both orders of the
// engine's events, and a network's events that have no container's name.

// listed lets every action be taken without approval.
func listed(m *sim) {
	b := m.boxes[0]
	b.def.Heal.Actions = service.Actions
	b.state.Networks = []container.Network{{Name: "shop", Aliases: []string{"pay"}}}
}

func TestABadImageIsRolledBackOnce(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		m, b := quiet(t, listed, func(m *sim) { m.stopFirst = stopFirst })
		m.run(time.Minute)
		m.updated(b, "sha-2", "broken")
		m.until(t, "it is rolled back", func() bool {
			in := m.of0()
			if in == nil {
				return false
			}
			finished, done := in.Last(event.TypeActionFinished)
			return done && finished.Data.(event.ActionFinished).Action == service.ActionRollback && in.State == state.Resolved
		})
		if b.state.ImageID != "sha" || b.state.Kept == "" {
			t.Errorf("it is %+v", b.state)
		}
		if held := m.status("svc-0").Held; held != "" {
			t.Errorf("our own replacement is held by %q", held)
		}
		m.run(2 * time.Minute)
		first := m.of0().ID
		b.state.Kept = "" // a user removed what was kept
		m.updated(b, "sha-2", "broken")
		m.until(t, "a person is called about the same image", func() bool { return m.of0().ID != first && m.of0().State == state.Escalated })
		if m.of0().Attempts != 0 {
			t.Errorf("%d attempts for an image that was rolled back before", m.of0().Attempts)
		}
		if m.audit(); m.broken != "" {
			t.Error(m.broken)
		}
	}
}

func TestLostNetworksAreConnectedAgain(t *testing.T) {
	m, b := quiet(t, listed)
	m.run(time.Minute)
	m.disconnected(b)
	m.run(2 * time.Second)
	m.heal(service.ActionConnect)
	m.until(t, "it is connected", func() bool { return m.of0() != nil && m.of0().State == state.Resolved && m.of0().Attempts == 1 })
	if len(b.state.Networks) != 1 || b.state.Networks[0].Aliases[0] != "pay" {
		t.Errorf("its networks are %+v", b.state.Networks)
	}
}
