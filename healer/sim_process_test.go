package healer

import (
	"fmt"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Our process in a sim: its lives, and what it reads.

func (m *sim) on() bool { return m.life%2 == 1 }

// living wraps what only happens while the present life lasts.
func (m *sim) living(do func()) func() {
	life := m.life
	return func() {
		if m.life == life {
			do()
		}
	}
}

// boot starts a life: replay, claim, monitor.
func (m *sim) boot() {
	m.life++
	m.note("boot, life %d", m.life)
	for _, b := range m.boxes {
		b.levelNonce, b.level = "", ""
	}
	for _, e := range m.unclaimed {
		if e.Container != "" {
			m.miss(e)
		}
	}
	m.unclaimed = nil
	m.stream, m.replayed = false, false
	m.seen, m.running, m.outstanding = map[string]bool{}, map[string]bool{}, map[string]event.Incident{}
	m.folded, m.nonce, m.ownerSince = state.NewIncidents(), fmt.Sprintf("nonce-%d", m.life), time.Time{}
	m.core = NewController(Setup{Config: m.cfg, CLI: "docker", Instance: "me", Host: "local", Services: m.definitions(), Protected: m.protected}, m.now)
	replaying := m.between(10*time.Millisecond, 300*time.Millisecond)
	if m.replaying > 0 {
		replaying = m.replaying
	}
	m.after(replaying/2, m.living(m.replayServices))
	m.after(replaying, m.living(m.replay))
	if len(m.specs) > 0 {
		m.after(15*time.Millisecond, m.living(m.specsKept))
	}
	if m.model != nil {
		m.after(20*time.Millisecond, m.living(func() { m.modelReady() }))
	}
}

// definitions are the services as they are configured.
func (m *sim) definitions() []service.Definition {
	var defs []service.Definition
	for _, b := range m.boxes {
		if !b.def.Discovered || !m.undiscovered {
			defs = append(defs, b.def)
		}
	}
	return defs
}

// reconfigure applies what the boxes' definitions are now.
func (m *sim) reconfigure() { m.step(Reconfigured{Services: m.definitions()}) }

// replayServices is the first part of a replay: the rest is understood on top of it.
func (m *sim) replayServices() {
	if !m.logUp {
		m.waiting = append(m.waiting, m.living(m.replayServices))
		return
	}
	for _, r := range m.services {
		m.feed(r.in, r.at)
	}
}

func (m *sim) replay() {
	if !m.logUp {
		m.waiting = append(m.waiting, m.living(m.replay))
		return
	}
	for _, w := range m.incidents {
		at := w.event.Time
		if !w.copy.IsZero() {
			at = w.copy
		}
		m.feed(ReadIncident{decoded(w.value)}, minTime(at, m.now))
	}
	for _, d := range m.docker {
		if m.now.Sub(d.at) < pastEvents {
			m.feed(d.in, d.at)
		}
	}
	for _, c := range m.commands {
		m.feed(c.in, c.at)
	}
	for _, h := range m.health {
		if m.now.Sub(h.at) < pastHealth {
			m.feed(h.in, h.at)
		}
	}
	m.replayed = true
	m.step(Replayed{Nonce: m.nonce, Discovering: m.discovering})
	m.after(0, m.living(m.connect))
	for i, b := range m.boxes {
		m.after(time.Duration(i+1)*137*time.Millisecond, m.living(func() { m.probe(b, false) }))
		b.extraUntil = m.now.Add(5 * time.Second)
		m.after(time.Duration(i+1)*137*time.Millisecond+500*time.Millisecond, m.living(func() { m.extra(b) }))
	}
}

// kill ends our process at once. What was on its way may arrive or not.
func (m *sim) kill() { m.killFor(m.between(100*time.Millisecond, 15*time.Second)) }

// crash ends our process at once, for that long, and nothing that was on its
// way arrives.
func (m *sim) crash(outage time.Duration) {
	m.severed = m.life
	m.killFor(outage)
}

func (m *sim) killFor(outage time.Duration) {
	if m.on() {
		m.note("kill -9")
		m.life++
		m.core = nil
		// A process that does not run misses the engine's events.
		m.after(outage, m.boot)
	}
}

func (m *sim) beat() {
	m.after(100*time.Millisecond, m.beat)
	if m.on() {
		m.step(Tick{})
		m.claimed()
		for _, b := range m.boxes {
			m.keepLevel(b)
		}
	}
	m.check()
}

// feed gives the core an input of that time, without doing what it wants done:
// so a replay begins.
func (m *sim) feed(in Input, at time.Time) []Effect {
	m.took(in)
	return m.core.Step(in, at)
}

// step gives the core an input, and does what it wants done.
func (m *sim) step(in Input) {
	for _, e := range m.feed(in, m.now) {
		m.carry(e)
	}
}

// took keeps the sim's own view of what this life has read.
func (m *sim) took(in Input) {
	read, is := in.(ReadIncident)
	if !is {
		return
	}
	_, before := m.owner()
	m.folded.Apply(read.Event)
	if _, owns := m.owner(); owns && !before {
		m.ownerSince = m.now
	}
	if data, is := read.Event.Data.(event.ActionStarted); is {
		m.seen[key(read.Event.ID, data.Attempt)] = true
	}
	if out, is := m.outstanding[read.Event.Service]; is && out.ID == read.Event.ID && out.Seq == read.Event.Seq {
		delete(m.outstanding, read.Event.Service)
	}
}

// read gives the core a record, when the log can be read.
func (m *sim) read(topic string, in func() Input) {
	if !m.on() {
		return // it is replayed
	}
	at := laterTime(m.now.Add(m.between(time.Millisecond, 20*time.Millisecond)), m.readAt[topic])
	m.readAt[topic] = at // each topic keeps its order
	m.after(at.Sub(m.now), m.living(func() { m.deliver(in) }))
}

func (m *sim) deliver(in func() Input) {
	if !m.logUp {
		m.waiting = append(m.waiting, m.living(func() { m.deliver(in) }))
		return
	}
	m.step(in())
}
