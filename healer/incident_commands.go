package healer

import (
	"errors"
	"fmt"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
	"logstream/internal/text"
)

// What operators request about one incident. The incident's host answers, and
// what is answered late, twice or about nothing changes nothing.

const maxReason = 2000 // bytes of an operator's reason

// refusal is why a command is not executed, for people and for programs.
type refusal struct {
	code  event.RefusalCode
	why   string
	legal []string // of a proposal: what could be proposed instead
}

func (r refusal) Error() string { return r.why }

func refuse(code event.RefusalCode, format string, args ...any) error {
	return refusal{code: code, why: fmt.Sprintf(format, args...)}
}

// resultOf is what becomes of a command that was executed, or refused.
func resultOf(err error) *event.CommandResult {
	if err == nil {
		return &event.CommandResult{OK: true}
	}
	var r refusal
	errors.As(err, &r) // else it has no code
	return &event.CommandResult{Error: err.Error(), Code: r.code, Legal: r.legal}
}

// ownsIncident says whether a command about an incident is answered here: where
// it is another host's, that answers.
func ownsIncident(c *Controller, asked event.Command) bool {
	in := c.incidents.Get(asked.Args.Incident)
	return in == nil || in.Host == c.host
}

// incidentOf is the service and the incident that a command names. An error is
// its answer, or says that it is answered later.
func incidentOf(c *Controller, asked event.Command) (*serviceState, *state.Incident, error) {
	name, id := asked.Command, asked.Args.Incident
	in := c.incidents.Get(id)
	switch {
	case id == "":
		return nil, nil, refuse(event.RefusedUnknown, "%s: it names no incident", name)
	case in == nil:
		return nil, nil, refuse(event.RefusedUnknown, "%s: there is no incident %q", name, text.Clip(id, maxOperator))
	case asked.Service != in.Service && asked.Service != "" && asked.Service != event.AllServices:
		return nil, nil, refuse(event.RefusedUnknown, "%s: incident %s is about %s, and not about %s", name, id, in.Service, asked.Service)
	}
	s := serviceOf(c, in.Service)
	if s == nil || s.removed {
		return nil, nil, refuse(event.RefusedUnknown, "%s: its service %s is no longer configured", name, in.Service)
	}
	return s, in, s.deferred.defers(s, asked)
}

// mostDeferred is how many commands about one service wait for its journal.
const mostDeferred = 20

// deferred keeps a command until the event of its incident that is being written
// is confirmed: at most one is outstanding, and what is answered depends on it.
type deferred struct{ commands []event.Command }

// errDeferred says that a command is answered later.
var errDeferred = errors.New("deferred")

// defers keeps a command where an event of its incident is not confirmed.
func (d *deferred) defers(s *serviceState, asked event.Command) error {
	switch {
	case !s.journal.Pending():
		return nil
	case len(d.commands) >= mostDeferred:
		return refuse(event.RefusedBusy, "%s: too many commands wait for Kafka; try again in a moment", asked.Command)
	}
	d.commands = append(d.commands, asked)
	return errDeferred
}

// next executes the oldest command that was deferred, and says whether there
// was one.
func (d *deferred) next(c *Controller, now time.Time) bool {
	if len(d.commands) == 0 {
		return false
	}
	asked := d.commands[0]
	d.commands = d.commands[1:]
	switch known, is := commandNamed(asked.Command); {
	case now.Sub(asked.Time) > commandAge:
		c.reply(asked, refuse(event.RefusedBusy, "%s: Kafka did not confirm the incident's previous event within %s; try again", asked.Command, short(commandAge)))
	case is:
		executeCommand(c, known, asked, now)
	}
	return true
}

func approve(c *Controller, asked event.Command, now time.Time) error {
	return answer(c, asked, now, event.Approved{Reason: reasonOf(asked)})
}

func deny(c *Controller, asked event.Command, now time.Time) error {
	return answer(c, asked, now, event.Denied{Reason: reasonOf(asked)})
}

func reasonOf(asked event.Command) string { return text.Clip(asked.Args.Reason, maxReason) }

// answer writes an operator's answer to the request that stands in an incident.
func answer(c *Controller, asked event.Command, now time.Time, data event.Data) error {
	s, in, err := incidentOf(c, asked)
	if err != nil {
		return err
	}
	standing, waits := approvalOf(in)
	switch {
	case in.State == state.Resolved:
		return refuse(event.RefusedNothing, "%s: the incident is resolved: nothing waits for approval", asked.Command)
	case waits && standing.approved:
		approved, _ := in.Last(event.TypeApproved)
		return refuse(event.RefusedDuplicate, "%s: %s was approved already, by %s", asked.Command, standing.request.Action, name(approved.By))
	case waits && !now.Before(standing.request.Expires):
		return refuse(event.RefusedExpired, "%s: the request expired at %s", asked.Command, standing.request.Expires.UTC().Format(time.RFC3339))
	case !waits:
		return nothingWaits(asked.Command, in)
	case asked.Args.Request != 0 && asked.Args.Request != standing.seq:
		return refuse(event.RefusedOvertaken, "%s: it was requested anew meanwhile, for %s: review the incident", asked.Command, standing.request.Action)
	case s.incident != in:
		return refuse(event.RefusedNothing, "%s: the service has a newer incident", asked.Command)
	}
	return appendFor(c, s, asked, data, now)
}

// nothingWaits says what became of the newest request of an incident in which
// none stands.
func nothingWaits(command string, in *state.Incident) error {
	last, asked := in.Last(event.TypeApprovalRequested, event.TypeDenied, event.TypeActionStarted, event.TypeEscalated)
	_, ever := in.Last(event.TypeApprovalRequested)
	switch {
	case !asked || !ever:
		return refuse(event.RefusedNothing, "%s: nothing waits for approval in this incident", command)
	case last.Type == event.TypeDenied:
		return refuse(event.RefusedDuplicate, "%s: the request was denied already, by %s", command, name(last.By))
	case last.Type == event.TypeActionStarted:
		return refuse(event.RefusedDuplicate, "%s: the request was answered already: %s was begun", command, in.Action)
	case last.Type == event.TypeEscalated:
		return refuse(event.RefusedExpired, "%s: the request is over: a person was called instead", command)
	}
	return refuse(event.RefusedOvertaken, "%s: the situation changed after the request: review the incident", command)
}

// name is an operator's, without the mark that it is one.
func name(by string) string { return event.OperatorName(by) }

// acknowledge notes on the log that a person knows of an incident.
func acknowledge(c *Controller, asked event.Command, now time.Time) error {
	s, in, err := incidentOf(c, asked)
	switch {
	case err != nil:
		return err
	case in.State == state.Resolved:
		return refuse(event.RefusedNothing, "acknowledge: the incident is resolved already")
	case s.incident != in:
		return refuse(event.RefusedNothing, "acknowledge: the service has a newer incident")
	case in.Acknowledged != nil:
		return refuse(event.RefusedDuplicate, "acknowledge: the incident was acknowledged already, by %s", name(in.Acknowledged.By))
	}
	return appendFor(c, s, asked, event.Acknowledged{Reason: reasonOf(asked)}, now)
}

// isImpossible says whether what an operator asked for is known not to be possible:
// whatever is done instead is not what was asked for.
func isImpossible(v View) bool {
	known := v.Def.Container == "" || v.Inspection.due(v.Now) == fresh && (v.Inspection.err == nil || v.Target.Missing)
	return v.Forced != "" && known && !v.acts() && whyNot(v.Forced, v.Target) != ""
}
