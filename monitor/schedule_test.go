package monitor

import (
	"fmt"
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestPhasesAreSpread(t *testing.T) {
	const services, buckets, interval = 500, 10, 2 * time.Second
	var count [buckets]int
	for i := range services {
		p := phase(fmt.Sprintf("service-%d", i), interval)
		if p < 0 || p >= interval {
			t.Fatalf("a phase of %s in an interval of %s", p, interval)
		}
		count[p/(interval/buckets)]++
	}
	for i, n := range count {
		if n < services/buckets/2 || n > services/buckets*2 {
			t.Errorf("%d of %d services in the %d. of %d parts of the interval", n, services, i+1, buckets)
		}
	}
}

func TestFirstScheduledCheckIsOnTheGridAfterNow(t *testing.T) {
	const interval = 2 * time.Second
	first := zero.Add(phase("a", interval))
	for _, since := range []time.Duration{-time.Hour, 0, time.Millisecond, time.Hour, time.Hour + 700*time.Millisecond} {
		now := zero.Add(since)
		due := newSchedule("a", interval, zero, now).due
		if !due.After(now) || since >= 0 && due.Sub(now) > interval {
			t.Errorf("at %s the first is due after %s", since, due.Sub(now))
		}
		if since >= 0 && due.Sub(first)%interval != 0 {
			t.Errorf("at %s the first is %s off the grid", since, due.Sub(first)%interval)
		}
	}
}

// made is one check of a simulated schedule.
type made struct {
	at    time.Duration
	extra bool
}

// simulate makes the checks of a schedule for so long, each of which takes as
// long as takes says.
func simulate(s schedule, for_ time.Duration, takes func(n int) time.Duration, down bool) []made {
	var list []made
	now := zero
	for {
		if next := s.next(); next.After(now) {
			now = next
		}
		if now.Sub(zero) > for_ {
			return list
		}
		list = append(list, made{now.Sub(zero), s.begin(now).extra})
		now = now.Add(takes(len(list)))
		s.end(now, down)
	}
}

func TestSchedule(t *testing.T) {
	const ms = time.Millisecond
	grid := schedule{interval: 2 * time.Second, due: zero.Add(700 * ms)}
	burst := func(s schedule, whileGood bool) schedule { s.burst(zero, whileGood); return s }
	always := func(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }
	firstTakes := func(d time.Duration) func(int) time.Duration {
		return func(n int) time.Duration {
			if n == 1 {
				return d
			}
			return ms
		}
	}
	for _, c := range []struct {
		name  string
		s     schedule
		for_  time.Duration
		takes func(int) time.Duration
		down  bool
		want  string
	}{
		{"each interval", grid, 7 * time.Second, always(10 * ms), false,
			"700ms 2.7s 4.7s 6.7s"},
		{"a slow check delays the next once, and the rhythm stays", grid, 9 * time.Second, firstTakes(2500 * ms), false,
			"700ms 3.2s 4.7s 6.7s 8.7s"},
		{"of those missed one is made up for", grid, 9 * time.Second, firstTakes(5 * time.Second), false,
			"700ms 5.7s 6.7s 8.7s"},
		{"extras for five seconds, the rhythm as before", burst(grid, false), 7 * time.Second, always(10 * ms), false,
			"0s+ 500ms+ 700ms 1s+ 1.5s+ 2s+ 2.5s+ 2.7s 3s+ 3.5s+ 4s+ 4.5s+ 4.7s 5s+ 6.7s"},
		{"an extra that falls due during a check is skipped", burst(grid, false), 3 * time.Second, always(600 * ms), false,
			"0s+ 700ms 1.5s+ 2.5s+"},
		{"where both are due it is the scheduled one", burst(schedule{interval: 2 * time.Second, due: zero}, false), 1200 * ms, always(10 * ms), false,
			"0s 500ms+ 1s+"},
		{"a new service's extras end at the first bad one", burst(grid, true), 5 * time.Second, always(10 * ms), true,
			"0s+ 700ms 2.7s 4.7s"},
		{"a started container's go on", burst(grid, false), 1200 * ms, always(10 * ms), true,
			"0s+ 500ms+ 700ms 1s+"},
	} {
		got := ""
		for i, m := range simulate(c.s, c.for_, c.takes, c.down) {
			if i > 0 {
				got += " "
			}
			got += m.at.String()
			if m.extra {
				got += "+"
			}
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestBurstsOfOneStartAreOne(t *testing.T) {
	s := schedule{interval: time.Hour, due: zero.Add(time.Hour)}
	s.burst(zero, true)
	s.begin(zero)
	s.end(zero, false)
	s.burst(zero.Add(time.Millisecond), false) // the first start after that of ours
	if next := s.next(); !next.Equal(zero.Add(time.Millisecond)) {
		t.Errorf("a container's start is followed by a check after %s", next.Sub(zero))
	}
	s.begin(zero.Add(time.Millisecond))
	s.end(zero.Add(time.Millisecond), true)
	s.burst(zero.Add(2*time.Millisecond), false)
	if next := s.next(); !next.Equal(zero.Add(time.Millisecond + burstEvery)) {
		t.Errorf("the same start reported again is followed by a check after %s", next.Sub(zero))
	}
	s.burst(zero.Add(sameStart+time.Millisecond), false)
	if next := s.next(); !next.Equal(zero.Add(sameStart + time.Millisecond)) {
		t.Errorf("another start is followed by a check after %s", next.Sub(zero))
	}
}
