package rollup

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }

// world writes records as an owner does, each with the next revision.
type world struct {
	epoch    int64
	revision int64
}

func (w *world) origin() event.Origin {
	return event.Origin{Instance: "me", Host: "local", Epoch: w.epoch, Nonce: fmt.Sprint("n", w.epoch)}
}

func (w *world) service(name string, status event.Status, when time.Time) event.Service {
	w.revision++
	return event.Service{Time: when, Service: name, Definition: &event.Definition{Name: name}, Status: status, Revision: w.revision, Origin: w.origin()}
}

func (w *world) check(name string, status event.Status, when time.Time, ms float64) event.HealthLog {
	w.revision++
	return event.HealthLog{Timestamp: event.Seconds(when), Service: name, Status: status, LatencyMS: ms, Check: "http", Revision: w.revision, Origin: w.origin()}
}

// sums are a record's durations in milliseconds: up, degraded, down, unknown.
func sums(r event.Rollup) [4]int64 {
	ms := func(s float64) int64 { return int64(math.Round(s * 1000)) }
	return [4]int64{ms(r.UpS), ms(r.DegradedS), ms(r.DownS), ms(r.UnknownS)}
}

func TestAMinuteHasTheTimeInEachPublishedStatus(t *testing.T) {
	type step = func(f *Fold, w *world)
	published := func(s float64, status event.Status) step {
		return func(f *Fold, w *world) { f.ReadService(w.service("pay", status, at(s))) }
	}
	checks := func(from, to float64, status event.Status) step {
		return func(f *Fold, w *world) {
			for s := from; s < to; s += 2 {
				f.ReadHealth(w.check("pay", status, at(s), 0), at(s))
			}
		}
	}
	for _, tt := range []struct {
		name   string
		steps  []step
		want   [4]int64 // milliseconds
		checks int64
	}{
		{"up", []step{published(-10, event.Up), checks(0, 60, event.Up)}, [4]int64{60000, 0, 0, 0}, 30},
		{"down within", []step{published(-10, event.Up), published(20.25, event.Down), published(32.5, event.Up), checks(0, 60, event.Up)}, [4]int64{47750, 0, 12250, 0}, 30},
		{"slow at its end", []step{published(-10, event.Up), published(50, event.Degraded), checks(0, 60, event.Degraded)}, [4]int64{50000, 10000, 0, 0}, 30},
		{"one bad check makes no outage", []step{published(-10, event.Up), checks(0, 58, event.Up), checks(58, 60, event.Down)}, [4]int64{60000, 0, 0, 0}, 30},
		{"pending is unknown", []step{published(-10, event.Pending), published(30, event.Up), checks(0, 60, event.Up)}, [4]int64{30000, 0, 0, 30000}, 30},
		{"unknown is unknown", []step{published(-10, event.Up), published(30, event.Unknown), checks(0, 60, event.Up)}, [4]int64{30000, 0, 0, 30000}, 30},
		{"new within", []step{checks(0, 10, event.Up), published(15, event.Up), checks(10, 60, event.Up)}, [4]int64{45000, 0, 0, 15000}, 30},
		{"removed within", []step{published(-10, event.Up), checks(0, 60, event.Up), func(f *Fold, w *world) {
			r := w.service("pay", event.Up, at(40))
			r.Definition = nil
			f.ReadService(r)
		}}, [4]int64{40000, 0, 0, 20000}, 30},
		{"another host's", []step{published(-10, event.Up), checks(0, 60, event.Up), func(f *Fold, w *world) {
			r := w.service("pay", event.Down, at(20))
			r.Host = "other"
			f.ReadService(r)
			h := w.check("pay", event.Down, at(20), 1)
			h.Host = "other"
			f.ReadHealth(h, at(20))
		}}, [4]int64{60000, 0, 0, 0}, 30},
		{"a copy of an old record", []step{published(-10, event.Up), checks(0, 60, event.Up), func(f *Fold, w *world) {
			r := w.service("pay", event.Down, at(30))
			r.Revision = 1
			f.ReadService(r)
			h := w.check("pay", event.Down, at(30), 1)
			h.Revision = 2
			f.ReadHealth(h, at(30))
		}}, [4]int64{60000, 0, 0, 0}, 30},
		{"the container's level is no check", []step{published(-10, event.Up), checks(0, 60, event.Up), func(f *Fold, w *world) {
			h := w.check("pay", event.Down, at(30), 1)
			h.Check = event.CheckContainer
			f.ReadHealth(h, at(30))
		}}, [4]int64{60000, 0, 0, 0}, 30},
		{"what the engine says of its health is no check", []step{published(-10, event.Up), checks(0, 60, event.Up), func(f *Fold, w *world) {
			h := w.check("pay", event.Down, at(30), 1)
			h.Check = event.CheckHealth
			f.ReadHealth(h, at(30))
		}}, [4]int64{60000, 0, 0, 0}, 30},
		{"what came over HTTP", []step{published(-10, event.Up), checks(0, 60, event.Up), func(f *Fold, w *world) {
			h := w.check("pay", event.Down, at(30), 1)
			h.Origin = event.Origin{Instance: "api:me"}
			f.ReadHealth(h, at(30))
		}}, [4]int64{60000, 0, 0, 0}, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, w := NewFold("local", 1), &world{epoch: 1}
			f.Tick(at(-11))
			for _, step := range tt.steps {
				step(f, w)
			}
			var got []event.Rollup
			for s := -10.0; s < 70; s++ {
				for _, c := range f.Tick(at(s)) {
					if c.Level == minutes && c.Record.Start.Equal(noon) {
						got = append(got, c.Record)
					}
				}
			}
			if len(got) != 1 || sums(got[0]) != tt.want || got[0].Checks != tt.checks {
				t.Errorf("%+v, want %v and %d checks", got, tt.want, tt.checks)
			}
		})
	}
}

