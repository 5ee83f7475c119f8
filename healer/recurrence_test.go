package healer

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// alternates lets a box fail for so long, and answer for as long, whatever is done
// to it, so many times.
func alternates(m *sim, b *box, each time.Duration, times int) {
	if times == 0 {
		return
	}
	b.app = "broken"
	m.after(each, func() { b.app = "ok" })
	m.after(2*each, func() { alternates(m, b, each, times-1) })
}

// returned is why a person was called about what was back soon.
func returned(m *sim) (reasons []string) {
	for _, escalated := range dataOf[event.Escalated](m) {
		if escalated.Code == "return" {
			reasons = append(reasons, escalated.Reason)
		}
	}
	return reasons
}

// TestAServiceThatFlapsIsRestartedOnce and then a person is called, once.
func TestAServiceThatFlapsIsRestartedOnce(t *testing.T) {
	for each, why := range map[time.Duration]string{6 * time.Second: " s after restart was verified. ", 7 * time.Second: " is back, and restart did not help against it "} {
		t.Run(each.String(), func(t *testing.T) {
			m, b := quiet(t, configured(func(c *Config) { c.Verify.For = 4 * time.Second }), defined(func(d *service.Definition) { d.Interval = time.Second }))
			alternates(m, b, each, 8)
			m.until(t, "a person is called", func() bool { return len(returned(m)) > 0 })
			called := m.of0().ID
			if reason := returned(m)[0]; !strings.HasPrefix(reason, "This is not healed: http_5xx ") || !strings.Contains(reason, why) {
				t.Errorf("the reason is %q", reason)
			}
			m.until(t, "it fails again, and that is held", func() bool { return m.of0().ID != called && m.of0().Held == "budget" })
			if reason := m.of0().HeldReason; !strings.Contains(reason, "called in incident "+called) {
				t.Errorf("it is held because %s", reason)
			}
			m.run(16 * each)
			wantActions(t, m, "restart")
			if n := len(returned(m)); n != 1 {
				t.Errorf("a person was called %d times", n)
			}
			m.crash(time.Second) // it is all from the log
			alternates(m, b, each, 2)
			m.run(4 * each)
			wantActions(t, m, "restart")
		})
	}
}

// TestWhatNoRestartHelpsIsRestartedOnce although it goes by itself each time.
func TestWhatNoRestartHelpsIsRestartedOnce(t *testing.T) {
	m, b := quiet(t)
	alternates(m, b, time.Minute, 6)
	m.run(13 * time.Minute)
	wantActions(t, m, "restart")
	if n := len(dataOf[event.Escalated](m)); n != 1 {
		t.Errorf("a person was called %d times", n)
	}
	held := dataOf[event.Suppressed](m)
	if n := len(held); n == 0 || held[n-1].Gate != "budget" || !strings.Contains(held[n-1].Reason, "called in incident") {
		t.Errorf("it was held by %+v", held)
	}
}

// TestWhatMayBeRestartedAgainSoon after a restart that was verified.
func TestWhatMayBeRestartedAgainSoon(t *testing.T) {
	for name, test := range map[string]struct {
		option  func(*sim)
		between func(t *testing.T, m *sim, b *box)
		want    string // the actions
	}{
		"the rule is off": {configured(func(c *Config) { c.Budget.Recurrence.Soon = 0 }), nil, "restart restart"},
		"it was good for long enough": {configured(func(*Config) {}), func(_ *testing.T, m *sim, _ *box) {
			m.run(10 * time.Minute)
		}, "restart restart"},
		"it was good for not long enough": {configured(func(*Config) {}), func(_ *testing.T, m *sim, _ *box) { m.run(8 * time.Minute) }, "restart"},
		"it was injected": {configured(func(*Config) {}), func(_ *testing.T, m *sim, _ *box) {
			m.command(event.Command{Service: "svc-0", Command: event.CommandInject, Args: event.CommandArgs{Fault: "fail"}})
			m.run(time.Second)
		}, "restart restart"},
		"the container is another": {configured(func(*Config) {}), func(_ *testing.T, m *sim, b *box) {
			m.deploy(b, b.state.ImageID, b.state.SpecHash, "ok")
			m.run(30 * time.Second)
		}, "restart restart"},
		"a start comes in between": {configured(func(*Config) {}), func(t *testing.T, m *sim, b *box) {
			do("kill", m, b)
			m.run(time.Minute)
			wantActions(t, m, "restart", "start")
		}, "restart start"},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, test.option)
			b.app = "error"
			m.run(time.Minute)
			wantEnd(t, m, event.HowHealed)
			if test.between != nil {
				test.between(t, m, b)
			}
			b.app = "error"
			m.run(time.Minute)
			wantActions(t, m, strings.Fields(test.want)...)
		})
	}
}

// TestAnAcknowledgedReturnMayBeRestarted once more.
func TestAnAcknowledgedReturnMayBeRestarted(t *testing.T) {
	m, b := quiet(t)
	for range 2 {
		b.app = "error"
		m.run(time.Minute)
	}
	if m.of0().State != state.Escalated {
		t.Fatalf("its incident is %s, held by %q", m.of0().State, m.of0().Held)
	}
	m.command(event.Command{Command: event.CommandAcknowledge, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID}})
	m.run(time.Second)
	b.app = "ok"
	m.run(time.Minute)
	b.app = "error"
	m.run(time.Minute)
	wantActions(t, m, "restart", "restart")
	wantEnd(t, m, event.HowHealed)
	b.app = "error"
	m.run(time.Minute)
	wantActions(t, m, "restart", "restart")
	if n := len(returned(m)); n != 2 {
		t.Errorf("a person was called %d times", n)
	}
}

// TestAHeldReturnIsRestartedOnceItIsAcknowledged, although the incident for which
// a person was called is over.
func TestAHeldReturnIsRestartedOnceItIsAcknowledged(t *testing.T) {
	m, b := quiet(t)
	for range 3 {
		b.app = "error"
		m.run(time.Minute)
		if m.of0().State == state.Escalated {
			b.app = "ok"
			m.run(time.Minute)
		}
	}
	if m.of0().Held != "budget" {
		t.Fatalf("its incident is %s, held by %q", m.of0().State, m.of0().Held)
	}
	wantActions(t, m, "restart")
	m.command(event.Command{Command: event.CommandAcknowledge, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID}})
	m.run(time.Minute)
	wantActions(t, m, "restart", "restart")
	wantEnd(t, m, event.HowHealed)
}

// TestAnOperatorMayRestartWhatComesBack.
func TestAnOperatorMayRestartWhatComesBack(t *testing.T) {
	m, b := quiet(t)
	for range 2 {
		b.app = "error"
		m.run(time.Minute)
	}
	m.command(event.Command{Command: event.CommandHeal, Service: "svc-0", Args: event.CommandArgs{Action: service.ActionRestart}})
	m.run(time.Minute)
	wantActions(t, m, "restart", "restart")
	wantEnd(t, m, event.HowHealed)
}
