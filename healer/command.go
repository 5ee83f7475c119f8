package healer

import (
	"fmt"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// command carries out what an operator asked for. The error is for people.
func (w *World) command(c event.Command, now time.Time) error {
	switch c.Command {
	case event.CommandHold:
		if c.Args.For != "" {
			if d, err := time.ParseDuration(c.Args.For); err != nil || d <= 0 {
				return fmt.Errorf("hold for %q: is not a duration such as 30m", c.Args.For)
			}
		}
		w.switchHold(c)
		return nil
	case event.CommandRelease:
		w.switchHold(c)
		return nil
	}
	s := w.services[c.Service]
	if s == nil {
		return fmt.Errorf("heal %s: no service of that name is configured on this host", c.Service)
	}
	return w.heal(s, c, now)
}

// switchHold is the fold of hold and release, carried out or read again.
func (w *World) switchHold(c event.Command) {
	switch c.Command {
	case event.CommandRelease:
		w.held = nil
	case event.CommandHold:
		w.held = &hold{by: c.By, reason: c.Args.Reason}
		if d, err := time.ParseDuration(c.Args.For); err == nil {
			w.held.until = c.Time.Add(d)
		}
	}
}

// renewHold says a standing hold anew: the record of one is forgotten after
// commandsKept, and the operator's word is not.
func (w *World) renewHold(now time.Time) {
	if w.held == nil {
		return
	}
	args := event.CommandArgs{Reason: w.held.reason}
	if !w.held.until.IsZero() {
		left := w.held.until.Sub(now).Round(time.Second)
		if left <= 0 {
			return
		}
		args.For = left.String()
	}
	w.answer(event.Command{ID: fmt.Sprintf("hold-%s-%d", w.claim.Nonce, now.Unix()), Time: now.UTC(), By: w.held.by,
		Service: event.AllServices, Command: event.CommandHold, Args: args}, nil)
}

// heal begins an incident by hand. An open one without a running action ends
// for it.
func (w *World) heal(s *svc, c event.Command, now time.Time) error {
	action := c.Args.Action
	switch {
	case action != "" && !slices.Contains(service.Actions, action):
		return fmt.Errorf("heal %s: %q is not an action; known are %v", s.def.Name, action, service.Actions)
	case slices.Contains(s.def.Heal.Never, action):
		return fmt.Errorf("heal %s: config.yaml says heal.never: %s", s.def.Name, action)
	case s.def.Container == "":
		return fmt.Errorf("heal %s: it has no container", s.def.Name)
	case action == "" && s.status.Value != event.Down:
		return fmt.Errorf("heal %s: it is %s; name an action to take all the same", s.def.Name, s.status.Value)
	case s.pending != nil:
		return fmt.Errorf("heal %s: something is being written about it right now; ask again in a moment", s.def.Name)
	}
	if s.open() {
		last, acted := lastOf(s, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified)
		if finished, is := last.Data.(event.ActionFinished); acted && (last.Type == event.TypeActionStarted || is && finished.OK) {
			return fmt.Errorf("heal %s: a repair is under way", s.def.Name)
		}
		s.work.asked = &c
		w.resolve(s, event.HowOperator, now, now)
		return nil
	}
	w.beginByHand(s, c, now)
	return nil
}

func (w *World) beginByHand(s *svc, c event.Command, now time.Time) {
	first := s.status.FirstBad
	if first.IsZero() {
		first = now
	}
	w.begin(s, operator(c), event.Opened{Error: "asked for by hand", Check: "operator", Instance: w.instance,
		FirstBad: first.UTC(), Kind: "service", Action: c.Args.Action}, now)
}

// operator is who asked, in the contract's form whatever the record said.
func operator(c event.Command) string {
	if len(c.By) > len("operator:") && c.By[:len("operator:")] == "operator:" {
		return clip(c.By, 100)
	}
	return "operator:" + clip(c.By, 90)
}

// answer writes what became of a command.
func (w *World) answer(c event.Command, err error) {
	c.Result = &event.CommandResult{OK: err == nil}
	if err != nil {
		c.Result.Error = err.Error()
	}
	c.Origin = w.origin()
	w.emit(Answer{c})
}

// nextByHand begins the incident for which the last one was ended.
func (w *World) nextByHand(s *svc, now time.Time) bool {
	c := s.work.asked
	if c == nil || s.incident == nil || s.incident.State != state.Resolved {
		return false
	}
	s.work.asked = nil
	w.beginByHand(s, *c, now)
	return true
}
