package budget

import (
	"testing"
	"time"

	"logstream/internal/event"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func started(attempt int) event.ActionStarted {
	return event.ActionStarted{Attempt: attempt, Action: "start"}
}

func finished(outcome event.Outcome) event.ActionFinished {
	return event.ActionFinished{OK: outcome == event.OutcomeOK, Outcome: outcome}
}

func verified(outcome event.Outcome) event.Verified {
	return event.Verified{OK: outcome == event.OutcomeVerified, Outcome: outcome}
}

func TestWhatTheBudgetOfAnIncidentCounts(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		after                []event.Data
		counted, notExecuted int
	}{
		{"nothing known yet", nil, 0, 0},
		{"verified", []event.Data{finished(event.OutcomeOK), verified(event.OutcomeVerified)}, 0, 0},
		{"did not hold", []event.Data{finished(event.OutcomeOK), verified(event.OutcomeFailed)}, 1, 0},
		{"interrupted", []event.Data{finished(event.OutcomeOK), verified(event.OutcomeInterrupted)}, 0, 0},
		{"refused", []event.Data{finished(event.OutcomeRefused)}, 1, 0},
		{"not executed", []event.Data{finished(event.OutcomeNotExecuted)}, 0, 1},
	} {
		var events []event.Incident
		for _, data := range append([]event.Data{started(1)}, tt.after...) {
			events = append(events, event.Incident{Type: event.TypeOf(data), Data: data})
		}
		if counted, notExecuted := Spent(Attempts(events)); counted != tt.counted || notExecuted != tt.notExecuted {
			t.Errorf("%s: counted %d, not executed %d", tt.name, counted, notExecuted)
		}
	}
}

func TestAttemptsKnowTheirCause(t *testing.T) {
	list := Attempts([]event.Incident{
		{Data: event.Diagnosed{CauseID: "hang", Cause: "It hangs."}}, {Data: started(1)},
		{Data: event.Diagnosed{Cause: "the model's", Runbook: &event.Opinion{Cause: "It was stopped."}}}, {Data: started(2)},
	})
	if len(list) != 2 || list[0].Cause != "hang" || list[1].Cause != "It was stopped." {
		t.Errorf("%+v", list)
	}
}

func TestAttemptsKnowWhenTheyWereAnswered(t *testing.T) {
	for _, outcome := range []event.Outcome{event.OutcomeOK, event.OutcomeRefused} {
		list := Attempts([]event.Incident{{Time: now, Data: started(1)}, {Time: now.Add(time.Second), Data: finished(outcome)},
			{Time: now.Add(time.Minute), Data: verified(event.OutcomeFailed)}})
		if len(list) != 1 || !list[0].AnsweredAt.Equal(now.Add(time.Second)) || !list[0].VerifiedAt.IsZero() {
			t.Errorf("%s: %+v", outcome, list)
		}
	}
	list := Attempts([]event.Incident{{Time: now, Data: started(1)}, {Time: now.Add(time.Second), Data: finished(event.OutcomeOK)},
		{Time: now.Add(time.Minute), Data: verified(event.OutcomeVerified)}})
	if len(list) != 1 || !list[0].VerifiedAt.Equal(now.Add(time.Minute)) {
		t.Errorf("verified: %+v", list)
	}
}

func TestServiceBudgetOutlivesAnIncident(t *testing.T) {
	for _, tt := range []struct {
		name     string
		data     event.Data
		failures int
		closed   bool
	}{
		{"refused", finished(event.OutcomeRefused), 3, false},
		{"not executed", finished(event.OutcomeNotExecuted), 2, true},
		{"executed", finished(event.OutcomeOK), 2, false},
		{"did not hold", verified(event.OutcomeFailed), 3, false},
		{"interrupted", verified(event.OutcomeInterrupted), 2, false},
		{"verified", verified(event.OutcomeVerified), 0, false},
	} {
		s := Service{failures: 2}
		s.Apply(event.Incident{Time: now, Data: tt.data})
		if s.failures != tt.failures || s.ClosedAt().IsZero() == tt.closed || s.failedAt.IsZero() == (tt.failures == 3) {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

func TestCooldownDoubles(t *testing.T) {
	for n, want := range []time.Duration{0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := Cooldown(30*time.Second, n); got != want {
			t.Errorf("after %d: %s, want %s", n, got, want)
		}
	}
}

func TestAClockThatIsSetBackHoldsNothing(t *testing.T) {
	ahead := now.Add(time.Hour)
	var s Service
	var h Host
	for _, data := range []event.Data{started(1), finished(event.OutcomeNotExecuted), verified(event.OutcomeFailed)} {
		s.Apply(event.Incident{Time: ahead, Data: data})
		h.Apply(event.Incident{Time: ahead, Data: data})
	}
	s.Tick(now)
	h.Tick(now)
	if _, end := h.ThisMinute(); end.After(now.Add(time.Minute)) || s.ClosedAt().After(now) || s.NotBefore(time.Second).After(now.Add(time.Second)) {
		t.Errorf("%+v, %+v", s, h)
	}
	s.Tick(now.Add(61 * time.Minute))
	h.Tick(now.Add(61 * time.Second))
	if n, _ := h.ThisMinute(); n != 0 || s.ThisHour() != 0 {
		t.Errorf("after their time: %d a minute, %d an hour", n, s.ThisHour())
	}
}
