package healer

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
	"logstream/internal/state"
)

// All services of a host together: a blind observer repairs nothing, and too few
// healthy ones are not made fewer.

// cutOff makes every check fail from now on, while the containers run.
func cutOff(m *sim, cut bool) {
	m.note("OUTSIDE the prober is cut off: %v", cut)
	for _, b := range m.boxes {
		b.cut = cut
	}
}

// fleetIncidents are those of the reserved service.
func fleetIncidents(m *sim) []*state.Incident { return m.folded.Of(event.ReservedService, "local") }

// heldBy counts the services whose open incident a gate holds.
func heldBy(m *sim, gate string) (n int) {
	for _, b := range m.boxes {
		if in := m.incident(b.def.Name); in != nil && in.State == state.Open && in.Held == gate {
			n++
		}
	}
	return n
}

// wantBlind is the one incident of the fleet, during which nothing was called.
func wantBlind(t *testing.T, m *sim) *state.Incident {
	t.Helper()
	all := fleetIncidents(m)
	if len(all) != 1 {
		t.Fatalf("there are %d incidents of the fleet, want 1", len(all))
	}
	if len(m.calls) > 0 {
		t.Errorf("calls were made: %v", m.calls)
	}
	return all[0]
}

func TestABlindObserverRepairsNothing(t *testing.T) {
	long(t)
	for name, intervals := range map[string][]time.Duration{
		"all are checked as often":        {2 * time.Second},
		"some are checked more seldom":    {2 * time.Second, 10 * time.Second, 30 * time.Second},
		"few are checked much more often": {10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSim(1, 30, func(m *sim) {
				m.steady, m.trace = true, []string{}
				for i, b := range m.boxes {
					b.def.Interval = intervals[i%len(intervals)]
				}
			})
			m.run(2 * time.Minute)
			from := m.now
			cutOff(m, true)
			m.run(3 * time.Minute)
			in := wantBlind(t, m)
			if in.Kind != "fleet" || in.State != state.Open || in.Held != "blind" || in.CauseID != "observer_blind" ||
				!strings.HasPrefix(in.Error, "The observer is blind: ") || !strings.HasSuffix(in.Error, " while their containers run") {
				t.Errorf("it is %s, %s, held by %q: %s", in.Kind, in.State, in.Held, in.Error)
			}
			if n := heldBy(m, "blind"); n != 30 {
				t.Errorf("%d of 30 incidents are held by the gate blind", n)
			}
			if most, all := rate(m, from); most > 6*31 {
				t.Errorf("%d records a minute:\n%s", most, strings.Join(all, "\n"))
			}
			cutOff(m, false)
			m.run(4 * time.Minute)
			if in = wantBlind(t, m); in.State != state.Resolved || in.How != event.HowRecovered {
				t.Errorf("the incident of the fleet is %s (%s), held by %q: %s", in.State, in.How, in.Held, in.HeldReason)
			}
			for _, b := range m.boxes {
				if in := m.incident(b.def.Name); in.State != state.Resolved || in.How != event.HowRecovered {
					t.Errorf("%s: %s (%s), held by %q", b.def.Name, in.State, in.How, in.Held)
				}
			}
			m.audit()
		})
	}
}

func TestABlindObserverStaysSoOverARestart(t *testing.T) {
	for _, interval := range []time.Duration{2 * time.Second, 15 * time.Second} {
		t.Run(interval.String(), func(t *testing.T) { staysBlind(t, interval) })
	}
}

func staysBlind(t *testing.T, interval time.Duration) {
	raced.Skip(t)
	m := newSim(1, 8, func(m *sim) { m.steady, m.trace = true, []string{} }, defined(func(d *service.Definition) { d.Interval = interval }))
	m.run(6 * interval)
	cutOff(m, true)
	m.run(4 * interval)
	before := wantBlind(t, m).ID
	wantResult(t, m, m.command(event.Command{Command: event.CommandAcknowledge, Service: event.ReservedService, Args: event.CommandArgs{Incident: before}}), "", "")
	for range 3 {
		m.crash(5 * time.Second)
		m.run(40 * time.Second)
		if in := wantBlind(t, m); in.ID != before || in.State != state.Open || in.Acknowledged == nil {
			t.Errorf("it is %s, %s, acknowledged by %+v", in.ID, in.State, in.Acknowledged)
		}
	}
	cutOff(m, false)
	m.crash(5 * time.Second)
	m.run(time.Minute + 5*interval)
	if in := wantBlind(t, m); in.State != state.Resolved {
		t.Errorf("it is %s, held by %q", in.State, in.Held)
	}
	m.audit()
}

// TestKillsAtEachStepOfTheFleetsIncident leave one incident, without a gap or a fork.
func TestKillsAtEachStepOfTheFleetsIncident(t *testing.T) {
	long(t)
	for step := range 40 {
		m := newSim(uint64(step), 6, func(m *sim) { m.steady = true })
		m.run(10 * time.Second)
		cutOff(m, true)
		m.run(2*time.Second + time.Duration(step)*100*time.Millisecond)
		m.kill()
		m.run(time.Minute)
		cutOff(m, false)
		m.run(10*time.Second + time.Duration(step)*100*time.Millisecond)
		m.kill()
		m.run(90 * time.Second)
		m.audit()
		if all := fleetIncidents(m); len(all) != 1 || all[0].State != state.Resolved || len(m.calls) > 0 || m.broken != "" {
			t.Fatalf("step %d: %d incidents of the fleet, calls %v, %s", step, len(all), m.calls, m.broken)
		}
	}
}

