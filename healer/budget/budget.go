// Package budget counts repairs: what became of the attempts of an incident, how
// often a service and a host were repaired of late, and how long the next repair
// waits after a failed one. It is a fold of incident events, and pure.
package budget

import (
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	hour        = time.Hour
	minute      = time.Minute
	cooldownMax = 10 * time.Minute
)

// Service counts the repairs of one service across its incidents.
type Service struct {
	hour     []time.Time // intents within the last hour
	failures int         // failed repairs in a row
	failedAt time.Time   // the last of them
	closedAt time.Time   // when an intent was last closed as not executed
}

// Apply folds one incident event.
func (s *Service) Apply(e event.Incident) {
	switch data := e.Data.(type) {
	case event.ActionStarted:
		s.hour = append(s.hour, e.Time)
	case event.ActionFinished:
		switch data.Outcome {
		case event.OutcomeNotExecuted:
			s.closedAt = e.Time
		case event.OutcomeRefused:
			s.failures, s.failedAt = s.failures+1, e.Time
		}
	case event.Verified:
		switch data.Outcome {
		case event.OutcomeVerified:
			s.failures = 0
		case event.OutcomeFailed:
			s.failures, s.failedAt = s.failures+1, e.Time
		}
	}
}

// Tick forgets what is older than an hour. Times that a clock that was set back
// left in the future become those of now: what waits for them waits no longer
// than it would have.
func (s *Service) Tick(now time.Time) {
	s.hour = recent(s.hour, now, hour)
	s.failedAt, s.closedAt = notAhead(s.failedAt, now), notAhead(s.closedAt, now)
}

// ThisHour is how many repairs were begun within the last hour.
func (s *Service) ThisHour() int { return len(s.hour) }

// ClosedAt is when an intent was last closed as not executed.
func (s *Service) ClosedAt() time.Time { return s.closedAt }

// NotBefore is when the next repair may begin: base after the first that did not
// hold, twice as long after each further one in a row, 10 minutes at most.
func (s *Service) NotBefore(base time.Duration) time.Time {
	return s.failedAt.Add(Cooldown(base, s.failures))
}

// Cooldown is how long to wait after the n-th failed repair in a row.
func Cooldown(base time.Duration, n int) time.Duration {
	if n == 0 {
		return 0
	}
	d := base
	for range n - 1 {
		if d *= 2; d >= cooldownMax {
			return cooldownMax
		}
	}
	return min(d, cooldownMax)
}

// Host counts the repairs of a host within the last minute.
type Host struct{ minute []time.Time }

// Apply folds one incident event.
func (h *Host) Apply(e event.Incident) {
	if _, is := e.Data.(event.ActionStarted); is {
		h.minute = append(h.minute, e.Time)
	}
}

// Tick forgets what is older than a minute.
func (h *Host) Tick(now time.Time) { h.minute = recent(h.minute, now, minute) }

// ThisMinute is how many repairs were begun within the last minute, and when
// the oldest of them is a minute old.
func (h *Host) ThisMinute() (n int, end time.Time) {
	if len(h.minute) == 0 {
		return 0, time.Time{}
	}
	return len(h.minute), h.minute[0].Add(minute)
}

func recent(times []time.Time, now time.Time, age time.Duration) []time.Time {
	for i, t := range times {
		times[i] = notAhead(t, now)
	}
	return slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) > age })
}

func notAhead(t, now time.Time) time.Time {
	if now.Before(t) {
		return now
	}
	return t
}
