package healer

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/state"
)

// How soon what ended is repaired: in the sim's own time, in which nothing but a
// wait of ours takes long.

// readOf is when that event of a service's container was read.
func readOf(t *testing.T, m *sim, b *box, action string) time.Time {
	t.Helper()
	var e history.Event
	m.until(t, action, func() (is bool) {
		e, is = m.core.engine.Of(b.def.Name).Last(func(int, history.Event) bool { return true }, action)
		return is
	})
	return e.ReadAt
}

// TestKillIsRepairedWithoutWaitingForAStop: after 9 alone no stop can come.
func TestKillIsRepairedWithoutWaitingForAStop(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.run(10 * time.Second) // longer than a stop takes that began before the events were read
		do("kill", m, b)
		died := readOf(t, m, b, "die")
		m.until(t, "an incident", func() bool { return m.of0().State == state.Open })
		known := later(m.now, died)
		m.until(t, "an intent", func() bool { return len(dataOf[event.ActionStarted](m)) > 0 })
		if took := m.now.Sub(known); took >= 150*time.Millisecond {
			t.Errorf("its start was begun %s after its end was known", took)
		}
		m.run(time.Minute)
		wantActions(t, m, "start")
	})
}

// TestStopWithSIGKILLIsAStop, as today's engine reports docker stop --signal KILL.
func TestStopWithSIGKILLIsAStop(t *testing.T) {
	m, b := quiet(t, func(m *sim) { m.stopFirst, m.cfg.ManualGrace = true, 30*time.Second })
	m.run(10 * time.Second)
	m.emit(b, "kill", func(e *event.Docker) { e.Signal = "9" })
	m.run(100 * time.Millisecond)
	m.stopped(b, 137, nil)
	m.run(20 * time.Second)
	wantHeld(t, m, "operator")
	wantActions(t, m)
	m.run(time.Minute)
	wantActions(t, m, "start")
	if in := m.of0(); in.CauseID != "stopped" {
		t.Errorf("the cause is %s", in.CauseID)
	}
}

// TestAHoldEndsAtItsInstant, and not at the tick after it.
func TestAHoldEndsAtItsInstant(t *testing.T) {
	for _, offset := range []time.Duration{0, 30 * time.Millisecond, 60 * time.Millisecond, 90 * time.Millisecond} {
		t.Run(fmt.Sprint(offset), func(t *testing.T) {
			m, b := quiet(t, configured(func(c *Config) { c.ManualGrace = 0 }))
			m.run(offset)
			do("stop", m, b)
			stopped := readOf(t, m, b, "stop")
			m.until(t, "an intent", func() bool { return len(dataOf[event.ActionStarted](m)) > 0 })
			if late := m.now.Sub(stopped) - time.Second; late < 0 || late > 20*time.Millisecond {
				t.Errorf("its start was begun %s after the second of the gate deploy", late)
			}
			m.run(time.Minute)
			wantActions(t, m, "start")
		})
	}
}

// TestOwnStartsAreOwnHoweverManyThereWere: what is attributed reaches back as far as
// the engine's events do.
func TestOwnStartsAreOwnHoweverManyThereWere(t *testing.T) {
	m, b := quiet(t, configured(func(c *Config) { c.Budget.PerHour, c.Budget.HostPerMinute = 1000, 1000 }))
	for n := range 24 {
		do("kill", m, b)
		m.until(t, "it is healed", func() bool { return len(dataOf[event.Resolved](m)) == n+1 })
	}
	wantActions(t, m, slices.Repeat([]string{"start"}, 24)...)
}
