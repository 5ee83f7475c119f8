package healer

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"logstream/healer/llm"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// sim is a rough model of everything around the World: an engine with its
// containers, the services in them, the monitor, a log that can be away, and a
// process that can be killed at any instant. It drives the real World and
// checks, at every step, what must never happen.
type sim struct {
	seed  uint64
	rng   *rand.Rand
	now   time.Time
	queue agenda
	n     int // for the order of what happens at the same time

	boxes  []*box
	engine bool // it answers
	stream bool // its events are read
	steady bool // nothing rare happens
	// stopFirst is the order of Docker 29: stop before die, and events that may
	// come after the call returned. Docker 20.10 tells die first.
	stopFirst bool
	backAt    time.Time // when the engine last came back: a proof begins anew then
	missed    []event.Docker
	alive     int // the life of our process; odd: it runs
	world     *World
	cfg       Config

	logUp     bool
	waiting   []func() // deliveries that wait for the log
	incidents []written
	health    []onWire[ReadHealth]
	docker    []onWire[ReadDocker]
	said      []onWire[ReadService]
	unclaimed []event.Docker // told before there is a claim
	revision  int64          // of what the monitor wrote
	services  map[string]event.Service
	commands  []event.Command

	model func(Ask) (llm.Answer, time.Duration) // what it answers and after how long; negative: never; nil: there is no model

	inputs int // since the last outside input, for the rate
	last   time.Time
	trace  []string
	broken string // the first invariant that did not hold

	asked    int             // questions to the model
	calls    map[string]int  // calls made, by incident and attempt
	running  map[string]bool // calls that run, by service
	finished map[string]bool // attempts whose result is on the log
	seen     map[string]bool // intents read back in this life
	readAt   map[string]time.Time
}

// written is a record of the incidents' topic.
type written struct {
	value []byte
	event event.Incident
	copy  time.Time // when somebody published it again; zero: it is ours
}

// onWire is a record of another topic.
type onWire[I Input] struct {
	in   I
	at   time.Time
	copy bool // somebody published it again
}

