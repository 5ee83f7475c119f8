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

// Proposals of programs: what is refused, what waits, and that nothing runs
// without an operator.

// propose has a program propose an action for a service.
func (m *sim) propose(b *box, action string) string {
	c := event.Command{Command: event.CommandPropose, By: "mcp:claude", Service: b.def.Name, Args: event.CommandArgs{Action: action, Reason: "its latency doubled"}}
	if !m.logUp {
		return ""
	}
	return m.command(c)
}

// proposalApproved checks that what a program proposed was approved by an operator,
// in that incident and after it was proposed.
func (m *sim) proposalApproved(in *state.Incident, e event.Incident, started event.ActionStarted) {
	if _, is := event.ProposerName(e.By); !is || started.Undoes > 0 {
		return
	}
	if request, is := approvedLast(in); !is || request.Action != started.Action {
		m.violated("%s: attempt %d, %s by %s, runs without an approval", in.ID, started.Attempt, started.Action, e.By)
	}
}

// TestProposalWaitsForApprovalWhateverTheTier proposes what LogStream does without
// approval by itself, for a service that is UP.
func TestProposalWaitsForApprovalWhateverTheTier(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, _ *box) {
		m.run(30 * time.Second)
		wantResult(t, m, m.propose(m.boxes[0], "restart"), "", "")
		request := requested(t, m)
		if request.Action != "restart" || request.Reason != "restart was proposed by claude: its latency doubled" {
			t.Errorf("requested was %+v", request)
		}
		opened := dataOf[event.Opened](m)
		if len(opened) != 1 || opened[0].Check != event.CheckProposal || opened[0].Proposed == nil || m.of0().DecidedBy != "mcp:claude" {
			t.Errorf("opened was %+v, decided by %s", opened, m.of0().DecidedBy)
		}
		m.run(5 * time.Minute)
		wantActions(t, m)
		wantResult(t, m, m.operator(event.CommandApprove, "go on"), "", "")
		m.run(time.Minute)
		wantActions(t, m, "restart")
		wantEnd(t, m, event.HowHealed)
		if in := m.of0(); in.DownMS > 10_000 || in.TTRMS < 300_000 {
			t.Errorf("down for %.0f ms of %.0f: it was good while the request waited", in.DownMS, in.TTRMS)
		}
	})
}

// TestProposalThatIsNotWantedChangesNothing has it denied, and not answered.
func TestProposalThatIsNotWantedChangesNothing(t *testing.T) {
	for name, answer := range map[string]func(*sim){
		"denied":       func(m *sim) { m.operator(event.CommandDeny, "it is fine") },
		"not answered": func(m *sim) { m.run(16 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t)
			m.run(30 * time.Second)
			m.propose(b, "restart")
			requested(t, m)
			answer(m)
			m.run(time.Minute)
			wantActions(t, m)
			wantEnd(t, m, event.HowRecovered)
			if n := len(dataOf[event.Escalated](m)); n != 0 {
				t.Errorf("a person was called %d times about a proposal", n)
			}
		})
	}
}

// TestProposalHoldsUpNoRepair breaks the service while a proposal waits: it is
// repaired as it is without one.
func TestProposalHoldsUpNoRepair(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.run(30 * time.Second)
		m.propose(b, "restart")
		requested(t, m)
		do("kill", m, b)
		m.run(time.Minute)
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
	})
}

// TestProposalIsRefusedWhileLogStreamRepairs sends one in each phase of a repair.
func TestProposalIsRefusedWhileLogStreamRepairs(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	m.until(t, "the incident", func() bool { return m.open("svc-0") })
	early := m.propose(b, "start")
	requested(t, m)
	wantResult(t, m, m.propose(b, "start"), event.RefusedBusy, "a repair waits for approval already")
	if got := m.results(early); len(got) != 1 || got[0].OK || got[0].Code != event.RefusedBusy {
		t.Errorf("the first is answered %+v", got)
	}
	m.operator(event.CommandApprove, "")
	m.run(4 * time.Second)
	wantResult(t, m, m.propose(b, "restart"), event.RefusedBusy, "a repair is under way")
	m.run(time.Minute)
	wantActions(t, m, "start")
	wantEnd(t, m, event.HowHealed)
}

