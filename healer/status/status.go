// Package status folds what is observed of one service into what it is held to
// be: thresholds and freshness per source, and the container's level. It is pure.
package status

import (
	"reflect"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	foreignFresh = 60 * time.Second // a foreign source that is stale for longer drops out
	levelFresh   = 90 * time.Second // so do the container's level and its HEALTHCHECK
	clockBack    = time.Second      // what is further ahead than that was dated by a clock that was set back since
	maxSources   = 64               // foreign sources of one service that are counted
)

// Status folds what is observed of one service into what it is held to be: it
// is as bad as its worst fresh source, each with its own thresholds, and the
// container's level comes first.
type Status struct {
	def     service.Definition
	sources map[[2]string]*source

	Value    event.Status
	Since    time.Time
	FirstBad time.Time       // of the present outage; zero while it is not DOWN
	Decided  event.Source    // the source that made it what it is
	Last     event.HealthLog // the newest observation that was counted
	Error    string          // why it is DOWN or DEGRADED

	wasUp     bool      // our own check was UP under this url, expectation and container
	kept      bool      // wasUp as it was published: what is replayed may be of another url
	begin     time.Time // staleness counts from here
	checked   bool      // the container was seen to have a HEALTHCHECK
	healthDue time.Time // until then it is waited for, where it stands for our own check

	lifted time.Time // the last change of the level from DOWN to UP: what began before counts no more
}

// New is a service of which was last published what published says; nil
// where nothing is known.
func New(def service.Definition, published *event.Service, now time.Time) *Status {
	s := &Status{def: def, sources: map[[2]string]*source{}, Value: event.Pending, Since: now, begin: now}
	if published != nil && published.Status != "" {
		s.kept = !published.NeverUp && published.Definition != nil &&
			sameCheck(*published.Definition, *def.Masked()) && published.Definition.Container == def.Container
		s.wasUp = s.kept
		s.Value, s.Since, s.Error = published.Status, published.Since, published.Error
		s.Last = event.HealthLog{Service: def.Name, Code: published.Code, LatencyMS: published.LatencyMS}
		if published.FirstBad != nil {
			s.FirstBad = *published.FirstBad
		}
	}
	return s
}

// Redefine changes thresholds, interval, url, expectation or container. What is
// known stays, but for the level of a container that the service no longer
// names, and for what our own check saw at another url or expected otherwise.
func (s *Status) Redefine(def service.Definition, now time.Time) {
	anotherContainer := s.def.Container != def.Container
	before, after := s.def.Masked(), def.Masked()
	anotherCheck := !sameCheck(*before, *after)
	if anotherCheck || anotherContainer {
		s.forgetProof(false)
	}
	s.def, s.begin = def, now
	if anotherCheck {
		s.endOwn()
	}
	if anotherContainer {
		s.EndLevel([2]string{})
		s.EndHealth(now)
		s.checked, s.healthDue = false, time.Time{}
	}
	if anotherCheck || anotherContainer {
		s.settle(now)
	}
}

// sameCheck says whether two definitions ask the same of the same address.
func sameCheck(a, b event.Definition) bool {
	return a.URL == b.URL && reflect.DeepEqual(a.Request, b.Request) && a.TLS == b.TLS && reflect.DeepEqual(a.Expect, b.Expect)
}

// Keep takes the times from what was published, where the replay came to the
// same: it knows only when the broker took what was seen.
func (s *Status) Keep(published event.Service) {
	if s.Value != published.Status {
		return
	}
	s.Since = published.Since
	if published.FirstBad != nil {
		s.FirstBad = *published.FirstBad
	}
}

// Watch says that staleness counts from now on, and not from what was replayed:
// before this process started nothing was read.
func (s *Status) Watch(now time.Time) {
	s.begin = now
	s.forgetProof(s.kept)
}

// forgetProof makes only the checks from now on decide whether our own was UP,
// where that is not known: those before may have been of another url.
func (s *Status) forgetProof(known bool) {
	s.wasUp = known
	for _, src := range s.sources {
		src.proof = 0
	}
}

// Fresh is how long a source of our own may be stale: three intervals, or
// three time-outs where those are longer.
func (s *Status) Fresh() time.Duration { return 3 * max(s.def.Interval, s.def.Timeout) }

// Observe counts one observation that was read at now. It says whether it
// was counted: one from another time, older than the level's newest, from
// before the container came back, or a level where there is no container is not.
func (s *Status) Observe(h event.HealthLog, kind Kind, now time.Time) bool {
	began := h.Time()
	if !h.Timely(now) {
		return false
	}
	s.dropStale(now)
	if s.lifted.After(now.Add(clockBack)) {
		s.lifted = now
	}
	key := [2]string{h.Instance, h.Check}
	src := s.sources[key]
	if src != nil && src.kind != kind {
		src = nil // it starts over
	}
	if (kind == OwnersLevel || kind == OwnersHealth) && s.def.Container == "" {
		return false
	}
	if kind == OwnersLevel {
		return s.observeLevel(key, src, h, now)
	}
	if began.Before(s.lifted) {
		return false
	}
	if src == nil {
		if kind == Foreign && len(s.sources) >= maxSources {
			return false
		}
		src = &source{Source: event.Source{Instance: h.Instance, Check: h.Check, Status: event.Pending, Since: began}, kind: kind}
		s.sources[key] = src
	}
	src.lastRead, src.last = now, h
	src.count(h.Status, began, s.thresholds(kind))
	s.checked = s.checked || kind == OwnersHealth
	if kind == Own || s.Last.Timestamp <= h.Timestamp {
		s.Last = h
	}
	s.settle(now)
	return true
}