func TestTimeWhileNothingWatchedIsUnknown(t *testing.T) {
	f, w := NewFold("local", 1), &world{epoch: 1}
	f.ReadService(w.service("pay", event.Up, noon))
	var got []Closed
	tick := func(from, to float64) {
		for s := from; s < to; s++ {
			got = append(got, f.Tick(at(s))...)
		}
	}
	tick(0, 90)
	tick(3600+30, 3600+130) // the process was frozen for an hour
	want := []string{"12:00 60000", "12:01 29000", "13:00 30000", "13:01 60000"}
	var minuteRecords []string
	for _, c := range got {
		if c.Level == minutes {
			minuteRecords = append(minuteRecords, fmt.Sprintf("%s %d", c.Record.Start.Format("15:04"), sums(c.Record)[0]))
		}
	}
	if !slices.Equal(minuteRecords, want) {
		t.Errorf("%v, want %v", minuteRecords, want)
	}
	i := slices.IndexFunc(got, func(c Closed) bool { return c.Level == hours })
	if i < 0 || sums(got[i].Record) != [4]int64{89000, 0, 0, 3600000 - 89000} {
		t.Errorf("the hour is %+v", got)
	}
}

func TestARestartIsNoWatchedTime(t *testing.T) {
	w := &world{epoch: 1}
	before := w.service("pay", event.Up, at(0))
	checks := []event.HealthLog{w.check("pay", event.Up, at(2), 1), w.check("pay", event.Up, at(10), 1)}
	w.epoch, w.revision = 2, 0
	f := NewFold("local", 2)
	f.ReadService(before)
	for _, h := range checks {
		f.ReadHealth(h, h.Time())
	}
	f.ReadService(w.service("pay", event.Up, at(30))) // within reach of the last sign of life
	var got []Closed
	for s := 30.0; s < 70; s++ {
		got = append(got, f.Tick(at(s))...)
	}
	if len(got) != 1 || sums(got[0].Record) != [4]int64{40001, 0, 0, 19999} {
		t.Errorf("%+v", got)
	}
}

