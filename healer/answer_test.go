package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// wantAnswerAfterEvent checks that what was answered as done is on the log.
func wantAnswerAfterEvent(t *testing.T, m *sim, id string, before int) {
	t.Helper()
	results := m.results(id)
	if len(results) > 1 {
		t.Errorf("it was answered %d times: %+v", len(results), results)
	}
	if len(results) > 0 && results[0].OK && byOperators(m) == before {
		t.Error("it was answered as done, and its event is not on the log")
	}
}

// TestAnAnswerIsWrittenAfterItsEvent crashes at every moment after a command: what
// is answered as done outlives that.
func TestAnAnswerIsWrittenAfterItsEvent(t *testing.T) {
	heal := event.Command{Command: event.CommandHeal, Service: "svc-0", Args: event.CommandArgs{Action: service.ActionRestart}}
	for name, test := range map[string]struct {
		option  func(*sim)
		begins  func(t *testing.T, m *sim, b *box)
		command func(m *sim) event.Command
	}{
		"heal": {func(*sim) {}, func(*testing.T, *sim, *box) {}, func(*sim) event.Command { return heal }},
		"heal while an incident is held": {
			func(*sim) {},
			func(_ *testing.T, m *sim, b *box) {
				m.command(silenceCommand("10m", ""))
				do("kill", m, b)
				m.run(20 * time.Second)
			}, func(*sim) event.Command {
				return event.Command{Command: event.CommandHeal, Service: "svc-0", Args: event.CommandArgs{Action: service.ActionStart}}
			},
		},
		"approve":     {configured(approving), waitsForApproval, func(m *sim) event.Command { return ofIncident(m, event.CommandApprove) }},
		"deny":        {configured(approving), waitsForApproval, func(m *sim) event.Command { return ofIncident(m, event.CommandDeny) }},
		"acknowledge": {configured(approving), waitsForApproval, func(m *sim) event.Command { return ofIncident(m, event.CommandAcknowledge) }},
	} {
		t.Run(name, func(t *testing.T) {
			answered := 0
			for after := time.Duration(0); after < 60*time.Millisecond; after += time.Millisecond {
				m, b := quiet(t, test.option)
				test.begins(t, m, b)
				before := byOperators(m)
				id := m.command(test.command(m))
				m.run(after)
				m.crash(time.Second)
				m.run(time.Second / 2)
				wantAnswerAfterEvent(t, m, id, before)
				answered += len(m.results(id))
				m.run(30 * time.Second)
				wantAnswerAfterEvent(t, m, id, before)
			}
			if answered == 0 {
				t.Error("it was never answered")
			}
		})
	}
}

func waitsForApproval(t *testing.T, m *sim, b *box) {
	do("kill", m, b)
	m.until(t, "an approval is requested", func() bool { return m.of0().State == state.Open && m.gate() == "approval" })
}

func ofIncident(m *sim, command string) event.Command {
	return event.Command{Command: command, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID}}
}

// TestARequestOfAServiceThatIsRemovedMeanwhileIsRefused: it is answered, and not
// as done.
func TestARequestOfAServiceThatIsRemovedMeanwhileIsRefused(t *testing.T) {
	m, b := quiet(t)
	m.command(silenceCommand("10m", ""))
	do("kill", m, b)
	m.run(20 * time.Second)
	id := m.command(event.Command{Command: event.CommandHeal, Service: "svc-0", Args: event.CommandArgs{Action: service.ActionStart}})
	m.until(t, "the incident before ends for it", func() bool { return m.outstanding["svc-0"].Type == event.TypeResolved })
	m.step(Reconfigured{})
	m.run(5 * time.Second)
	if got := m.results(id); len(got) != 1 || got[0].OK {
		t.Errorf("the results are %+v", got)
	}
}
