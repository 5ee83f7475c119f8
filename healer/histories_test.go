package healer

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
	"logstream/internal/state"
)

var inputsFlag = flag.Int("inputs", 0, "the seed is that of an enumerated history of so many inputs")

const noSeed = 1<<64 - 1

var seedFlag = flag.Uint64("seed", noSeed, "print the history of this seed")

// simple is how many of the plain random histories are tried.
const simple = 1500

// histories is how many random histories are tried: share, or as many times that as
// LOGSTREAM_HISTORIES is of simple.
func histories(t *testing.T, share int) int {
	if n, err := strconv.Atoi(os.Getenv("LOGSTREAM_HISTORIES")); err == nil {
		return max(1, share*n/simple)
	}
	if testing.Short() {
		share /= 4
	}
	return raced.Share(share)
}

// long marks a test of one goroutine that takes seconds: it runs beside others,
// and not under the race detector.
func long(t *testing.T) {
	t.Helper()
	raced.Skip(t)
	t.Parallel()
}

// random is one random history.
func random(seed uint64, verbose bool) *sim {
	m := randomSim(seed)
	if verbose {
		m.trace = []string{}
	}
	m.live()
	return m
}

// randomSim is the sim of a random history before anything happens to it.
func randomSim(seed uint64) *sim {
	var options []func(*sim)
	if seed%4 == 1 {
		options = append(options, fickle)
	}
	if seed%8 >= 6 {
		options = append(options, aloneBox)
	}
	if seed%8 == 4 {
		options = append(options, defined(func(d *service.Definition) {
			d.StartPeriod, d.Window = 8*time.Second, service.Window{Failures: 3, Of: 5}
		}))
	}
	if seed >= 16 && seed%16 == 2 {
		options = append(options, stepping)
	}
	kind := seed % 16
	if seed < 16 {
		kind = 0 // those of the reference are as they were
	}
	switch kind {
	case 3, 5: // 5 with a model
		return newSim(seed, 3, append(options, needing(1, 0), needing(2, 1))...)
	case 7:
		return newSim(seed, 3, append(options, composed(1, 0), composed(2, 0))...)
	case 11:
		return newSim(seed, 3, append(options, needing(2, 0), inNetworkOf(1, 0))...)
	}
	return newSim(seed, 1+int(seed%2), options...)
}

// stepping sets the engine's clock once, and later right again or not.
func stepping(m *sim) {
	steps := []time.Duration{-time.Hour, -10 * time.Second, time.Hour}
	for _, to := range []time.Duration{steps[m.rng.IntN(len(steps))], 0} {
		m.after(m.between(time.Second, 2*time.Minute), func() { m.note("the engine's clock is %s ahead", to); m.ahead = to })
	}
}

// live is a random history, up to its end.
func (m *sim) live() {
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
	if _, owns := m.owner(); !owns || !m.engine || !m.logUp || m.busy() {
		return false
	}
	for _, b := range m.boxes {
		name := b.def.Name
		_, outstanding := m.outstanding[name]
		status := m.status(name).Status
		if outstanding || status == event.Pending || status == event.Unknown {
			return false
		}
		// What is held until a time goes on by itself then.
		waits := m.held(b, "operator", "none") || m.held(b, "budget") && m.called(b) || m.held(b, "dependency") && m.standsOnFailure(b)
		if in := m.incident(name); m.open(name) && in.State == state.Open && (!waits || in.HeldUntil != nil) {
			return false
		}
		if status == event.Down && !m.open(name) {
			return false
		}
	}
	return true
}

// end is how the history of one service ended.
func (m *sim) end(b *box) string {
	in := m.incident(b.def.Name)
	switch {
	case in == nil:
		return "quiet"
	case in.State == state.Open:
		return "held: " + in.Held
	case in.State == state.Resolved:
		return "resolved: " + in.How
	}
	return in.State
}

// ends checks that every repairable fault was repaired: what does not run was left
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
			if b.stops < 2 && b.state.Project == "" { // else it may have been stopped together with others
				m.violated("%s is left to the operator after %d stops or pauses", b.def.Name, b.stops)
			}
		case end == "held: dependency" && m.standsOnFailure(b):
		case end == "held: budget" && m.called(b):
		case end == state.Escalated:
			escalated, _ := m.incident(b.def.Name).Last(event.TypeEscalated)
			m.note("escalated: %v", escalated.Data)
		default:
			m.violated("%s ended %s", b.def.Name, end)
		}
	}
}

// called says whether a person was called for an earlier incident of a service.
func (m *sim) called(b *box) bool {
	return slices.ContainsFunc(m.folded.Of(b.def.Name, "local"), func(in *state.Incident) bool {
		_, is := in.Last(event.TypeEscalated)
		return is
	})
}

func (m *sim) where() string {
	_, owns := m.owner()
	text := fmt.Sprintf("on=%v engine=%v log=%v owner=%v busy=%v", m.on(), m.engine, m.logUp, owns, m.busy())
	for _, b := range m.boxes {
		name := b.def.Name
		text += fmt.Sprintf("; %s is %s, %s, outstanding %v", name, m.status(name).Status, m.end(b), m.outstanding[name].Type)
	}
	return text
}

// TestRandomHistories checks every invariant over random histories. A failing
// seed is printed in full by: go test ./healer -run TestHistory -v -seed N
func TestRandomHistories(t *testing.T) {
	share(t, uint64(histories(t, simple)), func(n uint64) *sim { return random(n, false) })
}

// TestEnumeratedHistories checks all histories of up to two inputs, or up to
// as many as LOGSTREAM_INPUTS says, each at three rhythms and with both orders
// of stop and die.
func TestEnumeratedHistories(t *testing.T) {
	inputs := 2
	if raced.Detector {
		inputs = 1
	}
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
// while the repair is under way, and while it is being verified.
var rhythms = []time.Duration{50 * time.Millisecond, 1200 * time.Millisecond, 7 * time.Second}

func enumerated(n uint64, inputs int, verbose bool) *sim {
	var options []func(*sim)
	if n%5 == 1 {
		options = append(options, fickle)
	}
	if n%7 == 3 {
		options = append(options, stepping)
	}
	m := newSim(n, 1, options...)
	if verbose {
		m.trace = []string{}
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
	t.Logf("%s\n%s", m.history(), m.broken)
}

var references = map[string]uint64{
	"quiet": 9, "resolved: healed": 0, "resolved: recovered": 3, "held: operator": 58, "escalated": 1736,
}
