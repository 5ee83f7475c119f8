package healer

import (
	"errors"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What a deployment does to containers, and what is left alone for it.

func TestRemovalIsADeploymentForAWhile(t *testing.T) {
	m, b := quiet(t)
	m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name, ID: "old", Action: "destroy"})
	do("kill", m, b)
	m.run(10 * time.Second)
	wantHeld(t, m, "deploy")
	m.run(20 * time.Second)
	wantActions(t, m, "start")
}

func TestContainerThatIsBeingReplacedIsLeftAlone(t *testing.T) {
	m, b := quiet(t)
	m.writeDocker(event.Docker{Time: m.now, Container: "0a1b_" + b.def.Name, ID: "new", Action: "create", Replace: b.state.ID})
	do("kill", m, b)
	m.run(5 * time.Second)
	wantHeld(t, m, "deploy")
	m.run(20 * time.Second)
	wantActions(t, m, "start") // the replacement never came
}

func TestProjectThatIsBeingDeployedIsLeftAlone(t *testing.T) {
	m, b := quiet(t)
	b.state.Project = "shop"
	m.writeDocker(event.Docker{Time: m.now, Container: "shop-db-1", ID: "other", Action: "create", Project: "shop"})
	m.run(time.Second)
	do("kill", m, b)
	m.run(5 * time.Second)
	wantHeld(t, m, "deploy")
	m.run(30 * time.Second)
	wantActions(t, m, "start")
}

func TestStopByADeploymentIsNotTheFirstOfTwo(t *testing.T) {
	for name, order := range map[string][]string{"die before stop": {"kill", "die", "stop", "destroy"}, "stop before die": {"kill", "stop", "die", "destroy"}} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, func(m *sim) { m.stopFirst = order[1] == "stop" })
			old := b.state.ID
			for _, action := range order {
				m.now = m.now.Add(time.Millisecond)
				m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name, ID: old, Action: action, Signal: "15"})
			}
			b.state.ID, b.state.StartedAt = "id-anew", m.now
			m.emit(b, "start", nil)
			m.run(time.Minute)
			do("stop", m, b)
			m.run(time.Minute)
			wantActions(t, m, "start") // the first stop of a container that was made a minute before
		})
	}
}

func TestContainerThatIsBeingRemovedIsLeftToItsDeployment(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	b.state.Status = container.Removing
	m.run(20 * time.Second)
	wantHeld(t, m, "deploy")
	b.state.Status = container.Exited
	m.run(20 * time.Second)
	wantActions(t, m, "start")
}

func TestContainerThatWasRemovedIsLeftToItsDeploymentForAWhile(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.emit(b, "destroy", nil)
	b.gone = true
	m.run(8 * time.Second)
	wantHeld(t, m, "deploy")
	m.run(20 * time.Second)
	if in := m.of0(); in.State != state.Escalated || in.CauseID != "container_missing" {
		t.Errorf("the incident is %s: %s", in.State, in.CauseID)
	}
}

// projectSim is one of two services of one Compose project.
func projectSim(t *testing.T, stopFirst bool) (m *sim, b, sibling *box) {
	t.Helper()
	m = quietSim(t, 2, func(m *sim) {
		m.stopFirst, m.cfg.ManualGrace = stopFirst, time.Second
		for _, b := range m.boxes {
			b.state.Project = "shop"
		}
	})
	return m, m.boxes[0], m.boxes[1]
}

