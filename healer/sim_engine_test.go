package healer

import (
	"fmt"
	"slices"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// The engine of the sim, its containers, and the monitor that tells of them.

func (m *sim) call(b *box, action string, done func(error)) {
	if b.busy {
		m.after(50*time.Millisecond, func() { m.call(b, action, done) })
		return
	}
	if m.chance(0.02) {
		done(fmt.Errorf("the engine refused"))
		return
	}
	switch action {
	case service.ActionStart:
		if b.state.Status == container.Paused {
			done(fmt.Errorf("cannot start a paused container"))
			return
		}
		m.busily(b, m.between(100*time.Millisecond, 600*time.Millisecond), func() { m.started(b, func() { done(nil) }) })
	case service.ActionRestart:
		m.restart(b, func() { done(nil) })
	case service.ActionUnpause:
		m.unpause(b)
		done(nil)
	}
}

func (m *sim) busily(b *box, d time.Duration, do func()) {
	b.busy = true
	m.after(d, func() { b.busy = false; do() })
}

func (m *sim) tell(b *box, action string, more func(*event.Docker)) {
	e := event.Docker{Time: m.now, Container: b.def.Name, ID: b.state.ID, Project: b.state.Project, Action: action}
	m.now = m.now.Add(time.Microsecond) // no two events at the same instant
	if more != nil {
		more(&e)
	}
	m.note("engine: %s %s", b.def.Name, action)
	if !m.on() || !m.engine || !m.stream {
		m.miss(e)
		return
	}
	m.forward(e)
}

// forward is the monitor's half: the event to the log, and the level that it causes.
func (m *sim) forward(e event.Docker) {
	life := m.alive
	delay := m.between(time.Millisecond, 300*time.Millisecond)
	at := m.now.Add(delay)
	if at.Before(m.last) {
		at = m.last
	}
	m.last = at
	m.after(at.Sub(m.now), func() {
		if m.alive != life {
			m.miss(e)
			return
		}
		m.writeDocker(e)
		b := m.box(e.Container)
		m.writeLevel(b)
		if e.Action == "start" || e.Action == "unpause" || e.Action == "restart" {
			b.extraUntil = m.now.Add(5 * time.Second)
			m.after(0, m.living(func() { m.extra(b) }))
		}
	})
}

// miss keeps an event for the next connection, which tells them in order.
func (m *sim) miss(e event.Docker) {
	m.missed = append(m.missed, e)
	slices.SortStableFunc(m.missed, func(a, b event.Docker) int { return a.Time.Compare(b.Time) })
}

// revise is the origin and the revision of what the monitor writes now.
func (m *sim) revise() (event.Origin, int64) {
	owner, owns := m.world.Owner()
	if !owns {
		return event.Origin{Instance: "me", Host: "local"}, 0
	}
	m.revision++
	return owner, m.revision
}

// claimed writes what waited for a claim.
func (m *sim) claimed() {
	if _, owns := m.world.Owner(); owns {
		waited := m.unclaimed
		m.unclaimed = nil
		for _, e := range waited {
			m.writeDocker(e)
		}
	}
}

// writeDocker writes an event once there is a claim.
func (m *sim) writeDocker(e event.Docker) {
	if _, owns := m.world.Owner(); !owns {
		m.unclaimed = append(m.unclaimed, e)
		return
	}
	m.claimed()
	e.Origin, e.Revision = m.revise()
	m.docker = append(m.docker, onWire[ReadDocker]{ReadDocker{e}, m.now, false})
	m.read(event.TopicDocker, func() Input { return ReadDocker{e} })
}

func (m *sim) connect() {
	if !m.engine {
		m.writeDocker(event.Docker{Time: m.now, Action: event.StreamLost})
		return
	}
	m.stream = true
	missed := m.missed
	m.missed = nil
	for _, e := range missed {
		m.writeDocker(e)
	}
	m.writeDocker(event.Docker{Time: m.now, Action: event.StreamBack})
	for _, b := range m.boxes {
		m.writeLevel(b)
	}
}

func (m *sim) writeLevel(b *box) {
	owner, owns := m.world.Owner()
	if !owns || !m.engine {
		return
	}
	status := event.Up
	if b.state.Status != container.Running {
		status = event.Down
	}
	if b.level == status && b.levelNonce == owner.Nonce && m.now.Sub(b.levelAt) < 30*time.Second {
		return
	}
	b.level, b.levelNonce, b.levelAt = status, owner.Nonce, m.now
	h := ReadHealth{event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: status, Check: event.CheckContainer}, true}
	h.Log.Origin, h.Log.Revision = m.revise()
	if status == event.Down {
		h.Log.Error = "container " + b.def.Name + " is " + string(b.state.Status)
	}
	m.publish(h)
}

func (m *sim) keepLevel(b *box) {
	owner, owns := m.world.Owner()
	if owns && m.engine && (b.levelNonce != owner.Nonce || m.now.Sub(b.levelAt) >= 30*time.Second) {
		m.writeLevel(b)
	}
}

