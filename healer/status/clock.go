package status

import (
	"maps"
	"reflect"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// What time alone does, another definition, another life and another claim.

// forever is when nothing is due.
var forever = time.Unix(1<<40, 0)

// Tick makes it what it is at now. Where nothing happened since the last, and
// nothing is due yet, that costs next to nothing.
func (s *Status) Tick(now time.Time) (due bool) {
	if now.Before(s.due) && !now.Before(s.clock) {
		return false
	}
	s.pass(now)
	s.settle(now)
	if next, is := s.deadline(forever); is {
		s.due = next
	} else {
		s.due = forever
	}
	return true
}

// pass does what time alone does up to now, each at its own instant: sources
// fall stale, what was waited for did not come, a report is overdue. So it is
// the same however often it is called, and a replay without ticks comes to what
// was held with them.
func (s *Status) pass(now time.Time) {
	s.due = time.Time{} // the caller may change anything
	for passed := 0; ; passed++ {
		next, is := s.deadline(now)
		if !is {
			break
		}
		if passed == maxPasses {
			s.push = expected(s.def, now)
		}
		s.clock = next
		s.dropStale(next)
		if src := s.push.overdue(s.def, s.sources[silence], next); src != nil {
			s.sources[silence], s.Last = src, src.last
		}
		s.settle(next)
	}
	s.clock = now // also where it was set back
}

// maxPasses bounds how many reports are found missing at once, after a time in
// which logstream was stopped: more than any threshold counts.
const maxPasses = 1000

// deadline is the earliest instant after the last, up to now, at which time
// alone may change something.
func (s *Status) deadline(now time.Time) (time.Time, bool) {
	var next time.Time
	at := func(t time.Time) {
		if t.After(s.clock) && !t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, src := range s.sources {
		at(s.staleAt(src))
	}
	at(s.begin.Add(s.Fresh() + instant))
	at(s.healthDue)
	at(s.awaited)
	if s.def.Pushes() {
		at(s.push.late)
	}
	return next, !next.IsZero()
}

// instant is how long after the end of its time a source is stale.
const instant = time.Nanosecond

// staleAt is when a source falls stale; zero: never.
func (s *Status) staleAt(src *source) time.Time {
	switch {
	case src.kind == Own && s.def.Pushes():
		return src.until
	case src.kind == Foreign:
		return src.lastRead.Add(foreignFresh + instant)
	case src.kind == OwnersLevel || src.kind == OwnersHealth:
		return src.lastRead.Add(levelFresh + instant)
	}
	return src.lastRead.Add(s.Fresh() + instant)
}

// dropStale forgets the sources that are stale: with a new observation they start over.
func (s *Status) dropStale(now time.Time) {
	for key, src := range s.sources {
		if at := s.staleAt(src); !at.IsZero() && !now.Before(at) {
			delete(s.sources, key)
		}
	}
}

// Redefine changes thresholds, interval, url, expectation or container. What is
// known stays, but for the level of a container that the service no longer
// names, and for what our own check saw at another url or expected otherwise.
//
// Other thresholds, and another window, count from here on: an observation that
// was read before makes it neither DOWN nor UP by them, and what it was held to
// be stands until as many new ones say otherwise.
func (s *Status) Redefine(def service.Definition, now time.Time) {
	if reflect.DeepEqual(s.def, def) {
		return
	}
	s.pass(now)
	anotherContainer := s.def.Container != def.Container
	before, after := s.def.Masked(), def.Masked()
	anotherCheck := !sameCheck(*before, *after)
	if anotherCheck || anotherContainer {
		s.forgetProof(false)
	}
	if anotherCheck {
		s.endOwn(s.def.Pushes() || def.Pushes())
	}
	if !sameThresholds(*before, *after) {
		s.counting = now
		for _, src := range s.sources {
			if src.kind == Own || src.kind == Foreign {
				src.startOver()
			}
		}
	}
	s.def, s.begin = def, now
	s.push.expect(def, s.sources, now)
	if anotherContainer {
		s.endLevel([2]string{})
		s.awaited = time.Time{}
		s.endHealth(now)
		s.checked, s.healthDue = false, time.Time{}
	}
	s.dropStale(now)
	s.settle(now)
}

// countingSince is from when on a definition's thresholds count, after a life
// that published them or others.
func countingSince(published *event.Service, def service.Definition, now time.Time) time.Time {
	switch {
	case published.Definition == nil:
		return time.Time{}
	case !sameThresholds(*published.Definition, *def.Masked()):
		return now
	case published.ThresholdsSince == nil:
		return time.Time{}
	}
	return *published.ThresholdsSince
}

func sameThresholds(a, b event.Definition) bool {
	return a.FailureThreshold == b.FailureThreshold && a.SuccessThreshold == b.SuccessThreshold && a.Window == b.Window
}

// sameCheck says whether two definitions check the same address in the same way.
func sameCheck(a, b event.Definition) bool {
	return a.URL == b.URL && reflect.DeepEqual(a.Request, b.Request) && a.TLS == b.TLS && reflect.DeepEqual(a.Expect, b.Expect)
}

// endOwn forgets what our own check saw, or the service itself reported; and
// what foreign sources saw, where those are the service itself from now on, or
// were until now.
func (s *Status) endOwn(andForeign bool) {
	for key, src := range s.sources {
		if src.kind == Own || andForeign && src.kind == Foreign {
			delete(s.sources, key)
		}
	}
}

// Watch says that staleness counts from now on, and not from what was replayed:
// before this process started nothing was read.
func (s *Status) Watch(now time.Time) {
	s.begin, s.clock, s.due = now, now, time.Time{}
	s.push.expect(s.def, s.sources, now)
	s.dropStale(now)
	s.forgetProof(s.kept)
}

// Keep takes from what was published what the replay cannot know: all of it
// where nothing was read since; else the times, where the replay came to the
// same, for it knows only when the broker took what was seen. A silence that was
// decided after the last report stands.
func (s *Status) Keep(published event.Service) {
	if s.Value != published.Status && s.lastRead.After(published.Time) {
		return
	}
	s.due = time.Time{}
	if s.def.Pushes() && !s.lastRead.After(published.Time) { // the replay ends with the last report, and not with the silence after it
		maps.DeleteFunc(s.sources, func(_ [2]string, src *source) bool { return src.kind == Own })
		maps.Copy(s.sources, s.push.reports(s.def, &published, s.clock))
	}
	if s.Value != published.Status {
		s.Value, s.Error, s.FirstBad = published.Status, published.Error, time.Time{}
	}
	s.Since = published.Since
	if published.FirstBad != nil {
		s.FirstBad = *published.FirstBad
	}
}

// forgetProof makes only the checks from now on decide whether our own was UP,
// where that is not known: those before may have been of another url.
func (s *Status) forgetProof(known bool) {
	s.wasUp = known
	for _, src := range s.sources {
		src.confirmed = 0
	}
}

// NewClaim ends what the owner of the claim before said of the container. The new
// one says it anew in a moment: until then nothing makes the service better than it
// was held to be.
func (s *Status) NewClaim(now time.Time) {
	s.Tick(now)
	if s.Level() != "" || s.hasHealth() {
		s.awaited = now.Add(levelSoon)
	}
	s.endLevel([2]string{})
	s.endHealth(now)
	s.due = time.Time{}
}

// endLevel forgets the level, except that of keep: a new claim ends its
// predecessor's.
func (s *Status) endLevel(keep [2]string) {
	for key, src := range s.sources {
		if src.kind == OwnersLevel && key != keep {
			delete(s.sources, key)
		}
	}
}

// endHealth forgets what the container's HEALTHCHECK says, as endLevel does.
func (s *Status) endHealth(now time.Time) {
	s.awaitHealth(now)
	for key, src := range s.sources {
		if src.kind == OwnersHealth {
			delete(s.sources, key)
		}
	}
}

// awaitHealth begins to wait for what the HEALTHCHECK says next, where there is
// one: it decides nothing in the first moments after a start.
func (s *Status) awaitHealth(now time.Time) {
	if s.checked {
		s.healthDue = now.Add(max(levelFresh, s.def.StartPeriod))
	}
}

// NoteHealthcheck says whether the container was seen to have a HEALTHCHECK.
func (s *Status) NoteHealthcheck(has bool, now time.Time) {
	if has == s.checked {
		return
	}
	s.checked, s.healthDue, s.due = has, time.Time{}, time.Time{}
	if !s.hasHealth() {
		s.awaitHealth(now)
	}
}

// Started says that the container started then. It may be said twice, and before
// or after the checks that began around it are observed.
func (s *Status) Started(at time.Time) {
	s.start.add(at)
	for _, src := range s.sources {
		if !src.last.Time().Before(at) && s.start.covers(src, src.last, s.def) {
			src.fail(src.last.Time(), false)
		}
	}
}
