package healer

import (
	"errors"
	"slices"
	"time"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/history"
	"logstream/healer/specification"
	"logstream/healer/update"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// The memory of the good state: how a service's container was while the service
// was last healthy. It is published with the service, and taken from there in
// the next life; the values of the container's variables stay in the data
// directory.

const (
	keepAgain    = time.Minute    // after a specification could not be kept
	rollbackOnce = 24 * time.Hour // an image is rolled back once within it
	afterAnswer  = time.Second    // events of a call are read at most so long after its result was written
)

// memory is what is remembered of one service's container.
type memory struct {
	good     *event.Good     // nil: the service was not seen healthy yet
	next     *event.Good     // as it is now, where that is otherwise; nil: it is not
	run      int             // good checks in a row when next was first seen
	asked    time.Time       // when its specification was last to be kept
	attached *event.Attached // nil: not known, or good has them
}

// specs are the keys of the specifications that are in the data directory.
type specs map[string]bool

func specsOf(keys []string) specs {
	s := specs{}
	for _, key := range keys {
		s[key] = true
	}
	return s
}

// has says whether a service's specification with that hash is there.
func (s specs) has(service, hash string) bool { return s[specification.Key(service, hash)] }

// remember takes in how the container of a healthy service is, and has its
// specification kept.
func remember(c *Controller, s *serviceState, now time.Time) {
	l := s.inspection
	if s.removed || s.open() || !s.status.Good() || c.engine.Lost() || l.err != nil || l.state.Status != container.Running {
		return
	}
	m := &s.memory
	m.attach(l.state) // also as it was before what happened to it just now
	if !l.isCurrent() {
		return
	}
	m.observe(l.state, update.Bad(s.update.Update), s.goodRun.n, verifyNeeded(c.config, s.def), func(since time.Time) bool { return isMissed(c, s, since) }, now)
	if m.good == nil || m.good.SpecHash == "" || m.good.SpecHash != l.state.SpecHash || c.specs.has(s.def.Name, m.good.SpecHash) || now.Sub(m.asked) < keepAgain {
		return
	}
	m.asked = now
	c.emit(KeepSpec{Service: s.def.Name, ContainerID: l.state.ID, Hash: l.state.SpecHash})
}

// observe takes in a container whose service has answered so many checks in a
// row. A change counts once it has been good for as long as a verification
// needs: the change was intended, and it works. With the image that is bad it
// never counts; that it left networks counts once those that need the service are
// well without them: missed says whether they are not, since then.
func (m *memory) observe(c container.State, bad string, run, needed int, missed func(since time.Time) bool, now time.Time) {
	if m.good != nil && isAs(*m.good, c) {
		m.next = nil
		return
	}
	if m.next == nil || !isAs(*m.next, c) {
		seen := goodOf(c, now)
		m.next, m.run = &seen, run
	}
	if m.run = min(m.run, run); run-m.run < needed || c.ImageID == bad {
		return
	}
	if had, _ := m.networks(c.ID); len(networksLost(had, c)) > 0 && missed(m.next.Since) {
		return
	}
	next := *m.next
	if before := m.good; before != nil {
		next.PreviousImageID, next.PreviousImage = before.PreviousImageID, before.PreviousImage
		switch next.ImageID {
		case before.ImageID:
			next.ImageSince = before.ImageSince
		case before.PreviousImageID: // it is back: what came between is no image to go back to
			next.PreviousImageID, next.PreviousImage = "", ""
		default:
			if before.ImageID == bad {
				break // no image to go back to, either
			}
			next.PreviousImageID, next.PreviousImage = before.ImageID, before.Image
		}
	}
	m.good, m.next, m.asked, m.attached = &next, nil, time.Time{}, nil
}

// attach takes in the networks of the container of a service that is UP, which has not
// been good in it for long enough yet. They alone make no broken deployment the state to
// go back to.
func (m *memory) attach(c container.State) {
	if _, known := m.networks(c.ID); !known && len(c.Networks) > 0 {
		m.attached = &event.Attached{ContainerID: c.ID, Networks: networksOf(c)}
	}
}

// networks are those that the container with that id is known to have had, and whether
// any of that is known.
func (m *memory) networks(id string) ([]event.Network, bool) {
	switch {
	case m.good != nil && m.good.ContainerID == id:
		return m.good.Networks, true
	case m.attached != nil && m.attached.ContainerID == id:
		return m.attached.Networks, true
	}
	return nil, false
}

func networksOf(c container.State) []event.Network {
	var all []event.Network
	for _, n := range c.Networks {
		all = append(all, event.Network{Name: n.Name, Aliases: slices.Clone(n.Aliases), IPv4: n.IPv4, IPv6: n.IPv6})
	}
	return all
}

func goodOf(c container.State, now time.Time) event.Good {
	return event.Good{Since: now.UTC(), ImageSince: now.UTC(), ContainerID: c.ID, SpecHash: c.SpecHash, ImageID: c.ImageID, Image: c.Image, MemoryBytes: c.Memory,
		Variables: slices.Clone(c.Variables), Networks: networksOf(c)}
}

// isAs says whether a container is as it was remembered.
func isAs(g event.Good, c container.State) bool {
	return g.ContainerID == c.ID && g.SpecHash == c.SpecHash && g.ImageID == c.ImageID && g.Image == c.Image && g.MemoryBytes == c.Memory &&
		slices.Equal(g.Variables, c.Variables) && slices.EqualFunc(g.Networks, c.Networks, func(a event.Network, b container.Network) bool {
		return a.Name == b.Name && a.IPv4 == b.IPv4 && a.IPv6 == b.IPv6 && slices.Equal(a.Aliases, b.Aliases)
	})
}

// isSameGood says whether both remember the same: a memory is replaced as a whole.
func isSameGood(a, b event.Good) bool {
	return a.Since.Equal(b.Since) && a.ContainerID == b.ContainerID
}

// isSameAttached says the same of networks: they are those that were seen first.
func isSameAttached(a, b event.Attached) bool { return a.ContainerID == b.ContainerID }

// isOfContainer says whether what was published is of the container that a
// service has now.
func isOfContainer(published *event.Definition, def service.Definition) bool {
	return published != nil && published.Container == def.Container
}

// noteNetworks has a container inspected again that joined or left a network.
func noteNetworks(c *Controller, e event.Docker) {
	if e.Action != string(container.ActionConnect) && e.Action != string(container.ActionDisconnect) {
		return
	}
	for _, s := range c.services {
		if e.ID != "" && s.inspection.state.ID == e.ID {
			s.inspection.stale = true
		}
	}
}

// targetOf is what an action would be done to: the container as it was inspected.
func targetOf(c *Controller, s *serviceState, v View) action.Target {
	t := action.Target{BadImage: update.Bad(s.update.Update), Def: s.def, Name: v.Name, Good: s.memory.good, State: s.inspection.state, Missing: errors.Is(s.inspection.err, container.ErrNotFound)}
	t.Networks, t.NetworksKnown = s.memory.networks(t.State.ID)
	t.Raised = halfRaised(v.Attempts, t.State)
	if t.Good != nil {
		t.SpecKept = c.specs.has(s.def.Name, t.Good.SpecHash)
		t.RolledBack = rolledBack(c, s, v.Now)
	}
	return t
}

// rolledBack are the images of a service that were rolled back of late.
func rolledBack(c *Controller, s *serviceState, now time.Time) []string {
	var images []string
	for _, in := range slices.Backward(c.incidents.Of(s.def.Name, c.host)) {
		if now.Sub(in.Events[len(in.Events)-1].Time) > rollbackOnce {
			break
		}
		for _, a := range budget.Attempts(in.Events) {
			if a.Intent.Action == service.ActionRollback && a.Intent.Undoes == 0 && a.Outcome != event.OutcomeNotExecuted && now.Sub(a.Began) < rollbackOnce {
				images = append(images, a.Intent.Pins.ImageID)
			}
		}
	}
	return images
}

// refusedByHand is why what an operator asks for cannot be done, as far as the
// container is known; empty where it can. What was refused is inspected again:
// not every change of a container causes an event.
func refusedByHand(c *Controller, s *serviceState, name string, now time.Time) string {
	l := s.inspection
	known := l.isCurrent() && (l.err == nil || errors.Is(l.err, container.ErrNotFound))
	if name == "" || s.def.Container != "" && !known {
		return ""
	}
	why := whyNot(name, newView(c, s, now).Target)
	if why != "" {
		s.inspection.stale = true
	}
	return why
}

// isOwnReplacement says whether an event is of a container that an action of
// ours put in the place of another, or of that other one, while it did.
func isOwnReplacement(c *Controller, e history.Event) bool {
	for _, s := range c.services {
		for _, in := range slices.Backward(c.incidents.Of(s.def.Name, c.host)) {
			if e.ReadAt.Sub(in.Events[len(in.Events)-1].Time) > history.MaxAge {
				break
			}
			for _, a := range budget.Attempts(in.Events) {
				if isOfReplacement(a, s.containerName(), e) {
					return true
				}
			}
		}
	}
	return false
}

func isOfReplacement(a budget.Attempt, name string, e history.Event) bool {
	made, known := action.Of(a.Intent)
	switch {
	case !known || !made.Replaces || a.Outcome == event.OutcomeNotExecuted || e.ReadAt.Before(a.Began):
		return false
	case a.AnsweredAt.IsZero():
		return e.ID == a.Intent.Pins.ContainerID || e.Container == name
	}
	return !e.ReadAt.After(a.AnsweredAt.Add(afterAnswer)) && (e.ID == a.Intent.Pins.ContainerID || e.ID == a.Left || e.ID == a.Kept)
}
