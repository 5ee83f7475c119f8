package healer

import (
	"slices"
	"time"

	"logstream/healer/budget"
	"logstream/healer/claim"
	"logstream/healer/depend"
	"logstream/healer/gate"
	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

const (
	keepIncidents      = 5000
	inspectionsPerTick = 4 // of services about which nothing is open, or whose container was not seen in this life
)

// Controller is all that the healer knows, and decides from. It has no clock,
// no randomness and no I/O: Step takes one input and the time, and returns the
// effects to be executed, whose outcomes come back as inputs. The same
// inputs at the same times give the same effects.
type Controller struct {
	config    Config
	cli       string
	host      string
	instance  string
	protected []string // containers that we depend on: names, or ports of this machine such as :9092

	claim     *claim.Claim
	incidents *state.Incidents
	engine    *history.Host
	budget    budget.Host
	model     ModelState      // as last reported
	queried   map[string]bool // the services about which the model was queried, until the query is over
	hold      *gate.Hold      // the operator's switch for the whole host
	fleet     *hostFleet      // all services together

	specs    specs // the specifications that are in the data directory
	services map[string]*serviceState
	departed map[string]departed // what is remembered of services that were removed
	order    []string            // of the services, by their names
	prior    map[string]event.Service
	others   map[string]string // the hosts of services that are not ours
	graph    *depend.Graph     // of the services' dependencies; nil: it is to be made again
	made     *depend.Graph     // as it was last made, of these edges
	edges    []depend.Edge

	began       time.Time       // of this life
	replayed    bool            // everything was read up to the end seen at the start
	known       map[string]bool // instances that have signed something: ours
	engineOrder state.Order     // of the engine's events
	revision    int64           // of the services' records under this claim
	commands    map[string]time.Time
	notes       noteKeeper

	busy      string // the service whose call runs, or is about to: one Docker call at a time
	busySince time.Time

	effects []Effect
}

// Setup is what a Controller begins with.
type Setup struct {
	Config    Config
	CLI       string // the program of the commands that are shown, such as docker; empty: there is none
	Instance  string
	Host      string
	Services  []service.Definition
	Protected []string // containers that we depend on: names, or ports of this machine such as :9092
}

// NewController is a controller that has read nothing yet.
func NewController(setup Setup, now time.Time) *Controller {
	c := &Controller{config: setup.Config, cli: setup.CLI, host: setup.Host, instance: setup.Instance, protected: setup.Protected,
		claim: claim.New(setup.Host, setup.Instance), incidents: state.NewIncidents(), engine: history.NewHost(),
		services: map[string]*serviceState{}, specs: specs{}, departed: map[string]departed{}, prior: map[string]event.Service{}, others: map[string]string{}, known: map[string]bool{setup.Instance: true}, queried: map[string]bool{},
		commands: map[string]time.Time{}, notes: noteKeeper{written: map[string]time.Time{}}, began: now, fleet: newHostFleet(now)}
	if setup.Config.Decide == DecideLLM {
		c.model.Why, c.model.Code = notSeenYet, event.InvalidUnreachable
	}
	for _, def := range setup.Services {
		add(c, def, now)
	}
	return c
}

// Owner is the origin under which this instance owns its host, and whether it does.
func (c *Controller) Owner() (event.Origin, bool) {
	_, leads := c.claim.Leader()
	return c.claim.Origin(), leads
}

// Successor is the instance that took the host over, or empty.
func (c *Controller) Successor() string { return c.claim.Successor() }

// Refused is why this instance does not claim its host, or lost it, where that
// has another engine.
func (c *Controller) Refused() (claim.Refusal, bool) { return c.claim.Refused(c.newest()) }

// ownerSeen notes that the host's owner is alive.
func (c *Controller) ownerSeen(of event.Origin, now time.Time) { c.claim.Observe(of, c.newest(), now) }

// newest is the claim that counts for our host; zero where there is none.
func (c *Controller) newest() event.Claim {
	newest, _ := c.incidents.Newest(c.host)
	return newest
}

// Step takes one input at now, and returns what is to be done. It changes the
// controller in place; nothing else does.
func (c *Controller) Step(in Input, now time.Time) []Effect {
	c.effects, c.fleet.current = nil, false
	switch in := in.(type) {
	case ReadHealth:
		if in.Signed {
			c.ownerSeen(in.Log.Origin, now)
		}
		c.readHealth(in, now)
	case ReadDocker:
		c.ownerSeen(in.Event.Origin, now)
		c.readDocker(in.Event, now)
	case ReadService:
		c.ownerSeen(in.Service.Origin, now)
		c.readService(in.Service, now)
	case ReadCommand:
		c.readCommand(in.Command, now)
	case ReadIncident:
		c.readIncident(in.Event, now)
		c.ownerSeen(in.Event.Origin, now)
	case Replayed:
		c.beginClaim(in, now)
	case EngineSeen:
		if repeat, due := c.claim.OnEngine(in.ID, now); due {
			c.emit(Append{[]event.Incident{repeat}})
		}
	case Inspected:
		c.inspected(in, now)
	case Collected:
		if s := c.services[in.Service]; s != nil && s.collection.take(in) {
			c.reconcile(s, now)
		}
	case Executed:
		c.executed(in, now)
	case AppendFailed:
		c.appendFailed(in, now)
	case Published:
		published(c, in, now)
	case ModelState:
		c.model = in
	case Answered:
		c.answered(in, now)
	case LogsCompared:
		logsCompared(c, in, now)
	case SpecsKept:
		c.specs = specsOf(in.Keys)
	case Reconfigured:
		reconfigure(c, in, now)
	case Tick:
		c.tick(now)
	}
	return c.effects
}

func (c *Controller) emit(e Effect) { c.effects = append(c.effects, e) }

// reconcile decides again about one service, and publishes what changed.
func (c *Controller) reconcile(s *serviceState, now time.Time) {
	if s == c.fleet.self {
		reconcileFleet(c, now)
		return
	}
	c.fleet.touch(s)
	if _, leads := c.claim.Leader(); !leads {
		return
	}
	for !s.journal.Pending() && s.deferred.next(c, now) { // those that are refused hold nothing up
	}
	if s.journal.Pending() {
		c.repeat(s, now)
	} else if !s.idle() {
		v := newView(c, s, now)
		c.apply(s, v, Plan(v), now)
		if !v.acts() {
			s.journal.ClearUnwritable()
		}
	}
	judgeUpdate(c, s, now)
	remember(c, s, now)
	publish(c, s, now)
}

// apply does what was decided.
func (c *Controller) apply(s *serviceState, v View, d Decision, now time.Time) {
	switch d.Kind {
	case DoAppend:
		c.append(s, d.By, d.Data, now)
	case DoHold:
		if !v.holds(d.Verdict) {
			c.append(s, event.ByGuard, suppressed(v, d.Verdict), now)
		}
		wake(c, d.Verdict, now)
	case DoInspect:
		c.inspect(s, now)
	case DoCollect:
		c.emit(Collect{Service: s.def.Name, Request: s.collection.begin(v, now), Container: v.Inspection.state, Definition: s.def})
	case DoCheck:
		checkNow(c, s, d.Check, now)
	case DoQuery:
		q := d.Query.next
		q.request = s.consultation.request + 1
		s.consultation = q
		c.queried[s.def.Name] = true
		c.emit(Query{Service: s.def.Name, Incident: s.incident.ID, Request: q.request, Question: d.Query.question, Deadline: d.Query.deadline})
	case DoExecute:
		begun, _ := s.incident.Last(event.TypeActionStarted)
		intent := begun.Data.(event.ActionStarted)
		s.execution.running = true
		c.emit(Execute{Service: s.def.Name, Ref: s.def.Container, Incident: s.incident.ID, Attempt: intent.Attempt, Intent: intent, Deadline: deadline(v, intent)})
	}
}

// append writes the next event of the service's incident, or opens one, and what follows
// from it. Until all of it is confirmed nothing else is written for that incident.
func (c *Controller) append(s *serviceState, by string, data event.Data, now time.Time) {
	events := ahead(c, s, by, data, now)
	s.journal.Append(events, now)
	c.emit(Append{events})
}

// repeat writes what is outstanding once more, where it is time to.
func (c *Controller) repeat(s *serviceState, now time.Time) {
	if due := s.journal.Due(now); due != nil {
		c.emit(Append{due})
	}
}

func (c *Controller) inspect(s *serviceState, now time.Time) {
	c.emit(Inspect{Service: s.def.Name, Request: s.inspection.begin(!s.idle(), now), Ref: s.def.Container, Logs: !s.idle(), Since: s.signsSince()})
}

func (c *Controller) tick(now time.Time) {
	if !c.replayed {
		return // what is replayed has its own time: by ours all of it is long stale
	}
	if e, repeat, due := c.claim.Tick(c.newest(), now); due {
		c.emit(Append{[]event.Incident{e}})
		if repeat {
			c.incidents.Forget(keepIncidents)
			c.forgetCommands(now)
			c.renewHold(now)
		}
	}
	c.engine.Tick(now)
	c.budget.Tick(now)
	if c.hold != nil && !c.hold.Until.IsZero() && now.After(c.hold.Until) {
		c.hold = nil
	}
	c.fleet.turns.begin()
	inspections, lessons := inspectionsPerTick, learnPerTick
	_, leads := c.claim.Leader()
	for _, name := range slices.Clone(c.order) {
		s := c.services[name]
		if inspections > 0 && leads && s.def.Container != "" && (!s.open() || !s.inspected()) && !s.removed && !c.engine.Lost() && s.inspection.idleDue(now) {
			c.inspect(s, now)
			inspections--
		}
		if lessons > 0 && leads && !c.engine.Lost() && learnDue(s, now) {
			learn(c, s, now)
			lessons--
		}
		s.budget.Tick(now)
		passed := s.status.Tick(now)
		if s.silence != nil && !now.Before(s.silence.Until) {
			s.silence = nil
		}
		if passed || !s.rests(now) || c.fleet.turns.next() {
			c.reconcile(s, now)
		}
	}
	if leads {
		compareLogs(c, now)
		writeNotes(c, now)
	}
	reconcileFleet(c, now)
}

// beginClaim ends the replay: everything was read to the end, and the host is claimed.
func (c *Controller) beginClaim(in Replayed, now time.Time) {
	c.replayed, c.graph, c.fleet.graph = true, nil, nil
	c.incidents.Forget(keepIncidents)
	for name, s := range c.services {
		s.removed = s.removed || s.seeded && !in.Discovering
		s.status.Watch(now)
		if prior, known := c.prior[name]; known && prior.Definition != nil {
			s.status.Keep(prior)
		}
	}
	if e, due := c.claim.Begin(c.newest(), in.Nonce, now); due {
		c.emit(Append{[]event.Incident{e}})
	}
}

// mode is what may be done about a service.
func (c *Controller) mode(def service.Definition) service.Mode {
	if def.Heal.Mode != "" {
		return def.Heal.Mode
	}
	return c.config.Mode
}

// isExternalStop says whether event i of that container was requested from outside.
func (c *Controller) isExternalStop(name string, i int, e history.Event) bool {
	if c.engine.StoppedByEngine(e.ReadAt) {
		return false
	}
	for _, s := range c.services {
		if s.containerName() == name && (s.injected(e.ReadAt) || c.engine.Of(name).Own(intents(c, s))[i]) {
			return false
		}
	}
	return true
}

// beginVerification begins the verification of a repair whose result was
// confirmed, or of a predecessor's.
func (c *Controller) beginVerification(s *serviceState, attempt int, takeover bool, now time.Time) {
	s.verification = verification{attempt: attempt, since: now, deadline: now.Add(verifyTimeout(c.config, s.def)), takeover: takeover}
	if takeover {
		s.inspection.stale = true
	}
}

// resumeUnknown takes up an intent whose outcome is unknown to this life.
func (c *Controller) resumeUnknown(s *serviceState, incident string, attempt int, now time.Time) {
	s.execution = execution{incident: incident, attempt: attempt, unknown: now}
	c.busy, c.busySince = s.def.Name, now
	s.inspection.stale = true
}
