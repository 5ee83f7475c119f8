package monitor

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// timedCheck takes as long as its random source says, and keeps when each check
// began and ended.
type timedCheck struct {
	random *rand.Rand
	most   time.Duration

	mu   sync.Mutex
	runs []run
}

type run struct{ began, ended time.Time }

func (c *timedCheck) Check(ctx context.Context) check.Observation {
	r := run{began: time.Now()}
	c.mu.Lock()
	takes := time.Duration(c.random.Int64N(int64(c.most)))
	c.mu.Unlock()
	timer := time.NewTimer(takes)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		time.Sleep(min(takes, 300*time.Millisecond)) // it takes a while to let go
	case <-timer.C:
	}
	r.ended = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs = append(c.runs, r)
	return check.Observation{Began: r.began, Took: r.ended.Sub(r.began), Status: event.Up}
}

func (*timedCheck) Fresh() {}
func (*timedCheck) Close() {}

// TestEveryTurnIsMadeOrCounted has random services with random intervals, whose
// checks take up to three intervals, some of them over one bounded host, while
// they are changed, removed and brought back. Whatever happens: no two checks of
// one service overlap, each scheduled one belongs to a turn of its own on the
// service's grid, and each turn has its check or is counted as skipped.
func TestEveryTurnIsMadeOrCounted(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { everyTurn(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func everyTurn(t *testing.T, random *rand.Rand) {
	b := newBench(nil)
	b.deps.Config.ConnectionsPerHost = random.IntN(4)
	checks := map[string]*timedCheck{}
	defs := map[string]service.Definition{}
	for i := range 2 + random.IntN(12) {
		d := define(fmt.Sprintf("s%d", i), time.Duration(10+random.IntN(300))*10*time.Millisecond+time.Duration(random.IntN(2)*3)*time.Millisecond)
		d.URL = fmt.Sprintf("http://host-%d", random.IntN(4))
		checks[d.Name] = &timedCheck{random: rand.New(rand.NewPCG(random.Uint64(), 2)), most: 1 + time.Duration(random.Int64N(int64(3*d.Interval)))}
		defs[d.Name] = d
	}
	b.newCheck = func(d service.Definition) check.Checker { return checks[d.Name] }
	kept := slices.Sorted(maps.Keys(defs))[0] // is never changed
	b.Apply(slices.Collect(maps.Values(defs)))
	began := time.Now()
	b.start(t.Context())
	present := maps.Clone(defs)
	for range 20 {
		time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
		for name, d := range defs {
			switch at := random.IntN(8); {
			case name == kept:
			case at == 0:
				delete(present, name)
			case at == 1:
				d.Timeout = time.Duration(1+random.IntN(100)) * time.Millisecond
				present[name] = d
			case at == 2:
				present[name] = d
			}
		}
		b.Apply(slices.Collect(maps.Values(present)))
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
	b.end(t)
	over := time.Now()

	observed := map[string][]event.HealthLog{}
	for _, h := range b.log.health(t, "http") {
		observed[h.Service] = append(observed[h.Service], h)
	}
	for name, c := range checks {
		noOverlap(t, name, c.runs)
		turns := turnsOf(t, defs[name], observed[name], b.anchor)
		if name != kept {
			continue
		}
		interval := defs[name].Interval
		due := 0
		for at := nextOnGrid(b.anchor.Add(phase(name, interval)), interval, began); !at.After(over); at = at.Add(interval) {
			due++
		}
		// At the end a check may be under way, with turns that came meanwhile, or stand in line.
		under := 0
		if n := len(c.runs); n > 0 {
			under = int(over.Sub(c.runs[n-1].began)/interval) + 1
		}
		counts := b.Stats().Services[name]
		if got := int(counts.Made + counts.Skipped); got > due || got < due-under-1 {
			t.Errorf("%s: %d turns were due; %d made, %d skipped", name, due, counts.Made, counts.Skipped)
		}
		if int(counts.Made) < turns || int(counts.Made) > turns+1 { // the last may have been cut
			t.Errorf("%s: counted %d checks, and published %d", name, counts.Made, turns)
		}
	}
}

func noOverlap(t *testing.T, name string, runs []run) {
	t.Helper()
	for i := 1; i < len(runs); i++ {
		if runs[i].began.Before(runs[i-1].ended) {
			t.Errorf("%s: a check began at %s, before the last ended at %s", name, runs[i].began, runs[i-1].ended)
		}
	}
}

// turnsOf are how many turns of the service's grid had a scheduled check: that
// which came last before it began.
func turnsOf(t *testing.T, d service.Definition, observed []event.HealthLog, anchor time.Time) int {
	t.Helper()
	first := anchor.Add(phase(d.Name, d.Interval))
	last := time.Duration(-1)
	n := 0
	for _, h := range observed {
		if h.Extra {
			continue
		}
		turn := h.Time().Sub(first.Truncate(time.Microsecond)) / d.Interval
		if turn <= last {
			t.Errorf("%s: turn %d has two checks", d.Name, turn)
		}
		last = turn
		n++
	}
	return n
}

func TestOverrunIsCountedLateAndSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", time.Second), define("stock", time.Second))
		b.start(t.Context())
		settle(10 * time.Second)
		before := b.Stats()
		if before.Total.Made < 19 || before.Total.Late+before.Total.Skipped > 0 {
			t.Errorf("while all is well the counts are %+v", before.Total)
		}
		b.checks["pay"].set(func(c *countingCheck) { c.takes = 2500 * time.Millisecond })
		settle(60*time.Second + 10*time.Millisecond)
		after := b.Stats()
		pay, stock := after.Services["pay"], after.Services["stock"]
		if pay.Skipped < 30 || pay.Skipped > 40 || pay.Late < 10 {
			t.Errorf("checks of 2.5 s each second are counted as %+v", pay)
		}
		if stock.Late+stock.Skipped > 0 || stock.Made < 69 {
			t.Errorf("the other service is counted as %+v", stock)
		}
		problem, is := b.registry.Get("monitor")
		if !is || !strings.Contains(problem.What, "skipped") {
			t.Errorf("the problem is %+v", problem)
		}
		b.checks["pay"].set(func(c *countingCheck) { c.takes = 0 })
		b.Apply([]service.Definition{define("stock", time.Second)})
		settle(2 * time.Minute)
		if _, is := b.registry.Get("monitor"); is {
			t.Error("the problem stays after the last check was skipped")
		}
		end := b.Stats()
		if _, is := end.Services["pay"]; is || end.Total.Skipped < pay.Skipped {
			t.Errorf("after a service is gone the counts are %+v", end)
		}
		b.end(t)
	})
}

func TestFirstChecksOfManyServicesAreSpread(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			const services = 2000
			var defs []service.Definition
			for i := range services {
				defs = append(defs, define(fmt.Sprintf("s%d", i), interval))
			}
			b := newBench(nil, defs...)
			began := time.Now()
			b.start(t.Context())
			settle(10*time.Second + slot)
			perSlot := map[time.Duration]int{}
			first := map[string]time.Duration{}
			for _, h := range b.log.health(t, "http") {
				since := h.Time().Sub(began)
				perSlot[since/(10*slot)]++
				if _, is := first[h.Service]; !is {
					first[h.Service] = since
				}
			}
			// By the schedule, and beside it where that is slower than spread.
			mean := services * int(10*slot) / int(interval)
			if interval > spread {
				mean += services * int(10*slot) / int(spread)
			}
			for at, n := range perSlot {
				if n > 2*mean {
					t.Errorf("%d checks in the 100 ms after %s, where %d are even", n, at*10*slot, mean)
				}
			}
			for name, since := range first {
				if since > min(interval, spread)+slot {
					t.Errorf("%s was first checked after %s", name, since)
				}
			}
			if len(first) != services {
				t.Errorf("only %d services were checked", len(first))
			}
			b.end(t)
		})
	}
}

