package healer

import (
	"strings"
	"time"

	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// outcome is what became of an attempt.
type outcome int

const (
	pending  outcome = iota // nothing is known yet
	held                    // it was proved
	failed                  // it was carried out and did not hold
	rejected                // the engine refused it
	notMade                 // the call was never made
	broken                  // something outside ended it
)

type attempt struct {
	number   int
	action   string
	cause    string
	pins     event.Pins
	answered time.Time // where the engine refused: when it had answered
	outcome  outcome
	err      string
}

// attempts reads them from an incident's events.
func attempts(in *state.Incident) []attempt {
	var list []attempt
	cause := ""
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.Diagnosed:
			cause = runbooksView(data).Cause
		case event.ActionStarted:
			list = append(list, attempt{number: data.Attempt, action: data.Action, cause: cause, pins: data.Pins})
		case event.ActionFinished:
			if last := len(list) - 1; last >= 0 && !data.OK {
				list[last].outcome, list[last].err, list[last].answered = rejected, data.Error, e.Time
				if notCarriedOut(data) {
					list[last].outcome = notMade
				}
			}
		case event.Verified:
			if last := len(list) - 1; last >= 0 {
				list[last].err = data.Error
				switch {
				case data.OK:
					list[last].outcome = held
				case interrupted(data):
					list[last].outcome = broken
				default:
					list[last].outcome = failed
				}
			}
		}
	}
	return list
}

// spent counts the attempts that the incident's budget counts, and those that
// were never made.
func spent(list []attempt) (counted, never int) {
	for _, a := range list {
		switch a.outcome {
		case failed, rejected:
			counted++
		case notMade:
			never++
		}
	}
	return counted, never
}

func notCarriedOut(data event.ActionFinished) bool {
	return !data.OK && strings.HasPrefix(data.Error, event.NotCarriedOut)
}

func interrupted(data event.Verified) bool {
	return !data.OK && strings.HasPrefix(data.Error, event.Interrupted)
}

// reachBack is how many incidents of one service a history can tell of.
const reachBack = 16

// refusedReach is how long after a call was refused its events may be read.
const refusedReach = 500 * time.Millisecond

// intents are what was begun on the service's container within the time that
// its history reaches back to, and may have had an effect.
func (w *World) intents(s *svc) []history.Intent {
	var list []history.Intent
	all := w.incidents.Of(s.def.Name, w.host)
	for _, in := range all[max(0, len(all)-reachBack):] {
		for _, a := range attempts(in) {
			if a.outcome == notMade {
				continue
			}
			began := history.Intent{Container: a.pins.ContainerID, Pattern: pattern(a.action), Stop: w.stopOfID(s, a.pins.ContainerID), Base: a.pins.LastEvent}
			if a.outcome == rejected {
				began.Until = a.answered.Add(refusedReach)
			}
			list = append(list, began)
		}
	}
	return list
}

// intent is what an action that was carried out began.
func (w *World) intent(s *svc, begun event.ActionStarted) history.Intent {
	return history.Intent{Container: begun.Pins.ContainerID, Pattern: pattern(begun.Action), Stop: w.stopOfID(s, begun.Pins.ContainerID), Base: begun.Pins.LastEvent}
}

// stopOfID is how the container with that id is stopped: the service's, or one
// that it had before, of which nothing is known.
func (w *World) stopOfID(s *svc, id string) history.Stop {
	if s.look.state.ID == id {
		return stopOf(s.look.state)
	}
	return history.Stop{Timeout: 10 * time.Second}
}

// pattern is what an action makes the engine tell. A kill may come twice: the
// stop signal, and 9 when its time is over.
func pattern(action string) history.Pattern {
	switch action {
	case service.ActionStart:
		return history.Pattern{{"start"}}
	case service.ActionUnpause:
		return history.Pattern{{"unpause"}}
	case service.ActionRestart:
		return history.Pattern{{"kill", "kill", "die", "stop"}, {"start"}, {"restart"}}
	}
	return nil
}
