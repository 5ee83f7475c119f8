package healer

import (
	"fmt"
	"slices"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// Services of the sim that need others, and what must never happen to them.

// needing makes service i need others, by depends_on.
func needing(i int, others ...int) func(*sim) {
	return func(m *sim) {
		for _, other := range others {
			m.boxes[i].def.DependsOn = append(m.boxes[i].def.DependsOn, m.boxes[other].def.Name)
		}
	}
}

// composed makes service i need others, by Compose's labels.
func composed(i int, others ...int) func(*sim) {
	return func(m *sim) {
		for n, b := range m.boxes {
			b.state.Project, b.state.Service = "shop", fmt.Sprintf("c%d", n)
		}
		for _, other := range others {
			m.boxes[i].state.DependsOn = append(m.boxes[i].state.DependsOn, fmt.Sprintf("c%d", other))
		}
	}
}

// inNetworkOf makes service i use the network of another's container.
func inNetworkOf(i, parent int) func(*sim) {
	return func(m *sim) { m.boxes[i].state.NetworkOf = m.boxes[parent].state.ID }
}

// needs are the boxes that one needs itself.
func (m *sim) needs(b *box) []*box {
	var all []*box
	for _, other := range m.boxes {
		byLabel := other.state.Service != "" && slices.Contains(b.state.DependsOn, other.state.Service)
		if other != b && !other.isDone() && (slices.Contains(b.def.DependsOn, other.def.Name) || byLabel || b.state.NetworkOf == other.state.ID) {
			all = append(all, other)
		}
	}
	return all
}

// isDone says whether a box is a job that has ended well.
func (b *box) isDone() bool {
	return b.job && b.state.Status == container.Exited && b.state.ExitCode == 0
}

// below says whether one box needs another, directly or through others.
func (m *sim) below(b, other *box) bool {
	return slices.ContainsFunc(m.needs(b), func(n *box) bool { return n == other || m.below(n, other) })
}

// starved says whether a box cannot serve since one that it needs does not.
func (m *sim) starved(b *box) bool {
	return slices.ContainsFunc(m.needs(b), func(n *box) bool { return !m.serves(n) })
}

// serves says whether a box can answer.
func (m *sim) serves(b *box) bool {
	return b.state.Status == container.Running && (b.app == "ok" || b.app == "slow") && !b.gone && !b.isDisconnected() && !m.unplugged(b) && !m.starved(b)
}

// isDisconnected says whether a box that answers in its networks alone has none.
func (b *box) isDisconnected() bool { return b.plugged && len(b.state.Networks) == 0 }

// unplugged says whether the network that a box uses is gone: its parent does not
// run, or was started after it.
func (m *sim) unplugged(b *box) bool {
	return b.state.NetworkOf != "" && slices.ContainsFunc(m.boxes, func(p *box) bool {
		return p.state.ID == b.state.NetworkOf && (p.state.Status != container.Running || p.state.StartedAt.After(b.state.StartedAt))
	})
}

// checkNow is the monitor's check beside the schedule.
func (m *sim) checkNow(name string) {
	b := m.box(name)
	b.asked++
	if !b.mute {
		m.after(time.Millisecond, m.living(func() { m.probe(b, true) }))
	}
}

// onePath checks, right before a call, that nothing else on a path of
// dependencies is acted on, and that what its service needs runs.
func (m *sim) onePath(e Execute) {
	b := m.box(e.Service)
	for _, other := range m.boxes {
		in := m.incident(other.def.Name)
		acts := m.open(other.def.Name) && View{Incident: in}.acts()
		if other != b && acts && (m.below(b, other) || m.below(other, b)) {
			m.violated("%s and %s are on one path, and both are acted on", b.def.Name, other.def.Name)
		}
		if m.below(b, other) && m.level(other.def.Name) == event.Down && !requestedByOperator(m.incident(b.def.Name)) {
			m.violated("%s gets %s while %s, which it needs, is DOWN", b.def.Name, e.Intent.Action, other.def.Name)
		}
	}
}

// targets are the actions that were begun so far, each with its service.
func (m *sim) targets() []string {
	var all []string
	for _, w := range m.incidents {
		if started, is := w.event.Data.(event.ActionStarted); is && w.copy.IsZero() {
			all = append(all, started.Action+" "+w.event.Service)
		}
	}
	return all
}

// held says whether a gate among these holds the service's incident.
func (m *sim) held(b *box, gates ...string) bool {
	return m.open(b.def.Name) && slices.Contains(gates, m.incident(b.def.Name).Held)
}

// standsOnFailure says whether a service needs one that is not well.
func (m *sim) standsOnFailure(b *box) bool {
	return slices.ContainsFunc(m.needs(b), func(n *box) bool { return !m.good(n.def.Name) || m.standsOnFailure(n) })
}
