package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

func note(id, incident, written string) event.Command {
	return event.Command{ID: id, Time: noon, By: "operator:ada", Service: "web", Command: event.CommandNote, Args: event.CommandArgs{Incident: incident, Text: written}}
}

func TestNotesAreFoldedOnceAndBounded(t *testing.T) {
	f := NewCommands()
	f.Apply(note("1", "x", "disk ordered"))
	f.Apply(note("1", "x", "disk ordered"))
	f.Apply(note("2", "x", "\x1b[31mred\x1b[0m\nsecond line\t\x00end "))
	f.Apply(note("3", "y", strings.Repeat("é", event.MaxNote)))
	f.Apply(note("4", "x", " \n"))
	f.Apply(note("5", "", "of no incident"))
	got := f.notes.of["x"]
	if len(got) != 2 || got[0].Text != "disk ordered" || got[0].By != "operator:ada" || got[1].Text != "red\nsecond line end" {
		t.Errorf("%+v", got)
	}
	if y := f.notes.of["y"]; len(y) != 1 || len(y[0].Text) > event.MaxNote+40 || !strings.HasPrefix(y[0].Text, "éé") {
		t.Errorf("%+v", y)
	}
	if len(f.notes.of) != 2 {
		t.Errorf("notes of %d incidents", len(f.notes.of))
	}
	for i := range 3 * maxNotes {
		f.Apply(note(fmt.Sprint("n", i), fmt.Sprint("i", i%40), "text"))
	}
	all := 0
	for of, list := range f.notes.of {
		if len(list) > notesPerOne {
			t.Errorf("%s has %d notes", of, len(list))
		}
		all += len(list)
	}
	if all > maxNotes || all != len(f.notes.order) {
		t.Errorf("%d notes, order of %d", all, len(f.notes.order))
	}
}

// TestNotesAreReadAsCommandsAndAsEvents: the same note once, and all in the order in which
// they were given, also where the command was deleted since.
func TestNotesAreReadAsCommandsAndAsEvents(t *testing.T) {
	f := NewFleet("i", "h", nil, Limits{}, noon)
	noted := func(id, incident string, after time.Duration) []Change {
		return f.ApplyIncident(event.Incident{ID: id, Seq: 1, Time: noon.Add(after), Service: "web", Type: event.TypeNoted, By: "operator:ada",
			Data: event.Noted{Incident: incident, Text: "text " + id}, Origin: event.Origin{Instance: "i", Host: "h"}}, noon)
	}
	claim := event.Claim{Host: "h", Instance: "i", Epoch: 1, Nonce: "n"}
	origin := event.Origin{Instance: "i", Host: "h", Epoch: 1, Nonce: "n"}
	f.ApplyIncident(event.Incident{ID: "n", Seq: 1, Time: noon, Type: event.TypeClaim, Data: claim, Origin: origin}, noon)
	f.ApplyIncident(event.Incident{ID: "x", Seq: 1, Time: noon, Service: "web", Type: event.TypeOpened, Data: event.Opened{Kind: "service"}, Origin: origin}, noon)
	if changes := noted("old", "x", -time.Hour); len(changes) != 1 || changes[0].Kind != KindSummary {
		t.Errorf("the changes are %+v", changes)
	}
	f.ApplyCommand(note("new", "x", "text new"), noon)
	if changes := noted("new", "x", 0); len(changes) != 0 {
		t.Errorf("the changes of a note that is known are %+v", changes)
	}
	noted("between", "x", -time.Minute)
	in, _ := f.Incident("x", noon)
	var got []string
	for _, n := range in.Notes {
		got = append(got, n.Text)
	}
	if strings.Join(got, ", ") != "text old, text between, text new" || len(in.Events) != 1 || len(f.Incidents.All()) != 1 {
		t.Errorf("notes %q, events %+v, incidents %+v", got, in.Events, f.Incidents.All())
	}
}

func TestLinkIsUsedByTheFirstCommand(t *testing.T) {
	f := NewCommands()
	use := func(id, link string, when time.Time) {
		f.Apply(event.Command{ID: id, Time: when, Command: event.CommandApprove, Args: event.CommandArgs{Link: link}})
	}
	use("a", "L", noon)
	use("b", "L", noon.Add(time.Second))
	f.Apply(event.Command{ID: "a", Time: noon, Command: event.CommandApprove, Args: event.CommandArgs{Link: "L"}, Result: &event.CommandResult{OK: true}})
	if c, used := f.ByLink("L"); !used || c.ID != "a" || c.Result == nil || !c.Result.OK {
		t.Errorf("%+v, %v", c, used)
	}
	if _, used := f.ByLink("M"); used {
		t.Error("a link that was not used counts as used")
	}
	for i := range maxCommands + 1 { // which pushes the command itself out
		use(fmt.Sprint(i), "", noon.Add(2*time.Second))
	}
	if _, used := f.ByLink("L"); !used {
		t.Error("many commands later the link counts as unused")
	}
	use("late", "M", noon.Add(linksForgotten+time.Second))
	if len(f.links) != 1 {
		t.Errorf("%d links are remembered", len(f.links))
	}
}
