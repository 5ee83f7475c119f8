package healer

import (
	"slices"
	"strings"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// The monitor of the sim: it watches the engine, checks the services, and
// writes what it sees once there is a claim.

// forward is the monitor's half: the event to the log, and the level that it causes.
func (m *sim) forward(e event.Docker) {
	life := m.life
	delay := m.between(time.Millisecond, 300*time.Millisecond)
	at := m.now.Add(delay)
	if at.Before(m.last) {
		at = m.last
	}
	m.last = at
	m.after(at.Sub(m.now), func() {
		if m.life != life {
			m.miss(e)
			return
		}
		m.writeDocker(e)
		if e.Container == "" || strings.HasSuffix(e.Container, keptSuffix) {
			return // of a network, or of no service's container: it changes no level
		}
		b := m.box(e.Container)
		m.writeLevel(b)
		if e.Action == "start" || e.Action == "unpause" || e.Action == "restart" {
			b.extraUntil = m.now.Add(5 * time.Second)
			m.after(0, m.living(func() { m.extra(b) }))
		}
	})
}

// miss keeps an event for the next connection, which reports them in order.
func (m *sim) miss(e event.Docker) {
	m.missed = append(m.missed, e)
	slices.SortStableFunc(m.missed, func(a, b event.Docker) int { return m.happened[a.Time].Compare(m.happened[b.Time]) })
}

// revise is the origin and the revision of what the monitor writes now.
func (m *sim) revise() (event.Origin, int64) {
	owner, owns := m.owner()
	if !owns {
		return event.Origin{Instance: "me", Host: "local"}, 0
	}
	m.revision++
	return owner, m.revision
}

// claimed writes what waited for a claim.
func (m *sim) claimed() {
	if _, owns := m.owner(); owns {
		waited := m.unclaimed
		m.unclaimed = nil
		for _, e := range waited {
			m.writeDocker(e)
		}
	}
}

// writeDocker writes an event once there is a claim.
func (m *sim) writeDocker(e event.Docker) {
	if _, owns := m.owner(); !owns {
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
	owner, owns := m.owner()
	if !owns || !m.engine || b.unleveled {
		return
	}
	status := event.Up
	if b.state.Status != container.Running || b.loops || b.gone {
		status = event.Down
	}
	due := b.levelNonce != owner.Nonce || m.now.Sub(b.levelAt) >= b.every()
	if b.level == status && !due {
		m.writeHealth(b, false)
		return
	}
	b.level, b.levelNonce, b.levelAt = status, owner.Nonce, m.now
	h := ReadHealth{event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: status, Check: event.CheckContainer, Extra: b.def.IsContainerAlone() && !due}, true}
	if b.loops {
		h.Log.Failure = event.FailureCrashLoop
	}
	h.Log.Origin, h.Log.Revision = m.revise()
	if status == event.Down {
		h.Log.Error = "container " + b.def.Name + " is " + string(b.state.Status)
	}
	m.publish(h)
	m.writeHealth(b, due)
}

// every is how often the level is written where it doesn't change.
func (b *box) every() time.Duration {
	if b.def.IsContainerAlone() {
		return min(30*time.Second, b.def.Interval)
	}
	return 30 * time.Second
}

// writeHealth writes what the HEALTHCHECK says: nothing in the first seconds
// after a start, and nothing while the container does not run.
func (m *sim) writeHealth(b *box, due bool) {
	if !b.checked || b.state.Status != container.Running || m.runs(b) < 3*time.Second {
		b.health = ""
		return
	}
	h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: event.Up, Check: event.CheckHealth, Extra: b.def.IsContainerAlone() && !due}
	if !b.healthy() {
		h.Status, h.Failure, h.Error = event.Down, event.FailureUnhealthy, "the HEALTHCHECK of container "+b.def.Name+" fails"
	}
	if h.Status == b.health && !due {
		return
	}
	if b.health != "" && b.health != h.Status {
		m.emit(b, "health_status", nil)
	}
	b.health = h.Status
	m.observeAs(h, true)
}

func (m *sim) keepLevel(b *box) {
	owner, owns := m.owner()
	if owns && m.engine && (b.levelNonce != owner.Nonce || b.checked || m.now.Sub(b.levelAt) >= b.every()) {
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
		case b.cut:
			h.Status, h.Failure, h.Error, h.Code = event.Down, event.FailureConnectTimeout, "no connection within 1s", 0
		case b.state.Status == container.Paused:
			h.Status, h.Failure, h.Error, h.Code = event.Down, event.FailureHeaderTimeout, "localhost took the connection, and didn't answer within 1s", 0
		case b.state.Status != container.Running:
			h.Status, h.Failure, h.Error, h.Code = event.Down, event.FailureConnectRefused, "connection refused", 0
		case m.unplugged(b), b.gone, b.isDisconnected(), m.runs(b) < b.startup:
			h.Status, h.Failure, h.Error, h.Code = event.Down, event.FailureConnectRefused, "connection refused", 0
		case b.app == "deaf":
			h.Status, h.Failure, h.Error, h.Code = event.Down, event.FailureConnectRefused, "connection refused", 0
		case b.app == "ok" && m.starved(b):
			h.Status, h.Failure, h.Error, h.Code = event.Down, event.FailureStatus, "HTTP 503", 503
		case b.app == "patchy" && b.patched():
		case b.app == "slow":
			h.Status, h.Failure, h.Error = event.Degraded, event.FailureLatency, "answered in 900ms, slower than 800ms"
		case b.app != "ok":
			h.Status, h.Failure, h.Error, h.Code = event.Down, event.FailureStatus, "HTTP 500", 500
			if b.flapped = b.flap && !b.flapped; b.flapped || b.app == "hang" {
				h.Failure, h.Error, h.Code = event.FailureHeaderTimeout, "localhost took the connection, and didn't answer within 1s", 0
			}
		}
		m.after(m.between(0, 50*time.Millisecond), m.living(func() {
			if b.unchecked || !b.def.HasOwnCheck() {
				return
			}
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

// observe publishes one observation as the monitor would: of that check, begun
// then, under the present claim.
func (m *sim) observe(b *box, check string, status event.Status, began time.Time) {
	m.observeAs(event.HealthLog{Timestamp: event.Seconds(began), Service: b.def.Name, Status: status, Check: check}, true)
}

// observeAs publishes an observation, signed or not. Where it has no origin,
// it has that of the monitor.
func (m *sim) observeAs(h event.HealthLog, signed bool) {
	if h.Origin == (event.Origin{}) {
		h.Origin, h.Revision = m.revise()
	}
	m.publish(ReadHealth{h, signed})
}

// patched says whether a patchy service answers the next check.
func (b *box) patched() bool {
	b.checks++
	return b.checks%3 != 0
}
