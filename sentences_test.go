package main

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ourSentences() *sentences {
	s := newSentences("local", noon)
	s.incident(event.Incident{ID: "n1", Seq: 1, Time: noon.Add(-time.Hour), Service: event.ReservedService, Type: event.TypeClaim,
		Data: event.Claim{Host: "local", Instance: "a", Epoch: 1, Nonce: "n1"}, Origin: owner})
	return s
}

var owner = event.Origin{Instance: "a", Host: "local", Epoch: 1, Nonce: "n1"}

// life are events of one incident of payment-service, a second apart.
func life(all ...event.Data) []event.Incident {
	var events []event.Incident
	for i, data := range all {
		events = append(events, event.Incident{ID: "i1", Seq: i + 1, Time: noon.Add(time.Duration(i) * time.Second), Service: "payment-service",
			Type: event.TypeOf(data), By: event.ByRunbook, Data: data, Origin: owner})
	}
	return events
}

func printed(s *sentences, events []event.Incident) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(shown(s.incident(e)))
	}
	return b.String()
}

// shown is what a terminal shows of an entry, without the time.
func shown(e entry) string {
	if e.text == "" || e.logOnly {
		return ""
	}
	_, line, _ := strings.Cut(e.render(false), " ")
	return line
}

var opened = event.Opened{Error: "connection refused", Check: "http", Kind: "service"}

