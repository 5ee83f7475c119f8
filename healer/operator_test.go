package healer

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// What people do to a container, by hand or by a command, and what is left of
// it: the second stop.

func TestSecondStopIsTreatedAsIntentional(t *testing.T) {
	for _, fault := range []string{"stop", "ignored stop"} {
		t.Run(fault, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				do(fault, m, b)
				m.run(60 * time.Second)
				do(fault, m, b)
				m.run(3 * time.Minute)
				wantActions(t, m, "start")
				if in := m.of0(); in.Held != "operator" || in.HeldUntil != nil || !strings.Contains(in.HeldReason, "within 10 minutes") {
					t.Errorf("held by %q until %v: %s", in.Held, in.HeldUntil, in.HeldReason)
				}
				do("start", m, b)
				m.run(time.Minute)
				wantEnd(t, m, event.HowRecovered)
			})
		})
	}
}

func TestSecondStopAfterTenMinutesIsTheFirstAgain(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(11 * time.Minute)
		do("stop", m, b)
		m.run(time.Minute)
		wantActions(t, m, "start", "start")
	})
}

func TestStopByAnEngineIsNotTheFirstOfTwo(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(2 * time.Second)
		m.dockerUnreachable(3 * time.Second)
		m.run(time.Minute)
		do("stop", m, b)
		m.run(time.Minute)
		if b.state.Status != container.Running {
			t.Errorf("after the first stop by hand it is %s, held by %q", b.state.Status, m.gate())
		}
	}, configured(func(c *Config) { c.ManualGrace = 5 * time.Second }))
}

func TestSecondStopStaysIntentionalAcrossARestart(t *testing.T) {
	long(t)
	for _, fault := range []string{"stop", "ignored stop", "pause"} {
		t.Run(fault, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				do(fault, m, b)
				m.run(60 * time.Second)
				do(fault, m, b)
				m.run(20 * time.Minute)
				before := b.state.Status
				if m.gate() != "operator" {
					t.Fatalf("held by %q", m.gate())
				}
				n := len(m.incidents)
				m.kill()
				m.run(5 * time.Minute)
				if b.state.Status != before || m.gate() != "operator" {
					t.Errorf("it is %s, held by %q", b.state.Status, m.gate())
				}
				if more := len(m.incidents) - n; more > 1 {
					t.Errorf("%d records after a restart that changed nothing", more)
				}
			})
		})
	}
}

// TestSecondStopStaysIntentionalWhereTheEngineIsAhead of our clock, across a restart.
func TestSecondStopStaysIntentionalWhereTheEngineIsAhead(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Second, 5 * time.Minute} {
		bothEngines(t, func(t *testing.T, m *sim, b *box) {
			m.ahead = ahead
			do("stop", m, b)
			m.run(60 * time.Second)
			do("stop", m, b)
			m.run(20 * time.Minute)
			m.kill()
			m.run(5 * time.Minute)
			wantActions(t, m, "start")
			if m.gate() != "operator" {
				t.Errorf("held by %q", m.gate())
			}
		})
	}
}

func TestManualStopAlwaysUndoesEveryStop(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		for range 3 {
			do("stop", m, b)
			m.run(60 * time.Second)
		}
		wantActions(t, m, "start", "start", "start")
	}, defined(func(d *service.Definition) { d.Heal.ManualStop = service.StopAlways }))
}

func TestManualStopIgnoreLeavesTheFirstStop(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(60 * time.Second)
		wantHeld(t, m, "operator")
	}, defined(func(d *service.Definition) { d.Heal.ManualStop = service.StopIgnore }))
}

func TestStopIsLeftForItsGrace(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(3 * time.Second)
		wantHeld(t, m, "operator")
		m.run(5 * time.Second)
		wantActions(t, m, "start")
	}, configured(func(c *Config) { c.ManualGrace = 5 * time.Second }))
}

// inject asks for a fault, as the page's button does.
func (m *sim) inject() { m.command(event.Command{Command: event.CommandInject, Service: "svc-0"}) }

func TestInjectedStopIsNeverIntentional(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		for range 3 {
			m.inject()
			m.run(50 * time.Millisecond)
			do("stop", m, b)
			m.run(3 * time.Second)
			if b.state.Status != container.Running {
				t.Fatalf("three seconds after an injected stop it is %s, held by %q", b.state.Status, m.gate())
			}
		}
	}, configured(func(c *Config) { c.ManualGrace = 5 * time.Second }))
}

func TestInjectedStopIsNotTheFirstOfTwo(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.inject()
		m.run(50 * time.Millisecond)
		do("stop", m, b)
		m.run(time.Minute)
		do("stop", m, b)
		m.run(time.Minute)
		if b.state.Status != container.Running {
			t.Errorf("after the first stop by hand it is %s, held by %q", b.state.Status, m.gate())
		}
	})
}

// TestEngineThatStopsTwiceIsNotIntentional: a daemon that stops takes its
// containers down with it.
func TestEngineThatStopsTwiceIsNotIntentional(t *testing.T) {
	for _, manual := range []service.ManualStop{service.StopHeal, service.StopIgnore} {
		t.Run(string(manual), func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				for range 2 {
					do("stop", m, b)
					m.run(2 * time.Second)
					m.dockerUnreachable(3 * time.Second)
					m.run(time.Minute)
					if b.state.Status != container.Running {
						t.Fatalf("after its engine came back it is %s, held by %q", b.state.Status, m.gate())
					}
				}
			}, configured(func(c *Config) { c.ManualGrace = 5 * time.Second }), defined(func(d *service.Definition) { d.Heal.ManualStop = manual }))
		})
	}
}

