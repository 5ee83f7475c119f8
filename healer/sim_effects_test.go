package healer

import (
	"fmt"
	"time"

	"logstream/healer/action"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
	"logstream/internal/text"
)

// What the core wants done, as the sim does it: in its own time, and not always.

func (m *sim) carry(e Effect) {
	switch e := e.(type) {
	case Append:
		if last := e.Events[len(e.Events)-1]; last.Type != event.TypeClaim && last.Type != event.TypeNoted {
			m.outstanding[last.Service] = last
		}
		m.append(e.Events)
	case Publish:
		m.published[e.Service.Service] = e.Service
		if m.logUp {
			m.services = append(m.services, onWire[ReadService]{ReadService(e), m.now, false})
			m.after(time.Millisecond, m.living(func() { m.deliver(func() Input { return ReadService(e) }) }))
		}
		ok := m.logUp
		answer := 5 * time.Millisecond
		if e.Service.Status == event.Down {
			answer += publishPause
		}
		m.after(answer, m.living(func() { m.step(Published{e.Service.Service, ok}) }))
	case Reply:
		m.answered(e.Command)
		if m.logUp {
			m.writeCommand(e.Command)
		}
	case Inspect:
		m.after(m.between(2*time.Millisecond, 40*time.Millisecond), m.living(func() { m.inspect(e) }))
	case Wake:
		m.after(e.At.Sub(m.now), m.living(func() { m.step(Tick{}) }))
	case KeepSpec:
		m.keepSpec(e)
	case Collect:
		m.collected(e)
	case CompareLogs:
		if m.compare != nil {
			logs := m.compare(e)
			m.after(5*time.Millisecond, m.living(func() { m.step(LogsCompared{e.Service, e.ContainerID, logs}) }))
		}
	case CheckNow:
		m.checkNow(e.Service)
	case Query:
		m.query(modelQuery(e))
	case Execute:
		m.act(e)
	}
}

// append writes events one after another, up to the first that fails.
func (m *sim) append(events []event.Incident) {
	e := events[0]
	value := event.Encode(e)
	life := m.life
	m.after(m.between(500*time.Microsecond, 5*time.Millisecond), func() {
		if m.ended(life, 0.5) {
			return // it died before it was sent
		}
		refused := m.loses != nil && m.loses(e)
		written := !refused && (m.logUp || m.chance(0.2)) // an answer can be lost while the record is there
		lost := m.logUp && m.chance(0.01)
		if written {
			m.onLog(e, value)
		}
		switch {
		case m.life == life && (!m.logUp || lost || refused):
			m.after(m.between(100*time.Millisecond, 3*time.Second), m.living(func() { m.step(AppendFailed{ID: e.ID, Seq: e.Seq, Service: e.Service}) }))
		case m.life == life && len(events) > 1:
			m.append(events[1:])
		}
	})
}

// ended says that a life has ended, and that what it had on its way does not
// arrive: never where it was severed, else with that probability.
func (m *sim) ended(life int, lost float64) bool {
	return m.life != life && (m.severed == life || m.chance(lost))
}

func (m *sim) onLog(e event.Incident, value []byte) {
	m.incidents = append(m.incidents, written{value: value, event: decoded(value)})
	m.inputs++
	m.note("log %s/%d %s %s", e.ID, e.Seq, e.Type, text.Clip(string(event.Encode(e.Data)), 300))
	if data, is := e.Data.(event.ActionFinished); is {
		m.finished[key(e.ID, data.Attempt)] = true
	}
	m.read(event.TopicIncidents, func() Input { return ReadIncident{decoded(value)} })
}

// claim puts a claim onto the log.
func (m *sim) claim(claim event.Claim) {
	e := event.Incident{ID: claim.Nonce, Seq: 1, Time: m.now, Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream, Data: claim,
		Origin: event.Origin{Instance: claim.Instance, Host: claim.Host, Epoch: claim.Epoch, Nonce: claim.Nonce}}
	m.onLog(e, event.Encode(e))
}