func TestSentencesOfAnIncident(t *testing.T) {
	until := noon.Add(6 * time.Second)
	for name, c := range map[string]struct {
		events []event.Data
		want   string
	}{
		"healed": {[]event.Data{opened, event.Evidence{}, event.Diagnosed{Cause: "Its container was killed.", Action: "start"},
			event.ActionStarted{Command: "docker start payment-service"}, event.ActionFinished{OK: true, Outcome: event.OutcomeOK}, event.Verified{OK: true, Outcome: event.OutcomeVerified},
			event.Resolved{How: event.HowHealed, DownMS: 1432, TTRMS: 11_240}},
			`🔴 payment-service is DOWN: connection refused
🤖 payment-service: Its container was killed.
⚡ docker start payment-service
✅ payment-service healed in 1.4 s (verified after 11.2 s)
`},
		"not repaired": {[]event.Data{opened, event.ActionStarted{Command: "docker restart payment-service"},
			event.ActionFinished{Command: "docker restart payment-service", Outcome: event.OutcomeRefused, Error: "no such image"},
			event.Verified{Outcome: event.OutcomeFailed, Error: "still HTTP 500"}, event.Escalated{Reason: "2 attempts did not help"}},
			`🔴 payment-service is DOWN: connection refused
⚡ docker restart payment-service
❌ docker restart payment-service: no such image
❌ payment-service: repair failed verification: still HTTP 500
🆘 payment-service needs a person: 2 attempts did not help
`},
		"changed from outside": {[]event.Data{opened, event.ActionStarted{Action: "start"},
			event.ActionFinished{Action: "start", Outcome: event.OutcomeNotExecuted, Error: "not carried out: it runs already"},
			event.Verified{Outcome: event.OutcomeInterrupted, Error: "interrupted: it was stopped again"}},
			`🔴 payment-service is DOWN: connection refused
⚡ start payment-service
⏭ start payment-service not carried out: it runs already
⏭ payment-service: verification interrupted: it was stopped again
`},
		"many at once": {[]event.Data{event.Opened{Kind: "fleet", Error: "The observer is blind: 5 of 8 services failed within 2s while their containers run"}},
			"🔴 The observer is blind: 5 of 8 services failed within 2s while their containers run\n"},
		"held": {[]event.Data{opened, event.Suppressed{Gate: "operator", Reason: "it was stopped by an external change", Until: &until},
			event.Suppressed{Gate: "operator", Reason: "the second stop within ten minutes stands"}, event.Resolved{How: event.HowRecovered, DownMS: 61_000}},
			`🔴 payment-service is DOWN: connection refused
✋ payment-service: repair held by gate "operator" for 5s: it was stopped by an external change
✋ payment-service: repair held by gate "operator": the second stop within ten minutes stands
✅ payment-service recovered by itself after 61.0 s
`},
		"no model was queried": {[]event.Data{opened, event.Diagnosed{Cause: "It was stopped.", Action: "start"}},
			"🔴 payment-service is DOWN: connection refused\n🤖 payment-service: It was stopped.\n"},
		"a model is late": {[]event.Data{event.Diagnosed{Cause: "It was stopped.", Action: "start", Invalid: "it did not answer within 20s"}},
			"🤖 payment-service: It was stopped. (runbook: start; model: it did not answer within 20s)\n"},
		"a model would wait": {[]event.Data{event.Diagnosed{Cause: "It was stopped.", Action: "start", Model: &event.Opinion{Action: "none"}}},
			"🤖 payment-service: It was stopped. (runbook: start; the model would wait)\n"},
		"by hand": {[]event.Data{event.Opened{Action: "restart", Kind: "service"}, event.Resolved{How: event.HowOperator}},
			`🙋 payment-service: restart requested by runbook
✅ payment-service: incident closed by an operator, or because the service was removed
`},
		"hostile": {[]event.Data{event.Opened{Error: "a\x1b[2Jb\nc\u202ed " + strings.Repeat("x", 500)}},
			"🔴 payment-service is DOWN: ab cd " + strings.Repeat("x", maxLine-31) + "…\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := printed(ourSentences(), life(c.events...)); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestTheModelsChoiceIsPrinted(t *testing.T) {
	events := life(event.Diagnosed{Cause: "It was stopped.", Action: "start", Model: &event.Opinion{Action: "start"}})
	events[0].By = "llm:deepseek-r1:1.5b"
	if got := printed(ourSentences(), events); got != "🤖 payment-service: It was stopped. (deepseek-r1:1.5b: start)\n" {
		t.Errorf("printed %q", got)
	}
}

func TestForeignStaleAndPastEventsAreNotPrinted(t *testing.T) {
	foreign, stale, past := life(opened), life(opened), life(opened)
	foreign[0].Host = "elsewhere"
	stale[0].Nonce = "n0"
	past[0].Time = noon.Add(-time.Minute)
	for name, events := range map[string][]event.Incident{"another host's": foreign, "an old claim's": stale, "the past": past} {
		if got := printed(ourSentences(), events); got != "" {
			t.Errorf("%s: printed %q", name, got)
		}
	}
	s := ourSentences()
	twice := append(life(opened, event.Escalated{Reason: "x"}), life(opened, event.Escalated{Reason: "x"})...)
	if got := strings.Count(printed(s, twice), "\n"); got != 2 {
		t.Errorf("the same events twice: %d lines", got)
	}
}

// An incident that began before us goes on, and what is new of it is printed.
func TestAnIncidentFromBeforeTheStartGoesOn(t *testing.T) {
	events := life(opened, event.Escalated{Reason: "x"})
	events[0].Time = noon.Add(-time.Minute)
	if got := printed(ourSentences(), events); got != "🆘 payment-service needs a person: x\n" {
		t.Errorf("printed %q", got)
	}
}

func TestSentencesOfAService(t *testing.T) {
	s := ourSentences()
	record := func(status event.Status, why string) event.Service {
		return event.Service{Time: noon, Service: "payment-service", Definition: &event.Definition{}, Status: status, Error: why, Origin: owner}
	}
	gone := record(event.Up, "")
	gone.Definition = nil
	past := record(event.Down, "x")
	past.Time = noon.Add(-time.Hour)
	for i, c := range []struct {
		record event.Service
		want   string
	}{
		{gone, ""},
		{past, ""},
		{record(event.Pending, ""), ""},
		{record(event.Up, ""), "🟢 payment-service is UP\n"},
		{record(event.Up, ""), ""},
		{record(event.Degraded, "took 900 ms"), "🟡 payment-service is DEGRADED: took 900 ms\n"},
		{record(event.Down, "timeout"), "🔴 payment-service is DOWN: timeout\n"},
		{record(event.Unknown, ""), "⚪ payment-service is UNKNOWN\n"},
		{gone, "⚪ payment-service is no longer monitored\n"},
	} {
		if got := shown(s.service(c.record)); got != c.want {
			t.Errorf("record %d: printed %q, want %q", i, got, c.want)
		}
	}
}

// DOWN comes from whichever topic is read first, and is printed once.
func TestDownIsPrintedOnce(t *testing.T) {
	s := ourSentences()
	s.incident(life(opened)[0])
	down := event.Service{Time: noon, Service: "payment-service", Definition: &event.Definition{}, Status: event.Down, Origin: owner}
	if e := s.service(down); e.text != "" {
		t.Errorf("printed %+v again", e)
	}
}
