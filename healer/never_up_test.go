package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Whether our own check was ever UP as it is defined now: where it was not, the
// check may be what is wrong; where it was, the container has run.

// steadySim is a sim of one service in which nothing rare happens.
func steadySim(t *testing.T, options ...func(*sim)) (*sim, *box) {
	t.Helper()
	raced.Skip(t)
	m := newSim(1, 1, append([]func(*sim){func(m *sim) { m.steady, m.trace = true, []string{} }}, options...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(m.history())
		}
	})
	return m, m.boxes[0]
}

func wantNeverUp(t *testing.T, m *sim, before ...string) {
	t.Helper()
	wantActions(t, m, before...)
	if in := m.of0(); in.State != state.Escalated || in.CauseID != "check_never_up" {
		t.Errorf("the incident is %s, its cause %q", in.State, in.CauseID)
	}
}

func TestCheckThatWasNeverUpRestartsNothing(t *testing.T) {
	m, _ := steadySim(t, func(m *sim) { m.boxes[0].app = "broken" })
	m.run(3 * time.Minute)
	wantNeverUp(t, m)
	m.kill()
	m.run(3 * time.Minute)
	wantNeverUp(t, m)
}

func TestCheckOfAnotherAddressRestartsNothingUntilItWasUp(t *testing.T) {
	m, b := quiet(t)
	b.app = "error"
	m.run(1500 * time.Millisecond) // in the middle of the incident
	b.def.URL = "http://localhost:81"
	m.reconfigure()
	m.run(3 * time.Minute)
	wantNeverUp(t, m)
	b.app = "ok"
	m.run(time.Minute)
	wantEnd(t, m, event.HowRecovered)
	b.app = "error"
	m.run(time.Minute)
	wantActions(t, m, "restart")
}

func TestEditOfAnIntervalKeepsWhatIsKnownOfTheCheck(t *testing.T) {
	for name, edit := range map[string]func(*service.Definition){
		"interval": func(d *service.Definition) { d.Interval *= 2 },
		"note":     func(d *service.Definition) { d.Note = "nobody can pay" },
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t)
			b.app = "error"
			m.run(1500 * time.Millisecond)
			edit(&b.def)
			m.reconfigure()
			m.run(2 * time.Minute)
			wantActions(t, m, "restart")
			wantEnd(t, m, event.HowHealed)
		})
	}
}

func TestWhatWasUpStaysSoAcrossARestart(t *testing.T) {
	m, b := quiet(t)
	m.crash(2 * time.Second)
	b.app = "error"
	m.run(2 * time.Minute)
	wantActions(t, m, "restart")
}

// TestStopRightAfterDockerComesIsUndone has Docker absent at the start: the
// container was never inspected while it ran, and our own check knows that it did.
func TestStopRightAfterDockerComesIsUndone(t *testing.T) {
	m, b := steadySim(t, func(m *sim) { m.engine = false })
	m.run(20 * time.Second)
	if got := m.status("svc-0"); got.Status != event.Up || got.Container != nil {
		t.Fatalf("without Docker it is %s, container %+v", got.Status, got.Container)
	}
	m.engine = true
	do("stop", m, b)
	m.run(500 * time.Millisecond)
	m.connect()
	m.run(time.Minute)
	if b.state.Status != container.Running {
		t.Errorf("it is %s, held by %q", b.state.Status, m.gate())
	}
	wantActions(t, m, "start")
}
