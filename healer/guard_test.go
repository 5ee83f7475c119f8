package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// TestGuard has a row for each gate: one thing that differs from a situation
// in which a start is allowed, and what the guard says to it.
func TestGuard(t *testing.T) {
	now := simStart
	stopped := history.Ending{End: history.EndStopped, At: now.Add(-2 * time.Second), ReadAt: now.Add(-2 * time.Second)}
	byHand := func(s *situation) { s.ended, s.ending = true, stopped }
	for _, tt := range []struct {
		name   string
		change func(*situation)
		gate   string // "" yes, "escalate" a person
		until  bool
	}{
		{"nothing", func(*situation) {}, "", false},
		{"ourselves", func(s *situation) { s.container.Self = true }, "self", false},
		{"our broker", func(s *situation) { s.protected = true }, "self", false},
		{"our broker, allowed", func(s *situation) { s.protected, s.def.Heal.Self = true, true }, "", false},
		{"a hold", func(s *situation) { s.hold = &hold{reason: "x"} }, "hold", false},
		{"a hold for a time", func(s *situation) { s.hold = &hold{until: now.Add(time.Hour)} }, "hold", true},
		{"a hold, asked", func(s *situation) { s.hold, s.asked = &hold{}, true }, "hold", false},
		{"observe", func(s *situation) { s.mode = service.Observe }, "observe", false},
		{"observe, asked", func(s *situation) { s.mode, s.asked = service.Observe, true }, "", false},
		{"four unmade", func(s *situation) { s.never = 4 }, "", false},
		{"five unmade", func(s *situation) { s.never = 5 }, "escalate", false},
		{"two attempts", func(s *situation) { s.counted = 2 }, "", false},
		{"three attempts", func(s *situation) { s.counted = 3 }, "escalate", false},
		{"four in an hour", func(s *situation) { s.hour = 4 }, "", false},
		{"five in an hour", func(s *situation) { s.hour = 5 }, "escalate", false},
		{"five in an hour, asked", func(s *situation) { s.hour, s.asked = 5, true }, "", false},
		{"five a minute on this host", func(s *situation) { s.minute = 5 }, "", false},
		{"six a minute on this host", func(s *situation) { s.minute, s.minuteEnd = 6, now.Add(time.Second) }, "budget", true},
		{"being replaced", func(s *situation) { s.replacing = true }, "deploy", false},
		{"just deployed", func(s *situation) { s.deployUntil = now.Add(time.Second) }, "deploy", true},
		{"deployed a while ago", func(s *situation) { s.deployUntil = now }, "", false},
		{"stopped just now", func(s *situation) { s.stoppedAt = now.Add(-900 * time.Millisecond) }, "deploy", true},
		{"stopped a second ago", func(s *situation) { s.stoppedAt = now.Add(-time.Second) }, "", false},
		{"told to stop", func(s *situation) { s.stopping = true }, "rival", false},
		{"died under a policy", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now.Add(-9 * time.Second)}, "always"
		}, "policy", true},
		{"died under a policy that does nothing", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now.Add(-10 * time.Second)}, "always"
		}, "", false},
		{"killed under a policy", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndKilled, ReadAt: now}, "always"
		}, "", false},
		{"ended well under on-failure", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now}, "on-failure"
		}, "", false},
		{"never ran", func(s *situation) { s.ran = false }, "operator", false},
		{"never ran, always", func(s *situation) { s.ran, s.def.Heal.ManualStop = false, service.StopAlways }, "", false},
		{"stopped within the grace", byHand, "operator", true},
		{"stopped, asked", func(s *situation) { byHand(s); s.asked = true }, "", false},
		{"stopped by the engine", func(s *situation) { byHand(s); s.byEngine = true }, "", false},
		{"stopped by chaos", func(s *situation) { byHand(s); s.byChaos = true }, "", false},
		{"stopped by ourselves", func(s *situation) { byHand(s); s.ending.Ours = true }, "", false},
		{"stopped, and the grace is over", func(s *situation) { byHand(s); s.ending.ReadAt = now.Add(-time.Minute) }, "", false},
		{"stopped again", func(s *situation) { byHand(s); s.again, s.ending.ReadAt = true, now.Add(-time.Minute) }, "operator", false},
		{"stopped with its project", func(s *situation) { byHand(s); s.together, s.ending.ReadAt = true, now.Add(-time.Minute) }, "operator", false},
		{"stopped again, always", func(s *situation) {
			byHand(s)
			s.again, s.def.Heal.ManualStop, s.ending.ReadAt = true, service.StopAlways, now.Add(-time.Minute)
		}, "", false},
		{"stopped, ignore", func(s *situation) {
			byHand(s)
			s.def.Heal.ManualStop, s.ending.ReadAt = service.StopIgnore, now.Add(-time.Minute)
		}, "operator", false},
		{"paused again", func(s *situation) {
			s.action, s.ended, s.again, s.ending = service.ActionUnpause, true, true, history.Ending{ReadAt: now.Add(-time.Minute)}
		}, "operator", false},
		{"cooling down", func(s *situation) { s.coolUntil = now.Add(time.Second) }, "cooldown", true},
		{"cooling down, asked", func(s *situation) { s.coolUntil, s.asked = now.Add(time.Second), true }, "", false},
		{"cooled down", func(s *situation) { s.coolUntil = now }, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := situation{now: now, action: service.ActionStart, def: service.Default(), cfg: Default(), mode: service.Auto, ran: true}
			tt.change(&s)
			v := guard(s)
			got := v.gate
			if v.escalate != "" {
				got = "escalate"
			}
			if got != tt.gate || (v.until != nil) != tt.until || v.gate != "" && v.reason == "" {
				t.Errorf("the guard says %+v, want %q", v, tt.gate)
			}
		})
	}
}

