package healer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What operators want: silence and maintenance. And what comes again and again.

func silenceCommand(d, reason string) event.Command {
	return event.Command{Service: "svc-0", Command: event.CommandSilence, Args: event.CommandArgs{For: d, Reason: reason}}
}

var unsilenceCommand = event.Command{Service: "svc-0", Command: event.CommandUnsilence}

func TestASilencedServiceIsObservedAndNotRepaired(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.command(silenceCommand("2m", "a migration"))
		m.run(time.Second)
		got := m.status("svc-0")
		if got.SilencedUntil == nil || got.SilencedBy != "operator:ada" || got.SilenceReason != "a migration" {
			t.Fatalf("published is %v by %q: %q", got.SilencedUntil, got.SilencedBy, got.SilenceReason)
		}
		do("kill", m, b)
		m.run(time.Minute)
		wantHeld(t, m, "silence")
		if in := m.of0(); in.HeldReason != "the service is silenced: a migration" || in.HeldUntil == nil || !in.HeldUntil.Equal(*got.SilencedUntil) {
			t.Errorf("held: %s until %v", in.HeldReason, in.HeldUntil)
		}
		m.run(time.Minute)
		wantActions(t, m, "start")
		if got := m.status("svc-0"); got.SilencedUntil != nil {
			t.Errorf("published is a silence until %v", got.SilencedUntil)
		}
	})
}

func TestASilenceEndsByACommand(t *testing.T) {
	m, b := quiet(t)
	m.command(silenceCommand("720h", ""))
	do("kill", m, b)
	m.run(20 * time.Second)
	wantHeld(t, m, "silence")
	m.command(unsilenceCommand)
	m.run(20 * time.Second)
	wantActions(t, m, "start")
}

// TestASilenceIsKeptOverRestarts, by the service's record where the command is
// long forgotten.
func TestASilenceIsKeptOverRestarts(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		m, b := quiet(t)
		m.command(silenceCommand("1h", "x"))
		m.run(time.Second)
		if forgotten {
			m.commands = nil
		}
		m.crash(3 * time.Second)
		m.run(10 * time.Second)
		do("kill", m, b)
		m.run(20 * time.Second)
		wantHeld(t, m, "silence")
		m.command(unsilenceCommand)
		m.run(500 * time.Millisecond)
		m.crash(3 * time.Second)
		m.run(20 * time.Second)
		wantActions(t, m, "start")
	}
}

func TestSilenceCommandsThatAreRefused(t *testing.T) {
	m, _ := quiet(t)
	other := silenceCommand("1h", "")
	other.Service = "other"
	for _, test := range []struct {
		command event.Command
		says    string
	}{
		{silenceCommand("", ""), "is not a duration"}, {silenceCommand("-1h", ""), "is not a duration"}, {silenceCommand("721h", ""), "is not a duration"},
		{other, "no service with that name"}, {unsilenceCommand, "it is not silenced"},
	} {
		id := m.command(test.command)
		m.run(time.Second)
		if got := m.results(id); len(got) != 1 || got[0].OK || !strings.Contains(got[0].Error, test.says) {
			t.Errorf("%s %s: %+v, want it to say %q", test.command.Command, test.command.Args.For, got, test.says)
		}
	}
}

func TestARepairByHandIsMadeInSilence(t *testing.T) {
	m, b := quiet(t)
	m.command(silenceCommand("1h", ""))
	do("kill", m, b)
	m.run(10 * time.Second)
	m.command(event.Command{Service: "svc-0", Command: event.CommandHeal})
	m.run(20 * time.Second)
	wantActions(t, m, "start")
}

func TestMaintenanceHoldsUntilItsEnd(t *testing.T) {
	window := []service.Maintenance{{Cron: "0 3 * * *", For: 10 * time.Minute, TimeZone: "UTC"}} // the sim begins at 03:04:05
	for name, option := range map[string]func(*sim){
		"of the host":    configured(func(c *Config) { c.Maintenance = window }),
		"of the service": defined(func(d *service.Definition) { d.Maintenance = window }),
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, option)
			do("kill", m, b)
			m.run(5 * time.Minute)
			wantHeld(t, m, "maintenance")
			if until := m.of0().HeldUntil; until == nil || until.Format(time.TimeOnly) != "03:10:00" {
				t.Errorf("held until %v", until)
			}
			m.run(time.Minute)
			wantActions(t, m, "start")
		})
	}
}

