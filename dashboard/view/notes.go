package view

import (
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/text"
)

const (
	maxNotes       = 1000 // remembered, of all incidents
	notesPerOne    = 50   // of one incident: the newest
	linksForgotten = 8 * 24 * time.Hour
)

// Note is what an operator wrote about an incident.
type Note struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	By   string    `json:"by"`
	Text string    `json:"text"` // lines of at most 2000 bytes in all
}

// notes are the newest of each incident, oldest first, by the incident's id.
type notes struct {
	of    map[string][]Note
	order []string // the incidents' ids, one for each note
}

func newNotes() notes { return notes{of: map[string][]Note{}} }

// add takes a note of an incident, as a command or as an event, and says whether it is
// new.
func (n *notes) add(of string, note Note) bool {
	note.Text = text.Clip(strings.TrimSpace(text.Block(note.Text)), event.MaxNote)
	if note.Text == "" || of == "" || slices.ContainsFunc(n.of[of], func(known Note) bool { return known.ID == note.ID }) {
		return false
	}
	// A new slice: what is shown shares the old one.
	n.of[of] = append(slices.Clone(n.of[of]), note)
	slices.SortStableFunc(n.of[of], func(a, b Note) int { return a.Time.Compare(b.Time) })
	if n.order = append(n.order, of); len(n.of[of]) > notesPerOne {
		n.drop(slices.Index(n.order, of))
	} else if len(n.order) > maxNotes {
		n.drop(0)
	}
	return true
}

// drop forgets the oldest note of the incident that is at that place.
func (n *notes) drop(at int) {
	of := n.order[at]
	n.order = slices.Delete(n.order, at, at+1)
	if n.of[of] = n.of[of][1:]; len(n.of[of]) == 0 {
		delete(n.of, of)
	}
}

// useLink remembers by which command a signed link was used: the first counts.
// Links expire long before they are forgotten here.
func (f *Commands) useLink(c *event.Command) {
	if id := c.Args.Link; id != "" && c.Result == nil && f.links[id] == nil {
		f.links[id] = c
	}
	for id, used := range f.links {
		if c.Time.Sub(used.Time) > linksForgotten {
			delete(f.links, id)
		}
	}
}

// ByLink is the command that the signed link with that id permitted, if it was
// used.
func (f *Commands) ByLink(id string) (event.Command, bool) {
	if c := f.links[id]; c != nil {
		return *c, true
	}
	return event.Command{}, false
}

// ApplyCommand folds a record of TopicCommands, and says whether it changed
// anything.
func (f *Fleet) ApplyCommand(c event.Command, now time.Time) (changes []Change, changed bool) {
	if changed = f.Commands.Apply(c); !changed {
		return nil, false
	}
	if known, is := f.Commands.Get(c.ID); is {
		changes = append(changes, Change{KindCommand, known})
	}
	if c.Command != event.CommandNote {
		return changes, true
	}
	return f.noteChanges(c.Args.Incident, now), true
}

// applyNoted folds a note that is among the events of the incidents.
func (f *Fleet) applyNoted(e event.Incident, noted event.Noted, now time.Time) []Change {
	if !f.Commands.notes.add(noted.Incident, Note{ID: e.ID, Time: e.Time, By: e.By, Text: noted.Text}) {
		return nil
	}
	return f.noteChanges(noted.Incident, now)
}

// noteChanges are those of an incident of which a note was read.
func (f *Fleet) noteChanges(incident string, now time.Time) []Change {
	if in := f.Incidents.Get(incident); in != nil {
		return []Change{{KindSummary, f.incident(in, now)}}
	}
	return nil
}
