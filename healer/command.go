package healer

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"logstream/healer/gate"
	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/service"
	"logstream/internal/state"
	"logstream/internal/text"
)

// What operators request, what is published of services, and what is configured.

const (
	commandAge   = time.Minute // a command that is first read later than this changes nothing
	commandsKept = 7 * 24 * time.Hour
	republish    = time.Hour
	maxOperator  = 100 // bytes of a name
)

// readCommand takes a request once, and a result once. What is too old for the
// one that it may be a copy of to be remembered, changes nothing.
func (c *Controller) readCommand(read event.Command, now time.Time) {
	id := read.ID
	if read.Result != nil {
		id += "/result/" + read.Host // each host answers for itself
	}
	_, requested := c.commands[read.ID]
	if _, seen := c.commands[id]; seen || c.isForgotten(read.Time, now) {
		return
	}
	c.commands[read.ID], c.commands[id] = read.Time, read.Time
	switch read.Command {
	case event.CommandInject:
		if s := c.services[read.Service]; s != nil && (read.Result == nil || read.Result.OK) {
			s.injections = append(slices.DeleteFunc(s.injections, func(t time.Time) bool { return now.Sub(t) > history.MaxAge }), now)
			s.inspection.stale = true
		}
	case event.CommandHeal, event.CommandHold, event.CommandRelease:
		switch {
		case read.Result != nil && read.Result.OK && read.Host == c.host:
			c.switchHold(read)
		case read.Result == nil && !requested && c.leads() && now.Sub(read.Time) <= commandAge:
			c.reply(read, c.command(read, now))
		}
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
}

// command carries out what an operator asked for. The error is for people.
func (c *Controller) command(asked event.Command, now time.Time) error {
	switch asked.Command {
	case event.CommandHold:
		if asked.Args.For != "" {
			if d, err := time.ParseDuration(asked.Args.For); err != nil || d <= 0 {
				return fmt.Errorf("hold: %q is not a duration such as 30m", asked.Args.For)
			}
		}
		c.switchHold(asked)
		return nil
	case event.CommandRelease:
		c.switchHold(asked)
		return nil
	}
	s := c.services[asked.Service]
	if s == nil || s.removed {
		return fmt.Errorf("heal %s: this host has no service with that name", asked.Service)
	}
	return c.heal(s, asked, now)
}

// switchHold is the fold of hold and release, carried out or read again.
func (c *Controller) switchHold(read event.Command) {
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
func (c *Controller) heal(s *serviceState, asked event.Command, now time.Time) error {
	name := asked.Args.Action
	switch {
	case name != "" && !slices.Contains(service.Actions, name):
		if suggestion := nearest.Of(name, service.Actions); suggestion != "" {
			return fmt.Errorf("heal %s: unknown action %q; did you mean %s?", s.def.Name, name, suggestion)
		}
		return fmt.Errorf("heal %s: unknown action %q; known actions: %s", s.def.Name, name, strings.Join(service.Actions, ", "))
	case slices.Contains(s.def.Heal.Never, name):
		return fmt.Errorf("heal %s: heal.never in config.yaml forbids %s", s.def.Name, name)
	case s.def.Container == "":
		return fmt.Errorf("heal %s: it has no container: LogStream cannot repair it", s.def.Name)
	case name == "" && s.status.Value != event.Down:
		return fmt.Errorf("heal %s: it is %s; name an action to run it anyway", s.def.Name, s.status.Value)
	case s.journal.Pending():
		return fmt.Errorf("heal %s: an event of its incident is being written to Kafka; try again in a moment", s.def.Name)
	}
	s.byHand = &asked
	if s.open() {
		v := newView(c, s, now)
		if v.acts() {
			s.byHand = nil
			return fmt.Errorf("heal %s: a repair is under way", s.def.Name)
		}
		c.carryOut(s, v, resolve(v, event.HowOperator, now), now)
		return nil
	}
	c.carryOut(s, View{}, openByHand(newView(c, s, now), asked), now)
	return nil
}

// operator is who asked, in the contract's form whatever the record says.
func operator(c event.Command) string {
	name := strings.TrimPrefix(c.By, event.ByOperator)
	if name == "" {
		name = c.By
	}
	return event.ByOperator + text.Clip(name, maxOperator)
}

// reply writes what became of a command.
func (c *Controller) reply(to event.Command, err error) {
	to.Result = &event.CommandResult{OK: err == nil}
	if err != nil {
		to.Result.Error = err.Error()
	}
	to.Origin = c.claim.Origin()
	c.emit(Reply{to})
}

// publish publishes a service's state where it changed, and each hour. What
// changes with every check (code, latency, the words of an error) is not a
// change: the health log has it.
func (c *Controller) publish(s *serviceState, now time.Time) {
	p := &s.publication
	if !c.leads() || p.inFlight {
		return
	}
	next := c.record(s, now)
	switch {
	case s.removed && (s.journal.Pending() || s.open()):
		return
	case s.removed:
		next.Definition = nil
	case isSameState(p.last, next) && now.Sub(p.at) < republish:
		return
	}
	c.revision++
	next.Revision = c.revision
	p.last, p.inFlight, p.at = next, true, now
	c.emit(Publish{next})
}

// published takes the outcome of a publication. One that failed is made again;
// a service that was removed is forgotten once that is on the topic.
func (c *Controller) published(in Published) {
	s := c.services[in.Service]
	if s == nil {
		return
	}
	s.publication.inFlight = false
	switch {
	case !in.OK:
		s.publication.last = event.Service{}
	case s.removed && s.publication.last.Definition == nil && s.publication.last.Service != "":
		delete(c.prior, s.def.Name)
		c.forget(s.def.Name)
	}
}

func (c *Controller) record(s *serviceState, now time.Time) event.Service {
	out := event.Service{Time: now.UTC(), Service: s.def.Name, Definition: s.masked, DefinitionHash: s.hash,
		Status: s.status.Value, Since: s.status.Since.UTC(), Code: s.status.Last.Code, LatencyMS: s.status.Last.LatencyMS,
		Needs: needsOf(c, s.def.Name), Error: s.status.Error, Sources: s.status.Sources(), NeverUp: !s.status.WasUp(), Flapping: s.status.Flapping(), Origin: c.claim.Origin()}
	if !s.status.FirstBad.IsZero() {
		first := s.status.FirstBad.UTC()
		out.FirstBad = &first
	}
	if since := s.status.ThresholdsSince(); !since.IsZero() {
		since = since.UTC()
		out.ThresholdsSince = &since
	}
	if s.container != nil {
		kept := *s.container
		out.Container = &kept
	}
	if disputed := gate.Healthcheck(); s.status.Good() && s.status.Disputed() {
		out.Held, out.HeldReason = disputed.Gate, disputed.Reason
	}
	if s.open() {
		out.OpenIncident = s.incident.ID
		out.Held, out.HeldReason = s.incident.Held, s.incident.HeldReason
		out.Healing = s.incident.State == state.Open && View{Incident: s.incident}.acts()
	}
	return out
}

func isSameState(a, b event.Service) bool {
	return (a.Definition == nil) == (b.Definition == nil) && a.DefinitionHash == b.DefinitionHash && a.Status == b.Status && a.Since.Equal(b.Since) && isSame(a.FirstBad, b.FirstBad, time.Time.Equal) &&
		a.Healing == b.Healing && a.Held == b.Held && a.HeldReason == b.HeldReason && a.OpenIncident == b.OpenIncident && a.NeverUp == b.NeverUp && a.Flapping == b.Flapping &&
		isSame(a.Container, b.Container, func(a, b event.ServiceContainer) bool { return a == b }) &&
		slices.EqualFunc(a.Sources, b.Sources, isSameSource) && slices.Equal(a.Needs, b.Needs) && a.Origin == b.Origin
}

func isSameSource(a, b event.Source) bool {
	return a.Instance == b.Instance && a.Check == b.Check && a.Status == b.Status && a.Since.Equal(b.Since)
}

func isSame[T any](a, b *T, equal func(a, b T) bool) bool {
	return a == b || a != nil && b != nil && equal(*a, *b)
}

func (c *Controller) add(def service.Definition, now time.Time) *serviceState {
	var published *event.Service
	if prior, known := c.prior[def.Name]; known && prior.Definition != nil {
		published = &prior
	}
	s := newServiceState(def, published, now)
	if all := c.incidents.Of(def.Name, c.host); len(all) > 0 {
		s.incident = all[len(all)-1]
	}
	c.services[def.Name], c.graph = s, nil
	c.order = append(c.order, def.Name)
	return s
}

// again adds a service anew, in its place.
func (c *Controller) again(def service.Definition, now time.Time) *serviceState {
	i := slices.Index(c.order, def.Name)
	s := c.add(def, now)
	c.order = slices.Delete(c.order, len(c.order)-1, len(c.order))
	c.order[i] = def.Name
	return s
}

func (c *Controller) forget(name string) {
	delete(c.services, name)
	c.graph = nil
	c.order = slices.DeleteFunc(c.order, func(n string) bool { return n == name })
}

func (c *Controller) reconfigure(in Reconfigured, now time.Time) {
	wanted := map[string]bool{}
	for _, def := range in.Services {
		wanted[def.Name] = true
		s := c.services[def.Name]
		switch {
		case s == nil:
			s = c.add(def, now)
		case !s.removed && !s.seeded && reflect.DeepEqual(s.def, def):
			continue // others were edited
		case s.def.Container != def.Container:
			s.container, s.links = nil, links{}
			s.inspection = inspection{request: s.inspection.request, stale: true}
			fallthrough
		default:
			s.define(def)
			s.removed, s.seeded, s.edited, c.graph = false, false, now, nil
			s.status.Redefine(def, now)
		}
		c.reconcile(s, now)
	}
	for _, name := range slices.Clone(c.order) {
		if s := c.services[name]; !wanted[name] && !(in.Discovering && s.seeded) {
			s.removed, c.graph = true, nil
			c.reconcile(s, now)
		}
	}
}