// healsOf lets a service fail and be healed so many times.
func healsOf(t *testing.T, m *sim, b *box, n int, fails func()) {
	t.Helper()
	for range n {
		fails()
		m.run(90 * time.Second)
		if in := m.of0(); in.How != event.HowHealed {
			t.Fatalf("the incident is %s, held by %q (%s)", in.State, in.Held, in.HeldReason)
		}
		m.run(5 * time.Hour)
	}
}

// generous is for two days what is shipped for seven: each day takes two seconds.
func generous(c *Config) { c.Budget.Recurrence = Recurrence{Times: 5, Within: 2 * 24 * time.Hour} }

func TestWhatIsHealedAgainAndAgainIsNotHealed(t *testing.T) {
	long(t)
	m, b := quiet(t, configured(generous))
	fails := func() { b.app = "error" }
	healsOf(t, m, b, 4, fails)
	fails()
	m.run(90 * time.Second)
	in := m.of0()
	escalated, is := in.Last(event.TypeEscalated)
	if !is || in.State != state.Escalated || escalated.Data.(event.Escalated).Reason != "This is not healed: http_5xx for the 5th time in 2 days." {
		t.Fatalf("the incident is %s: %v, held by %q", in.State, escalated.Data, in.Held)
	}
	b.app = "ok"
	m.run(time.Minute)
	fails()
	m.run(90 * time.Second)
	if again := m.of0(); again.ID == in.ID || again.Held != "budget" || len(m.actions()) != 4 || !strings.Contains(again.HeldReason, in.ID) {
		t.Errorf("the next is held by %q (%s), actions %v", again.Held, again.HeldReason, m.actions())
	}
	m.crash(time.Second) // it is all from the log
	m.run(time.Minute)
	if n := len(m.actions()); n != 4 {
		t.Errorf("%d actions after a restart", n)
	}
	b.app = "ok"
	m.run(2 * 24 * time.Hour)
	fails()
	m.run(90 * time.Second)
	if n := len(m.actions()); n != 5 {
		t.Errorf("two days later: %d actions, held by %q", n, m.of0().Held)
	}
}

func TestAnAcknowledgementAllowsRepairsAgain(t *testing.T) {
	long(t)
	m, b := quiet(t, configured(generous))
	fails := func() { b.app = "error" }
	healsOf(t, m, b, 4, fails)
	fails()
	m.run(90 * time.Second)
	m.command(event.Command{Command: event.CommandAcknowledge, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID}})
	m.run(time.Second)
	b.app = "ok"
	m.run(time.Minute)
	fails()
	m.run(90 * time.Second)
	if n := len(m.actions()); n != 5 {
		t.Errorf("%d actions, held by %q (%s)", n, m.of0().Held, m.of0().HeldReason)
	}
}

func TestWhatDoesNotCountAsHealedAgain(t *testing.T) {
	long(t)
	for name, test := range map[string]struct {
		option func(*sim)
		fails  func(m *sim, b *box)
	}{
		"repairs that lose nothing": {configured(generous), func(m *sim, b *box) { do("kill", m, b) }},
		"it is off":                 {configured(func(c *Config) { c.Budget.Recurrence = Recurrence{} }), func(m *sim, b *box) { b.app = "error" }},
		"what was injected": {configured(generous), func(m *sim, b *box) {
			m.command(event.Command{Service: "svc-0", Command: event.CommandInject, Args: event.CommandArgs{Fault: "fail"}})
			m.run(time.Second)
			b.app = "error"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, test.option)
			healsOf(t, m, b, 7, func() { test.fails(m, b) })
		})
	}
}

func TestAFullDiskIsNotRestarted(t *testing.T) {
	m, b := quiet(t)
	m.lines = []string{"2026-01-02 ready", "write /data/wal: no space left on device"}
	b.app = "broken"
	m.run(time.Minute)
	in := m.of0()
	escalated, is := in.Last(event.TypeEscalated)
	if !is || len(m.actions()) != 0 || !strings.Contains(fmt.Sprint(escalated.Data), "no space left on device") {
		t.Errorf("the incident is %s: %v, actions %v", in.State, escalated.Data, m.actions())
	}
}
