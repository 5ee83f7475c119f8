package healer

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
)

// What a decision costs in a large fleet that fails at once.

// herd is a controller with so many services that all fail within a second, and the
// shortest way around it: whatever it writes is read back at once. It has no
// engine and no monitor of its own, as sim has, so that what is measured is the
// controller.
type herd struct {
	c      *Controller
	now    time.Time
	defs   []service.Definition
	status []event.Status
	queue  []Input
	rev    int64

	events map[event.Type]int
	late   []string // escalated after they reported that they are UP
}

// kinds of services in a herd.
const (
	reporting = "reporting" // they report by themselves, as in e2e's fleet
	probed    = "probed"    // our own check fails while the container runs
)

func newHerd(kind string, n, needs int) *herd {
	h := &herd{now: simStart, events: map[event.Type]int{}}
	config := Default()
	config.Mode, config.Decide = service.Auto, DecideRunbook
	for i := range n {
		def := service.Default()
		def.Name = fmt.Sprintf("job-%05d", i)
		if kind == reporting {
			def.URL, def.Interval = "push://", time.Minute
		} else {
			def.URL, def.Container = "http://localhost", def.Name
			def.Interval, def.Timeout, def.FailureThreshold, def.SuccessThreshold = time.Second, time.Second, 2, 2
		}
		if needs > 0 && i%(needs+1) != 0 {
			def.DependsOn = []string{fmt.Sprintf("job-%05d", i-i%(needs+1))}
		}
		h.defs, h.status = append(h.defs, def), append(h.status, event.Up)
	}
	h.c = NewController(Setup{Config: config, CLI: "docker", Instance: "me", Host: "local", Services: h.defs}, h.now)
	h.step(Replayed{Nonce: "nonce"})
	if kind != reporting {
		h.level(event.Up)
	}
	return h
}

func (h *herd) step(in Input) {
	h.queue = append(h.queue, in)
	for len(h.queue) > 0 {
		in := h.queue[0]
		h.queue = h.queue[1:]
		for _, e := range h.c.Step(in, h.now) {
			h.carry(e)
		}
	}
}

func (h *herd) carry(e Effect) {
	switch e := e.(type) {
	case Append:
		for _, e := range e.Events {
			h.events[e.Type]++
			if e.Type == event.TypeEscalated && h.statusOf(e.Service) == event.Up {
				h.late = append(h.late, e.Service)
			}
			h.queue = append(h.queue, ReadIncident{e})
		}
	case Publish:
		h.queue = append(h.queue, Published{e.Service.Service, true})
	case Inspect:
		h.queue = append(h.queue, Inspected{Service: e.Service, Request: e.Request, State: container.State{Name: e.Service, ID: "id-" + e.Service,
			Image: "img", ImageID: "sha", SpecHash: "spec", Status: container.Running, StartedAt: simStart.Add(-time.Hour), StopTimeout: 10 * time.Second}})
	case Collect:
		h.queue = append(h.queue, Collected{Service: e.Service, Request: e.Request})
	}
}

func (h *herd) statusOf(name string) event.Status {
	return h.status[slices.IndexFunc(h.defs, func(def service.Definition) bool { return def.Name == name })]
}

func (h *herd) origin() (event.Origin, int64) {
	h.rev++
	origin, _ := h.c.Owner()
	return origin, h.rev
}

func (h *herd) level(status event.Status) {
	for _, def := range h.defs {
		log := event.HealthLog{Timestamp: event.Seconds(h.now), Service: def.Name, Status: status, Check: event.CheckContainer}
		log.Origin, log.Revision = h.origin()
		h.step(ReadHealth{log, true})
	}
}

// report has a service observed once, as it is.
func (h *herd) report(i int) {
	log := event.HealthLog{Timestamp: event.Seconds(h.now), Service: h.defs[i].Name, Status: h.status[i], Check: "http"}
	if log.Status == event.Down {
		log.Error, log.Failure = "the job ended with status 1", event.FailureConnectTimeout
	}
	if h.defs[i].Pushes() {
		log.Check, log.Origin.Instance = "push", "jobs"
		h.step(ReadHealth{log, false})
		return
	}
	log.Origin, log.Revision = h.origin()
	h.step(ReadHealth{log, true})
}

// run goes on for so many seconds, in which each service is observed once a second.
func (h *herd) run(seconds int) {
	for range 10 * seconds {
		part := int(h.now.Sub(simStart)/tickEach) % 10
		for i := part; i < len(h.defs); i += 10 {
			h.report(i)
		}
		h.step(Tick{})
		h.now = h.now.Add(tickEach)
	}
}