// command puts a command onto the log, and returns its id. What is not set is
// what an operator would send now.
func (m *sim) command(c event.Command) string {
	if c.ID == "" {
		c.ID = fmt.Sprintf("c%d", len(m.commands)+1)
	}
	if c.Time.IsZero() {
		c.Time = m.now
	}
	if c.By == "" {
		c.By = "operator:ada"
	}
	if c.Service == "" {
		c.Service = event.AllServices
	}
	m.writeCommand(c)
	return c.ID
}

func (m *sim) writeCommand(c event.Command) {
	m.commands = append(m.commands, onWire[ReadCommand]{ReadCommand{c}, m.now, false})
	m.read(event.TopicCommands, func() Input { return ReadCommand{c} })
}

func (m *sim) inspect(e Inspect) {
	b := m.box(e.Service)
	in := Inspected{Service: e.Service, Request: e.Request, State: b.state, Logs: m.lines, Signs: runbook.Signs(m.lines)}
	in.State.Detached = b.isDisconnected()
	switch {
	case !m.engine:
		in.State, in.Err = container.State{}, container.ErrUnavailable
	case b.gone:
		in.State, in.Err = container.State{}, container.ErrNotFound
	}
	m.step(in)
}

// collected answers soon, or late, or never.
func (m *sim) collected(e Collect) {
	out, delay := Collected{Service: e.Service, Request: e.Request}, m.between(2*time.Millisecond, 40*time.Millisecond)
	switch {
	case m.collect != nil:
		out.Found, delay = m.collect(e)
	case !m.steady && m.chance(0.05):
		delay = -1
	case !m.steady && m.chance(0.1):
		delay = m.between(time.Second, 5*time.Second)
	}
	if delay >= 0 {
		m.after(delay, m.living(func() { m.step(out) }))
	}
}

// act is what the healer's worker does: pins once more, then the call.
func (m *sim) act(e Execute) {
	id := key(e.Incident, e.Attempt)
	switch {
	case !m.seen[id]:
		m.violated("a call without its intent read back: %s", id)
	case m.finished[id] || m.calls[id] > 0:
		m.violated("a finished action done again: %s", id)
	case len(m.running) > 0:
		m.violated("two actions at once: %s beside %v", id, m.running)
	case !m.newestClaimIsOurs():
		m.violated("a call under an old claim: %s", id)
	}
	m.onePath(e)
	m.wanted(e)
	m.running[e.Service] = true
	life := m.life
	b := m.box(e.Service)
	m.after(m.between(time.Millisecond, 10*time.Millisecond), func() {
		if m.ended(life, 0.7) {
			return
		}
		result := Executed{Service: e.Service, Incident: e.Incident, Attempt: e.Attempt}
		switch {
		case !m.engine:
			result.Err = container.ErrUnavailable
		case m.changed(e, b) != "":
			result.NotExecuted = m.changed(e, b)
		case m.now.After(e.Deadline):
			result.NotExecuted = "too late"
		default:
			m.calls[id]++
			m.note("call %s %s", e.Intent.Action, e.Service)
			m.perform(b, e.Intent, func(done action.Done, err error) {
				result.Done, result.Err = done, err
				if err == nil {
					result.After = b.state
				}
				if m.engine && (b.lostAnswer || m.chance(0.02)) {
					b.lostAnswer = false
					result.Err, result.Done, result.After = fmt.Errorf("EOF: %w", container.ErrUnavailable), action.Done{}, container.State{}
				}
				m.returned(life, result)
			})
			return
		}
		m.returned(life, result)
	})
}

func (m *sim) returned(life int, result Executed) {
	m.after(m.between(time.Millisecond, 10*time.Millisecond), func() {
		if m.life == life {
			delete(m.running, result.Service)
			m.step(result)
		}
	})
}

// newestClaimIsOurs says so of the log as it stands, read or not.
func (m *sim) newestClaimIsOurs() bool {
	var fold state.Claims
	for _, w := range m.incidents {
		if claim, is := w.event.Data.(event.Claim); is {
			fold.Apply(claim)
		}
	}
	newest, claimed := fold.Newest("local")
	return claimed && newest.Nonce == m.nonce
}

func (m *sim) box(name string) *box {
	for _, b := range m.boxes {
		if b.def.Name == name {
			return b
		}
	}
	panic(name)
}