func (s *Status) observeLevel(key [2]string, src *source, h event.HealthLog, now time.Time) bool {
	if src != nil && h.Timestamp <= src.last.Timestamp && !src.last.Time().After(now.Add(clockBack)) {
		return false
	}
	s.EndLevel(key)
	next := &source{Source: event.Source{Instance: h.Instance, Check: h.Check, Status: h.Status, Since: h.Time()}, kind: OwnersLevel, lastRead: now, last: h}
	if h.Status == event.Down {
		next.bad = []time.Time{h.Time()}
	}
	s.sources[key] = next
	if src != nil && src.Status == h.Status {
		next.Since, next.bad = src.Since, src.bad
	}
	if src != nil && src.Status == event.Down && h.Status != event.Down {
		s.lift(h.Time(), now)
	}
	s.settle(now)
	return true
}

// lift makes every other source start over: what they saw was the outage of a
// container that is back at that time, as was read now.
func (s *Status) lift(at, now time.Time) {
	s.lifted = at
	for key, src := range s.sources {
		if src.kind != OwnersLevel {
			delete(s.sources, key)
		}
	}
	s.begin = now
	s.awaitHealth(now)
}

// endOwn forgets what our own check saw.
func (s *Status) endOwn() {
	for key, src := range s.sources {
		if src.kind == Own {
			delete(s.sources, key)
		}
	}
}

// EndLevel forgets the level, except that of keep: a new claim ends its
// predecessor's.
func (s *Status) EndLevel(keep [2]string) {
	for key, src := range s.sources {
		if src.kind == OwnersLevel && key != keep {
			delete(s.sources, key)
		}
	}
}

// Tick lets stale sources drop out.
func (s *Status) Tick(now time.Time) {
	s.dropStale(now)
	s.settle(now)
}

// dropStale forgets the sources that are stale: with a new observation they start over.
func (s *Status) dropStale(now time.Time) {
	for key, src := range s.sources {
		if s.stale(src, now) {
			delete(s.sources, key)
		}
	}
}

func (s *Status) stale(src *source, now time.Time) bool {
	limit := s.Fresh()
	switch src.kind {
	case Foreign:
		limit = foreignFresh
	case OwnersLevel, OwnersHealth:
		limit = levelFresh
	}
	return now.Sub(src.lastRead) > limit
}

// settle decides the service's status from its sources.
func (s *Status) settle(now time.Time) {
	own := s.own()
	if own != nil && own.kind != OwnersLevel {
		s.wasUp = s.wasUp || own.proof >= s.thresholds(own.kind).SuccessThreshold
	}
	var worst *source
	for _, src := range s.ordered() {
		if !s.counts(src, own, now) {
			continue
		}
		if src.Status != event.Pending && (worst == nil || severity(src) > severity(worst)) {
			worst = src
		}
	}
	switch {
	case worst != nil && worst.Status == event.Down:
		s.set(event.Down, worst, now)
	case own != nil && own.kind == OwnersLevel && now.Before(s.healthDue):
		// It runs, and its HEALTHCHECK has not decided yet.
	case own != nil && own.Status == event.Pending:
		// Undecided: it stays what it is held to be, unless that was staleness.
		if s.Value == event.Unknown {
			s.set(event.Pending, own, now)
		}
	case own == nil && now.Sub(s.begin) <= s.Fresh():
		// No observation yet, but not for long enough to be UNKNOWN.
	case worst != nil:
		s.set(worst.Status, worst, now)
	case now.Sub(s.begin) > s.Fresh():
		s.set(event.Unknown, nil, now)
	}
}

func severity(src *source) int {
	switch {
	case src.Status == event.Down && src.kind == OwnersLevel:
		return 5
	case src.Status == event.Down && src.kind == Own:
		return 4
	case src.Status == event.Down:
		return 3
	case src.Status == event.Degraded:
		return 2
	}
	return 1
}

func (s *Status) set(to event.Status, by *source, now time.Time) {
	if to == event.Down && s.FirstBad.IsZero() {
		s.FirstBad = s.firstBad(now)
	}
	if to != event.Down && to != event.Unknown {
		s.FirstBad = time.Time{}
	}
	s.Error = ""
	if by != nil {
		s.Decided = by.Source
		if to == event.Down || to == event.Degraded {
			s.Error = by.last.Error
		}
	}
	if s.Value != to {
		s.Value, s.Since = to, now
	}
}

// firstBad is when the earliest of the present bad runs began.
func (s *Status) firstBad(now time.Time) time.Time {
	first := now
	for _, src := range s.sources {
		if len(src.bad) > 0 && src.bad[0].Before(first) {
			first = src.bad[0]
		}
	}
	return first
}
