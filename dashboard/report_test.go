package dashboard

import (
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

// life folds events of one incident, a second apart.
func life(t *testing.T, data ...event.Data) view.IncidentDetail {
	t.Helper()
	f := view.NewFleet(me, myHost, nil, view.Limits{}, time.Time{})
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.ApplyIncident(event.Incident{ID: nonce, Seq: 1, Data: event.Claim{Host: myHost, Instance: me, Epoch: 1, Nonce: nonce}}, begin)
	for i, d := range data {
		e := event.Incident{ID: "i1", Seq: i + 1, Time: begin.Add(time.Duration(i) * time.Second), Service: "payment-service",
			Type: event.TypeOf(d), By: event.ByRunbook, Data: d, Origin: origin}
		f.ApplyIncident(e, e.Time)
	}
	detail, _ := f.Incident("i1", begin)
	if len(detail.Events) != len(data) {
		t.Fatalf("%d of %d events count", len(detail.Events), len(data))
	}
	return detail
}

func TestReport(t *testing.T) {
	got := Report(life(t,
		event.Opened{Error: "connection refused", FirstBad: time.Date(2026, 1, 2, 3, 4, 4, 0, time.UTC), Kind: "service"},
		event.Evidence{Facts: []event.Fact{{Key: "exit code", Value: "137"}, {Key: "order", Value: "kill → die", Decisive: true, Why: "it was killed from outside"}}, Logs: []string{"password=hunter2", "```", "<b>bye</b>"},
			Truncated: true, FirstSeen: []event.FirstSeen{{Line: 2, Days: 3}}},
		event.Diagnosed{Cause: "it is killed", CausePast: "it was killed", Action: "start", Target: "payment-service", Confidence: 0.95},
		event.ActionStarted{Attempt: 1, Action: "start", Command: "docker start payment-service"},
		event.ActionFinished{Attempt: 1, OK: true, DurationMS: 250},
		event.Verified{OK: true, Observations: 5},
		event.Resolved{How: event.HowHealed, Attempts: 1, TTDMS: 100, TTRMS: 12_000, DownMS: 1500},
	))
	for _, want := range []string{
		"# payment-service: repaired by start", "was down for 1.5 s", "| Detected after | 100 ms |", "| Resolved after | 12 s |",
		"| Cause | it was killed |", "- order = ` kill → die ` **decisive**: it was killed from outside\n- exit code = ` 137 `",
		"```` text\npassword=***\n```\n<b>bye</b>    ← new: not seen in the last 3 days\n````", "Other lines of the log were left out.",
		"- 2026-01-02 03:04:08.000 UTC (+3.0 s, by runbook) attempt 1: ` docker start payment-service `",
		"attempt 1: done in 250 ms", "verified by 5 good checks", "resolved: healed",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestReportOfEachEnd(t *testing.T) {
	opened := event.Opened{Error: "x", Kind: "service"}
	tests := []struct {
		name string
		last event.Data
		want string
	}{
		{"open", event.Evidence{}, "still open"},
		{"held", event.Suppressed{Gate: "operator", Reason: "it was stopped twice from outside"}, "held by gate \"operator\": it was stopped twice from outside"},
		{"escalated", event.Escalated{Reason: "three attempts failed"}, "escalated: three attempts failed"},
		{"recovered", event.Resolved{How: event.HowRecovered, DownMS: 60_000}, "It recovered without a verified repair"},
		{"by an operator", event.Resolved{How: event.HowOperator}, "The incident of payment-service was closed by an operator, or because the service was removed."},
		{"without a command line", event.ActionStarted{Attempt: 1, Action: "start", Target: "payment-service"}, "attempt 1: ` start payment-service `"},
		{"failed", event.ActionFinished{Attempt: 1, Error: "no such image"}, "attempt 1: failed: no such image"},
		{"not executed", event.ActionFinished{Attempt: 1, Outcome: event.OutcomeNotExecuted, Error: "not carried out: too late"}, "attempt 1: not carried out: too late"},
		{"not verified", event.Verified{Outcome: event.OutcomeFailed, Error: "it ended again"}, "verification failed: it ended again"},
		{"interrupted", event.Verified{Outcome: event.OutcomeInterrupted, Error: "interrupted: stop"}, "by runbook) interrupted: stop"},
		{"diagnosed", event.Diagnosed{Cause: "It was killed.", Action: "start", Confidence: 0.97}, "diagnosed: It was killed; action: start"},
		{"asked", event.ApprovalRequested{Action: "rollback", Reason: "tier 2"}, "approval requested for rollback: tier 2"},
		{"not offered", event.Diagnosed{Cause: "x", Action: "start", NotOffered: []event.Refusal{{Action: "restart", Why: "it is not running: starting it is enough"}}}, "## Not offered\n\n- restart: it is not running: starting it is enough\n"},
		{"approved", event.Approved{}, "by runbook) approved\n"},
		{"approved, with a reason", event.Approved{Reason: "go on"}, "approved: go on"},
		{"denied", event.Denied{Reason: "not now"}, "denied: not now"},
		{"acknowledged", event.Acknowledged{Reason: "on it"}, "acknowledged: on it"},
		{"undone", event.ActionStarted{Attempt: 2, Action: "rollback", Command: "docker rename a b", Undoes: 1}, "undo of attempt 1: ` docker rename a b `"},
		{"verified by its effect", event.Verified{OK: true}, "verified: an inspection of the container shows the change"},
		{"with a kept container", event.ActionFinished{Attempt: 1, OK: true, KeptID: "0123456789abcdef"}, "the old container is kept as ` 0123456789ab `; remove it with ` docker rm 0123456789ab ` when it is no longer needed"},
		{"with output", event.ActionFinished{Attempt: 1, OK: true, Output: "line 1\npassword=hunter2\n"}, "\n\n  ``` text\n  line 1\n  password=***\n  ```\n"},
		{"held for its root", event.Suppressed{Gate: "dependency", Reason: "waits for db: a service that it depends on is DOWN", Root: "db", RootIncident: "r1"}, "is DOWN (incident r1 of db)"},
		{"of a fleet", event.Opened{Kind: "fleet", Error: "The observer is blind: 9 of 10 services failed within 5s while their containers run"}, "opened: The observer is blind"},
		{"of another version", event.Other{Type: "sung"}, "by runbook) sung"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Report(life(t, opened, tt.last)); !strings.Contains(got, tt.want) {
				t.Errorf("%q is not in\n%s", tt.want, got)
			}
		})
	}
}

func TestReportOfRunbookAndModel(t *testing.T) {
	runbook := &event.Opinion{Cause: "It was stopped.", Action: "start", Why: "a stop came after it"}
	late := Report(life(t, event.Opened{}, event.Diagnosed{Cause: "It was stopped.", Action: "start", Runbook: runbook, Invalid: "it did not answer within 20s"}))
	for _, want := range []string{"- The runbook: **used** It was stopped; action: start. a stop came after it", "- The model: no usable answer: it did not answer within 20s"} {
		if !strings.Contains(late, want) {
			t.Errorf("%q is not in\n%s", want, late)
		}
	}
	in := life(t, event.Opened{}, event.Diagnosed{Cause: "Stopped", Action: "start", Runbook: runbook, Model: &event.Opinion{Cause: "Stopped <b>", Action: "start", Confidence: 0.9, Why: "[x](y)"}})
	in.Events[1].By = event.ByModel + "m"
	if got := Report(in); !strings.Contains(got, "- The runbook: It was stopped") || !strings.Contains(got, "- The model: **used** Stopped &lt;b\\>; action: start (confidence 90%). \\[x\\]\\(y\\)") {
		t.Errorf("got\n%s", got)
	}
	if got := Report(life(t, event.Opened{}, event.Diagnosed{Runbook: runbook})); strings.Contains(got, "Runbook and model") {
		t.Errorf("no model was queried:\n%s", got)
	}
}

func TestReportIsTheWrittenPostMortemIfThereIsOne(t *testing.T) {
	if got := Report(life(t, event.Opened{}, event.Reported{Text: "# As written"})); got != "# As written" {
		t.Errorf("report = %q", got)
	}
}

func TestReportEscapesMarkup(t *testing.T) {
	got := Report(life(t, event.Opened{Error: "<img src=x onerror=alert(1)> [click](javascript:x)\n# heading\n|a|b|"}))
	for _, never := range []string{"<img", "](javascript", "\n# heading", "\n|a"} {
		if strings.Contains(got, never) {
			t.Errorf("%q is in\n%s", never, got)
		}
	}
}

func TestReportHasTheOutcomeOfTheDecision(t *testing.T) {
	opened := event.Opened{Error: "x", Kind: "service"}
	decided := event.Diagnosed{Cause: "x", Action: "start", Runbook: &event.Opinion{Action: "start"}, Model: &event.Opinion{Action: "restart"}}
	started, finished := event.ActionStarted{Attempt: 1, Action: "start"}, event.ActionFinished{Attempt: 1, OK: true, Outcome: event.OutcomeOK}
	good, bad := event.Verified{OK: true, Outcome: event.OutcomeVerified}, event.Verified{Outcome: event.OutcomeFailed}
	for name, tt := range map[string]struct {
		then []event.Data
		want string
	}{
		"open":               {nil, "Outcome: none yet."},
		"under way":          {[]event.Data{started, finished}, "Outcome: none yet."},
		"verified":           {[]event.Data{started, finished, good, event.Resolved{How: event.HowHealed}}, "was verified."},
		"not verified":       {[]event.Data{started, finished, bad}, "failed, or was not verified."},
		"failed":             {[]event.Data{started, event.ActionFinished{Attempt: 1, Error: "no"}}, "failed, or was not verified."},
		"interrupted":        {[]event.Data{started, finished, event.Verified{Outcome: event.OutcomeInterrupted}}, "an external change interrupted"},
		"denied":             {[]event.Data{event.Denied{}}, "an operator denied"},
		"escalated":          {[]event.Data{event.Escalated{Reason: "x"}}, "a person is needed."},
		"recovered":          {[]event.Data{event.Resolved{How: event.HowRecovered}}, "so it is not known whether the decision was right."},
		"decided once again": {[]event.Data{started, finished, bad, decided}, "Outcome: none yet."},
	} {
		if got := Report(life(t, append([]event.Data{opened, decided}, tt.then...)...)); !strings.Contains(got, "- Outcome: ") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q is not in\n%s", name, tt.want, got)
		}
	}
}

func TestReportListsEarlierSimilarIncidents(t *testing.T) {
	in := life(t, event.Opened{Error: "x", Kind: "service"})
	down := 1500.0
	in.Similar = []view.Similar{{ID: "i0", Service: "a*b", State: "resolved", How: event.HowHealed, Action: "start", DownMS: &down}, {ID: "i9", Service: "x", State: "escalated"},
		{ID: "i8", Service: "x", State: "resolved", How: event.HowRecovered, DownMS: &down}, {ID: "i7", Service: "x", State: "resolved", How: event.HowOperator}, {ID: "i6", Service: "x", State: "open"}}
	got := Report(in)
	for _, want := range []string{"## Similar incidents before", `a\*b, incident `, "repaired by start, down for 1.5 s", "a person is needed", "recovered without a repair, down for 1.5 s", "closed by an operator", "still open"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}
