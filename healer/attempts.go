package healer

import (
	"strings"

	"logstream/internal/event"
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
	number  int
	action  string
	cause   string
	pins    event.Pins
	outcome outcome
	err     string
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
				list[last].outcome, list[last].err = rejected, data.Error
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

// reachBack is how many incidents of one service a tape can tell of.
const reachBack = 16

// intents are what was begun on the service's container within the time that
// its tape reaches back to, and may have had an effect.
func (w *World) intents(s *svc) []intent {
	var list []intent
	all := w.incidents.Of(s.def.Name, w.host)
	for _, in := range all[max(0, len(all)-reachBack):] {
		for _, a := range attempts(in) {
			if a.outcome != notMade {
				list = append(list, intent{a.pins.ContainerID, a.action, a.pins.LastEvent})
			}
		}
	}
	return list
}
