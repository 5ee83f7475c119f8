package view

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

var (
	noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	pay  = Key{"h", "pay"}
)

// points are a chart of pay's checks alone.
func (f *History) chart(window time.Duration, now time.Time) []Point {
	return chart(f.points(pay, now.Add(-window)), [levels]rolled{}, window, now)
}

func isPay(k Key) bool { return k == pay }

func seen(at time.Time, status event.Status, latency float64) event.HealthLog {
	return event.HealthLog{Timestamp: event.Seconds(at), Service: "pay", Status: status, LatencyMS: latency, Check: "http",
		Origin: event.Origin{Instance: "me", Host: "h"}}
}

func TestWhichObservationsHistoryCounts(t *testing.T) {
	tests := []struct {
		name             string
		edit             func(*event.HealthLog)
		signed           bool
		taken            time.Duration // after its timestamp
		shown, own       bool
		counted          bool
		instance, saidBy string
	}{
		{"our own check", nil, true, time.Second, true, true, true, "me", ""},
		{"the container", func(h *event.HealthLog) { h.Check = event.CheckContainer }, true, time.Second, true, false, true, "me", ""},
		{"the container's own HEALTHCHECK", func(h *event.HealthLog) { h.Check = event.CheckHealth }, true, time.Second, true, false, true, "me", ""},
		{"over HTTP", func(h *event.HealthLog) { h.Origin = event.Origin{Instance: "api:me"} }, true, time.Second, true, false, true, "api:me", ""},
		{"another program", func(h *event.HealthLog) { h.Origin = event.Origin{Instance: "cron"} }, false, time.Second, true, false, true, "cron", ""},
		{"another program with our name", nil, false, time.Second, true, false, true, "me (unsigned)", ""},
		{"from the past", nil, true, 11 * time.Minute, true, false, false, "me", ""},
		{"a little late", nil, true, 9 * time.Minute, true, true, true, "me", ""},
		{"from the future", nil, true, -6 * time.Minute, true, false, false, "me", ""},
		{"a little early", nil, true, -4 * time.Minute, true, true, true, "me", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewHistory("h")
			f.ours["me"] = true
			h := seen(noon, event.Up, 1)
			if tt.edit != nil {
				tt.edit(&h)
			}
			key, o, shown := f.Apply(h, tt.signed, noon.Add(tt.taken), isPay)
			if key != pay || shown != tt.shown || o.Counted != tt.counted || o.Instance != tt.instance {
				t.Errorf("%v: shown %v, counted %v, by %q", key, shown, o.Counted, o.Instance)
			}
			if got := len(f.chart(time.Hour, noon.Add(time.Minute))) == 1; got != tt.own {
				t.Errorf("in the chart: %v, want %v", got, tt.own)
			}
			if got := f.Observations(pay); len(got) != 1 {
				t.Errorf("%d observations are shown", len(got))
			}
		})
	}
}

func TestAReducedHistoryHasTheWorstStatusAndAllThatWasMeasured(t *testing.T) {
	f := NewHistory("h")
	for i := range 1800 { // an hour, each 2 s
		at := noon.Add(time.Duration(i) * 2 * time.Second)
		status, latency := event.Up, 10+float64(i%7)
		switch i {
		case 700:
			status = event.Down
		case 900:
			latency = 900
		case 1200:
			status = event.Degraded
		}
		f.Apply(seen(at, status, latency), true, at, isPay)
	}
	now := noon.Add(time.Hour)
	points := f.chart(time.Hour, now)
	if len(points) > MaxPoints || len(points) < MaxPoints/2 {
		t.Fatalf("%d points", len(points))
	}
	found := map[event.Status]int{}
	slowest := 0.0
	for i, p := range points {
		found[p.Status]++
		if p.MaxMS != nil {
			slowest = max(slowest, *p.MaxMS)
		}
		if i > 0 && !p.At.After(points[i-1].At) {
			t.Fatalf("point %d is not after the one before", i)
		}
	}
	if found[event.Down] != 1 || found[event.Degraded] != 1 || slowest != 900 {
		t.Errorf("kept %v, the slowest %v", found, slowest)
	}
	if got := f.chart(15*time.Minute, now); len(got) != 450 || got[0].At.Before(now.Add(-15*time.Minute)) {
		t.Errorf("%d points in a quarter, from %v", len(got), got[0].At)
	}
}

