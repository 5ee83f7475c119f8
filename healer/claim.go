package healer

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

const (
	claimAgain  = 24 * time.Hour         // the claim is repeated, so that retention never leaves a log without it
	appendAgain = 500 * time.Millisecond // an append of unknown outcome is repeated
	readBackMax = 10 * time.Second       // and one that was acknowledged and is not read back
)

// replay ends the replay: the world was read to the end, and is claimed.
func (w *World) replay(nonce string, now time.Time) {
	w.replayed = true
	w.incidents.Forget(keepIncidents)
	for name, s := range w.services {
		s.status.Watch(now)
		if prior, known := w.prior[name]; known && prior.Definition != nil {
			s.status.Keep(prior)
		}
	}
	w.writeClaim(nonce, now)
}

func (w *World) writeClaim(nonce string, now time.Time) {
	epoch := int64(1)
	if newest, claimed := w.incidents.Newest(w.host); claimed {
		epoch = newest.Epoch + 1
	}
	w.claim = event.Claim{Host: w.host, Instance: w.instance, Epoch: epoch, Nonce: nonce}
	w.appendClaim(now)
}

func (w *World) appendClaim(now time.Time) {
	w.writing, w.wroteAt = true, now
	w.emit(Append{event.Incident{ID: w.claim.Nonce, Seq: 1, Time: now.UTC(), Service: event.ReservedService,
		Type: event.TypeClaim, By: event.ByLogstream, Data: w.claim, Origin: w.origin()}})
}

func (w *World) readClaim(claim event.Claim, now time.Time) {
	before, had := w.incidents.Newest(claim.Host)
	_, counted := w.incidents.Apply(event.Incident{Data: claim})
	w.known[claim.Instance] = true
	if claim.Host != w.host {
		return
	}
	mine := w.replayed && claim.Nonce == w.claim.Nonce
	taken := counted && (!had || before.Nonce != claim.Nonce)
	if taken {
		w.told = state.Order{}
		for _, s := range w.services {
			s.status.EndLevel([2]string{})
			s.read, s.back = map[string]*state.Order{}, state.Order{}
		}
	}
	switch {
	case mine && counted:
		w.writing, w.claimedAt = false, now
		if taken {
			w.own(now)
		}
	case mine:
		// It did not count: another claim came first. Without a foreign one
		// since the start, it is written again, higher.
		w.writing = false
		if w.foreign == "" {
			w.writeClaim(w.claim.Nonce, now)
		}
	case taken && w.replayed && claim.Instance != w.instance:
		w.lose(claim.Instance)
	case taken && w.replayed:
		w.lose("another process of " + w.instance)
	}
}

// own begins the ownership. What was under way in an earlier life is in doubt.
func (w *World) own(now time.Time) {
	w.owner, w.ownerSince, w.minted, w.busy = true, now, 0, ""
	w.leftBehind(now)
	w.renewHold(now)
	for _, name := range append([]string(nil), w.order...) {
		s := w.services[name]
		s.pending, s.publishing = nil, false
		s.published = event.Service{} // all are published, as they were last known
		s.work = work{}
		s.good = run{}
		s.look.dirty = true
		w.touch(s, now)
	}
}

// leftBehind takes up the services that were published, or about which an
// incident is open, and that are no longer configured: they left while nobody
// watched, and are ended like those that leave before our eyes.
func (w *World) leftBehind(now time.Time) {
	names := map[string]bool{}
	for name, prior := range w.prior {
		if prior.Definition != nil {
			names[name] = true
		}
	}
	for _, in := range w.incidents.All() {
		if in.Host == w.host && in.State != state.Resolved && in.Service != event.ReservedService {
			names[in.Service] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if w.services[name] == nil {
			def := service.Default()
			def.Name = name
			w.add(def, now).removed = true
		}
	}
}

func (w *World) lose(to string) {
	w.owner, w.writing, w.foreign = false, false, to
}

// keepClaim repeats a claim that was not read back, and one that is a day old.
func (w *World) keepClaim(now time.Time) {
	switch {
	case !w.replayed || w.foreign != "":
	case w.writing && now.Sub(w.wroteAt) > readBackMax:
		w.appendClaim(now)
	case w.owner && now.Sub(w.claimedAt) > claimAgain:
		w.claimedAt = now
		w.incidents.Forget(keepIncidents)
		maps.DeleteFunc(w.asked, func(_ string, given time.Time) bool { return w.forgotten(given, now) })
		w.appendClaim(now)
		w.renewHold(now)
	}
}

// appendFailed repeats an append of unknown outcome, byte for byte, a moment
// later: until it, or a foreign claim, is read back.
func (w *World) appendFailed(in AppendFailed, now time.Time) {
	if w.writing && in.ID == w.claim.Nonce {
		w.wroteAt = now.Add(appendAgain - readBackMax)
		return
	}
	if s := w.services[in.Service]; s != nil && s.pending != nil && s.pending.ID == in.ID && s.pending.Seq == in.Seq {
		s.pendingAt = now.Add(appendAgain - readBackMax)
		if s.away.IsZero() {
			s.away = s.pending.Time
		}
	}
}

// readBack takes the outstanding append of a service as written.
func (s *svc) readBack(now time.Time) {
	s.pending = nil
	if !s.away.IsZero() {
		s.wasAway, s.away = now.Sub(s.away), time.Time{}
	}
}

// tellAway says on the log, once it can be written again, that it could not:
// the gate log can stand nowhere else.
func (w *World) tellAway(s *svc, now time.Time) bool {
	was := s.wasAway
	s.wasAway = 0
	if was < patience || s.incident.State != state.Open {
		return false
	}
	w.suppress(s, "log", fmt.Sprintf("the log could not be written for %s: nothing was done meanwhile", was.Round(time.Second)), nil, now)
	return true
}

// again repeats the outstanding append of a service when it is time.
func (w *World) again(s *svc, now time.Time) {
	if now.Sub(s.pendingAt) > readBackMax {
		s.pendingAt = now
		w.emit(Append{*s.pending})
	}
}

// write appends the next event of the service's incident. Until it is read
// back nothing else is written for that incident.
func (w *World) write(s *svc, by string, data event.Data, now time.Time) {
	in := s.incident
	e := event.Incident{ID: in.ID, Seq: in.Seq() + 1, Service: s.def.Name, By: by, Data: data}
	w.send(s, e, now)
}

func (w *World) send(s *svc, e event.Incident, now time.Time) {
	e.Time, e.Origin, e.Type = now.UTC(), w.origin(), event.TypeOf(e.Data)
	e = e.Bounded()
	s.pending, s.pendingAt = &e, now
	w.emit(Append{e})
}

// begin opens an incident.
func (w *World) begin(s *svc, by string, data event.Opened, now time.Time) {
	w.minted++
	w.send(s, event.Incident{ID: mint(w.claim.Nonce, w.minted), Seq: 1, Service: s.def.Name, By: by, Data: data}, now)
}

// ended says that an incident has ended.
func ended(in *state.Incident) bool { return in == nil || in.State == state.Resolved }
