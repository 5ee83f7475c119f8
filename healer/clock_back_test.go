package healer

import (
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/healer/status"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// engineSteps are by how much the engine's clock is set after the container was started,
// or stopped once.
var engineSteps = map[string]time.Duration{"an hour back": -time.Hour, "ten seconds back": -10 * time.Second, "an hour ahead": time.Hour}

// afterSteps runs the test after each step of the engine's clock a minute after the
// container was restarted.
func afterSteps(t *testing.T, test func(*testing.T, *sim, *box), options ...func(*sim)) {
	for name, step := range engineSteps {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				do("restart", m, b)
				m.run(time.Minute)
				m.ahead += step
				test(t, m, b)
			}, options...)
		})
	}
}

func TestManualStopIsLeftAloneAfterAStepOfTheEnginesClock(t *testing.T) {
	afterSteps(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(2 * time.Minute)
		wantHeld(t, m, "operator")
	}, defined(func(d *service.Definition) { d.Heal.ManualStop = service.StopIgnore }))
}

func TestStopAgainHoldsAfterAStepOfTheEnginesClock(t *testing.T) {
	for name, step := range engineSteps {
		if step > 0 {
			continue // by the engine's times it is an hour later
		}
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				do("stop", m, b)
				m.run(time.Minute)
				wantActions(t, m, "start")
				wantEnd(t, m, event.HowHealed)
				m.ahead += step
				for range 2 {
					do("stop", m, b)
					m.run(2 * time.Minute)
					wantActions(t, m, "start")
					if got := m.gate(); got != "operator" {
						t.Errorf("it is held by %q", got)
					}
					do("start", m, b)
					m.run(time.Minute)
				}
			})
		})
	}
}

func TestErrorsAreHealedAfterAStepOfTheEnginesClock(t *testing.T) {
	for name, step := range engineSteps {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				m.ahead = -min(step, 0)
				do("restart", m, b)
				m.run(time.Minute)
				m.ahead += step
				do("error", m, b)
				m.run(2 * time.Minute)
				wantActions(t, m, "restart")
				wantEnd(t, m, event.HowHealed)
			})
		})
	}
}

// TestWhatIsBeingStoppedIsNotRestartedAfterAStepOfTheEnginesClock: it serves no more, and
// its stop is dated before its start.
func TestWhatIsBeingStoppedIsNotRestartedAfterAStepOfTheEnginesClock(t *testing.T) {
	afterSteps(t, func(t *testing.T, m *sim, b *box) {
		b.stubborn, b.app = true, "error"
		do("stop", m, b)
		m.run(9 * time.Second) // of the ten that a stop may take
		wantHeld(t, m, "rival")
	})
}

func TestTheStartPeriodIsGivenAfterAStepOfTheEnginesClock(t *testing.T) {
	for name, step := range engineSteps {
		if step.Abs() < time.Minute {
			continue // so late an event may be read
		}
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				m.ahead = step
				m.run(time.Minute)
				b.unleveled = true // the level misses so short an end
				b.state.StartedAt = m.now.Add(m.ahead)
				m.emit(b, "start", nil)
				failsFor(m, b, 20*time.Second)
				m.run(90 * time.Second)
				wantActions(t, m)
				if m.incident("svc-0") != nil {
					t.Error("there is an incident of it")
				}
			}, withStartPeriod(30*time.Second))
		})
	}
}

// TestManualStopIsLeftAloneAfterBothClocksWereSetBack, as on one machine whose time is
// corrected.
func TestManualStopIsLeftAloneAfterBothClocksWereSetBack(t *testing.T) {
	for _, back := range []time.Duration{time.Hour, 10 * time.Second} {
		bothEngines(t, func(t *testing.T, m *sim, b *box) {
			do("restart", m, b)
			m.run(time.Minute)
			m.setClock(-back)
			do("stop", m, b)
			m.run(2 * time.Minute)
			wantHeld(t, m, "operator")
		}, defined(func(d *service.Definition) { d.Heal.ManualStop = service.StopIgnore }))
	}
}

// TestAStartThatIsReadLateIsNoLaterStart: LogStream was away when the container was
// started, and what failed since did not fail before.
func TestAStartThatIsReadLateIsNoLaterStart(t *testing.T) {
	for name, tt := range map[string]struct {
		failed time.Duration // after the start
		want   bool
	}{"since": {time.Minute, false}, "before": {-time.Minute, true}} {
		v := View{Status: &status.Status{FirstBad: simStart.Add(tt.failed)}, History: history.History{
			{Docker: event.Docker{ID: "id", Action: "start", Time: simStart}, ReadAt: simStart.Add(2 * time.Minute)}}}
		v.Inspection.state = container.State{ID: "id", StartedAt: simStart}
		if got := failsAgain(v); got != tt.want {
			t.Errorf("it failed %s: %v", name, got)
		}
	}
}

// TestErrorsAreHealedAfterBothClocksWereSetBack: by the clock of then it was started in
// the future.
func TestErrorsAreHealedAfterBothClocksWereSetBack(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("restart", m, b)
		m.run(time.Minute)
		m.setClock(-2 * time.Hour)
		m.run(2 * time.Minute)
		do("error", m, b)
		m.run(2 * time.Minute)
		wantActions(t, m, "restart")
		wantEnd(t, m, event.HowHealed)
	})
}