// TestStopAfterAnUnrequestedExitIsRepaired stops a container by hand right
// after another of its project was stopped, and not by hand.
func TestStopAfterAnUnrequestedExitIsRepaired(t *testing.T) {
	for _, tt := range []struct {
		name  string
		other func(t *testing.T, m *sim, sibling *box)
	}{
		{"by an injection", func(_ *testing.T, m *sim, sibling *box) {
			m.command(event.Command{Command: event.CommandInject, Service: sibling.def.Name})
			m.run(50 * time.Millisecond)
			do("stop", m, sibling)
		}},
		{"by a repair of ours", func(t *testing.T, m *sim, sibling *box) {
			do("error", m, sibling)
			m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
		}},
		{"by its engine", func(_ *testing.T, m *sim, sibling *box) {
			do("stop", m, sibling)
			m.run(500 * time.Millisecond)
			m.dockerUnreachable(time.Second)
			m.run(2 * time.Second)
		}},
		{"by hand, of another project", func(_ *testing.T, m *sim, sibling *box) {
			sibling.state.Project = "blog"
			do("stop", m, sibling)
		}},
		{"a while before", func(_ *testing.T, m *sim, sibling *box) {
			do("stop", m, sibling)
			m.run(15 * time.Second)
		}},
	} {
		for _, stopFirst := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				m, b, sibling := projectSim(t, stopFirst)
				tt.other(t, m, sibling)
				do("stop", m, b)
				m.run(time.Minute)
				if b.state.Status != container.Running {
					t.Errorf("it is %s, held by %q", b.state.Status, m.gate())
				}
			})
		}
	}
}

// TestAProjectThatIsTakenDownIsNotCreatedAgain, although recreate is listed, and
// what was removed alone is.
func TestAProjectThatIsTakenDownIsNotCreatedAgain(t *testing.T) {
	for _, together := range []bool{true, false} {
		m := quietSim(t, 2, listed, func(m *sim) {
			m.keeps = true
			for _, b := range m.boxes {
				b.state.Project = "shop"
			}
		})
		m.run(time.Minute) // it is known how it was while it was healthy
		b, sibling := m.boxes[0], m.boxes[1]
		if together {
			do("stop", m, sibling)
		}
		do("stop", m, b)
		m.run(500 * time.Millisecond)
		m.emit(b, "destroy", nil)
		b.gone = true
		m.run(time.Minute)
		in := m.incident(b.def.Name)
		_, acted := in.Last(event.TypeActionStarted)
		if together == acted || together && in.Held != "operator" {
			t.Errorf("removed together %v: acted %v, held %q, %s %s", together, acted, in.Held, in.State, in.CauseID)
		}
	}
}

// TestContainerThatIsRenamedIsBeingDeployed: the engine reports that under the new
// name. docker run may follow under the old one at any moment.
func TestContainerThatIsRenamedIsBeingDeployed(t *testing.T) {
	for name, tt := range map[string]struct {
		grace, quiet time.Duration
		actions      []string
		held         time.Duration // after the rename
		after        []string
	}{
		"the start of one that was stopped": {time.Second, 0, nil, 9 * time.Second, nil},
		"one in its place":                  {30 * time.Second, time.Minute, []string{"recreate"}, 58 * time.Second, []string{"recreate"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, func(m *sim) { m.keeps = true }, configured(func(c *Config) { c.ManualGrace, c.Quiet = tt.grace, tt.quiet }),
				defined(func(d *service.Definition) {
					if tt.actions != nil {
						d.Heal.Actions = tt.actions
					}
				}))
			m.run(time.Minute)
			do("stop", m, b)
			m.run(600 * time.Millisecond)
			m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name + "-old", ID: b.state.ID, Action: "rename"})
			b.gone, b.removed = true, true
			m.run(tt.held)
			wantHeld(t, m, "deploy")
			m.run(time.Minute)
			wantActions(t, m, tt.after...)
		})
	}
}

// TestRenamedContainerIsInspectedAnew: nothing else reports that it has left its place.
func TestRenamedContainerIsInspectedAnew(t *testing.T) {
	m, b := quiet(t)
	m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name + "-old", ID: b.state.ID, Action: "rename"})
	b.gone = true
	m.run(time.Second)
	if got := m.core.services[b.def.Name].inspection.err; !errors.Is(got, container.ErrNotFound) {
		t.Errorf("it was last inspected with %v", got)
	}
}
