package healer

import (
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	chaosReach     = 15 * time.Second
	keepIncidents  = 5000
	looksPerTick   = 4                // of services about which nothing is open
	acquaintAgain  = 10 * time.Second // where the last look failed
	hourOfBudget   = time.Hour
	minuteOfBudget = time.Minute
)

// Step takes one input at now, and returns what is to be done. It changes the
// world in place; nothing else does.
func (w *World) Step(in Input, now time.Time) []Effect {
	w.effects = nil
	switch in := in.(type) {
	case ReadHealth:
		w.readHealth(in, now)
	case ReadDocker:
		w.readDocker(in.Event, now)
	case ReadService:
		w.readService(in.Service, now)
	case ReadCommand:
		w.readCommand(in.Command, now)
	case ReadIncident:
		w.readIncident(in.Event, now)
	case Replayed:
		w.replay(in.Nonce, now)
	case Looked:
		w.looked(in, now)
	case Acted:
		w.acted(in, now)
	case AppendFailed:
		w.appendFailed(in, now)
	case Published:
		if s := w.services[in.Service]; s != nil {
			s.publishing = false
			if !in.OK {
				s.published = event.Service{} // it is written again
			}
		}
	case ModelIs:
		w.model = in
	case Answered:
		w.answered(in, now)
	case Reconfigured:
		w.reconfigure(in.Services, now)
	case Tick:
		w.tick(now)
	}
	return w.effects
}

// touch decides anew about one service and publishes what changed.
func (w *World) touch(s *svc, now time.Time) {
	if s == nil {
		return
	}
	w.think(s, now)
	w.publish(s, now)
}

func (w *World) tick(now time.Time) {
	if !w.replayed {
		return // what is replayed has its own time: by ours all of it is long silent
	}
	w.keepClaim(now)
	w.recent = trim(notAhead(w.recent, now), now, minuteOfBudget)
	if w.held != nil && !w.held.until.IsZero() && now.After(w.held.until) {
		w.held = nil
	}
	looks := looksPerTick
	for _, name := range slices.Clone(w.order) {
		s := w.services[name]
		if looks > 0 && w.acquaint(s, now) {
			looks--
		}
		s.hour = trim(notAhead(s.hour, now), now, hourOfBudget)
		s.failed, s.unmade = earlierOf(s.failed, now), earlierOf(s.unmade, now)
		s.status.Tick(now)
		w.touch(s, now)
	}
}

// acquaint looks at the container of a service about which nothing is open,
// once, and again when something happened to it: so that the log says which
// container it was, and that it ran, before anything breaks.
func (w *World) acquaint(s *svc, now time.Time) bool {
	l := &s.look
	known := !l.at.IsZero() && !l.dirty && l.err == nil
	waits := !l.at.IsZero() && now.Sub(l.asked) < time.Second || l.err != nil && now.Sub(l.asked) < acquaintAgain
	if !w.owner || s.def.Container == "" || s.open() || s.removed || l.open && now.Sub(l.asked) < lookLost || known || waits || !w.streamLost.IsZero() {
		return false
	}
	w.ask(s, now)
	return true
}

func (w *World) looked(in Looked, now time.Time) {
	s := w.services[in.Service]
	if s == nil || in.Request != s.look.request || !s.look.open {
		return
	}
	s.look.open, s.look.at = false, now
	s.look.state, s.look.err, s.look.logs = in.State, in.Err, in.Logs
	if in.Err == nil {
		w.meet(s)
	}
	w.touch(s, now)
}

// meet notes which container a service has, and that it ran.
func (w *World) meet(s *svc) {
	c := s.look.state
	running := c.Status == "running" || c.Status == "paused" || c.Status == "restarting"
	if running || w.histories[c.Name].Ran(c.ID) {
		s.ranIDs[c.ID] = true
	}
	s.container = &event.ServiceContainer{Name: c.Name, ID: c.ID, Image: c.Image, Ran: s.ranIDs[c.ID]}
}

func (w *World) acted(in Acted, now time.Time) {
	s := w.services[in.Service]
	if s == nil || !s.open() || s.incident.ID != in.Incident || s.work.attempt != in.Attempt {
		return
	}
	s.work.acting = false
	s.look.dirty = true
	switch {
	case in.NotMade == "" && in.Err != nil && !refused(in.Err):
		s.work.doubt = now // the engine went away: the effect is not known
	default:
		s.work.acted = &in
	}
	w.touch(s, now)
}

func (w *World) reconfigure(defs []service.Definition, now time.Time) {
	wanted := map[string]bool{}
	for _, def := range defs {
		wanted[def.Name] = true
		s := w.services[def.Name]
		switch {
		case s == nil:
			s = w.add(def, now)
		case s.def.Container != def.Container:
			s.container = nil
			s.look = look{request: s.look.request, dirty: true}
			fallthrough
		default:
			s.define(def)
			s.removed = false
			s.status.Redefine(def, now)
		}
		w.touch(s, now)
	}
	for _, name := range slices.Clone(w.order) {
		if !wanted[name] {
			w.services[name].removed = true
			w.touch(w.services[name], now)
		}
	}
}

// drop forgets a service that was removed and about which nothing is open.
func (w *World) drop(s *svc) {
	delete(w.services, s.def.Name)
	delete(w.prior, s.def.Name)
	w.order = slices.DeleteFunc(w.order, func(name string) bool { return name == s.def.Name })
}
