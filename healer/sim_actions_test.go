package healer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"logstream/healer/action"
	"logstream/healer/specification"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// The engine of the sim: what changes what a container is.

// keptSuffix is in the name of a container that gave its place to another.
const keptSuffix = "-kept"

// changed says how a container differs from an intent's pins, or nothing.
func (m *sim) changed(e Execute, b *box) string {
	pinned := e.Intent.Pins.ContainerID
	switch {
	case e.Ref == "" && pinned == "":
		return ""
	case pinned == "" && !b.gone:
		return "there is a container again"
	case pinned == "":
		return ""
	case b.gone:
		return "it is gone"
	}
	return action.Changed(e.Ref, e.Intent.Pins, b.state)
}

// perform makes the call of an intent.
func (m *sim) perform(b *box, intent event.ActionStarted, done func(action.Done, error)) {
	plainly := func(err error) { done(action.Done{}, err) }
	var params event.Params
	if intent.Params != nil {
		params = *intent.Params
	}
	if intent.Undoes > 0 {
		m.undo(b, intent.Action, params, done)
		return
	}
	switch intent.Action {
	case service.ActionKillStart:
		m.call(b, service.ActionRestart, plainly)
	case service.ActionConnect:
		for _, n := range params.Networks {
			m.connected(b, n)
		}
		plainly(nil)
	case service.ActionRaiseMemory:
		b.state.Memory = params.MemoryBytes
		m.goesOn(func() { m.call(b, service.ActionStart, plainly) })
	case service.ActionRollback, service.ActionRecreate:
		m.replaced(b, params, done)
	case service.ActionRun:
		if b.script != nil {
			b.script(plainly)
			return
		}
		m.after(m.between(10*time.Millisecond, 2*time.Second), func() { plainly(nil) })
	default:
		m.call(b, intent.Action, plainly)
	}
}

// goesOn does the next of the calls that an action consists of, unless our process
// ends before.
func (m *sim) goesOn(next func()) {
	life := m.life
	m.after(m.between(5*time.Millisecond, 50*time.Millisecond), func() {
		if m.life == life {
			next()
		}
	})
}

func (m *sim) connected(b *box, n event.Network) {
	b.state.Networks = slices.DeleteFunc(slices.Clone(b.state.Networks), func(old container.Network) bool { return old.Name == n.Name })
	b.state.Networks = append(b.state.Networks, container.Network{Name: n.Name, Aliases: n.Aliases})
	m.emit(b, "connect", func(e *event.Docker) { e.Container, e.Network = "", n.Name })
}

// disconnected is that a user takes a container out of all its networks.
func (m *sim) disconnected(b *box) {
	for _, n := range b.state.Networks {
		m.emit(b, "disconnect", func(e *event.Docker) { e.Container, e.Network = "", n.Name })
	}
	b.state.Networks = nil
}

// disconnectedFrom is that a user takes a container out of one network.
func (m *sim) disconnectedFrom(b *box, name string) {
	b.state.Networks = slices.DeleteFunc(slices.Clone(b.state.Networks), func(n container.Network) bool { return n.Name == name })
	m.emit(b, "disconnect", func(e *event.Docker) { e.Container, e.Network = "", name })
}

// replaced puts a new container in the place of an old one, or of none. The old
// one is stopped and renamed.
func (m *sim) replaced(b *box, params event.Params, done func(action.Done, error)) {
	if b.busy {
		m.after(50*time.Millisecond, func() { m.replaced(b, params, done) })
		return
	}
	old := b.state.ID
	made := func() {
		kept := former{b.state, b.app}
		m.renewedTo(b, params.ImageID, cmp.Or(params.SpecHash, b.state.SpecHash))
		b.gone, b.state.Kept, b.former = false, b.def.Name+keptSuffix, &kept
		left := action.Done{ContainerID: b.state.ID, KeptID: old}
		if b.removed {
			b.removed, b.state.Kept, b.former, left.KeptID = false, "", nil, ""
		}
		m.emit(b, "create", nil)
		m.started(b, func() { done(left, nil) })
	}
	life := m.life
	remove := func() { // each is a call of its own
		if m.life != life {
			return
		}
		m.emit(b, "rename", func(e *event.Docker) { e.Container = b.def.Name + keptSuffix })
		b.gone, b.cutOff, b.former = true, true, &former{b.state, b.app}
		m.busily(b, m.between(50*time.Millisecond, 400*time.Millisecond), func() {
			if m.life == life {
				b.gone, b.cutOff = false, false
				made()
			}
		})
	}
	switch {
	case b.gone:
		m.busily(b, m.between(50*time.Millisecond, 400*time.Millisecond), made)
	case b.state.Status == container.Running:
		m.stop(b, remove)
	default:
		remove()
	}
}

