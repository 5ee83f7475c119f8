package healer

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

var crowdFlag = flag.Bool("crowd", false, "the seed is that of a history in which everything is at once")

// crowd is a random history in which everything is at once.
func crowd(seed uint64, verbose bool) *sim {
	rng := rand.New(rand.NewPCG(seed, 29))
	options := []func(*sim){crowded(rng)}
	if rng.IntN(4) == 0 {
		options = append(options, fickle)
	}
	m := newSim(seed, 2+rng.IntN(5), options...)
	if verbose {
		m.trace = []string{}
		for _, b := range m.boxes {
			m.note("%s: mode %s, heal %+v, needs %v", b.def.Name, m.modeOf(b), b.def.Heal, m.namesOf(m.needs(b)))
		}
	}
	m.after(0, m.answerRequests)
	m.run(m.between(5*time.Second, 60*time.Second))
	for range 2 + m.rng.IntN(10) {
		acts := outside
		if m.rng.IntN(2) == 0 {
			acts = also
		}
		act, b := acts[m.rng.IntN(len(acts))], m.boxes[m.rng.IntN(len(m.boxes))]
		m.note("OUTSIDE %s %s", act.name, b.def.Name)
		act.do(m, b)
		m.run([]time.Duration{m.between(0, time.Second), m.between(0, 5*time.Second), m.between(0, 90*time.Second)}[m.rng.IntN(3)])
	}
	m.settleCrowd()
	return m
}

// settleCrowd is finish, for a sim in which more may stay as it is.
func (m *sim) settleCrowd() {
	for range 100 {
		m.run(30 * time.Second)
		if m.crowdSettled() || m.broken != "" {
			break
		}
	}
	m.run(30 * time.Second)
	m.inputs = 0
	m.run(2 * time.Minute)
	if m.inputs > 6*len(m.boxes) && m.broken == "" && m.crowdSettled() {
		m.violated("%d records in two minutes in which nothing changed", m.inputs)
	}
	m.audit()
	switch {
	case m.broken != "":
	case !m.crowdSettled():
		m.violated("it does not settle: %s", m.where())
	default:
		for _, b := range m.boxes {
			m.endsCrowded(b)
		}
	}
}

// crowdSettled says that nothing more will happen by itself.
func (m *sim) crowdSettled() bool {
	if _, owns := m.owner(); !owns || !m.engine || !m.logUp || m.busy() || m.now.Before(m.comes.Add(time.Minute)) {
		return false
	}
	return !slices.ContainsFunc(m.boxes, func(b *box) bool {
		name := b.def.Name
		_, outstanding := m.outstanding[name]
		in, status := m.incident(name), m.status(name).Status
		stays := m.held(b, "operator", "none", "observe", "budget") || m.held(b, "blind") && m.mostFail() || m.held(b, "dependency") && m.standsOnFailure(b)
		silenced := m.status(name).SilencedUntil
		return outstanding || b.cut || silenced != nil && m.now.Before(silenced.Add(30*time.Second)) || status == event.Pending || status == event.Unknown || status == event.Down && !m.open(name) ||
			m.open(name) && in.State == state.Open && (!stays || in.HeldUntil != nil)
	})
}

// endsCrowded checks that what does not serve was left so for a reason.
func (m *sim) endsCrowded(b *box) {
	name := b.def.Name
	switch end := m.end(b); end {
	case "quiet", "resolved: healed", "resolved: recovered", "resolved: operator":
		if !m.serves(b) {
			m.violated("%s ended %s, and is %s (%s)", name, end, b.state.Status, b.app)
		}
	case "held: operator", "held: none", "held: dependency", state.Escalated:
	case "held: observe":
		if m.modeOf(b) != service.Observe {
			m.violated("%s ended %s in mode %s", name, end, m.modeOf(b))
		}
	case "held: blind":
		if !m.mostFail() {
			m.violated("%s ended %s", name, end)
		}
	case "held: budget":
		if len(m.boxes) < 5 {
			m.violated("%s ended %s: %s", name, end, m.incident(name).HeldReason)
		}
	default:
		m.violated("%s ended %s: %s", name, end, m.incident(name).HeldReason)
	}
}

// mostFail says whether half or more of the services fail that run: then nothing
// distinguishes that from a blind observer.
func (m *sim) mostFail() bool {
	fail, run := 0, 0
	for _, b := range m.boxes {
		if b.state.Status == container.Running && !b.gone {
			run++
			if !m.serves(b) {
				fail++
			}
		}
	}
	return run >= 3 && 2*fail >= run
}

func (m *sim) namesOf(boxes []*box) (names []string) {
	for _, b := range boxes {
		names = append(names, b.def.Name)
	}
	return names
}

// TestCrowdedHistories checks every invariant over random histories in which
// services need each other, operators approve, deny, undo, silence and hold, a
// window of maintenance opens, images and specifications change, and the observer
// is cut off, all at once. A failing seed is printed in full by:
// go test ./healer -run TestCrowdedHistory -v -crowd -seed N
func TestCrowdedHistories(t *testing.T) {
	share(t, uint64(histories(t, 120)), func(n uint64) *sim { return crowd(n, false) })
}

func TestCrowdedHistory(t *testing.T) {
	if *seedFlag == noSeed || !*crowdFlag {
		return
	}
	m := crowd(*seedFlag, true)
	t.Logf("%s\n%s", m.history(), m.broken)
}
