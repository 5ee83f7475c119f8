package healer

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Approvals: what is requested, what the answers do, and what ends a request.

func approving(c *Config) { c.Mode = service.Approve }

// operator sends an operator's command about the newest incident of the first service.
func (m *sim) operator(command, reason string) string {
	return m.command(event.Command{Command: command, Service: "svc-0", Args: event.CommandArgs{Incident: m.of0().ID, Reason: reason}})
}

// requested waits until a request for approval was read back.
func requested(t *testing.T, m *sim) event.ApprovalRequested {
	t.Helper()
	m.until(t, "a request for approval", func() bool { return m.gate() == state.HeldForApproval })
	last, _ := m.of0().Last(event.TypeApprovalRequested)
	return last.Data.(event.ApprovalRequested)
}

func wantResult(t *testing.T, m *sim, id string, code event.RefusalCode, says string) {
	t.Helper()
	m.run(time.Second)
	got := m.results(id)
	if len(got) != 1 || got[0].OK != (says == "") || got[0].Code != code || !strings.Contains(got[0].Error, says) {
		t.Errorf("the results are %+v, want code %q and %q", got, code, says)
	}
}

func TestApprovedRepairRuns(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		request := requested(t, m)
		if request.Action != "start" || request.Target != "svc-0" || request.Command != "docker start svc-0" || request.Cost == "" || request.Reason == "" ||
			request.Pins.ContainerID != b.state.ID || request.Expires.Sub(m.now).Round(time.Minute) != 15*time.Minute {
			t.Errorf("requested was %+v", request)
		}
		m.run(5 * time.Minute)
		wantActions(t, m)
		wantResult(t, m, m.operator(event.CommandApprove, "go on"), "", "")
		m.run(time.Minute)
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
		if n := len(dataOf[event.ApprovalRequested](m)); n != 1 {
			t.Errorf("it was requested %d times", n)
		}
	}, configured(approving))
}

func TestDeniedRepairIsEscalatedWithTheOperatorsReason(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		requested(t, m)
		wantResult(t, m, m.operator(event.CommandDeny, "I will investigate"), "", "")
		m.run(time.Minute)
		wantActions(t, m)
		if in := m.of0(); in.State != state.Escalated || in.Held != "" {
			t.Errorf("it is %s, held by %q", in.State, in.Held)
		}
		escalated := dataOf[event.Escalated](m)
		if len(escalated) != 1 || !strings.Contains(escalated[0].Reason, "Start was denied by ada: I will investigate.") {
			t.Errorf("escalated was %+v", escalated)
		}
		diagnosed := dataOf[event.Diagnosed](m)
		last := diagnosed[len(diagnosed)-1]
		if !containsRefusal(last.NotOffered, "start", "denied by ada: I will investigate") {
			t.Errorf("not offered were %+v", last.NotOffered)
		}
	}, configured(approving))
}

func containsRefusal(list []event.Refusal, action, why string) bool {
	for _, r := range list {
		if r.Action == action && r.Why == why {
			return true
		}
	}
	return false
}

func TestRequestThatIsNotAnsweredExpires(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	m.run(15*time.Minute + 10*time.Second)
	escalated := dataOf[event.Escalated](m)
	if len(escalated) != 1 || escalated[0].Reason != "No operator approved start within 15m." {
		t.Fatalf("escalated was %+v", escalated)
	}
	wantResult(t, m, m.operator(event.CommandApprove, ""), event.RefusedExpired, "a person was called")
	m.run(time.Minute)
	wantActions(t, m)
}

func TestServiceThatRecoversEndsItsRequest(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		requested(t, m)
		do("start", m, b)
		m.run(time.Minute)
		wantEnd(t, m, event.HowRecovered)
		wantResult(t, m, m.operator(event.CommandApprove, ""), event.RefusedNothing, "resolved")
		wantActions(t, m)
	}, configured(approving))
}

