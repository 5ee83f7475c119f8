package view

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// rolledUp is a record of pay in which everything that is known is UP, but for the
// seconds that it was down.
func rolledUp(level int, start time.Time, known, down float64) event.Rollup {
	length := event.Levels[level].Length.Seconds()
	r := event.Rollup{Service: "pay", Start: start, UpS: known - down, DownS: down, UnknownS: length - known, Checks: int64(known / 2),
		Revision: 1, Origin: event.Origin{Instance: "me", Host: "h", Epoch: 1, Nonce: "n"}}
	r.Latency = r.Latency.Add(20).Add(10).Add(90).Add(20)
	return r
}

// past fills a fleet with rollups of a time as an owner writes them.
func past(f *Fleet, from, to time.Time, down func(time.Time) bool) {
	for level, l := range event.Levels {
		for start := from.Truncate(l.Length); !start.Add(l.Length).After(to); start = start.Add(l.Length) {
			if start.Before(from) {
				continue
			}
			bad := 0.0
			for m := start; m.Before(start.Add(l.Length)); m = m.Add(time.Minute) {
				if down(m) {
					bad += 60
				}
			}
			f.ApplyRollup(level, rolledUp(level, start, l.Length.Seconds(), bad))
		}
	}
}

func never(time.Time) bool { return false }

func fleetOfPay(now time.Time) *Fleet {
	def := service.Default()
	def.Name, def.Interval, def.Timeout = "pay", 2*time.Second, time.Second
	return NewFleet("me", "h", []service.Definition{def}, Limits{}, now)
}

func TestUptimeIsOfTheTimeOfEachWindow(t *testing.T) {
	now := noon.Add(17*time.Minute + 30*time.Second)
	minute := func(ago time.Duration) func(time.Time) bool {
		at := now.Add(-ago).Truncate(time.Minute)
		return func(m time.Time) bool { return m.Equal(at) }
	}
	for _, tt := range []struct {
		name string
		down func(time.Time) bool
		want [4]float64 // minutes down in 1h, 24h, 7d, 30d
	}{
		{"never", never, [4]float64{}},
		{"half an hour ago", minute(30 * time.Minute), [4]float64{1, 1, 1, 1}},
		{"three hours ago", minute(3 * time.Hour), [4]float64{0, 1, 1, 1}},
		{"yesterday", minute(26 * time.Hour), [4]float64{0, 0, 1, 1}},
		{"six days ago", minute(6 * day), [4]float64{0, 0, 1, 1}},
		{"nine days ago", minute(9 * day), [4]float64{0, 0, 0, 1}},
		{"31 days ago", minute(31 * day), [4]float64{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := fleetOfPay(now)
			past(f, now.Add(-40*day), now.Truncate(time.Minute), tt.down)
			v, _ := f.Service("pay", now)
			for i, w := range []struct {
				share  *float64
				knownS float64
				window time.Duration
			}{{v.Uptime.Hour, v.KnownS.Hour, time.Hour}, {v.Uptime.Day, v.KnownS.Day, day}, {v.Uptime.Week, v.KnownS.Week, 7 * day}, {v.Uptime.Month, v.KnownS.Month, 30 * day}} {
				// All but the half minute that is not over.
				if known := w.window.Seconds() - 30; math.Abs(w.knownS-known) > 0.1 {
					t.Errorf("of %s %v s are known, want %v", w.window, w.knownS, known)
				}
				if down := (1 - *w.share) * w.knownS / 60; math.Abs(down-tt.want[i]) > 0.05 {
					t.Errorf("down for %v min of %s, want %v", down, w.window, tt.want[i])
				}
			}
		})
	}
}

func TestUptimeGoesOnWithWhatTheChecksSeeNow(t *testing.T) {
	now := noon.Add(30 * time.Second)
	f := fleetOfPay(now)
	past(f, noon.Add(-10*time.Minute), noon, never)
	for s := range 15 {
		at, status := noon.Add(time.Duration(2*s)*time.Second), event.Up
		if s >= 10 {
			status = event.Down
		}
		f.ApplyHealth(seen(at, status, 1), true, at, at)
	}
	v, _ := f.Service("pay", now)
	if v.KnownS != (KnownS{630, 630, 630, 630}) || v.WatchedS != 630 {
		t.Errorf("known is %+v", v.KnownS)
	}
	if want := math.Round(620.0/630*1e6) / 1e6; *v.Uptime.Hour != want || *v.Uptime.Month != want {
		t.Errorf("uptime %v and %v, want %v", *v.Uptime.Hour, *v.Uptime.Month, want)
	}
}

func TestOfTheSameBucketTheNewestRecordUnderTheNewestClaimCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var all []event.Rollup
	for i := range 20 {
		r := rolledUp(hours, noon, 3600, float64(i))
		r.Epoch, r.Revision = int64(1+i/5), int64(1+i%5)
		all = append(all, r)
	}
	for range 50 {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		f := NewRollups()
		for _, r := range all {
			f.Apply(hours, r)
			f.Apply(hours, all[rng.IntN(len(all))])
		}
		if got, _ := f.Since(pay, noon, hours); got.Down != 19*time.Second || got.all() != time.Hour {
			t.Fatalf("known is %+v", got)
		}
	}
}

