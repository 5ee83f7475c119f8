package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// A user changes a service's image.

func (m *sim) update0() event.Update {
	if u := m.status("svc-0").Update; u != nil {
		return *u
	}
	return event.Update{}
}

func wantVerdict(t *testing.T, m *sim, image string, verdict event.UpdateVerdict, reasons ...event.UpdateReason) {
	t.Helper()
	if u := m.update0(); u.ImageID != image || u.Verdict != verdict || !slices.Equal(u.Reasons, reasons) {
		t.Errorf("the update is %+v, want %s of %s for %v", u, verdict, image, reasons)
	}
}

func diagnosedAs(m *sim) string { return m.of0().CauseID }

// deployed is a service that ran for a minute, and whose image a user changed
// to one in which it is so.
func deployed(t *testing.T, app string, options ...func(*sim)) (*sim, *box) {
	t.Helper()
	m, b := quiet(t, options...)
	m.run(time.Minute)
	m.updated(b, "sha-2", app)
	return m, b
}

func TestAGoodUpdateIsWatchedAndThenGood(t *testing.T) {
	m, _ := deployed(t, "ok")
	m.run(30 * time.Second)
	wantVerdict(t, m, "sha-2", event.UpdateWatching)
	if u := m.update0(); u.PreviousImageID != "sha" || u.Until.Sub(u.Since) != 10*time.Minute || u.Before.Checks < 30 || u.Before.Bad != 0 || u.FailingBefore {
		t.Errorf("the update is %+v", u)
	}
	m.run(10 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateGood)
	if good := m.status("svc-0").Good; good.ImageID != "sha-2" || good.PreviousImageID != "sha" {
		t.Errorf("the good state is %+v", good)
	}
	if in := m.of0(); in.ID != "" && in.State != state.Resolved {
		t.Errorf("an incident is open: %+v", in)
	}
	wantActions(t, m)
}

// TestAnUpdateThatFailsAfterAWhileIsRolledBackOnceApproved, and not before.
func TestAnUpdateThatFailsAfterAWhileIsRolledBackOnceApproved(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.run(time.Minute)
		m.updated(b, "sha-2", "ok")
		m.run(time.Minute)
		b.app = "broken"
		request := requested(t, m)
		if request.Action != service.ActionRollback || request.Params.ImageID != "sha" || diagnosedAs(m) != "bad_update" {
			t.Errorf("for %s it requested %+v", diagnosedAs(m), request)
		}
		m.run(30 * time.Second)
		wantActions(t, m)
		wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateErrors)
		wantResult(t, m, m.operator(event.CommandApprove, ""), "", "")
		m.until(t, "it is rolled back", func() bool { return m.of0().State == state.Resolved })
		wantActions(t, m, service.ActionRollback)
		wantEnd(t, m, event.HowHealed)
		m.run(12 * time.Minute)
		wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateErrors) // and not of our own rollback
		if b.state.ImageID != "sha" || m.open("svc-0") {
			t.Errorf("it runs %s, and its incident is %s", b.state.ImageID, m.of0().State)
		}
		// The same image again, on the same day.
		m.updated(b, "sha-2", "ok")
		m.run(time.Minute)
		b.app = "broken"
		m.until(t, "a person is called", func() bool { return m.of0().State == state.Escalated })
		m.run(time.Minute)
		for _, action := range m.actions()[1:] {
			if action == service.ActionRollback {
				t.Error("the same image was rolled back twice within a day")
			}
		}
	})
}

// TestNothingIsRolledBackToABadImage: not to the one between.
func TestNothingIsRolledBackToABadImage(t *testing.T) {
	m, b := deployed(t, "ok")
	m.run(time.Minute)
	b.app = "patchy"
	m.run(2 * time.Minute)
	if request := requested(t, m); request.Params.ImageID != "sha" {
		t.Errorf("requested is %+v", request)
	}
	m.updated(b, "sha-3", "broken")
	m.until(t, "the update is seen", func() bool { return m.update0().ImageID == "sha-3" })
	m.until(t, "another request", func() bool { return m.gate() == state.HeldForApproval && m.update0().ImageID == "sha-3" })
	if request := requested(t, m); request.Params.ImageID != "sha" || !m.update0().PreviousBad {
		t.Errorf("requested is %+v of %+v", request.Params, m.update0())
	}
}

