package healer

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"logstream/healer/llm"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// sim is a rough model of everything around the healer's core: an engine with
// its containers, the services in them, the monitor, a log that can be
// unreachable, and a process that can be killed at any instant. It drives the
// real core and checks, at every step, what must never happen.
//
// It speaks to the core in inputs alone, and knows of it what its effects and
// its records say: no scenario depends on a field of the core.
type sim struct {
	undiscovered bool // what is discovered is not known now
	discovering  bool // and will be
	seed         uint64
	rng          *rand.Rand
	now          time.Time
	ahead        time.Duration // by which the engine's clock is ahead of ours
	queue        agenda
	n            int // for the order of what happens at the same time

	boxes  []*box
	engine bool // it answers
	stream bool // its events are read
	steady bool // nothing rare happens
	// stopFirst is the order of Docker 29: stop before die, and events that may
	// come after the call returned. Docker 20.10 reports die first.
	stopFirst bool
	backAt    time.Time // when the engine last came back: a verification begins anew then
	missed    []event.Docker
	happened  map[time.Time]time.Time // by our clock, by the engine's time of its event
	life      int                     // of our process; odd: it runs
	severed   int                     // the life of which nothing arrives that was on its way when it ended
	core      *Controller
	cfg       Config
	protected []string
	replaying time.Duration // how long a replay takes; zero: up to 300 ms

	logUp     bool
	waiting   []func() // deliveries that wait for the log
	incidents []written
	health    []onWire[ReadHealth]
	docker    []onWire[ReadDocker]
	services  []onWire[ReadService]
	commands  []onWire[ReadCommand]
	unclaimed []event.Docker // reported before there is a claim
	revision  int64          // of what the monitor wrote

	model   func(modelQuery) (llm.Answer, time.Duration) // what it answers and after how long; negative: never; nil: there is no model
	queries []queriedAt
	collect func(Collect) (runbook.Collected, time.Duration) // what is found and after how long; negative: never; nil: nothing is, soon

	lines   []string                           // that every container wrote
	compare func(CompareLogs) event.UpdateLogs // what a comparison of its log finds; nil: nothing is known from before

	keeps    bool            // specifications are kept
	specs    map[string]bool // those that are, by their keys
	comes    time.Time       // until then something may come from outside
	windows  []window        // of maintenance
	deployed int             // images and specifications so far

	inputs int // since the last outside input, for the rate
	last   time.Time
	trace  []string
	broken string // the first invariant that did not hold

	calls    map[string]int  // calls made, by incident and attempt
	running  map[string]bool // calls that run, by service
	finished map[string]bool // attempts whose result is on the log
	seen     map[string]bool // intents read back in this life
	readAt   map[string]time.Time

	nonce       string                    // of this life's claim
	folded      *state.Incidents          // the fold of what this life has read
	replayed    bool                      // this life has read to the end
	ownerSince  time.Time                 // when this life's claim was read back
	loses       func(event.Incident) bool // an append that fails, and is not written; nil: none
	outstanding map[string]event.Incident // appends that were taken and not delivered back, by service
	published   map[string]event.Service  // the newest of each service, whether the log took it or not
}

// written is a record of the incidents' topic.
type written struct {
	value []byte
	event event.Incident
	copy  time.Time // when it was published again; zero: it is ours
}

// onWire is a record of another topic.
type onWire[I Input] struct {
	in   I
	at   time.Time
	copy bool // it was published again
}

// box is a container with its service.
type box struct {
	def        service.Definition
	state      container.State
	app        string // ok, error, hang and deaf (until a restart), broken (for ever), patchy (each third check fails, for ever)
	checks     int
	flap       bool // what it answers while broken changes with each check
	flapped    bool
	busy       bool // a call runs in the engine
	levelAt    time.Time
	level      event.Status
	levelNonce string
	extraUntil time.Time
	stops      int // by outside

	stubborn   bool                   // its process ignores the stop signal
	slow       time.Duration          // how much longer a restart takes
	refusals   int                    // calls that the engine will refuse
	lostAnswer bool                   // the answer to the next call gets lost
	gone       bool                   // no container has its name
	cutOff     bool                   // for former was taken out of its place, and no other was made
	unleveled  bool                   // the monitor cannot see its container
	removed    bool                   // a user removed it
	renewals   int                    // containers that had its name after the first
	checked    bool                   // the container has a HEALTHCHECK
	shallow    bool                   // which succeeds whatever the service does
	health     event.Status           // as last written under levelNonce; empty: not since it started
	loops      bool                   // the monitor takes it for a crash loop
	unchecked  bool                   // the monitor does not check it
	job        bool                   // what needs it needs it to have ended well
	asked      int                    // checks of it that were asked for beside the schedule
	mute       bool                   // and none of those is made
	cut        bool                   // checks do not reach it
	plugged    bool                   // it answers in its networks alone
	former     *former                // the container that gave its place to this one, and is kept
	startup    time.Duration          // how long it refuses connections after each start
	script     func(done func(error)) // what the operator's command does; nil: nothing to the container
	broken     map[string]bool        // in which images and specifications the service is
}

