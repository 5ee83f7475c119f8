package healer

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Repairs that an operator asks for.

func (m *sim) heal(action string) string {
	return m.command(event.Command{Command: event.CommandHeal, Service: "svc-0", Args: event.CommandArgs{Action: action}})
}

func TestHealCommandRepairsWhatIsHeldForTheOperator(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(60 * time.Second)
		do("stop", m, b)
		m.run(60 * time.Second)
		m.heal("")
		m.run(60 * time.Second)
		if b.state.Status != container.Running {
			t.Errorf("an operator asked for the repair, and it is %s", b.state.Status)
		}
		wantActions(t, m, "start", "start")
	})
}

func TestHealCommandRestartsWhatIsUp(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.run(time.Minute)
		m.heal("restart")
		m.run(60 * time.Second)
		wantActions(t, m, "restart")
		wantEnd(t, m, event.HowHealed)
	})
}

// TestHealCommandIsExecutedOnce stops what an operator had healed, again and
// again before it is verified.
func TestHealCommandIsExecutedOnce(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(60 * time.Second)
		do("stop", m, b)
		m.run(10 * time.Second)
		m.heal("")
		m.run(5 * time.Second)
		do("stop", m, b)
		m.run(time.Minute)
		wantActions(t, m, "start", "start")
		if m.gate() != "operator" {
			t.Errorf("held by %q", m.gate())
		}
	})
}

// TestHealCommandWithoutAnActionNeedsAWitness: what only a foreign source
// reports gives no repair to choose, and the gate says so.
func TestHealCommandWithoutAnActionNeedsAWitness(t *testing.T) {
	m, b := quiet(t)
	m.foreign(b, event.Down, 90*time.Second)
	m.run(20 * time.Second)
	m.heal("")
	m.run(20 * time.Second)
	wantHeld(t, m, "unconfirmed")
	if opened := dataOf[event.Opened](m); len(opened) != 2 || opened[1].Check != "operator" {
		t.Errorf("opened were %+v", opened)
	}
}

// TestHealCommandThatIsRefusedChangesNothing has each reason to refuse one.
func TestHealCommandThatIsRefusedChangesNothing(t *testing.T) {
	for _, tt := range []struct {
		name, action string
		scenario     func(*testing.T, *sim, *box)
		why          string
	}{
		{"it is UP, and no action is named", "", func(*testing.T, *sim, *box) {}, "name an action"},
		{"an unknown action", "restrat", func(*testing.T, *sim, *box) {}, "did you mean restart"},
		{"an action that is forbidden", "unpause", func(*testing.T, *sim, *box) {}, "forbids unpause"},
		{"a record is being written", "restart", func(t *testing.T, m *sim, b *box) {
			do("kill", m, b)
			m.until(t, "an append", func() bool { return len(m.outstanding) > 0 })
			m.readAt[event.TopicIncidents] = m.now.Add(300 * time.Millisecond)
		}, "is being written"},
		{"a call is under way", "restart", func(t *testing.T, m *sim, b *box) { calling(t, "kill", m, b) }, "under way"},
		{"a repair is being verified", "restart", func(t *testing.T, m *sim, b *box) {
			repaired(t, "kill", m, b)
			m.run(time.Second)
		}, "under way"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				tt.scenario(t, m, b)
				id := m.heal(tt.action)
				m.run(250 * time.Millisecond)
				if got := m.results(id); len(got) != 1 || got[0].OK || !strings.Contains(got[0].Error, tt.why) {
					t.Errorf("the results are %+v", got)
				}
				m.run(time.Minute)
				for _, opened := range dataOf[event.Opened](m) {
					if opened.Check == "operator" {
						t.Errorf("opened was %+v", opened)
					}
				}
			}, defined(func(d *service.Definition) { d.Heal.Never = []string{service.ActionUnpause} }))
		})
	}
}

// TestHealCommandThatAGateRefusesEndsWithTheService: what is held for good is
// not asked for any more.
func TestHealCommandThatAGateRefusesEndsWithTheService(t *testing.T) {
	m, b := quiet(t)
	b.state.Self = true
	m.run(30 * time.Second)
	m.heal("restart")
	m.until(t, "a gate", func() bool { return m.gate() == "self" })
	m.run(30 * time.Second)
	wantEnd(t, m, event.HowRecovered)
	wantActions(t, m)
}

