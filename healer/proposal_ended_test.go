package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// TestProposalTakesNoRequestOfAnOperatorAway proposes something in the moment in
// which the incident before ends for what an operator asked for.
func TestProposalTakesNoRequestOfAnOperatorAway(t *testing.T) {
	m, b := quiet(t)
	m.propose(b, "kill_start")
	requested(t, m)
	heal := m.command(event.Command{Command: event.CommandHeal, Service: "svc-0", Args: event.CommandArgs{Action: service.ActionRestart}})
	m.until(t, "the incident before ends for it", func() bool { return m.outstanding["svc-0"].Type == event.TypeResolved })
	proposed := event.Command{ID: "late", Time: m.now, Command: event.CommandPropose, By: "mcp:claude", Service: b.def.Name, Args: event.CommandArgs{Action: "kill_start"}}
	m.step(ReadCommand{proposed})
	m.run(time.Minute)
	wantResult(t, m, heal, "", "")
	wantActions(t, m, "restart")
}

// TestProposalEndsWithTheFirstDiagnosisOfAFailure has the service fail while a
// proposal of the same action waits, and answer again while the intent of its repair
// is written: no operator approved that, and its cause is gone.
func TestProposalEndsWithTheFirstDiagnosisOfAFailure(t *testing.T) {
	m, b := quiet(t)
	m.propose(b, "restart")
	requested(t, m)
	b.app = "error"
	m.until(t, "the intent is written", func() bool { return m.begun("svc-0") })
	b.app = "ok"
	for range 3 {
		h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: b.def.Name, Status: event.Up, Code: 200, Check: "http"}
		h.Origin, h.Revision = m.revise()
		m.step(ReadHealth{h, true})
	}
	if got := m.status("svc-0").Status; got != event.Up {
		t.Fatalf("it is %s", got)
	}
	m.run(20 * time.Minute)
	if results := dataOf[event.ActionFinished](m); len(results) != 1 || results[0].Outcome != event.OutcomeNotExecuted {
		t.Errorf("the results are %+v", results)
	}
	wantEnd(t, m, event.HowRecovered)
}

// TestFailureIsRepairedWhileItsRepairIsProposed has the service fail while the action
// that repairs it waits for approval as a proposal.
func TestFailureIsRepairedWhileItsRepairIsProposed(t *testing.T) {
	m, b := quiet(t)
	m.propose(b, "restart")
	requested(t, m)
	b.app = "error"
	m.run(30 * time.Second)
	wantActions(t, m, "restart")
	wantEnd(t, m, event.HowHealed)
}

// TestRenewedRequestOfAProposalExpiresQuietly approves a proposal whose intent is then
// not executed, and does not answer the request that follows: no person is called.
func TestRenewedRequestOfAProposalExpiresQuietly(t *testing.T) {
	m, b := quiet(t)
	m.propose(b, "restart")
	requested(t, m)
	m.operator(event.CommandApprove, "")
	m.until(t, "the intent is written", func() bool { return m.begun("svc-0") })
	m.step(ReadCommand{event.Command{ID: "hold", Time: m.now, Command: event.CommandHold, By: "operator:ada", Service: event.AllServices, Args: event.CommandArgs{For: "10s"}}})
	m.run(20 * time.Minute)
	if results := dataOf[event.ActionFinished](m); len(results) != 1 || results[0].Outcome != event.OutcomeNotExecuted {
		t.Fatalf("the results are %+v", results)
	}
	if n := len(dataOf[event.Escalated](m)); n != 0 {
		t.Errorf("a person was called %d times about a proposal", n)
	}
	wantEnd(t, m, event.HowRecovered)
}

// TestProposalsThatWaitHoldUpNoRepair sends as many as are kept while the incident of a
// failure is being opened: its repair begins as soon as without them.
func TestProposalsThatWaitHoldUpNoRepair(t *testing.T) {
	begins := map[int]time.Duration{}
	for _, proposals := range []int{0, mostDeferred} {
		m, b := quiet(t)
		do("kill", m, b)
		m.until(t, "its incident is being opened", func() bool { return m.outstanding["svc-0"].Type == event.TypeOpened })
		began := m.now
		for i := range proposals {
			m.step(ReadCommand{event.Command{ID: string(rune('a' + i)), Time: m.now, Command: event.CommandPropose, By: "mcp:claude", Service: "svc-0", Args: event.CommandArgs{Action: "restart"}}})
		}
		m.until(t, "the intent is written", func() bool { return m.begun("svc-0") })
		begins[proposals] = m.now.Sub(began)
	}
	if begins[mostDeferred] > begins[0]+time.Second {
		t.Errorf("the repair begins after %v", begins)
	}
}