// TestAnApprovalIsForTheContainerAsItWas changes the container while the
// request waits, and between the approval and the call.
func TestAnApprovalIsForTheContainerAsItWas(t *testing.T) {
	change := func(m *sim, b *box) { // started and killed again from outside
		do("start", m, b)
		m.run(200 * time.Millisecond)
		do("kill", m, b)
		m.run(3 * time.Second)
	}
	t.Run("while it waits", func(t *testing.T) {
		bothEngines(t, func(t *testing.T, m *sim, b *box) {
			do("kill", m, b)
			first := requested(t, m)
			change(m, b)
			m.run(3 * time.Second)
			second := requested(t, m)
			if second.Pins.StartedAt.Equal(first.Pins.StartedAt) {
				t.Fatalf("it was not requested again: %+v", second)
			}
			wantActions(t, m)
			m.operator(event.CommandApprove, "")
			m.run(time.Minute)
			wantActions(t, m, "start")
			wantEnd(t, m, event.HowHealed)
		}, configured(approving))
	})
	t.Run("after it was approved", func(t *testing.T) {
		bothEngines(t, func(t *testing.T, m *sim, b *box) {
			do("kill", m, b)
			requested(t, m)
			m.readAt[event.TopicIncidents] = m.now.Add(4 * time.Second) // the approval is read back late
			m.operator(event.CommandApprove, "")
			m.run(100 * time.Millisecond)
			change(m, b)
			m.run(5 * time.Second)
			wantActions(t, m)
			if n := len(dataOf[event.ApprovalRequested](m)); n != 2 || m.gate() != state.HeldForApproval {
				t.Errorf("it was requested %d times, held by %q", n, m.gate())
			}
		}, configured(approving))
	})
}

// TestARequestOutlivesTheProcess kills the process while a request waits, and
// between the approval and the intent.
func TestARequestOutlivesTheProcess(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("kill", m, b)
		requested(t, m)
		m.run(2 * time.Second)
		for range 3 {
			m.kill()
			m.run(30 * time.Second)
		}
		if n := len(dataOf[event.ApprovalRequested](m)); n != 1 || m.gate() != state.HeldForApproval {
			t.Fatalf("it was requested %d times, held by %q", n, m.gate())
		}
		id := m.operator(event.CommandApprove, "")
		m.until(t, "the approval on the log", func() bool { return len(dataOf[event.Approved](m)) == 1 })
		m.kill()
		m.run(time.Minute)
		if got := m.results(id); len(got) > 1 {
			t.Errorf("the results are %+v", got)
		}
		wantActions(t, m, "start")
		wantEnd(t, m, event.HowHealed)
	}, configured(approving))
}

// TestApprovalThatLapsedIsRequestedAnew: the process ends between the approval
// and the intent, and stops for longer than the request was valid.
func TestApprovalThatLapsedIsRequestedAnew(t *testing.T) {
	for outage, want := range map[time.Duration][]string{10 * time.Minute: {"restart"}, time.Hour: nil} {
		m, b := quiet(t, configured(approving))
		do("error", m, b)
		requested(t, m)
		m.operator(event.CommandApprove, "")
		m.until(t, "the approval on the log", func() bool { return len(dataOf[event.Approved](m)) == 1 })
		m.crash(outage)
		m.run(outage + 10*time.Second)
		wantActions(t, m, want...)
		if want == nil {
			if request := requested(t, m); !request.Expires.After(m.now) {
				t.Errorf("requested anew was %+v", request)
			}
			m.operator(event.CommandApprove, "")
			m.run(10 * time.Second)
			wantActions(t, m, "restart")
		}
	}
}

