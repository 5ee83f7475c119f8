package healer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// TestDependentOfOneThatLostANetworkIsNotRestarted: the dependency answers its own check
// in its other network, also for longer than a change takes to be remembered as good.
func TestDependentOfOneThatLostANetworkIsNotRestarted(t *testing.T) {
	for shape, options := range map[string][]func(*sim){
		"by depends_on":       {needing(1, 0)},
		"by Compose's labels": {composed(1, 0)},
		"in a new life":       {needing(1, 0)},
		"checked seldom":      {needing(1, 0), func(m *sim) { m.boxes[1].def.Interval = 20 * time.Second }},
	} {
		for _, remembered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remembered %t", shape, remembered), func(t *testing.T) {
				m := quietSim(t, 2, append(options, inNetworks("back", "front"), func(m *sim) { m.boxes[1].def.SuccessThreshold = 1 })...)
				if remembered {
					m.run(5 * time.Minute)
				}
				lost := m.boxes[0].state.Networks[0]
				m.disconnectedFrom(m.boxes[0], lost.Name)
				m.boxes[1].app = "broken"
				if shape == "in a new life" {
					m.crash(time.Second)
				}
				m.run(3 * time.Minute)
				wantTargets(t, m)
				in := m.incident("svc-1")
				if in.State != state.Escalated || in.CauseID != "dependency_detached" || m.open("svc-0") {
					t.Fatalf("the dependent's incident is %s, its cause %s", in.State, in.CauseID)
				}
				escalated, _ := in.Last(event.TypeEscalated)
				if why := escalated.Data.(event.Escalated).Reason; !strings.Contains(why, "svc-0 is no longer in the network back") {
					t.Errorf("a person is called since %s", why)
				}
				m.heal(service.ActionConnect)
				m.until(t, "it is connected", func() bool { return len(m.boxes[0].state.Networks) == 2 })
				m.boxes[1].app = "ok"
				m.run(2 * time.Minute)
				wantTargets(t, m, "connect svc-0")
				wantAllUp(t, m)
			})
		}
	}
}

// TestDependentThatIsWellWithoutTheNetworkIsRepaired: the dependency was taken out of it
// on purpose.
func TestDependentThatIsWellWithoutTheNetworkIsRepaired(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0), inNetworks("back", "front"))
	m.run(time.Minute)
	m.disconnectedFrom(m.boxes[0], "back")
	m.run(8 * time.Second)
	m.boxes[1].app = "error"
	m.run(time.Minute)
	wantTargets(t, m, "restart svc-1")
	wantAllUp(t, m)
}

// TestAnInspectionOfADependencyThatIsOutOfDateIsWaitedFor: it may have lost a network.
func TestAnInspectionOfADependencyThatIsOutOfDateIsWaitedFor(t *testing.T) {
	m := quietSim(t, 2, needing(1, 0))
	m.boxes[1].app = "broken"
	m.until(t, "it is DOWN", func() bool { return m.open("svc-1") })
	on, s := m.core.services["svc-0"], m.core.services["svc-1"]
	if needs := newNeeds(m.core, s, m.now); needs[0].inspection != fresh {
		t.Errorf("the inspection of a dependency that nothing happened to is waited for")
	}
	on.inspection.stale = true
	if needs := newNeeds(m.core, s, m.now); needs[0].inspection != overdue {
		t.Errorf("the inspection of a dependency that something happened to is not waited for")
	}
}

// TestChildInItsParentsNetworkIsRestartedOnceAfterIt, however the parent came back:
// its own network ended with the parent's former life.
func TestChildInItsParentsNetworkIsRestartedOnceAfterIt(t *testing.T) {
	for _, fault := range []string{"kill", "stop", "error", "restart"} {
		t.Run(fault, func(t *testing.T) {
			m := quietSim(t, 3, inNetworkOf(1, 0), inNetworkOf(2, 0))
			do(fault, m, m.boxes[0])
			m.run(5 * time.Minute)
			var own, children []string
			for _, target := range m.targets() {
				if strings.HasSuffix(target, "svc-0") {
					own = append(own, target)
				} else {
					children = append(children, target)
				}
			}
			slices.Sort(children)
			if want := map[string]int{"kill": 1, "stop": 1, "error": 1}[fault]; len(own) != want ||
				!slices.Equal(children, []string{"restart svc-1", "restart svc-2"}) {
				t.Errorf("actions are %v", m.targets())
			}
			if got := m.incident("svc-1").CauseID; got != "network_parent_restarted" {
				t.Errorf("the child's cause is %s", got)
			}
			wantAllUp(t, m)
			do("kill", m, m.boxes[0]) // another life of the parent
			m.run(5 * time.Minute)
			if n := len(m.targets()); n != len(own)+len(children)+3 {
				t.Errorf("after the next life of its parent all actions are %v", m.targets())
			}
			wantAllUp(t, m)
		})
	}
}

// TestAContainerThatIsRemovedKeepsItsDependencies: its labels cannot be read any more, in a
// life that never saw them either.
func TestAContainerThatIsRemovedKeepsItsDependencies(t *testing.T) {
	for name, remove := range map[string]int{"the dependent": 1, "what it needs": 0} {
		t.Run(name, func(t *testing.T) {
			m := publishedToNeed(t)
			do("kill", m, m.boxes[remove])
			m.boxes[remove].gone = true
			m.emit(m.boxes[remove], "destroy", nil)
			m.kill()
			m.run(2 * time.Minute)
			if got := m.status("svc-1").Needs; !slices.Equal(got, []event.Need{{Service: "svc-0", From: "compose"}}) {
				t.Errorf("it needs %v", got)
			}
		})
	}
}

// TestADependencyEndsWithTheContainerThatHadIt, and no repair waits for it.
func TestADependencyEndsWithTheContainerThatHadIt(t *testing.T) {
	for name, change := range map[string]func(*sim){
		"it was created again without":  func(m *sim) { m.boxes[1].state.ID, m.boxes[1].state.DependsOn = "new", nil },
		"it is another, of config.yaml": func(m *sim) { m.boxes[1].def.Container = "svc-1-new" },
	} {
		t.Run(name, func(t *testing.T) {
			m := publishedToNeed(t)
			m.kill()
			change(m)
			m.boxes[0].gone, m.boxes[1].gone = true, m.boxes[1].def.Container != "svc-1"
			m.run(2 * time.Minute)
			if got := m.status("svc-1").Needs; len(got) > 0 {
				t.Errorf("it needs %v", got)
			}
		})
	}
}

// publishedToNeed is a sim in which svc-1 is published to need svc-0, by its container.
func publishedToNeed(t *testing.T) *sim {
	t.Helper()
	m := quietSim(t, 2, composed(1, 0))
	m.until(t, "its dependencies are published", func() bool { return len(m.status("svc-1").Needs) == 1 })
	return m
}
