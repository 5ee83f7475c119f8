package monitor

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
)

func scheduled(list []event.HealthLog, name string) (at []time.Time) {
	for _, h := range list {
		if h.Service == name && !h.Extra {
			at = append(at, h.Time())
		}
	}
	return at
}

func TestHealthyServiceIsSeenTwiceWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", 10*time.Second))
		began := time.Now()
		b.start(t.Context())
		time.Sleep(time.Second)
		synctest.Wait()
		list := b.log.health(t, "http")
		if len(list) < 2 {
			t.Fatalf("%d checks in the first second, not the two that make it UP", len(list))
		}
		first := list[0]
		if !first.Extra || first.Status != event.Up || !first.Time().Equal(began.Truncate(time.Microsecond)) {
			t.Errorf("the first check is %+v: want UP, extra, at once", first)
		}
		want := identity
		want.Epoch, want.Nonce = 1, "nonce-1"
		if first.Origin != want {
			t.Errorf("it comes from %+v, want %+v", first.Origin, want)
		}
		b.end(t)
	})
}

func TestNewServiceThatIsDownGetsNoExtraChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", time.Hour))
		b.checks["pay"].status = event.Down
		b.start(t.Context())
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(b.log.health(t, "http")) - len(scheduled(b.log.health(t, "http"), "pay")); n != 1 {
			t.Errorf("%d extra checks that were DOWN, want the first alone", n)
		}
		b.end(t)
	})
}

func TestRecordSaysAtWhichStageTheCheckFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", time.Hour))
		b.checks["pay"].status, b.checks["pay"].failure = event.Down, event.FailureBodyTimeout
		b.start(t.Context())
		settle(time.Second)
		if list := b.log.health(t, "http"); len(list) != 1 || list[0].Failure != event.FailureBodyTimeout {
			t.Errorf("the records are %+v, want one with the failure %q", list, event.FailureBodyTimeout)
		}
		b.end(t)
	})
}

func TestChecksOfOneServiceNeverOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := define("pay", time.Second)
		b := newBench(newScripted(running("pay", "a")), def)
		check := b.checks["pay"]
		check.takes = 1300 * time.Millisecond
		b.start(t.Context())
		for range 10 {
			time.Sleep(700 * time.Millisecond)
			def.Interval += 10 * time.Millisecond
			b.Apply([]service.Definition{def}) // a new worker, while the old one checks
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if check.overlap {
			t.Error("two checks at a time")
		}
		if check.made < 10 {
			t.Errorf("only %d checks were made", check.made)
		}
		b.end(t)
	})
}

func TestApplyKeepsTheScheduleOfUnchangedServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stays, changes, goes, comes := define("stays", 2*time.Second), define("changes", 2*time.Second), define("goes", 2*time.Second), define("comes", 2*time.Second)
		b := newBench(nil, stays, changes, goes)
		b.checks["comes"] = &countingCheck{}
		b.start(t.Context())
		time.Sleep(20*time.Second + 300*time.Millisecond)
		synctest.Wait()
		goneAfter := len(scheduled(b.log.health(t, "http"), "goes"))
		applied := time.Now()
		stays.Note = "what isn't checked may change"
		changes.Timeout = time.Millisecond
		b.Apply([]service.Definition{stays, changes, comes})
		time.Sleep(20 * time.Second)
		synctest.Wait()
		list := b.log.health(t, "http")

		at := scheduled(list, "stays")
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap != 2*time.Second {
				t.Errorf("the unchanged service was checked after %s", gap)
			}
		}
		if len(at) != 20 {
			t.Errorf("it was checked %d times in 40 s", len(at))
		}
		if n := len(scheduled(list, "goes")); n != goneAfter {
			t.Errorf("the removed service was checked %d times more", n-goneAfter)
		}
		for _, name := range []string{"changes", "comes"} {
			atOnce := 0
			for _, h := range list {
				if h.Service == name && h.Extra && h.Time().Sub(applied).Abs() < time.Millisecond {
					atOnce++
				}
			}
			if atOnce != 1 {
				t.Errorf("%s was checked %d times at once, want 1", name, atOnce)
			}
		}
		for _, h := range list {
			if h.Service == "stays" && h.Extra && h.Time().After(applied) {
				t.Errorf("the unchanged service got an extra check at %s", h.Time())
			}
		}
		b.end(t)
	})
}

func TestApplyIsRememberedWhileNothingRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("old", time.Second))
		b.checks["new"] = &countingCheck{}
		b.Apply([]service.Definition{define("new", time.Second)})
		b.start(t.Context())
		time.Sleep(3 * time.Second)
		synctest.Wait()
		for _, h := range b.log.health(t, "http") {
			if h.Service != "new" {
				t.Fatalf("%s was checked", h.Service)
			}
		}
		b.end(t)
	})
}

func TestPanicEndsRunAndLeavesNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval = 2 * time.Second
		b := newBench(nil, define("pay", interval), define("stock", interval))
		b.start(t.Context())
		time.Sleep(20 * time.Second)
		b.checks["pay"].set(func(c *countingCheck) { c.panics = true })
		err := <-b.ended
		if err == nil || !strings.Contains(err.Error(), "a check that panics") {
			t.Fatalf("Run returned %v", err)
		}
		time.Sleep(time.Second) // what a supervisor may wait
		b.start(t.Context())
		time.Sleep(20 * time.Second)
		synctest.Wait()
		for _, name := range []string{"pay", "stock"} {
			var last time.Time
			for _, h := range b.log.health(t, "http") {
				if h.Service != name {
					continue
				}
				if gap := h.Time().Sub(last); !last.IsZero() && gap > 2*interval {
					t.Errorf("%s has a gap of %s", name, gap)
				}
				last = h.Time()
			}
			at := scheduled(b.log.health(t, "http"), name)
			if off := at[len(at)-1].Sub(at[0]) % interval; off != 0 {
				t.Errorf("the rhythm of %s is off by %s after the restart", name, off)
			}
		}
		b.end(t)
	})
}

func TestCheckThatCouldNotBeMadeIsNoObservation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", time.Second))
		check := b.checks["pay"]
		check.unknown = errors.New("too many open files")
		b.start(t.Context())
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := len(b.log.health(t, "http")); n != 0 {
			t.Errorf("%d records of checks that were not made", n)
		}
		got, is := b.registry.Get(health.Monitor)
		if !is || !strings.Contains(got.What, "pay") || !strings.Contains(got.What, "too many open files") {
			t.Errorf("the problem is %+v", got)
		}
		check.set(func(c *countingCheck) { c.unknown = nil })
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if _, is := b.registry.Get(health.Monitor); is {
			t.Error("the problem is still there")
		}
		if len(b.log.health(t, "http")) == 0 {
			t.Error("no record after it was over")
		}
		b.end(t)
	})
}

// TestNewClaimBeginsWithExtraChecks holds that what was seen
// before a claim, which counts no more, is seen again at once.
func TestNewClaimBeginsWithExtraChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", 20*time.Second))
		b.owner.set(0, "")
		b.start(t.Context())
		settle(time.Minute)
		for _, h := range b.log.health(t, "http") {
			if h.Epoch != 0 || h.Nonce != "" || h.Instance != identity.Instance || h.Host != identity.Host {
				t.Errorf("without a claim a check is written as %+v", h.Origin)
			}
		}
		before := len(b.log.health(t, "http"))
		b.owner.set(7, "nonce-7")
		settle(6 * time.Second) // before the next scheduled check
		extra := 0
		var last int64
		for _, h := range b.log.health(t, "http")[before:] {
			if h.Epoch != 7 || h.Nonce != "nonce-7" || h.Revision <= last {
				t.Errorf("under the claim a check is written as %+v, revision %d after %d", h.Origin, h.Revision, last)
			}
			if last = h.Revision; h.Extra {
				extra++
			}
		}
		if extra < 3 {
			t.Errorf("%d checks beside the schedule follow the claim", extra)
		}
		b.end(t)
	})
}