func (h *herd) all(status event.Status) {
	for i := range h.status {
		h.status[i] = status
	}
}

// fail has all of them fail within a second and come back, and runs until each
// incident has ended.
func (h *herd) fail() {
	h.run(6)
	h.all(event.Down)
	h.run(5)
	h.all(event.Up)
	h.run(20)
}

// TestDecisionDoesNotReadTheWholeFleet counts how many services are read, for all that is
// decided about a fleet that fails at once: as many for each in a large one as in a
// small one.
func TestDecisionDoesNotReadTheWholeFleet(t *testing.T) {
	raced.Skip(t)
	t.Parallel()
	for _, kind := range []string{reporting, probed} {
		for _, needs := range []int{0, 4} {
			t.Run(fmt.Sprintf("%s, %d above each root", kind, needs), func(t *testing.T) {
				each := func(n int) float64 {
					h := newHerd(kind, n, needs)
					h.fail()
					if opened := h.events[event.TypeOpened]; opened < n || h.events[event.TypeResolved] != opened {
						t.Fatalf("of %d services: %v", n, h.events)
					}
					if len(h.late) > 0 {
						t.Errorf("a person was called for %d that were UP again", len(h.late))
					}
					return float64(h.c.fleet.census.Visited()) / float64(n)
				}
				small, large := each(40), each(400)
				if large > 1.5*small {
					t.Errorf("for each of 40 services %.0f were read, for each of 400 %.0f", small, large)
				}
			})
		}
	}
}

// TestFleetIncidentOpensOnlyWhenTheObserverIsBlind: of services whose
// containers run, each has an incident that waits for the one of all. Services that
// report by themselves are heard, so nothing is blind: each has its own.
func TestFleetIncidentOpensOnlyWhenTheObserverIsBlind(t *testing.T) {
	const n = 50
	for kind, want := range map[string]int{reporting: n, probed: 0} {
		h := newHerd(kind, n, 0)
		h.fail()
		if got := h.events[event.TypeEscalated]; got != want {
			t.Errorf("%s: a person is called for %d of %d, want %d", kind, got, n, want)
		}
		if fleets, want := len(h.c.incidents.Of(event.ReservedService, "local")), map[string]int{probed: 1}[kind]; fleets != want {
			t.Errorf("%s: %d incidents of all together, want %d", kind, fleets, want)
		}
	}
}

// TestHeldIncidentsAreReconciledInTurn, and no tick decides about more than so many.
func TestHeldIncidentsAreReconciledInTurn(t *testing.T) {
	for _, n := range []int{1, turnsPerTick, turnsPerTick + 1, 5*turnsPerTick + 7} {
		var of turns
		seen := make([]int, n)
		of.begin()
		for range n {
			of.next()
		}
		for range (n + turnsPerTick - 1) / turnsPerTick {
			of.begin()
			had := 0
			for i := range n {
				if of.next() {
					seen[i]++
					had++
				}
			}
			if had > turnsPerTick {
				t.Errorf("of %d there were %d in one tick", n, had)
			}
		}
		if slices.Contains(seen, 0) {
			t.Errorf("of %d some had no turn: %v", n, seen)
		}
		of.begin()
		had := 0
		for range 20 * turnsPerTick {
			if of.next() {
				had++
			}
		}
		if had > 2*turnsPerTick {
			t.Errorf("where %d rested and %d do, %d had their turn in one tick", n, 20*turnsPerTick, had)
		}
	}
}

// BenchmarkFleetThatFailsAtOnce has all services fail and come back: what an incident
// costs of the processor, and the ratio to what it costs in a fleet of 100, in the same
// run. Near 1 is right; twice is a decision that reads the fleet.
func BenchmarkFleetThatFailsAtOnce(b *testing.B) {
	for _, kind := range []string{reporting, probed} {
		for _, n := range []int{1000, 5000} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				var small, large time.Duration
				for b.Loop() {
					for range 5 {
						small += costOf(kind, 100) / 5
					}
					large += costOf(kind, n)
				}
				incident := float64(large.Microseconds()) / float64(b.N) / float64(n)
				b.ReportMetric(incident, "µs/incident")
				b.ReportMetric(100*float64(large)/float64(small)/float64(n), "of-100")
			})
		}
	}
}

// costOf is what a fleet costs from the first failure until it is up again.
func costOf(kind string, n int) time.Duration {
	h := newHerd(kind, n, 0)
	h.run(6)
	began := cpu()
	h.all(event.Down)
	h.run(3)
	h.all(event.Up)
	h.run(3)
	return cpu() - began
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
