package healer

import (
	"maps"
	"slices"
	"time"

	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/state"
)

// What is read from the log, record by record, and what of it counts.

const (
	unsignedMark = " (unsigned)" // of a source that uses one of our names without our signature
	commandAge   = time.Minute   // a command that is first read later than this changes nothing
	commandsKept = 7 * 24 * time.Hour
	coveredFor   = time.Minute // how long an old record of a service may stand over ours
	maxHistories = 2048
)

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
		w.lost = append(trim(w.lost, now, history.MaxAge), now)
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
	if !w.keepsHistoryOf(e.Container, now) {
		return
	}
	w.histories[e.Container] = w.histories[e.Container].Add(history.Event{Docker: e, ReadAt: now})
	switch e.Action {
	case "create", "destroy", "rename":
		if e.Project != "" {
			w.projects[e.Project] = now
			maps.DeleteFunc(w.projects, func(_ string, at time.Time) bool { return now.Sub(at) > history.MaxAge })
		}
	}
	if e.Replace != "" && e.Action == "create" {
		w.replacing = slices.DeleteFunc(w.replacing, func(old history.Event) bool { return now.Sub(old.ReadAt) > deployment })
		w.replacing = append(w.replacing, history.Event{Docker: e, ReadAt: now})
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

// keepsHistoryOf says whether events of a container are kept. Where there are too
// many names, those that were not heard of for long and are no service's make
// room; what a service's container does is always kept.
func (w *World) keepsHistoryOf(name string, now time.Time) bool {
	if _, known := w.histories[name]; known || len(w.histories) < maxHistories {
		return true
	}
	named := map[string]bool{}
	for _, s := range w.services {
		named[s.name()] = true
	}
	maps.DeleteFunc(w.histories, func(old string, h history.History) bool {
		return !named[old] && now.Sub(h[len(h)-1].ReadAt) > history.MaxAge
	})
	return len(w.histories) < maxHistories || named[name]
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
			s.chaos = append(trim(s.chaos, now, history.MaxAge), now)
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
