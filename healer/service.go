package healer

import (
	"time"

	"logstream/healer/budget"
	"logstream/healer/claim"
	"logstream/healer/gate"
	"logstream/healer/history"
	"logstream/healer/status"
	"logstream/healer/update"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// serviceState is what the controller knows of one service of this host.
type serviceState struct {
	def      service.Definition
	masked   *event.Definition // def as the topics show it, and its hash
	hash     string
	removed  bool
	seeded   bool      // discovered in an earlier life, and not in this one yet
	edited   time.Time // when its definition was last changed
	status   *status.Status
	orders   map[string]*state.Order // of the owner's own sources, by check
	incident *state.Incident         // the newest; may be resolved
	budget   budget.Service
	journal  claim.Journal

	container  *event.ServiceContainer
	compose    string          // its container's name in its Compose project, as last seen
	ran        map[string]bool // containers that were seen running, by id
	injections []time.Time     // when `inject` commands were read

	links        links        // what its container was last seen to depend on
	needed       []event.Need // what was published of it by an earlier life
	dependence   dependence   // how it waits for others
	inspection   inspection
	healthRun    healthRun // the newest of its container's HEALTHCHECK
	proofWait    proofWait
	collection   collection
	learned      time.Time // when the learning of what its container writes was last begun
	lessons      int       // how often it was
	served       served    // when a check of our own last succeeded
	consultation consultation
	execution    execution
	verification verification
	waiting      waiting
	goodRun      run            // scheduled good checks of our own since it is good
	byHand       *event.Command // for which the incident was ended, to begin one by hand
	answering    answering

	silence     *gate.Silence // an operator's; nil: none
	publication publication
	deferred    deferred // commands that wait for the journal
	memory      memory   // of the container, as it was while the service was healthy
	update      update.Watch
	logs        logComparison
	touched     bool // the fleet's picture has not taken it up
	trust       trust
}

// publication is what was published of a service.
type publication struct {
	last     event.Service
	inFlight bool
	at       time.Time
	order    state.Order // of what was read back
}

func newServiceState(def service.Definition, published *event.Service, now time.Time) *serviceState {
	s := &serviceState{ran: map[string]bool{}, orders: map[string]*state.Order{}, status: status.New(def, published, now)}
	s.define(def)
	s.silence = publishedSilence(published)
	if published != nil && isOfContainer(published.Definition, def) {
		s.needed = published.Needs
		s.memory.good, s.memory.attached = published.Good, published.Attached
		s.update = update.Published(published.Update, published.Time)
	}
	if published != nil && published.Container != nil {
		kept := *published.Container
		s.container = &kept
		if kept.Ran {
			s.ran[kept.ID] = true
		}
	}
	return s
}

func (s *serviceState) define(def service.Definition) {
	s.def, s.masked, s.hash = def, def.Masked(), def.Hash()
}

// containerName is the name of the service's container, as far as it is known.
func (s *serviceState) containerName() string {
	if s.container != nil && s.container.Name != "" {
		return s.container.Name
	}
	return s.def.Container
}

// containerID is the ID of the container that the service was last seen to have.
func (s *serviceState) containerID() string {
	if s.container == nil {
		return ""
	}
	return s.container.ID
}

// open says whether the newest incident has not ended.
func (s *serviceState) open() bool { return s.incident != nil && s.incident.State != state.Resolved }

// idle says that there is nothing to plan about.
func (s *serviceState) idle() bool {
	return !s.open() && !s.removed && s.byHand == nil && s.status.Value != event.Down && !accused(s)
}

// inspected says whether its container was inspected in this life, or there is none.
func (s *serviceState) inspected() bool {
	return s.def.Container == "" || s.removed || !s.inspection.at.IsZero()
}

// injected says whether what was read then followed an `inject`.
func (s *serviceState) injected(readAt time.Time) bool {
	for _, at := range s.injections {
		if since := readAt.Sub(at); since > -injectSlack && since < injectReach {
			return true
		}
	}
	return false
}

// noteContainer notes which container a service has, and that it ran: by its state, by
// the engine's events, or because our own check was UP.
func (s *serviceState) noteContainer(c container.State, ran bool) {
	running := c.Status == container.Running || c.Status == container.Paused || c.Status == container.Restarting
	if running || ran {
		s.ran[c.ID] = true
	}
	s.compose = c.Service
	s.container = &event.ServiceContainer{Name: c.Name, ID: c.ID, Image: c.Image, ImageID: c.ImageID, Ran: s.ran[c.ID]}
}

// made notes a container that an action of ours put in the place of another:
// where it does not run, that is not intended.
func (s *serviceState) made(id string) {
	if id != "" {
		s.ran[id] = true
	}
}

// countOwn takes in a check of our own, or what stands for it.
func countOwn(c *Controller, s *serviceState, h event.HealthLog) {
	s.goodRun.count(h)
	s.served.count(h)
	countUpdate(c, s, h)
}

// noteContainer notes what was seen of a service's container.
func noteContainer(c *Controller, s *serviceState, of container.State, now time.Time) {
	answered := s.status.WasUp() && s.isOnlyContainer(of) && !of.StartedAt.IsZero()
	noteUpdate(c, s, of, now)
	s.noteContainer(of, answered || c.engine.Of(of.Name).Ran(of.ID))
}

// run counts good scheduled checks of our own in a row.
type run struct {
	n     int
	first time.Time // when the first good one of the run began, also beside the schedule
}

// count takes one check. One beside the schedule verifies nothing, but may be the
// first that was good.
func (r *run) count(h event.HealthLog) {
	switch {
	case h.Status == event.Down && (!h.Extra || r.n == 0):
		*r = run{}
		return
	case h.Status == event.Down:
		return
	case r.first.IsZero():
		r.first = h.Time()
	}
	if !h.Extra {
		r.n++
	}
}

// execution is the newest intent in this life of the process, from before it
// was written to its result. A new life starts without it.
type execution struct {
	incident string
	attempt  int
	wrote    time.Time // before the intent was written: the deadline counts from here
	running  bool      // the call runs
	result   *Executed // its outcome, not on the topic yet
	unknown  time.Time // since when it is unknown whether the call took effect
}

// verification is the running verification of a repair.
type verification struct {
	attempt  int
	since    time.Time // only checks that began after it count
	deadline time.Time
	late     time.Time // until then checks that are late are waited for, also past the deadline
	run      run
	takeover bool      // the call was a predecessor's: the container is inspected first
	downFrom time.Time // since when the container is down again
}

// observe takes in what interrupts the run of good checks.
func (v *verification) observe(engineLost bool, level event.Status, ownKnown bool, timeout time.Duration, now time.Time) {
	down := level == event.Down
	if engineLost {
		v.deadline = now.Add(timeout) // the verification cannot end meanwhile
	}
	if engineLost || down || !ownKnown {
		v.run = run{}
	}
	switch {
	case engineLost:
	case !down:
		v.downFrom = time.Time{}
	case v.downFrom.IsZero():
		v.downFrom = now
	}
}

// await takes in whether the checks are late: none of ours that began after the repair
// was read for longer than one may take. From then on there is as much time again as good
// checks need, and at most twice.
func (v *verification) await(own event.HealthLog, known bool, def service.Definition, timeout time.Duration, now time.Time) {
	newest := v.since
	if known {
		newest = later(newest, own.Time())
	}
	if def.IsContainerAlone() || now.Sub(newest) <= def.Timeout+2*def.Interval {
		return
	}
	checks := timeout - def.StartPeriod - def.Push.Grace
	if latest := v.since.Add(timeout + 2*checks); now.Add(checks).Before(latest) {
		v.late = now.Add(checks)
	} else {
		v.late = latest
	}
}

// over says whether the time of a verification has passed. A check that is bad is not
// waited for.
func (v verification) over(own event.HealthLog, known bool, now time.Time) bool {
	bad := known && own.Status == event.Down && own.Time().After(v.since)
	return now.After(v.deadline) && (bad || now.After(v.late))
}

// extend begins the time of a verification anew while nothing can be verified.
func (v *verification) extend(timeout time.Duration, now time.Time) {
	if v.attempt > 0 {
		v.deadline = now.Add(timeout)
	}
}

// waiting is since when facts are waited for.
type waiting struct {
	undecided time.Time // the checks have not decided
	events    time.Time // the engine's events lag behind what was inspected
	gaveUpOn  time.Time // StartedAt or FinishedAt of the state whose events were waited for in vain
	removal   time.Time // the engine's event of a removal lags behind the removal
}

// removalKnown says whether the engine's event of the container's removal was
// read, or does not come: it stands on the stream a moment after the container
// is gone, and shows that a deployment may be under way.
func (s *serviceState) removalKnown(h history.History, now time.Time) bool {
	_, read := h.Last(func(_ int, e history.Event) bool { return s.container == nil || e.ID == s.container.ID }, "destroy", "rename")
	s.waiting.removal = since(s.waiting.removal, !read, now)
	return read || now.Sub(s.waiting.removal) > patience
}

// since is when something that is the case began: before, or now.
func since(before time.Time, is bool, now time.Time) time.Time {
	switch {
	case !is:
		return time.Time{}
	case before.IsZero():
		return now
	}
	return before
}

// isTarget says whether an event is of the container that the service has, as
// far as that is known.
func (s *serviceState) isTarget(e history.Event) bool {
	l := s.inspection
	return l.at.IsZero() || l.err != nil || l.stale || e.ID == l.state.ID
}

// isOnlyContainer says that no other container was the service's: what was UP
// under the present definition was this one.
func (s *serviceState) isOnlyContainer(of container.State) bool {
	for id := range s.ran {
		if id != of.ID {
			return false
		}
	}
	return s.container == nil || s.container.ID == of.ID
}

// prepare is what an event that is about to be written means for this life.
func (s *serviceState) prepare(incident string, data event.Data, now time.Time) {
	switch data := data.(type) {
	case event.Diagnosed:
		s.consultation = consultation{request: s.consultation.request, incident: s.consultation.incident}
	case event.ActionStarted:
		s.execution = execution{incident: incident, attempt: data.Attempt, wrote: now}
		s.verification, s.waiting = verification{}, waiting{}
	case event.ActionFinished:
		s.inspection.stale = true
	case event.Verified:
		s.inspection.stale = s.inspection.stale || !data.OK
	}
}

// fold makes of the service what it is once e was read back.
func (s *serviceState) fold(e event.Incident) {
	if e.Type == event.TypeOpened {
		s.incident = nil
		s.begin(e.ID)
	}
	s.incident = s.incident.With(e)
}

// begin makes the service ready for a new incident.
func (s *serviceState) begin(incident string) {
	if s.execution.incident != incident { // its intent was not written with its opening
		s.execution = execution{}
	}
	s.verification, s.waiting, s.byHand = verification{}, waiting{}, nil
}