func TestUptimeIsTheShareOfTheKnownTime(t *testing.T) {
	const fresh = 6 * time.Second
	up := func(s ...int) (all []event.HealthLog) {
		for _, n := range s {
			all = append(all, seen(noon.Add(time.Duration(n)*time.Second), event.Up, 1))
		}
		return all
	}
	down := func(s ...int) []event.HealthLog {
		all := up(s...)
		for i := range all {
			all[i].Status = event.Down
		}
		return all
	}
	tests := []struct {
		name   string
		logs   []event.HealthLog
		window time.Duration
		now    int // seconds after noon
		want   float64
		known  int // seconds
	}{
		{"nothing is known", nil, time.Hour, 10, -1, 0},
		{"up", up(0, 2, 4), time.Hour, 6, 1, 6},
		{"down", down(0, 2, 4), time.Hour, 6, 0, 6},
		{"half", append(up(0, 2), down(4, 6)...), time.Hour, 8, 0.5, 8},
		{"slow is up", []event.HealthLog{seen(noon, event.Degraded, 1)}, time.Hour, 2, 1, 2},
		{"not watched in between", append(up(0, 2), down(1000, 1002)...), time.Hour, 1004, 8.0 / 12, 12},
		{"the last speaks no longer than fresh", append(up(0), down(2)...), time.Hour, 3000, 2.0 / 8, 8},
		{"before the window doesn't count", append(down(0, 2), up(4, 6)...), 4 * time.Second, 8, 1, 4},
		{"but speaks into it", append(down(0), up(4)...), 6 * time.Second, 8, 4.0 / 6, 6},
		{"known once, and not within the window", up(0), time.Minute, 600, -1, 0},
		{"longer than is remembered", up(0, 2), 24 * time.Hour, 4, 1, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewHistory("h")
			for _, h := range tt.logs {
				f.Apply(h, true, h.Time(), isPay)
			}
			now := noon.Add(time.Duration(tt.now) * time.Second)
			known := f.Since(pay, now.Add(-tt.window), fresh, now)
			if known.all() != time.Duration(tt.known)*time.Second {
				t.Errorf("it stands for %s, want %d s", known.all(), tt.known)
			}
			if got := float64(known.Good) / float64(known.all()); known.all() > 0 && math.Abs(got-tt.want) > 1e-6 {
				t.Errorf("uptime = %v, want %v", got, tt.want)
			}
		})
	}
}