// TestHostThatHangsDelaysNoOtherHost has more services of one host hang than
// may dial it at a time.
func TestHostThatHangsDelaysNoOtherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var defs []service.Definition
		for i := range 10 {
			d := define(fmt.Sprintf("hangs-%d", i), time.Second)
			d.URL = "http://one:80/" + d.Name
			defs = append(defs, d)
		}
		for i := range 5 {
			defs = append(defs, define(fmt.Sprintf("fine-%d", i), time.Second))
		}
		b := newBench(nil, defs...)
		b.deps.Config.ConnectionsPerHost = 2
		running, most := 0, 0
		var mu sync.Mutex
		b.newCheck = func(d service.Definition) check.Checker {
			if d.Name[0] == 'f' {
				return b.checks[d.Name]
			}
			return checkFunc(func(ctx context.Context) check.Observation {
				began := time.Now()
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running--
				mu.Unlock()
				return check.Observation{Began: began, Took: time.Since(began), Status: event.Down}
			})
		}
		b.start(t.Context())
		settle(60 * time.Second)
		stats := b.Stats()
		for name, c := range stats.Services {
			switch fine := name[0] == 'f'; {
			case fine && (c.Late+c.Skipped > 0 || c.Made < 59):
				t.Errorf("%s is counted as %+v", name, c)
			case !fine && (c.Made < 8 || c.Made > 14 || c.Skipped < 40):
				t.Errorf("%s has not had its share of 2 checks a second among 10: %+v", name, c)
			}
		}
		if most != 2 {
			t.Errorf("%d checks at a time, want 2", most)
		}
		b.end(t)
	})
}

