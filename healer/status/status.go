// Package status folds what is observed of one service into what it is held to
// be: thresholds and freshness per source, and the container's level. It is pure.
package status

import (
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	foreignFresh = 60 * time.Second       // a foreign source that is stale for longer drops out
	levelFresh   = 90 * time.Second       // so do the container's level and its HEALTHCHECK
	levelSoon    = 500 * time.Millisecond // after a claim, the level is written within that
	clockBack    = time.Second            // what is further ahead than that was dated by a clock that was set back since
	maxSources   = 64                     // foreign sources of one service that are counted
)

// Status folds what is observed of one service into what it is held to be: it
// is as bad as its worst fresh source, each with its own thresholds, and the
// container's level comes first.
type Status struct {
	def     service.Definition
	sources map[[2]string]*source

	Value    event.Status
	Since    time.Time
	FirstBad time.Time       // of the present outage, which lasts until it is good: also while nothing is known of it
	Decided  event.Source    // the source that made it what it is
	Last     event.HealthLog // the newest observation that was counted
	Error    string          // why it is DOWN or DEGRADED

	wasUp     bool      // our own check was UP under this url, expectation and container
	kept      bool      // wasUp as it was published: what is replayed may be of another url
	begin     time.Time // staleness counts from here
	checked   bool      // the container was seen to have a HEALTHCHECK
	healthDue time.Time // until then it is waited for, where it stands for our own check

	awaited time.Time // until then the level of a new claim is
	lifted  time.Time // the last change of the level from DOWN to UP: what began before counts no more

	clock    time.Time // what time alone does is done up to here
	due      time.Time // and nothing before this; zero: not known
	lastRead time.Time // when the newest observation that was counted was read
	counting time.Time // the present thresholds count what is read from here on; zero: everything
	start    start
	push     push
	flap     flap
}

// New is a service of which was last published what published says; nil
// where nothing is known.
func New(def service.Definition, published *event.Service, now time.Time) *Status {
	s := &Status{def: def, sources: map[[2]string]*source{}, Value: event.Pending, Since: now, begin: now}
	s.start.isNew = published == nil
	s.push.expect(def, s.sources, now)
	if published != nil && published.Status != "" {
		s.kept = !published.NeverUp && published.Definition != nil &&
			sameCheck(*published.Definition, *def.Masked()) && published.Definition.Container == def.Container
		s.wasUp = s.kept
		s.Value, s.Since, s.Error = published.Status, published.Since, published.Error
		s.Last = event.HealthLog{Service: def.Name, Code: published.Code, LatencyMS: published.LatencyMS}
		if published.FirstBad != nil {
			s.FirstBad = *published.FirstBad
		}
		s.counting = countingSince(published, def, now)
		s.start.restore(published)
		s.flap.restore(published)
		s.sources = s.push.reports(def, published, now)
	}
	return s
}

// Fresh is how long a source of our own may be stale: three intervals, or
// three time-outs where those are longer.
func (s *Status) Fresh() time.Duration { return 3 * max(s.def.Interval, s.def.Timeout) }

// Observe counts one observation that was read at now. It says whether it
// was counted: one from another time, older than the level's newest, from
// before the container came back, or of what the service does not have (a
// container, a check of our own) is not.
func (s *Status) Observe(h event.HealthLog, kind Kind, now time.Time) bool {
	s.pass(now)
	if !h.Timely(now) {
		return false
	}
	if s.lifted.After(now.Add(clockBack)) {
		s.lifted = now
	}
	if !s.count(h, kind, now) {
		return false
	}
	s.lastRead = now
	s.settle(now)
	if !h.Extra && s.IsOwn(kind, now) {
		s.flap.sample()
	}
	return true
}

// count has the source of an observation count it.
func (s *Status) count(h event.HealthLog, kind Kind, now time.Time) bool {
	key := [2]string{h.Instance, h.Check}
	src := s.sources[key]
	own := kind == Own
	full := kind == Foreign && len(s.sources) >= maxSources
	if kind == Foreign && s.def.Pushes() {
		kind = Own // it is the service that speaks
	}
	if src != nil && src.kind != kind {
		src = nil // it starts over
	}
	switch {
	case (kind == OwnersLevel || kind == OwnersHealth) && s.def.Container == "", own && !s.def.HasOwnCheck(), key == silence:
		return false
	case kind == OwnersLevel:
		return s.countLevel(key, src, h, now)
	case h.Time().Before(s.lifted) && !s.def.Pushes():
		return false
	case src == nil && full:
		return false
	case src == nil:
		src = &source{Source: event.Source{Instance: h.Instance, Check: h.Check, Status: event.Pending, Since: h.Time()}, kind: kind}
		s.sources[key] = src
	}
	switch s.start.count(src, h, s.def); {
	case s.start.covers(src, h, s.def):
		src.fail(h.Time(), false)
	case !now.Before(s.counting) || s.def.Pushes():
		src.count(h.Status, h.Time(), s.thresholds(kind))
	}
	src.lastRead, src.last = now, h
	if kind == Own && s.def.Pushes() {
		delete(s.sources, silence)
		s.push = expected(s.def, now)
		src.until = s.push.late
	}
	s.checked = s.checked || kind == OwnersHealth
	if kind == Own || s.Last.Timestamp <= h.Timestamp {
		s.Last = h
	}
	return true
}

func (s *Status) countLevel(key [2]string, src *source, h event.HealthLog, now time.Time) bool {
	if src != nil && h.Timestamp <= src.last.Timestamp && !src.last.Time().After(now.Add(clockBack)) {
		return false
	}
	s.endLevel(key)
	s.awaited = time.Time{}
	next := &source{Source: event.Source{Instance: h.Instance, Check: h.Check, Status: h.Status, Since: h.Time()}, kind: OwnersLevel, lastRead: now, last: h}
	if h.Status == event.Down {
		next.first = h.Time()
	}
	s.sources[key] = next
	if src != nil && src.Status == h.Status {
		next.Since, next.first = src.Since, src.first
	}
	if src != nil && src.Status == event.Down && h.Status != event.Down {
		s.lift(h.Time(), now)
	}
	return true
}

// settle decides the service's status from its sources.
func (s *Status) settle(now time.Time) {
	own := s.own()
	if own != nil && own.kind != OwnersLevel {
		s.wasUp = s.wasUp || own.confirmed >= s.thresholds(own.kind).SuccessThreshold
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
	case now.Before(s.awaited):
		// The container's state decides, in a moment.
	case own != nil && own.kind == OwnersLevel && now.Before(s.healthDue):
		// It runs, and its HEALTHCHECK has not decided yet.
	case own == nil && s.def.Pushes():
		s.set(event.Pending, nil, now) // it has not reported yet, and is not late
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
	if to == event.Up || to == event.Degraded {
		s.FirstBad = time.Time{}
	}
	s.flap.decide(to)
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
		if began := src.firstBad(src.Status == event.Down); !began.IsZero() && began.Before(first) {
			first = began
		}
	}
	return first
}

// lift makes every other source start over: what they saw was the outage of a
// container that is back at that time, as was read now. What the service itself
// reported stands: it may not report again before long.
func (s *Status) lift(at, now time.Time) {
	s.lifted = at
	for key, src := range s.sources {
		if src.kind != OwnersLevel && !(src.kind == Own && s.def.Pushes()) {
			delete(s.sources, key)
		}
	}
	s.begin = now
	s.awaitHealth(now)
}