// TestProposalThatIsRefused has each reason, with the actions that are legal.
func TestProposalThatIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, action string
		options      []func(*sim)
		before       func(*sim)
		code         event.RefusalCode
		says         string
		legal        []string
	}{
		{"no such action", "delete", nil, nil, event.RefusedIllegal, "there is no such action; legal now: restart", []string{"restart", "kill_start"}},
		{"no repair", "escalate", nil, nil, event.RefusedIllegal, "it repairs nothing", []string{"restart", "kill_start"}},
		{"it runs", "start", nil, nil, event.RefusedIllegal, "start is not legal", []string{"restart", "kill_start"}},
		{"forbidden", "restart", []func(*sim){defined(func(d *service.Definition) { d.Heal.Never = []string{"restart"} })}, nil, event.RefusedIllegal, "heal.never", []string{"kill_start"}},
		{"observe", "restart", []func(*sim){configured(observing)}, nil, event.RefusedHeld, `held by gate "observe"`, nil},
		{"hold", "restart", nil, func(m *sim) { m.command(event.Command{Command: event.CommandHold, Args: event.CommandArgs{For: "1h"}}) }, event.RefusedHeld, `held by gate "hold"`, nil},
		{"silenced", "restart", nil, func(m *sim) {
			m.command(event.Command{Command: event.CommandSilence, Service: "svc-0", Args: event.CommandArgs{For: "1h"}})
		}, event.RefusedHeld, `held by gate "silence"`, nil},
		{"ours", "restart", []func(*sim){func(m *sim) { m.boxes[0].state.Self = true }}, nil, event.RefusedHeld, `held by gate "self"`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, b := quiet(t, tt.options...)
			m.run(20 * time.Second)
			if tt.before != nil {
				tt.before(m)
				m.run(20 * time.Second)
			}
			id := m.propose(b, tt.action)
			wantResult(t, m, id, tt.code, tt.says)
			got := m.results(id)
			for _, legal := range tt.legal {
				if len(got) != 1 || !slices.Contains(got[0].Legal, legal) || slices.Contains(got[0].Legal, "escalate") {
					t.Errorf("legal are %+v, want %s among them", got, legal)
				}
			}
			m.run(time.Minute)
			if wantActions(t, m); m.open("svc-0") || len(dataOf[event.Opened](m)) > 0 {
				t.Error("an incident was opened for it")
			}
		})
	}
}

// TestProposalInAnEscalatedIncident: it is legal for the cause, waits for a
// person, and opens no way for repairs without one.
func TestProposalInAnEscalatedIncident(t *testing.T) {
	escalated := func(t *testing.T) (*sim, *box) {
		m, b := quiet(t, configured(func(c *Config) { c.Mode = service.Approve }))
		do("kill", m, b)
		requested(t, m)
		m.run(16 * time.Minute) // not answered
		if m.of0().State != state.Escalated {
			t.Fatalf("it is %s", m.of0().State)
		}
		return m, b
	}
	t.Run("illegal", func(t *testing.T) {
		m, b := escalated(t)
		id := m.propose(b, "restart")
		m.until(t, "the answer", func() bool { return len(m.results(id)) > 0 })
		if got := m.results(id)[0]; got.OK || got.Code != event.RefusedIllegal || !slices.Contains(got.Legal, "start") || !strings.Contains(got.Error, "start") {
			t.Errorf("the answer is %+v", got)
		}
		if m.of0().State != state.Escalated {
			t.Errorf("it is %s", m.of0().State)
		}
	})
	t.Run("approved", func(t *testing.T) {
		m, b := escalated(t)
		wantResult(t, m, m.propose(b, "start"), "", "")
		if request := requested(t, m); !strings.Contains(request.Reason, "proposed by claude") {
			t.Errorf("requested was %+v", request)
		}
		wantResult(t, m, m.operator(event.CommandApprove, ""), "", "")
		m.run(time.Minute)
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
	})
	t.Run("denied", func(t *testing.T) {
		m, b := escalated(t)
		m.propose(b, "start")
		requested(t, m)
		m.operator(event.CommandDeny, "")
		m.run(time.Minute)
		if wantActions(t, m); m.of0().State != state.Escalated {
			t.Errorf("it is %s, held by %q", m.of0().State, m.gate())
		}
	})
	t.Run("mode auto afterwards", func(t *testing.T) {
		m, b := escalated(t)
		m.propose(b, "start")
		requested(t, m)
		b.def.Heal.Mode = service.Auto
		m.reconfigure()
		m.run(20 * time.Minute)
		wantActions(t, m)
	})
	t.Run("expired while repairs are on hold", func(t *testing.T) {
		m, b := escalated(t)
		m.propose(b, "start")
		requested(t, m)
		calls, requests := len(dataOf[event.Escalated](m)), len(dataOf[event.ApprovalRequested](m))
		m.command(event.Command{Command: event.CommandHold, Args: event.CommandArgs{For: "20m"}})
		m.run(19 * time.Minute)
		if n := len(dataOf[event.Escalated](m)); n != calls || m.gate() != "hold" {
			t.Errorf("a person was called %d times, held by %q", n-calls, m.gate())
		}
		m.run(20 * time.Minute)
		if n := len(dataOf[event.ApprovalRequested](m)); n != requests {
			t.Errorf("it was requested %d times more after it expired", n-requests)
		}
		if n := len(dataOf[event.Escalated](m)); n != calls+1 || m.of0().State != state.Escalated {
			t.Errorf("a person was called %d times more, and it is %s", n-calls, m.of0().State)
		}
		wantActions(t, m)
	})
}
