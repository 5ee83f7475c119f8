package healer

import (
	"slices"
	"time"

	"logstream/healer/claim"
	"logstream/healer/history"
	"logstream/healer/status"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What is read, record by record and outcome by outcome, and what of it counts.

const (
	unsignedMark = " (unsigned)" // of a source that uses one of our names without our signature
	coveredFor   = time.Minute   // how long an old record of a service may stand over ours
)

// Cycles are the dependencies that are ignored since they would make a cycle, in
// words; empty: none is.
func (c *Controller) Cycles() string { return cycles(graphOf(c)) }

func (c *Controller) readHealth(in ReadHealth, now time.Time) {
	s := c.services[in.Log.Service]
	if s == nil {
		return
	}
	h := in.Log
	kind, counts := c.kindOf(&h, in.Signed)
	if !counts || kind != status.Foreign && !c.isNext(s, h) {
		return
	}
	c.fleet.touch(s)
	level, good, failed := s.status.Level(), s.status.Good(), s.status.OwnDown()
	if !s.status.Observe(h, kind, now) {
		return
	}
	switch turned := s.status.Level() != level || s.status.Good() != good; {
	case kind == status.OwnersLevel && s.inspection.shows(s.status.Level()):
	case turned, s.status.OwnDown() && !failed && s.inspection.mayWrite():
		s.inspection.stale = true
	}
	if s.status.IsOwn(kind, now) {
		if h.Time().After(s.verification.since) && s.verification.attempt > 0 {
			s.verification.run.count(h)
		}
		countOwn(c, s, h)
	}
	if !s.status.Good() {
		s.goodRun = run{}
	}
	c.reconcile(s, now)
}

// kindOf says what the source of a record is to us, and whether it counts. A
// record that uses one of our names without our signature is foreign, and is
// marked. What we signed ourselves counts under the newest claim only: another
// is of an earlier life, and of no present decision.
func (c *Controller) kindOf(h *event.HealthLog, signed bool) (status.Kind, bool) {
	if !signed {
		if c.known[h.Instance] {
			h.Instance += unsignedMark
		}
		return status.Foreign, true
	}
	c.known[h.Instance] = true
	newest, claimed := c.incidents.Newest(c.host)
	owners := claimed && h.Nonce == newest.Nonce && h.Instance == newest.Instance
	switch {
	case h.Host != "" && h.Host != c.host:
		return 0, false // another host's service of that name
	case owners && h.Check == event.CheckContainer:
		return status.OwnersLevel, true
	case owners && h.Check == event.CheckHealth:
		return status.OwnersHealth, true
	case owners && h.Instance == c.instance:
		return status.Own, true
	case h.Instance == c.instance:
		return 0, false
	}
	return status.Foreign, true
}

// isNext says whether a record of the owner's is beyond what was read of its
// source: what is not was published again. A start reads only the last minutes,
// and must not take for new what it could not have met before.
func (c *Controller) isNext(s *serviceState, h event.HealthLog) bool {
	if !c.replayed && h.Time().Before(c.began.Add(-pastHealth)) {
		return false
	}
	order := s.orders[h.Check]
	if order == nil {
		order = &state.Order{}
		s.orders[h.Check] = order
	}
	return order.Next(h.Epoch, h.Revision)
}

func (c *Controller) readDocker(e event.Docker, now time.Time) {
	if e.Host != "" && e.Host != c.host || !c.isNews(e) {
		return
	}
	if !history.IsOfLife(e.Action) {
		noteNetworks(c, e)
		return
	}
	c.engine.Read(e, now, func(name string) bool { return isWatched(c, name) })
	switch e.Action {
	case event.StreamLost:
		return
	case event.StreamBack:
		for _, name := range c.order {
			c.services[name].inspection.stale = true
		}
		return
	}
	for _, name := range slices.Clone(c.order) {
		s := c.services[name]
		if e.Action == "start" && s.containerName() == e.Container {
			s.status.Started(c.engine.Of(e.Container).Began(e.ID, e.Time))
		}
		renamed := e.Action == "rename" && e.ID != "" && e.ID == s.containerID() // the event has the new name
		if s.containerName() == e.Container || e.Replace != "" || renamed {
			s.inspection.observe(e, c.engine.Of(e.Container), now)
			c.reconcile(s, now)
		}
	}
}

// isNews says whether an event of the engine is new, and not an old record that
// was published again. In a replay those of earlier claims are as well.
func (c *Controller) isNews(e event.Docker) bool {
	if newest, claimed := c.incidents.Newest(c.host); c.replayed && (!claimed || e.Nonce != newest.Nonce) {
		return false
	}
	return c.engineOrder.Next(e.Epoch, e.Revision)
}

// readService takes what was last published of a service, before the claim.
// After it, it is our own record that comes back.
func (c *Controller) readService(published event.Service, now time.Time) {
	if published.Host != c.host {
		c.noteOther(published)
		return
	}
	if c.replayed {
		c.readOwnService(published, now)
		return
	}
	if old, known := c.prior[published.Service]; known && !state.Newer(published, old) {
		return
	}
	c.prior[published.Service] = published
	old := c.services[published.Service]
	discovered := published.Definition != nil && published.Definition.Discovered
	switch {
	case old == nil && discovered:
		add(c, service.Published(*published.Definition), now).seeded = true
	case old == nil:
	case old.seeded && !discovered:
		forget(c, published.Service)
	case old.seeded:
		addAgain(c, service.Published(*published.Definition), now).seeded = true
	default:
		addAgain(c, old.def, now)
	}
}

// noteOther notes which services another host has.
func (c *Controller) noteOther(published event.Service) {
	switch name := published.Service; {
	case published.Definition != nil:
		c.others[name] = published.Host
	case c.others[name] == published.Host:
		delete(c.others, name)
	}
}

// readOwnService has what we published of a service written again where an old
// record was put over it: the newest of each is what the topic keeps.
func (c *Controller) readOwnService(published event.Service, now time.Time) {
	s := c.services[published.Service]
	origin, leads := c.Owner()
	if s != nil && leads && (published.Nonce != origin.Nonce || !s.publication.order.Next(published.Epoch, published.Revision)) {
		if covered := now.Add(coveredFor - republish); covered.Before(s.publication.at) {
			s.publication.at = covered
		}
	}
}

func (c *Controller) readIncident(e event.Incident, now time.Time) {
	if read, is := e.Data.(event.Claim); is {
		c.readClaim(read, now)
		return
	}
	if e.Type == event.TypeNoted {
		confirmNote(c, e, now)
		return
	}
	in, counted := c.incidents.Apply(e)
	s := serviceOf(c, e.Service)
	if e.Host != c.host || s == nil {
		return
	}
	s.journal.Confirm(e, now)
	if !counted {
		return
	}
	confirmed(c, s, e)
	if s.incident == nil || s.incident.ID != in.ID {
		s.incident = in
		s.begin(in.ID)
	}
	s.budget.Apply(e)
	c.budget.Apply(e)
	switch data := e.Data.(type) {
	case event.ActionStarted:
		if _, leads := c.claim.Leader(); leads && (s.execution.incident != e.ID || s.execution.attempt != data.Attempt) {
			c.resumeUnknown(s, e.ID, data.Attempt, now)
		}
	case event.ActionFinished:
		if c.busy == s.def.Name {
			c.busy = ""
		}
		if data.OK {
			s.made(data.ContainerID)
			c.beginVerification(s, data.Attempt, s.execution.incident != e.ID || s.execution.attempt != data.Attempt, now)
		}
	}
	c.reconcile(s, now)
}

func (c *Controller) readClaim(read event.Claim, now time.Time) {
	before, had := c.incidents.Newest(read.Host)
	_, counted := c.incidents.Apply(event.Incident{Data: read})
	c.known[read.Instance] = true
	if read.Host != c.host {
		return
	}
	taken := counted && (!had || before.Nonce != read.Nonce)
	if taken {
		c.engineOrder, c.fleet.graph = state.Order{}, nil
		for _, s := range c.services {
			s.status.NewClaim(now)
			s.orders, s.publication.order = map[string]*state.Order{}, state.Order{}
		}
	}
	switch c.claim.Read(read, counted, taken, now) {
	case claim.Acquired:
		c.acquire(now)
	case claim.Outbid:
		c.emit(Append{[]event.Incident{c.claim.Outbid(c.newest(), now)}})
	}
}

// acquire begins the leadership. What was under way in an earlier life has an
// unknown outcome.
func (c *Controller) acquire(now time.Time) {
	c.busy = ""
	adoptUnconfigured(c, now)
	c.renewHold(now)
	takeUpFleet(c, now)
	for _, name := range slices.Clone(c.order) {
		s := c.services[name]
		s.journal.Drop()
		s.publication = publication{order: s.publication.order} // all are published, as they were last known
		s.execution, s.verification, s.waiting, s.byHand, s.answering, s.goodRun = execution{}, verification{}, waiting{}, nil, answering{}, run{}
		s.inspection.stale = true
		if s.open() {
			c.resume(s, now)
		}
		if s.open() && s.incident.Held == "blind" {
			s.proofWait = proofWait{ended: now} // what failed before may be of a cut
		}
		c.reconcile(s, now)
	}
}

// resume takes up what an earlier life left behind.
func (c *Controller) resume(s *serviceState, now time.Time) {
	last, acted := s.incident.Last(event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified)
	if !acted {
		return
	}
	switch data := last.Data.(type) {
	case event.ActionStarted:
		c.resumeUnknown(s, s.incident.ID, data.Attempt, now)
	case event.ActionFinished:
		if data.OK {
			c.beginVerification(s, data.Attempt, true, now)
		}
	}
}

func (c *Controller) appendFailed(in AppendFailed, now time.Time) {
	if c.claim.Failed(in.ID, now) {
		return
	}
	if s := serviceOf(c, in.Service); s != nil {
		withdraw(c, s, s.journal.Failed(in.ID, in.Seq, now))
	}
}

func (c *Controller) inspected(in Inspected, now time.Time) {
	s := c.services[in.Service]
	if s == nil || !s.inspection.take(in, now) {
		return
	}
	if in.Err == nil {
		noteContainer(c, s, in.State, now)
		noteLinks(c, s, in.State)
		s.healthRun.observe(in.State, s.inspection.asked)
		s.status.NoteHealthcheck(in.State.Health != "", now)
	}
	c.reconcile(s, now)
}

func (c *Controller) executed(in Executed, now time.Time) {
	s := c.services[in.Service]
	if s == nil || !s.open() || s.incident.ID != in.Incident || s.execution.attempt != in.Attempt {
		return
	}
	s.execution.running = false
	s.inspection.stale = true
	if in.Done.ContainerID != "" && in.After.ID == in.Done.ContainerID {
		noteContainer(c, s, in.After, now)
	}
	if in.NotExecuted == "" && isUnavailable(in.Err) {
		s.execution.unknown = now // the engine became unreachable: the effect is not known
	} else {
		s.execution.result = &in
	}
	c.reconcile(s, now)
}

// answered takes the model's answer, unless something else was queried since.
func (c *Controller) answered(in Answered, now time.Time) {
	s := c.services[in.Service]
	if s == nil || in.Request != s.consultation.request || in.Incident != s.consultation.incident {
		return
	}
	s.consultation.answer = &in.Answer
	c.reconcile(s, now)
}
