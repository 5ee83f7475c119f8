package healer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"logstream/healer/gate"
	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/service"
	"logstream/internal/state"
	"logstream/internal/text"
)

// What operators request.

const (
	commandAge   = time.Minute // a command that is first read later than this changes nothing
	commandsKept = 7 * 24 * time.Hour
	// writtenWithin is how long after a command was given its result is written at the
	// latest: what is written later is a copy.
	writtenWithin = time.Hour
	maxOperator   = 100 // bytes of a name
	// maxInjections bounds how many injections into one service are remembered.
	maxInjections = 200
)

// command is a request of an operator: one entry of commands.
type command struct {
	name string
	// answers says whether it is executed, and answered, on this host; nil: on
	// each.
	answers func(c *Controller, asked event.Command) bool
	// heed folds each record of it, requests and results, replayed ones as well;
	// nil: nothing outside of the incidents follows from it.
	heed func(c *Controller, read event.Command, now time.Time)
	// stands says that it is heeded whatever its age, where the topic still has the
	// record that was written when it was given.
	stands bool
	// execute is called once, by the leader, while the request is young. The error
	// is for people; errDeferred: it is answered later, once the event of an incident
	// that executes it is read back. nil: another part of the program executes it.
	execute func(c *Controller, asked event.Command, now time.Time) error
}

// commands are those that the healer reads. All others change nothing here. It is
// a function, for what they execute looks commands up.
func commands() []command {
	return []command{
		{name: event.CommandInject, heed: noteInjection},
		{name: event.CommandHold, answers: ofThisHost, heed: recallHold, stands: true, execute: hold},
		{name: event.CommandRelease, answers: ofThisHost, heed: recallHold, stands: true, execute: release},
		{name: event.CommandSilence, answers: ownsService, heed: recallSilence, execute: silence},
		{name: event.CommandUnsilence, answers: ownsService, heed: recallSilence, execute: unsilence},
		{name: event.CommandHeal, answers: ownsService, execute: heal},
		{name: event.CommandPropose, answers: ownsService, execute: propose},
		{name: event.CommandApprove, answers: ownsIncident, execute: approve},
		{name: event.CommandDeny, answers: ownsIncident, execute: deny},
		{name: event.CommandUndo, answers: ownsIncident, execute: undo},
		{name: event.CommandAcknowledge, answers: ownsIncident, execute: acknowledge},
		{name: event.CommandNote, heed: queueNote},
	}
}

// readCommand takes a request once, and a result once. What is too old for the
// one that it may be a copy of to be remembered, changes nothing, unless it stands.
func (c *Controller) readCommand(read event.Command, now time.Time) {
	id := read.ID
	if read.Result != nil {
		id += "/result/" + read.Host // each host answers for itself
	}
	known, is := commandNamed(read.Command)
	_, requested := c.commands[read.ID]
	stands := known.stands && now.Sub(read.Time) <= writtenWithin // a replayed record counts at the time when it was written
	if _, seen := c.commands[id]; seen || c.isForgotten(read.Time, now) && !stands {
		return
	}
	c.commands[read.ID], c.commands[id] = read.Time, read.Time
	if !is {
		return
	}
	if known.heed != nil {
		known.heed(c, read, now)
	}
	young := read.Result == nil && !requested && now.Sub(read.Time) <= commandAge
	if known.execute != nil && young && c.leads() && (known.answers == nil || known.answers(c, read)) {
		executeCommand(c, known, read, now)
	}
}

func commandNamed(name string) (command, bool) {
	for _, known := range commands() {
		if known.name == name {
			return known, true
		}
	}
	return command{}, false
}

// ofThisHost says whether a command about all services of a host is answered here. One
// that names no host was written by another program, and is for each.
func ofThisHost(c *Controller, asked event.Command) bool {
	return asked.Host == "" || asked.Host == c.host
}

// ownsService says whether a command about a service is answered here: where it is
// another host's, that answers.
func ownsService(c *Controller, asked event.Command) bool {
	_, elsewhere := c.others[asked.Service]
	return c.services[asked.Service] != nil || !elsewhere
}

// executeCommand executes a request, and answers it unless that is deferred. A
// program may only propose: what approves a proposal is an operator's, whatever part
// of LogStream wrote the record.
func executeCommand(c *Controller, known command, asked event.Command, now time.Time) {
	if _, program := event.ProposerName(asked.By); program && known.name != event.CommandPropose {
		c.reply(asked, refuse(event.RefusedIllegal, "%s: a program may only propose", known.name))
		return
	}
	if err := known.execute(c, asked, now); !errors.Is(err, errDeferred) {
		c.reply(asked, err)
	}
}

// noteInjection notes that chaos is about to act, or has acted.
func noteInjection(c *Controller, read event.Command, now time.Time) {
	if s := c.services[read.Service]; s != nil && (read.Result == nil || read.Result.OK) {
		s.injections = append(slices.DeleteFunc(s.injections, func(t time.Time) bool { return now.Sub(t) > commandsKept }), now)
		s.injections = s.injections[max(0, len(s.injections)-maxInjections):]
		s.inspection.stale = true
	}
}

func (c *Controller) leads() bool {
	_, leads := c.claim.Leader()
	return leads
}

// isForgotten says whether a command that was given then is so old that it is
// not remembered whether it was read.
func (c *Controller) isForgotten(given, now time.Time) bool {
	return given.Before(later(now, c.began).Add(-commandsKept))
}

