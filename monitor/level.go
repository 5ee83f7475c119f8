package monitor

import (
	"errors"
	"fmt"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

// clockBack is more than a level may be dated before its predecessor by a slow inspection
// (inspectTimeout): what is more is a clock that was set back.
const clockBack = 15 * time.Second

// level is what an inspection says about a service's container.
type level struct {
	status  event.Status
	err     string        // why it is not UP, in one sentence
	failure event.Failure // the same as a code, where there is one

	// Beside status and err, so that a container which ran, ended and runs
	// again between two inspections is a change.
	id      string
	started time.Time
}

// levelOf is an inspection's level; known is false where it says nothing about
// the container: the engine didn't answer, or the name isn't of one container.
func levelOf(ref string, s container.State, err error) (l level, known bool) {
	if errors.Is(err, container.ErrNotFound) {
		return level{status: event.Down, err: "no container is named " + clean(ref)}, true
	}
	if err != nil {
		return level{}, false
	}
	name := s.Name
	if name == "" {
		name = ref
	}
	l = level{status: event.Down, id: s.ID, started: s.StartedAt}
	switch s.Status {
	case container.Running:
		l.status = event.Up
		return l, true
	case container.Exited:
		l.err = fmt.Sprintf("exited with code %d", s.ExitCode)
	case container.Restarting:
		l.err = fmt.Sprintf("is restarting: it exited with code %d", s.ExitCode)
	case container.Created:
		l.err = "was created and never started"
	case container.Removing:
		l.err = "is being removed"
	default:
		l.err = "is " + clean(string(s.Status)) // paused, dead, or what a later engine may say
	}
	l.err = "container " + clean(name) + " " + l.err
	if s.Error != "" {
		l.err += ": " + clean(s.Error)
	}
	return l, true
}

// announces is what an event says about its container's level; false where it
// says nothing.
func announces(a container.Action) (event.Status, bool) {
	switch a {
	case container.ActionStart, container.ActionRestart, container.ActionUnpause:
		return event.Up, true
	case container.ActionDie, container.ActionStop, container.ActionPause, container.ActionDestroy, container.ActionCreate:
		return event.Down, true
	}
	return "", false
}

// callsForInspection says whether a container may be another one, or in another
// state, after the event. After a kill it isn't yet: its die follows.
func callsForInspection(a container.Action) bool {
	_, is := announces(a)
	return is || a == container.ActionRename || a == container.ActionHealth
}

// wakes says whether a service may be coming up after the event.
func wakes(a container.Action) bool {
	return a == container.ActionStart || a == container.ActionRestart || a == container.ActionUnpause
}

// nextStamp is a level's timestamp: when it was observed, and later than that
// of the service's level before, to the microsecond that a record holds. After
// a clock was set back it is that clock's.
func nextStamp(observed, before time.Time) time.Time {
	observed = observed.Truncate(time.Microsecond)
	if before.After(observed.Add(clockBack)) {
		return observed
	}
	if least := before.Add(time.Microsecond); observed.Before(least) {
		return least
	}
	return observed
}

// clean makes what others wrote part of a sentence.
func clean(s string) string { return text.Short(redact.Text(text.Line(s))) }