// former is a container that was kept, and how the service was in it.
type former struct {
	state container.State
	app   string
}

// undo makes the call that undoes one.
func (m *sim) undo(b *box, name string, params event.Params, done func(action.Done, error)) {
	switch name {
	case service.ActionConnect:
		for _, n := range params.Networks {
			b.state.Networks = slices.DeleteFunc(slices.Clone(b.state.Networks), func(old container.Network) bool { return old.Name == n.Name })
			m.emit(b, "disconnect", func(e *event.Docker) { e.Container, e.Network = "", n.Name })
		}
	case service.ActionRaiseMemory:
		b.state.Memory = params.MemoryBytes
	default:
		m.restored(b, params.ContainerID, params.Stopped, done)
		return
	}
	done(action.Done{}, nil)
}

// restored gives the container that was kept its place again, and keeps the
// other.
func (m *sim) restored(b *box, id string, stopped bool, done func(action.Done, error)) {
	switch {
	case b.busy:
		m.after(50*time.Millisecond, func() { m.restored(b, id, stopped, done) })
		return
	case !b.gone && b.state.ID == id:
		m.started(b, func() { done(action.Done{ContainerID: id}, nil) })
		return
	case b.former == nil || b.former.state.ID != id:
		done(action.Done{}, errors.New("no such container"))
		return
	case b.gone && b.cutOff:
		b.state, b.app, b.former = b.former.state, b.former.app, nil
		b.gone, b.cutOff = false, false
		m.emit(b, "rename", nil)
		m.goesOn(func() {
			if !stopped {
				m.started(b, func() { done(action.Done{ContainerID: id}, nil) })
				return
			}
			done(action.Done{ContainerID: id}, nil)
		})
		return
	}
	back := func() {
		m.emit(b, "rename", func(e *event.Docker) { e.Container = b.def.Name + keptSuffix })
		m.busily(b, m.between(50*time.Millisecond, 400*time.Millisecond), func() {
			if b.former == nil {
				done(action.Done{}, errors.New("no such container"))
				return
			}
			left := action.Done{ContainerID: id, KeptID: b.state.ID}
			now := former{b.state, b.app}
			b.state, b.app, b.former = b.former.state, b.former.app, &now
			b.state.Kept = b.def.Name + keptSuffix
			m.emit(b, "rename", nil)
			m.started(b, func() { done(left, nil) })
		})
	}
	if b.state.Status == container.Running {
		m.stop(b, back)
		return
	}
	back()
}

// renewed is that another container, of that image, has the name.
func (m *sim) renewed(b *box, image string) { m.renewedTo(b, image, b.state.SpecHash) }

func (m *sim) renewedTo(b *box, image, spec string) {
	b.renewals++
	b.state.ID, b.state.Status = fmt.Sprintf("id-%s-%d", b.def.Name, b.renewals), container.Created
	if image == "" {
		image = b.state.ImageID
	}
	if image == b.state.ImageID && spec == b.state.SpecHash {
		return
	}
	b.state.ImageID, b.state.SpecHash, b.app = image, spec, "ok"
	if b.broken[image+spec] {
		b.app = "broken"
	}
}

// updated is that a user deploys another image, in which the service is so.
func (m *sim) updated(b *box, image, app string) { m.updatedTo(b, image, b.state.SpecHash, app) }

func (m *sim) updatedTo(b *box, image, spec, app string) {
	if b.broken == nil {
		b.broken = map[string]bool{}
	}
	b.broken[image+spec] = app == "broken"
	m.stop(b, func() {
		m.emit(b, "destroy", nil)
		m.renewedTo(b, image, spec)
		b.app = app
		m.emit(b, "create", nil)
		m.busily(b, 100*time.Millisecond, func() { m.started(b, nil); b.app = app })
	})
}

// keepSpec keeps a container's specification, where the sim keeps any.
func (m *sim) keepSpec(e KeepSpec) {
	b := m.box(e.Service)
	m.after(5*time.Millisecond, m.living(func() {
		if !m.keeps || !m.engine || b.gone || b.state.ID != e.ContainerID || b.state.SpecHash != e.Hash {
			return
		}
		if m.specs == nil {
			m.specs = map[string]bool{}
		}
		m.specs[specification.Key(e.Service, e.Hash)] = true
		m.specsKept()
	}))
}

func (m *sim) specsKept() { m.step(SpecsKept{slices.Sorted(maps.Keys(m.specs))}) }
