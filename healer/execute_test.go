package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// From the intent that is written to the result of the call.

// intended goes on until an intent is written of which nothing is on the log yet.
func intended(t *testing.T, fault string, m *sim, b *box) {
	t.Helper()
	do(fault, m, b)
	m.until(t, "an intent", func() bool { return m.begun(b.def.Name) })
}

// calling goes on until the call of an intent is under way.
func calling(t *testing.T, fault string, m *sim, b *box) {
	t.Helper()
	intended(t, fault, m, b)
	m.until(t, "a call", func() bool { return m.running[b.def.Name] })
}

func TestIntentThatIsNeverReadBackIsNotExecuted(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		intended(t, "kill", m, b)
		// It is written and acknowledged, and from that moment on nothing is read.
		m.logUp = false
		intent := m.outstanding["svc-0"]
		m.incidents = append(m.incidents, written{value: event.Encode(intent), event: intent})
		m.run(time.Minute)
		if len(m.calls) != 0 || b.state.Status != container.Exited {
			t.Errorf("calls %v, and the container is %s", m.calls, b.state.Status)
		}
	})
}

func TestForeignClaimAfterTheIntentEndsEverything(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		intended(t, "kill", m, b)
		intent := m.outstanding["svc-0"]
		m.claim(event.Claim{Host: "local", Instance: "other", Epoch: 99, Nonce: "theirs"})
		m.run(time.Minute)
		if len(m.calls) != 0 {
			t.Errorf("calls %v under an old claim", m.calls)
		}
		after := slices.IndexFunc(m.incidents, func(w written) bool { return w.event.Nonce == "theirs" })
		for _, w := range m.incidents[after+1:] {
			if w.event.ID != intent.ID || w.event.Seq > intent.Seq { // it was on its way, with what is written before it
				t.Errorf("after the claim of another instance it writes %s of %s", w.event.Type, w.event.Service)
			}
		}
		if status := m.status("svc-0"); status.Time.After(m.incidents[after].event.Time.Add(time.Second)) {
			t.Errorf("after the claim of another instance it publishes %+v", status)
		}
	})
}

// TestIntentIsNotExecutedWhereTheWorldChanged changes one thing between an
// intent and its being read back.
func TestIntentIsNotExecutedWhereTheWorldChanged(t *testing.T) {
	for _, tt := range []struct {
		name, fault string
		change      func(*sim, *box)
		why         string // empty: it is executed
	}{
		{"nothing", "kill", func(*sim, *box) {}, ""},
		{"nothing about a restart", "error", func(*sim, *box) {}, ""},
		{"its deadline passed", "kill", func(m *sim, _ *box) { m.readAt[event.TopicIncidents] = m.now.Add(11 * time.Second) }, "deadline"},
		{"it was removed", "kill", func(m *sim, _ *box) { m.step(Reconfigured{}) }, "removed"},
		{"it is only to be observed", "error", func(m *sim, b *box) { b.def.Heal.Mode = service.Observe; m.reconfigure() }, "definition was edited"},
		{"it is to be approved", "error", func(m *sim, b *box) { b.def.Heal.Mode = service.Approve; m.reconfigure() }, "definition was edited"},
		{"the action is never to be taken", "error", func(m *sim, b *box) { b.def.Heal.Never = []string{"restart"}; m.reconfigure() }, "definition was edited"},
		{"another container was named", "error", func(m *sim, b *box) { b.def.Container = "another"; m.reconfigure() }, "definition was edited"},
		{"a reload that changed nothing of it", "error", func(m *sim, _ *box) { m.reconfigure() }, ""},
		{"Docker became unreachable", "kill", func(m *sim, _ *box) {
			m.writeDocker(event.Docker{Time: m.now, Action: event.StreamLost})
		}, "Docker is unreachable"},
		{"a hold", "kill", func(m *sim, _ *box) { m.hold("") }, "on hold"},
		{"the engine reported something", "kill", func(m *sim, b *box) {
			m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name, ID: b.state.ID, Action: "rename"})
		}, "a new event"},
		{"a user started it", "kill", func(m *sim, b *box) {
			m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name, ID: b.state.ID, Action: "start"})
		}, "a new event"},
		{"a HUP", "error", func(m *sim, b *box) { do("hangup", m, b) }, ""},
		{"the level came up", "kill", func(m *sim, b *box) { m.observe(b, event.CheckContainer, event.Up, m.now) }, "no longer reports"},
		{"our check came up", "error", func(m *sim, b *box) {
			m.observe(b, "http", event.Up, m.now)
			m.observe(b, "http", event.Up, m.now.Add(time.Microsecond))
		}, "no longer reports"},
		{"our check came up, and only others see it DOWN", "error and foreign", func(m *sim, b *box) {
			m.observe(b, "http", event.Up, m.now)
			m.observe(b, "http", event.Up, m.now.Add(time.Microsecond))
		}, "no longer reports"},
		{"it was started after the decision", "kill", func(_ *sim, b *box) { b.state.StartedAt = b.state.StartedAt.Add(time.Second) }, "it was started after the decision"},
		{"it was renamed, which was not read yet", "kill", func(_ *sim, b *box) { b.state.Name = "web-old" }, "is named web-old now"},
		{"it is another container", "kill", func(_ *sim, b *box) { b.state.ID = "other" }, "another container"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				for fault := range strings.SplitSeq(tt.fault, " and ") {
					do(fault, m, b)
				}
				m.until(t, "an intent", func() bool { return m.begun(b.def.Name) })
				m.readAt[event.TopicIncidents] = m.now.Add(200 * time.Millisecond) // it is read back only then
				tt.change(m, b)
				m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
				result := dataOf[event.ActionFinished](m)[0]
				if tt.why == "" {
					if !result.OK || len(m.calls) != 1 {
						t.Errorf("the result is %+v after the calls %v", result, m.calls)
					}
					return
				}
				if result.OK || !strings.HasPrefix(result.Error, event.NotCarriedOut) || !strings.Contains(result.Error, tt.why) || len(m.calls) != 0 {
					t.Errorf("the result is %+v after the calls %v, want none: %s", result, m.calls, tt.why)
				}
			})
		})
	}
}