// TestAnswersThatCountForNothing has each: wrong, late, twice, forged ids.
func TestAnswersThatCountForNothing(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	in := m.of0().ID
	send := func(c event.Command) string { return m.command(c) }
	wantResult(t, m, send(event.Command{Command: event.CommandApprove, Args: event.CommandArgs{Incident: "in-nowhere"}}), event.RefusedUnknown, "no incident")
	wantResult(t, m, send(event.Command{Command: event.CommandApprove}), event.RefusedUnknown, "names no incident")
	wantResult(t, m, send(event.Command{Command: event.CommandDeny, Service: "svc-9", Args: event.CommandArgs{Incident: in}}), event.RefusedUnknown, "not about svc-9")
	wantResult(t, m, send(event.Command{Command: event.CommandApprove, Args: event.CommandArgs{Incident: in, Request: 1}}), event.RefusedOvertaken, "requested anew")
	late := send(event.Command{Command: event.CommandApprove, Time: m.now.Add(-61 * time.Second), Args: event.CommandArgs{Incident: in}})
	m.run(10 * time.Second)
	if got := m.results(late); len(got) != 0 {
		t.Errorf("what came late was answered: %+v", got)
	}
	wantActions(t, m)
	wantResult(t, m, m.operator(event.CommandDeny, "no"), "", "")
	wantResult(t, m, m.operator(event.CommandApprove, "yes"), event.RefusedExpired, "a person was called")
	m.run(time.Minute)
	wantActions(t, m)
}

// TestACommandThatWaitedTooLongIsAnswered, and not executed.
func TestACommandThatWaitedTooLongIsAnswered(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	m.readAt[event.TopicIncidents] = m.now.Add(90 * time.Second)
	m.operator(event.CommandAcknowledge, "")
	m.run(time.Second)
	id := m.operator(event.CommandDeny, "")
	m.run(2 * time.Minute)
	wantResult(t, m, id, event.RefusedBusy, "did not confirm")
	if n := len(dataOf[event.Denied](m)); n != 0 {
		t.Errorf("it was denied %d times", n)
	}
}

func TestASecondApprovalIsRefused(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	m.readAt[event.TopicCommands] = m.now
	m.operator(event.CommandApprove, "")
	id := m.operator(event.CommandApprove, "")
	m.run(time.Second)
	if got := m.results(id); len(got) != 1 || got[0].OK || got[0].Code == "" {
		t.Errorf("the results are %+v", got)
	}
	m.run(time.Minute)
	wantActions(t, m, "start")
}

// TestActionThatAnOperatorNamesIsApprovedByThat: heal with an action needs no approval
// more; heal without one does, since LogStream chooses.
func TestActionThatAnOperatorNamesIsApprovedByThat(t *testing.T) {
	m, _ := quiet(t, configured(approving))
	m.run(30 * time.Second)
	m.heal("restart")
	m.run(time.Minute)
	wantActions(t, m, "restart")
	wantEnd(t, m, event.HowHealed)

	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	m.heal("")
	m.run(time.Minute)
	wantActions(t, m)
	if opened := dataOf[event.Opened](m); len(opened) != 2 || m.gate() != state.HeldForApproval {
		t.Errorf("%d incidents, the newest held by %q", len(opened), m.gate())
	}
}

// TestAGateEndsARequest: after the hold it is requested anew.
func TestAGateEndsARequest(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	m.command(event.Command{Command: event.CommandHold, Args: event.CommandArgs{Reason: "work"}})
	m.until(t, "the hold", func() bool { return m.gate() == "hold" })
	wantResult(t, m, m.operator(event.CommandApprove, ""), event.RefusedOvertaken, "changed after the request")
	m.command(event.Command{Command: event.CommandRelease})
	requested(t, m)
	wantActions(t, m)
	m.operator(event.CommandApprove, "")
	m.run(time.Minute)
	wantActions(t, m, "start")
}

