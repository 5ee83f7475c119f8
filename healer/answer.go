package healer

import (
	"time"

	"logstream/internal/event"
)

// answering is the command that the outstanding event of a service's incident
// executes. Its result is written once that event was read back, and never
// where it was not: a crash between the two loses an answer, and no request that
// was answered as done.
type answering struct {
	command  *event.Command // nil: none
	incident string
	seq      int
}

// appendFor writes the event that carries a command out, in the service's newest
// incident. It is answered later.
func appendFor(c *Controller, s *serviceState, asked event.Command, data event.Data, now time.Time) error {
	s.answering = answering{&asked, s.incident.ID, s.incident.Seq() + 1}
	c.append(s, operator(asked), data, now)
	return errDeferred
}

// noteOpening notes the event that opens an incident: where an operator's request
// was waiting for one, it carries that out.
func noteOpening(s *serviceState, e event.Incident) {
	if s.byHand != nil {
		s.answering, s.byHand = answering{s.byHand, e.ID, e.Seq}, nil
	}
}

// confirmed answers the command that an event executed, now that it counts.
func confirmed(c *Controller, s *serviceState, e event.Incident) {
	if a := s.answering; a.command != nil && a.incident == e.ID && a.seq == e.Seq {
		s.answering = answering{}
		c.reply(*a.command, nil)
	}
}

// refuseRemoved answers what was asked of a service that was removed from the
// configuration before an incident could begin for it.
func refuseRemoved(c *Controller, s *serviceState) {
	if asked := s.byHand; asked != nil {
		s.byHand = nil
		c.reply(*asked, refuse(event.RefusedUnknown, "%s: its service %s is no longer configured", asked.Command, s.def.Name))
	}
}
