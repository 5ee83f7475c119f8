package main

import (
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

func TestEachEventOfAnIncidentIsPrinted(t *testing.T) {
	all := []event.Data{
		event.Opened{Error: "connection refused", Check: "http", Kind: "service"},
		event.Evidence{Facts: []event.Fact{{Key: "state", Value: "running"}}, Logs: []string{"a", "b"}},
		event.Diagnosed{Cause: "The container runs out of memory.", Action: "rollback"},
		event.Suppressed{Gate: "dependency", Reason: "waits for db: a service that it depends on is DOWN", Root: "db", RootIncident: "r1"},
		event.ApprovalRequested{Action: "rollback", Command: "docker compose up -d web"},
		event.Denied{Reason: "not now"},
		event.Approved{},
		event.Acknowledged{Reason: "on it"},
		event.ActionStarted{Attempt: 1, Action: "rollback", Command: "docker compose up -d web"},
		event.ActionFinished{Attempt: 1, Action: "rollback", Command: "docker compose up -d web", OK: true, Outcome: event.OutcomeOK, KeptID: "0123456789abcdef", Output: "done\npassword=hunter2\n"},
		event.Verified{OK: true, Outcome: event.OutcomeVerified, Observations: 5},
		event.ActionStarted{Attempt: 2, Action: "rollback", Undoes: 1, Command: "docker rename a b"},
		event.Escalated{Reason: "3 of 3 attempts failed."},
		event.Reported{Text: "x"},
		event.Resolved{How: event.HowHealed, DownMS: 1400, TTRMS: 11_200},
	}
	in := view.IncidentDetail{Incident: view.Incident{ID: "i1", Service: "web", Host: "local", State: "resolved", How: event.HowHealed, CausePast: "The container had run out of memory."}}
	for i, data := range all {
		in.Events = append(in.Events, event.Incident{ID: "i1", Seq: i + 1, Time: noon, Service: "web", By: event.ByOperator + "ada", Type: event.TypeOf(data), Data: data})
	}
	var out strings.Builder
	tellIncident(&out, in)
	clock := noon.Local().Format("2006-01-02 15:04:05.000") + "  "
	want := `i1  web: repaired
The container had run out of memory.

web is DOWN: connection refused
web: evidence collected: 1 fact, 2 log lines
web: The container runs out of memory.
web: repair held by gate "dependency": waits for db: a service that it depends on is DOWN
web: approval needed for docker compose up -d web: logstream approve i1
web: denied by ada: not now
web: approved by ada
web: acknowledged by ada: on it
docker compose up -d web
docker compose up -d web succeeded; the old container is kept as 0123456789ab; remove it with docker rm 0123456789ab when it is no longer needed
    | done
    | password=***
web: repair verified by 5 good checks
undo of attempt 1: docker rename a b
web needs a person: 3 of 3 attempts failed.
web: post-mortem written
web healed in 1.4 s (verified after 11.2 s)
`
	if got := strings.ReplaceAll(out.String(), clock, ""); got != want {
		t.Errorf("printed is\n%s\nwant\n%s", got, want)
	}
}

func TestAnUndoThatOpensAnIncidentIsPrintedAsThat(t *testing.T) {
	s := newSentences("local", time.Time{})
	said := s.of(event.Incident{ID: "i2", Service: "web", By: event.ByOperator + "ada", Data: event.Opened{UndoesIncident: "i1", Undoes: 2, Check: "operator"}})
	if want := "web: undo of attempt 2 of incident i1 requested by ada"; said.text != want {
		t.Errorf("it is %q, want %q", said.text, want)
	}
}

func TestAnIncidentAboutAnUpdateDoesNotSayDown(t *testing.T) {
	s := newSentences("local", time.Time{})
	said := s.of(event.Incident{ID: "i3", Service: "web", Data: event.Opened{Check: event.CheckUpdate, Error: "more errors than before"}})
	if want := "web: incident opened about an update: more errors than before"; said.text != want {
		t.Errorf("it is %q, want %q", said.text, want)
	}
}

func TestIncidentsAreListedWithWhereTheyStand(t *testing.T) {
	var out strings.Builder
	listIncidents(&out, nil, noon)
	if out.String() != "No incidents recorded.\n" {
		t.Errorf("without one it is %q", out.String())
	}
	out.Reset()
	listIncidents(&out, []view.Incident{
		{ID: "a", Service: "web", State: "open", Opened: noon, Approval: &view.Approval{}, Cause: "It is killed."},
		{ID: "b", Service: "db", State: "open", Held: "dependency", Opened: noon.Add(-48 * time.Hour), Error: "HTTP 503"},
		{ID: "c", Service: "db", State: "escalated", Opened: noon, Cause: "x"},
		{ID: "d", Service: "db", State: "resolved", How: event.HowRecovered, Opened: noon, Cause: "It is slow.", CausePast: "It was slow."},
		{ID: "e", Service: "db", State: "open", Opened: noon},
	}, noon.Add(time.Hour))
	clock, day := noon.Local().Format(time.TimeOnly), noon.Add(-48*time.Hour).Local().Format(time.DateTime)
	for _, want := range [][]string{{"a", clock, "web", "approval needed", "It is killed."}, {"b", day, "db", "on hold", "HTTP 503"}, {"c", clock, "db", "a person is needed", "x"}, {"d", clock, "db", "recovered", "It was slow."}, {"e", clock, "db", "open"}} {
		found := false
		for line := range strings.Lines(out.String()) {
			found = found || strings.Join(strings.Fields(line), " ") == strings.Join(want, " ")
		}
		if !found {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
