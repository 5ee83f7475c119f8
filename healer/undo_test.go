package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Undo: what can be undone, when, and how it ends.

const mib = 1 << 20

// limited is a container with a memory limit that may be raised.
func limited(m *sim) {
	for _, b := range m.boxes {
		b.state.Memory, b.def.Heal.MaxMemory = 64*mib, 512*mib
	}
}

// raised has an operator raise the memory limit of the first service; it is the
// incident in which that was healed.
func raised(t *testing.T, m *sim, b *box) string {
	t.Helper()
	m.run(time.Minute)
	m.heal(service.ActionRaiseMemory)
	m.until(t, "a raised limit", func() bool { return m.of0().State == state.Resolved })
	if b.state.Memory != 128*mib {
		t.Fatalf("its limit is %d", b.state.Memory)
	}
	return m.of0().ID
}

// raisedInVain is an open incident in which an operator had the limit raised, which
// did not help, so that a person was called again.
func raisedInVain(t *testing.T) (*sim, *box, *state.Incident) {
	t.Helper()
	m, b := quiet(t, limited)
	m.run(time.Minute)
	b.app = "broken"
	m.until(t, "a person", func() bool { return m.of0().State == state.Escalated })
	m.heal(service.ActionRaiseMemory)
	m.run(5 * time.Minute)
	if in := m.of0(); in.State != state.Escalated || b.state.Memory != 128*mib || len(dataOf[event.Opened](m)) != 2 {
		t.Fatalf("it is %s, with a limit of %d", in.State, b.state.Memory)
	}
	return m, b, m.of0()
}

func (m *sim) undoOf(incident string, attempt int) string {
	return m.command(event.Command{Command: event.CommandUndo, Service: "svc-0", Args: event.CommandArgs{Incident: incident, Attempt: attempt}})
}

func TestUndoOfARepairThatIsOver(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		in := raised(t, m, b)
		started := dataOf[event.ActionStarted](m)
		if got := started[0]; got.Undo == nil || got.Undo.MemoryBytes != 64*mib || got.UndoCommand != "docker update --memory 67108864 --memory-swap 67108864 svc-0" {
			t.Errorf("the intent is %+v", got)
		}
		m.run(10 * time.Minute)
		wantResult(t, m, m.undoOf(in, 0), "", "")
		m.run(30 * time.Second)
		if b.state.Memory != 64*mib {
			t.Errorf("its limit is %d", b.state.Memory)
		}
		opened := dataOf[event.Opened](m)
		if last := opened[len(opened)-1]; last.UndoesIncident != in || last.Undoes != 1 || last.Action != "" {
			t.Errorf("opened was %+v", last)
		}
		started = dataOf[event.ActionStarted](m)
		if last := started[len(started)-1]; len(started) != 2 || last.Undoes != 1 || last.Action != service.ActionRaiseMemory || last.Params.MemoryBytes != 64*mib {
			t.Errorf("begun was %+v", last)
		}
		wantEnd(t, m, event.HowOperator)
		wantResult(t, m, m.undoOf(in, 0), event.RefusedDuplicate, "undone already")
		wantResult(t, m, m.undoOf(in, 1), event.RefusedDuplicate, "undone already")
		wantResult(t, m, m.undoOf(in, 2), event.RefusedUnknown, "no attempt 2")
	}, limited)
}

// TestUndoThatWasOvertakenIsRefused: the container is no longer as the repair
// left it.
func TestUndoThatWasOvertakenIsRefused(t *testing.T) {
	for name, change := range map[string]func(m *sim, b *box){
		"the limit was changed": func(m *sim, b *box) { b.state.Memory = 256 * mib; do("stop", m, b); m.run(time.Minute) },
		"another container":     func(m *sim, b *box) { m.updated(b, "sha-2", "ok"); m.run(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, limited)
			in := raised(t, m, b)
			change(m, b)
			before := len(dataOf[event.ActionStarted](m))
			id := m.undoOf(in, 0)
			m.run(time.Minute)
			if got := m.results(id); len(got) != 1 || got[0].OK || got[0].Code != event.RefusedOvertaken {
				t.Errorf("the results are %+v", got)
			}
			if n := len(dataOf[event.ActionStarted](m)); n != before {
				t.Errorf("%d attempts more", n-before)
			}
		})
	}
}

func TestNothingIsUndoneThatCannotBe(t *testing.T) {
	m, b := quiet(t, limited)
	do("kill", m, b)
	m.until(t, "a repair", func() bool { return m.of0().State == state.Resolved })
	wantResult(t, m, m.undoOf(m.of0().ID, 0), event.RefusedNothing, "nothing was done")
	wantResult(t, m, m.undoOf("nowhere", 0), event.RefusedUnknown, "no incident")
	m.heal(service.ActionRaiseMemory)
	m.until(t, "the call", func() bool { return m.of0().Attempts == 1 })
	m.run(2 * time.Second)
	id := m.undoOf(m.of0().ID, 0)
	m.run(3 * time.Second)
	if got := m.results(id); len(got) != 1 || got[0].OK {
		t.Errorf("undo while it is verified: %+v", got)
	}
}

