package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// wantTargets checks which actions were begun so far, and on what.
func wantTargets(t *testing.T, m *sim, want ...string) {
	t.Helper()
	if got := m.targets(); !slices.Equal(got, want) {
		t.Errorf("actions are %v, want %v", got, want)
	}
}

// wantAllUp checks that every service is UP and no incident is open.
func wantAllUp(t *testing.T, m *sim) {
	t.Helper()
	for _, b := range m.boxes {
		if name := b.def.Name; !m.good(name) || m.open(name) {
			t.Errorf("%s is %s, open %v, held by %q: %s", name, m.status(name).Status, m.open(name), m.status(name).Held, m.status(name).HeldReason)
		}
	}
}

// holdsOf are what was written of a service's holds by this gate.
func holdsOf(m *sim, name, gate string) (all []event.Suppressed) {
	for _, w := range m.incidents {
		if s, is := w.event.Data.(event.Suppressed); is && w.event.Service == name && s.Gate == gate && w.copy.IsZero() {
			all = append(all, s)
		}
	}
	return all
}

// shapes are services above one database, svc-0: a service that fails with it gets no
// repair.
var shapes = map[string][]func(*sim){
	"four beside each other": {needing(1, 0), needing(2, 0), needing(3, 0), needing(4, 0)},
	"a chain":                {needing(1, 0), needing(2, 1), needing(3, 2), needing(4, 3)},
	"a diamond":              {needing(1, 0), needing(2, 0), needing(3, 1, 2), needing(4, 3)},
	"by Compose's labels":    {composed(1, 0), composed(2, 0), composed(3, 1), composed(4, 3)},
}

// TestOneActionForAllThatFailWithTheirRoot: whether the root's container ended or
// its process fails, and whichever turns DOWN first.
func TestOneActionForAllThatFailWithTheirRoot(t *testing.T) {
	for shape, options := range shapes {
		for fault, action := range map[string]string{"stop": "start", "kill": "start", "pause": "unpause", "error": "restart"} {
			t.Run(shape+", "+fault, func(t *testing.T) {
				for _, stopFirst := range []bool{false, true} {
					m := quietSim(t, 5, append([]func(*sim){func(m *sim) { m.stopFirst = stopFirst }}, options...)...)
					do(fault, m, m.boxes[0])
					m.run(3 * time.Minute)
					wantTargets(t, m, action+" svc-0")
					wantAllUp(t, m)
				}
			})
		}
	}
}

// TestDependentThatTurnsDownFirstIsNotRestarted: its own checks are more frequent,
// and its root has no container that would show it at once.
func TestDependentThatTurnsDownFirstIsNotRestarted(t *testing.T) {
	m := quietSim(t, 2, needing(0, 1), func(m *sim) {
		m.boxes[1].def.Interval, m.boxes[1].def.FailureThreshold = 30*time.Second, 3
	})
	m.run(40 * time.Second)
	m.boxes[1].app = "error"
	m.run(20 * time.Second)
	wantTargets(t, m)
	if m.boxes[1].asked == 0 {
		t.Error("its root was not checked before it was to be restarted")
	}
	if all := holdsOf(m, "svc-0", "dependency"); len(all) != 1 || all[0].Root != "svc-1" || !strings.HasPrefix(all[0].Reason, "waits for svc-1: the newest check") {
		t.Errorf("it is held by %+v", all)
	}
	m.run(5 * time.Minute)
	wantTargets(t, m, "restart svc-1")
	wantAllUp(t, m)
}

func TestDependentNamesItsRootAndTheRootsIncident(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0), configured(func(c *Config) { c.ManualGrace = 20 * time.Second }))
	do("stop", m, m.boxes[0])
	m.run(15 * time.Second)
	in := m.incident("svc-1")
	if in == nil || in.Held != "dependency" || in.Root != "svc-0" || in.RootIncident != m.of0().ID {
		t.Fatalf("the dependent's incident is %+v", in)
	}
	if want := "waits for svc-0: a service that it depends on is DOWN"; in.HeldReason != want {
		t.Errorf("its reason is %q, want %q", in.HeldReason, want)
	}
	if _, diagnosed := in.Last(event.TypeDiagnosed); diagnosed {
		t.Error("it was diagnosed while its root was DOWN")
	}
	if got := m.status("svc-1").Needs; !slices.Equal(got, []event.Need{{Service: "svc-0", From: "config"}}) {
		t.Errorf("it is published to need %v", got)
	}
	m.run(2 * time.Minute)
	wantTargets(t, m, "start svc-0")
	wantAllUp(t, m)
	if in = m.incident("svc-1"); in.How != event.HowRecovered || in.Root != "svc-0" {
		t.Errorf("its incident ended %s, with root %q", in.How, in.Root)
	}
}

