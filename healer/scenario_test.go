package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
	"logstream/internal/state"
)

// quiet is a sim of one service that has been up for a while.
func quiet(t *testing.T, options ...func(*sim)) (*sim, *box) {
	t.Helper()
	m := quietSim(t, 1, options...)
	return m, m.boxes[0]
}

// quietSim is one of so many. A sim has one goroutine: under the race detector the
// random histories alone run the core, each core of the machine one of its own.
func quietSim(t *testing.T, boxes int, options ...func(*sim)) *sim {
	t.Helper()
	raced.Skip(t)
	m := newSim(1, boxes, append([]func(*sim){func(m *sim) { m.steady, m.trace = true, []string{} }}, options...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(m.history())
		}
		if m.broken != "" {
			t.Errorf("an invariant did not hold: %s", m.broken)
		}
	})
	m.run(10 * time.Second)
	for _, b := range m.boxes {
		if got := m.status(b.def.Name).Status; got != event.Up {
			t.Fatalf("%s is %s after ten quiet seconds", b.def.Name, got)
		}
	}
	return m
}

// bothEngines runs a scenario with each order in which an engine reports an end.
func bothEngines(t *testing.T, scenario func(t *testing.T, m *sim, b *box), options ...func(*sim)) {
	t.Helper()
	for name, stopFirst := range map[string]bool{"die before stop": false, "stop before die": true} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, append([]func(*sim){func(m *sim) { m.stopFirst = stopFirst }}, options...)...)
			scenario(t, m, b)
		})
	}
}

// configured changes the healer's configuration.
func configured(change func(*Config)) func(*sim) { return func(m *sim) { change(&m.cfg) } }

// defined changes the definition of every service.
func defined(change func(*service.Definition)) func(*sim) {
	return func(m *sim) {
		for _, b := range m.boxes {
			change(&b.def)
		}
	}
}

func observing(c *Config) { c.Mode = service.Observe }

func do(name string, m *sim, b *box) {
	for _, act := range outside {
		if act.name == name {
			act.do(m, b)
			return
		}
	}
	panic(name)
}

// wantActions checks which actions were begun so far.
func wantActions(t *testing.T, m *sim, want ...string) {
	t.Helper()
	if got := m.actions(); !slices.Equal(got, want) {
		t.Errorf("actions are %v, want %v; held by %q", got, want, m.gate())
	}
}

// wantHeld checks that nothing was begun, and which gate holds the incident.
func wantHeld(t *testing.T, m *sim, gate string) {
	t.Helper()
	if got := m.actions(); len(got) != 0 || m.gate() != gate {
		t.Errorf("actions are %v, held by %q: want none, held by %q", got, m.gate(), gate)
	}
}

// wantEnd checks how the newest incident ended.
func wantEnd(t *testing.T, m *sim, how string) {
	t.Helper()
	if in := m.of0(); in.State != state.Resolved || in.How != how {
		t.Errorf("the incident is %s (%s), held by %q; want it to be resolved as %s", in.State, in.How, in.Held, how)
	}
}

func TestEachFaultGetsItsActionOnce(t *testing.T) {
	for _, tt := range []struct{ fault, action, cause string }{
		{"stop", "start", "stopped"},
		{"ignored stop", "start", "stopped"},
		{"kill", "start", "killed"},
		{"exit", "start", "exited"},
		{"pause", "unpause", "paused"},
		{"error", "restart", "http_5xx"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				do(tt.fault, m, b)
				m.run(60 * time.Second)
				wantActions(t, m, tt.action)
				wantEnd(t, m, event.HowHealed)
				if got := m.of0().CauseID; got != tt.cause {
					t.Errorf("the cause is %q", got)
				}
			})
		})
	}
}

func TestKilledContainerIsStartedAtOnce(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(2 * time.Second)
		if b.state.Status != container.Running {
			t.Errorf("two seconds after a kill it is %s", b.state.Status)
		}
	})
}

func TestRestartOfAProcessThatIgnoresTheStopSignalIsOurs(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.stubborn = true
		do("error", m, b)
		m.run(60 * time.Second)
		wantActions(t, m, "restart")
		wantEnd(t, m, event.HowHealed)
	})
}

func TestKillGivesSevenRecords(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(time.Minute)
		var types []event.Type
		for _, e := range m.of0().Events {
			types = append(types, e.Type)
		}
		want := []event.Type{event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified, event.TypeResolved}
		if !slices.Equal(types, want) {
			t.Errorf("it is recorded in %v", types)
		}
		wantEnd(t, m, event.HowHealed)
	})
}

func TestPersistentErrorIsEscalatedAfterOneRestart(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.app = "broken"
		m.run(5 * time.Minute)
		wantActions(t, m, "restart")
		if in := m.of0(); in.State != state.Escalated {
			t.Errorf("the incident is %s", in.State)
		}
		if got := dataOf[event.Escalated](m); len(got) != 1 || !strings.Contains(got[0].Reason, "answers HTTP 500 since, so another restart would not help") {
			t.Errorf("escalated were %+v", got)
		}
		b.app = "ok" // a person fixed it
		m.run(time.Minute)
		wantEnd(t, m, event.HowRecovered)
	})
}

