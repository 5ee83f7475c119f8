package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// discovered has every service be one that a container's labels define.
var discovered = defined(func(def *service.Definition) { def.Discovered, def.Heal.Mode = true, service.Observe })

// rebooted is a life that begins before anything is discovered, after one in
// which a discovered service went down.
func rebooted(t *testing.T, discovering bool) (m *sim, b *box, incident string) {
	t.Helper()
	m, b = quiet(t, discovered)
	b.state.Status = container.Paused
	m.emit(b, "pause", nil)
	m.until(t, "an incident", func() bool { return m.open(b.def.Name) })
	incident = m.of0().ID
	m.undiscovered, m.discovering = true, discovering
	m.crash(time.Second)
	m.run(5 * time.Second)
	return m, b, incident
}

// TestRestartKeepsWhatWasDiscovered: a start knows no container until the engine
// answers, and ends nothing for that.
func TestRestartKeepsWhatWasDiscovered(t *testing.T) {
	m, b, incident := rebooted(t, true)
	if !m.open(b.def.Name) || m.status(b.def.Name).Definition == nil {
		t.Fatalf("before discovery the incident is %s, the definition published as %v", m.of0().State, m.status(b.def.Name).Definition)
	}
	m.step(Reconfigured{Discovering: true}) // an edit of config.yaml
	m.run(time.Second)
	if !m.open(b.def.Name) || m.status(b.def.Name).Definition == nil {
		t.Fatal("an edit of the configuration before discovery removes it")
	}
	m.undiscovered = false
	m.reconfigure()
	m.run(time.Second)
	if in := m.of0(); in.ID != incident || in.State == state.Resolved {
		t.Errorf("once discovered its incident is %s, %s; want %s to go on", in.ID, in.State, incident)
	}
	if got := m.status(b.def.Name); got.Definition == nil || got.DefinitionHash != b.def.Hash() {
		t.Errorf("it is published as %+v", got.Definition)
	}
}

// TestWhatIsNoLongerDiscoveredEnds: its container was removed, or discovery was
// switched off, while this process was not there.
func TestWhatIsNoLongerDiscoveredEnds(t *testing.T) {
	for name, discovering := range map[string]bool{"removed": true, "switched off": false} {
		t.Run(name, func(t *testing.T) {
			m, b, _ := rebooted(t, discovering)
			if discovering {
				m.step(Reconfigured{})
				m.run(5 * time.Second)
			}
			if in := m.of0(); in.State != state.Resolved {
				t.Errorf("its incident is %s", in.State)
			}
			if got := m.status(b.def.Name).Definition; got != nil {
				t.Errorf("it is published as %+v", got)
			}
			m.crash(time.Second) // the topic keeps that it was removed
			m.run(5 * time.Second)
			if m.core.services[b.def.Name] != nil {
				t.Error("the next life takes it up again")
			}
		})
	}
}

// TestUnchangedServiceIsNotEditedByAnother: with thousands of them one that
// comes changes nothing about the rest.
func TestUnchangedServiceIsNotEditedByAnother(t *testing.T) {
	m, b := quiet(t)
	before := m.core.services[b.def.Name].edited
	m.run(time.Second)
	m.step(Reconfigured{Services: append(m.definitions(), service.Definition{Name: "another", URL: "http://localhost:1", Interval: time.Second, Timeout: time.Second, FailureThreshold: 1, SuccessThreshold: 1})})
	if got := m.core.services[b.def.Name].edited; !got.Equal(before) {
		t.Errorf("it counts as edited at %s", got)
	}
	if m.status("another").Status != event.Pending {
		t.Errorf("the new one is published as %s", m.status("another").Status)
	}
}
