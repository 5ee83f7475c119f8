package healer

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Few services that fail together: their HEALTHCHECKs show whether LogStream is cut
// off from them.

// withHealthchecks gives the first n containers a HEALTHCHECK that runs so often.
func withHealthchecks(n int, each time.Duration, shallow bool) func(*sim) {
	return func(m *sim) {
		for _, b := range m.boxes[:n] {
			b.checked, b.shallow, b.state.HealthEach = true, shallow, each
		}
	}
}

// become has what the services do change.
func become(m *sim, app string, boxes ...*box) {
	for _, b := range boxes {
		b.app = app
	}
}

// restartedAfter is how long after now each of so many is restarted, at most.
func restartedAfter(t *testing.T, m *sim, n int) time.Duration {
	t.Helper()
	began := m.now
	m.until(t, fmt.Sprintf("%d restarts", n), func() bool { return len(m.actions()) == n })
	if got := m.actions(); slices.ContainsFunc(got, func(a string) bool { return a != service.ActionRestart }) {
		t.Errorf("actions are %v", got)
	}
	if n := len(fleetIncidents(m)); n != 0 {
		t.Errorf("there are %d incidents of the fleet", n)
	}
	return m.now.Sub(began)
}

func TestFewServicesThatAreCutOffAreLeftAlone(t *testing.T) {
	for name, test := range map[string]struct {
		n, cut int
		each   time.Duration
		option func(*sim)
	}{
		"two of two":                      {2, 2, 30 * time.Second, nil},
		"three of three":                  {3, 3, 30 * time.Second, nil},
		"four of four":                    {4, 4, 30 * time.Second, nil},
		"two of four":                     {4, 2, 30 * time.Second, nil},
		"HEALTHCHECKs each minute":        {3, 3, time.Minute, nil},
		"the engine's clock is behind":    {2, 2, 30 * time.Second, func(m *sim) { m.ahead = -time.Hour }},
		"the engine's clock is ahead":     {2, 2, 30 * time.Second, func(m *sim) { m.ahead = time.Hour }},
		"checked each 30 s":               {3, 3, 30 * time.Second, defined(func(d *service.Definition) { d.Interval = 30 * time.Second })},
		"one has no HEALTHCHECK":          {3, 3, 30 * time.Second, func(m *sim) { m.boxes[1].checked = false }},
		"one needs the others":            {3, 3, 30 * time.Second, func(m *sim) { m.boxes[2].def.DependsOn = []string{"svc-0", "svc-1"} }},
		"one HEALTHCHECK runs once a day": {3, 3, 30 * time.Second, func(m *sim) { m.boxes[1].state.HealthEach = 24 * time.Hour }},
	} {
		t.Run(name, func(t *testing.T) {
			options := []func(*sim){withHealthchecks(test.n, test.each, false)}
			if test.option != nil {
				options = append(options, test.option)
			}
			m := quietSim(t, test.n, options...)
			m.run(2 * time.Minute)
			for _, b := range m.boxes[:test.cut] {
				b.cut = true
			}
			m.run(4 * time.Minute)
			in := wantBlind(t, m)
			if in.State != state.Open || in.Held != "blind" || heldBy(m, "blind") != test.cut {
				t.Errorf("it is %s, held by %q; %d of %d incidents are", in.State, in.Held, heldBy(m, "blind"), test.cut)
			}
			cutOff(m, false)
			m.run(4 * time.Minute)
			if in = wantBlind(t, m); in.State != state.Resolved || in.How != event.HowRecovered {
				t.Errorf("it is %s (%s), held by %q: %s", in.State, in.How, in.Held, in.HeldReason)
			}
			wantAllUp(t, m)
			m.audit()
		})
	}
}

// TestAShortCutOfFewServices is over before their HEALTHCHECKs prove it.
func TestAShortCutOfFewServices(t *testing.T) {
	m := quietSim(t, 3, withHealthchecks(3, 30*time.Second, false))
	m.run(12 * time.Second)
	cutOff(m, true)
	m.run(12 * time.Second)
	if heldBy(m, "blind") != 3 {
		t.Errorf("%d of 3 incidents are held", heldBy(m, "blind"))
	}
	cutOff(m, false)
	m.run(time.Minute)
	wantTargets(t, m)
	wantAllUp(t, m)
}