func (c *Controller) forgetCommands(now time.Time) {
	maps.DeleteFunc(c.commands, func(_ string, given time.Time) bool { return c.isForgotten(given, now) })
	c.notes.forget(func(given time.Time) bool { return c.isForgotten(given, now) })
}

func hold(c *Controller, asked event.Command, _ time.Time) error {
	if asked.Args.For != "" {
		if d, err := time.ParseDuration(asked.Args.For); err != nil || d <= 0 {
			return fmt.Errorf("hold: %q is not a duration such as 30m", asked.Args.For)
		}
	}
	switchHold(c, asked)
	return nil
}

func release(c *Controller, asked event.Command, _ time.Time) error {
	switchHold(c, asked)
	return nil
}

// recallHold takes up a hold, or its end, that was executed.
func recallHold(c *Controller, read event.Command, _ time.Time) {
	if read.Result != nil && read.Result.OK && read.Host == c.host {
		switchHold(c, read)
	}
}

// switchHold is the fold of hold and release, executed or read again.
func switchHold(c *Controller, read event.Command) {
	switch read.Command {
	case event.CommandRelease:
		c.hold = nil
	case event.CommandHold:
		c.hold = &gate.Hold{By: read.By, Reason: read.Args.Reason}
		if d, err := time.ParseDuration(read.Args.For); err == nil {
			c.hold.Until = read.Time.Add(d)
		}
	}
}

// renewHold writes a standing hold again: the record of one is forgotten after
// commandsKept, and the hold is not.
func (c *Controller) renewHold(now time.Time) {
	if c.hold == nil {
		return
	}
	args := event.CommandArgs{Reason: c.hold.Reason}
	if !c.hold.Until.IsZero() {
		left := c.hold.Until.Sub(now).Round(time.Second)
		if left <= 0 {
			return
		}
		args.For = left.String()
	}
	c.reply(event.Command{ID: fmt.Sprintf("hold-%s-%d", c.claim.Origin().Nonce, now.Unix()), Time: now.UTC(), By: c.hold.By,
		Service: event.AllServices, Command: event.CommandHold, Args: args}, nil)
}

// heal begins an incident by hand. An open one without a running action ends
// for it.
func heal(c *Controller, asked event.Command, now time.Time) error {
	s := c.services[asked.Service]
	if s == nil || s.removed {
		return fmt.Errorf("heal %s: this host has no service with that name", asked.Service)
	}
	name := asked.Args.Action
	switch {
	case name != "" && !slices.Contains(service.Actions, name):
		if suggestion := nearest.Of(name, service.Actions); suggestion != "" {
			return fmt.Errorf("heal %s: unknown action %q; did you mean %s?", s.def.Name, name, suggestion)
		}
		return fmt.Errorf("heal %s: unknown action %q; known actions: %s", s.def.Name, name, strings.Join(service.Actions, ", "))
	case slices.Contains(s.def.Heal.Never, name):
		return fmt.Errorf("heal %s: heal.never in config.yaml forbids %s", s.def.Name, name)
	case s.def.Container == "" && len(s.def.Heal.Commands) == 0:
		return fmt.Errorf("heal %s: it has no container: LogStream cannot repair it", s.def.Name)
	case name == "" && s.status.Value != event.Down:
		return fmt.Errorf("heal %s: it is %s; name an action to run it anyway", s.def.Name, s.status.Value)
	case s.journal.Pending() || s.byHand != nil:
		return fmt.Errorf("heal %s: an event of its incident is being written to Kafka; try again in a moment", s.def.Name)
	}
	if why := refusedByHand(c, s, name, now); why != "" {
		return fmt.Errorf("heal %s: %s is not possible: %s", s.def.Name, name, why)
	}
	s.byHand = &asked
	if s.open() {
		v := newView(c, s, now)
		if v.acts() {
			s.byHand = nil
			return fmt.Errorf("heal %s: a repair is under way", s.def.Name)
		}
		c.apply(s, v, resolve(v, event.HowOperator, now), now)
		return errDeferred
	}
	c.apply(s, View{}, openByHand(newView(c, s, now), asked), now)
	return errDeferred
}

func openByHand(v View, c event.Command) Decision {
	first := v.Status.FirstBad
	if first.IsZero() {
		first = v.Now
	}
	opened := event.Opened{Error: "requested by an operator", Check: event.CheckOperator, Instance: c.Instance, FirstBad: first.UTC(), Kind: "service", Action: c.Args.Action}
	switch c.Command {
	case event.CommandUndo:
		opened = openedToUndo(opened, c)
	case event.CommandPropose:
		return write(proposer(c), openedByProposal(opened, c))
	}
	return write(operator(c), opened)
}

// operator is who asked, in the contract's form whatever the record says.
func operator(c event.Command) string {
	if c.Command == event.CommandPropose {
		return proposer(c)
	}
	name := strings.TrimPrefix(c.By, event.ByOperator)
	if name == "" {
		name = c.By
	}
	return event.ByOperator + text.Clip(name, maxOperator)
}

// reply writes what became of a command.
func (c *Controller) reply(to event.Command, err error) {
	to.Result = resultOf(err)
	to.Origin = c.claim.Origin()
	c.emit(Reply{to})
}

// refuses says whether what holds an incident ends what an operator requested in it,
// because it is not known when the hold ends. An unreachable engine ends nothing: the
// request waits for it.
func refuses(in *state.Incident) bool {
	return in.Held != "" && in.HeldUntil == nil && in.Held != gate.OfEngine
}

// Replayed says whether everything was read up to the end seen at the start.
func (c *Controller) Replayed() bool { return c.replayed }
