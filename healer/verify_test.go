package healer

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// How a repair is verified, and what ends a verification.

// verified is what was written of the verifications so far.
func verified(m *sim) []event.Verified { return dataOf[event.Verified](m) }

// repaired goes on until the result of the first action is on the log.
func repaired(t *testing.T, fault string, m *sim, b *box) {
	t.Helper()
	do(fault, m, b)
	m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
}

// goodSince counts the good scheduled checks of ours that began after t.
func goodSince(m *sim, t time.Time) (n int) {
	for _, r := range m.health {
		if h := r.in.Log; h.Check == "http" && h.Status != event.Down && !h.Extra && h.Time().After(t) {
			n++
		}
	}
	return n
}

func TestVerificationOutlivesTheEnginesAbsence(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(4 * time.Second)
		m.dockerUnreachable(40 * time.Second)
		m.run(2 * time.Minute)
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
	})
}

// TestEchoOfAPauseAfterAnUnpauseIsNotInterference: engine 20.10 writes one after
// a quick unpause.
func TestEchoOfAPauseAfterAnUnpauseIsNotInterference(t *testing.T) {
	m, b := quiet(t)
	repaired(t, "pause", m, b)
	m.emit(b, "pause", nil)
	m.emit(b, "unpause", nil)
	m.run(time.Minute)
	wantActions(t, m, "unpause")
	wantEnd(t, m, event.HowHealed)
}

func TestEndByItselfFailsTheVerification(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(5 * time.Second)
		do("exit", m, b)
		m.run(2 * time.Second)
		if got := verified(m); len(got) != 1 || got[0].OK || strings.HasPrefix(got[0].Error, event.Interrupted) || !strings.Contains(got[0].Error, "exit code 1") {
			t.Errorf("the verification is %+v", got)
		}
		if m.gate() != "cooldown" {
			t.Errorf("held by %q", m.gate())
		}
	})
}

// TestChecksThatBeganBeforeTheResultVerifyNothing has the result come late, for
// Kafka was unreachable, and many checks that began just before it.
func TestChecksThatBeganBeforeTheResultVerifyNothing(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		calling(t, "kill", m, b)
		m.kafkaUnreachable(2 * time.Second)
		m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
		result := m.now
		m.until(t, "the service to be good", func() bool { return m.good("svc-0") })
		for range 10 {
			m.observe(b, "http", event.Up, result.Add(-time.Millisecond))
		}
		m.until(t, "a verification", func() bool { return len(verified(m)) > 0 })
		if n, needed := goodSince(m, result), dataOf[event.ActionStarted](m)[0].Verify; n < needed {
			t.Errorf("it is verified after %d good checks, want %d", n, needed)
		}
	})
}

// TestVerificationStartsAnewAfterSilence stops the checks for nine seconds, so that the
// time of the verification is not enough: what was repaired is not called broken.
func TestVerificationStartsAnewAfterSilence(t *testing.T) {
	m, b := quiet(t)
	repaired(t, "kill", m, b)
	m.run(4 * time.Second)
	b.unchecked = true
	m.run(9 * time.Second)
	b.unchecked = false
	read := m.now
	m.until(t, "a verification", func() bool { return len(verified(m)) > 0 })
	if n, needed := goodSince(m, read), dataOf[event.ActionStarted](m)[0].Verify; n < needed || !verified(m)[0].OK {
		t.Errorf("%+v after %d good checks since the silence, want %d", verified(m)[0], n, needed)
	}
}

// TestVerificationWaitsForChecksThatAreLateAndNotStale has a check count for 30 s, and
// stops the checks for 24.
func TestVerificationWaitsForChecksThatAreLateAndNotStale(t *testing.T) {
	m, b := quiet(t, defined(func(d *service.Definition) { d.Interval, d.Timeout = time.Second, 10*time.Second }))
	repaired(t, "kill", m, b)
	m.run(3 * time.Second)
	b.unchecked = true
	m.run(24 * time.Second)
	b.unchecked = false
	m.until(t, "a verification", func() bool { return len(verified(m)) > 0 })
	if !verified(m)[0].OK {
		t.Errorf("its checks were late: %+v", verified(m)[0])
	}
}