// TestAServiceThatIsNotDownAndDoesWorseIsRolledBack where the operator listed it.
func TestAServiceThatIsNotDownAndDoesWorseIsRolledBack(t *testing.T) {
	m, b := deployed(t, "patchy", listed)
	m.until(t, "an incident", func() bool { return m.open("svc-0") })
	wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateErrors)
	opened, _ := m.of0().Last(event.TypeOpened)
	if data := opened.Data.(event.Opened); data.Check != event.CheckUpdate || !strings.Contains(data.Error, "of its checks fail (0% before)") {
		t.Errorf("opened was %+v", data)
	}
	m.until(t, "it is rolled back", func() bool { return m.of0().State == state.Resolved })
	wantEnd(t, m, event.HowHealed)
	wantActions(t, m, service.ActionRollback)
	if b.state.ImageID != "sha" || diagnosedAs(m) != "bad_update" {
		t.Errorf("it runs %s after %s", b.state.ImageID, diagnosedAs(m))
	}
	if in := m.of0(); in.DownMS > 15_000 || in.DownMS >= in.TTRMS {
		t.Errorf("down for %.0f ms of %.0f: it answered until it was rolled back", in.DownMS, in.TTRMS)
	}
	m.run(5 * time.Minute)
	if m.audit(); m.broken != "" || m.open("svc-0") {
		t.Errorf("the incident is %s; %s", m.of0().State, m.broken)
	}
}

// TestAServiceThatAnswersAndIsNotRolledBackIsLeftToAPerson: whatever else could be
// done interrupts what answers, and would start the same image again.
func TestAServiceThatAnswersAndIsNotRolledBackIsLeftToAPerson(t *testing.T) {
	m, _ := deployed(t, "patchy", defined(func(d *service.Definition) {
		d.Heal.Never = []string{service.ActionRollback}
		d.Heal.Commands = service.Commands{{Name: "reload", Args: []string{"/usr/bin/reload"}}}
	}))
	m.until(t, "a person is called", func() bool { return m.of0().State == state.Escalated })
	m.run(time.Minute)
	wantActions(t, m)
	if last, _ := m.of0().Last(event.TypeEscalated); !strings.Contains(last.Data.(event.Escalated).Reason, "does worse than before") {
		t.Errorf("escalated was %+v", last.Data)
	}
	diagnosed, _ := m.of0().Last(event.TypeDiagnosed)
	if !containsRefusal(diagnosed.Data.(event.Diagnosed).NotOffered, service.ActionRestart, "the service answers, and would be started from the same image again") {
		t.Errorf("not offered were %+v", diagnosed.Data.(event.Diagnosed).NotOffered)
	}
}

// TestAnIncidentAboutAnUpdateEndsWithTheVerdict, or with another image.
func TestAnIncidentAboutAnUpdateEndsWithTheVerdict(t *testing.T) {
	for name, ends := range map[string]func(*sim, *box){
		"good again":    func(_ *sim, b *box) { b.app = "ok" },
		"another image": func(m *sim, b *box) { m.updated(b, "sha-3", "ok") },
	} {
		t.Run(name, func(t *testing.T) {
			m, b := deployed(t, "patchy")
			requested(t, m)
			m.run(5 * time.Minute)
			if m.gate() != state.HeldForApproval {
				t.Errorf("held by %q", m.gate())
			}
			ends(m, b)
			m.run(10 * time.Minute)
			wantEnd(t, m, event.HowRecovered)
			wantActions(t, m)
			m.run(10 * time.Minute)
			if m.update0().Verdict != event.UpdateGood {
				t.Errorf("the update is %+v", m.update0())
			}
			opened := 0
			for _, data := range dataOf[event.Opened](m) {
				if data.Check == event.CheckUpdate {
					opened++
				}
			}
			if opened != 1 {
				t.Errorf("%d incidents were opened about it", opened)
			}
		})
	}
}

// TestWhatFailedBeforeIsNotBlamedOnTheUpdate.
func TestWhatFailedBeforeIsNotBlamedOnTheUpdate(t *testing.T) {
	m, b := quiet(t, configured(observing))
	m.run(time.Minute)
	b.app = "broken"
	m.run(time.Minute)
	m.updated(b, "sha-2", "broken")
	m.run(15 * time.Minute)
	wantActions(t, m)
	if u := m.update0(); !u.FailingBefore || u.Verdict != event.UpdateBad || !strings.HasPrefix(diagnosedAs(m), "http_5xx") {
		t.Errorf("the update is %+v, the cause %s", u, diagnosedAs(m))
	}
}

// TestAKillAfterAnUpdateIsNotBlamedOnIt: the container does not run, and that says
// nothing of its image.
func TestAKillAfterAnUpdateIsNotBlamedOnIt(t *testing.T) {
	m, b := deployed(t, "ok", configured(observing))
	m.run(time.Minute)
	do("kill", m, b)
	m.run(time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateWatching)
	m.started(b, nil)
	m.run(9 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateGood)
}

