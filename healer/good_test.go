package healer

import (
	"testing"
	"time"

	"logstream/healer/budget"
	"logstream/healer/history"
	"logstream/healer/specification"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
	"logstream/internal/state"
)

func notMissed(time.Time) bool { return false }

func TestAChangeIsGoodOnceItWasGoodForAVerification(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	was := container.State{ID: "a", SpecHash: "s1", ImageID: "i1", Image: "web:1", Networks: []container.Network{{Name: "n", Aliases: []string{"web"}, Address: "10.0.0.2"}},
		Memory: 64 << 20, Variables: []string{"PATH"}}
	alone := was
	alone.Networks = nil
	var m memory
	for _, step := range []struct {
		what   string
		state  container.State
		run    int
		wanted int // networks that are remembered; -1: nothing is
	}{
		{"first seen", was, 0, -1},
		{"too few checks", was, 2, -1},
		{"enough", was, 3, 1},
		{"it loses its network", alone, 40, 1},
		{"one check was begun before", alone, 41, 1},
		{"the checks fail", alone, 0, 1},
		{"and succeed", alone, 2, 1},
		{"it is back", was, 3, 1},
		{"and lost again", alone, 9, 1},
		{"for good, and it works", alone, 12, 0},
	} {
		m.observe(step.state, "", step.run, 3, notMissed, at)
		switch {
		case (m.good == nil) != (step.wanted < 0):
			t.Fatalf("%s: remembered is %+v", step.what, m.good)
		case m.good != nil && len(m.good.Networks) != step.wanted:
			t.Fatalf("%s: remembered is %+v", step.what, m.good)
		}
	}
	moved := alone
	moved.Networks = []container.Network{{Name: "n", Address: "10.0.0.9"}}
	m.observe(moved, "", 20, 3, notMissed, at)
	m.observe(moved, "", 23, 3, notMissed, at)
	before := *m.good
	moved.Networks = []container.Network{{Name: "n", Address: "10.0.0.10"}}
	if m.observe(moved, "", 30, 3, notMissed, at); !isSameGood(*m.good, before) || m.next != nil {
		t.Error("an address that the engine assigned counts as a change")
	}
}

func TestTheImageBeforeIsRemembered(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var m memory
	for i, step := range []struct{ id, image, previous string }{
		{"a", "i1", ""}, {"b", "i2", "i1"}, {"c", "i2", "i1"}, {"d", "i3", "i2"},
		{"e", "i2", ""}, // rolled back: i3 is no image to go back to
		{"f", "i4", "i2"},
	} {
		c := container.State{ID: step.id, ImageID: step.image, Image: "web"}
		m.observe(c, "", 10*i, 3, notMissed, at)
		m.observe(c, "", 10*i+3, 3, notMissed, at)
		if m.good == nil || m.good.ImageID != step.image || m.good.PreviousImageID != step.previous {
			t.Fatalf("%+v: %+v", step, m.good)
		}
	}
}

// TestOwnReplacementIsNoDeployment: the events of a replacement are its own from
// the intent to a moment after its result, and of its containers alone.
func TestOwnReplacementIsNoDeployment(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := budget.Attempt{Began: at, AnsweredAt: at.Add(2 * time.Second), Left: "new", Kept: "old", Outcome: event.OutcomeVerified,
		Intent: event.ActionStarted{Action: service.ActionRollback, Pins: event.Pins{ContainerID: "old"}}}
	running := a
	running.AnsweredAt, running.Left, running.Kept = time.Time{}, "", ""
	closed := a
	closed.Outcome = event.OutcomeNotExecuted
	restart := a
	restart.Intent.Action = service.ActionRestart
	for _, tt := range []struct {
		what    string
		attempt budget.Attempt
		id      string
		name    string
		after   time.Duration
		own     bool
	}{
		{"the old one", a, "old", "web-kept", time.Second, true},
		{"the new one", a, "new", "web", time.Second, true},
		{"read late", a, "new", "web", 2900 * time.Millisecond, true},
		{"long after", a, "new", "web", time.Minute, false},
		{"before", a, "old", "web", -time.Second, false},
		{"another", a, "other", "web", time.Second, false},
		{"while it runs", running, "new", "web", time.Second, true},
		{"another while it runs", running, "other", "db", time.Second, false},
		{"it was not made", closed, "old", "web", time.Second, false},
		{"a restart", restart, "old", "web", time.Second, false},
	} {
		e := history.Event{Docker: event.Docker{ID: tt.id, Container: tt.name, Action: "rename"}, ReadAt: at.Add(tt.after)}
		if got := isOfReplacement(tt.attempt, "web", e); got != tt.own {
			t.Errorf("%s: its own is %v", tt.what, got)
		}
	}
}

