package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Another healer beside us: a tool that restarts containers whose HEALTHCHECK fails,
// as some do that poll the engine.

// restarter polls each so often, and restarts what is unhealthy. It keeps when.
type restarter struct{ at []time.Time }

func (r *restarter) watch(m *sim, b *box, first, each time.Duration) {
	var poll func()
	poll = func() {
		if b.state.Status == container.Running && b.health == event.Down && !b.busy {
			r.at = append(r.at, m.now)
			m.note("OUTSIDE another healer restarts %s", b.def.Name)
			m.restart(b, nil)
		}
		m.after(each, poll)
	}
	m.after(first, poll)
}

func checkedBox(m *sim) {
	for _, b := range m.boxes {
		b.checked = true
	}
}

// ourRestarts are when calls of ours were begun.
func ourRestarts(m *sim) (at []time.Time) {
	for _, w := range m.incidents {
		if begun, is := w.event.Data.(event.ActionStarted); is && begun.Action == service.ActionRestart {
			at = append(at, w.event.Time)
		}
	}
	return at
}

// wantNoSecondRestart checks that none of ours follows one of theirs within a minute.
func wantNoSecondRestart(t *testing.T, theirs, ours []time.Time) {
	t.Helper()
	for _, mine := range ours {
		if slices.ContainsFunc(theirs, func(at time.Time) bool { return mine.After(at) && mine.Sub(at) < time.Minute }) {
			t.Errorf("we restart at %s, and they did at %v", mine, theirs)
		}
	}
}

func TestNoSecondRestartBesideAnotherHealer(t *testing.T) {
	for name, first := range map[string]time.Duration{"it is first": 500 * time.Millisecond, "we are first": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				var other restarter
				m.run(10 * time.Second)
				b.app = "error"
				other.watch(m, b, first, 5*time.Second)
				m.run(2 * time.Minute)
				ours := ourRestarts(m)
				if len(ours)+len(other.at) != 1 {
					t.Errorf("one failure was restarted %d times by us and %d times by the other", len(ours), len(other.at))
				}
				wantNoSecondRestart(t, other.at, ours)
				if in := m.of0(); in.State != state.Resolved && in.ID != "" {
					t.Errorf("the incident is %s, held by %q", in.State, in.Held)
				}
			}, checkedBox)
		})
	}
}

func TestWhatAnotherHealerRestartsAgainAndAgainIsLeftToIt(t *testing.T) {
	long(t)
	for name, first := range map[string]time.Duration{"it is first": 500 * time.Millisecond, "we are first": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				var other restarter
				m.run(10 * time.Second)
				from := m.now
				b.app = "broken"
				other.watch(m, b, first, 5*time.Second)
				m.run(15 * time.Minute)
				wantNoSecondRestart(t, other.at, ourRestarts(m))
				if n := len(m.actions()); n > 1 {
					t.Errorf("we acted %d times: %v", n, m.actions())
				}
				said := dataOf[event.Suppressed](m)
				if !slices.ContainsFunc(said, func(s event.Suppressed) bool {
					return s.Gate == "rival" && strings.Contains(s.Reason, "another healer works on this engine")
				}) {
					t.Errorf("held were %+v", said)
				}
				if most, all := rate(m, from); most > 30 {
					t.Errorf("%d records a minute:\n%s", most, strings.Join(all, "\n"))
				}
			}, checkedBox)
		})
	}
}

// TestRestartsByHandOfWhatIsWellAreNoRepairs: what fails after them is repaired.
func TestRestartsByHandOfWhatIsWellAreNoRepairs(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		for range 3 {
			do("restart", m, b)
			m.run(30 * time.Second)
		}
		wantActions(t, m)
		do("kill", m, b)
		m.run(30 * time.Second)
		wantActions(t, m, "start")
		b.app = "error"
		m.run(30 * time.Second)
		wantActions(t, m, "start", "restart")
	})
}

// TestStartsByAnotherHealerCount, and are over after ten minutes.
func TestStartsByAnotherHealerCount(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		for range 2 {
			do("stop", m, b)
			m.run(900 * time.Millisecond)
			do("start", m, b)
			m.run(30 * time.Second)
		}
		wantActions(t, m)
		do("kill", m, b)
		m.run(20 * time.Second)
		wantHeld(t, m, "rival")
		if until := m.of0().HeldUntil; until == nil || until.Sub(m.now) > 10*time.Minute {
			t.Errorf("it is held until %v", until)
		}
		m.run(10 * time.Minute)
		wantActions(t, m, "start")
	})
}

// What could not be inspected may have a restart policy, and then its starts are
// Docker's.
func TestStartsOfWhatCouldNotBeInspectedDoNotCount(t *testing.T) {
	began := time.Unix(1_000_000, 0)
	var h history.History
	for i, action := range []string{"start", "die", "start", "die", "start"} {
		at := began.Add(time.Duration(i) * time.Second)
		h = h.Add(history.Event{Docker: event.Docker{Time: at, ID: "a", Action: action}, ReadAt: at})
	}
	in := &state.Incident{FirstBad: began.Add(time.Second)}
	for want, by := range map[int]actor{0: {}, 2: {container: "a"}} {
		by.ours = func(time.Time) bool { return false }
		if got := repairsByOthers(h, make([]bool, len(h)), []*state.Incident{in}, by, began.Add(time.Minute)).Repairs; got != want {
			t.Errorf("container %q: %d repairs by others, want %d", by.container, got, want)
		}
	}
	if got := repairsByOthers(h, make([]bool, len(h)), []*state.Incident{in}, actor{container: "a", seen: container.State{RestartPolicy: "always"}, ours: func(time.Time) bool { return false }}, began.Add(time.Minute)).Repairs; got != 0 {
		t.Errorf("with a restart policy: %d repairs by others, want none", got)
	}
}
