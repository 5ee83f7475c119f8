package healer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// Docker on a bad day: slow, hanging, refusing, gone, and answers that are lost.

func TestSlowEngineIsCalledForOneServiceAtATime(t *testing.T) {
	onSite(t, []string{"web", "db"}, nil, func(s *site) {
		s.engine.fail("Start", callFault{slow: 3 * time.Second})
		s.harm("web", container.FaultKill)
		s.harm("db", container.FaultKill)
		s.repaired("web")
		s.repaired("db")
		calls := s.calls()
		slices.Sort(calls)
		if !slices.Equal(calls, []string{"Start db", "Start web"}) || s.engine.mostAtOnce() != 1 {
			t.Errorf("the calls are %v, %d at once", calls, s.engine.mostAtOnce())
		}
	})
}

// TestCallThatHangsIsGivenUpAtItsDeadline: what became of it is found out by
// inspections, and the incident goes on.
func TestCallThatHangsIsGivenUpAtItsDeadline(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   callFault
		results []event.Outcome
		calls   []string // that the engine took
	}{
		{"without an effect", callFault{hang: true}, []event.Outcome{event.OutcomeNotExecuted, event.OutcomeOK}, []string{"Start web"}},
		{"with an effect", callFault{mute: true}, []event.Outcome{event.OutcomeOK}, []string{"Start web"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onSite(t, []string{"web"}, nil, func(s *site) {
				s.engine.fail("Start", tt.fault)
				s.harm("web", container.FaultKill)
				s.until("the call", func() bool { return s.engine.underway("Start") > 0 })
				intent := s.events(event.TypeActionStarted)[0]
				s.until("it is given up", func() bool { return s.engine.underway("Start") == 0 })
				if late := time.Since(intent.Data.(event.ActionStarted).Expires).Abs(); late > glance {
					t.Errorf("it is given up %s from its deadline", late)
				}
				if results := s.events(event.TypeActionFinished); len(results) > 0 && tt.fault.hang {
					t.Errorf("it is held to have had no effect at once: %+v", results)
				}
				s.engine.fail("Start", callFault{})
				s.repaired("web")
				var results []event.Outcome
				for _, e := range s.events(event.TypeActionFinished) {
					results = append(results, e.Data.(event.ActionFinished).Outcome)
				}
				if !slices.Equal(results, tt.results) {
					t.Errorf("the results are %v, want %v", results, tt.results)
				}
				s.wantCalls(tt.calls...)
			})
		})
	}
}

func TestLostAnswerIsFoundOutAndNotRepeated(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.fail("Start", callFault{lose: true})
		s.harm("web", container.FaultKill)
		s.repaired("web")
		s.wantCalls("Start web")
		if got := s.eventTypes("web"); got != repair {
			t.Errorf("its incident is %s, want %s", got, repair)
		}
	})
}

// TestOutcomeIsUnknownForAsLongAsDockerHangs: what cannot be inspected is not
// held to have had no effect.
func TestOutcomeIsUnknownForAsLongAsDockerHangs(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.fail("Start", callFault{slow: time.Second, lose: true})
		s.harm("web", container.FaultKill)
		s.until("the call", func() bool { return s.engine.underway("Start") > 0 })
		s.engine.fail("Find", callFault{hang: true})
		time.Sleep(time.Minute)
		if results := s.events(event.TypeActionFinished); len(results) > 0 {
			t.Errorf("its outcome is unknown, and %+v is on the log", results)
		}
		s.engine.fail("Find", callFault{})
		s.repaired("web")
		s.wantCalls("Start web")
		if got := s.fold("web"); got != repair {
			t.Errorf("its incident is %s, want %s", got, repair)
		}
	})
}

