package healer

import (
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// outside are the things that can happen to us.
var outside = []struct {
	name string
	do   func(*sim, *box)
}{
	{"stop", func(m *sim, b *box) { b.stops++; m.stop(b, nil) }},
	{"ignored stop", func(m *sim, b *box) { b.stops++; b.stubborn = true; m.stop(b, nil) }},
	{"kill", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.killed(b)
		}
	}},
	{"pause", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			b.stops++
			b.state.Status = container.Paused
			m.emit(b, "pause", nil)
		}
	}},
	{"exit", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.die(b, 1)
		}
	}},
	{"start", func(m *sim, b *box) {
		if b.state.Status == container.Exited && !b.busy {
			m.start(b)
		}
	}},
	{"unpause", func(m *sim, b *box) { m.unpause(b) }},
	{"restart", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.restart(b, nil)
		}
	}},
	{"error", func(m *sim, b *box) {
		if b.app == "ok" {
			b.app = "error"
		}
	}},
	{"blip", func(m *sim, b *box) {
		if b.app == "ok" {
			b.app = "blip"
			m.after(m.between(time.Second, 8*time.Second), func() {
				if b.app == "blip" {
					b.app = "ok"
				}
			})
		}
	}},
	{"foreign", func(m *sim, b *box) { m.foreign(b, event.Down, m.between(5*time.Second, 40*time.Second)) }},
	{"crash", func(m *sim, b *box) { m.kill() }},
	{"kafka unreachable", func(m *sim, b *box) { m.kafkaUnreachable(m.between(200*time.Millisecond, 30*time.Second)) }},
	{"docker unreachable", func(m *sim, b *box) { m.dockerUnreachable(m.between(200*time.Millisecond, 30*time.Second)) }},
	{"hangup", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.emit(b, "kill", func(e *event.Docker) { e.Signal = "1" })
		}
	}},
	{"wait", func(m *sim, b *box) {}},
}

func (m *sim) foreign(b *box, status event.Status, d time.Duration) {
	end := m.now.Add(d)
	var say func()
	say = func() {
		h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: status, Code: 500}
		if m.now.After(end) {
			h.Status, h.Code = event.Up, 200
		}
		m.publishForeign(h)
		if m.now.Before(end.Add(6 * time.Second)) {
			m.after(2*time.Second, say)
		}
	}
	say()
}

func (m *sim) publishForeign(h event.HealthLog) {
	if m.logUp {
		m.health = append(m.health, onWire[ReadHealth]{ReadHealth{h, false}, m.now, false})
		if m.on() {
			m.read(event.TopicHealth, func() Input { return ReadHealth{h, false} })
		}
	}
}

func (m *sim) kafkaUnreachable(d time.Duration) {
	if !m.logUp {
		return
	}
	m.note("Kafka unreachable for %s", d)
	m.logUp = false
	m.after(d, func() {
		m.note("log back")
		m.logUp = true
		waiting := m.waiting
		m.waiting = nil
		for _, deliver := range waiting {
			deliver()
		}
	})
}

func (m *sim) dockerUnreachable(d time.Duration) {
	if !m.engine {
		return
	}
	m.note("Docker unreachable for %s", d)
	m.engine, m.stream = false, false
	if m.on() {
		m.writeDocker(event.Docker{Time: m.now, Action: event.StreamLost})
	}
	m.after(d, func() {
		m.note("engine back")
		m.engine, m.backAt = true, m.now
		if m.on() {
			m.connect()
		}
	})
}