type agenda []*happening

type happening struct {
	at time.Time
	n  int
	do func()
}

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].n < a[j].n
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(*happening)) }
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	*a = old[:len(old)-1]
	return last
}

var simStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// newSim is a sim with so many boxes, whose process starts at once. Options are
// applied before it does: they say how it is configured.
func newSim(seed uint64, boxes int, options ...func(*sim)) *sim {
	m := &sim{seed: seed, rng: rand.New(rand.NewPCG(seed, 17)), now: simStart, engine: true, logUp: true, cfg: Default(), stopFirst: seed/2%2 == 1,
		happened: map[time.Time]time.Time{}, calls: map[string]int{}, running: map[string]bool{}, finished: map[string]bool{}, readAt: map[string]time.Time{}, published: map[string]event.Service{}}
	m.cfg.Mode = service.Auto
	m.cfg.ManualGrace = time.Second
	m.cfg.Budget.HostPerMinute = 30
	for i := range boxes {
		def := service.Default()
		def.Name, def.URL = fmt.Sprintf("svc-%d", i), "http://localhost"
		def.Container = def.Name
		def.Interval, def.Timeout, def.FailureThreshold, def.SuccessThreshold = 2*time.Second, time.Second, 2, 2
		b := &box{def: def, app: "ok"}
		b.state = container.State{Name: def.Name, ID: "id-" + def.Name, Image: "img", ImageID: "sha", SpecHash: "spec", Status: container.Running,
			StartedAt: m.now.Add(-time.Hour), StopTimeout: 10 * time.Second}
		m.boxes = append(m.boxes, b)
	}
	for _, option := range options {
		option(m)
	}
	for _, b := range m.boxes {
		if b.checked {
			b.state.Health = container.Starting
			b.state.HealthEach = max(b.state.HealthEach, 5*time.Second)
			m.after(b.state.HealthEach, func() { m.runHealth(b) })
		}
	}
	m.boot()
	m.after(100*time.Millisecond, m.beat)
	return m
}

func (m *sim) after(d time.Duration, do func()) {
	m.n++
	heap.Push(&m.queue, &happening{m.now.Add(d), m.n, do})
}

func (m *sim) between(low, high time.Duration) time.Duration {
	return low + time.Duration(m.rng.Int64N(int64(high-low)+1))
}

// chance says whether one of the rare things happens; in a steady sim none does.
func (m *sim) chance(p float64) bool { return !m.steady && m.rng.Float64() < p }

func (m *sim) note(format string, args ...any) {
	if m.trace != nil {
		m.trace = append(m.trace, fmt.Sprintf("%8.3f ", m.now.Sub(simStart).Seconds())+fmt.Sprintf(format, args...))
	}
}

func (m *sim) violated(format string, args ...any) {
	if m.broken == "" {
		m.broken = fmt.Sprintf("at %.3f s: ", m.now.Sub(simStart).Seconds()) + fmt.Sprintf(format, args...)
		m.note("VIOLATED %s", m.broken)
	}
}

// run goes on for d.
func (m *sim) run(d time.Duration) {
	end := m.now.Add(d)
	for len(m.queue) > 0 && !m.queue[0].at.After(end) && m.broken == "" {
		next := heap.Pop(&m.queue).(*happening)
		m.now = next.at
		next.do()
	}
	m.now = end
}

// --- the clock ---

// sleep lets d pass in which nothing happens, as on a machine that was suspended.
func (m *sim) sleep(d time.Duration) {
	m.now = m.now.Add(d)
	for _, h := range m.queue {
		h.at = h.at.Add(d)
	}
}

// setClock moves the clock by d, which may be negative. What waits, waits on.
func (m *sim) setClock(d time.Duration) {
	m.sleep(d)
	m.last = minTime(m.last, m.now)
	for topic, at := range m.readAt {
		m.readAt[topic] = minTime(at, m.now)
	}
	for _, b := range m.boxes {
		b.levelAt = minTime(b.levelAt, m.now)
	}
}

// until goes on until something is the case, for at most a minute.
func (m *sim) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 60000 {
		if is() {
			return
		}
		m.run(time.Millisecond)
	}
	t.Fatalf("within a minute it never came to this: %s", what)
}

func key(id string, attempt int) string { return fmt.Sprintf("%s/%d", id, attempt) }

func decoded(value []byte) event.Incident {
	e, err := event.DecodeIncident(value)
	if err != nil {
		panic(err)
	}
	return e
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func laterTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
