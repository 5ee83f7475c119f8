package healer

import (
	"maps"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

const (
	unsignedMark   = " (unsigned)" // of a source that uses one of our names without our signature
	chaosReach     = 15 * time.Second
	maxTapes       = 2048
	keepIncidents  = 5000
	looksPerTick   = 4                // of services about which nothing is open
	acquaintAgain  = 10 * time.Second // where the last look failed
	commandAge     = time.Minute      // a command that is first read later than this changes nothing
	commandsKept   = 7 * 24 * time.Hour
	coveredFor     = time.Minute // how long an old record of a service may stand over ours
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

func (w *World) readHealth(in ReadHealth, now time.Time) {
	s := w.services[in.Log.Service]
	if s == nil {
		return
	}
	h := in.Log
	kind, counts := w.kind(&h, in.Signed)
	if !counts || kind != state.Foreign && !w.next(s, h) {
		return
	}
	level, good := s.status.Level(), s.status.Good()
	if !s.status.Observe(h, kind, now) {
		return
	}
	if s.status.Level() != level || s.status.Good() != good {
		s.look.dirty = true
	}
	if kind == state.Own {
		w.countRuns(s, h)
	}
	if !s.status.Good() {
		s.good = run{}
	}
	w.touch(s, now)
}

// kind says what the source of a record is to us, and whether it counts. A
// record that uses one of our names without our signature is foreign, and is
// marked. What we signed ourselves counts under the newest claim only: another
// is of an earlier life, and of nobody's present decision.
func (w *World) kind(h *event.HealthLog, signed bool) (state.Kind, bool) {
	if !signed {
		if w.known[h.Instance] {
			h.Instance += unsignedMark
		}
		return state.Foreign, true
	}
	w.known[h.Instance] = true
	newest, claimed := w.incidents.Newest(w.host)
	owners := claimed && h.Nonce == newest.Nonce && h.Instance == newest.Instance
	switch {
	case h.Host != "" && h.Host != w.host:
		return 0, false // another host's service of that name
	case owners && h.Check == event.CheckContainer:
		return state.OwnersLevel, true
	case owners && h.Instance == w.instance:
		return state.Own, true
	case h.Instance == w.instance:
		return 0, false
	}
	return state.Foreign, true
}

// next says whether a record of the owner's is beyond what was read of its
// source: what is not was published again by somebody. A start reads only the
// last minutes, and must not take for new what it could not have met before.
func (w *World) next(s *svc, h event.HealthLog) bool {
	if !w.replayed && h.Time().Before(w.began.Add(-pastHealth)) {
		return false
	}
	order := s.read[h.Check]
	if order == nil {
		order = &state.Order{}
		s.read[h.Check] = order
	}
	return order.Next(h.Epoch, h.Revision)
}

// countRuns counts scheduled checks of our own towards a proof and towards
// a recovery.
func (w *World) countRuns(s *svc, h event.HealthLog) {
	if v := s.work.verify; v != nil && h.Time().After(v.since) {
		v.run.count(h)
	}
	s.good.count(h)
}

// count takes one check. One beside the schedule proves nothing, but may be the
// first that was good.
func (r *run) count(h event.HealthLog) {
	switch {
	case h.Status == event.Down && (!h.Extra || r.n == 0):
		*r = run{}
		return
	case h.Status == event.Down:
		return
	case r.first.IsZero():
		r.first = h.Time()
	}
	if !h.Extra {
		r.n++
	}
}

func (w *World) readDocker(e event.Docker, now time.Time) {
	if e.Host != "" && e.Host != w.host || !w.tells(e) {
		return
	}
	switch e.Action {
	case event.StreamLost:
		w.streamLost = now
		w.lost = append(trim(w.lost, now, tapeAge), now)
		return
	case event.StreamBack:
		if !w.streamLost.IsZero() {
			w.streamLost, w.streamBack = time.Time{}, now
		}
		for _, name := range w.order {
			w.services[name].look.dirty = true
		}
		return
	}
	if !w.hasTapeFor(e.Container, now) {
		return
	}
	w.tapes[e.Container] = w.tapes[e.Container].add(entry{e, now})
	switch e.Action {
	case "create", "destroy", "rename":
		if e.Project != "" {
			w.projects[e.Project] = now
			maps.DeleteFunc(w.projects, func(_ string, at time.Time) bool { return now.Sub(at) > tapeAge })
		}
	}
	if e.Replace != "" && e.Action == "create" {
		w.replacing = slices.DeleteFunc(w.replacing, func(old entry) bool { return now.Sub(old.heard) > deployment })
		w.replacing = append(w.replacing, entry{e, now})
	}
	for _, name := range slices.Clone(w.order) {
		if s := w.services[name]; s.name() == e.Container || e.Replace != "" {
			s.look.dirty = true
			w.touch(s, now)
		}
	}
}

// tells says whether an event of the engine is news, and not an old record that
// somebody published again. In a replay those of earlier claims are as well.
func (w *World) tells(e event.Docker) bool {
	if newest, claimed := w.incidents.Newest(w.host); w.replayed && (!claimed || e.Nonce != newest.Nonce) {
		return false
	}
	return w.told.Next(e.Epoch, e.Revision)
}

// hasTapeFor says whether events of a container are kept. Where there are too
// many names, those that were not heard of for long and are no service's make
// room; what a service's container does is always kept.
func (w *World) hasTapeFor(name string, now time.Time) bool {
	if _, known := w.tapes[name]; known || len(w.tapes) < maxTapes {
		return true
	}
	named := map[string]bool{}
	for _, s := range w.services {
		named[s.name()] = true
	}
	maps.DeleteFunc(w.tapes, func(old string, t tape) bool {
		return !named[old] && now.Sub(t[len(t)-1].heard) > tapeAge
	})
	return len(w.tapes) < maxTapes || named[name]
}

// readService takes what was last published of a service, before the claim.
// After it, it is our own word that comes back.
func (w *World) readService(published event.Service, now time.Time) {
	if published.Host != w.host {
		return
	}
	if w.replayed {
		w.readOwnWord(published, now)
		return
	}
	if old, known := w.prior[published.Service]; known && !state.Newer(published, old) {
		return
	}
	w.prior[published.Service] = published
	if old := w.services[published.Service]; old != nil {
		i := slices.Index(w.order, published.Service)
		fresh := w.add(old.def, now)
		w.order = slices.Delete(w.order, len(w.order)-1, len(w.order))
		w.order[i] = fresh.def.Name
	}
}

// readOwnWord has what we published of a service written again where an old
// record was put over it: the newest of each is what the topic keeps.
func (w *World) readOwnWord(published event.Service, now time.Time) {
	s := w.services[published.Service]
	if s != nil && w.owner && (published.Nonce != w.claim.Nonce || !s.back.Next(published.Epoch, published.Revision)) {
		s.publishedAt = earlierOf(s.publishedAt, now.Add(coveredFor-republish))
	}
}

// readCommand takes a request once, and a result once. What is too old for the
// one that it may be a copy of to be remembered, changes nothing.
func (w *World) readCommand(c event.Command, now time.Time) {
	id := c.ID
	if c.Result != nil {
		id += "/result/" + c.Host // each host answers for itself
	}
	_, asked := w.asked[c.ID]
	if _, seen := w.asked[id]; seen || w.forgotten(c.Time, now) {
		return
	}
	w.asked[c.ID], w.asked[id] = c.Time, c.Time
	switch c.Command {
	case event.CommandInject:
		if s := w.services[c.Service]; s != nil && (c.Result == nil || c.Result.OK) {
			s.chaos = append(trim(s.chaos, now, tapeAge), now)
			s.look.dirty = true
		}
	case event.CommandHeal, event.CommandHold, event.CommandRelease:
		switch {
		case c.Result != nil && c.Result.OK && c.Host == w.host:
			w.switchHold(c)
		case c.Result == nil && !asked && w.owner && now.Sub(c.Time) <= commandAge:
			w.answer(c, w.command(c, now))
		}
	}
}

// forgotten says whether a command that was given then is so old that it is
// not remembered whether it was read.
func (w *World) forgotten(given, now time.Time) bool {
	return given.Before(laterOf(now, w.began).Add(-commandsKept))
}

func (w *World) readIncident(e event.Incident, now time.Time) {
	if claim, is := e.Data.(event.Claim); is {
		w.readClaim(claim, now)
		return
	}
	in, counted := w.incidents.Apply(e)
	if e.Host != w.host {
		return
	}
	s := w.services[e.Service]
	if s == nil {
		return
	}
	if s.pending != nil && s.pending.ID == e.ID && s.pending.Seq == e.Seq {
		s.readBack(now)
	}
	if !counted {
		return
	}
	if s.incident == nil || s.incident.ID != in.ID {
		s.incident = in
		s.work = work{}
	}
	w.tally(s, e)
	if w.owner {
		w.touch(s, now)
	}
}

// tally keeps the counters that outlive an incident: budgets and cooldown.
func (w *World) tally(s *svc, e event.Incident) {
	switch data := e.Data.(type) {
	case event.ActionStarted:
		s.hour = append(s.hour, e.Time)
		w.recent = append(w.recent, e.Time)
	case event.ActionFinished:
		if w.busy == s.def.Name {
			w.busy = ""
		}
		switch {
		case notCarriedOut(data):
			s.unmade = e.Time
		case !data.OK:
			s.fails, s.failed = s.fails+1, e.Time
		}
	case event.Verified:
		switch {
		case data.OK:
			s.fails = 0
		case !interrupted(data):
			s.fails, s.failed = s.fails+1, e.Time
		}
	}
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
	if running || s.lifeOnTape(w.tapes[c.Name], c.ID) {
		s.ranIDs[c.ID] = true
	}
	s.container = &event.ServiceContainer{Name: c.Name, ID: c.ID, Image: c.Image, Ran: s.ranIDs[c.ID]}
}

// lifeOnTape says whether the engine told of an end of that container: then
// it ran.
func (s *svc) lifeOnTape(t tape, id string) bool {
	_, died := t.last(func(_ int, e entry) bool { return e.ID == id }, "die", "start", "restart")
	return died
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