func TestEditAfterTheIntentOfAnOperatorIsNotActedOver(t *testing.T) {
	m, b := quiet(t)
	m.heal("restart")
	m.until(t, "an intent", func() bool { return m.begun("svc-0") })
	m.readAt[event.TopicIncidents] = m.now.Add(200 * time.Millisecond)
	b.def.Container = "another"
	m.reconfigure()
	m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
	if got := dataOf[event.ActionFinished](m)[0]; got.Outcome != event.OutcomeNotExecuted || len(m.calls) != 0 {
		t.Errorf("the result is %+v after the calls %v", got, m.calls)
	}
}

func TestHoldAfterTheIntentOfAnOperatorChangesNothing(t *testing.T) {
	m, _ := quiet(t)
	m.heal("restart")
	m.until(t, "an intent", func() bool { return m.begun("svc-0") })
	m.readAt[event.TopicIncidents] = m.now.Add(200 * time.Millisecond)
	m.hold("")
	m.run(time.Minute)
	wantActions(t, m, "restart")
	wantEnd(t, m, event.HowHealed)
}

// TestUnknownOutcomeIsResolvedAfterARestart ends us between the call and its
// result, with the effect there and with the effect not there.
func TestUnknownOutcomeIsResolvedAfterARestart(t *testing.T) {
	for name, effect := range map[string]bool{"with an effect": true, "without an effect": false} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				calling(t, "kill", m, b)
				m.crash(time.Second)
				if effect {
					m.start(b)
				}
				m.run(90 * time.Second)
				want := []string{"start"}
				if !effect {
					want = append(want, "start")
				}
				wantActions(t, m, want...)
				if results := dataOf[event.ActionFinished](m); results[0].OK != effect {
					t.Errorf("the result is %+v", results[0])
				}
				wantEnd(t, m, event.HowHealed)
			})
		})
	}
}

// TestEffectThatComesLateIsOurs ends us in a call that the engine executes
// seconds after the next life began.
func TestEffectThatComesLateIsOurs(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		calling(t, "kill", m, b)
		m.crash(time.Second)
		m.after(8*time.Second, func() { m.start(b) })
		m.run(time.Minute)
		wantActions(t, m, "start")
		if results := dataOf[event.ActionFinished](m); len(results) != 1 || !results[0].OK {
			t.Errorf("the results are %+v", results)
		}
		wantEnd(t, m, event.HowHealed)
	})
}