func TestIndependentFailuresAreBothRepaired(t *testing.T) {
	m := quietSim(t, 3, needing(2, 1))
	do("kill", m, m.boxes[0])
	do("kill", m, m.boxes[1])
	m.run(2 * time.Minute)
	if got := m.targets(); len(got) != 2 || !slices.Contains(got, "start svc-0") || !slices.Contains(got, "start svc-1") {
		t.Errorf("actions are %v", got)
	}
	wantAllUp(t, m)
}

// TestDependentsOfARootThatIsNotOursToRepairAreHeld, and repaired by themselves
// once a person has repaired it.
func TestDependentsOfARootThatIsNotOursToRepairAreHeld(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*sim)
		fail   func(*sim)
		repair func(*sim)
		reason string
	}{
		"it is in observe": {func(m *sim) { m.boxes[0].def.Heal.Mode = service.Observe },
			func(m *sim) { do("kill", m, m.boxes[0]) }, func(m *sim) { m.start(m.boxes[0]) }, "its mode is observe"},
		"it is escalated": {func(m *sim) { m.boxes[0].def.Heal.Never = []string{service.ActionRestart} },
			func(m *sim) { m.boxes[0].app = "broken" }, func(m *sim) { m.boxes[0].app = "ok" }, "a person is needed"},
		"it has no container": {func(m *sim) { m.boxes[0].def.Container = "" },
			func(m *sim) { m.boxes[0].app = "broken" }, func(m *sim) { m.boxes[0].app = "ok" }, "DOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			m := quietSim(t, 2, needing(1, 0), tt.change)
			tt.fail(m)
			m.run(10 * time.Minute)
			wantTargets(t, m)
			in := m.incident("svc-1")
			if in == nil || in.State != state.Open || in.Held != "dependency" || !strings.Contains(in.HeldReason, tt.reason) {
				t.Fatalf("the dependent's incident is %+v", in)
			}
			if n := len(holdsOf(m, "svc-1", "dependency")); n > 2 {
				t.Errorf("%d holds were written", n)
			}
			tt.repair(m)
			m.run(time.Minute)
			wantTargets(t, m)
			wantAllUp(t, m)
		})
	}
}

// TestDependentThatIsBrokenItselfIsRepairedAfterItsRoot: its own checks decide
// anew, once the root is verified.
func TestDependentThatIsBrokenItselfIsRepairedAfterItsRoot(t *testing.T) {
	for _, fault := range []string{"error", "kill"} {
		t.Run(fault, func(t *testing.T) {
			m := quietSim(t, 2, needing(1, 0))
			do("kill", m, m.boxes[0])
			do(fault, m, m.boxes[1])
			m.run(3 * time.Minute)
			wantTargets(t, m, "start svc-0", map[string]string{"error": "restart", "kill": "start"}[fault]+" svc-1")
			wantAllUp(t, m)
			verified := dataTimes[event.Verified](m, "svc-0")[0]
			began := dataTimes[event.ActionStarted](m, "svc-1")[0]
			if grace := 2 * m.boxes[1].def.Interval; fault == "error" && began.Sub(verified) < grace/2 || began.Before(verified) {
				t.Errorf("the dependent was repaired %s after its root was verified", began.Sub(verified))
			}
		})
	}
}

// dataTimes are when the records of one type were written of a service.
func dataTimes[D event.Data](m *sim, name string) (all []time.Time) {
	for _, w := range m.incidents {
		if _, is := w.event.Data.(D); is && w.event.Service == name && w.copy.IsZero() {
			all = append(all, w.event.Time)
		}
	}
	return all
}

// TestRootThatFailsWhileADependentIsVerifiedInterruptsIt: two services of one path
// are never acted on at once, and the root does not wait for what cannot succeed.
func TestRootThatFailsWhileADependentIsVerifiedInterruptsIt(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0))
	do("kill", m, m.boxes[1])
	m.until(t, "the dependent is verified", func() bool {
		in := m.incident("svc-1")
		return in != nil && in.Events[len(in.Events)-1].Type == event.TypeActionFinished
	})
	do("kill", m, m.boxes[0])
	m.run(3 * time.Minute)
	wantTargets(t, m, "start svc-1", "start svc-0")
	wantAllUp(t, m)
	if all := dataOf[event.Verified](m); len(all) == 0 || all[0].Outcome != event.OutcomeInterrupted || !strings.Contains(all[0].Error, "svc-0, which it depends on, is DOWN") {
		t.Errorf("verified were %+v", all)
	}
}

// TestFlappingRootHoldsItsDependentsAndNothingSpins.
func TestFlappingRootHoldsItsDependentsAndNothingSpins(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0), configured(func(c *Config) { c.Mode = service.Observe }))
	for range 20 {
		m.boxes[0].app = "broken"
		m.run(8 * time.Second)
		m.boxes[0].app = "ok"
		m.run(8 * time.Second)
	}
	wantTargets(t, m)
	if n := len(holdsOf(m, "svc-1", "dependency")); n > 40 {
		t.Errorf("%d holds were written in 20 rounds", n)
	}
	m.run(15 * time.Minute)
	wantAllUp(t, m)
}

