package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// scripted is a service whose own command does that.
func scripted(t *testing.T, does func(m *sim, b *box, done func(error)), scenario func(t *testing.T, m *sim, b *box)) {
	t.Helper()
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.script = func(done func(error)) { does(m, b, done) }
		scenario(t, m, b)
	}, defined(func(d *service.Definition) {
		d.Heal.Commands = service.Commands{{Name: "again", Args: []string{"/usr/bin/again"}}}
	}))
}

// TestWhatAnOperatorsCommandDoesToItsContainerIsOurs: to restart it, or to make
// another one, is what such a command is for.
func TestWhatAnOperatorsCommandDoesToItsContainerIsOurs(t *testing.T) {
	for name, does := range map[string]func(m *sim, b *box, done func(error)){
		"a restart": func(m *sim, b *box, done func(error)) { m.restart(b, func() { done(nil) }) },
		"another container": func(m *sim, b *box, done func(error)) {
			m.updated(b, b.state.ImageID, "ok")
			m.after(2*time.Second, func() { done(nil) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			scripted(t, does, func(t *testing.T, m *sim, b *box) {
				for range 3 {
					b.app = "error"
					m.heal(service.ActionRun)
					m.until(t, "an end", func() bool { return m.of0().State == state.Resolved && m.of0().Attempts > 0 })
					wantEnd(t, m, event.HowHealed)
					m.run(time.Minute)
				}
				wantActions(t, m, "run", "run", "run")
				do("kill", m, b)
				m.run(time.Minute)
				wantActions(t, m, "run", "run", "run", "start")
			})
		})
	}
}

// TestWhatComesAfterAnOperatorsCommandIsFromOutside: what the command left is not
// what a user does later.
func TestWhatComesAfterAnOperatorsCommandIsFromOutside(t *testing.T) {
	restart := func(m *sim, b *box, done func(error)) { m.restart(b, func() { done(nil) }) }
	scripted(t, restart, func(t *testing.T, m *sim, b *box) {
		m.heal(service.ActionRun)
		m.until(t, "its result", func() bool { return len(dataOf[event.ActionFinished](m)) == 1 })
		m.run(2 * time.Second)
		do("stop", m, b)
		m.run(10 * time.Second)
		verified := dataOf[event.Verified](m)
		if len(verified) == 0 || verified[0].Outcome != event.OutcomeInterrupted {
			t.Errorf("verified was %+v", verified)
		}
	})
}

// TestAnAcknowledgementHidesNoUnknownOutcome: it comes while the outcome is being
// written.
func TestAnAcknowledgementHidesNoUnknownOutcome(t *testing.T) {
	never := func(*sim, *box, func(error)) {}
	scripted(t, never, func(t *testing.T, m *sim, b *box) {
		b.app = "error"
		m.heal(service.ActionRun)
		m.until(t, "its call", func() bool { return m.running[b.def.Name] })
		m.crash(time.Second)
		m.until(t, "its outcome", func() bool { return m.outstanding["svc-0"].Type == event.TypeActionFinished })
		m.operator(event.CommandAcknowledge, "")
		m.run(10 * time.Second)
		if m.of0().Acknowledged == nil || m.of0().State != state.Escalated || len(m.actions()) != 1 {
			t.Errorf("it is %s after %v", m.of0().State, m.actions())
		}
	})
}

// TestAServiceWithoutAContainerNeedsNoDocker: its command is run, and verified, while
// Docker is unreachable, and a restart during the verification changes nothing of it.
func TestAServiceWithoutAContainerNeedsNoDocker(t *testing.T) {
	for name, meanwhile := range map[string]func(*sim){"nothing": func(*sim) {}, "a restart": func(m *sim) { m.crash(time.Second) }} {
		t.Run(name, func(t *testing.T) {
			m := quietSim(t, 1, defined(func(d *service.Definition) {
				d.Container, d.Heal.Commands = "", service.Commands{{Name: "again", Args: []string{"/usr/bin/again"}}}
			}))
			b := m.boxes[0]
			b.script = func(done func(error)) { b.app = "ok"; done(nil) }
			lost := event.Docker{Time: m.now, Action: event.StreamLost}
			lost.Origin, lost.Revision = m.revise()
			m.step(ReadDocker{lost})
			b.app = "error"
			m.until(t, "its result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
			m.run(time.Second)
			meanwhile(m)
			m.run(time.Minute)
			wantActions(t, m, "run")
			wantEnd(t, m, event.HowHealed)
		})
	}
}
