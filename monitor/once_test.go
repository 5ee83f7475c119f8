package monitor

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestCheckNowIsOneExtraCheck: it begins at once, and the schedule stays.
func TestCheckNowIsOneExtraCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", 10*time.Second))
		b.CheckNow("pay") // nothing runs yet
		b.start(t.Context())
		time.Sleep(time.Minute)
		synctest.Wait()
		last := scheduled(b.log.health(t, "http"), "pay")
		time.Sleep(time.Until(last[len(last)-1].Add(13 * time.Second)))
		synctest.Wait()
		before := b.log.health(t, "http")
		last = scheduled(before, "pay")
		asked := time.Now()
		b.CheckNow("pay")
		b.CheckNow("unknown")
		time.Sleep(time.Minute)
		synctest.Wait()
		after := b.log.health(t, "http")[len(before):]
		if first := after[0]; !first.Extra || first.Time().Before(asked.Truncate(time.Microsecond)) || first.Time().After(asked.Add(slot)) {
			t.Errorf("asked at %s, the next check is %+v", asked, first)
		}
		for i, at := range scheduled(after, "pay") {
			if want := last[len(last)-1].Add(time.Duration(i+1) * 10 * time.Second); !at.Equal(want) {
				t.Errorf("the scheduled check after it began at %s, want %s", at, want)
			}
		}
		if extra := len(after) - len(scheduled(after, "pay")); extra != 1 {
			t.Errorf("%d checks beside the schedule", extra)
		}
		b.end(t)
		b.CheckNow("pay") // nothing runs any more
	})
}

// TestCheckNowDuringACheckMakesAnother: the one that runs began too early.
func TestCheckNowDuringACheckMakesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil, define("pay", time.Hour))
		b.start(t.Context())
		time.Sleep(time.Minute)
		synctest.Wait()
		b.checks["pay"].set(func(c *countingCheck) { c.takes = 3 * time.Second })
		b.CheckNow("pay")
		time.Sleep(time.Second)
		asked := time.Now()
		b.CheckNow("pay")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		list := b.log.health(t, "http")
		if last := list[len(list)-1]; last.Time().Before(asked.Truncate(time.Microsecond)) || !last.Extra {
			t.Errorf("the last check is %+v, and another was asked for at %s", last, asked)
		}
		if b.checks["pay"].overlap {
			t.Error("two checks at a time")
		}
		b.end(t)
	})
}
