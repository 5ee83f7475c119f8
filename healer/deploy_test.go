package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
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