// TestFlappingCauseQueriesTheModelOnceAMinute: the same repair is requested again with
// another cause, its time to answer goes on, and an answer in between counts.
func TestFlappingCauseQueriesTheModelOnceAMinute(t *testing.T) {
	m, b := quiet(t, configured(approving))
	b.app, b.flap = "broken", true
	first := requested(t, m)
	m.run(5*time.Minute + time.Second)
	all := dataOf[event.ApprovalRequested](m)
	if n := len(all); n < 2 || n > 6 || !all[n-1].Expires.Equal(first.Expires) {
		t.Errorf("it was requested %d times: %+v", n, all)
	}
	m.operator(event.CommandApprove, "")
	m.run(10 * time.Second)
	wantActions(t, m, "restart")

	m, b = quiet(t, configured(approving))
	b.app, b.flap = "broken", true
	requested(t, m)
	m.run(16 * time.Minute)
	if got := m.of0().State; got != state.Escalated {
		t.Errorf("after its time is over it is %s", got)
	}
}

func TestAcknowledgementIsRememberedAndChangesNothing(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.until(t, "a person", func() bool { return m.of0().State == state.Escalated })
	before := len(m.incidents)
	wantResult(t, m, m.operator(event.CommandAcknowledge, "on it"), "", "")
	wantResult(t, m, m.operator(event.CommandAcknowledge, ""), event.RefusedDuplicate, "the incident was acknowledged already, by ada")
	m.kill()
	m.run(time.Minute)
	in := m.of0()
	if in.State != state.Escalated || in.Acknowledged == nil || in.Acknowledged.By != "operator:ada" || in.Acknowledged.Reason != "on it" {
		t.Errorf("it is %s, acknowledged %+v", in.State, in.Acknowledged)
	}
	if n := len(m.incidents) - before; n > 2 { // it, and the new claim
		t.Errorf("%d records follow", n)
	}
	b.app = "ok"
	m.run(time.Minute)
	wantEnd(t, m, event.HowRecovered)
	wantResult(t, m, m.operator(event.CommandAcknowledge, ""), event.RefusedNothing, "resolved")
}

func TestAcknowledgedRequestStillWaits(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	m.operator(event.CommandAcknowledge, "")
	m.run(10 * time.Second)
	m.operator(event.CommandApprove, "")
	m.run(time.Minute)
	wantActions(t, m, "start")
	if n := len(dataOf[event.ApprovalRequested](m)); n != 1 || b.state.Status != container.Running {
		t.Errorf("it was requested %d times, and is %s", n, b.state.Status)
	}
}

// TestRandomHistoriesWithAnOperator has an operator who approves, denies,
// acknowledges or does nothing, at random times.
func TestRandomHistoriesWithAnOperator(t *testing.T) {
	share(t, uint64(histories(t, 500)), func(n uint64) *sim {
		m := newSim(n, 1+int(n%2), configured(approving), configured(func(c *Config) { c.ApprovalTimeout = time.Minute }))
		m.operate()
		m.live()
		return m
	})
}

// operate lets an operator answer what waits, now and then.
func (m *sim) operate() {
	m.after(m.between(time.Second, 20*time.Second), m.operate)
	all := []string{event.CommandApprove, event.CommandApprove, event.CommandApprove, event.CommandDeny, event.CommandAcknowledge}
	for _, b := range m.boxes {
		if in := m.incident(b.def.Name); m.on() && m.logUp && in != nil && in.State != state.Resolved {
			m.command(event.Command{Command: all[m.rng.IntN(len(all))], Service: b.def.Name, Args: event.CommandArgs{Incident: in.ID}})
		}
	}
}

// TestACauseThatNeedsAPersonEndsARequest: what is found meanwhile may have no repair.
func TestACauseThatNeedsAPersonEndsARequest(t *testing.T) {
	m, b := quiet(t, configured(approving))
	do("kill", m, b)
	requested(t, m)
	b.gone = true
	m.run(time.Minute)
	if got := m.of0(); got.Held == state.HeldForApproval {
		t.Errorf("it still waits for approval: %+v", got)
	}
	wantActions(t, m)
}
