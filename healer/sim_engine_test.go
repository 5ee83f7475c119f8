package healer

import (
	"cmp"
	"fmt"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// The engine of the sim, and its containers.

func (m *sim) call(b *box, action string, done func(error)) {
	if b.busy {
		m.after(50*time.Millisecond, func() { m.call(b, action, done) })
		return
	}
	if b.refusals > 0 || m.chance(0.02) {
		b.refusals = max(0, b.refusals-1)
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

func (m *sim) emit(b *box, action string, more func(*event.Docker)) {
	e := event.Docker{Time: m.now.Add(m.ahead), Container: b.def.Name, ID: b.state.ID, Project: b.state.Project, Action: action}
	m.happened[e.Time] = m.now
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

// runs is for how long a container has run, by the engine's clock, which may have been set.
func (m *sim) runs(b *box) time.Duration {
	return m.now.Add(m.ahead).Sub(b.state.StartedAt).Abs()
}

func (m *sim) start(b *box) { m.started(b, nil) }

// started is a start. The engine of today may answer before it reports it.
func (m *sim) started(b *box, done func()) {
	if b.state.Status != container.Running {
		b.state.Status, b.state.StartedAt = container.Running, m.now.Add(m.ahead)
		if b.app == "error" || b.app == "hang" || b.app == "deaf" {
			b.app = "ok"
		}
		m.now = m.now.Add(time.Microsecond)
		if m.stopFirst && done != nil {
			m.busily(b, m.between(0, 5*time.Millisecond), func() { m.emit(b, "start", nil) })
		} else {
			m.emit(b, "start", nil)
		}
	}
	if done != nil {
		done()
	}
}

func (m *sim) exited(b *box, code int) {
	b.state.Status, b.state.FinishedAt, b.state.ExitCode = container.Exited, m.now.Add(m.ahead), code
	m.now = m.now.Add(time.Microsecond)
}

func (m *sim) die(b *box, code int) {
	m.exited(b, code)
	m.emit(b, "die", func(e *event.Docker) { e.ExitCode = &code })
}

// kill is docker kill; the engine of today reports the end a moment later.
func (m *sim) killed(b *box) {
	m.emit(b, "kill", func(e *event.Docker) { e.Signal = "9" })
	if !m.stopFirst {
		m.die(b, 137)
		return
	}
	m.busily(b, m.between(50*time.Millisecond, 150*time.Millisecond), func() { m.die(b, 137) })
}

func (m *sim) unpause(b *box) {
	if b.state.Status == container.Paused {
		b.state.Status = container.Running
		m.emit(b, "unpause", nil)
	}
}

// stop is docker stop. A process that ignores the signal is killed when its
// time is over.
func (m *sim) stop(b *box, done func()) {
	if b.state.Status != container.Running || b.busy {
		return
	}
	m.emit(b, "kill", func(e *event.Docker) { e.Signal = cmp.Or(b.state.StopSignal, "15") })
	if !b.stubborn {
		m.busily(b, m.between(5*time.Millisecond, 400*time.Millisecond), func() { m.stopped(b, 0, done) })
		return
	}
	m.busily(b, b.state.StopTimeout, func() {
		m.emit(b, "kill", func(e *event.Docker) { e.Signal = "9" })
		m.busily(b, m.between(5*time.Millisecond, 150*time.Millisecond), func() { m.stopped(b, 137, done) })
	})
}

// stopped is the end of a stop.
func (m *sim) stopped(b *box, code int, done func()) {
	emit := func() {
		if done != nil {
			done()
		}
	}
	if m.stopFirst { // as Docker 29
		m.exited(b, code)
		m.emit(b, "disconnect", nil)
		m.emit(b, "stop", nil)
		m.busily(b, m.between(2*time.Millisecond, 5*time.Millisecond), func() {
			m.emit(b, "die", func(e *event.Docker) { e.ExitCode = &code })
			emit()
		})
		return
	}
	m.die(b, code) // as Docker 20.10
	m.after(m.between(11*time.Millisecond, 41*time.Millisecond), func() {
		m.emit(b, "stop", nil)
		emit()
	})
}

func (m *sim) restart(b *box, done func()) {
	again := func() {
		m.busily(b, b.slow+m.between(200*time.Millisecond, 500*time.Millisecond), func() {
			m.start(b)
			if m.stopFirst && done != nil {
				m.busily(b, m.between(0, 5*time.Millisecond), func() { m.emit(b, "restart", nil) })
			} else {
				m.emit(b, "restart", nil)
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

// healthy says whether the container's HEALTHCHECK succeeds.
func (b *box) healthy() bool { return b.app == "ok" || b.shallow }

// runHealth is one run of a HEALTHCHECK, which takes a moment. It does not run while
// the container doesn't.
func (m *sim) runHealth(b *box) {
	const took = 100 * time.Millisecond
	if began := m.now; b.state.Status == container.Running {
		m.after(took, func() {
			b.state.HealthRun = container.HealthRun{Began: began.Add(m.ahead), Took: took, OK: b.healthy()}
			b.state.Health = container.Healthy
		})
	}
	m.after(took+b.state.HealthEach, func() { m.runHealth(b) })
}
