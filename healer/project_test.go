package healer

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

// TestProjectIsStoppedWhileASiblingTakesItsTime: docker compose stop takes up to the
// stop time-out a container, and longer than manual_grace.
func TestProjectIsStoppedWhileASiblingTakesItsTime(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		for i, takes := range []time.Duration{4 * time.Second, 10 * time.Second, 30 * time.Second, 90 * time.Second} {
			for _, oneByOne := range []bool{false, true} {
				signal := []string{"", "28", "3", "15"}[i] // WINCH is httpd's stop signal, QUIT nginx's
				t.Run(fmt.Sprint(stopFirst, takes, oneByOne, signal), func(t *testing.T) {
					m := quietSim(t, 2, composed(0), func(m *sim) { m.stopFirst = stopFirst })
					quick, slow := m.boxes[0], m.boxes[1]
					slow.stubborn, slow.state.StopTimeout, slow.state.StopSignal = true, takes, signal
					quick.stops++
					if oneByOne {
						m.stop(quick, func() { m.after(50*time.Millisecond, func() { do("stop", m, slow) }) })
					} else {
						m.stop(quick, nil)
						do("stop", m, slow)
					}
					m.run(2 * time.Minute)
					wantTargets(t, m)
				})
			}
		}
	}
}

// TestProjectThatIsTakenDownSlowlyIsNotCreatedAgain: docker compose down removes the
// one before the other has ended.
func TestProjectThatIsTakenDownSlowlyIsNotCreatedAgain(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		t.Run(fmt.Sprint(stopFirst), func(t *testing.T) {
			m := quietSim(t, 2, listed, composed(0), func(m *sim) { m.stopFirst, m.keeps = stopFirst, true })
			m.run(time.Minute)
			b, slow := m.boxes[0], m.boxes[1]
			slow.stubborn = true
			m.stop(b, func() {
				m.after(100*time.Millisecond, func() { b.gone = true; m.emit(b, "destroy", nil) })
				m.after(150*time.Millisecond, func() {
					m.stop(slow, func() { m.after(100*time.Millisecond, func() { slow.gone = true; m.emit(slow, "destroy", nil) }) })
				})
			})
			m.run(3 * time.Minute)
			wantTargets(t, m)
		})
	}
}

// TestASignalIsNoStop: one of a project is stopped by hand, a moment after another was
// sent a signal, or sometime after it was itself. Such as QUIT has a JVM print its threads,
// and TERM alone is a kill.
func TestASignalIsNoStop(t *testing.T) {
	signalled := func(m *sim, b *box, signal string) {
		m.emit(b, "kill", func(e *event.Docker) { e.Signal = signal })
	}
	for name, before := range map[string]func(m *sim, stopped, other *box){
		"a thread dump of the other": func(m *sim, _, other *box) { signalled(m, other, "3") },
		"a kill of the other": func(m *sim, _, other *box) {
			signalled(m, other, "15")
			m.die(other, 143)
		},
		"its own thread dump": func(m *sim, stopped, other *box) {
			signalled(m, stopped, "3")
			m.run(5 * time.Second)
			do("stop", m, other)
			m.run(55 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := quietSim(t, 2, composed(0))
			before(m, m.boxes[0], m.boxes[1])
			m.run(3 * time.Second)
			do("stop", m, m.boxes[0])
			m.run(2 * time.Minute)
			if got := m.targets(); !slices.Contains(got, "start svc-0") {
				t.Errorf("the targets are %v", got)
			}
			wantAllUp(t, m)
		})
	}
}

// TestARestartOfASiblingIsNoStop: one was restarted by hand, and another stopped: that
// is one stop.
func TestARestartOfASiblingIsNoStop(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		m := quietSim(t, 2, composed(0), func(m *sim) { m.stopFirst = stopFirst })
		do("restart", m, m.boxes[0])
		m.run(2 * time.Second)
		do("stop", m, m.boxes[1])
		m.run(time.Minute)
		wantTargets(t, m, "start svc-1")
	}
}

// TestWhatWasRestartedByHandIsLetStart: of a restart by hand of what was well, the
// service needs longer than a verification takes.
func TestWhatWasRestartedByHandIsLetStart(t *testing.T) {
	m, b := quiet(t)
	b.startup = 25 * time.Second
	do("restart", m, b)
	m.run(3 * time.Minute)
	wantActions(t, m)
}

// TestExitWith127OfWhatRanIsACrash: its command was found, for it ran for an hour.
func TestExitWith127OfWhatRanIsACrash(t *testing.T) {
	for _, code := range []int{126, 127} {
		bothEngines(t, func(t *testing.T, m *sim, b *box) {
			m.die(b, code)
			m.run(time.Minute)
			wantActions(t, m, "start")
			wantEnd(t, m, event.HowHealed)
		})
	}
}