// TestStopAfterItsEngineCameBackIsByHand: an engine excuses only the stops that
// it ends with.
func TestStopAfterItsEngineCameBackIsByHand(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.dockerUnreachable(time.Second)
		m.run(10 * time.Second)
		do("stop", m, b)
		m.run(10 * time.Second)
		wantHeld(t, m, "operator")
	}, configured(func(c *Config) { c.ManualGrace = 20 * time.Second }))
}

// TestProjectThatIsStoppedTogetherIsIntentional stops two containers of one
// Compose project by hand.
func TestProjectThatIsStoppedTogetherIsIntentional(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		m := quietSim(t, 2, func(m *sim) { m.stopFirst = stopFirst })
		for _, b := range m.boxes {
			b.state.Project = "shop"
			do("stop", m, b)
		}
		m.run(2 * time.Minute)
		for _, b := range m.boxes {
			if in := m.incident(b.def.Name); b.state.Status != container.Exited || in == nil || in.Held != "operator" {
				t.Errorf("%s is %s, its incident %+v", b.def.Name, b.state.Status, in)
			}
		}
	}
}

func TestRestartByHandIsLeftAlone(t *testing.T) {
	for name, stubborn := range map[string]bool{"plain": false, "of a process that ignores the stop signal": true} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				b.stubborn = stubborn
				do("restart", m, b)
				m.run(time.Minute)
				wantActions(t, m)
			})
		})
	}
}

func TestStopInProgressIsWaitedFor(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(1500 * time.Millisecond)
	m.emit(b, "kill", func(e *event.Docker) { e.Signal = "15" })
	m.run(6 * time.Second)
	wantHeld(t, m, "rival")
	m.run(4 * time.Minute) // a stop may be given any time-out
	wantHeld(t, m, "rival")
	m.run(2 * time.Minute) // it ignored the signal
	wantActions(t, m, "restart")
}

func TestCommandIsAnsweredOnceAndNotLate(t *testing.T) {
	m, _ := quiet(t)
	hold := event.Command{ID: "h1", Command: event.CommandHold}
	m.command(hold)
	m.command(hold)
	late := m.command(event.Command{ID: "h2", Command: event.CommandHold, Time: m.now.Add(-2 * time.Minute)})
	m.run(time.Second)
	if got := m.results("h1"); len(got) != 1 || !got[0].OK {
		t.Errorf("the results of a command that came twice: %+v", got)
	}
	if got := m.results(late); len(got) != 0 {
		t.Errorf("the results of a command of two minutes ago: %+v", got)
	}
}

// TestInjectionThatFailedExcusesNoStop: only what was asked for, and may have
// happened, is an injection.
func TestInjectionThatFailedExcusesNoStop(t *testing.T) {
	m, b := quiet(t, configured(func(c *Config) { c.ManualGrace = 5 * time.Second }))
	m.inject()
	m.run(10 * time.Second)
	failed := m.commands[0].in.Command
	failed.Result = &event.CommandResult{Error: "no such container"}
	m.writeCommand(failed)
	m.run(7 * time.Second)
	do("stop", m, b)
	m.run(3 * time.Second)
	wantHeld(t, m, "operator")
}

// TestStartFromOutsideIsThePolicysOnlyAfterAnEndByItself has the three things
// that may precede one, with and without a restart policy.
func TestStartFromOutsideIsThePolicysOnlyAfterAnEndByItself(t *testing.T) {
	for _, tt := range []struct{ end, policy, gate string }{
		{"exit", "always", "policy"},
		{"exit", "no", "rival"},
		{"stop", "always", "rival"},
		{"kill", "always", "rival"},
	} {
		t.Run(tt.end+", "+tt.policy, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				b.state.RestartPolicy = tt.policy
				m.hold("")
				b.app = "broken"
				m.until(t, "an incident", func() bool { return m.gate() == "hold" })
				do(tt.end, m, b)
				m.until(t, "its end", func() bool { return b.state.Status == container.Exited && !b.busy })
				m.run(500 * time.Millisecond)
				do("start", m, b)
				m.run(3 * time.Second)
				wantHeld(t, m, tt.gate)
			})
		})
	}
}

// TestStartFromOutsideBeforeTheIncidentHoldsNothing: it is the state that broke.
func TestStartFromOutsideBeforeTheIncidentHoldsNothing(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("restart", m, b)
		m.run(14 * time.Second)
		do("error", m, b)
		m.run(6 * time.Second)
		wantActions(t, m, "restart")
	})
}

// TestStartFromOutsideIsNotThatOfACallThatFailed: what happens long after a call
// was refused, or was never made, is another user's.
func TestStartFromOutsideIsNotThatOfACallThatFailed(t *testing.T) {
	for name, fail := range map[string]func(*testing.T, *sim, *box){
		"never made": func(t *testing.T, m *sim, b *box) {
			intended(t, "kill", m, b)
			b.state.StartedAt = b.state.StartedAt.Add(time.Second)
		},
		"refused": func(_ *testing.T, m *sim, b *box) {
			b.refusals = 1
			do("kill", m, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				b.app = "broken"
				m.run(time.Second)
				fail(t, m, b)
				m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
				m.run(700 * time.Millisecond)
				do("start", m, b)
				m.run(3 * time.Second)
				if m.gate() != "rival" {
					t.Errorf("held by %q after %v", m.gate(), m.actions())
				}
			})
		})
	}
}
