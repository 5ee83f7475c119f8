package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Services that report by themselves: what they say, or that they say nothing,
// stands for a check of our own.

// reporter makes the first service one that reports each four seconds, until it
// is mute, what it says.
type reporter struct {
	says event.Status
	mute bool
}

func (r *reporter) option(change func(*service.Definition)) func(*sim) {
	return func(m *sim) {
		b := m.boxes[0]
		b.unchecked = true
		b.def.URL, b.def.Interval, b.def.Push.Grace = "push://svc", 4*time.Second, 2*time.Second
		if change != nil {
			change(&b.def)
		}
		var report func()
		report = func() {
			m.after(4*time.Second, report)
			if !r.mute && m.boxes[0].state.Status == "running" {
				h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: r.says, Check: "job"}
				h.Instance = "api:job"
				m.publish(ReadHealth{h, true})
			}
		}
		m.after(time.Second, report)
	}
}

func pushing(t *testing.T, change func(*service.Definition)) (*sim, *box, *reporter) {
	t.Helper()
	r := &reporter{says: event.Up}
	m, b := quiet(t, r.option(change))
	return m, b, r
}

func TestServiceWithoutReportsIsRestarted(t *testing.T) {
	m, b, r := pushing(t, nil)
	m.run(time.Minute)
	r.mute = true
	m.run(8 * time.Second)
	if got := m.status("svc-0"); got.Status != event.Down || m.of0().CauseID != "silent" {
		t.Fatalf("it is %s, the cause %q", got.Status, m.of0().CauseID)
	}
	m.run(2 * time.Second)
	r.mute = false
	m.run(time.Minute)
	wantActions(t, m, "restart")
	wantEnd(t, m, event.HowHealed)
	if b.state.Status != "running" {
		t.Errorf("its container is %s", b.state.Status)
	}
}

func TestWhatAServiceReportsNeedsNoConfirmation(t *testing.T) {
	m, _, r := pushing(t, nil)
	r.says = event.Down
	m.run(6 * time.Second)
	wantActions(t, m, "restart")
	if m.of0().CauseID != "reported" {
		t.Errorf("the cause is %q", m.of0().CauseID)
	}
	r.says = event.Up
	m.run(time.Minute)
	wantEnd(t, m, event.HowHealed)
}

// TestServiceWithoutReportsIsNotRestartedForEver: what a restart does not repair is a
// person's.
func TestServiceWithoutReportsIsNotRestartedForEver(t *testing.T) {
	m, _, r := pushing(t, nil)
	r.mute = true
	m.run(10 * time.Minute)
	wantActions(t, m, "restart")
	if m.of0().State != state.Escalated {
		t.Errorf("its incident is %s, held by %q", m.of0().State, m.gate())
	}
}

func TestWhatNeverReportedIsAPersons(t *testing.T) {
	r := &reporter{mute: true}
	m, _ := steadySim(t, r.option(nil))
	m.run(2 * time.Minute)
	wantActions(t, m)
	if m.of0().State != state.Escalated || m.of0().CauseID != "never_reported" {
		t.Errorf("its incident is %s, the cause %q", m.of0().State, m.of0().CauseID)
	}
}

// TestAMissedScheduleIsAPersons: a restart would run the job at another time.
func TestAMissedScheduleIsAPersons(t *testing.T) {
	m, _, r := pushing(t, func(d *service.Definition) { d.Push.Schedule, d.Push.TimeZone = "* * * * *", "UTC" })
	r.mute = true
	m.run(3 * time.Minute)
	wantActions(t, m)
	if m.of0().State != state.Escalated || m.of0().CauseID != "report_missed" {
		t.Errorf("its incident is %s, the cause %q", m.of0().State, m.of0().CauseID)
	}
	r.mute = false
	m.run(2 * time.Minute)
	wantEnd(t, m, event.HowRecovered)
}

// TestTheContainerOfWhatReportsRarelyIsHealed and verified by its state, as the
// next report may be hours later.
func TestTheContainerOfWhatReportsRarelyIsHealed(t *testing.T) {
	m, b, r := pushing(t, func(d *service.Definition) { d.Interval = time.Hour })
	r.mute = true
	do("kill", m, b)
	m.run(2 * time.Minute)
	wantActions(t, m, "start")
	wantEnd(t, m, event.HowHealed)
	if !m.good("svc-0") {
		t.Errorf("it is %s", m.status("svc-0").Status)
	}
}

// TestReporterThatExitsWith0IsStartedOnlyIfItRanLongerThanItsInterval ends a container
// that reports, with exit code 0. One that ran for longer than the interval of its reports
// should keep running; a job with a schedule is not run at another time.
func TestReporterThatExitsWith0IsStartedOnlyIfItRanLongerThanItsInterval(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*service.Definition)
		cause   string
		actions []string
	}{
		"a worker":        {nil, "exited", []string{"start"}},
		"a scheduled job": {func(d *service.Definition) { d.Push.Schedule, d.Push.TimeZone = "* * * * *", "UTC" }, "finished", nil},
		"a daily job":     {func(d *service.Definition) { d.Interval = 24 * time.Hour }, "finished", nil},
	} {
		t.Run(name, func(t *testing.T) {
			m, b, _ := pushing(t, tt.change)
			b.state.RestartPolicy = "no"
			m.run(time.Minute)
			m.die(b, 0)
			m.run(time.Minute)
			wantActions(t, m, tt.actions...)
			if got := m.of0().CauseID; got != tt.cause {
				t.Errorf("the cause is %q", got)
			}
		})
	}
}

// TestMissedReportsAreNotCountedWhileLogstreamWasStopped: a restart of ours begins to
// wait anew, and what was reported before stands.
func TestMissedReportsAreNotCountedWhileLogstreamWasStopped(t *testing.T) {
	m, _, r := pushing(t, func(d *service.Definition) { d.Interval = time.Hour })
	r.mute = true
	m.crash(15 * time.Second)
	m.run(10 * time.Minute)
	wantActions(t, m)
	if got := m.status("svc-0"); got.Status != event.Up {
		t.Errorf("it is %s", got.Status)
	}
}
