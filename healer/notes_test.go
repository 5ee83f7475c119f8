package healer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// noted are the notes that are among the events of the incidents, each once, in the
// order in which they were first written.
func (m *sim) noted() (list []event.Incident, records int) {
	seen := map[string]bool{}
	for _, w := range m.incidents {
		if w.event.Type != event.TypeNoted {
			continue
		}
		if records++; !seen[w.event.ID] {
			list = append(list, w.event)
		}
		seen[w.event.ID] = true
	}
	return list, records
}

// TestNotesBecomeEvents of an open incident and of one that has ended, and change nothing
// else.
func TestNotesBecomeEvents(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.until(t, "its incident", func() bool { return m.open("svc-0") })
	first := m.command(event.Command{Command: event.CommandNote, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID, Text: "A disk\x1b[31m\npassword=hunter2 "}})
	m.run(time.Minute)
	wantEnd(t, m, event.HowHealed)
	events := len(m.of0().Events)
	m.command(event.Command{Command: event.CommandNote, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID, Text: strings.Repeat("é", event.MaxNote)}})
	m.command(event.Command{Command: event.CommandNote, Args: event.CommandArgs{Incident: "unknown", Text: "of no incident"}})
	m.command(event.Command{Command: event.CommandNote, Args: event.CommandArgs{Incident: m.of0().ID, Text: " \n"}})
	m.run(20 * time.Minute)
	list, records := m.noted()
	if len(list) != 2 || records != 2 {
		t.Fatalf("%d records: %+v", records, list)
	}
	in := m.of0()
	if n := list[0]; n.ID != first || n.Seq != 1 || n.Service != "svc-0" || n.By != "operator:ada" || n.Nonce != "" || n.Host != in.Host || n.Data != (event.Noted{Incident: in.ID, Text: "A disk\npassword=***"}) {
		t.Errorf("the first note is %+v", n)
	}
	if long := list[1].Data.(event.Noted).Text; len(long) > event.MaxNote || !strings.HasPrefix(long, "éé") {
		t.Errorf("the long one is %q", long)
	}
	if in.State != state.Resolved || len(in.Events) != events || m.open("svc-0") || len(m.core.notes.waiting) != 0 {
		t.Errorf("the incident is %s with %d events; waiting are %+v", in.State, len(in.Events), m.core.notes.waiting)
	}
}

// TestNotesSurviveACrash ends the process right after each note was given: the note is
// written after the next start, and not again after later ones.
func TestNotesSurviveACrash(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(time.Minute)
	const all = 12
	for i := range all {
		m.command(event.Command{Command: event.CommandNote, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID, Text: fmt.Sprint("note ", i)}})
		m.run(time.Duration(i) * 15 * time.Millisecond)
		m.crash(time.Second)
		m.run(5 * time.Second)
	}
	m.run(time.Minute)
	list, before := m.noted()
	m.crash(time.Second)
	m.run(time.Minute)
	if _, records := m.noted(); len(list) != all || records != before {
		t.Errorf("%d of %d notes are kept, in %d records, and %d after another start", len(list), all, before, records)
	}
	for i, n := range list {
		if n.Data.(event.Noted).Text != fmt.Sprint("note ", i) {
			t.Errorf("note %d is %+v", i, n)
		}
	}
}

// TestNotesOfAnotherHostAreNotWrittenHere, and the results of commands are no notes.
func TestNotesOfAnotherHostAreNotWrittenHere(t *testing.T) {
	m, _ := quiet(t)
	theirs := event.Origin{Instance: "other", Host: "other", Epoch: 1, Nonce: "other"}
	for i, data := range []event.Data{event.Claim{Host: "other", Instance: "other", Epoch: 1, Nonce: "other"}, event.Opened{Kind: "service", FirstBad: m.now}} {
		e := event.Incident{ID: []string{"other", "far"}[i], Seq: 1, Time: m.now, Service: "web", Type: event.TypeOf(data), By: event.ByLogstream, Data: data, Origin: theirs}
		m.onLog(e, event.Encode(e))
	}
	m.run(time.Second)
	m.command(event.Command{Command: event.CommandNote, Service: "web", Args: event.CommandArgs{Incident: "far", Text: "on it"}})
	m.run(time.Minute)
	if list, _ := m.noted(); len(list) != 0 || len(m.core.notes.waiting) != 0 {
		t.Errorf("written were %+v; waiting are %+v", list, m.core.notes.waiting)
	}
}
