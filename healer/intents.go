package healer

import (
	"cmp"
	"time"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

// What was begun on a container, as the history of its events needs it.

// intents are what was begun on the service's container within the time that
// its history reaches back to, and may have had an effect.
func intents(c *Controller, s *serviceState) []history.Intent {
	var list []history.Intent
	for _, in := range reached(c.incidents.Of(s.def.Name, c.host), c.engine.Of(s.containerName())) {
		for _, a := range budget.Attempts(in.Events) {
			if a.Outcome == event.OutcomeNotExecuted {
				continue
			}
			began := intentOf(a.Intent, cmp.Or(a.Left, putBackBy(a.Intent), createdBy(a, c.engine.Of(s.containerName()))), s.inspection.state)
			if a.Outcome == event.OutcomeRefused || began.Unforeseen && !a.AnsweredAt.IsZero() {
				began.Until = a.AnsweredAt.Add(refusedReach)
			}
			list = append(list, began)
		}
	}
	return list
}

// reached are the incidents of a service that the history of its container may
// reach back to.
func reached(all []*state.Incident, h history.History) []*state.Incident {
	from := len(all)
	for from > 0 && (len(all)-from < reachBack || len(h) > 0 && (all[from-1].Resolved == nil || all[from-1].Resolved.After(h[0].ReadAt))) {
		from--
	}
	return all[from:]
}

// createdBy is the container that an attempt created in its target's place
// although it failed, or whose result is not known yet; empty: none.
func createdBy(a budget.Attempt, h history.History) string {
	if made, known := action.Of(a.Intent); !known || !made.Replaces {
		return ""
	}
	known := h.Until(a.Intent.Pins.LastEvent)
	e, _ := h.Last(func(i int, e history.Event) bool {
		return e.ID != a.Intent.Pins.ContainerID && i >= known && (a.AnsweredAt.IsZero() || e.ReadAt.Before(a.AnsweredAt.Add(refusedReach)))
	}, "create")
	return e.ID
}

// intentOf is what an action on a container begins, which left another one in
// its place, or none. Of how a container is stopped that the service had before,
// nothing is known.
func intentOf(intent event.ActionStarted, left string, known container.State) history.Intent {
	pins := intent.Pins
	stop := history.Stop{Timeout: 10 * time.Second}
	if known.ID == pins.ContainerID {
		stop = stopOf(known)
	}
	out := history.Intent{Container: pins.ContainerID, Stop: stop, Base: pins.LastEvent}
	if a, known := action.Of(intent); known {
		out.Pattern, out.Unforeseen = a.Events(pins), a.Unforeseen
		if a.Replaces && left != pins.ContainerID {
			out.Successor, out.Succession = left, action.TakesPlace
		}
	}
	return out
}

func stopOf(c container.State) history.Stop {
	return history.Stop{Signal: c.StopSignal, Timeout: c.StopTimeout}
}

// stops is how the container with an id is stopped, where it is a service's and was
// inspected.
func stops(c *Controller) func(id string) history.Stop {
	return func(id string) history.Stop {
		for _, s := range c.services {
			if of := s.inspection.state; of.ID == id {
				return stopOf(of)
			}
		}
		return history.Stop{}
	}
}
