package healer

import (
	"bytes"
	"container/heap"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

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
	rng   *rand.Rand
	now   time.Time
	queue agenda
	n     int // for the order of what happens at the same time

	boxes  []*box
	engine bool      // it answers
	stream bool      // its events are read
	steady bool      // nothing rare happens
	backAt time.Time // when the engine last came back: a proof begins anew then
	missed []event.Docker
	alive  int // the life of our process; odd: it runs
	world  *World
	cfg    Config

	logUp     bool
	waiting   []func() // deliveries that wait for the log
	incidents []written
	health    []ReadHealth
	docker    []event.Docker
	services  map[string]event.Service
	commands  []event.Command

	inputs int // since the last outside input, for the rate
	last   time.Time
	trace  []string
	broken string // the first invariant that did not hold

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
	m := &sim{rng: rand.New(rand.NewPCG(seed, 17)), now: simStart, engine: true, logUp: true, cfg: Default(),
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
	m.stream = false
	m.seen = map[string]bool{}
	m.running = map[string]bool{}
	m.world = NewWorld(m.cfg, "me", "local", defs, nil, m.now)
	m.after(m.between(10*time.Millisecond, 300*time.Millisecond), m.living(m.replay))
}

func (m *sim) replay() {
	if !m.logUp {
		m.waiting = append(m.waiting, m.living(m.replay))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		m.world.Step(ReadService{m.services[name]}, m.now)
	}
	for _, w := range m.incidents {
		m.world.Step(ReadIncident{decoded(w.value)}, minTime(w.event.Time, m.now))
	}
	for _, d := range m.docker {
		if m.now.Sub(d.Time) < 15*time.Minute {
			m.world.Step(ReadDocker{d}, minTime(d.Time, m.now))
		}
	}
	for _, c := range m.commands {
		m.world.Step(ReadCommand{c}, minTime(c.Time, m.now))
	}
	for _, h := range m.health {
		if m.now.Sub(h.Log.Time()) < 3*time.Minute {
			m.world.Step(h, h.Log.Time())
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
		}
		ok := m.logUp
		m.after(5*time.Millisecond, m.living(func() { m.step(Published{e.Service.Service, ok}) }))
	case Look:
		m.after(m.between(2*time.Millisecond, 40*time.Millisecond), m.living(func() { m.look(e) }))
	case Act:
		m.act(e)
	}
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
	m.incidents = append(m.incidents, written{value, decoded(value)})
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

// --- the engine ---

func (m *sim) call(b *box, action string, done func(error)) {
	if b.busy {
		m.after(50*time.Millisecond, func() { m.call(b, action, done) })
		return
	}
	if m.chance(0.02) {
		done(fmt.Errorf("the engine refused"))
		return
	}
	switch action {
	case service.ActionStart:
		if b.state.Status == container.Paused {
			done(fmt.Errorf("cannot start a paused container"))
			return
		}
		m.busily(b, m.between(100*time.Millisecond, 600*time.Millisecond), func() { m.start(b); done(nil) })
	case service.ActionRestart:
		m.restart(b, func() { done(nil) })
	case service.ActionUnpause:
		m.unpause(b)
		done(nil)
	}
}

func (m *sim) busily(b *box, d time.Duration, do func()) {
	b.busy = true
	m.after(d, func() { b.busy = false; do() })
}

func (m *sim) tell(b *box, action string, more func(*event.Docker)) {
	e := event.Docker{Time: m.now, Container: b.def.Name, ID: b.state.ID, Project: b.state.Project, Action: action}
	m.now = m.now.Add(time.Microsecond) // no two events at the same instant
	if more != nil {
		more(&e)
	}
	m.note("engine: %s %s", b.def.Name, action)
	if !m.on() || !m.engine || !m.stream {
		m.miss(e)
		return
	}
	m.forward(e)
}

// forward is the monitor's half: the event to the log, and the level that it causes.
func (m *sim) forward(e event.Docker) {
	life := m.alive
	delay := m.between(time.Millisecond, 300*time.Millisecond)
	at := m.now.Add(delay)
	if at.Before(m.last) {
		at = m.last
	}
	m.last = at
	m.after(at.Sub(m.now), func() {
		if m.alive != life {
			m.miss(e)
			return
		}
		m.writeDocker(e)
		b := m.box(e.Container)
		m.writeLevel(b)
		if e.Action == "start" || e.Action == "unpause" || e.Action == "restart" {
			b.extraUntil = m.now.Add(5 * time.Second)
			m.after(0, m.living(func() { m.extra(b) }))
		}
	})
}

// miss keeps an event for the next connection, which tells them in order.
func (m *sim) miss(e event.Docker) {
	m.missed = append(m.missed, e)
	slices.SortStableFunc(m.missed, func(a, b event.Docker) int { return a.Time.Compare(b.Time) })
}

func (m *sim) writeDocker(e event.Docker) {
	m.docker = append(m.docker, e)
	m.read(event.TopicDocker, func() Input { return ReadDocker{e} })
}

func (m *sim) connect() {
	if !m.engine {
		m.writeDocker(event.Docker{Time: m.now, Action: event.StreamLost})
		return
	}
	m.stream = true
	missed := m.missed
	m.missed = nil
	for _, e := range missed {
		m.writeDocker(e)
	}
	m.writeDocker(event.Docker{Time: m.now, Action: event.StreamBack})
	for _, b := range m.boxes {
		m.writeLevel(b)
	}
}

func (m *sim) writeLevel(b *box) {
	owner, owns := m.world.Owner()
	if !owns || !m.engine {
		return
	}
	status := event.Up
	if b.state.Status != container.Running {
		status = event.Down
	}
	if b.level == status && b.levelNonce == owner.Nonce && m.now.Sub(b.levelAt) < 30*time.Second {
		return
	}
	b.level, b.levelNonce, b.levelAt = status, owner.Nonce, m.now
	h := ReadHealth{event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: status, Check: event.CheckContainer, Origin: owner}, true}
	if status == event.Down {
		h.Log.Error = "container " + b.def.Name + " is " + string(b.state.Status)
	}
	m.publish(h)
}

func (m *sim) keepLevel(b *box) {
	owner, owns := m.world.Owner()
	if owns && m.engine && (b.levelNonce != owner.Nonce || m.now.Sub(b.levelAt) >= 30*time.Second) {
		m.writeLevel(b)
	}
}

func (m *sim) publish(h ReadHealth) {
	m.health = append(m.health, h)
	if len(m.health) > 2000 {
		m.health = m.health[1000:]
	}
	m.read(event.TopicHealth, func() Input { return h })
}

func (m *sim) probe(b *box, extra bool) {
	if !extra {
		m.after(b.def.Interval, m.living(func() { m.probe(b, false) }))
	}
	began := m.now
	took := m.between(time.Millisecond, 30*time.Millisecond)
	if b.state.Status == container.Paused {
		took = time.Second
	}
	m.after(took, m.living(func() {
		h := event.HealthLog{Timestamp: event.Seconds(began), Service: b.def.Name, Status: event.Up, Code: 200, Check: "http", Extra: extra,
			Origin: event.Origin{Instance: "me", Host: "local"}}
		switch {
		case b.state.Status == container.Paused:
			h.Status, h.Code, h.Error = event.Down, 0, "localhost took the connection, and didn't answer within 1s"
		case b.state.Status != container.Running:
			h.Status, h.Code, h.Error = event.Down, 0, "connection refused"
		case b.app != "ok":
			h.Status, h.Code, h.Error = event.Down, 500, "HTTP 500"
			if b.flapped = b.flap && !b.flapped; b.flapped {
				h.Code, h.Error = 0, "localhost took the connection, and didn't answer within 1s"
			}
		}
		m.after(m.between(0, 50*time.Millisecond), m.living(func() { m.publish(ReadHealth{h, true}) }))
	}))
}

func (m *sim) extra(b *box) {
	if m.now.Before(b.extraUntil) {
		m.probe(b, true)
		m.after(500*time.Millisecond, m.living(func() { m.extra(b) }))
	}
}

func (m *sim) start(b *box) {
	if b.state.Status == container.Running {
		return
	}
	b.state.Status, b.state.StartedAt = container.Running, m.now
	if b.app == "error" {
		b.app = "ok"
	}
	m.now = m.now.Add(time.Microsecond)
	m.tell(b, "start", nil)
}

func (m *sim) die(b *box, code int) {
	b.state.Status, b.state.FinishedAt, b.state.ExitCode = container.Exited, m.now, code
	m.now = m.now.Add(time.Microsecond)
	m.tell(b, "die", func(e *event.Docker) { e.ExitCode = &code })
}

func (m *sim) unpause(b *box) {
	if b.state.Status == container.Paused {
		b.state.Status = container.Running
		m.tell(b, "unpause", nil)
	}
}

func (m *sim) stop(b *box, done func()) {
	if b.state.Status != container.Running || b.busy {
		return
	}
	m.tell(b, "kill", func(e *event.Docker) { e.Signal = "15" })
	m.busily(b, m.between(5*time.Millisecond, 400*time.Millisecond), func() {
		m.die(b, 0)
		m.after(m.between(11*time.Millisecond, 41*time.Millisecond), func() {
			m.tell(b, "stop", nil)
			if done != nil {
				done()
			}
		})
	})
}

func (m *sim) restart(b *box, done func()) {
	again := func() {
		m.busily(b, m.between(200*time.Millisecond, 500*time.Millisecond), func() {
			m.start(b)
			m.tell(b, "restart", nil)
			if done != nil {
				done()
			}
		})
	}
	if b.state.Status != container.Running || b.busy {
		again()
		return
	}
	m.stop(b, again)
}

// --- what must never happen, at any time ---

func (m *sim) check() {
	if !m.on() || m.world == nil || !m.world.owner || !m.logUp {
		return
	}
	for _, b := range m.boxes {
		s := m.world.services[b.def.Name]
		quiet := m.now.Sub(m.world.ownerSince) > 90*time.Second && m.engine
		if !quiet || s.pending != nil {
			continue
		}
		moved := laterTime(s.status.Since, m.backAt)
		if s.incident != nil {
			moved = laterTime(moved, s.incident.Events[len(s.incident.Events)-1].Time)
		}
		still := m.now.Sub(moved)
		switch {
		case s.status.Value == event.Down && s.open() && s.incident.State == state.Open && s.incident.Held == "" && still > 60*time.Second:
			m.violated("%s is DOWN, and its incident %s neither moves nor says why", b.def.Name, s.incident.ID)
		case s.status.Value == event.Down && !s.open() && still > 10*time.Second:
			m.violated("%s is DOWN without an incident", b.def.Name)
		case s.status.Good() && s.open() && still > 90*time.Second:
			m.violated("%s has been good for %s, and its incident %s is %s", b.def.Name, still, s.incident.ID, s.incident.State)
		}
	}
}

func laterTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// audit checks the whole log at the end of a history.
func (m *sim) audit() {
	fold := state.NewIncidents()
	kept := map[string][]byte{}
	perMinute := map[string]int{}
	for _, w := range m.incidents {
		e := w.event
		in, counted := fold.Apply(e)
		if e.Type == event.TypeClaim || !fold.Owns(e.Origin) {
			continue
		}
		id := key(e.ID, e.Seq)
		if counted {
			kept[id] = w.value
			minute := fmt.Sprintf("%s %d", e.Service, e.Time.Unix()/60)
			if perMinute[minute]++; perMinute[minute] > 60 {
				m.violated("more than 60 records a minute on %s", e.Service)
			}
			if resolved, is := e.Data.(event.Resolved); is && resolved.How == event.HowHealed {
				m.proved(in)
			}
			continue
		}
		before, known := kept[id]
		switch {
		case !known:
			m.violated("a gap before %s", id)
		case !bytes.Equal(before, w.value) && before != nil:
			m.violated("a fork at %s: %s and %s", id, before, w.value)
		}
	}
}

// proved checks that a healed incident has a proof on the log of health.
func (m *sim) proved(in *state.Incident) {
	started, _ := in.Last(event.TypeActionStarted)
	finished, _ := in.Last(event.TypeActionFinished)
	needed := started.Data.(event.ActionStarted).Verify
	good, best := 0, 0
	for _, h := range m.health {
		if h.Log.Service != in.Service || h.Log.Check != "http" || h.Log.Extra || !h.Log.Time().After(finished.Time) || h.Log.Time().After(*in.Resolved) {
			continue
		}
		if h.Log.Status == event.Down {
			good = 0
			continue
		}
		good++
		best = max(best, good)
	}
	first := m.health[0].Log.Time()
	if best < needed && first.Before(finished.Time) {
		m.violated("%s is resolved with %d of %d good checks", in.ID, best, needed)
	}
}

func (m *sim) story() string { return strings.Join(m.trace, "\n") }