// TestAnUpdateThatIsRolledBackBeforeItsVerdictIsBad: a pipeline that waits for the
// verdict must not get "good".
func TestAnUpdateThatIsRolledBackBeforeItsVerdictIsBad(t *testing.T) {
	m, b := deployed(t, "broken", listed, defined(func(d *service.Definition) { d.FailureThreshold = 1 }))
	m.until(t, "it is rolled back", func() bool { return m.of0().State == state.Resolved })
	wantActions(t, m, service.ActionRollback)
	m.run(15 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateRolledBack)
	if b.state.ImageID != "sha" {
		t.Errorf("it runs %s", b.state.ImageID)
	}
	// An undo has it compared once more; it is not rolled back twice.
	wantResult(t, m, m.operator(event.CommandUndo, ""), "", "")
	m.until(t, "the image runs again", func() bool { return b.state.ImageID == "sha-2" })
	m.run(15 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateErrors, event.UpdateDown)
	if acted := m.actions(); len(acted) != 2 || m.of0().State != state.Escalated {
		t.Errorf("actions %v, and the incident is %s", acted, m.of0().State)
	}
}

// TestARollbackToAnOlderImageIsOneOfTheUpdate: two images followed each other so fast
// that the one between was never good.
func TestARollbackToAnOlderImageIsOneOfTheUpdate(t *testing.T) {
	m, b := deployed(t, "ok", listed, defined(func(d *service.Definition) { d.FailureThreshold, d.Interval = 1, 4*time.Second }))
	m.run(3 * time.Second)
	m.updated(b, "sha-3", "broken")
	m.until(t, "it is rolled back", func() bool { return len(m.actions()) > 0 && m.of0().State == state.Resolved })
	m.run(15 * time.Minute)
	wantVerdict(t, m, "sha-3", event.UpdateBad, event.UpdateRolledBack)
	if u := m.update0(); b.state.ImageID != "sha" || u.PreviousImageID != "sha-2" {
		t.Errorf("it runs %s after %+v", b.state.ImageID, u)
	}
}

// TestWhatFailsWhileAContainerIsTakenAwayIsNoFigureOfItsImage.
func TestWhatFailsWhileAContainerIsTakenAwayIsNoFigureOfItsImage(t *testing.T) {
	m, b := quiet(t, configured(observing))
	m.run(time.Minute)
	b.stubborn = true // it is stopped for as long as it may be
	m.updated(b, "sha-2", "ok")
	b.app = "broken"
	m.run(time.Minute)
	if u := m.update0(); u.ImageID != "sha-2" || u.Before.Checks < 30 || u.Before.Bad != 0 || u.FailingBefore {
		t.Errorf("the update is %+v", u)
	}
}

// TestAnotherLifeKeepsTheUpdate, its verdict and what was counted before it.
func TestAnotherLifeKeepsTheUpdate(t *testing.T) {
	m, b := deployed(t, "ok")
	m.run(90 * time.Second)
	before := m.update0()
	m.crash(5 * time.Second)
	m.run(20 * time.Second)
	if u := m.update0(); !u.Since.Equal(before.Since) || u.Before != before.Before || u.Verdict != event.UpdateWatching || u.After.Checks < before.After.Checks {
		t.Errorf("before it was %+v, and is %+v", before, u)
	}
	b.app = "patchy"
	m.run(3 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateErrors)
	if m.gate() != state.HeldForApproval {
		t.Errorf("held by %q", m.gate())
	}
	m.crash(5 * time.Second)
	m.run(30 * time.Second)
	wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateErrors)
	if m.gate() != state.HeldForApproval || len(dataOf[event.Opened](m)) != 1 {
		t.Errorf("held by %q after %d incidents", m.gate(), len(dataOf[event.Opened](m)))
	}
}

// TestImageChangedWhileStoppedIsWatched.
func TestImageChangedWhileStoppedIsWatched(t *testing.T) {
	m, b := quiet(t)
	m.run(time.Minute)
	m.crash(30 * time.Second)
	m.run(time.Second)
	m.updated(b, "sha-2", "ok")
	m.run(time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateWatching)
}

func TestObservedRepairsAreCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		goes  func(*sim, *box)
		would int
		right int
	}{
		"a user starts it":      {func(m *sim, b *box) { m.run(15 * time.Second); m.started(b, nil) }, 1, 1},
		"it stays DOWN":         {func(m *sim, _ *box) { m.run(5 * time.Minute) }, 1, 1},
		"not decided yet":       {func(m *sim, _ *box) { m.run(15 * time.Second) }, 0, 0},
		"it recovers by itself": {func(m *sim, b *box) { b.app = "ok"; m.run(20 * time.Second) }, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, configured(observing))
			fault := "kill"
			if tt.right == 0 && tt.would > 0 {
				fault = "error"
			}
			do(fault, m, b)
			m.until(t, "the mode holds it", func() bool { return m.gate() == "observe" })
			tt.goes(m, b)
			if name == "a user starts it" {
				m.run(time.Minute)
				wantEnd(t, m, event.HowRecovered)
			}
			got := event.Trust{}
			if trust := m.status("svc-0").Trust; trust != nil {
				got = *trust
			}
			if got.Would != tt.would || got.Right != tt.right {
				t.Errorf("trust is %+v, want %d of %d", got, tt.right, tt.would)
			}
			m.crash(5 * time.Second)
			m.run(time.Minute)
			if trust := m.status("svc-0").Trust; tt.would > 0 && (trust == nil || trust.Would != tt.would || trust.Right != tt.right) {
				t.Errorf("in another life it is %+v", trust)
			}
		})
	}
}

// logsNewErrors has every comparison of a log find so many new error messages.
func logsNewErrors(n, known int) func(*sim) {
	return func(m *sim) {
		m.compare = func(e CompareLogs) event.UpdateLogs {
			return event.UpdateLogs{Known: known, New: n, Example: "ERROR column total does not exist"}
		}
	}
}

// TestNewErrorsAloneCallAPerson, at the end of the watch: nothing is done to a service
// that answers.
func TestNewErrorsAloneCallAPerson(t *testing.T) {
	m, _ := deployed(t, "ok", listed, logsNewErrors(12, 1))
	m.run(9 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateWatching)
	m.run(3 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateBad, event.UpdateLog)
	if in := m.of0(); in.State != state.Escalated || diagnosedAs(m) != "bad_update" {
		t.Errorf("the incident is %s for %s, held by %q", in.State, diagnosedAs(m), in.Held)
	}
	wantActions(t, m)
	m.compare = nil
	m.step(LogsCompared{Service: "svc-0", ContainerID: m.boxes[0].state.ID})
	m.run(2 * time.Minute)
	wantVerdict(t, m, "sha-2", event.UpdateGood)
	wantEnd(t, m, event.HowRecovered)
}

func TestFewNewErrorsAreNoReason(t *testing.T) {
	for name, option := range map[string]func(*sim){"few": logsNewErrors(9, 0), "as many as before": logsNewErrors(30, 10)} {
		t.Run(name, func(t *testing.T) {
			m, _ := deployed(t, "ok", option)
			m.run(11 * time.Minute)
			wantVerdict(t, m, "sha-2", event.UpdateGood)
			if m.open("svc-0") {
				t.Error("an incident is open")
			}
		})
	}
}

// TestNewErrorsSupportWhatTheChecksShow: what is bad for other reasons as well is
// rolled back.
func TestNewErrorsSupportWhatTheChecksShow(t *testing.T) {
	m, b := deployed(t, "ok", listed, logsNewErrors(4, 10))
	m.until(t, "the update is seen", func() bool { return m.update0().ImageID == "sha-2" })
	for range 5 { // two of some twenty checks fail
		m.run(9 * time.Second)
		b.app = "error"
		m.run(2 * time.Second)
		b.app = "ok"
	}
	m.run(time.Minute)
	if u := m.update0(); u.Verdict != event.UpdateBad || u.After.ErrorRate() >= 0.2 || !slices.Equal(u.Reasons, []event.UpdateReason{event.UpdateErrors, event.UpdateLog}) {
		t.Errorf("the update is %+v", u)
	}
	m.until(t, "it is rolled back", func() bool { return slices.Contains(m.actions(), service.ActionRollback) })
}

// TestALaterChangeIsBlamedAlthoughTheServiceFailedBeforeItsUpdate, once that update is
// good; until then it is not.
func TestALaterChangeIsBlamedAlthoughTheServiceFailedBeforeItsUpdate(t *testing.T) {
	for after, want := range map[time.Duration]string{time.Minute: "http_5xx_persistent", time.Hour: "bad_deployment"} {
		m, b := quiet(t, configured(func(c *Config) { c.Quiet = time.Second }), defined(func(d *service.Definition) { d.Heal.Never = []string{service.ActionRestart} }))
		m.run(time.Minute)
		b.app = "broken"
		m.run(5 * time.Minute)
		m.updatedTo(b, "i2", "s1", "ok") // the fix
		m.run(after)
		if u := m.update0(); !u.FailingBefore || (u.Verdict == event.UpdateGood) != (after == time.Hour) {
			t.Fatalf("the update is %+v", u)
		}
		m.updatedTo(b, "i2", "s2", "broken")
		m.run(5 * time.Minute)
		if got := diagnosedAs(m); got != want {
			t.Errorf("a change %s after the update: the cause is %s, want %s", after, got, want)
		}
	}
}
