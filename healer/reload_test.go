package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What an edit of config.yaml must not break, applied live or at a start.

// TestMistypedURLIsNoReasonToRestart edits the url into one that answers 500:
// the service was UP, and never at that address.
func TestMistypedURLIsNoReasonToRestart(t *testing.T) {
	for name, edit := range map[string]func(*sim){
		"live":                 func(m *sim) { m.reconfigure() },
		"while stopped":        func(m *sim) { m.crash(time.Second) },
		"live, before a start": func(m *sim) { m.reconfigure(); m.run(time.Second); m.crash(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				m.run(time.Minute)
				b.def.URL, b.app = "http://localhost:81", "broken"
				edit(m)
				m.run(2 * time.Minute)
				wantActions(t, m)
				if in := m.of0(); in.State != state.Escalated || in.CauseID != "check_never_up" {
					t.Errorf("the incident is %s: %s", in.State, in.CauseID)
				}
				if !m.status("svc-0").NeverUp {
					t.Error("it is published as having been UP at its new url")
				}
			})
		})
	}
}

// TestServiceThatComesBackBeforeItsRemovalIsConfirmedIsPublished removes a
// service and configures it again while its removal is on its way.
func TestServiceThatComesBackBeforeItsRemovalIsConfirmedIsPublished(t *testing.T) {
	m, _ := quiet(t)
	m.step(Reconfigured{})
	if m.status("svc-0").Definition != nil {
		t.Fatal("its removal is not published")
	}
	m.reconfigure()
	m.run(time.Second)
	if m.status("svc-0").Definition == nil {
		t.Error("it is configured, and published as removed")
	}
}

// TestServiceThatIsBeingRemovedIsNotHealedByHand asks for a repair while the
// removal is on its way.
func TestServiceThatIsBeingRemovedIsNotHealedByHand(t *testing.T) {
	m, b := quiet(t)
	m.step(Reconfigured{})
	m.step(ReadCommand{event.Command{ID: "late", Time: m.now, By: "operator:ada", Service: b.def.Name, Command: event.CommandHeal,
		Args: event.CommandArgs{Action: "restart"}}})
	m.run(time.Second)
	if got := m.results("late"); len(got) != 1 || got[0].OK {
		t.Errorf("the results are %+v", got)
	}
	if m.open(b.def.Name) {
		t.Error("an incident is open about a service that is gone")
	}
}

// TestEditOfTheContainerIsDecidedFromTheNewOne names another container right
// after the one before was inspected.
func TestEditOfTheContainerIsDecidedFromTheNewOne(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.app = "broken"
		m.until(t, "a diagnosis", func() bool { return len(dataOf[event.Diagnosed](m)) == 1 })
		b.def.Container = "other"
		b.state.Name, b.state.ID, b.state.Status = "other", "id-other", container.Paused
		m.reconfigure()
		m.run(8 * time.Second) // no event reported its pause, which is waited for
		if all := dataOf[event.Diagnosed](m); len(all) != 2 || all[1].CauseID != "paused" {
			t.Errorf("the diagnoses are %+v", all)
		}
	})
}

// TestEditOfTheContainerForgetsTheOneBefore while the new one cannot be inspected.
func TestEditOfTheContainerForgetsTheOneBefore(t *testing.T) {
	m, b := quiet(t)
	m.dockerUnreachable(time.Minute)
	m.run(time.Second)
	b.def.Container = "other"
	m.reconfigure()
	m.run(time.Second)
	if got := m.status(b.def.Name).Container; got != nil {
		t.Errorf("its container is published as %+v", got)
	}
}

// TestUPAtANewURLIsPublished though nothing else of the service has changed.
func TestUPAtANewURLIsPublished(t *testing.T) {
	m, b := quiet(t)
	b.def.URL = "http://localhost:81"
	m.reconfigure()
	m.run(time.Second)
	if s := m.status(b.def.Name); s.Status != event.Up || !s.NeverUp {
		t.Fatalf("right after the edit it is %s, never UP: %v", s.Status, s.NeverUp)
	}
	m.run(10 * time.Second)
	if m.status(b.def.Name).NeverUp {
		t.Error("it was UP at its new url, and is published as if it was never")
	}
}

// TestStatusThatCouldNotBePublishedIsPublishedLater has a service stop reporting
// while nothing can be written.
func TestStatusThatCouldNotBePublishedIsPublishedLater(t *testing.T) {
	m, b := quiet(t)
	b.unchecked = true
	m.run(5 * time.Second)
	m.kafkaUnreachable(5 * time.Second)
	m.run(7 * time.Second)
	if got := m.services[len(m.services)-1].in.Service; got.Status != event.Unknown {
		t.Errorf("the topic says that it is %s", got.Status)
	}
}

// TestRepairIsVerifiedWithoutTheContainerThatAnEditRemoved: then the checks alone decide.
func TestRepairIsVerifiedWithoutTheContainerThatAnEditRemoved(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		repaired(t, "kill", m, b)
		b.def.Container = ""
		m.reconfigure()
		m.run(time.Minute)
		wantEnd(t, m, event.HowHealed)
	})
}

// TestEditOfManualStopIsTaken while a stop is left alone.
func TestEditOfManualStopIsTaken(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(20 * time.Second)
		wantHeld(t, m, "operator")
		b.def.Heal.ManualStop = service.Default().Heal.ManualStop
		m.reconfigure()
		m.run(20 * time.Second)
		wantActions(t, m, "start")
	}, defined(func(d *service.Definition) { d.Heal.ManualStop = service.StopIgnore }))
}

// TestEditThatNamesTheContainerAnewWritesNoIntentInVain: until the monitor has
// informed of the container's state again, no intent would survive its preflight.
func TestEditThatNamesTheContainerAnewWritesNoIntentInVain(t *testing.T) {
	m, b := quiet(t)
	name := b.def.Container
	b.def.Container = ""
	m.reconfigure()
	m.run(10 * time.Second)
	do("kill", m, b)
	m.run(6 * time.Second) // our own check says DOWN
	b.def.Container = name
	m.reconfigure()
	m.after(300*time.Millisecond, m.living(func() { b.level = ""; m.writeLevel(b) })) // as the monitor does for a new target
	m.run(time.Minute)
	for _, result := range dataOf[event.ActionFinished](m) {
		if result.Outcome == event.OutcomeNotExecuted {
			t.Errorf("not executed: %s", result.Error)
		}
	}
	wantActions(t, m, "start")
}