type checkFunc func(ctx context.Context) check.Observation

func (f checkFunc) Check(ctx context.Context) check.Observation { return f(ctx) }
func (checkFunc) Fresh()                                        {}
func (checkFunc) Close()                                        {}

// TestHangingTargetsChangeNothingForTheOthers has six of 26 services hang, over
// real connections: half of them accept and say nothing, half stop in the body.
// The other twenty are checked as often as the same twenty beside no hanging
// ones, at the same time: what else the machine does delays both.
func TestHangingTargetsChangeNothingForTheOthers(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hangs") {
			fmt.Fprint(w, "half of it")
			w.(http.Flusher).Flush()
			<-hang
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mute.Close() }) // only the kernel accepts

	const interval = 250 * time.Millisecond
	var hanging, fine []service.Definition
	for i := range 26 {
		d := define(fmt.Sprintf("s%d", i), interval)
		d.Timeout, d.URL = interval, server.URL
		switch {
		case i < 3:
			d.URL += "/hangs"
		case i < 6:
			d.URL = "http://" + mute.Addr().String()
		}
		if i < 6 {
			hanging = append(hanging, d)
		} else {
			d.Timeout = 10 * interval // that of a machine which does much else is not what is tested
			fine = append(fine, d)
		}
	}
	beside, alone := newBench(nil, slices.Concat(hanging, fine)...), newBench(nil, fine...)
	alone.anchor = beside.anchor
	for _, b := range []*bench{beside, alone} {
		b.newCheck = newChecker(check.Env{})
		b.start(t.Context())
	}
	time.Sleep(3 * time.Second)
	beside.end(t)
	alone.end(t)
	down := map[string]int{}
	for _, h := range beside.log.health(t, "http") {
		if h.Status == event.Down {
			down[h.Service]++
		}
	}
	for _, d := range hanging {
		if down[d.Name] < 5 {
			t.Errorf("%s hangs, and was DOWN %d times", d.Name, down[d.Name])
		}
	}
	for _, d := range fine {
		with, without := beside.Stats().Services[d.Name].Made, alone.Stats().Services[d.Name].Made
		if down[d.Name] > 0 || with < 5 || with+2 < without {
			t.Errorf("%s was DOWN %d times, and checked %d times; without hanging ones %d times", d.Name, down[d.Name], with, without)
		}
	}
}
