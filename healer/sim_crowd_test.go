package healer

import (
	"math/rand/v2"
	"slices"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// A sim in which everything is at once: services that need each other, three
// modes, listed and forbidden actions, limits, networks, commands and windows of
// maintenance. rng decides which.

// window is a time in which nothing may be repaired.
type window struct {
	service  string // empty: each
	from, to time.Time
}

// crowded makes such a sim of one that was not started yet.
func crowded(rng *rand.Rand) func(*sim) {
	return func(m *sim) {
		m.keeps = true
		m.cfg.Mode = []service.Mode{service.Auto, service.Auto, service.Approve}[rng.IntN(3)]
		m.cfg.ApprovalTimeout = []time.Duration{2 * time.Minute, 15 * time.Minute}[rng.IntN(2)]
		project := rng.IntN(3) == 0
		for i, b := range m.boxes {
			b.state.Networks = []container.Network{{Name: "shop", Aliases: []string{b.def.Name}}}
			b.state.Memory = 64 << 20
			b.plugged = true
			crowdedDefinition(rng, &b.def)
			if project {
				b.state.Project, b.state.Service = "shop", b.def.Name
			}
			if i == 0 || rng.IntN(3) == 0 {
				continue
			}
			switch on := m.boxes[rng.IntN(i)]; {
			case project && rng.IntN(2) == 0:
				b.state.DependsOn = append(b.state.DependsOn, on.state.Service)
			case rng.IntN(4) == 0:
				inNetworkOf(i, slices.Index(m.boxes, on))(m)
				b.state.Networks, b.plugged = nil, false
			default:
				b.def.DependsOn = append(b.def.DependsOn, on.def.Name)
			}
		}
		if rng.IntN(3) == 0 {
			m.maintain(rng)
		}
	}
}

func crowdedDefinition(rng *rand.Rand, d *service.Definition) {
	one := func(of int) bool { return rng.IntN(of) == 0 }
	if one(6) {
		d.Heal.Mode = []service.Mode{service.Auto, service.Approve, service.Observe}[rng.IntN(3)]
	}
	for _, name := range []string{service.ActionRaiseMemory, service.ActionRollback, service.ActionRecreate} {
		if one(3) {
			d.Heal.Actions = append(d.Heal.Actions, name)
		}
	}
	if one(8) {
		d.Heal.Never = []string{service.Actions[rng.IntN(len(service.Actions))]}
	}
	if one(2) {
		d.Heal.MaxMemory = 512 << 20
	}
	if one(4) {
		d.Heal.Commands = service.Commands{{Name: "reload", Args: []string{"/usr/bin/reload"}}}
	}
}

// maintain opens a window of maintenance within the first minutes.
func (m *sim) maintain(rng *rand.Rand) {
	minute := m.now.Truncate(time.Minute).Add(time.Duration(1+rng.IntN(3)) * time.Minute)
	w := window{from: minute, to: minute.Add(time.Duration(1+rng.IntN(3)) * time.Minute)}
	const wall = "2006-01-02T15:04"
	config := service.Maintenance{From: w.from.Format(wall), To: w.to.Format(wall), TimeZone: "UTC"}
	if rng.IntN(2) == 0 {
		m.cfg.Maintenance = append(m.cfg.Maintenance, config)
	} else {
		b := m.boxes[rng.IntN(len(m.boxes))]
		b.def.Maintenance, w.service = append(b.def.Maintenance, config), b.def.Name
	}
	m.windows = append(m.windows, w)
	m.comes = laterTime(m.comes, w.to)
}

// also are the things that can happen in such a sim, beside outside.
var also = []struct {
	name string
	do   func(*sim, *box)
}{
	{"out of memory", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy && !b.gone {
			m.emit(b, "oom", nil)
			m.die(b, 137)
		}
	}},
	{"good image", func(m *sim, b *box) { m.deploy(b, m.fresh("sha"), b.state.SpecHash, "ok") }},
	{"bad image", func(m *sim, b *box) { m.deploy(b, m.fresh("sha"), b.state.SpecHash, "broken") }},
	{"bad specification", func(m *sim, b *box) { m.deploy(b, b.state.ImageID, m.fresh("spec"), "broken") }},
	{"networks lost", func(m *sim, b *box) { m.disconnected(b) }},
	{"removed", func(m *sim, b *box) {
		if b.gone || b.state.Status != container.Running || b.busy || m.isParent(b) {
			return
		}
		m.stop(b, func() {
			b.gone, b.removed = true, true
			m.emit(b, "destroy", nil)
			m.yet(m.between(time.Minute, 5*time.Minute), func() { m.createdAgain(b) })
		})
	}},
	{"the kept one is removed", func(_ *sim, b *box) { b.state.Kept, b.former = "", nil }},
	{"cut off", func(m *sim, _ *box) {
		cutOff(m, true)
		m.yet(m.between(5*time.Second, 90*time.Second), func() { cutOff(m, false) })
	}},
	{"silence", func(m *sim, b *box) {
		d := []string{"10s", "1m", "5m"}[m.rng.IntN(3)]
		m.submit(event.Command{Command: event.CommandSilence, Service: b.def.Name, Args: event.CommandArgs{For: d}})
	}},
	{"unsilence", func(m *sim, b *box) { m.submit(event.Command{Command: event.CommandUnsilence, Service: b.def.Name}) }},
	{"hold", func(m *sim, _ *box) {
		m.submit(event.Command{Command: event.CommandHold, Args: event.CommandArgs{For: "1m"}})
	}},
	{"release", func(m *sim, _ *box) { m.submit(event.Command{Command: event.CommandRelease}) }},
	{"heal", func(m *sim, b *box) {
		name := append([]string{""}, service.Actions...)[m.rng.IntN(1+len(service.Actions))]
		m.submit(event.Command{Command: event.CommandHeal, Service: b.def.Name, Args: event.CommandArgs{Action: name}})
	}},
	{"propose", func(m *sim, b *box) { m.propose(b, service.Actions[m.rng.IntN(len(service.Actions))]) }},
	{"approve", func(m *sim, b *box) { m.answerTo(b, event.CommandApprove) }},
	{"deny", func(m *sim, b *box) { m.answerTo(b, event.CommandDeny) }},
	{"acknowledge", func(m *sim, b *box) { m.answerTo(b, event.CommandAcknowledge) }},
	{"undo", func(m *sim, b *box) { m.answerTo(b, event.CommandUndo) }},
	{"undo twice", func(m *sim, b *box) { m.answerTo(b, event.CommandUndo); m.answerTo(b, event.CommandUndo) }},
}