// TestDependencyThatCannotBeCheckedIsNotWaitedForLong, and the evidence says so.
func TestDependencyThatCannotBeCheckedIsNotWaitedForLong(t *testing.T) {
	m := quietSim(t, 2, needing(0, 1), func(m *sim) { m.boxes[1].mute = true })
	m.boxes[1].unchecked = true
	do("error", m, m.boxes[0])
	m.until(t, "it is restarted", func() bool { return len(m.actions()) > 0 })
	opened, began := m.of0().Opened, dataTimes[event.ActionStarted](m, "svc-0")[0]
	if waited := began.Sub(opened); waited < 3*time.Second || waited > 4*time.Second {
		t.Errorf("it was restarted %s after it was DOWN, want after 3s", waited)
	}
	evidence := dataOf[event.Evidence](m)[0]
	if !slices.ContainsFunc(evidence.Facts, func(f event.Fact) bool { return f.Key == "dependency svc-1" && f.Value == "not checked in time" }) {
		t.Errorf("the evidence is %+v", evidence.Facts)
	}
	wantTargets(t, m, "restart svc-0")
}

// TestDependencyWithoutACheckIsInspected.
func TestDependencyWithoutACheckIsInspected(t *testing.T) {
	m := quietSim(t, 2, needing(0, 1), func(m *sim) { m.boxes[1].def.URL = "docker://" })
	do("error", m, m.boxes[0])
	m.run(time.Minute)
	wantTargets(t, m, "restart svc-0")
	if began := dataTimes[event.ActionStarted](m, "svc-0")[0].Sub(m.of0().Opened); began > time.Second {
		t.Errorf("it was restarted %s after it was DOWN", began)
	}
	wantAllUp(t, m)
}

// TestDependentsWaitUntilTheirRootIsUp: that its container runs again is not
// enough.
func TestDependentsWaitUntilTheirRootIsUp(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0), func(m *sim) { m.boxes[0].def.Heal.Mode = service.Observe })
	do("kill", m, m.boxes[0])
	m.boxes[1].app = "error"
	m.run(20 * time.Second)
	m.boxes[0].unchecked = true
	m.start(m.boxes[0])
	m.run(time.Minute)
	wantTargets(t, m)
	m.boxes[0].unchecked = false
	m.run(time.Minute)
	wantTargets(t, m, "restart svc-1")
	wantAllUp(t, m)
}

// TestOperatorsRequestDoesNotWaitForTheRoot.
func TestOperatorsRequestDoesNotWaitForTheRoot(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0), func(m *sim) { m.boxes[0].def.Heal.Mode = service.Observe })
	do("kill", m, m.boxes[0])
	m.run(20 * time.Second)
	m.command(event.Command{Service: "svc-1", Command: event.CommandHeal, Args: event.CommandArgs{Action: "restart"}})
	m.run(20 * time.Second)
	wantTargets(t, m, "restart svc-1")
}

// TestCheckThatNeverSucceededHoldsNoDependent: a mistyped address of one service is no
// reason to leave another DOWN.
func TestCheckThatNeverSucceededHoldsNoDependent(t *testing.T) {
	m := newSim(1, 2, needing(1, 0), func(m *sim) { m.steady, m.boxes[0].app = true, "broken" })
	m.run(2 * time.Minute)
	do("kill", m, m.boxes[1])
	m.run(30 * time.Second)
	if m.broken != "" {
		t.Fatal(m.broken)
	}
	if got := m.targets(); !slices.Contains(got, "start svc-1") {
		t.Errorf("actions are %v", got)
	}
}

// TestCrashWhileADependentWaits: a new life holds it as well, and gives it the
// same grace.
func TestCrashWhileADependentWaits(t *testing.T) {
	for after := time.Second; after < 20*time.Second; after += 3 * time.Second {
		m := quietSim(t, 3, needing(1, 0), needing(2, 1), configured(func(c *Config) { c.ManualGrace = 10 * time.Second }))
		do("stop", m, m.boxes[0])
		m.run(after)
		m.crash(2 * time.Second)
		m.run(3 * time.Minute)
		wantTargets(t, m, "start svc-0")
		wantAllUp(t, m)
	}
}

// TestAServiceWaitsForNoInspectionThatIsNeverMade: the incident of another one is
// held before its container is inspected, also after a restart.
func TestAServiceWaitsForNoInspectionThatIsNeverMade(t *testing.T) {
	m := quietSim(t, 2, func(m *sim) {
		of := &m.boxes[0].state
		of.Project, of.Service, of.DependsOn = "shop", "web", []string{"migration"} // which is no service
	})
	m.foreign(m.boxes[1], event.Down, 5*time.Minute)
	m.run(30 * time.Second)
	if in := m.incident("svc-1"); in == nil || in.Held != "unconfirmed" {
		t.Fatalf("the other one's incident is %+v", in)
	}
	m.killFor(time.Second)
	m.run(30 * time.Second)
	do("kill", m, m.boxes[0])
	m.run(time.Minute)
	wantTargets(t, m, "start svc-0")
}