// TestWhatDockerShowsStoppedIsStartedMeanwhile: no check is needed for that.
func TestWhatDockerShowsStoppedIsStartedMeanwhile(t *testing.T) {
	m := quietSim(t, 8)
	cutOff(m, true)
	m.run(20 * time.Second)
	wantBlind(t, m)
	do("kill", m, m.boxes[3])
	m.run(20 * time.Second)
	wantActions(t, m, "start")
	cutOff(m, false)
	m.run(90 * time.Second)
	wantActions(t, m, "start")
	if in := m.incident("svc-3"); in.State != state.Resolved {
		t.Errorf("its incident is %s, held by %q", in.State, in.Held)
	}
}

// TestWhatStaysDownAfterABlindTimeIsRepairedByFreshChecks and not by those of then.
func TestWhatStaysDownAfterABlindTimeIsRepairedByFreshChecks(t *testing.T) {
	m := quietSim(t, 8)
	m.boxes[3].app = "error"
	cutOff(m, true)
	m.run(30 * time.Second)
	wantBlind(t, m)
	cutOff(m, false)
	m.until(t, "the observer sees again", func() bool { return fleetIncidents(m)[0].State == state.Resolved })
	resolved := m.now
	wantActions(t, m)
	m.until(t, "the one that fails is restarted", func() bool { return len(m.actions()) > 0 })
	if after := m.now.Sub(resolved); after < 2*time.Second {
		t.Errorf("it was restarted %s after, by checks from before", after)
	}
	m.run(time.Minute)
	wantActions(t, m, "restart")
}

func TestStopsOfAllContainersAreNotABlindObserver(t *testing.T) {
	m := quietSim(t, 6)
	for _, b := range m.boxes {
		do("kill", m, b)
	}
	m.run(3 * time.Minute)
	if len(fleetIncidents(m)) != 0 || len(m.actions()) != 6 {
		t.Errorf("%d incidents of the fleet, actions %v", len(fleetIncidents(m)), m.actions())
	}
}

// TestHealthchecksThatFailAsWellAreAnotherMatter: it is not the observer. So few
// are healthy that nothing is restarted either.
func TestHealthchecksThatFailAsWellAreAnotherMatter(t *testing.T) {
	m := quietSim(t, 6, func(m *sim) {
		for _, b := range m.boxes {
			b.checked = true
		}
	})
	m.run(10 * time.Second)
	for _, b := range m.boxes {
		b.app = "broken"
	}
	m.run(time.Minute)
	if all := fleetIncidents(m); len(all) > 0 && all[0].State != state.Resolved {
		t.Errorf("the incident of the fleet is %s, held by %q", all[0].State, all[0].Held)
	}
	if n := heldBy(m, "budget"); n < 5 || len(m.calls) > 1 { // one may be restarted before the others are DOWN
		t.Errorf("%d of 6 are held by the breaker, calls %v", n, m.calls)
	}
}

func TestOneOfManyIsStillRepaired(t *testing.T) {
	m := quietSim(t, 30)
	m.boxes[7].app = "error"
	began := m.now
	m.until(t, "it is restarted", func() bool { return len(m.actions()) > 0 })
	if after := m.now.Sub(began); after > 8*time.Second {
		t.Errorf("it was restarted after %s", after)
	}
	m.run(time.Minute)
	wantActions(t, m, "restart")
	if len(fleetIncidents(m)) != 0 {
		t.Error("the fleet has an incident")
	}
}

// TestTooFewHealthyServicesAreNotMadeFewer: three of six fail one after another,
// so that it is no blind observer.
func TestTooFewHealthyServicesAreNotMadeFewer(t *testing.T) {
	m := quietSim(t, 6, configured(func(c *Config) { c.Budget.Attempts = 1 }))
	m.boxes[0].app, m.boxes[1].app = "broken", "broken"
	m.run(2 * time.Minute)
	n := len(m.actions())
	m.boxes[2].app = "error"
	m.run(30 * time.Second)
	in := m.incident("svc-2")
	if in.Held != "budget" || len(m.actions()) != n || !strings.Contains(in.HeldReason, "3 of 6 services on this host were healthy") {
		t.Errorf("held by %q (%s), actions %v", in.Held, in.HeldReason, m.actions())
	}
	do("kill", m, m.boxes[3])
	m.run(20 * time.Second)
	if got := m.actions(); len(got) != n+1 || got[n] != service.ActionStart {
		t.Errorf("actions are %v: a start loses nothing", got)
	}
	m.boxes[0].app, m.boxes[1].app = "ok", "ok"
	m.run(time.Minute)
	if got := m.actions(); len(got) != n+2 || got[n+1] != service.ActionRestart {
		t.Errorf("actions are %v, held by %q: enough are healthy again", got, m.incident("svc-2").Held)
	}
}

// TestABlindObserverBehindDependencies: that all need one database does not make
// the database what failed.
func TestABlindObserverBehindDependencies(t *testing.T) {
	m := quietSim(t, 12, func(m *sim) {
		for _, b := range m.boxes[1:] {
			b.def.DependsOn = []string{"svc-0"}
		}
	})
	cutOff(m, true)
	m.run(2 * time.Minute)
	if in := wantBlind(t, m); in.State != state.Open || !strings.Contains(in.Error, "of 12 services") {
		t.Errorf("it is %s: %s", in.State, in.Error)
	}
	cutOff(m, false)
	m.run(2 * time.Minute)
	if in := wantBlind(t, m); in.State != state.Resolved {
		t.Errorf("it is %s, held by %q", in.State, in.Held)
	}
}
