package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/raced"
)

// Which containers were seen running, and may be started again.

// unseen is a sim whose service has been UP for a while, and whose engine was
// never reached.
func unseen(t *testing.T) (*sim, *box) {
	t.Helper()
	raced.Skip(t)
	m := newSim(1, 1, func(m *sim) { m.steady, m.trace, m.engine = true, []string{}, false })
	b := m.boxes[0]
	m.run(20 * time.Second)
	if got := m.status(b.def.Name); got.Status != event.Up || got.Container != nil {
		t.Fatalf("it is %s, of the container %+v", got.Status, got.Container)
	}
	return m, b
}

func (m *sim) engineComes() {
	m.engine = true
	m.connect()
}

func TestContainerThatAnsweredRan(t *testing.T) {
	m, b := unseen(t)
	b.state.Status, b.state.FinishedAt = container.Exited, m.now
	m.engineComes()
	m.run(time.Minute)
	wantActions(t, m, "start")
}

// TestContainerThatWasOnlyCreatedNeverRan has our own check UP through another
// container, unseen, whose successor of that name was never started.
func TestContainerThatWasOnlyCreatedNeverRan(t *testing.T) {
	m, b := unseen(t)
	b.state.ID, b.state.Status, b.state.StartedAt = "next", container.Created, time.Time{}
	m.engineComes()
	m.run(time.Minute)
	wantHeld(t, m, "operator")
}

// TestContainerThatFollowedAnotherDidNotAnswer has our own check UP through a
// container that was seen, and is followed by one that was stopped, unseen.
func TestContainerThatFollowedAnotherDidNotAnswer(t *testing.T) {
	for name, crash := range map[string]bool{"in one life": false, "over a restart": true} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t)
			m.dockerUnreachable(15 * time.Second)
			if crash {
				m.crash(time.Second)
			}
			m.run(5 * time.Second)
			b.state.ID, b.state.Status, b.state.FinishedAt = "next", container.Exited, m.now
			m.run(time.Minute)
			wantHeld(t, m, "operator")
		})
	}
}
