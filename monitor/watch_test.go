package monitor

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
)

const pay = "pay"

func expectRecords(t *testing.T, name string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// settle lets so much time pass, and all that is due in it be done.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestLevelIsWrittenAtChangesEach30SecondsAndForEveryClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.owner.set(0, "")
		b.start(t.Context())
		settle(time.Minute)
		expectRecords(t, "without a claim nothing is written of containers", b.log.appended(t))

		b.owner.set(7, "nonce-7")
		settle(time.Second)
		expectRecords(t, "a claim", b.log.appended(t), "stream-back", "pay UP")
		settle(time.Minute)
		expectRecords(t, "each 30 s", b.log.appended(t), "stream-back", "pay UP", "pay UP", "pay UP")

		engine.happen(exited(pay, "1", 137), container.ActionKill, container.ActionDie)
		synctest.Wait() // no time passes
		expectRecords(t, "a change, at once", b.log.appended(t)[4:], "kill pay", "die pay", "pay DOWN: container pay exited with code 137")

		b.owner.set(8, "nonce-8")
		settle(time.Second)
		b.owner.set(0, "")
		settle(5 * time.Minute)
		expectRecords(t, "another claim, and then none", b.log.appended(t)[7:], "pay DOWN: container pay exited with code 137")

		var last event.HealthLog
		epochs := map[string]int64{"nonce-7": 7, "nonce-8": 8}
		for _, h := range b.log.health(t, event.CheckContainer) {
			if h.Timestamp <= last.Timestamp {
				t.Errorf("the timestamp %f follows %f", h.Timestamp, last.Timestamp)
			}
			if h.Instance != identity.Instance || h.Host != identity.Host || h.Epoch == 0 || h.Epoch != epochs[h.Nonce] {
				t.Errorf("a level of %+v", h.Origin)
			}
			last = h
		}
		if last.Nonce != "nonce-8" {
			t.Errorf("the last level is under %q", last.Nonce)
		}
		b.end(t)
	})
}

func TestEveryStateOfAContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		same := container.State{Name: pay, ID: "1", Status: container.Running} // and started when it was
		paused := same
		paused.Status = container.Paused
		engine.happen(paused, container.ActionPause)
		settle(time.Second)
		engine.happen(same, container.ActionUnpause)
		settle(time.Second)
		engine.remove(pay)
		settle(time.Second)
		engine.happen(running(pay, "2"), container.ActionCreate, container.ActionStart)
		settle(time.Second)
		expectRecords(t, "the whole", b.log.appended(t), "stream-back", "pay UP",
			"pause pay", "pay DOWN: container pay is paused",
			"unpause pay", "pay UP",
			"destroy pay", "pay DOWN: no container is named pay",
			"create pay", "start pay", "pay UP")
		b.end(t)
	})
}

func TestStartIsFollowedByChecksAtOnceAndOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(exited(pay, "1", 1))
		b := newBench(engine, define(pay, time.Hour))
		b.checks[pay].status = event.Down
		b.start(t.Context())
		settle(10 * time.Second)
		before := len(b.log.health(t, "http"))
		started := time.Now()
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(time.Minute)

		var at []time.Duration
		for _, h := range b.log.health(t, "http")[before:] {
			if h.Extra {
				at = append(at, h.Time().Sub(started.Truncate(time.Microsecond)))
			}
		}
		var want []time.Duration
		for d := time.Duration(0); d <= burstFor; d += burstEvery {
			want = append(want, d)
		}
		if !slices.Equal(at, want) {
			t.Errorf("checks after the start at %v, want %v", at, want)
		}
		if b.checks[pay].renewed != 1 {
			t.Errorf("%d new connections were asked for", b.checks[pay].renewed)
		}
		b.end(t)
	})
}