func TestRefusedCallIsTriedAgainAfterItsCooldown(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.fail("Start", callFault{refuse: true})
		s.harm("web", container.FaultKill)
		s.until("the refusal", func() bool { return len(s.events(event.TypeActionFinished)) == 1 })
		result := s.events(event.TypeActionFinished)[0]
		if data := result.Data.(event.ActionFinished); data.OK || data.Outcome != event.OutcomeRefused || data.Error != errDriver.Error() {
			t.Errorf("the result is %+v", data)
		}
		s.engine.fail("Start", callFault{})
		s.repaired("web")
		again := s.events(event.TypeActionStarted)[1]
		if waited := again.Time.Sub(result.Time); waited < s.config.Budget.Cooldown {
			t.Errorf("it is tried again after %s", waited)
		}
	})
}

// TestEngineThatHangsHoldsTheRepair: each way to hang, until Docker answers again.
func TestEngineThatHangsHoldsTheRepair(t *testing.T) {
	for _, tt := range []struct {
		method string
		ready  func(*site) bool
	}{
		{"Find", func(s *site) bool { return s.isHeld("engine") }},
		// The pins are compared by Inspect: without an answer the call is not made.
		{"Inspect", func(s *site) bool { return s.isNotExecuted("the inspection failed") }},
	} {
		t.Run(tt.method, func(t *testing.T) {
			onSite(t, []string{"web"}, nil, func(s *site) {
				s.engine.fail(tt.method, callFault{hang: true})
				s.harm("web", container.FaultKill)
				began := time.Now()
				s.until("it is held", func() bool { return tt.ready(s) })
				if took := time.Since(began); tt.method == "Find" && took > 4*time.Second {
					t.Errorf("that Docker does not answer is said after %s", took)
				}
				most := 0
				for range 300 {
					time.Sleep(100 * time.Millisecond)
					most = max(most, s.engine.underway(tt.method))
				}
				if most > 1 {
					t.Errorf("%d calls of %s are waited for at once, about one service", most, tt.method)
				}
				s.wantCalls()
				s.engine.fail(tt.method, callFault{})
				s.repaired("web")
				s.wantCalls("Start web")
			})
		})
	}
}

// TestLogsThatHangDelayNoRepair: a container's last lines are evidence, and no
// more.
func TestLogsThatHangDelayNoRepair(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.say("web", "hello")
		s.engine.fail("Logs", callFault{hang: true})
		s.harm("web", container.FaultKill)
		began := time.Now()
		s.until("the call", func() bool { return len(s.calls()) > 0 })
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("it is repaired after %s", took)
		}
		s.repaired("web")
		s.wantCalls("Start web")
	})
}

func TestUnreachableEngineHoldsTheRepair(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.setUnreachable(true)
		s.engine.exit("web", 1)
		s.until("it is held", func() bool { return s.isHeld("engine") })
		time.Sleep(30 * time.Second)
		s.wantCalls()
		s.engine.setUnreachable(false)
		s.repaired("web")
		s.wantCalls("Start web")
	})
}

// TestCallIsNotMadeWhereTheContainerChangedMeanwhile: the pins are compared last.
func TestCallIsNotMadeWhereTheContainerChangedMeanwhile(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.fail("Inspect", callFault{slow: time.Second})
		s.harm("web", container.FaultKill)
		s.until("the last inspection", func() bool { return s.engine.underway("Inspect") > 0 })
		s.log.hold(event.TopicHealth, every) // what it has read does not include it
		s.log.hold(event.TopicDocker, every)
		s.engine.startOutside("web")
		s.until("its result", func() bool { return s.isNotExecuted("it was started after the decision") })
		s.wantCalls()
	})
}

// isHeld says whether the gate of that name holds the newest incident.
func (s *site) isHeld(gate string) bool {
	s.Helper()
	all := s.events(event.TypeSuppressed)
	return len(all) > 0 && all[len(all)-1].Data.(event.Suppressed).Gate == gate
}

// isNotExecuted says whether an intent was closed without a call, and why.
func (s *site) isNotExecuted(why string) bool {
	s.Helper()
	return slices.ContainsFunc(s.events(event.TypeActionFinished), func(e event.Incident) bool {
		data := e.Data.(event.ActionFinished)
		return data.Outcome == event.OutcomeNotExecuted && strings.Contains(data.Error, why)
	})
}