// TestRestartThatEndsLateIsOurs ends us in a restart of what takes forty seconds
// of its minute to stop.
func TestRestartThatEndsLateIsOurs(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.state.StopTimeout, b.slow = time.Minute, 40*time.Second
		calling(t, "error", m, b)
		m.until(t, "its stop", func() bool { return b.state.Status == container.Exited })
		m.crash(time.Second)
		m.run(90 * time.Second)
		wantActions(t, m, "restart")
		wantEnd(t, m, event.HowHealed)
	})
}

func TestCallWhoseAnswerIsLostIsResolvedByItsEffect(t *testing.T) {
	for _, fault := range []string{"kill", "pause", "error"} {
		t.Run(fault, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				b.lostAnswer = true
				do(fault, m, b)
				m.run(time.Minute)
				if results := dataOf[event.ActionFinished](m); b.lostAnswer || len(results) != 1 || !results[0].OK {
					t.Errorf("the results are %+v", results)
				}
				wantEnd(t, m, event.HowHealed)
			})
		})
	}
}

func TestAppendThatFailedIsReportedOnceItCanBeWritten(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.until(t, "an append", func() bool { return len(m.outstanding) > 0 })
		m.kafkaUnreachable(20 * time.Second)
		m.incidents = m.incidents[:1] // what was on its way is lost
		m.run(10 * time.Second)
		if len(m.calls) != 0 {
			t.Errorf("calls %v while nothing can be logged", m.calls)
		}
		m.run(70 * time.Second)
		wantEnd(t, m, event.HowHealed)
		wantActions(t, m, "start")
		if !slices.ContainsFunc(dataOf[event.Suppressed](m), func(s event.Suppressed) bool { return s.Gate == "log" }) {
			t.Error("the log says nothing of the time in which it could not be written")
		}
	})
}

func TestRepairWaitsWhileTheEngineSettles(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.dockerUnreachable(3 * time.Second)
		do("kill", m, b)
		m.run(7 * time.Second)
		wantHeld(t, m, "engine")
		m.run(5 * time.Second)
		wantActions(t, m, "start")
	})
}

// TestLongCallForAnotherServiceHoldsTheRepair has a restart take forty seconds.
func TestLongCallForAnotherServiceHoldsTheRepair(t *testing.T) {
	m := quietSim(t, 2)
	b, other := m.boxes[0], m.boxes[1]
	other.state.StopTimeout, other.slow, other.app = time.Minute, 40*time.Second, "error"
	m.until(t, "a call for the other service", func() bool { return m.running["svc-1"] })
	do("kill", m, b)
	m.run(30 * time.Second)
	if m.gate() != "budget" || b.state.Status != container.Exited {
		t.Errorf("while another call runs it is %s, held by %q", b.state.Status, m.gate())
	}
	m.run(15 * time.Second)
	wantActions(t, m, "restart", "start")
}

// TestCooldownFollowsWhatDidNotHold has each way in which an attempt may end,
// and whether the next one waits.
func TestCooldownFollowsWhatDidNotHold(t *testing.T) {
	soon, later := 10*time.Second, 30*time.Second // the cooldown, and what is before it
	for _, tt := range []struct {
		name     string
		scenario func(*testing.T, *sim, *box) // up to the end of the first attempt
		after    time.Duration                // that the second one begins
	}{
		{"refused by the engine", func(_ *testing.T, m *sim, b *box) {
			b.refusals = 1
			do("kill", m, b)
		}, later},
		{"not executed", func(t *testing.T, m *sim, b *box) {
			intended(t, "kill", m, b)
			b.state.StartedAt = b.state.StartedAt.Add(time.Second)
		}, soon},
		{"did not hold", func(t *testing.T, m *sim, b *box) {
			do("kill", m, b)
			m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
			m.run(3 * time.Second)
			do("exit", m, b)
		}, later},
		{"interrupted", func(t *testing.T, m *sim, b *box) {
			do("kill", m, b)
			m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
			m.run(3 * time.Second)
			do("kill", m, b)
		}, soon},
		{"verified", func(t *testing.T, m *sim, b *box) {
			do("kill", m, b)
			m.until(t, "the end", func() bool { return len(dataOf[event.Resolved](m)) > 0 })
			do("kill", m, b)
		}, soon},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				tt.scenario(t, m, b)
				m.until(t, "the end of the first attempt", func() bool {
					all := m.actions()
					results, verified := dataOf[event.ActionFinished](m), dataOf[event.Verified](m)
					return len(all) == 1 && (len(verified) == 1 || len(results) == 1 && !results[0].OK)
				})
				from := m.now
				m.until(t, "the second attempt", func() bool { return len(m.actions()) == 2 })
				if took := m.now.Sub(from); took > tt.after+5*time.Second || tt.after == later && took < later-time.Second {
					t.Errorf("the second attempt begins after %s, want about %s", took, tt.after)
				}
			})
		})
	}
}