// TestHealCommandThatAGateDelaysIsStillExecuted once the budget of the host has room.
func TestHealCommandThatAGateDelaysIsStillExecuted(t *testing.T) {
	m, b := quiet(t, configured(func(c *Config) { c.Budget.HostPerMinute = 1 }))
	do("kill", m, b)
	m.until(t, "the end", func() bool { return len(dataOf[event.Resolved](m)) > 0 })
	m.run(time.Second)
	m.heal("restart")
	m.run(5 * time.Second)
	if m.gate() != "budget" || m.of0().HeldUntil == nil {
		t.Fatalf("held by %q", m.gate())
	}
	m.run(90 * time.Second)
	wantActions(t, m, "start", "restart")
	wantEnd(t, m, event.HowHealed)
}

// TestHealCommandIsAnsweredByACall of a person: what people do hours later is judged
// as in any other incident.
func TestHealCommandIsAnsweredByACall(t *testing.T) {
	never := defined(func(d *service.Definition) { d.Heal.Never = []string{service.ActionRestart} })
	for name, tt := range map[string]struct {
		mode service.Mode
		wish event.Command
	}{
		"in mode observe":     {mode: service.Observe},
		"silenced":            {mode: service.Auto, wish: silenceCommand("5h", "migration")},
		"within manual_grace": {mode: service.Auto},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, never, configured(func(c *Config) { c.Mode, c.ManualGrace = tt.mode, 5*time.Minute }))
			b.app = "broken"
			m.run(20 * time.Second)
			m.heal("")
			m.run(30 * time.Second)
			if in := m.of0(); in.State != state.Escalated || !strings.HasPrefix(in.Events[0].By, event.ByOperator) {
				t.Fatalf("the incident is %s, opened by %s", in.State, in.Events[0].By)
			}
			m.run(20 * time.Minute)
			if tt.wish.Command != "" {
				m.command(tt.wish)
				m.run(time.Second)
			}
			do("stop", m, b)
			m.run(time.Minute)
			wantActions(t, m)
		})
	}
}

func TestRestartByCommandThatDidNotHoldIsNotMadeAgain(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.app = "broken"
		m.run(3 * time.Minute)
		wantActions(t, m, "restart")
		m.heal("restart")
		m.run(3 * time.Minute)
		wantActions(t, m, "restart", "restart")
		if len(dataOf[event.Escalated](m)) != 2 {
			t.Errorf("the incident is %s, held by %q", m.of0().State, m.gate())
		}
	})
}

// TestRestartByCommandWaitsForNoCheck: this service has no observations.
func TestRestartByCommandWaitsForNoCheck(t *testing.T) {
	m, b := quiet(t)
	b.unchecked = true
	m.run(20 * time.Second)
	m.heal("restart")
	m.run(5 * time.Second)
	wantActions(t, m, "restart")
}

func TestCommandToStartWhatRunsChangesNothing(t *testing.T) {
	m, _ := quiet(t)
	m.run(30 * time.Second)
	id := m.heal("start")
	m.run(30 * time.Second)
	wantActions(t, m)
	if got := m.results(id); len(got) != 1 || !strings.Contains(got[0].Error, "start is not possible") || m.open("svc-0") {
		t.Errorf("the results are %+v", got)
	}
}

func TestHealCommandWithAnActionNeedsNoWitness(t *testing.T) {
	m, b := quiet(t)
	m.foreign(b, event.Down, 90*time.Second)
	m.run(20 * time.Second)
	m.heal("restart")
	m.run(5 * time.Second)
	wantActions(t, m, "restart")
}

// TestProgramMayOnlyPropose has one send what operators do, under its own name.
func TestProgramMayOnlyPropose(t *testing.T) {
	for name, command := range map[string]func(m *sim) event.Command{
		"approve": func(m *sim) event.Command { return ofIncident(m, event.CommandApprove) },
		"heal": func(*sim) event.Command {
			return event.Command{Command: event.CommandHeal, Service: "svc-0", Args: event.CommandArgs{Action: service.ActionStart}}
		},
		"hold": func(*sim) event.Command { return event.Command{Command: event.CommandHold} },
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, configured(approving))
			waitsForApproval(t, m, b)
			asked := command(m)
			asked.By = "mcp:claude"
			id := m.command(asked)
			m.run(20 * time.Second)
			wantActions(t, m)
			wantResult(t, m, id, event.RefusedIllegal, "a program may only propose")
		})
	}
}