// TestContainerThatKeepsExitingIsEscalatedAfterOneStart: where that ended as the
// life before, another start is no repair.
func TestContainerThatKeepsExitingIsEscalatedAfterOneStart(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.lines = []string{"starting", "ERROR configuration: PORT is not set", "exited with code 1"}
		for range 200 {
			if m.run(3 * time.Second); b.state.Status == container.Running {
				do("exit", m, b)
			}
		}
		wantActions(t, m, "start")
		const want = "The container exits by itself within seconds of each start. It exited 2 times in a row with exit code 1: its configuration or image is wrong; its log says: ERROR configuration: PORT is not set."
		if got := dataOf[event.Escalated](m); len(got) != 1 || got[0].Reason != want {
			t.Errorf("escalated were %+v", got)
		}
	})
}

// TestRestartIsRepeatedAfterAnInterruptedVerification: it was interrupted, or
// another cause came while it was verified.
func TestRestartIsRepeatedAfterAnInterruptedVerification(t *testing.T) {
	for name, happens := range map[string]func(*sim, *box){
		"interrupted": func(m *sim, b *box) {
			b.app = "hang"
			do("restart", m, b)
			m.after(3*time.Second, func() { b.app = "hang" })
		},
		"another cause": func(_ *sim, b *box) { b.app = "hang" },
	} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				repaired(t, "error", m, b)
				b.app = "broken"
				m.run(time.Second)
				happens(m, b)
				m.run(3 * time.Minute)
				wantActions(t, m, "restart", "restart")
			})
		})
	}
}

func TestEscalatedIncidentIsTakenUpForALosslessRepair(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.app = "broken"
		m.run(3 * time.Minute)
		if in := m.of0(); in.State != state.Escalated {
			t.Fatalf("the incident is %s", in.State)
		}
		do("pause", m, b)
		m.run(20 * time.Second)
		wantActions(t, m, "restart", "unpause")
	})
}

func TestEscalatedIncidentIsNotTakenUpForAnotherRestart(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(3 * time.Minute)
	if in := m.of0(); in.State != state.Escalated {
		t.Fatalf("the incident is %s", in.State)
	}
	b.app = "hang"
	m.run(2 * time.Minute)
	wantActions(t, m, "restart")
	if in := m.of0(); in.State != state.Escalated {
		t.Errorf("another cause, whose repair is a restart: the incident is %s", in.State)
	}
}

func TestRestartPolicyGoesFirst(t *testing.T) {
	m, b := quiet(t)
	b.state.RestartPolicy = "unless-stopped"
	do("exit", m, b)
	m.run(3 * time.Second)
	wantHeld(t, m, "policy")
	m.run(30 * time.Second)
	wantActions(t, m, "start") // Docker did nothing for ten seconds
}

func TestOwnContainerIsNeverTouched(t *testing.T) {
	m, b := quiet(t)
	b.state.Self = true
	do("kill", m, b)
	m.run(time.Minute)
	wantHeld(t, m, "self")
}

// TestDependencyIsNeverTouched: our broker and our model, by name, by Compose's
// name, or by the port that leads to them.
func TestDependencyIsNeverTouched(t *testing.T) {
	for name, state := range map[string]container.State{"a name": {Name: "kafka"}, "Compose's name": {Name: "shop-kafka-1", Service: "kafka"}, "a port": {Name: "svc-0", HostPorts: "8080 11434"}} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, func(m *sim) { m.protected = []string{"kafka", ":11434"} })
			b.state.Name, b.state.Service, b.state.HostPorts = state.Name, state.Service, state.HostPorts
			do("kill", m, b)
			m.run(time.Minute)
			wantHeld(t, m, "self")
		})
	}
}

func TestContainerThatNeverRanIsLeftAlone(t *testing.T) {
	m := newSim(1, 1)
	m.kill() // before anything was seen
	b := m.boxes[0]
	b.state.Status = container.Exited
	b.state.FinishedAt = b.state.StartedAt.Add(time.Minute)
	m.run(2 * time.Minute)
	wantHeld(t, m, "operator")
}

func TestForeignSourceAloneIsNotActedUpon(t *testing.T) {
	m, b := quiet(t)
	m.foreign(b, event.Down, 30*time.Second)
	m.run(20 * time.Second)
	wantHeld(t, m, "unconfirmed")
	m.run(time.Minute)
	wantEnd(t, m, event.HowRecovered)
}