func TestLateMinutesAreClosedAFewAtOnce(t *testing.T) {
	f, w := NewFold("local", 1), &world{epoch: 1}
	f.ReadService(w.service("pay", event.Up, noon))
	for s := 0.0; s < 3600; s += 30 {
		f.ReadHealth(w.check("pay", event.Up, at(s), 1), at(s))
	}
	for want := 60; want > 0; want -= closedAtOnce {
		n := 0
		for _, c := range f.Tick(at(3700)) {
			if c.Level == minutes {
				n++
			}
		}
		if n != min(want, closedAtOnce) {
			t.Fatalf("%d minutes are closed at once, with %d to come", n, want)
		}
	}
}

// happening is one record or tick of a history.
type happening struct {
	service *event.Service
	health  *event.HealthLog
	at      time.Time
}

// random is a history of some hours: services come, change and leave.
func random(rng *rand.Rand, begin time.Time, lasts time.Duration) []happening {
	w := &world{epoch: 1}
	names := []string{"pay", "stock", "ship"}
	var all []happening
	for now := begin; now.Before(begin.Add(lasts)); now = now.Add(time.Second) {
		if now.Sub(begin)%(30*time.Minute) == 0 { // as an owner does each hour
			for _, name := range names {
				r := w.service(name, event.Up, now)
				all = append(all, happening{service: &r, at: now})
			}
		}
		for _, name := range names {
			if rng.IntN(300) == 0 {
				r := w.service(name, []event.Status{event.Up, event.Down, event.Degraded, event.Pending, event.Unknown}[rng.IntN(5)], now.Add(time.Duration(rng.IntN(999))*time.Millisecond))
				if rng.IntN(20) == 0 {
					r.Definition = nil
				}
				all = append(all, happening{service: &r, at: now})
			}
			if rng.IntN(20) == 0 {
				h := w.check(name, []event.Status{event.Up, event.Up, event.Down, event.Degraded}[rng.IntN(4)], now, float64(rng.IntN(900)))
				all = append(all, happening{health: &h, at: now})
			}
		}
		all = append(all, happening{at: now})
	}
	return all
}

// reader has what a reader of the topics has: of each bucket the newest record.
type reader map[identity]event.Rollup

func (r reader) take(t *testing.T, closed []Closed, epoch int64, revision *int64) {
	t.Helper()
	for _, c := range closed {
		*revision++
		c.Record.Revision, c.Record.Origin = *revision, event.Origin{Host: "local", Epoch: epoch, Nonce: fmt.Sprint("n", epoch)}
		read, err := event.DecodeRollup(event.Encode(c.Record))
		if err != nil {
			t.Fatal(err)
		}
		all := int64(0)
		for _, ms := range sums(read) {
			all += ms
		}
		if length := event.Levels[c.Level].Length; all != length.Milliseconds() {
			t.Fatalf("%+v is %d ms long, and its bucket %s", read, all, length)
		}
		id := identityOf(c.Level, read)
		if old, twice := r[id]; twice {
			t.Fatalf("written twice: %+v and %+v", old, read)
		}
		r[id] = read
	}
}

// live has a fold live through a history, from one place to another.
func live(t *testing.T, f *Fold, history []happening, r reader, epoch int64, revision *int64) {
	t.Helper()
	for _, h := range history {
		switch {
		case h.service != nil:
			f.ReadService(*h.service)
		case h.health != nil:
			f.ReadHealth(*h.health, h.at)
		default:
			r.take(t, f.Tick(h.at), epoch, revision)
		}
	}
}

// resumed is a fold that was made anew from what is on the log.
func resumed(written reader, history []happening, epoch int64) *Fold {
	f := NewFold("local", epoch)
	newest := [levels]time.Time{}
	for id, r := range written {
		newest[id.level] = later(newest[id.level], r.Start)
	}
	since := [levels]time.Time{days: {}, hours: newest[days], minutes: newest[hours]}
	for id, r := range written {
		if !r.Start.Before(since[id.level]) { // as much as a Recorder reads, at least
			f.ReadRollup(id.level, r)
		}
	}
	from := newest[minutes]
	for _, h := range history {
		if h.service != nil && !h.at.Before(from.Add(-pastServices)) {
			f.ReadService(*h.service)
		}
	}
	for _, h := range history {
		if h.health != nil && !h.at.Before(from.Add(-reach)) {
			f.ReadHealth(*h.health, h.at)
		}
	}
	return f
}

