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

// An end of the process in the middle of a call that consists of several.

// TestALimitIsRaisedOnceAcrossAnEndOfTheProcess: between the new limit and the
// start of the container.
func TestALimitIsRaisedOnceAcrossAnEndOfTheProcess(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.run(time.Minute)
		do("kill", m, b)
		m.until(t, "a person", func() bool { return m.of0() != nil && m.of0().State == state.Escalated })
		m.heal(service.ActionRaiseMemory)
		m.until(t, "the new limit", func() bool { return b.state.Memory == 128*mib })
		m.crash(time.Second)
		m.run(5 * time.Minute)
		if b.state.Memory != 128*mib || !m.serves(b) || m.of0().State != state.Resolved {
			t.Errorf("its limit is %d MiB, it is %s, its incident %s", b.state.Memory/mib, b.state.Status, m.of0().State)
		}
		wantResult(t, m, m.undoOf(m.of0().ID, 0), "", "")
		m.run(30 * time.Second)
		if b.state.Memory != 64*mib {
			t.Errorf("undone, its limit is %d MiB", b.state.Memory/mib)
		}
	}, limited, func(m *sim) { m.boxes[0].def.Heal.Never = []string{service.ActionStart} })
}

// cutOffRollback is a bad image whose rollback was cut off by the end of our
// process after the old container was renamed.
func cutOffRollback(t *testing.T, m *sim, b *box) (kept string) {
	t.Helper()
	m.run(time.Minute)
	m.updated(b, "sha-2", "broken")
	m.until(t, "the rollback takes the container out of its place", func() bool { return b.cutOff })
	kept = b.former.state.ID
	m.crash(time.Second)
	m.run(50 * time.Second) // what was under way may still come for longer
	return kept
}

// TestAReplacementThatWasCutOffIsPutBack once, recorded as its undo, and the
// incident goes on.
func TestAReplacementThatWasCutOffIsPutBack(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		kept := cutOffRollback(t, m, b)
		m.until(t, "it is put back", func() bool { return !b.gone && b.state.Status == container.Running })
		if b.state.ID != kept || b.state.ImageID != "sha-2" {
			t.Errorf("in its place is %+v", b.state)
		}
		m.until(t, "a person", func() bool { return m.of0().State == state.Escalated })
		started := dataOf[event.ActionStarted](m)
		if n := len(started); n < 2 || started[n-1].Undoes != started[n-2].Attempt || started[n-1].Params.ContainerID != kept {
			t.Errorf("begun were %+v", started)
		}
		finished := dataOf[event.ActionFinished](m)
		if n := len(finished); finished[n-2].Outcome != event.OutcomeUnknown || finished[n-2].KeptID != kept || !finished[n-1].OK {
			t.Errorf("the results are %+v", finished)
		}
		if held := m.status("svc-0").Held; held != "" {
			t.Errorf("our own events hold it: %q", held)
		}
		m.run(10 * time.Minute)
		for _, a := range dataOf[event.ActionStarted](m)[len(started):] {
			t.Errorf("begun again was %+v", a)
		}
		b.app = "ok"
		m.until(t, "it recovers", func() bool { return m.of0().State == state.Resolved })
		if m.audit(); m.broken != "" {
			t.Error(m.broken)
		}
	}, listed)
}

// TestNothingIsPutBackIntoATakenPlace: a user made a container of that name.
func TestNothingIsPutBackIntoATakenPlace(t *testing.T) {
	m, b := quiet(t, listed)
	cutOffRollback(t, m, b)
	m.renewedTo(b, "sha-3", b.state.SpecHash)
	b.gone, b.cutOff, b.app = false, false, "broken"
	m.emit(b, "create", nil)
	m.started(b, nil)
	m.run(5 * time.Minute)
	for _, a := range dataOf[event.ActionStarted](m) {
		if a.Undoes > 0 {
			t.Errorf("begun was %+v", a)
		}
	}
}

// TestAPersonIsCalledWhereTheOldContainerIsGone.
func TestAPersonIsCalledWhereTheOldContainerIsGone(t *testing.T) {
	m, b := quiet(t, listed)
	cutOffRollback(t, m, b)
	b.former = nil
	m.until(t, "a person", func() bool { return m.of0().State == state.Escalated })
	escalated := dataOf[event.Escalated](m)
	if last := escalated[len(escalated)-1]; !strings.Contains(last.Reason, "could not be put back: no such container") {
		t.Errorf("the reason is %q", last.Reason)
	}
}

// TestPuttingBackOutlivesTheProcess at each of its steps.
func TestPuttingBackOutlivesTheProcess(t *testing.T) {
	for name, at := range map[string]func(m *sim, b *box) bool{
		"the result is written": func(m *sim, _ *box) bool { _, is := halfReplaced(m.of0()); return is },
		"it is begun":           func(m *sim, _ *box) bool { last := dataOf[event.ActionStarted](m); return last[len(last)-1].Undoes > 0 },
		"it is renamed":         func(m *sim, b *box) bool { return !b.gone },
		"it is started":         func(m *sim, b *box) bool { return !b.gone && b.state.Status == container.Running },
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, listed)
			kept := cutOffRollback(t, m, b)
			m.until(t, name, func() bool { return at(m, b) })
			m.crash(time.Second)
			m.run(5 * time.Minute)
			if b.gone || b.state.ID != kept || b.state.Status != container.Running || m.of0().State != state.Escalated {
				t.Errorf("in its place is %+v, the incident is %s", b.state, m.of0().State)
			}
		})
	}
}