func TestARollupThatBeginsWithinABucketIsOfAnotherTopic(t *testing.T) {
	f := NewRollups()
	f.Apply(hours, rolledUp(minutes, noon.Add(time.Minute), 60, 0))
	if got, _ := f.Since(pay, noon.Add(-time.Hour), hours); got.all() != 0 {
		t.Errorf("known is %+v", got)
	}
}

func TestRollupsAreForgottenByTheirLevel(t *testing.T) {
	f := fleetOfPay(noon)
	past(f, noon.Add(-60*day), noon, never)
	f.Tick(noon)
	got := [levels]int{}
	for level, s := range f.rollups.of(pay) {
		got[level] = len(s)
	}
	if want := [levels]int{65, 192, 31}; got != want {
		t.Errorf("%v are kept, want %v", got, want)
	}
	f.Tick(noon.Add(40 * day))
	if len(f.rollups.services) != 0 {
		t.Error("a service that is gone is remembered for ever")
	}
}

func TestEachWindowHasItsPoints(t *testing.T) {
	now := noon.Add(17*time.Minute + 30*time.Second)
	begin := now.Add(-40 * day)
	down := now.Add(-11 * time.Minute).Truncate(time.Minute)
	f := fleetOfPay(now)
	past(f, begin, now.Truncate(time.Minute), func(m time.Time) bool { return m.Equal(down) })
	for s := time.Duration(0); s < 20*time.Minute; s += 2 * time.Second {
		at := now.Add(-20 * time.Minute).Add(s)
		status := event.Up
		if m := at.Truncate(time.Minute); m.Equal(down) {
			status = event.Down
		}
		f.ApplyHealth(seen(at, status, 33), true, at, now)
	}
	f.Tick(now)
	for _, tt := range []struct {
		window      time.Duration
		level       int
		unread      bool
		least, most int
	}{
		{15 * time.Minute, minutes, false, 440, 460},
		{time.Hour, minutes, false, 200, 500}, // forty minutes, and then each check, reduced
		{6 * time.Hour, minutes, true, 355, 361},
		{day, minutes, true, 450, 500},
		{7 * day, hours, false, 165, 170},
		{30 * day, hours, true, 350, 500},
		{365 * day, days, true, 360, 367},
	} {
		t.Run(tt.window.String(), func(t *testing.T) {
			span, unread := f.Unread("pay", tt.window, now)
			if unread != tt.unread || unread && (span.Level != tt.level || span.Key != pay || span.Since.After(now.Add(-tt.window)) || span.Since.Before(now.Add(-tt.window-day))) {
				t.Fatalf("to be read is %+v, %v", span, unread)
			}
			var read []event.Rollup
			if unread {
				length := event.Levels[span.Level].Length
				for start := span.Since; !start.Add(length).After(now); start = start.Add(length) {
					read = append(read, rolledUp(span.Level, start, length.Seconds(), 0))
				}
			}
			points := f.Points("pay", tt.window, now, read)
			if len(points) < tt.least || len(points) > tt.most {
				t.Fatalf("%d points", len(points))
			}
			for i, p := range points {
				if i > 0 && !p.At.After(points[i-1].At) {
					t.Fatalf("point %d, at %s, is not after the one before, at %s", i, p.At, points[i-1].At)
				}
				if p.MinMS != nil && (*p.MinMS > p.LatencyMS || *p.MaxMS < p.LatencyMS) {
					t.Fatalf("point %d has a median of %v between %v and %v", i, p.LatencyMS, *p.MinMS, *p.MaxMS)
				}
				if p.Status == event.Unknown {
					t.Fatalf("point %d says nothing: %+v", i, p)
				}
			}
			first, last := points[0], points[len(points)-1]
			if late := first.At.Sub(now.Add(-tt.window)); late < 0 || late > 2*event.Levels[tt.level].Length {
				t.Errorf("the first point is %s after the window's begin", late)
			}
			if early := now.Sub(last.At); early < 0 || early > max(event.Levels[tt.level].Length, tt.window/MaxPoints*2) {
				t.Errorf("the last point is %s old", early)
			}
		})
	}
}

func TestAPointOfSeveralHasTheirMedianLeastAndMost(t *testing.T) {
	checks := []point{
		{at: 0, latencyMS: 10, badness: uint8(badness(event.Up))}, {at: 1, latencyMS: 900, badness: uint8(badness(event.Degraded))},
		{at: 2, latencyMS: 1000, badness: uint8(badness(event.Down))}, {at: 3, latencyMS: 12, badness: uint8(badness(event.Up))},
	}
	var samples []sample
	for _, c := range checks {
		samples = append(samples, c.sample())
	}
	ten, most := 10.0, 900.0
	if got, want := together(samples), (Point{At: time.Unix(0, 0).UTC(), Status: event.Down, LatencyMS: 12, MinMS: &ten, MaxMS: &most, Checks: 4}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := together(samples[2:3]); got.LatencyMS != 1000 || got.MinMS != nil || got.MaxMS != nil {
		t.Errorf("a check that was down is %+v", got)
	}
	r := rolled{}
	r.take(minutes, rolledUp(minutes, noon, 50, 20))
	if got := together([]sample{r[0].sample()}); got.Status != event.Down || got.UpS != 30 || got.DownS != 20 || got.Checks != 25 || *got.MinMS != 10 || *got.MaxMS != 90 || math.Abs(got.LatencyMS-20) > 1 {
		t.Errorf("a minute is %+v", got)
	}
}