func TestForeignSourceIsActedUponWhereOthersAreBelieved(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.foreign(b, event.Down, 8*time.Second)
		m.run(10 * time.Second)
		wantActions(t, m, "restart")
		m.run(time.Minute)
		wantEnd(t, m, event.HowHealed)
	}, defined(func(d *service.Definition) { d.Heal.Confirm = false }))
}

// TestForeignSourceIsBelievedWhereTheContainerConfirmsIt though our own check is
// not received.
func TestForeignSourceIsBelievedWhereTheContainerConfirmsIt(t *testing.T) {
	m, b := quiet(t)
	b.unchecked = true
	m.run(10 * time.Second)
	m.foreign(b, event.Down, time.Minute)
	m.run(6 * time.Second)
	wantHeld(t, m, "unconfirmed")
	do("kill", m, b)
	m.run(10 * time.Second)
	wantActions(t, m, "start")
}

// TestForeignSourceOfBeforeAStartRestartsNothing: what it saw was the life before.
func TestForeignSourceOfBeforeAStartRestartsNothing(t *testing.T) {
	m, b := quiet(t, defined(func(d *service.Definition) { d.Heal.Confirm = false }))
	m.foreign(b, event.Down, 30*time.Second)
	m.until(t, "an incident", func() bool { return len(dataOf[event.Opened](m)) > 0 })
	b.state.StartedAt = m.now
	m.run(10 * time.Second)
	wantHeld(t, m, "starting")
}

func TestObserveModeOnlyReports(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(30 * time.Second)
		wantHeld(t, m, "observe")
	}, configured(observing))
}

func TestContainerIsPublishedBeforeAnythingBreaks(t *testing.T) {
	m, _ := quiet(t)
	if c := m.status("svc-0").Container; c == nil || c.ID != "id-svc-0" || !c.Ran {
		t.Errorf("the log says of its container: %+v", c)
	}
}

// TestRestartNeedsBadChecksSinceTheStart starts the container, unseen by the
// engine's events, between the checks that failed and the inspection.
func TestRestartNeedsBadChecksSinceTheStart(t *testing.T) {
	m, b := quiet(t)
	b.app = "hang"
	failed := func() (n int) {
		for _, r := range m.health {
			if r.in.Log.Check == "http" && r.in.Log.Status == event.Down && r.in.Log.Time().After(b.state.StartedAt) {
				n++
			}
		}
		return n
	}
	m.until(t, "a failed check", func() bool { return failed() > 0 })
	b.state.StartedAt = m.now
	m.until(t, "a restart", func() bool { return len(m.actions()) > 0 })
	if n := failed(); n < b.def.FailureThreshold {
		t.Errorf("it is restarted after %d failed checks since its start, want %d", n, b.def.FailureThreshold)
	}
}

// TestNothingIsRestartedWithinItsStartPeriod though it began unseen by the
// engine's events.
func TestNothingIsRestartedWithinItsStartPeriod(t *testing.T) {
	m, b := quiet(t, defined(func(d *service.Definition) { d.StartPeriod = 20 * time.Second }))
	b.app, b.state.StartedAt = "broken", m.now
	m.until(t, "a restart", func() bool { return len(m.actions()) > 0 })
	if since := m.now.Sub(b.state.StartedAt); since < 20*time.Second {
		t.Errorf("it is restarted %s after its start", since)
	}
}

// TestCheckThatHasJustSucceededAgainIsNoCause: one good check is not yet UP, and
// no answer that a person has to investigate.
func TestCheckThatHasJustSucceededAgainIsNoCause(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.until(t, "an incident", func() bool { return len(dataOf[event.Opened](m)) > 0 })
	m.observe(b, "http", event.Up, m.now)
	m.run(time.Minute)
	for _, d := range dataOf[event.Diagnosed](m) {
		if d.CauseID != "http_5xx" && d.CauseID != "http_5xx_persistent" { // which comes after its restart
			t.Errorf("diagnosed was %s", d.CauseID)
		}
	}
	wantActions(t, m, "restart")
}

func TestDownTimeEndsWithTheFirstGoodAnswer(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.def.Interval = 10 * time.Second
		m.reconfigure()
		do("kill", m, b)
		m.run(90 * time.Second)
		wantEnd(t, m, event.HowHealed)
		if in := m.of0(); in.DownMS > 3000 {
			t.Errorf("down for %.0f ms: it answered a second after the start, long before the first scheduled check", in.DownMS)
		}
	})
}

func TestBoundedNumberOfContainerNamesKeepsTheServicesOwn(t *testing.T) {
	m, b := quiet(t)
	for i := range 5000 {
		e := event.Docker{Time: m.now, Container: "burst-" + time.Duration(i).String(), ID: "x", Action: "create"}
		e.Origin, e.Revision = m.revise()
		m.step(ReadDocker{e})
	}
	do("kill", m, b)
	m.run(time.Minute)
	wantActions(t, m, "start")
	if got := m.of0().CauseID; got != "killed" {
		t.Errorf("after events of 5000 other containers the cause is %q", got)
	}
}
