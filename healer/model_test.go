package healer

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

var inputsFlag = flag.Int("inputs", 0, "the seed is that of an enumerated history of so many inputs")

const noSeed = 1<<64 - 1

var seedFlag = flag.Uint64("seed", noSeed, "tell the history of this seed")

// histories is how many random histories are tried: LOGSTREAM_HISTORIES, or a
// bounded share.
func histories(t *testing.T, share int) int {
	if n, err := strconv.Atoi(os.Getenv("LOGSTREAM_HISTORIES")); err == nil {
		return n
	}
	if testing.Short() {
		return share / 4
	}
	return share
}

// outside are the things that can happen to us.
var outside = []struct {
	name string
	do   func(*sim, *box)
}{
	{"stop", func(m *sim, b *box) { b.stops++; m.stop(b, nil) }},
	{"kill", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.killed(b)
		}
	}},
	{"pause", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			b.stops++
			b.state.Status = container.Paused
			m.tell(b, "pause", nil)
		}
	}},
	{"exit", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.die(b, 1)
		}
	}},
	{"start", func(m *sim, b *box) {
		if b.state.Status == container.Exited && !b.busy {
			m.start(b)
		}
	}},
	{"unpause", func(m *sim, b *box) { m.unpause(b) }},
	{"restart", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.restart(b, nil)
		}
	}},
	{"error", func(m *sim, b *box) {
		if b.app == "ok" {
			b.app = "error"
		}
	}},
	{"blip", func(m *sim, b *box) {
		if b.app == "ok" {
			b.app = "blip"
			m.after(m.between(time.Second, 8*time.Second), func() {
				if b.app == "blip" {
					b.app = "ok"
				}
			})
		}
	}},
	{"foreign", func(m *sim, b *box) { m.foreign(b, event.Down, m.between(5*time.Second, 40*time.Second)) }},
	{"crash", func(m *sim, b *box) { m.kill() }},
	{"log away", func(m *sim, b *box) { m.logAway(m.between(200*time.Millisecond, 30*time.Second)) }},
	{"engine away", func(m *sim, b *box) { m.engineAway(m.between(200*time.Millisecond, 30*time.Second)) }},
	{"hangup", func(m *sim, b *box) {
		if b.state.Status == container.Running && !b.busy {
			m.tell(b, "kill", func(e *event.Docker) { e.Signal = "1" })
		}
	}},
	{"wait", func(m *sim, b *box) {}},
}

func (m *sim) foreign(b *box, status event.Status, d time.Duration) {
	end := m.now.Add(d)
	var say func()
	say = func() {
		h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: status, Code: 500}
		if m.now.After(end) {
			h.Status, h.Code = event.Up, 200
		}
		m.publishForeign(h)
		if m.now.Before(end.Add(6 * time.Second)) {
			m.after(2*time.Second, say)
		}
	}
	say()
}

func (m *sim) publishForeign(h event.HealthLog) {
	if m.logUp {
		m.health = append(m.health, onWire[ReadHealth]{ReadHealth{h, false}, m.now, false})
		if m.on() {
			m.read(event.TopicHealth, func() Input { return ReadHealth{h, false} })
		}
	}
}

func (m *sim) logAway(d time.Duration) {
	if !m.logUp {
		return
	}
	m.note("log away for %s", d)
	m.logUp = false
	m.after(d, func() {
		m.note("log back")
		m.logUp = true
		waiting := m.waiting
		m.waiting = nil
		for _, deliver := range waiting {
			deliver()
		}
	})
}

func (m *sim) engineAway(d time.Duration) {
	if !m.engine {
		return
	}
	m.note("engine away for %s", d)
	m.engine, m.stream = false, false
	if m.on() {
		m.writeDocker(event.Docker{Time: m.now, Action: event.StreamLost})
	}
	m.after(d, func() {
		m.note("engine back")
		m.engine, m.backAt = true, m.now
		if m.on() {
			m.connect()
		}
	})
}

// random is one random history.
func random(seed uint64, tell bool) *sim {
	m := newSim(seed, 1+int(seed%2))
	if tell {
		m.trace = []string{}
	}
	m.live()
	return m
}

// live is a random history, up to its end.
func (m *sim) live() {
	if m.seed%4 == 1 {
		m.withModel(m.fickle)
	}
	m.run(m.between(5*time.Second, 20*time.Second))
	for range 1 + m.rng.IntN(6) {
		act := outside[m.rng.IntN(len(outside))]
		b := m.boxes[m.rng.IntN(len(m.boxes))]
		m.note("OUTSIDE %s %s", act.name, b.def.Name)
		act.do(m, b)
		m.run([]time.Duration{m.between(0, time.Second), m.between(0, 5*time.Second), m.between(0, 60*time.Second)}[m.rng.IntN(3)])
	}
	m.finish()
}

// finish lets everything settle, and checks how it ended.
func (m *sim) finish() {
	for range 100 {
		m.run(30 * time.Second)
		if m.settled() || m.broken != "" {
			break
		}
	}
	m.run(30 * time.Second)
	m.inputs = 0
	m.run(2 * time.Minute)
	if m.inputs > 6*len(m.boxes) && m.broken == "" && m.settled() {
		m.violated("%d records in two minutes in which nothing changed", m.inputs)
	}
	m.audit()
	m.ends()
}