// TestSpent counts what the budgets count.
func TestSpent(t *testing.T) {
	started := event.ActionStarted{Attempt: 1, Action: service.ActionStart}
	for _, tt := range []struct {
		name           string
		after          []event.Data
		counted, never int
	}{
		{"nothing known yet", nil, 0, 0},
		{"proved", []event.Data{event.ActionFinished{OK: true}, event.Verified{OK: true}}, 0, 0},
		{"did not hold", []event.Data{event.ActionFinished{OK: true}, event.Verified{Error: "2 of 5"}}, 1, 0},
		{"interrupted", []event.Data{event.ActionFinished{OK: true}, event.Verified{Error: event.Interrupted + "x"}}, 0, 0},
		{"refused", []event.Data{event.ActionFinished{Error: "no such network"}}, 1, 0},
		{"not carried out", []event.Data{event.ActionFinished{Error: event.NotCarriedOut + "x"}}, 0, 1},
	} {
		in := &state.Incident{}
		for _, data := range append([]event.Data{started}, tt.after...) {
			in.Events = append(in.Events, event.Incident{Type: event.TypeOf(data), Data: data})
		}
		if counted, never := spent(attempts(in)); counted != tt.counted || never != tt.never {
			t.Errorf("%s: counted %d, never %d", tt.name, counted, never)
		}
	}
}

// TestTally keeps what outlives an incident: the cooldown and the hour.
func TestTally(t *testing.T) {
	for _, tt := range []struct {
		name   string
		data   event.Data
		fails  int
		unmade bool
	}{
		{"refused", event.ActionFinished{Error: "no"}, 3, false},
		{"not carried out", event.ActionFinished{Error: event.NotCarriedOut}, 2, true},
		{"done", event.ActionFinished{OK: true}, 2, false},
		{"did not hold", event.Verified{Error: "2 of 5"}, 3, false},
		{"interrupted", event.Verified{Error: event.Interrupted}, 2, false},
		{"proved", event.Verified{OK: true}, 0, false},
	} {
		m, b := quiet(t)
		s := m.world.services[b.def.Name]
		s.fails = 2
		m.world.tally(s, event.Incident{Time: m.now, Data: tt.data})
		if s.fails != tt.fails || s.unmade.IsZero() == tt.unmade || s.failed.IsZero() == (tt.fails == 3) {
			t.Errorf("%s: %d fails, unmade %v, failed %v", tt.name, s.fails, s.unmade, s.failed)
		}
	}
}

// intended is a kill up to the moment in which its intent is written and not
// read back yet.
func intended(t *testing.T, fault string) (*sim, *box, event.ActionStarted) {
	t.Helper()
	m, b := quiet(t)
	do(fault, m, b)
	for range 20000 {
		m.run(time.Millisecond)
		if p := m.world.services[b.def.Name].pending; p != nil && p.Type == event.TypeActionStarted {
			return m, b, p.Data.(event.ActionStarted)
		}
	}
	t.Fatal("no intent was written")
	return nil, nil, event.ActionStarted{}
}