// Checks that began before a level's change to UP don't count: were it dated
// later than the start that caused it, the first of them would be lost.
func TestLevelDatesFromTheEventThatChangedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(exited(pay, "1", 1))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		const step = 10 * time.Millisecond
		engine.set(func() { engine.slow = 5 * step })
		engine.happen(exited(pay, "1", 1), container.ActionStop) // an inspection begins
		settle(step)
		engine.emit(container.Event{Name: pay, ID: "1", Action: container.ActionRename})
		settle(step)
		started := time.Now().Truncate(time.Microsecond)
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(step)
		engine.happen(running(pay, "1"), container.ActionRestart)
		settle(time.Second)
		for _, h := range b.log.health(t, event.CheckContainer) {
			if h.Status == event.Up {
				if !h.Time().Equal(started) {
					t.Errorf("the change to UP dates from %s after the start", h.Time().Sub(started))
				}
				b.end(t)
				return
			}
		}
		t.Errorf("there is no UP: %q", b.log.appended(t))
		b.end(t)
	})
}

func TestStreamLostAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.happen(exited(pay, "1", 0), container.ActionKill, container.ActionDie, container.ActionStop)
		settle(time.Second)
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(time.Second)
		before := len(b.log.appended(t))

		engine.lose()
		settle(time.Second)
		got, is := b.registry.Get(health.Docker)
		if !is || got.What == "" || got.Works == "" || got.OnHold == "" || got.Remedy == (health.Remedy{}) {
			t.Errorf("the problem is %+v", got)
		}
		since := got.Since
		engine.happen(exited(pay, "1", 2), container.ActionDie, container.ActionStart, container.ActionOOM, container.ActionDie)
		settle(5 * time.Minute)
		expectRecords(t, "while it is unreachable", b.log.appended(t)[before:], "stream-lost")
		if got, _ := b.registry.Get(health.Docker); !got.Since.Equal(since) {
			t.Errorf("the problem is said to be since %s, and not %s", got.Since, since)
		}

		engine.set(func() { engine.unreachable = false })
		settle(maxReconnect + time.Second)
		expectRecords(t, "what was missed stands before stream-back, and nothing twice", b.log.appended(t)[before:],
			"stream-lost", "die pay", "start pay", "oom pay", "die pay", "stream-back", "pay DOWN: container pay exited with code 2")
		if _, is := b.registry.Get(health.Docker); is {
			t.Error("the problem is still there")
		}
		b.end(t)
	})
}

func TestRuntimeIsUnreachableAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		engine.unreachable = true
		b := newBench(engine, define(pay, time.Second))
		b.start(t.Context())
		settle(time.Minute)
		expectRecords(t, "the loss is written once", b.log.appended(t), "stream-lost")
		if n := len(scheduled(b.log.health(t, "http"), pay)); n < 59 {
			t.Errorf("%d checks in a minute without an engine", n)
		}
		if _, is := b.registry.Get(health.Docker); !is {
			t.Error("no problem is reported")
		}
		engine.set(func() { engine.unreachable = false })
		settle(maxReconnect + time.Second)
		expectRecords(t, "it comes up", b.log.appended(t), "stream-lost", "stream-back", "pay UP")
		if age := time.Since(b.log.health(t, event.CheckContainer)[0].Time()); age > maxReconnect+time.Second {
			t.Errorf("the level is said to be of %s ago, when nothing could be inspected", age)
		}
		b.end(t)
	})
}

func TestRuntimeThatHangsIsUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.set(func() { engine.hung = true })
		settle(levelEvery + 2*inspectTimeout)
		expectRecords(t, "its stream stands, but it doesn't answer", b.log.appended(t), "stream-back", "pay UP", "stream-lost")
		if _, is := b.registry.Get(health.Docker); !is {
			t.Error("no problem is reported")
		}
		engine.set(func() { engine.hung = false })
		settle(time.Minute)
		if got := b.log.appended(t); len(got) < 5 || got[3] != "stream-back" || got[4] != "pay UP" {
			t.Errorf("after it: %q", got)
		}
		b.end(t)
	})
}

func TestNothingIsWrittenTwiceOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		engine.happen(running(pay, "1"), container.ActionCreate, container.ActionStart) // before our time
		time.Sleep(time.Minute)
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.happen(exited(pay, "1", 1), container.ActionDie)
		settle(time.Second)
		b.end(t)
		expectRecords(t, "the first run", b.log.appended(t), "stream-back", "pay UP", "die pay", "pay DOWN: container pay exited with code 1")

		engine.set(func() { engine.live = nil })
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(time.Second)
		b.start(t.Context())
		settle(time.Second)
		expectRecords(t, "the second", b.log.appended(t)[4:], "start pay", "stream-back", "pay UP")
		b.end(t)

		if !engine.since[0].IsZero() {
			t.Errorf("the first start of all asked for the past since %s", engine.since[0])
		}
		if engine.since[1].IsZero() {
			t.Error("the second start didn't ask for what it missed")
		}
	})
}

func TestNeighboursEventsAreWrittenAndOthersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := running("shop-pay-1", "1")
		mine.Project, mine.Service = "shop", pay
		engine := newScripted(mine)
		def := define(pay, time.Hour)
		def.Container = "shop/pay"
		b := newBench(engine, def)
		b.start(t.Context())
		settle(time.Second)
		engine.emit(
			container.Event{Name: "shop-db-1", ID: "2", Project: "shop", Service: "db", Action: container.ActionStop},
			container.Event{Name: "blog-db-1", ID: "3", Project: "blog", Service: "db", Action: container.ActionStop},
			container.Event{Name: "lonely", ID: "4", Action: container.ActionStop},
			container.Event{Name: "0a1b_shop-pay-1", ID: "5", Action: container.ActionCreate, Replace: "shop-pay-1"},
			container.Event{Name: "shop-pay-1", ID: "1", Project: "shop", Service: pay, Action: "exec_start: sh"},
			container.Event{Name: "renamed", ID: "1", Action: container.ActionRename},
		)
		settle(time.Second)
		expectRecords(t, "the whole", b.log.appended(t), "stream-back", "pay UP",
			"stop shop-db-1", "create 0a1b_shop-pay-1", "rename renamed")
		b.end(t)
	})
}

func TestChangeWithoutItsEventWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(exited(pay, "1", 1))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(time.Second)
		before := len(b.log.appended(t))

		// It is restarted, and dies, before the inspection; the die comes late.
		engine.happen(exited(pay, "1", 3), container.ActionRestart)
		settle(eventGrace / 2)
		expectRecords(t, "the state runs ahead", b.log.appended(t)[before:], "restart pay")
		engine.happen(exited(pay, "1", 3), container.ActionDie)
		synctest.Wait()
		expectRecords(t, "its event comes", b.log.appended(t)[before:], "restart pay", "die pay", "pay DOWN: container pay exited with code 3")

		// A restart of a paused container begins with an unpause.
		paused := exited(pay, "1", 3)
		paused.Status = container.Paused
		engine.happen(paused, container.ActionStart, container.ActionPause)
		settle(time.Second)
		before = len(b.log.appended(t))
		engine.happen(exited(pay, "1", 143), container.ActionUnpause)
		settle(eventGrace / 2)
		engine.happen(exited(pay, "1", 143), container.ActionDie)
		synctest.Wait()
		expectRecords(t, "down, and down in another way", b.log.appended(t)[before:], "unpause pay", "die pay", "pay DOWN: container pay exited with code 143")

		// A change whose event never comes is not kept back for ever, and
		// dates from no event of before.
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(time.Second)
		before = len(b.log.appended(t))
		engine.happen(exited(pay, "1", 4))
		settle(levelEvery)
		engine.happen(running(pay, "1"))
		settle(levelEvery)
		expectRecords(t, "no events", b.log.appended(t)[before:], "pay DOWN: container pay exited with code 4", "pay UP")
		levels := b.log.health(t, event.CheckContainer)
		if n := len(levels); levels[n-1].Time().Sub(levels[n-2].Time()) < levelEvery/2 {
			t.Error("it dates from an event of long before")
		}
		b.end(t)
	})
}
