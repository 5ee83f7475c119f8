package healer

import (
	"maps"
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

// Notes of operators. A command is kept for 7 days and an incident for 90: so the leader
// writes each note again, as an event of the incidents. No decision depends on one. A note
// that was not read back is written again, also after a restart, which reads the commands
// again: the same ID twice is one note.

const (
	notesWaiting = 1000             // at most: later ones are kept only as long as their commands
	notesAtOnce  = 4                // at most, whose events are not read back yet
	noteRetry    = 2 * writeLimit   // after which a note that was not read back is written again
	noteWaits    = 10 * time.Minute // how long a note waits for its incident to be read
)

// noteKeeper knows the notes that were read, as commands and as events.
type noteKeeper struct {
	written map[string]time.Time // by ID: when a note was given whose event was read
	waiting []waitingNote        // in the order in which they were read
}

type waitingNote struct {
	asked event.Command
	text  string
	read  time.Time
	begun time.Time // when it was last written; zero: never
}

// queueNote reads the command of a note, and has its event written.
func queueNote(c *Controller, read event.Command, now time.Time) {
	n, written := &c.notes, redact.Text(strings.TrimSpace(text.Block(read.Args.Text))) // masked here, because programs write commands too
	_, known := n.written[read.ID]
	if read.Result == nil && !known && written != "" && (len(n.waiting) < notesWaiting || !c.replayed) { // during the replay all are kept: the events that confirm them may come later
		n.waiting = append(n.waiting, waitingNote{asked: read, text: text.Clip(written, event.MaxNote), read: now})
	}
}

// confirmNote reads the event of a note, which is not written again.
func confirmNote(c *Controller, e event.Incident, now time.Time) {
	n := &c.notes
	if !c.isForgotten(e.Time, now) {
		n.written[e.ID] = e.Time
	}
	n.waiting = slices.DeleteFunc(n.waiting, func(w waitingNote) bool { return w.asked.ID == e.ID })
}

// forget drops the IDs of notes whose commands are too old to be read again.
func (n *noteKeeper) forget(forgotten func(given time.Time) bool) {
	maps.DeleteFunc(n.written, func(_ string, given time.Time) bool { return forgotten(given) })
}

// writeNotes writes the notes that wait. Those about an incident of another host are
// written there.
func writeNotes(c *Controller, now time.Time) {
	n := &c.notes
	n.waiting = slices.DeleteFunc(n.waiting, func(w waitingNote) bool {
		in := c.incidents.Get(w.asked.Args.Incident)
		return in == nil && now.Sub(w.read) > noteWaits || in != nil && in.Host != c.host
	})
	free := notesAtOnce
	for i := range n.waiting {
		w := &n.waiting[i]
		in := c.incidents.Get(w.asked.Args.Incident)
		switch {
		case free == 0:
			return
		case in == nil:
			continue
		case !w.begun.IsZero() && now.Sub(w.begun) < noteRetry:
			free--
			continue
		}
		free--
		w.begun = now
		data := event.Noted{Incident: in.ID, Text: w.text}
		c.emit(Append{[]event.Incident{{ID: w.asked.ID, Seq: 1, Time: w.asked.Time, Service: in.Service, Type: event.TypeOf(data), By: operator(w.asked), Data: data,
			Origin: event.Origin{Instance: c.instance, Host: c.host}}}})
	}
}