// TestTheLastCheckBeforeACall changes one thing between an intent and its call.
func TestTheLastCheckBeforeACall(t *testing.T) {
	own := func(m *sim, check string, status event.Status) {
		h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: "svc-0", Status: status, Check: check}
		h.Origin, h.Revision = m.revise()
		m.world.readHealth(ReadHealth{h, true}, m.now)
	}
	for _, tt := range []struct {
		name, fault string
		change      func(*sim, *svc)
		why         string
	}{
		{"nothing", "kill", func(*sim, *svc) {}, ""},
		{"nothing about a restart", "error", func(*sim, *svc) {}, ""},
		{"its deadline passed", "kill", func(m *sim, _ *svc) { m.now = m.now.Add(10 * time.Second) }, "deadline"},
		{"it was removed", "kill", func(_ *sim, s *svc) { s.removed = true }, "removed"},
		{"the engine went away", "kill", func(m *sim, _ *svc) { m.world.streamLost = m.now }, "does not answer"},
		{"a hold", "kill", func(m *sim, _ *svc) { m.world.held = &hold{} }, "on hold"},
		{"the engine told something", "kill", func(m *sim, s *svc) {
			m.world.histories["svc-0"] = m.world.histories["svc-0"].Add(history.Event{Docker: event.Docker{Time: m.now, ID: s.look.state.ID, Action: "rename"}, ReadAt: m.now})
		}, "something new"},
		{"the level came up", "kill", func(m *sim, _ *svc) { own(m, event.CheckContainer, event.Up) }, "no longer down"},
		{"our check came up", "error", func(m *sim, _ *svc) {
			own(m, "http", event.Up)
			m.now = m.now.Add(time.Microsecond)
			own(m, "http", event.Up)
		}, "no longer says DOWN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, b, intent := intended(t, tt.fault)
			s := m.world.services[b.def.Name]
			tt.change(m, s)
			why := m.world.lastCheck(s, intent, m.now)
			if tt.why == "" && why != "" || !strings.Contains(why, tt.why) {
				t.Errorf("it says %q, want %q", why, tt.why)
			}
		})
	}
}

func TestPins(t *testing.T) {
	c := container.State{ID: "a", ImageID: "i", SpecHash: "s", StartedAt: simStart, Status: container.Exited}
	pins := event.Pins{ContainerID: "a", ImageID: "i", SpecHash: "s", StartedAt: simStart, State: "exited"}
	if why := pinsHold(pins, c); why != "" {
		t.Errorf("nothing changed, and %s", why)
	}
	for _, change := range []func(*container.State){
		func(c *container.State) { c.ID = "b" },
		func(c *container.State) { c.ImageID = "b" },
		func(c *container.State) { c.SpecHash = "b" },
		func(c *container.State) { c.StartedAt = c.StartedAt.Add(1) },
		func(c *container.State) { c.Status = container.Created },
		func(c *container.State) { c.Replacing = "b" },
	} {
		other := c
		change(&other)
		if pinsHold(pins, other) == "" {
			t.Errorf("%+v is as it was pinned", other)
		}
	}
}

// TestEscalatedIsTakenUpForALosslessRepair pauses what only a person can mend.
func TestEscalatedIsTakenUpForALosslessRepair(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(3 * time.Minute)
	if in := m.world.services["svc-0"].incident; in.State != state.Escalated {
		t.Fatalf("the incident is %s", in.State)
	}
	do("pause", m, b)
	m.run(20 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"restart", "unpause"}) {
		t.Errorf("actions are %v", got)
	}
}

// TestNotAsTheRepairLeftIt lets the container change, unseen by anybody, while
// we are away in the middle of a proof.
func TestNotAsTheRepairLeftIt(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(5 * time.Second)
	m.kill()
	b.state.StartedAt = m.now
	m.run(40 * time.Second)
	in := m.world.services["svc-0"].incident
	proof, _ := in.Last(event.TypeVerified)
	if verified, is := proof.Data.(event.Verified); !is || !interrupted(verified) {
		t.Errorf("the proof is %+v, the incident %s (%s)", proof.Data, in.State, in.How)
	}
}

// TestAForeignSourceThatWasBadHoldsTheProof until it is good by its own threshold.
func TestAForeignSourceThatWasBadHoldsTheProof(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(3 * time.Second)
	m.foreign(b, event.Down, 10*time.Second)
	m.run(11 * time.Second)
	if in := m.world.services["svc-0"].incident; in.State != state.Open || gate(m) != "" {
		t.Errorf("while somebody else sees it fail the incident is %s (%s)", in.State, in.How)
	}
	m.run(20 * time.Second)
	if in := m.world.services["svc-0"].incident; in.How != event.HowHealed || len(actions(m)) != 1 {
		t.Errorf("the incident is %s (%s), actions %v", in.State, in.How, actions(m))
	}
}

// TestTheProjectWasStoppedTogether stops two containers of one project by hand.
func TestTheProjectWasStoppedTogether(t *testing.T) {
	m := newSim(1, 2)
	m.steady = true
	m.run(10 * time.Second)
	for _, b := range m.boxes {
		b.state.Project = "shop"
		do("stop", m, b)
	}
	m.run(2 * time.Minute)
	for _, b := range m.boxes {
		if s := m.world.services[b.def.Name]; b.state.Status != container.Exited || s.incident.Held != "operator" {
			t.Errorf("%s is %s, held %q", b.def.Name, b.state.Status, s.incident.Held)
		}
	}
}