// box is a container with its service.
type box struct {
	def        service.Definition
	state      container.State
	app        string // ok, error (until a restart), broken (for ever)
	flap       bool   // what it answers while broken changes with each check
	flapped    bool
	busy       bool // a call runs in the engine
	levelAt    time.Time
	level      event.Status
	levelNonce string
	extraUntil time.Time
	stops      int // by outside
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

func newSim(seed uint64, boxes int) *sim {
	m := &sim{seed: seed, rng: rand.New(rand.NewPCG(seed, 17)), now: simStart, engine: true, logUp: true, cfg: Default(), stopFirst: seed/2%2 == 1,
		services: map[string]event.Service{}, calls: map[string]int{}, running: map[string]bool{}, finished: map[string]bool{},
		readAt: map[string]time.Time{}}
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

// --- our process ---

func (m *sim) on() bool { return m.alive%2 == 1 }

// living wraps what only happens while the present life lasts.
func (m *sim) living(do func()) func() {
	life := m.alive
	return func() {
		if m.alive == life {
			do()
		}
	}
}

// boot starts a life: replay, claim, monitor.
func (m *sim) boot() {
	m.alive++
	m.note("boot, life %d", m.alive)
	var defs []service.Definition
	for _, b := range m.boxes {
		defs = append(defs, b.def)
		b.levelNonce, b.level = "", ""
	}
	for _, e := range m.unclaimed {
		if e.Container != "" {
			m.miss(e)
		}
	}
	m.unclaimed = nil
	m.stream = false
	m.seen = map[string]bool{}
	m.running = map[string]bool{}
	m.world = NewWorld(m.cfg, "me", "local", defs, nil, m.now)
	m.after(m.between(10*time.Millisecond, 300*time.Millisecond), m.living(m.replay))
	if m.model != nil {
		m.after(20*time.Millisecond, m.living(func() { m.step(ModelIs{Ready: true}) }))
	}
}

func (m *sim) replay() {
	if !m.logUp {
		m.waiting = append(m.waiting, m.living(m.replay))
		return
	}
	for _, r := range m.said {
		m.world.Step(r.in, r.at)
	}
	for _, w := range m.incidents {
		at := w.event.Time
		if !w.copy.IsZero() {
			at = w.copy
		}
		m.world.Step(ReadIncident{decoded(w.value)}, minTime(at, m.now))
	}
	for _, d := range m.docker {
		if m.now.Sub(d.at) < pastEvents {
			m.world.Step(d.in, d.at)
		}
	}
	for _, c := range m.commands {
		m.world.Step(ReadCommand{c}, minTime(c.Time, m.now))
	}
	for _, h := range m.health {
		if m.now.Sub(h.at) < pastHealth {
			m.world.Step(h.in, h.at)
		}
	}
	m.step(Replayed{fmt.Sprintf("nonce-%d", m.alive)})
	m.after(0, m.living(m.connect))
	for i, b := range m.boxes {
		m.after(time.Duration(i+1)*137*time.Millisecond, m.living(func() { m.probe(b, false) }))
		b.extraUntil = m.now.Add(5 * time.Second)
		m.after(time.Duration(i+1)*137*time.Millisecond+500*time.Millisecond, m.living(func() { m.extra(b) }))
	}
}

// kill ends our process at once. What was on its way may arrive or not.
func (m *sim) kill() {
	if m.on() {
		m.note("kill -9")
		m.alive++
		m.world = nil
		// Whoever is not there misses what the engine tells.
		m.after(m.between(100*time.Millisecond, 15*time.Second), m.boot)
	}
}

func (m *sim) beat() {
	m.after(100*time.Millisecond, m.beat)
	if m.on() {
		m.step(Tick{})
		m.claimed()
		for _, b := range m.boxes {
			m.keepLevel(b)
		}
	}
	m.check()
}

func (m *sim) step(in Input) {
	for _, e := range m.world.Step(in, m.now) {
		m.carry(e)
	}
}

// read gives the world a record, when the log can be read.
func (m *sim) read(topic string, in func() Input) {
	if !m.on() {
		return // it is replayed
	}
	at := laterTime(m.now.Add(m.between(time.Millisecond, 20*time.Millisecond)), m.readAt[topic])
	m.readAt[topic] = at // each topic keeps its order
	m.after(at.Sub(m.now), m.living(func() { m.deliver(in) }))
}

func (m *sim) deliver(in func() Input) {
	if !m.logUp {
		m.waiting = append(m.waiting, m.living(func() { m.deliver(in) }))
		return
	}
	input := in()
	if read, is := input.(ReadIncident); is {
		if data, is := read.Event.Data.(event.ActionStarted); is {
			m.seen[key(read.Event.ID, data.Attempt)] = true
		}
	}
	m.step(input)
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

// --- effects ---

func (m *sim) carry(e Effect) {
	switch e := e.(type) {
	case Append:
		m.append(e.Event)
	case Publish:
		if m.logUp {
			m.services[e.Service.Service] = e.Service
			m.said = append(m.said, onWire[ReadService]{ReadService(e), m.now, false})
			m.after(time.Millisecond, m.living(func() { m.deliver(func() Input { return ReadService(e) }) }))
		}
		ok := m.logUp
		m.after(5*time.Millisecond, m.living(func() { m.step(Published{e.Service.Service, ok}) }))
	case Look:
		m.after(m.between(2*time.Millisecond, 40*time.Millisecond), m.living(func() { m.look(e) }))
	case Ask:
		m.ask(e)
	case Act:
		m.act(e)
	}
}

func (m *sim) ask(e Ask) {
	if m.model == nil {
		m.violated("a model is asked that is not there: %s", e.Service)
		return
	}
	m.asked++
	answer, after := m.model(e)
	m.note("ask %s/%d %v: %+v after %s", e.Service, e.Request, names(e.Question.Legal), answer, after)
	if after >= 0 {
		m.after(min(after, e.Deadline.Sub(m.now)), m.living(func() { m.step(Answered{e.Service, e.Incident, e.Request, answer}) }))
	}
}

func names(legal []event.Choice) []string {
	var all []string
	for _, c := range legal {
		all = append(all, c.Action)
	}
	return all
}

func (m *sim) append(e event.Incident) {
	value := event.Encode(e)
	life := m.alive
	m.after(m.between(500*time.Microsecond, 5*time.Millisecond), func() {
		if m.alive != life && m.chance(0.5) {
			return // it died before it was sent
		}
		written := m.logUp || m.chance(0.2) // an answer can be lost while the record is there
		lost := m.logUp && m.chance(0.01)
		if written {
			m.onLog(e, value)
		}
		if m.alive == life && (!m.logUp || lost) {
			m.after(m.between(100*time.Millisecond, 3*time.Second), m.living(func() { m.step(AppendFailed{ID: e.ID, Seq: e.Seq, Service: e.Service}) }))
		}
	})
}

func (m *sim) onLog(e event.Incident, value []byte) {
	m.incidents = append(m.incidents, written{value: value, event: decoded(value)})
	m.inputs++
	m.note("log %s/%d %s %s", e.ID, e.Seq, e.Type, clip(string(event.Encode(e.Data)), 300))
	if data, is := e.Data.(event.ActionFinished); is {
		m.finished[key(e.ID, data.Attempt)] = true
	}
	m.read(event.TopicIncidents, func() Input { return ReadIncident{decoded(value)} })
}

func (m *sim) look(e Look) {
	b := m.box(e.Service)
	in := Looked{Service: e.Service, Request: e.Request, State: b.state}
	if !m.engine {
		in.State, in.Err = container.State{}, container.ErrUnavailable
	}
	m.step(in)
}

// act is what the healer's worker does: pins once more, then the call.
func (m *sim) act(e Act) {
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
	m.running[e.Service] = true
	life := m.alive
	b := m.box(e.Service)
	m.after(m.between(time.Millisecond, 10*time.Millisecond), func() {
		if m.alive != life && m.chance(0.7) {
			return
		}
		result := Acted{Service: e.Service, Incident: e.Incident, Attempt: e.Attempt}
		switch {
		case !m.engine:
			result.Err = container.ErrUnavailable
		case pinsHold(e.Pins, b.state) != "":
			result.NotMade = pinsHold(e.Pins, b.state)
		case m.now.After(e.Deadline):
			result.NotMade = "too late"
		default:
			m.calls[id]++
			m.note("call %s %s", e.Action, e.Service)
			m.call(b, e.Action, func(err error) {
				result.Err = err
				if err == nil {
					result.After = b.state
				}
				if m.engine && m.chance(0.02) {
					result.Err, result.After = fmt.Errorf("EOF: %w", container.ErrUnavailable), container.State{} // the answer got lost
				}
				m.told(life, e.Service, result)
			})
			return
		}
		m.told(life, e.Service, result)
	})
}

func (m *sim) told(life int, name string, result Acted) {
	m.after(m.between(time.Millisecond, 10*time.Millisecond), func() {
		if m.alive == life {
			delete(m.running, name)
			m.step(result)
		}
	})
}

func (m *sim) newestClaimIsOurs() bool {
	fold := state.NewIncidents()
	for _, w := range m.incidents {
		fold.Apply(w.event)
	}
	newest, claimed := fold.Newest("local")
	return claimed && newest.Nonce == m.world.claim.Nonce
}

func (m *sim) box(name string) *box {
	for _, b := range m.boxes {
		if b.def.Name == name {
			return b
		}
	}
	panic(name)
}