// TestASpecificationThatIsGoneCountsAsKeptNoLonger: the data directory has the
// newest two of each service.
func TestASpecificationThatIsGoneCountsAsKeptNoLonger(t *testing.T) {
	c := NewController(Setup{Config: Default()}, time.Now())
	c.Step(SpecsKept{[]string{specification.Key("web", "a")}}, time.Now())
	if !c.specs.has("web", "a") || c.specs.has("api", "a") {
		t.Errorf("kept are %v", c.specs)
	}
	c.Step(SpecsKept{[]string{specification.Key("web", "b"), specification.Key("web", "c")}}, time.Now())
	if c.specs.has("web", "a") {
		t.Errorf("kept are %v", c.specs)
	}
}

// TestNoImageIsRolledBackWhereTheConfigurationAloneChanged, not even where
// rollback is listed: the older image would keep the new configuration.
func TestNoImageIsRolledBackWhereTheConfigurationAloneChanged(t *testing.T) {
	m, b := quiet(t, defined(func(d *service.Definition) { d.Heal.Actions = []string{service.ActionRollback} }))
	m.run(time.Minute)
	m.updatedTo(b, "i2", "s1", "ok")
	m.run(20 * time.Minute)
	m.updatedTo(b, "i2", "s2", "broken")
	m.run(5 * time.Minute)
	if in := m.of0(); in.CauseID != "bad_deployment" || b.state.ImageID != "i2" {
		t.Errorf("the cause is %s, and its image is %s", in.CauseID, b.state.ImageID)
	}
	if why := whyNot(service.ActionRollback, newView(m.core, m.core.services["svc-0"], m.now).Target); why == "" {
		t.Error("an operator is offered the image before")
	}
	for _, a := range m.actions() {
		if a == service.ActionRollback {
			t.Error("the image was rolled back")
		}
	}
}

// inNetworks puts every service of a sim into networks, in which alone it answers.
func inNetworks(names ...string) func(*sim) {
	return func(m *sim) {
		for _, b := range m.boxes {
			b.plugged = true
			for _, name := range names {
				b.state.Networks = append(b.state.Networks, container.Network{Name: name, Aliases: []string{b.def.Name}})
			}
		}
	}
}

// TestNetworksAreRememberedBeforeTheRestIs: as soon as the service is UP, long before as
// many checks as a verification needs were good, and for the next life as well.
func TestNetworksAreRememberedBeforeTheRestIs(t *testing.T) {
	for _, crash := range []bool{false, true} {
		m, b := quiet(t, inNetworks("shop"))
		if good := m.status("svc-0").Good; good != nil {
			t.Fatalf("remembered is %+v: the test is about the time before", good)
		}
		m.disconnected(b)
		if crash {
			m.crash(time.Second)
		}
		m.until(t, "it is connected", func() bool { return len(b.state.Networks) == 1 })
		m.run(time.Minute)
		wantActions(t, m, service.ActionConnect)
		wantEnd(t, m, event.HowHealed)
		if got := b.state.Networks[0].Aliases; len(got) != 1 || got[0] != "svc-0" {
			t.Errorf("its aliases are %v", got)
		}
		if now := m.status("svc-0"); now.Good == nil || len(now.Good.Networks) != 1 || now.Attached != nil {
			t.Errorf("remembered are %+v and %+v", now.Good, now.Attached)
		}
	}
}

// TestAContainerWithoutAnyNetworkIsNotRestarted: it would come back without one.
func TestAContainerWithoutAnyNetworkIsNotRestarted(t *testing.T) {
	m, b := quiet(t, inNetworks("shop"))
	m.run(time.Minute)
	m.stop(b, func() {
		m.emit(b, "destroy", nil)
		m.renewed(b, "")
		b.state.Networks = nil
		m.emit(b, "create", nil)
		m.started(b, nil)
	})
	m.run(2 * time.Minute)
	wantActions(t, m)
	if in := m.of0(); in.State != state.Escalated || in.CauseID != "no_network" {
		t.Errorf("the incident is %s, its cause %s", in.State, in.CauseID)
	}
	m.connected(b, event.Network{Name: "shop"})
	m.run(time.Minute)
	wantEnd(t, m, event.HowRecovered)
}

// TestANetworkThatIsLostAsTheServiceTurnsUPIsConnected: before its container was inspected
// again, which it is when the service turns UP.
func TestANetworkThatIsLostAsTheServiceTurnsUPIsConnected(t *testing.T) {
	raced.Skip(t)
	m := newSim(1, 1, func(m *sim) { m.steady = true }, inNetworks("shop"))
	m.until(t, "it is UP", func() bool { return m.good("svc-0") })
	m.disconnected(m.boxes[0])
	m.run(time.Minute)
	wantActions(t, m, service.ActionConnect)
	wantEnd(t, m, event.HowHealed)
}