// TestUndoInAnOpenIncidentIsAFurtherAttempt: the repair did not help, a person was
// called, and undoes it. It is not taken again by itself.
func TestUndoInAnOpenIncidentIsAFurtherAttempt(t *testing.T) {
	m, b, in := raisedInVain(t)
	wantResult(t, m, m.undoOf(in.ID, 0), "", "")
	m.run(20 * time.Second)
	if b.state.Memory != 64*mib {
		t.Errorf("its limit is %d", b.state.Memory)
	}
	started := dataOf[event.ActionStarted](m)
	if i := slices.IndexFunc(started, func(a event.ActionStarted) bool { return a.Undoes == 1 }); i < 0 || started[i].Attempt < 2 {
		t.Errorf("begun were %+v", started)
	}
	if end := m.folded.Get(in.ID); end.How != event.HowOperator {
		t.Errorf("it is %s: %s", end.State, end.How)
	}
	m.run(5 * time.Minute)
	for _, a := range dataOf[event.ActionStarted](m)[len(started):] {
		if a.Action == service.ActionRaiseMemory {
			t.Errorf("begun again was %+v", a)
		}
	}
}

// TestWhatAnOperatorAskedForIsDoneOnce also where a later attempt in its incident,
// such as its undo, was not executed.
func TestWhatAnOperatorAskedForIsDoneOnce(t *testing.T) {
	m, b, in := raisedInVain(t)
	m.undoOf(in.ID, 0)
	m.until(t, "the undo", func() bool { return m.of0().Attempts == 2 })
	m.crash(time.Second) // before its call
	m.run(5 * time.Minute)
	for _, a := range dataOf[event.ActionStarted](m)[2:] { // after a restart, and what was asked for
		if a.Undoes == 0 {
			t.Errorf("begun again was %+v, with a limit of %d", a, b.state.Memory)
		}
	}
}

// TestUndoInAnOpenIncidentIsCarriedOutDuringASilence: an operator asked for it by
// name, and was answered that it is done.
func TestUndoInAnOpenIncidentIsCarriedOutDuringASilence(t *testing.T) {
	m, b, in := raisedInVain(t)
	m.command(silenceCommand("1h", ""))
	m.run(time.Second)
	for done := false; !done && m.now.Before(in.Opened.Add(time.Hour)); { // the container may be being inspected at this moment
		id := m.undoOf(in.ID, 0)
		m.run(time.Second)
		done = m.results(id)[0].OK
	}
	m.run(20 * time.Second)
	if finished := dataOf[event.ActionFinished](m); b.state.Memory != 64*mib {
		t.Errorf("its limit is %d: %+v", b.state.Memory, finished[len(finished)-1])
	}
}

// TestUndoOutlivesTheProcess kills it at each step of an undo.
func TestUndoOutlivesTheProcess(t *testing.T) {
	for _, at := range []event.Type{event.TypeOpened, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified} {
		t.Run(string(at), func(t *testing.T) {
			m, b := quiet(t, limited)
			in := raised(t, m, b)
			m.undoOf(in, 0)
			m.until(t, "it is on the log", func() bool {
				newest := m.incidents[len(m.incidents)-1].event
				return newest.ID != in && newest.Type == at
			})
			m.kill()
			m.run(2 * time.Minute)
			if b.state.Memory != 64*mib {
				t.Errorf("its limit is %d", b.state.Memory)
			}
			n := 0
			for _, id := range m.calls {
				n += id
			}
			if n != 2 {
				t.Errorf("%d calls were made", n)
			}
			wantEnd(t, m, event.HowOperator)
		})
	}
}

func TestUndoOfAConnect(t *testing.T) {
	m, b := quiet(t, func(m *sim) {
		m.boxes[0].state.Networks = []container.Network{{Name: "shop", Aliases: []string{"pay"}}, {Name: "bridge"}}
	})
	m.run(time.Minute)
	b.state.Networks = b.state.Networks[1:]
	m.emit(b, "disconnect", func(e *event.Docker) { e.Container, e.Network = "", "shop" })
	m.run(3 * time.Second)
	m.heal(service.ActionConnect)
	m.until(t, "it is connected", func() bool { return m.of0().State == state.Resolved && m.of0().Attempts == 1 })
	if len(b.state.Networks) != 2 {
		t.Fatalf("its networks are %+v", b.state.Networks)
	}
	wantResult(t, m, m.undoOf(m.of0().ID, 1), "", "")
	m.run(10 * time.Second)
	if len(b.state.Networks) != 1 || b.state.Networks[0].Name != "bridge" {
		t.Errorf("its networks are %+v", b.state.Networks)
	}
	wantEnd(t, m, event.HowOperator)
}

// TestTier2NeedsApprovalInModeAuto unless heal.actions lists it. The cause is one whose
// repair is chosen by hand elsewhere: approvals depend on the action alone.
func TestTier2NeedsApprovalInModeAuto(t *testing.T) {
	v := View{Def: service.Default()}
	v.Situation.Mode = service.Auto
	for _, action := range []string{service.ActionRaiseMemory, service.ActionRollback, service.ActionRecreate} {
		if why, needed := needsApproval(v, action); !needed || !strings.Contains(why, "heal.actions") {
			t.Errorf("%s: %v, %s", action, needed, why)
		}
		listed := v
		listed.Def.Heal.Actions = []string{action}
		if _, needed := needsApproval(listed, action); needed {
			t.Errorf("%s needs approval although it is listed", action)
		}
		listed.Situation.Mode = service.Approve
		if _, needed := needsApproval(listed, action); !needed {
			t.Errorf("%s needs no approval in mode approve", action)
		}
	}
	for _, action := range []string{service.ActionStart, service.ActionUnpause, service.ActionConnect, service.ActionRestart, service.ActionKillStart, service.ActionRun} {
		if _, needed := needsApproval(v, action); needed {
			t.Errorf("%s needs approval in mode auto", action)
		}
	}
}
