package monitor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/health"
	"logstream/internal/service"
)

// Which container is a service's, where there is none, or more than one.

func TestAmbiguousContainerIsAProblemAndHasNoLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		engine.many["shop/pay"] = []string{"shop-pay-1", "shop-pay-2"}
		many := define(pay, time.Hour)
		many.Container = "shop/pay"
		b := newBench(engine, many)
		b.start(t.Context())
		settle(time.Minute)
		expectRecords(t, "two of them", b.log.appended(t), "stream-back")
		got, _ := b.registry.Get(health.Monitor)
		for _, name := range []string{"shop-pay-1", "shop-pay-2"} {
			if !strings.Contains(got.What, name) {
				t.Errorf("the problem doesn't name %s: %q", name, got.What)
			}
		}
		many.Container = pay
		b.Apply([]service.Definition{many})
		settle(time.Second)
		expectRecords(t, "an exact name", b.log.appended(t), "stream-back", "pay UP")
		if _, is := b.registry.Get(health.Monitor); is {
			t.Error("the problem is still there")
		}
		b.end(t)
	})
}

// TestContainerThatCannotBeFoundIsAConfigurationProblem holds that a renamed or
// mistyped container makes no service DOWN: only a destroy that was seen does.
func TestContainerThatCannotBeFoundIsAConfigurationProblem(t *testing.T) {
	for _, c := range []struct {
		name    string
		at      func(*scriptedRuntime) // at the start
		then    func(*scriptedRuntime) // while it is watched
		records []string
		says    []string
	}{
		{"mistyped", func(e *scriptedRuntime) { delete(e.states, pay) }, func(*scriptedRuntime) {},
			[]string{"stream-back"}, []string{"service pay", "no container is named pay"}},
		{"renamed", func(*scriptedRuntime) {}, func(e *scriptedRuntime) { e.rename(pay, "pay-old") },
			[]string{"stream-back", "pay UP", "rename pay-old"}, []string{"service pay", "its container pay was renamed to pay-old"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine := newScripted(running(pay, "1"))
				c.at(engine)
				b := newBench(engine, define(pay, time.Hour))
				b.start(t.Context())
				settle(time.Second)
				c.then(engine)
				settle(2 * levelEvery)
				expectRecords(t, "no level says DOWN", b.log.appended(t), c.records...)
				got, _ := b.registry.Get(health.Monitor)
				for _, words := range c.says {
					if !strings.Contains(got.What, words) {
						t.Errorf("the problem is %q, want %q in it", got.What, words)
					}
				}
				if got.Works == "" || got.OnHold == "" || got.Remedy.Text == "" {
					t.Errorf("the problem is %+v", got)
				}
				engine.happen(running(pay, "2"), container.ActionCreate, container.ActionStart)
				settle(time.Second)
				expectRecords(t, "it is there again", b.log.appended(t)[len(c.records):], "create pay", "start pay", "pay UP")
				if got, is := b.registry.Get(health.Monitor); is {
					t.Errorf("the problem is still there: %+v", got)
				}
				b.end(t)
			})
		})
	}
}

func TestDestroyMakesDownAlsoUnderAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.rename(pay, "pay-old")
		settle(time.Second)
		before := len(b.log.appended(t))
		engine.remove("pay-old")
		synctest.Wait() // no time passes
		expectRecords(t, "at once", b.log.appended(t)[before:], "destroy pay-old", "pay DOWN: no container is named pay")
		if got, is := b.registry.Get(health.Monitor); is {
			t.Errorf("an outage is reported as a configuration problem as well: %+v", got)
		}
		settle(levelEvery)
		if got := b.log.appended(t); got[len(got)-1] != "pay DOWN: no container is named pay" || len(got) < before+3 {
			t.Errorf("the level is not repeated: %q", got)
		}
		b.end(t)
	})
}

// TestLateDestroyIsNoConfigurationProblem: an inspection may see that a
// container is gone before its event comes.
func TestLateDestroyIsNoConfigurationProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.set(func() { delete(engine.states, pay) })
		engine.emit(container.Event{Name: pay, ID: "1", Action: container.ActionDie}) // calls for an inspection
		settle(eventGrace / 2)
		if got, is := b.registry.Get(health.Monitor); is {
			t.Errorf("before its event could come: %+v", got)
		}
		engine.emit(container.Event{Name: pay, ID: "1", Action: container.ActionDestroy})
		synctest.Wait()
		expectRecords(t, "and then", b.log.appended(t)[2:], "die pay", "pay DOWN: container pay exited with code 0", "destroy pay", "pay DOWN: no container is named pay")
		b.end(t)
	})
}

func TestApplyChangesWhoseContainerIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"), running("stock", "2"))
		b := newBench(engine, define(pay, time.Hour))
		b.checks["stock"] = &countingCheck{}
		b.start(t.Context())
		settle(time.Second)
		b.log.setUnreachable(true)
		engine.happen(exited(pay, "1", 1), container.ActionDie)
		settle(time.Second)
		b.Apply([]service.Definition{define("stock", time.Hour)}) // while a level of pay waits
		settle(time.Second)
		b.log.setUnreachable(false)
		settle(maxRetry)
		engine.happen(running(pay, "1"), container.ActionStart)
		engine.happen(exited("stock", "2", 1), container.ActionDie)
		settle(time.Minute)
		want := []string{"stream-back", "pay UP", "die pay", "stock UP", "die stock", "stock DOWN: container stock exited with code 1"}
		got := b.log.appended(t)
		expectRecords(t, "the whole", got[:min(len(got), len(want))], want...)
		b.end(t)
	})
}
