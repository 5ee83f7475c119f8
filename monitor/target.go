package monitor

import (
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// target is a service's container.
type target struct {
	service, ref string

	id        string // as last found
	project   string // Compose's
	destroyed bool   // an event told so, and it was not found since
	renamed   string // to what, where it was and is not found since

	asked    time.Time // a look is wanted, since then; zero: none is
	forced   bool      // and what it sees is written, changed or not
	after    time.Time // but not before this
	repeated time.Time // when such a look was last asked for
	busy     bool      // a look is under way

	announced event.Status // the level as the events tell it; empty: they told nothing yet
	turned    time.Time    // when they first told so
	waited    bool         // the grace for a change without an event was given
	shown     level        // as last written; zero: none was
	stamp     time.Time    // of the last one written
}

// hear takes an event of the target's own container.
func (t *target) hear(e container.Event, now time.Time) {
	if e.Project != "" {
		t.project = e.Project
	}
	if status, is := announces(e.Action); is && status != t.announced {
		t.announced, t.turned = status, now
	}
	switch {
	case e.Action == container.ActionDestroy:
		t.destroyed = true
	case e.Action == container.ActionRename && e.ID == t.id:
		t.renamed = e.Name
	}
	if asksForLook(e.Action) {
		t.ask(now, false)
		t.after, t.waited = time.Time{}, false
	}
}

func (t *target) ask(at time.Time, forced bool) {
	if forced {
		t.forced, t.repeated = true, at
	}
	if t.asked.IsZero() {
		t.asked = at
	}
}

func (t *target) about() string { return "container of " + t.service }

// date is when what was seen came to be so. A change that an event told dates
// from that event, and not from a later look: checks that began before a
// change to UP don't count, and the first ones follow the event at once.
func (t *target) date(seen level, asked time.Time) time.Time {
	if seen.status != t.shown.status && seen.status == t.announced && t.turned.After(t.stamp) {
		return t.turned
	}
	return asked
}

// learn keeps by what a container's events are known.
func (t *target) learn(state container.State) {
	if state.ID != "" {
		t.id = state.ID
	}
	if state.Project != "" {
		t.project = state.Project
	}
	t.destroyed, t.renamed = false, ""
}
