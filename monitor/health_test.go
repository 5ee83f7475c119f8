package monitor

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// checked is a running container with a HEALTHCHECK.
func checked(health container.Health, output string) container.State {
	s := running(pay, "1")
	s.StartedAt = zero
	s.Health, s.HealthOutput = health, output
	return s
}

// healths are what was written of HEALTHCHECKs, as status and error.
func healths(t *testing.T, b *bench) []string {
	t.Helper()
	var list []string
	for _, h := range b.log.health(t, event.CheckHealth) {
		line := string(h.Status)
		if h.Error != "" {
			line += ": " + h.Error
		}
		if h.Status == event.Down != (h.Failure == event.FailureUnhealthy) {
			t.Errorf("%s with the failure %q", line, h.Failure)
		}
		if h.Nonce != "nonce-1" || h.Revision == 0 {
			t.Errorf("written under %+v, revision %d", h.Origin, h.Revision)
		}
		list = append(list, line)
	}
	return list
}

func TestAHealthcheckIsASourceOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(checked(container.Starting, ""))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(40 * time.Second)
		expectRecords(t, "before it has decided nothing is written", healths(t, b))
		engine.happen(checked(container.Healthy, ""), container.ActionHealth)
		synctest.Wait() // no time passes
		expectRecords(t, "it is healthy, at once", healths(t, b), "UP")
		engine.happen(checked(container.Unhealthy, "pass\x1b[31mword\x1b[0m=hunter2 is wrong\x1b[2J"), container.ActionHealth)
		synctest.Wait()
		expectRecords(t, "it fails, at once", healths(t, b)[1:], "DOWN: the HEALTHCHECK of container pay fails: password=*** is wrong")
		settle(31 * time.Second)
		if got := healths(t, b); len(got) != 3 {
			t.Errorf("it is written again each 30 s: %q", got)
		}
		engine.set(func() { engine.states[pay] = checked(container.Unhealthy, "other words") })
		engine.happen(checked(container.Unhealthy, "other words"), container.ActionHealth)
		synctest.Wait()
		if got := healths(t, b); len(got) != 3 {
			t.Errorf("other words are a change: %q", got)
		}
		paused := checked(container.Unhealthy, "frozen")
		paused.Status = container.Paused
		engine.happen(paused, container.ActionPause)
		settle(5 * time.Minute)
		if got := healths(t, b); len(got) != 3 {
			t.Errorf("of a container that is paused: %q", got)
		}
		engine.happen(checked(container.Healthy, ""), container.ActionUnpause)
		synctest.Wait()
		expectRecords(t, "and goes on", healths(t, b)[3:], "UP")
		if records := b.log.appended(t); !slices.Contains(records, "health_status pay") {
			t.Errorf("the engine's events lack the health_status: %q", records)
		}
		b.end(t)
	})
}

func TestAHealthFollowsTheLevelOfItsContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(exited(pay, "1", 1))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.happen(checked(container.Healthy, ""), container.ActionStart)
		settle(time.Second)
		levels, health := b.log.health(t, event.CheckContainer), b.log.health(t, event.CheckHealth)
		if len(health) != 1 || levels[len(levels)-1].Status != event.Up || health[0].Timestamp < levels[len(levels)-1].Timestamp {
			t.Errorf("levels %+v, health %+v", levels, health)
		}
		b.end(t)
	})
}

func TestAContainerAloneIsInspectedAtItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := define(pay, 2*time.Second)
		def.URL = ""
		engine := newScripted(checked(container.Healthy, ""))
		b := newBench(engine, def)
		b.start(t.Context())
		settle(time.Second)
		before := len(b.log.health(t, event.CheckContainer))
		settle(20 * time.Second)
		for _, check := range []string{event.CheckContainer, event.CheckHealth} {
			all := b.log.health(t, check)
			if n := len(all) - before; n != 10 || slices.ContainsFunc(all, func(h event.HealthLog) bool { return h.Extra || h.Status != event.Up }) {
				t.Errorf("%s: %d records in 20 s: %+v", check, n, all)
			}
		}
		engine.happen(exited(pay, "1", 3), container.ActionDie)
		synctest.Wait()
		all := b.log.health(t, event.CheckContainer)
		if last := all[len(all)-1]; last.Status != event.Down || !last.Extra {
			t.Errorf("a change, beside the schedule: %+v", last)
		}
		if n := len(b.log.health(t, "http")); n != 0 {
			t.Errorf("%d checks of a url that it has not", n)
		}
		b.end(t)
	})
}

func TestNetworkEventsAreOfTheContainerByItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.emit(container.Event{ID: "1", Action: container.ActionDisconnect, Network: "shop"},
			container.Event{ID: "2", Action: container.ActionDisconnect, Network: "shop"},
			container.Event{ID: "1", Action: container.ActionConnect, Network: strings.Repeat("n", 5000)})
		settle(time.Second)
		expectRecords(t, "of other containers nothing", b.log.appended(t), "stream-back", "pay UP", "disconnect pay", "connect pay")
		b.end(t)
	})
}
