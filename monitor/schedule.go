package monitor

import (
	"hash/fnv"
	"time"
)

// Checks beside the schedule come at once and then each burstEvery, for
// burstFor: after a start, and when a service is new.
const (
	burstEvery = 500 * time.Millisecond
	burstFor   = 5 * time.Second
	// handful is how many services may be new at a time and each be checked at
	// once. The first checks of more are spread over a time of spread.
	handful = 50
	spread  = 5 * time.Second
	// slot is how finely services of one interval are spread over it: those of
	// one slot are woken together.
	slot = 10 * time.Millisecond
	// sameStart is within how long several requests for a burst are one: a
	// restart is an event start and an event restart.
	sameStart = 100 * time.Millisecond
)

// schedule says when one service is checked next. The scheduled checks stand
// on a grid: anchor + phase + n × interval. It is a plain value without a clock.
type schedule struct {
	interval time.Duration
	due      time.Time // the next scheduled check

	extra      time.Time // the next check of the burst; zero: there is none
	extraEvery time.Duration
	extraUntil time.Time // the burst's last
	requested  time.Time // when the burst was requested
	whileGood  bool      // the burst ends at the first check that is DOWN

	wanted time.Time // a single check beside the schedule and the burst; zero: there is none
}

// newSchedule is a schedule whose first scheduled check is the first on the
// grid after now.
func newSchedule(name string, interval time.Duration, anchor, now time.Time) schedule {
	first := anchor.Add(phase(name, interval))
	return schedule{interval: interval, due: nextOnGrid(first, interval, now)}
}

// phase spreads services of one interval over its slots, the same at every start.
func phase(name string, interval time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return time.Duration(h.Sum64() % uint64(interval)).Truncate(slot)
}

// nextOnGrid is the first of from, from + interval, … that is after t.
func nextOnGrid(from time.Time, interval time.Duration, t time.Time) time.Time {
	if t.Before(from) {
		return from
	}
	return from.Add((t.Sub(from)/interval + 1) * interval)
}

// burst begins checks beside the schedule, the first of them now. With
// whileGood they end at the first that is DOWN: they are to show soon that a
// new service is healthy, and not to make it DOWN sooner than its thresholds
// and interval mean.
func (s *schedule) burst(now time.Time, whileGood bool) {
	if again := now.Sub(s.requested) < sameStart && !s.whileGood; !again {
		s.extra, s.requested = now, now
	}
	s.extraEvery, s.extraUntil, s.whileGood = burstEvery, s.requested.Add(burstFor), whileGood
}

// introduce has a service checked soon that is one of so many of which nothing
// is known: at once and often where they are a handful. Else its first two
// checks wait for a moment of its own, unless the schedule is as quick.
func (s *schedule) introduce(name string, now time.Time, among int) {
	switch {
	case among <= handful:
		s.burst(now, true)
	case s.interval > spread:
		s.extra, s.requested = now.Add(phase(name, spread)), now
		s.extraEvery, s.extraUntil, s.whileGood = spread, now.Add(2*spread), true
	}
}

// once has one check made that begins at now or later, whatever is under way.
// The first that begins is it, be it one of the schedule or of the burst.
func (s *schedule) once(now time.Time) { s.wanted = now }

// next is when to check next.
func (s *schedule) next() time.Time {
	next := s.due
	for _, beside := range []time.Time{s.extra, s.wanted} {
		if !beside.IsZero() && beside.Before(next) {
			next = beside
		}
	}
	return next
}

// turn is a check that was due.
type turn struct {
	due     time.Time
	extra   bool // it is beside the schedule
	skipped int  // scheduled ones before it that were never made
}

// begin takes the check that is due at now. Where both are due the scheduled one
// is made; of several scheduled ones the last is made, and the others are skipped.
func (s *schedule) begin(now time.Time) turn {
	wanted := s.wanted
	s.wanted = time.Time{}
	if s.due.After(now) {
		if due := s.extra; !due.IsZero() && !due.After(now) {
			return turn{due: due, extra: true}
		}
		return turn{due: wanted, extra: true}
	}
	missed := now.Sub(s.due) / s.interval
	due := s.due.Add(missed * s.interval)
	s.due = due.Add(s.interval)
	return turn{due: due, skipped: int(missed)}
}

// end moves on after a check that was over at now. What fell due while it ran
// is made once at once where it is scheduled, and left out where it is not.
func (s *schedule) end(now time.Time, down bool) {
	if s.extra.IsZero() {
		return
	}
	s.extra = nextOnGrid(s.extra, s.extraEvery, now)
	if s.extra.After(s.extraUntil) || down && s.whileGood || s.extraEvery >= s.interval {
		s.extra = time.Time{} // the last, or the schedule itself is as quick
	}
}

// isLate says whether a check that began then was later than the schedule can
// be blamed for: by two slots, or a twentieth of the interval where that is more.
func (t turn) isLate(began time.Time, interval time.Duration) bool {
	return began.Sub(t.due) > max(2*slot, interval/20)
}
