package healer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// crashLoop makes a container end by itself whenever it ran for so long, with
// Docker's restart policy at work: a backoff that doubles from 100 ms to a
// minute, and begins anew after ten seconds of running. It loops until over.
func (m *sim) crashLoop(b *box, runs, over time.Duration) {
	b.state.RestartPolicy = "unless-stopped"
	end, backoff := m.now.Add(over), 100*time.Millisecond
	var crash func()
	crash = func() {
		if b.state.Status != container.Running {
			return
		}
		m.die(b, 1)
		b.state.Status = container.Restarting
		b.state.RestartCount++
		if runs > 10*time.Second {
			backoff = 100 * time.Millisecond
		}
		wait := backoff
		backoff = min(2*backoff, time.Minute)
		m.after(wait, func() {
			m.start(b)
			if m.now.Before(end) {
				m.after(runs, crash)
			}
		})
	}
	crash()
}

// rate is the most records in a minute of the last d, and the whole number.
func rate(m *sim, from time.Time) (most int, all []string) {
	perMinute := map[int]int{}
	for _, w := range m.incidents {
		if since := w.event.Time.Sub(from); since >= 0 && w.event.Type != event.TypeClaim {
			k := int(since / time.Minute)
			perMinute[k]++
			most = max(most, perMinute[k])
			all = append(all, fmt.Sprintf("%.1f %s %.150s", since.Seconds(), w.event.Type, event.Encode(w.event.Data)))
		}
	}
	return most, all
}

func TestCrashLoopUnderARestartPolicyWritesFewRecords(t *testing.T) {
	long(t)
	for _, mode := range []service.Mode{service.Auto, service.Observe} {
		for _, runs := range []time.Duration{300 * time.Millisecond, 3 * time.Second, 8 * time.Second} {
			t.Run(fmt.Sprintf("%s %s", mode, runs), func(t *testing.T) {
				m, b := quiet(t, configured(func(c *Config) { c.Mode = mode }))
				from := m.now
				m.crashLoop(b, runs, 10*time.Minute)
				m.run(10 * time.Minute)
				most, all := rate(m, from)
				if most > 8 || len(all) > 12 || len(m.calls) > 0 {
					t.Errorf("%d records a minute, calls %v:\n%s", most, m.calls, strings.Join(all, "\n"))
				}
				if in := m.of0(); in.State != state.Escalated {
					t.Errorf("its incident is %s", in.State)
				}
			})
		}
	}
}

func TestOneCrashUnderARestartPolicyIsLeftToDocker(t *testing.T) {
	m, b := quiet(t)
	b.state.RestartPolicy = "unless-stopped"
	m.die(b, 1)
	b.state.Status = container.Restarting
	m.after(2*time.Second, func() { m.start(b) })
	m.run(time.Minute)
	in := m.of0()
	if _, escalated := in.Last(event.TypeEscalated); escalated || len(m.actions()) > 0 || in.How != event.HowRecovered {
		_, all := rate(m, simStart)
		t.Errorf("one crash, and Docker started it two seconds later:\n%s", strings.Join(all, "\n"))
	}
}

func TestEscalatedIncidentIsNotReopenedByARestartByHand(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(3 * time.Minute)
	n := len(m.incidents)
	do("restart", m, b)
	m.run(2 * time.Minute)
	if in := m.of0(); in.State != state.Escalated || len(m.incidents) > n {
		t.Errorf("the incident is %s, and %d records were written", in.State, len(m.incidents)-n)
	}
}

func TestFlappingCheckWritesFewRecords(t *testing.T) {
	m, b := quiet(t, configured(observing))
	from := m.now
	b.app = "broken"
	b.flap = true
	m.run(5 * time.Minute)
	most, all := rate(m, from)
	if most > 12 {
		t.Errorf("%d records a minute:\n%s", most, strings.Join(all, "\n"))
	}
	if n := len(dataOf[event.Evidence](m)); n < 4 {
		t.Errorf("in five minutes evidence of it is written %d times", n)
	}
}

// TestEscalatedIncidentIsNotWrittenToByGates: a person was called, and reads it.
func TestEscalatedIncidentIsNotWrittenToByGates(t *testing.T) {
	for name, happens := range map[string]func(*sim, *box){
		"Docker is unreachable": func(m *sim, _ *box) { m.dockerUnreachable(10 * time.Second) },
		"only a foreign source sees it": func(m *sim, b *box) {
			m.foreign(b, event.Down, 20*time.Second)
			b.app = "ok"
		},
		"its container is being removed": func(_ *sim, b *box) { b.state.Status = container.Removing },
		"its container is gone": func(m *sim, b *box) {
			m.emit(b, "destroy", nil)
			b.gone = true
		},
		"it is restarted by hand": func(m *sim, b *box) { do("restart", m, b) },
	} {
		t.Run(name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				b.app = "broken"
				m.run(3 * time.Minute)
				if in := m.of0(); in.State != state.Escalated {
					t.Fatalf("the incident is %s", in.State)
				}
				n := len(m.of0().Events)
				happens(m, b)
				m.run(15 * time.Second)
				if in := m.of0(); len(in.Events) != n {
					t.Errorf("written since: %+v", in.Events[n:])
				}
			})
		})
	}
}

// TestEscalatedIncidentIsNotReopenedByItsOwnAppend that could not be written for long.
func TestEscalatedIncidentIsNotReopenedByItsOwnAppend(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.until(t, "a failed verification", func() bool { return len(verified(m)) > 0 })
	for m.outstanding["svc-0"].Type != event.TypeEscalated {
		m.run(100 * time.Microsecond) // it is not on the log yet
	}
	escalation := m.outstanding["svc-0"]
	m.readAt[event.TopicIncidents] = m.now.Add(5 * time.Second)
	m.step(AppendFailed{ID: escalation.ID, Seq: escalation.Seq, Service: escalation.Service})
	m.run(30 * time.Second)
	if in, held := m.of0(), dataOf[event.Suppressed](m); in.State != state.Escalated || len(held) != 0 {
		t.Errorf("the incident is %s, held were %+v", in.State, held)
	}
}