// The same records in another order, or twice, or read anew, are one history.
func TestHistoryIsTheSameHoweverItIsRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var logs []event.HealthLog
	for i := range 2000 {
		logs = append(logs, seen(noon.Add(time.Duration(i)*time.Second), []event.Status{event.Up, event.Down, event.Degraded}[rng.IntN(3)], float64(rng.IntN(100))))
	}
	now := noon.Add(2000 * time.Second)
	fold := func(logs []event.HealthLog, twice bool) *History {
		f := NewHistory("h")
		for _, h := range logs {
			f.Apply(h, true, now, func(Key) bool { return true })
			if twice {
				f.Apply(h, true, now, isPay)
			}
		}
		return f
	}
	late := append([]event.HealthLog(nil), logs...)
	for i := 0; i+5 < len(late); i += 5 { // within a few seconds
		rng.Shuffle(5, func(a, b int) { late[i+a], late[i+b] = late[i+b], late[i+a] })
	}
	want := fold(logs, false)
	for name, got := range map[string]*History{"shuffled": fold(late, false), "twice": fold(logs, true)} {
		if !reflect.DeepEqual(got.chart(time.Hour, now), want.chart(time.Hour, now)) {
			t.Errorf("%s: another chart", name)
		}
		a := got.Since(pay, now.Add(-time.Hour), time.Minute, now)
		if b := want.Since(pay, now.Add(-time.Hour), time.Minute, now); a != b {
			t.Errorf("%s: known is %v, want %v", name, a, b)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	f := NewHistory("h")
	unmanaged := func(i int, host string, signed bool) bool {
		h := seen(noon, event.Up, 1)
		h.Service, h.Origin = fmt.Sprintf("n%d", i), event.Origin{Instance: "x", Host: host}
		_, _, shown := f.Apply(h, signed, noon, isPay)
		return shown
	}
	for i := range MaxUnmanaged {
		if !unmanaged(i, "", false) {
			t.Fatalf("name %d is not shown", i)
		}
	}
	if unmanaged(MaxUnmanaged, "", false) {
		t.Errorf("name %d is shown", MaxUnmanaged+1)
	}
	if !unmanaged(1, "", false) {
		t.Error("a name that is shown already is not")
	}
	if _, _, shown := f.Apply(seen(noon, event.Up, 1), true, noon, isPay); !shown {
		t.Error("unmanaged services leave no room for what is configured")
	}
	if unmanaged(5000, "h", true) {
		t.Error("what we ourselves saw of a removed service is shown")
	}
	h := seen(noon, event.Down, 1)
	h.Error, h.Instance = strings.Repeat("é\n", 4000), strings.Repeat("i", 4000)
	if _, o, _ := f.Apply(h, false, noon, isPay); len(o.Error) > maxText || len(o.Instance) > maxNameText || strings.Contains(o.Error, "\n") {
		t.Errorf("texts of %d and %d bytes", len(o.Error), len(o.Instance))
	}
	for i := range 2 * maxPointsKept {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		f.Apply(seen(at, event.Up, 1), true, at, isPay)
	}
	if s := f.series[pay]; len(s.points) != maxPointsKept || len(s.recent) != maxObservations {
		t.Errorf("%d points and %d observations are kept", len(s.points), len(s.recent))
	}
	f.Tick(noon.Add(2*time.Hour), isPay)
	if len(f.series) != 0 || f.unmanaged != 0 {
		t.Errorf("%d names and %d unmanaged after two hours of silence", len(f.series), f.unmanaged)
	}
}

// TestRepublishedRecordsAreNotShownTwice holds for what we signed: what
// others say, they may say as often as they like.
func TestRepublishedRecordsAreNotShownTwice(t *testing.T) {
	f := NewHistory("h")
	level := func(h event.HealthLog) event.HealthLog { h.Check = event.CheckContainer; return h }
	unmanaged := func(h event.HealthLog) event.HealthLog { h.Origin = event.Origin{}; return h }
	var all []event.HealthLog
	for i, status := range []event.Status{event.Up, event.Down, event.Up} {
		at := noon.Add(time.Duration(i) * time.Second)
		all = append(all, seen(at, status, 1), level(seen(at, status, 1)))
	}
	apply := func(h event.HealthLog, signed bool, taken time.Time) bool {
		_, _, shown := f.Apply(h, signed, taken, isPay)
		return shown
	}
	for _, h := range all {
		if !apply(h, true, h.Time()) {
			t.Fatalf("%+v is not shown", h)
		}
	}
	before := f.Observations(pay)
	for _, h := range all {
		if apply(h, true, noon.Add(time.Minute)) {
			t.Errorf("a copy of %+v is shown", h)
		}
	}
	if after := f.Observations(pay); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	forged := all[0]
	forged.Timestamp++ // at the instant of another
	if !apply(forged, false, noon.Add(time.Minute)) || !apply(unmanaged(forged), false, noon.Add(time.Minute)) || !apply(unmanaged(forged), false, noon.Add(time.Minute)) {
		t.Error("what another program says is not shown")
	}
	late := seen(noon.Add(-time.Hour), event.Down, 1)
	if !apply(late, true, noon) || apply(late, true, noon) {
		t.Error("one from another time has to be shown once")
	}
	f.Tick(noon.Add(HistoryKept+time.Hour), isPay)
	if s := f.series[pay]; s != nil && len(s.levels) > 0 {
		t.Errorf("%d levels are remembered for longer than the checks", len(s.levels))
	}
	unsigned := level(seen(noon.Add(time.Minute), event.Down, 1))
	if apply(unsigned, false, noon.Add(time.Minute)); !apply(unsigned, true, noon.Add(time.Minute)) {
		t.Error("an unsigned level hides ours of the same instant")
	}
}
