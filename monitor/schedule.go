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
	extraUntil time.Time // the burst's last
	requested  time.Time // when the burst was requested
	whileGood  bool      // the burst ends at the first check that is DOWN
}

// newSchedule is a schedule whose first scheduled check is the first on the
// grid after now.
func newSchedule(name string, interval time.Duration, anchor, now time.Time) schedule {
	first := anchor.Add(phase(name, interval))
	return schedule{interval: interval, due: nextOnGrid(first, interval, now)}
}

// phase spreads services of one interval over it, the same at every start.
func phase(name string, interval time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return time.Duration(h.Sum64() % uint64(interval))
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
	s.extraUntil, s.whileGood = s.requested.Add(burstFor), whileGood
}

// next is when to check next.
func (s *schedule) next() time.Time {
	if !s.extra.IsZero() && s.extra.Before(s.due) {
		return s.extra
	}
	return s.due
}

// begin takes the check that is due at now, and says whether it is one beside
// the schedule. Where both are due the scheduled one is made.
func (s *schedule) begin(now time.Time) (extra bool) {
	if s.due.After(now) {
		return true
	}
	s.due = nextOnGrid(s.due, s.interval, now)
	return false
}

// end moves on after a check that was over at now. What fell due while it ran
// is made once at once where it is scheduled, and skipped where it is not.
func (s *schedule) end(now time.Time, down bool) {
	if late := now.Sub(s.due); late > 0 {
		s.due = s.due.Add(late / s.interval * s.interval)
	}
	if s.extra.IsZero() {
		return
	}
	s.extra = nextOnGrid(s.extra, burstEvery, now)
	if s.extra.After(s.extraUntil) || down && s.whileGood {
		s.extra = time.Time{}
	}
}