func (m *sim) settled() bool {
	if !m.on() || !m.world.owner || !m.engine || !m.logUp || m.world.busy != "" {
		return false
	}
	for _, b := range m.boxes {
		s := m.world.services[b.def.Name]
		if s.pending != nil || s.status.Value == event.Pending || s.status.Value == event.Unknown {
			return false
		}
		if s.open() && s.incident.State == state.Open && s.incident.Held != "operator" && s.incident.Held != "none" {
			return false
		}
		if s.status.Value == event.Down && !s.open() {
			return false
		}
	}
	return true
}

// end is how the history of one service ended.
func (m *sim) end(b *box) string {
	s := m.world.services[b.def.Name]
	switch {
	case s.incident == nil:
		return "quiet"
	case s.incident.State == state.Open:
		return "held: " + s.incident.Held
	case s.incident.State == state.Resolved:
		return "resolved: " + s.incident.How
	}
	return s.incident.State
}

// ends checks that every mendable fault was mended: what does not run was left
// so for a reason that the history gives.
func (m *sim) ends() {
	if m.broken != "" {
		return
	}
	if !m.settled() {
		m.violated("it does not settle: %s", m.where())
		return
	}
	for _, b := range m.boxes {
		up := b.state.Status == container.Running && b.app == "ok"
		end := m.end(b)
		switch {
		case end == "quiet", end == "resolved: healed", end == "resolved: recovered":
			if !up {
				m.violated("%s ended %s, and is %s (%s)", b.def.Name, end, b.state.Status, b.app)
			}
		case end == "held: operator":
			if b.stops < 2 {
				m.violated("%s is left to the operator after %d stops or pauses", b.def.Name, b.stops)
			}
		case end == state.Escalated:
			escalated, _ := m.world.services[b.def.Name].incident.Last(event.TypeEscalated)
			m.note("escalated: %v", escalated.Data)
		default:
			m.violated("%s ended %s", b.def.Name, end)
		}
	}
}

func (m *sim) where() string {
	text := fmt.Sprintf("on=%v engine=%v log=%v", m.on(), m.engine, m.logUp)
	if m.on() {
		text += fmt.Sprintf(" owner=%v busy=%q", m.world.owner, m.world.busy)
		for _, b := range m.boxes {
			s := m.world.services[b.def.Name]
			text += fmt.Sprintf("; %s is %s, %s, pending=%v", b.def.Name, s.status.Value, m.end(b), s.pending != nil)
		}
	}
	return text
}

// TestRandomHistories checks every invariant over random histories. A failing
// seed is told in full by: go test ./healer -run TestHistory -v -seed N
func TestRandomHistories(t *testing.T) {
	share(t, uint64(histories(t, 2000)), func(n uint64) *sim { return random(n, false) })
}

// TestEnumeratedHistories checks all histories of up to two inputs, or up to
// as many as LOGSTREAM_INPUTS says, each at three rhythms and with both orders
// of stop and die.
func TestEnumeratedHistories(t *testing.T) {
	inputs := 2
	if n, err := strconv.Atoi(os.Getenv("LOGSTREAM_INPUTS")); err == nil {
		inputs = n
	}
	base, all := uint64(len(outside)), uint64(len(rhythms))
	for range inputs {
		all *= base
	}
	share(t, 2*all, func(n uint64) *sim { return enumerated(n, inputs, false) })
}

// rhythms are the pauses between the inputs of an enumerated history: at once,
// while the repair is under way, and while it is being proved.
var rhythms = []time.Duration{50 * time.Millisecond, 1200 * time.Millisecond, 7 * time.Second}

func enumerated(n uint64, inputs int, tell bool) *sim {
	m := newSim(n, 1)
	if tell {
		m.trace = []string{}
	}
	if n%5 == 1 {
		m.withModel(m.fickle)
	}
	m.run(8 * time.Second)
	m.stopFirst = n%2 == 1
	n /= 2
	pause := rhythms[n%uint64(len(rhythms))]
	n /= uint64(len(rhythms))
	for range inputs {
		act := outside[n%uint64(len(outside))]
		n /= uint64(len(outside))
		m.note("OUTSIDE %s", act.name)
		act.do(m, m.boxes[0])
		m.run(pause)
	}
	m.finish()
	return m
}

// share runs the histories 0 to n on every core, and ends at the first in
// which an invariant does not hold.
func share(t *testing.T, n uint64, history func(uint64) *sim) {
	t.Helper()
	var (
		next  atomic.Uint64
		mu    sync.Mutex
		group sync.WaitGroup
	)
	ends := map[string]int{}
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for k := next.Add(1) - 1; k < n && !t.Failed(); k = next.Add(1) - 1 {
				m := history(k)
				mu.Lock()
				if m.broken != "" {
					t.Errorf("history %d: %s", k, m.broken)
				}
				for _, b := range m.boxes {
					ends[m.end(b)]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	t.Logf("%d histories, ends: %v", n, ends)
}

// TestReferenceHistories keeps a history of each kind of end.
func TestReferenceHistories(t *testing.T) {
	for end, seed := range references {
		m := random(seed, false)
		if m.broken != "" {
			t.Errorf("history %d: %s", seed, m.broken)
		}
		if got := m.end(m.boxes[0]); got != end {
			t.Errorf("history %d ends %s, want %s", seed, got, end)
		}
	}
}

func TestHistory(t *testing.T) {
	if *seedFlag == noSeed {
		return
	}
	m := random(*seedFlag, true)
	if *inputsFlag > 0 {
		m = enumerated(*seedFlag, *inputsFlag, true)
	}
	t.Logf("%s\n%s", m.story(), m.broken)
}

var references = map[string]uint64{
	"quiet": 0, "resolved: healed": 1, "resolved: recovered": 5, "held: operator": 24, "escalated": 174,
}
