package healer

import (
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// What is written in one go: what follows from an event that only says what was found
// does not wait until that event was read back. The call does wait, for its intent.

// inOneGo are the types of what may be written in one go, in this order.
var inOneGo = []event.Type{event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeActionStarted}

// follows says whether an event may be written with one of the first type before it.
func follows(first, next event.Type) bool {
	i := slices.Index(inOneGo, first)
	return i >= 0 && slices.Index(inOneGo, next) > i
}

// ahead are the next event of a service's incident, or the first of a new one, and what
// follows from it now: it is planned on the service as it is once they were read back.
func ahead(c *Controller, s *serviceState, by string, data event.Data, now time.Time) []event.Incident {
	events := []event.Incident{nextEvent(c, s, s.incident, by, data, now)}
	if s == c.fleet.self {
		return events
	}
	for then := *s; ; {
		last := events[len(events)-1]
		if !follows(last.Type, event.TypeActionStarted) {
			return events
		}
		then.prepare(last.ID, last.Data, now)
		then.fold(last)
		d := Plan(newView(c, &then, now))
		if d.Kind != DoAppend || !follows(last.Type, event.TypeOf(d.Data)) {
			return events
		}
		events = append(events, nextEvent(c, s, then.incident, d.By, d.Data, now))
	}
}

// nextEvent is the event that comes next in an incident, or the first of a new one, and makes
// the service ready for it.
func nextEvent(c *Controller, s *serviceState, in *state.Incident, by string, data event.Data, now time.Time) event.Incident {
	e := event.Incident{Service: s.def.Name, By: by, Data: data, Time: now.UTC(), Origin: c.claim.Origin(), Type: event.TypeOf(data)}
	switch data := data.(type) {
	case event.Opened:
		e.ID, e.Seq = c.claim.NextIncident(), 1
		noteOpening(s, e)
	default:
		e.ID, e.Seq = in.ID, in.Seq()+1
		s.prepare(e.ID, data, now)
	}
	if e.Type == event.TypeActionStarted {
		c.busy, c.busySince = s.def.Name, now
	}
	return e.Bounded()
}

// withdraw takes back what was prepared for events that were not written after all.
func withdraw(c *Controller, s *serviceState, dropped []event.Incident) {
	for _, e := range dropped {
		if e.Type == event.TypeActionStarted && c.busy == s.def.Name {
			s.execution, c.busy = execution{}, ""
		}
	}
}