// TestVerificationDoesNotWaitForTheChecksOfWhatIsDown stops the checks, and then has bad
// ones: there is nothing to wait for.
func TestVerificationDoesNotWaitForTheChecksOfWhatIsDown(t *testing.T) {
	m, b := quiet(t)
	repaired(t, "kill", m, b)
	began := m.now
	b.unchecked = true
	m.run(16 * time.Second)
	do("error", m, b)
	b.unchecked = false
	m.until(t, "a verification", func() bool { return len(verified(m)) > 0 })
	took := m.now.Sub(began)
	if said := "checks in " + took.Round(time.Second).String(); verified(m)[0].OK || took > 24*time.Second || !strings.HasSuffix(verified(m)[0].Error, said) {
		t.Errorf("%+v after %v", verified(m)[0], took)
	}
}

// TestVerificationDoesNotWaitForeverForChecks stops the checks after the repair.
func TestVerificationDoesNotWaitForeverForChecks(t *testing.T) {
	m, b := quiet(t)
	repaired(t, "kill", m, b)
	b.unchecked = true
	m.run(50 * time.Second)
	if got := verified(m); len(got) != 0 {
		t.Errorf("checks that are late were taken for bad ones: %+v", got)
	}
	m.run(12 * time.Second)
	if got := verified(m); len(got) != 1 || got[0].OK || got[0].Error != "0 of 5 good checks in 1m0s" {
		t.Errorf("after a minute without a check: %+v", got)
	}
}

// TestVerificationNeedsTheContainersLevel repairs a service whose container has
// not been seen for long.
func TestVerificationNeedsTheContainersLevel(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		b.unleveled = true
		m.until(t, "no level", func() bool { m.run(2 * time.Second); return m.level("svc-0") == "" })
		repaired(t, "error", m, b)
		result := m.now
		m.run(14 * time.Second)
		if n := goodSince(m, result); n < dataOf[event.ActionStarted](m)[0].Verify || len(verified(m)) != 0 {
			t.Errorf("without a level, after %d good checks: %+v", n, verified(m))
		}
		b.unleveled = false
		m.run(2 * time.Second)
		wantEnd(t, m, event.HowHealed)
	})
}

// TestLevelFromBeforeTheRepairDoesNotFailTheVerification has the level of a start be
// read late, as behind a flood of health logs.
func TestLevelFromBeforeTheRepairDoesNotFailTheVerification(t *testing.T) {
	for _, fault := range []string{"kill", "pause"} {
		t.Run(fault, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				do(fault, m, b)
				m.until(t, "the level", func() bool { return m.level("svc-0") == event.Down })
				b.unleveled = true
				m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
				m.run(3 * patience)
				if got := verified(m); len(got) != 0 {
					t.Errorf("with the level of before, it is verified: %+v", got)
				}
				b.unleveled = false
				m.writeLevel(b)
				m.run(20 * time.Second)
				wantActions(t, m, map[string]string{"kill": "start", "pause": "unpause"}[fault])
				wantEnd(t, m, event.HowHealed)
			})
		})
	}
}

// TestForeignSourceThatWasBadHoldsTheVerification until it is good by its own threshold.
func TestForeignSourceThatWasBadHoldsTheVerification(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(3 * time.Second)
		m.foreign(b, event.Down, 10*time.Second)
		m.run(11 * time.Second)
		if in := m.of0(); in.State != state.Open || m.gate() != "" {
			t.Errorf("while another source sees it fail the incident is %s (%s)", in.State, in.How)
		}
		m.run(20 * time.Second)
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
	})
}

// TestContainerNotAsTheRepairLeftItInterruptsTheVerification lets the container
// change, not observed, while we are stopped.
func TestContainerNotAsTheRepairLeftItInterruptsTheVerification(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(5 * time.Second)
		m.kill()
		b.state.StartedAt = m.now
		m.run(40 * time.Second)
		if got := verified(m); len(got) == 0 || got[0].OK || !strings.HasPrefix(got[0].Error, event.Interrupted) {
			t.Errorf("the verification is %+v, the incident %s (%s)", got, m.of0().State, m.of0().How)
		}
	})
}

// TestCheckBesideTheScheduleVerifiesAndRefutesNothing has two of them fail and
// ten succeed during a verification.
func TestCheckBesideTheScheduleVerifiesAndRefutesNothing(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		repaired(t, "kill", m, b)
		result := m.now
		m.until(t, "two good checks", func() bool { return goodSince(m, result) >= 2 })
		extra := event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Check: "http", Extra: true}
		for _, extra.Status = range []event.Status{event.Down, event.Up, event.Up, event.Up, event.Up, event.Up} {
			m.observeAs(extra, true)
		}
		m.until(t, "a verification", func() bool { return len(verified(m)) > 0 })
		needed := dataOf[event.ActionStarted](m)[0].Verify
		if n := goodSince(m, result); n != needed || !verified(m)[0].OK {
			t.Errorf("%+v after %d good checks, want %d", verified(m)[0], n, needed)
		}
	})
}