func (m *sim) publish(h ReadHealth) {
	m.health = append(m.health, onWire[ReadHealth]{h, m.now, false})
	if len(m.health) > 2000 {
		m.health = m.health[1000:]
	}
	m.read(event.TopicHealth, func() Input { return h })
}

func (m *sim) probe(b *box, extra bool) {
	if !extra {
		m.after(b.def.Interval, m.living(func() { m.probe(b, false) }))
	}
	began := m.now
	took := m.between(time.Millisecond, 30*time.Millisecond)
	if b.state.Status == container.Paused {
		took = time.Second
	}
	m.after(took, m.living(func() {
		h := event.HealthLog{Timestamp: event.Seconds(began), Service: b.def.Name, Status: event.Up, Code: 200, Check: "http", Extra: extra}
		switch {
		case b.state.Status == container.Paused:
			h.Status, h.Code, h.Failure, h.Error = event.Down, 0, event.FailureHeaderTimeout, "no response in time"
		case b.state.Status != container.Running:
			h.Status, h.Code, h.Failure, h.Error = event.Down, 0, event.FailureConnectRefused, "connection refused"
		case b.app != "ok":
			h.Status, h.Code, h.Failure, h.Error = event.Down, 500, event.FailureStatus, "HTTP 500"
			if b.flapped = b.flap && !b.flapped; b.flapped {
				h.Code, h.Failure, h.Error = 0, event.FailureHeaderTimeout, "no response in time"
			}
		}
		m.after(m.between(0, 50*time.Millisecond), m.living(func() {
			h.Origin, h.Revision = m.revise()
			m.publish(ReadHealth{h, true})
		}))
	}))
}

func (m *sim) extra(b *box) {
	if m.now.Before(b.extraUntil) {
		m.probe(b, true)
		m.after(500*time.Millisecond, m.living(func() { m.extra(b) }))
	}
}

func (m *sim) start(b *box) { m.started(b, nil) }

// started is a start. The engine of today may answer before it tells of it.
func (m *sim) started(b *box, done func()) {
	if b.state.Status != container.Running {
		b.state.Status, b.state.StartedAt = container.Running, m.now
		if b.app == "error" {
			b.app = "ok"
		}
		m.now = m.now.Add(time.Microsecond)
		if m.stopFirst && done != nil {
			m.busily(b, m.between(0, 5*time.Millisecond), func() { m.tell(b, "start", nil) })
		} else {
			m.tell(b, "start", nil)
		}
	}
	if done != nil {
		done()
	}
}

func (m *sim) exited(b *box, code int) {
	b.state.Status, b.state.FinishedAt, b.state.ExitCode = container.Exited, m.now, code
	m.now = m.now.Add(time.Microsecond)
}

func (m *sim) die(b *box, code int) {
	m.exited(b, code)
	m.tell(b, "die", func(e *event.Docker) { e.ExitCode = &code })
}

// kill is docker kill; the engine of today tells of the end a moment later.
func (m *sim) killed(b *box) {
	m.tell(b, "kill", func(e *event.Docker) { e.Signal = "9" })
	if !m.stopFirst {
		m.die(b, 137)
		return
	}
	m.busily(b, m.between(50*time.Millisecond, 150*time.Millisecond), func() { m.die(b, 137) })
}

func (m *sim) unpause(b *box) {
	if b.state.Status == container.Paused {
		b.state.Status = container.Running
		m.tell(b, "unpause", nil)
	}
}

func (m *sim) stop(b *box, done func()) {
	if b.state.Status != container.Running || b.busy {
		return
	}
	m.tell(b, "kill", func(e *event.Docker) { e.Signal = "15" })
	m.busily(b, m.between(5*time.Millisecond, 400*time.Millisecond), func() {
		if m.stopFirst { // as Docker 29
			code := 0
			m.exited(b, code)
			m.tell(b, "stop", nil)
			m.busily(b, m.between(2*time.Millisecond, 5*time.Millisecond), func() {
				m.tell(b, "die", func(e *event.Docker) { e.ExitCode = &code })
				if done != nil {
					done()
				}
			})
			return
		}
		m.die(b, 0) // as Docker 20.10
		m.after(m.between(11*time.Millisecond, 41*time.Millisecond), func() {
			m.tell(b, "stop", nil)
			if done != nil {
				done()
			}
		})
	})
}

func (m *sim) restart(b *box, done func()) {
	again := func() {
		m.busily(b, m.between(200*time.Millisecond, 500*time.Millisecond), func() {
			m.start(b)
			if m.stopFirst && done != nil {
				m.busily(b, m.between(0, 5*time.Millisecond), func() { m.tell(b, "restart", nil) })
			} else {
				m.tell(b, "restart", nil)
			}
			if done != nil {
				done()
			}
		})
	}
	if b.state.Status != container.Running || b.busy {
		again()
		return
	}
	m.stop(b, again)
}
