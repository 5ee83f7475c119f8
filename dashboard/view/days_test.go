package view

import (
	"math"
	"testing"
	"time"
)

func TestDaysAreOfTheirOwnTime(t *testing.T) {
	now := noon.Add(17*time.Minute + 30*time.Second)
	f := fleetOfPay(now)
	today := now.Truncate(day)
	hourLong := func(at time.Time) bool {
		yesterday, old := today.Add(-day+3*time.Hour), today.Add(-20*day)
		return !at.Before(yesterday) && at.Before(yesterday.Add(time.Hour)) || !at.Before(old) && at.Before(old.Add(6*time.Hour)) ||
			!at.Before(today.Add(time.Hour)) && at.Before(today.Add(2*time.Hour))
	}
	past(f, today.Add(-25*day), now, hourLong)
	list := f.Days(Key{"h", "pay"}, 30, now)
	if len(list) != 30 || !list[29].Start.Equal(today) || !list[0].Start.Equal(today.Add(-29*day)) {
		t.Fatalf("%d days, from %s to %s", len(list), list[0].Start, list[29].Start)
	}
	for i, d := range list {
		want := 1.0
		switch 29 - i {
		case 26, 27, 28, 29:
			if d.Uptime != nil {
				t.Errorf("day %s is known", d.Start)
			}
			continue
		case 20:
			want = 0.75
		case 1:
			want = 23.0 / 24
		case 0: // a good twelve hours so far
			want = 1 - 1/(now.Truncate(time.Minute).Sub(today).Hours())
		}
		if d.Uptime == nil || math.Abs(*d.Uptime-want) > 1e-3 {
			t.Errorf("day %s: %v, want %v", d.Start, d.Uptime, want)
		}
	}
	if got := list[28].DownS; got != 3600 {
		t.Errorf("down for %v s yesterday", got)
	}
}

// The record of a day is written after its end: until then it is made of hours.
func TestDayWithoutARecordIsMadeOfHours(t *testing.T) {
	now := noon
	f := fleetOfPay(now)
	today := now.Truncate(day)
	past(f, today.Add(-3*day), now, func(at time.Time) bool { return at.Equal(today.Add(-day)) })
	for _, s := range f.rollups.services {
		s[days] = s[days][:len(s[days])-1]
	}
	list := f.Days(Key{"h", "pay"}, 4, now)
	for i, want := range []float64{0, 0, 60, 0} {
		if d := list[i]; d.Uptime == nil || math.Abs(d.DownS-want) > 1 {
			t.Errorf("day %s: %v, down for %v s, want %v", d.Start, d.Uptime, d.DownS, want)
		}
	}
}
