package status

import "time"

// forever is when nothing is due.
var forever = time.Unix(1<<40, 0)

// Tick makes it what it is at now. Where nothing happened since the last, and
// nothing is due yet, that costs next to nothing.
func (s *Status) Tick(now time.Time) {
	if now.Before(s.due) && !now.Before(s.clock) {
		return
	}
	s.pass(now)
	s.settle(now)
	if next, is := s.deadline(forever); is {
		s.due = next
	} else {
		s.due = forever
	}
}

// pass does what time alone does up to now, each at its own instant: sources
// fall stale, what was waited for did not come, a report is overdue. So it is
// the same however often it is called, and a replay without ticks comes to what
// was held with them.
func (s *Status) pass(now time.Time) {
	s.due = time.Time{} // whoever calls may change anything
	for passed := 0; ; passed++ {
		next, is := s.deadline(now)
		if !is {
			break
		}
		if passed == maxPasses {
			s.push = s.expected(now)
		}
		s.clock = next
		s.dropStale(next)
		s.overdue(next)
		s.settle(next)
	}
	s.clock = now // also where it was set back
}

// maxPasses bounds how many reports are found missing at once, after a time in
// which nobody looked: more than any threshold counts.
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