// TestProposalsHinderNoInspection sends one whenever the container is being inspected.
func TestProposalsHinderNoInspection(t *testing.T) {
	m, b := quiet(t)
	ask := func(id string) {
		m.step(ReadCommand{event.Command{ID: id, Time: m.now, Command: event.CommandPropose, By: "mcp:claude", Service: "svc-0", Args: event.CommandArgs{Action: "restart"}}})
	}
	s := m.core.services["svc-0"]
	s.inspection.stale = true
	ask("a")
	m.until(t, "it is being inspected", func() bool { return s.inspection.open })
	ask("b")
	m.step(Inspected{Service: "svc-0", Request: s.inspection.request, State: b.state})
	if !s.inspection.isCurrent() {
		t.Error("what was inspected counts for nothing")
	}
}

// TestBadUpdateEndsAProposal: a proposal waits for approval when the service's new image
// turns out to do worse. The rollback is requested as soon as without a proposal.
func TestBadUpdateEndsAProposal(t *testing.T) {
	asked := map[bool]time.Duration{}
	for _, proposes := range []bool{false, true} {
		m, b := deployed(t, "ok")
		m.run(time.Minute)
		if proposes {
			m.propose(b, "restart")
			requested(t, m)
		}
		began := m.now
		b.app = "patchy"
		m.run(time.Minute)
		m.until(t, "the rollback is requested", func() bool {
			return m.gate() == state.HeldForApproval && requested(t, m).Action == service.ActionRollback
		})
		asked[proposes] = m.now.Sub(began)
		wantResult(t, m, m.propose(b, "restart"), event.RefusedBusy, "a repair waits for approval already")
		wantResult(t, m, m.operator(event.CommandApprove, ""), "", "")
		m.until(t, "it is rolled back", func() bool { return m.of0().State == state.Resolved })
		wantActions(t, m, service.ActionRollback)
		wantEnd(t, m, event.HowHealed)
		m.run(2 * time.Minute)
		if m.open("svc-0") || m.of0().CauseID != "bad_update" {
			t.Errorf("the newest incident is %s, its cause %q", m.of0().State, m.of0().CauseID)
		}
	}
	if asked[true] > asked[false]+20*time.Second {
		t.Errorf("it is requested after %v", asked)
	}
}

// TestDeniedRollbackIsNotRequestedAgain, also where the incident was opened for a proposal.
func TestDeniedRollbackIsNotRequestedAgain(t *testing.T) {
	m, b := deployed(t, "ok")
	m.run(time.Minute)
	m.propose(b, "restart")
	requested(t, m)
	b.app = "patchy"
	m.run(time.Minute)
	m.until(t, "the rollback is requested", func() bool {
		return m.gate() == state.HeldForApproval && requested(t, m).Action == service.ActionRollback
	})
	wantResult(t, m, m.operator(event.CommandDeny, ""), "", "")
	m.run(time.Minute)
	b.app = "ok"
	do("kill", m, b)
	m.run(10 * time.Minute)
	for _, in := range m.core.incidents.Of("svc-0", m.of0().Host) {
		if opened, _ := in.Last(event.TypeOpened); in.ID != m.of0().ID || opened.Data.(event.Opened).Check == event.CheckUpdate {
			t.Errorf("there is an incident %s, %s, opened by %v, cause %q", in.ID, in.State, opened.Data, in.CauseID)
		}
	}
	wantActions(t, m, service.ActionStart)
	wantEnd(t, m, event.HowHealed)
}

// TestExpiredProposalInAnIncidentThatWaitedForFacts ends; where a person was called
// before, that person's incident goes on as it was.
func TestExpiredProposalInAnIncidentThatWaitedForFacts(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	proposed := event.Diagnosed{Action: "restart", Proposed: &event.Opinion{Action: "restart"}}
	request := event.ApprovalRequested{Action: "restart", Expires: at}
	for name, tt := range map[string]struct {
		events []event.Data
		now    time.Time
		ended  bool
	}{
		"expired":           {[]event.Data{event.Suppressed{Gate: "none"}, proposed, request}, at, true},
		"held meanwhile":    {[]event.Data{event.Suppressed{Gate: "none"}, proposed, request, event.Suppressed{Gate: "hold"}}, at, true},
		"waits still":       {[]event.Data{event.Suppressed{Gate: "none"}, proposed, request}, at.Add(-time.Second), false},
		"approved":          {[]event.Data{event.Suppressed{Gate: "none"}, proposed, request, event.Approved{}}, at, false},
		"not requested":     {[]event.Data{request, proposed}, at, false},
		"a person's":        {[]event.Data{event.Escalated{}, proposed, request}, at, false},
		"LogStream's own":   {[]event.Data{event.Diagnosed{Action: "restart"}, request}, at, false},
		"another cause now": {[]event.Data{proposed, request, event.Diagnosed{Action: "start"}}, at, false},
	} {
		in := &state.Incident{ID: "i", State: state.Open}
		for i, data := range tt.events {
			in.Events = append(in.Events, event.Incident{ID: "i", Seq: i + 1, Time: at.Add(-time.Hour), Type: event.TypeOf(data), Data: data})
		}
		diagnosed, _ := in.Last(event.TypeDiagnosed)
		if got := (View{Incident: in, Now: tt.now}).hasEnded(diagnosed.Data.(event.Diagnosed)); got != tt.ended {
			t.Errorf("%s: ended is %v", name, got)
		}
	}
}
