package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// Containers with a HEALTHCHECK, and those that nothing else says anything of.

// aloneBox makes the first service a container without a url, which has a
// HEALTHCHECK.
func aloneBox(m *sim) {
	m.boxes[0].def.URL, m.boxes[0].checked = "", true
}

func TestAContainerAloneIsHealedAndVerifiedByItsState(t *testing.T) {
	for name, checked := range map[string]bool{"by its level": false, "by its HEALTHCHECK": true} {
		for _, fault := range []string{"stop", "kill", "exit", "pause"} {
			t.Run(name+", "+fault, func(t *testing.T) {
				m, b := quiet(t, aloneBox, func(m *sim) { m.boxes[0].checked = checked })
				do(fault, m, b)
				m.run(time.Minute)
				want := "start"
				if fault == "pause" {
					want = "unpause"
				}
				wantActions(t, m, want)
				wantEnd(t, m, event.HowHealed)
				m.run(2 * time.Minute)
				if n := len(m.actions()); n != 1 || !m.good("svc-0") {
					t.Errorf("%d actions, good: %v", n, m.good("svc-0"))
				}
			})
		}
	}
}

func TestAnUnhealthyContainerAloneIsRestartedOnce(t *testing.T) {
	m, b := quiet(t, aloneBox)
	b.app = "error"
	m.run(time.Minute)
	wantActions(t, m, "restart")
	wantEnd(t, m, event.HowHealed)
	if in := m.of0(); in.CauseID != "unhealthy" {
		t.Errorf("the cause is %q", in.CauseID)
	}
}

func TestAHealthcheckThatNeverSucceededRestartsNothing(t *testing.T) {
	m, _ := steadySim(t, aloneBox, func(m *sim) { m.boxes[0].app = "broken" })
	m.run(3 * time.Minute)
	wantNeverUp(t, m)
}

func TestAnUnhealthyContainerWhoseURLAnswersIsReportedAndNotRepaired(t *testing.T) {
	m, b := quiet(t)
	b.checked = true
	m.observeAs(event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: event.Down, Check: event.CheckHealth,
		Failure: event.FailureUnhealthy, Error: "the HEALTHCHECK fails"}, true)
	b.checked = false // it says nothing more
	m.run(20 * time.Second)
	if got := m.status("svc-0"); got.Status != event.Up || got.Held != "healthcheck" || got.HeldReason == "" || m.incident("svc-0") != nil {
		t.Errorf("it is %s, held by %q, incident %+v", got.Status, got.Held, m.incident("svc-0"))
	}
	if m.source("svc-0", "me", event.CheckHealth) != event.Down {
		t.Error("the page does not show the source")
	}
	m.foreign(b, event.Down, 20*time.Second)
	m.run(15 * time.Second)
	wantHeld(t, m, "healthcheck")
	m.run(3 * time.Minute)
	if got := m.status("svc-0"); got.Held != "" {
		t.Errorf("once it is stale, it is held by %q", got.Held)
	}
	wantEnd(t, m, event.HowRecovered)
}

func TestACrashLoopInspectedWhileRunningIsLeftToAPerson(t *testing.T) {
	m, b := quiet(t)
	b.loops = true
	b.state.RestartPolicy, b.state.RestartCount = "always", 3
	m.writeLevel(b)
	m.run(time.Minute) // it runs, and its url answers
	wantActions(t, m)
	if in := m.of0(); in.State != state.Escalated || in.CauseID != "crash_loop" {
		t.Errorf("the incident is %s, its cause %q, held by %q", in.State, in.CauseID, in.Held)
	}
	if got := m.status("svc-0"); got.Status != event.Down {
		t.Errorf("it is %s", got.Status)
	}
	b.loops = false
	m.writeLevel(b)
	m.run(time.Minute)
	wantEnd(t, m, event.HowRecovered)
}