// TestAnyPrefixAndThenTheRestEqualsOneReplay stops a fold anywhere, makes
// another from what is on the log, and has it live through the rest.
func TestAnyPrefixAndThenTheRestEqualsOneReplay(t *testing.T) {
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 7))
		begin := noon.Add(11*time.Hour + time.Duration(rng.IntN(3600))*time.Second) // over midnight
		history := random(rng, begin, time.Duration(70+rng.IntN(120))*time.Minute)
		var revision int64
		whole := reader{}
		live(t, NewFold("local", 1), history, whole, 1, &revision)

		parted := reader{}
		revision = 0
		f, done := NewFold("local", 1), 0
		for range 1 + rng.IntN(4) {
			next := done + rng.IntN(len(history)-done)
			live(t, f, history[done:next], parted, 1, &revision)
			f, done = resumed(parted, history[:next], 1), next
		}
		live(t, f, history[done:], parted, 1, &revision)
		for _, r := range []reader{whole, parted} {
			for id, record := range r { // revisions say how often it was written
				record.Revision = 0
				r[id] = record
			}
		}
		if !reflect.DeepEqual(parted, whole) {
			for id := range whole {
				if !reflect.DeepEqual(whole[id], parted[id]) {
					t.Errorf("seed %d, level %d, %s at %s:\n%+v, want\n%+v", seed, id.level, id.service, time.Unix(id.start, 0).UTC(), parted[id], whole[id])
				}
			}
			t.Fatalf("seed %d: %d buckets, want %d", seed, len(parted), len(whole))
		}
	}
}

// announced is what an owner publishes as soon as it has its claim.
func announced(history []happening, now time.Time) []happening {
	newest := map[string]event.Service{}
	for _, h := range history {
		if h.service != nil {
			newest[h.service.Service] = *h.service
		}
	}
	var all []happening
	for _, r := range newest {
		r.Epoch, r.Time = 2, now
		all = append(all, happening{service: &r, at: now})
	}
	return all
}

// TestAKillLosesNothingButTheTimeOfTheKill stops a fold anywhere, and starts
// another under a new claim some time later.
func TestAKillLosesNothingButTheTimeOfTheKill(t *testing.T) {
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 8))
		begin := noon.Add(11 * time.Hour)
		history := random(rng, begin, 100*time.Minute)
		var revision int64
		whole := reader{}
		live(t, NewFold("local", 1), history, whole, 1, &revision)

		killed, outage := rng.IntN(len(history)), time.Duration(rng.IntN(900))*time.Second
		back := slices.IndexFunc(history, func(h happening) bool { return h.at.After(history[killed].at.Add(outage)) })
		if back < 0 {
			continue
		}
		parted := reader{}
		revision = 0
		live(t, NewFold("local", 1), history[:killed], parted, 1, &revision)
		rest := slices.Clone(history[back:])
		for i, h := range rest { // under the new claim
			if h.service != nil {
				r := *h.service
				r.Epoch = 2
				rest[i].service = &r
			}
			if h.health != nil {
				o := *h.health
				o.Epoch = 2
				rest[i].health = &o
			}
		}
		live(t, resumed(parted, history[:killed], 2), append(announced(history[:back], history[back].at), rest...), parted, 2, &revision)
		known := func(r reader) (all int64) {
			for id, record := range r {
				if s := sums(record); id.level == minutes {
					all += s[0] + s[1] + s[2]
				}
			}
			return all
		}
		for id, record := range parted {
			w, got := whole[id], record
			if sums(got)[3] < sums(w)[3] || got.Checks > w.Checks {
				t.Fatalf("seed %d: more is known with a kill: %+v than without: %+v", seed, got, w)
			}
		}
		lost := time.Duration(known(whole)-known(parted)) * time.Millisecond
		// Three services; statuses are published anew within half an hour here, and
		// the last sign of life before the kill is some seconds old.
		if most := 3 * (history[back].at.Sub(history[killed].at) + reach); lost > most {
			t.Fatalf("seed %d: %s are lost by a kill of %s", seed, lost, outage)
		}
	}
}