// TestFewServicesThatAreCutOffStaySoOverARestart: what proves it is seen anew.
func TestFewServicesThatAreCutOffStaySoOverARestart(t *testing.T) {
	for _, after := range []time.Duration{5 * time.Second, 12 * time.Second, 50 * time.Second} {
		m := quietSim(t, 3, withHealthchecks(3, 30*time.Second, false))
		m.run(time.Minute)
		cutOff(m, true)
		m.run(after)
		for range 3 {
			m.crash(3 * time.Second)
			m.run(time.Minute)
			if in := wantBlind(t, m); in.State != state.Open || len(m.actions()) > 0 {
				t.Errorf("after %s it is %s, actions %v", after, in.State, m.actions())
			}
		}
		cutOff(m, false)
		m.run(time.Minute)
		if in := wantBlind(t, m); in.State != state.Resolved {
			t.Errorf("after %s it is %s, held by %q", after, in.State, in.Held)
		}
		wantAllUp(t, m)
	}
}

// TestFewServicesThatFailByThemselvesAreRepaired, those that hang, or have no
// HEALTHCHECK, as soon as ever.
func TestFewServicesThatFailByThemselvesAreRepaired(t *testing.T) {
	const soon, soonest = 16 * time.Second, 10 * time.Second // the first: their HEALTHCHECKs run 8 s after
	for name, test := range map[string]struct {
		n, fail int
		app     string
		within  time.Duration
		option  func(*sim)
	}{
		"they refuse, and their HEALTHCHECKs fail":            {2, 2, "deaf", soon, withHealthchecks(2, 30*time.Second, false)},
		"they refuse, and have no HEALTHCHECK":                {2, 2, "deaf", soonest, withHealthchecks(0, 0, false)},
		"they refuse, and one has a HEALTHCHECK":              {3, 3, "deaf", soonest, withHealthchecks(1, 30*time.Second, true)},
		"they refuse, and their HEALTHCHECKs run once a day":  {2, 2, "deaf", soonest, withHealthchecks(2, 24*time.Hour, true)},
		"they hang, and their HEALTHCHECKs fail":              {2, 2, "hang", soonest, withHealthchecks(2, 30*time.Second, false)},
		"they hang, and their HEALTHCHECKs are shallow":       {3, 3, "hang", soonest, withHealthchecks(3, 30*time.Second, true)},
		"they answer 500, and their HEALTHCHECKs are shallow": {4, 4, "error", soonest, withHealthchecks(4, 30*time.Second, true)},
		"one of two refuses, and its HEALTHCHECK is shallow":  {2, 1, "deaf", soonest, withHealthchecks(2, 30*time.Second, true)},
		"one of three hangs, and its HEALTHCHECK is shallow":  {3, 1, "hang", soonest, withHealthchecks(3, 30*time.Second, true)},
		"one alone refuses":                                   {1, 1, "deaf", soonest, withHealthchecks(1, 30*time.Second, true)},
	} {
		t.Run(name, func(t *testing.T) {
			m := quietSim(t, test.n, test.option)
			m.run(72 * time.Second)
			become(m, test.app, m.boxes[:test.fail]...)
			if after := restartedAfter(t, m, test.fail); after > test.within {
				t.Errorf("they were restarted after %s", after)
			}
			m.run(time.Minute)
			wantAllUp(t, m)
		})
	}
}

// deafAfterTheirLastRun are two services that cannot be reached since a moment after the
// last runs of their HEALTHCHECKs.
func deafAfterTheirLastRun(t *testing.T) *sim {
	m := quietSim(t, 2, withHealthchecks(2, 30*time.Second, true))
	m.run(time.Minute)
	for _, b := range m.boxes {
		b.state.HealthEach = 24 * time.Hour // the run that is due is the last
	}
	m.run(31 * time.Second)
	for _, b := range m.boxes {
		b.state.HealthEach = 30 * time.Second
	}
	become(m, "deaf", m.boxes...)
	return m
}

