package view

import (
	"testing"

	"logstream/internal/event"
)

func TestWhatBecameOfTheNewestDecision(t *testing.T) {
	decided, started := event.Diagnosed{Action: "start"}, event.ActionStarted{Attempt: 1, Action: "start", Verify: 3}
	finished, good, bad := event.ActionFinished{OK: true, Outcome: event.OutcomeOK}, event.Verified{OK: true, Outcome: event.OutcomeVerified}, event.Verified{Outcome: event.OutcomeFailed}
	call, healed := event.Escalated{Reason: "3 of 3 attempts failed"}, event.Resolved{How: event.HowHealed}
	for name, tt := range map[string]struct {
		then []event.Data
		want string
	}{
		"none yet":                       {nil, ""},
		"a person before any decision":   {[]event.Data{call}, ""},
		"decided":                        {[]event.Data{decided}, OutcomePending},
		"under way":                      {[]event.Data{decided, started, finished}, OutcomePending},
		"verified":                       {[]event.Data{decided, started, finished, good}, OutcomeVerified},
		"verified and resolved":          {[]event.Data{decided, started, finished, good, healed}, OutcomeVerified},
		"not verified":                   {[]event.Data{decided, started, finished, bad}, OutcomeFailed},
		"not verified, and escalated":    {[]event.Data{decided, started, finished, bad, call}, OutcomeFailed},
		"not verified, and it recovered": {[]event.Data{decided, started, finished, bad, event.Resolved{How: event.HowRecovered}}, OutcomeRecovered},
		"refused":                        {[]event.Data{decided, started, event.ActionFinished{Outcome: event.OutcomeRefused}}, OutcomeFailed},
		"not executed":                   {[]event.Data{decided, started, event.ActionFinished{Outcome: event.OutcomeNotExecuted}}, OutcomePending},
		"interrupted":                    {[]event.Data{decided, started, finished, event.Verified{Outcome: event.OutcomeInterrupted}}, OutcomeInterrupted},
		"denied, and escalated":          {[]event.Data{decided, event.Denied{}, call}, OutcomeDenied},
		"escalated":                      {[]event.Data{decided, call}, OutcomeEscalated},
		"tried again":                    {[]event.Data{decided, started, finished, bad, started}, OutcomePending},
		"decided again":                  {[]event.Data{decided, started, finished, bad, decided}, OutcomePending},
		"recovered":                      {[]event.Data{decided, event.Resolved{How: event.HowRecovered}}, OutcomeRecovered},
		"not verified, and closed":       {[]event.Data{decided, started, finished, bad, event.Resolved{How: event.HowOperator}}, OutcomeFailed},
		"denied, and closed":             {[]event.Data{decided, event.Denied{}, event.Resolved{How: event.HowOperator}}, OutcomeDenied},
		"not verified, and undone": {[]event.Data{decided, started, finished, bad, call,
			event.ActionStarted{Attempt: 2, Action: "stop", Undoes: 1}, event.ActionFinished{Attempt: 2, OK: true, Outcome: event.OutcomeOK}, event.Verified{OK: true, Outcome: event.OutcomeVerified}}, OutcomeFailed},
		"closed": {[]event.Data{decided, event.Resolved{How: event.HowOperator}}, OutcomeClosed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(newFleet())
			for _, data := range append([]event.Data{event.Opened{}}, tt.then...) {
				w.write("1", "pay", data)
			}
			if got, _ := w.f.Incident("1", w.at); got.Outcome != tt.want {
				t.Errorf("got %q, want %q", got.Outcome, tt.want)
			}
		})
	}
}