// TestClockThatIsSetBackProlongsNoWait sets it back by an hour, with something
// to be waited for.
func TestClockThatIsSetBackProlongsNoWait(t *testing.T) {
	for _, tt := range []struct {
		gate          string
		hostPerMinute int
	}{{"cooldown", 30}, {"budget", 1}} {
		t.Run(tt.gate, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				b.refusals = 1
				do("kill", m, b)
				m.until(t, "a wait", func() bool { return m.gate() == tt.gate })
				m.setClock(-time.Hour)
				m.run(75 * time.Second)
				wantActions(t, m, "start", "start")
			}, configured(func(c *Config) { c.Budget.HostPerMinute = tt.hostPerMinute }))
		})
	}
}

func TestRemovedServiceEndsItsIncidentAfterItsCall(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		calling(t, "kill", m, b)
		m.step(Reconfigured{Services: []service.Definition{}})
		m.run(10 * time.Second)
		if results := dataOf[event.ActionFinished](m); len(results) != 1 {
			t.Errorf("the results are %+v", results)
		}
		wantEnd(t, m, event.HowOperator)
		if m.status("svc-0").Definition != nil {
			t.Error("it was not published as removed")
		}
	})
}

func TestServiceThatIsRemovedAndComesBackIsPublished(t *testing.T) {
	for _, pause := range []time.Duration{0, time.Millisecond, 5 * time.Second} {
		m, _ := quiet(t)
		m.step(Reconfigured{})
		m.run(pause)
		m.reconfigure()
		m.run(10 * time.Second)
		if got := m.status("svc-0"); got.Definition == nil || got.Status != event.Up {
			t.Errorf("%s after it was removed: %+v", pause, got)
		}
	}
}

// TestNothingIsCalledWhileTheOutcomeOfACallIsUnknown ends us in a call for one
// service, and kills another meanwhile.
func TestNothingIsCalledWhileTheOutcomeOfACallIsUnknown(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		m := quietSim(t, 2, func(m *sim) { m.stopFirst = stopFirst })
		calling(t, "kill", m, m.boxes[1])
		m.crash(time.Second)
		do("kill", m, m.boxes[0])
		m.until(t, "the second intent", func() bool { return len(dataOf[event.ActionStarted](m)) == 2 })
		if results := dataOf[event.ActionFinished](m); len(results) != 1 {
			t.Errorf("the second intent is written after the results %+v", results)
		}
	}
}

// TestResultThatCouldNotBeWrittenIsReportedOnceItsRepairFailed: nothing is
// written between a result and its verification.
func TestResultThatCouldNotBeWrittenIsReportedOnceItsRepairFailed(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.until(t, "a result on its way", func() bool { return m.outstanding["svc-0"].Type == event.TypeActionFinished })
		m.kafkaUnreachable(10 * time.Second)
		m.run(15 * time.Second)
		if got := dataOf[event.Suppressed](m); len(dataOf[event.ActionFinished](m)) != 1 || len(got) != 0 {
			t.Fatalf("suppressed were %+v", got)
		}
		do("exit", m, b)
		m.run(2 * time.Second)
		if got := dataOf[event.Suppressed](m); len(got) == 0 || got[0].Gate != "log" {
			t.Errorf("suppressed were %+v", got)
		}
	})
}