// fresh is an image or a specification that was not there before.
func (m *sim) fresh(what string) string {
	m.deployed++
	return what + "-" + string(rune('a'+m.deployed%26)) + "-" + string(rune('a'+m.deployed/26))
}

// yet has something happen later that does not come from the healer.
func (m *sim) yet(d time.Duration, do func()) {
	m.after(d, do)
	m.comes = laterTime(m.comes, m.now.Add(d))
}

// deploy is updated, of a container that runs and is not in the engine's hands.
func (m *sim) deploy(b *box, image, spec, app string) {
	if b.gone || b.state.Status != container.Running || b.busy || m.isParent(b) {
		return
	}
	m.updatedTo(b, image, spec, app)
}

// createdAgain is that a user creates a container anew that was removed.
func (m *sim) createdAgain(b *box) {
	if !b.gone || b.busy {
		return
	}
	m.renewed(b, "")
	b.gone, b.removed = false, false
	m.emit(b, "create", nil)
	m.started(b, nil)
}

// submit puts an operator's command on the log, where it can be reached.
func (m *sim) submit(c event.Command) {
	if m.logUp {
		m.command(c)
	}
}

// answerTo is a command about an incident of a service: mostly its newest.
func (m *sim) answerTo(b *box, command string) {
	all := m.folded.Of(b.def.Name, "local")
	if len(all) == 0 {
		return
	}
	in := all[len(all)-1]
	if m.rng.IntN(4) == 0 {
		in = all[m.rng.IntN(len(all))]
	}
	m.submit(event.Command{Command: command, Service: b.def.Name, Args: event.CommandArgs{Incident: in.ID}})
}

// answerRequests is an operator who answers what waits for approval now and then.
func (m *sim) answerRequests() {
	m.after(m.between(5*time.Second, 100*time.Second), m.answerRequests)
	if !m.on() {
		return
	}
	for _, b := range m.boxes {
		if m.held(b, "approval") {
			m.answerTo(b, []string{event.CommandApprove, event.CommandApprove, event.CommandApprove, event.CommandDeny}[m.rng.IntN(4)])
		}
	}
}

// isParent says whether another container uses a box's network: the sim does not
// know what becomes of that where the box is replaced.
func (m *sim) isParent(b *box) bool {
	return slices.ContainsFunc(m.boxes, func(child *box) bool { return child.state.NetworkOf == b.state.ID })
}