func TestRecoveredOutageEndsWithTheFirstGoodAnswer(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		m.run(3 * time.Second)
		m.start(b)
		m.run(time.Minute)
		wantEnd(t, m, event.HowRecovered)
		if in := m.of0(); in.DownMS < 3000 || in.DownMS > 4500 || in.TTRMS < in.DownMS+5000 {
			t.Errorf("down for %.0f ms of %.0f", in.DownMS, in.TTRMS)
		}
	}, configured(observing))
}

// TestVerificationThatFailsSaysWhatWasMissing though our own check was good.
func TestVerificationThatFailsSaysWhatWasMissing(t *testing.T) {
	for _, tt := range []struct {
		missing, fault string
		scenario       func(*sim, *box)
	}{
		{"Docker did not report", "error", func(_ *sim, b *box) { b.unleveled = true }},
		{"another source reports it DOWN", "kill", func(m *sim, b *box) { m.foreign(b, event.Down, time.Minute) }},
	} {
		t.Run(tt.missing, func(t *testing.T) {
			m, b := quiet(t)
			tt.scenario(m, b)
			m.until(t, "no level", func() bool { m.run(2 * time.Second); return !b.unleveled || m.level("svc-0") == "" })
			repaired(t, tt.fault, m, b)
			m.until(t, "a verification", func() bool { return len(verified(m)) > 0 })
			if got := verified(m)[0]; got.OK || !strings.Contains(got.Error, tt.missing) {
				t.Errorf("the verification is %+v", got)
			}
		})
	}
}

// TestOtherContainersOfTheNameInterruptAVerificationOnlyWhereTheyReplaceIt emits
// of one before the repair, and of one after it.
func TestOtherContainersOfTheNameInterruptAVerificationOnlyWhereTheyReplaceIt(t *testing.T) {
	emit := func(m *sim, b *box, action string) {
		m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name, ID: "another", Action: action})
		m.run(100 * time.Millisecond)
	}
	for _, action := range []string{"start", "rename"} {
		t.Run(action, func(t *testing.T) {
			m, b := quiet(t)
			emit(m, b, action)
			m.run(20 * time.Second)
			repaired(t, "kill", m, b)
			m.run(time.Minute)
			wantEnd(t, m, event.HowHealed)
			repaired(t, "kill", m, b)
			m.until(t, "the second result", func() bool { return len(dataOf[event.ActionFinished](m)) == 2 })
			emit(m, b, action)
			if got := verified(m); len(got) != 2 || got[1].Outcome != event.OutcomeInterrupted {
				t.Errorf("the verifications are %+v", got)
			}
		})
	}
}

func TestOutOfMemoryOfAChildInterruptsNoVerification(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		repaired(t, "kill", m, b)
		m.run(time.Second)
		m.emit(b, "oom", nil)
		m.run(time.Minute)
		wantEnd(t, m, event.HowHealed)
	})
}

// takenOver goes on until the claim of the next life, in the middle of a verification.
func takenOver(t *testing.T, m *sim, b *box, meanwhile func()) {
	t.Helper()
	repaired(t, "kill", m, b)
	m.run(time.Second)
	m.crash(time.Second)
	meanwhile()
	m.until(t, "the next claim", func() bool { _, owns := m.owner(); return m.life > 1 && owns })
}

// TestExitWhileStoppedFailsTheVerification though it is reported only a
// second after the container was inspected.
func TestExitWhileStoppedFailsTheVerification(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		takenOver(t, m, b, func() { do("exit", m, b) })
		m.readAt[event.TopicDocker] = m.now.Add(time.Second)
		m.until(t, "a verification", func() bool { return len(verified(m)) > 0 })
		if got := verified(m)[0]; got.Outcome != event.OutcomeFailed || !strings.Contains(got.Error, "exit code 1") {
			t.Errorf("the verification is %+v", got)
		}
	})
}

// TestTakeoverWaitsForTheEngine that does not answer, though its events are read.
func TestTakeoverWaitsForTheEngine(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		takenOver(t, m, b, func() {})
		m.engine = false
		m.run(6 * time.Second)
		m.engine = true
		m.run(time.Minute)
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
	})
}
