package healer

import (
	"slices"
	"strings"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// World is all that the healer knows, and decides from. It has no clock, no
// randomness and no I/O: Step takes one input and the time, and returns the
// effects to be carried out, whose outcomes come back as inputs. The same
// inputs at the same times give the same effects.
type World struct {
	cfg      Config
	instance string
	host     string

	model ModelIs // as last heard

	incidents *state.Incidents
	services  map[string]*svc
	order     []string
	histories map[string]history.History // of engine events, by container name
	prior     map[string]event.Service   // removed ones as well, so that they stay removed
	known     map[string]bool            // instances that have signed something: ours
	began     time.Time                  // of this life
	told      state.Order                // of the engine's events
	revision  int64                      // of the services' records under this claim

	claim      event.Claim // our newest claim, written or about to be
	writing    bool        // the claim is written and not read back yet
	wroteAt    time.Time
	owner      bool
	claimedAt  time.Time // of the newest claim or its repeat
	ownerSince time.Time
	foreign    string // who took over: nothing is done any more
	minted     int    // incident ids under this claim

	replayed   bool
	streamLost time.Time // when the engine's events ended, as heard; zero while they are read
	streamBack time.Time
	lost       []time.Time          // when they ended, within the histories' reach
	projects   map[string]time.Time // when a container of a Compose project was last made, removed or renamed
	replacing  []history.Event      // containers that were made of late to replace another
	protected  []string             // containers that we depend on: names, or ports of this machine such as :9092
	busy       string               // the service whose action runs, or is about to: one Docker call at a time
	busySince  time.Time
	recent     []time.Time          // intents on this host within the last minute
	asked      map[string]time.Time // commands that were read, by id, and their results: when they were given
	held       *hold                // the operator's switch for the whole host

	effects []Effect
}

type hold struct {
	by     string
	reason string
	until  time.Time // zero: until it is released
}

// svc is one service of this host.
type svc struct {
	def      service.Definition
	masked   *event.Definition // def as the log shows it, and its hash
	hash     string
	removed  bool
	status   *state.Status
	read     map[string]*state.Order // of the owner's own sources, by check
	back     state.Order             // of what was published of it
	incident *state.Incident         // the newest; may be resolved

	container *event.ServiceContainer
	ranIDs    map[string]bool // containers that were seen running

	pending   *event.Incident // the one append that is outstanding
	pendingAt time.Time       // when it was last tried
	away      time.Time       // since when its appends fail; zero: they don't
	wasAway   time.Duration   // for how long they failed, to be told once they don't

	look       look
	consulting consulting
	work       work
	good       run // scheduled good checks of our own since it is good
	hour       []time.Time
	fails      int       // repairs in a row that did not hold
	failed     time.Time // the last of them
	unmade     time.Time // when an intent was last closed as not carried out
	chaos      []time.Time

	published   event.Service
	publishing  bool
	publishedAt time.Time
}

// run counts good scheduled checks of our own in a row.
type run struct {
	n     int
	first time.Time // when the first good one of the run began, also beside the schedule
}

// look is what was last seen of the container.
type look struct {
	request int // the newest
	open    bool
	asked   time.Time
	at      time.Time // zero: never
	state   container.State
	err     error
	logs    []string
	dirty   bool // something happened since
}

// work is what is going on in this life of the process about the newest
// incident. A new life starts without it.
type work struct {
	incident string
	attempt  int
	ours     bool      // the intent was written in this life
	wrote    time.Time // before the intent was written: the deadline counts from here
	acting   bool      // the call runs
	acted    *Acted    // its outcome, not on the log yet
	doubt    time.Time // since when it is unknown whether the call took effect
	verify   *verifying
	waiting  time.Time      // since when the checks have not decided yet
	missing  time.Time      // since when the engine's events lag behind what was seen
	gaveUp   time.Time      // StartedAt or FinishedAt of the state whose events were waited for in vain
	asked    *event.Command // for which the incident was ended, to begin one by hand
}

// verifying is the proof of a repair under way.
type verifying struct {
	attempt  int
	since    time.Time // only checks that began after it count
	deadline time.Time
	run      run
	takeover bool // the call was a predecessor's: look first
	downFrom time.Time
}

// NewWorld is the world before anything was read.
// Protected are the containers that we depend on: names, or ports of this
// machine such as :9092.
func NewWorld(cfg Config, instance, host string, services []service.Definition, protected []string, now time.Time) *World {
	w := &World{cfg: cfg, instance: instance, host: host, incidents: state.NewIncidents(),
		services: map[string]*svc{}, histories: map[string]history.History{}, prior: map[string]event.Service{}, known: map[string]bool{instance: true}, protected: protected, asked: map[string]time.Time{}, projects: map[string]time.Time{}, began: now}
	if cfg.Decide == DecideLLM {
		w.model.Code, w.model.Why = event.InvalidUnreachable, notHeard
	}
	for _, def := range services {
		w.add(def, now)
	}
	return w
}

func (w *World) add(def service.Definition, now time.Time) *svc {
	s := &svc{ranIDs: map[string]bool{}, read: map[string]*state.Order{}}
	s.define(def)
	var published *event.Service
	if prior, known := w.prior[def.Name]; known && prior.Definition != nil {
		published = &prior
	}
	s.status = state.NewStatus(def, published, now)
	if published != nil && published.Container != nil {
		kept := *published.Container
		s.container = &kept
		if kept.Ran {
			s.ranIDs[kept.ID] = true
		}
	}
	if all := w.incidents.Of(def.Name, w.host); len(all) > 0 {
		s.incident = all[len(all)-1]
	}
	w.services[def.Name] = s
	w.order = append(w.order, def.Name)
	return s
}

func (s *svc) define(def service.Definition) {
	s.def, s.masked, s.hash = def, def.Masked(), def.Hash()
}

// Owner is the origin under which this instance owns its host, and whether it does.
func (w *World) Owner() (event.Origin, bool) { return w.origin(), w.owner }

// Foreign is the instance that took the host over, or empty.
func (w *World) Foreign() string { return w.foreign }

func (w *World) origin() event.Origin {
	return event.Origin{Instance: w.instance, Host: w.host, Epoch: w.claim.Epoch, Nonce: w.claim.Nonce}
}

func (w *World) emit(e Effect) { w.effects = append(w.effects, e) }

// name is the name of the service's container, as far as it is known.
func (s *svc) name() string {
	if s.container != nil && s.container.Name != "" {
		return s.container.Name
	}
	return s.def.Container
}

// history is what the engine told of the containers of the service's name.
func (w *World) history(s *svc) history.History { return w.histories[s.name()] }

// stopOf is how a container is stopped.
func stopOf(c container.State) history.Stop {
	return history.Stop{Signal: c.StopSignal, Timeout: c.StopTimeout}
}

// open says whether the newest incident has not ended.
func (s *svc) open() bool { return s.incident != nil && s.incident.State != state.Resolved }

// verifyNeeded is how many good scheduled checks in a row prove a repair:
// max(successes, ⌈for / interval⌉).
func (w *World) verifyNeeded(def service.Definition) int {
	checks := int((w.cfg.Verify.For + def.Interval - 1) / def.Interval)
	return max(w.cfg.Verify.Successes, checks, 1)
}

// verifyTimeout is how long a proof may take.
func (w *World) verifyTimeout(def service.Definition) time.Duration {
	return def.StartPeriod + max(2*w.cfg.Verify.For, time.Duration(w.verifyNeeded(def)+2)*def.Interval)
}

// deadline is how long an action may take, from before its intent is written.
func deadline(action string, stopTimeout time.Duration) time.Duration {
	if action == service.ActionRestart {
		return stopTimeout + 15*time.Second
	}
	return 10 * time.Second
}

// trim drops what is older than age.
func trim(times []time.Time, now time.Time, age time.Duration) []time.Time {
	return slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) > age })
}

// notAhead makes times that a clock that was set back left in the future those
// of now: what waits for them waits no longer than it would have.
func notAhead(times []time.Time, now time.Time) []time.Time {
	for i, t := range times {
		times[i] = earlierOf(t, now)
	}
	return times
}

func earlierOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// protects says whether we depend on a container: a broker of ours, our model,
// by its name or by a port of this machine that leads to it.
func (w *World) protects(c container.State) bool {
	return slices.Contains(w.protected, c.Name) || c.Service != "" && slices.Contains(w.protected, c.Service) ||
		slices.ContainsFunc(strings.Fields(c.HostPorts), func(port string) bool { return slices.Contains(w.protected, ":"+port) })
}
