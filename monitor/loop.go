package monitor

import (
	"fmt"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

const (
	// A container is in a crash loop after loopStarts starts by its restart
	// policy within loopWindow, until it ran for loopEnd, or for the service's
	// start period where that is longer.
	loopStarts = 3
	loopWindow = time.Minute
	loopEnd    = 30 * time.Second
	// maxLives bounds of how many containers the starts are remembered.
	maxLives = 1024
)

// crashLoops are the containers, by ID, that may be in a crash loop. They follow
// from the engine's events as these stand on the log, so that a new process
// comes to the same.
type crashLoops map[string]*lives

// lives is how one container was last started.
type lives struct {
	starts  []time.Time // by its policy, one after the other, at most loopStarts: the engine's times
	asked   bool        // the present life's end was requested from outside
	ended   bool        // it has ended
	since   time.Time   // when the present life's start was read
	looping bool
}

// observe takes one event of the engine, read at now, each once.
func (c crashLoops) observe(e event.Docker, now time.Time) {
	action := container.Action(e.Action)
	switch action {
	case container.ActionStart, container.ActionDie, container.ActionStop, container.ActionKill:
	case container.ActionDestroy:
		delete(c, e.ID)
		return
	default:
		return
	}
	l := c[e.ID]
	if l == nil {
		l = c.add(e.ID) // its present life began before anything was read
	}
	switch action {
	case container.ActionStart:
		l.started(e.Time, now)
	case container.ActionDie:
		l.ended = true
	case container.ActionStop:
		l.asked = true
	case container.ActionKill:
		l.asked = l.asked || ends(e.Signal)
	}
}

func (c crashLoops) add(id string) *lives {
	if len(c) >= maxLives {
		for other := range c {
			delete(c, other)
			break
		}
	}
	c[id] = &lives{}
	return c[id]
}

// ends says whether a signal is meant to end a process: HUP and USR1, say, are
// not. A stop signal of the image's own is followed by a stop.
func ends(signal string) bool {
	switch signal {
	case "2", "3", "6", "9", "15":
		return true
	}
	return false
}

// started begins a life. A start after an end without a request is the
// policy's: judge corrects that where the engine counted none.
func (l *lives) started(at, now time.Time) {
	byPolicy := l.ended && !l.asked
	if byPolicy && now.Sub(l.since) >= loopEnd {
		l.starts, l.looping = nil, false // the life before was a long one
	}
	l.asked, l.ended, l.since = false, false, now
	if !byPolicy {
		l.starts, l.looping = nil, false
		return
	}
	if l.starts = append(l.starts, at); len(l.starts) > loopStarts {
		l.starts = l.starts[1:]
	}
	if len(l.starts) == loopStarts && at.Sub(l.starts[0]) <= loopWindow {
		l.looping = true
	}
}

// over says whether a container in a loop has run for long enough by now.
func (c crashLoops) over(id string, startPeriod time.Duration, now time.Time) bool {
	l := c[id]
	return l != nil && l.looping && !l.ended && now.Sub(l.since) >= max(loopEnd, startPeriod)
}

// judge is the level of a container that was inspected at now: DOWN while it is
// in a loop, whatever the inspection saw.
func (c crashLoops) judge(seen level, s container.State, startPeriod time.Duration, now time.Time) level {
	l := c[s.ID]
	if l == nil || !l.looping || s.Status != container.Running && s.Status != container.Restarting {
		return seen
	}
	if s.Status == container.Running && (s.RestartCount == 0 || c.over(s.ID, startPeriod, now)) {
		l.starts, l.looping = nil, false // it was started from outside, or it stays up
		return seen
	}
	return level{status: event.Down, failure: event.FailureCrashLoop, id: s.ID,
		err: fmt.Sprintf("container %s keeps exiting: its restart policy started it %d times within a minute", clean(s.Name), loopStarts)}
}
