package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What histories of many services and many wishes have shown.

// healOf has an operator ask for an action on a service.
func (m *sim) healOf(name, action string) string {
	return m.command(event.Command{Command: event.CommandHeal, Service: name, Args: event.CommandArgs{Action: action}})
}

// TestOperatorsRequestWaitsForTheActionOnItsPath: of two actions on one path of
// dependencies at once neither can be verified.
func TestOperatorsRequestWaitsForTheActionOnItsPath(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0))
	do("error", m, m.boxes[0])
	m.until(t, "the verification of its root", func() bool {
		in := m.incident("svc-0")
		if in == nil {
			return false
		}
		_, finished := in.Last(event.TypeActionFinished)
		return finished
	})
	m.healOf("svc-1", service.ActionRestart)
	m.run(2 * time.Second)
	if in := m.incident("svc-1"); in.Held != gateDependency || in.HeldReason != "waits for svc-0: the repair of a service that it depends on is not verified yet" {
		t.Errorf("it is held by %q: %s", in.Held, in.HeldReason)
	}
	m.run(time.Minute)
	wantTargets(t, m, "restart svc-0", "restart svc-1")
}

// TestFailedOperatorRepairIsNotFollowedByAnother: an operator who names an action
// that cannot be done has asked for no other, and no gate opens for one.
func TestFailedOperatorRepairIsNotFollowedByAnother(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0), func(m *sim) { m.boxes[0].def.Heal.Mode = service.Observe })
	do("kill", m, m.boxes[0])
	m.until(t, "the gate", func() bool { return m.open("svc-1") && m.incident("svc-1").Held == gateDependency })
	id := m.healOf("svc-1", service.ActionConnect) // whether that is possible is not known yet
	m.run(time.Minute)
	wantTargets(t, m)
	if in := m.incident("svc-1"); len(m.results(id)) != 1 || !m.results(id)[0].OK || in.Held != gateDependency {
		t.Errorf("the results are %+v, held by %q: %s", m.results(id), in.Held, in.HeldReason)
	}
}

// TestARequestThatAPersonWasCalledForEndsOnceTheServiceIsGood: every attempt at it
// was overtaken, and it is not asked for any more.
func TestARequestThatAPersonWasCalledForEndsOnceTheServiceIsGood(t *testing.T) {
	m, b := quiet(t)
	m.healOf("svc-0", service.ActionRestart)
	m.until(t, "a person is called", func() bool {
		if m.begun("svc-0") {
			b.state.StartedAt = b.state.StartedAt.Add(time.Second)
		}
		return m.of0().State == state.Escalated
	})
	m.run(time.Minute)
	wantEnd(t, m, event.HowRecovered)
}

// TestHeldServiceIsInspectedAfterARestart: another one may be known to need it, or
// not, only once all containers were seen.
func TestHeldServiceIsInspectedAfterARestart(t *testing.T) {
	m := quietSim(t, 4, needing(1, 0), composed(3, 2))
	m.boxes[0].app = "broken"
	m.until(t, "a person is called", func() bool { return m.open("svc-0") && m.incident("svc-0").State == state.Escalated })
	m.run(10 * time.Second)
	m.crash(10 * time.Second)
	m.exited(m.boxes[3], 1)
	m.run(2 * time.Minute)
	if b := m.boxes[3]; b.state.Status != container.Running {
		t.Errorf("svc-3 is %s, held by %q", b.state.Status, m.incident("svc-3").Held)
	}
}