// TestOldRunsOfHealthchecksProveNothing: those that ended before the first check failed,
// or that were under way then. What proves nothing in time is not waited for.
func TestOldRunsOfHealthchecksProveNothing(t *testing.T) {
	m := deafAfterTheirLastRun(t)
	m.run(15 * time.Second)
	for _, b := range m.boxes { // it began before the service failed, and ended since
		b.state.HealthRun = container.HealthRun{Began: m.now.Add(-20 * time.Second), Took: 19 * time.Second, OK: true}
	}
	m.run(15 * time.Second)
	wantTargets(t, m)
	if heldBy(m, "blind") != 2 || m.incident("svc-0").HeldUntil == nil {
		t.Errorf("%d of 2 are held", heldBy(m, "blind"))
	}
	if after := restartedAfter(t, m, 2); after > 30*time.Second {
		t.Errorf("they were restarted %s later", after)
	}
}

// TestRunsFromBeforeThisLifeProveNothing: that the first inspection shows a run does not
// say when it was.
func TestRunsFromBeforeThisLifeProveNothing(t *testing.T) {
	m := deafAfterTheirLastRun(t)
	m.run(8 * time.Second)
	m.crash(3 * time.Second)
	m.run(15 * time.Second)
	wantTargets(t, m)
	restartedAfter(t, m, 2)
}

// TestFewServicesWithoutTheirNetworkAreConnected: their HEALTHCHECKs succeed inside.
func TestFewServicesWithoutTheirNetworkAreConnected(t *testing.T) {
	m := quietSim(t, 2, withHealthchecks(2, 30*time.Second, true), func(m *sim) {
		for _, b := range m.boxes {
			b.state.Networks, b.plugged = []container.Network{{Name: "shop"}}, true
		}
	})
	m.run(time.Minute)
	for _, b := range m.boxes {
		m.disconnected(b)
	}
	m.run(time.Minute)
	if got := m.actions(); !slices.Equal(got, []string{service.ActionConnect, service.ActionConnect}) {
		t.Errorf("actions are %v", got)
	}
	wantAllUp(t, m)
}

// TestWhatStaysDownOfFewIsRepaired: the path is back, and one fails by itself.
func TestWhatStaysDownOfFewIsRepaired(t *testing.T) {
	m := quietSim(t, 2, withHealthchecks(2, 30*time.Second, true))
	m.run(time.Minute)
	cutOff(m, true)
	m.run(time.Minute)
	wantBlind(t, m)
	m.boxes[1].app = "error"
	cutOff(m, false)
	m.run(time.Minute)
	wantTargets(t, m, "restart svc-1")
	wantAllUp(t, m)
}

// TestRandomFew drives few services with HEALTHCHECKs through random histories in which
// LogStream is cut off from all of them at times.
func TestRandomFew(t *testing.T) {
	share(t, uint64(histories(t, 150)), func(n uint64) *sim {
		m := newSim(n, 2+int(n%3), func(m *sim) {
			for i, b := range m.boxes {
				b.checked, b.shallow = true, i%2 == 0
				b.state.HealthEach = []time.Duration{10 * time.Second, 30 * time.Second}[n/3%2]
			}
		})
		m.run(m.between(5*time.Second, time.Minute))
		for range 2 + m.rng.IntN(5) {
			b := m.boxes[m.rng.IntN(len(m.boxes))]
			switch k := m.rng.IntN(len(outside) + 4); {
			case k < len(outside):
				m.note("OUTSIDE %s %s", outside[k].name, b.def.Name)
				outside[k].do(m, b)
			default:
				cutOff(m, !b.cut)
			}
			m.run(m.between(0, time.Minute))
		}
		cutOff(m, false)
		m.finish()
		if all := fleetIncidents(m); len(all) > 0 && all[len(all)-1].State != state.Resolved {
			m.violated("the incident of the fleet is %s, held by %q", all[len(all)-1].State, all[len(all)-1].Held)
		}
		return m
	})
}
