package healer

import (
	"fmt"
	"testing"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/state"
)

// jobBelow is svc-0 that names svc-1 in depends_on: a container without a check.
func jobBelow(t *testing.T, change func(m *sim, job *box)) (m *sim, api, job *box) {
	t.Helper()
	raced.Skip(t)
	m = newSim(1, 2, needing(0, 1), func(m *sim) {
		m.steady, m.trace = true, []string{}
		m.boxes[1].def.URL, m.boxes[1].state.RestartPolicy = "", "no"
		change(m, m.boxes[1])
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(m.history())
		}
		if m.broken != "" {
			t.Errorf("an invariant did not hold: %s", m.broken)
		}
	})
	m.run(10 * time.Second)
	return m, m.boxes[0], m.boxes[1]
}

// TestAJobThatHasEndedHoldsNoRepair of what was UP for long beside it, such as a
// migration.
func TestAJobThatHasEndedHoldsNoRepair(t *testing.T) {
	for _, before := range []bool{false, true} { // it had ended before LogStream came
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprint(before, crash), func(t *testing.T) {
				m, api, job := jobBelow(t, func(m *sim, job *box) {
					if job.job = true; before {
						job.state.Status, job.state.FinishedAt, job.state.ExitCode = container.Exited, m.now.Add(-time.Hour), 0
					}
				})
				if !before {
					m.die(job, 0)
				}
				m.run(2 * time.Minute)
				if crash {
					m.crash(2 * time.Second)
				}
				api.app = "error"
				m.run(2 * time.Minute)
				wantTargets(t, m, "restart svc-0")
				if in := m.incident("svc-0"); in.State != state.Resolved || in.How != event.HowHealed || in.CauseID != "http_5xx" {
					t.Errorf("its incident is %s, %s: %s", in.State, in.How, in.CauseID)
				}
			})
		}
	}
}

// TestWhatMayHaveToRunHoldsARepair, although it has ended: what needs it failed with
// it, or it did not end well.
func TestWhatMayHaveToRunHoldsARepair(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		after time.Duration
	}{"failed soon after": {0, 0}, "failed within a minute": {0, 40 * time.Second}, "a job that failed": {1, 2 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			m, api, job := jobBelow(t, func(_ *sim, job *box) { job.def.Heal.Never = []string{"start"} })
			job.job = c.after > 0
			m.die(job, c.code)
			m.run(c.after)
			api.app = "error"
			m.run(2 * time.Minute)
			wantTargets(t, m)
			if in := m.incident("svc-0"); in == nil || in.Held != gateDependency {
				t.Errorf("its incident is %+v", in)
			}
		})
	}
}

// TestAJobIsNotRunAgainWhereItsEndIsForgotten: LogStream was restarted when the events
// of the job's end were no longer read.
func TestAJobIsNotRunAgainWhereItsEndIsForgotten(t *testing.T) {
	m, _, job := jobBelow(t, func(_ *sim, job *box) { job.job = true })
	m.die(job, 0)
	m.run(40 * time.Minute)
	m.crash(2 * time.Second)
	m.run(5 * time.Minute)
	wantTargets(t, m)
	if in := m.incident("svc-1"); in.State != state.Escalated || in.CauseID != "finished" {
		t.Errorf("its incident is %s: %s", in.State, in.CauseID)
	}
}

// TestWhatIsCheckedSeldomMayHaveFailedWithTheJob: its first failed check comes a minute
// later by its interval alone.
func TestWhatIsCheckedSeldomMayHaveFailedWithTheJob(t *testing.T) {
	for phase := range 8 {
		t.Run(fmt.Sprint(phase), func(t *testing.T) {
			m, api, job := jobBelow(t, func(m *sim, _ *box) { m.boxes[0].def.Interval = 2 * time.Minute })
			m.run(5*time.Minute + time.Duration(phase)*15*time.Second)
			m.die(job, 0)
			api.app = "broken" // without what it needs
			m.run(15 * time.Minute)
			wantTargets(t, m)
		})
	}
}

// TestAJobThatHadFinishedIsForgottenOnlyWithExitCode0: one that was started again, and
// failed, did not finish.
func TestAJobThatHadFinishedIsForgottenOnlyWithExitCode0(t *testing.T) {
	before := event.Diagnosed{CauseID: "finished"}
	for code, want := range map[int]bool{0: true, 137: false} {
		v := View{Diagnosis: runbook.Diagnosis{CauseID: "ended_unwatched"}}
		v.Inspection.state.ExitCode = code
		if got := isForgotten(v, before); got != want {
			t.Errorf("with exit code %d: %v", code, got)
		}
	}
}
