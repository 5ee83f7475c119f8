package view

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

func TestPhaseAndNextAfterEachEvent(t *testing.T) {
	until := noon.Add(time.Hour)
	type step struct {
		data  event.Data
		phase string
		gate  string // of what happens by itself, or empty
	}
	under := func(gate string, s step) step { s.gate = gate; return s } // which goes on to hold it
	opened, evidence := step{event.Opened{}, PhaseDetected, ""}, step{event.Evidence{}, PhaseEvidence, ""}
	diagnosed := step{event.Diagnosed{Action: "restart"}, PhaseDiagnosis, ""}
	started := step{event.ActionStarted{Attempt: 1, Action: "start", Verify: 3}, PhaseAction, ""}
	finished := step{event.ActionFinished{OK: true, Outcome: event.OutcomeOK}, PhaseVerification, ""}
	held := func(gate, phase string) step {
		return step{event.Suppressed{Gate: gate, Until: &until}, phase, gate}
	}
	for name, steps := range map[string][]step{
		"healed": {opened, evidence, diagnosed, started, finished, {event.Verified{OK: true}, PhaseVerification, ""},
			{event.Resolved{}, PhaseEnded, ""}, {event.Reported{}, PhaseEnded, ""}},
		"held before the diagnosis":      {opened, held("unconfirmed", PhaseDetected), under("unconfirmed", evidence), under("unconfirmed", diagnosed), started},
		"held after the diagnosis":       {opened, evidence, diagnosed, held("cooldown", PhaseDiagnosis), started},
		"held without a known end":       {opened, diagnosed, {event.Suppressed{Gate: "operator"}, PhaseDiagnosis, ""}},
		"refused":                        {opened, diagnosed, started, {event.ActionFinished{Outcome: event.OutcomeRefused}, PhaseDiagnosis, ""}},
		"not verified":                   {opened, diagnosed, started, finished, {event.Verified{Outcome: event.OutcomeFailed}, PhaseDiagnosis, ""}, evidence},
		"approved":                       {opened, diagnosed, {event.ApprovalRequested{Expires: until}, PhaseApproval, ""}, {event.Approved{}, PhaseDiagnosis, ""}, started},
		"denied":                         {opened, diagnosed, {event.ApprovalRequested{Expires: until}, PhaseApproval, ""}, {event.Denied{}, PhaseDiagnosis, ""}},
		"held instead of being approved": {opened, diagnosed, {event.ApprovalRequested{Expires: until}, PhaseApproval, ""}, held("hold", PhaseDiagnosis)},
		"escalated and taken up again":   {opened, diagnosed, {event.Escalated{}, PhaseEnded, ""}, evidence, diagnosed},
		"escalated and held again":       {opened, diagnosed, {event.Escalated{}, PhaseEnded, ""}, held("deploy", PhaseDiagnosis)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(newFleet())
			for i, s := range steps {
				w.write("1", "pay", s.data)
				got, _ := w.f.Incident("1", w.at)
				if got.Phase != s.phase {
					t.Errorf("after event %d, %T, the phase is %s, want %s", i+1, s.data, got.Phase, s.phase)
				}
				if (got.Next != nil) != (s.gate != "") || got.Next != nil && (got.Next.Gate != s.gate || !got.Next.At.Equal(until) || got.Next.Action != got.Action) {
					t.Errorf("after event %d, %T, next is %+v, want that of gate %q", i+1, s.data, got.Next, s.gate)
				}
			}
		})
	}
}

// verifyingFleet is a fleet with an incident of pay whose action has just
// succeeded and whose verification needs three checks.
func verifyingFleet() (*Fleet, *writer) {
	f := newFleet()
	w := newWriter(f)
	w.write("1", "pay", event.Opened{})
	w.write("1", "pay", event.ActionStarted{Attempt: 1, Action: "start", Verify: 3})
	w.write("1", "pay", event.ActionFinished{Attempt: 1, OK: true, Outcome: event.OutcomeOK})
	return f, w
}

func TestProgressCountsGoodScheduledChecksOfOurOwn(t *testing.T) {
	type check struct {
		at     time.Duration // after the action's result
		status event.Status
		edit   func(*event.HealthLog)
	}
	extra := func(h *event.HealthLog) { h.Extra = true }
	level := func(h *event.HealthLog) { h.Check = event.CheckContainer }
	foreign := func(h *event.HealthLog) { h.Origin = event.Origin{Instance: "cron"} }
	for name, tt := range map[string]struct {
		checks []check
		good   int
	}{
		"none yet":                      {nil, 0},
		"in a row":                      {[]check{{1 * time.Second, event.Up, nil}, {2 * time.Second, event.Up, nil}}, 2},
		"degraded is good":              {[]check{{1 * time.Second, event.Degraded, nil}, {2 * time.Second, event.Up, nil}}, 2},
		"before the result":             {[]check{{-time.Second, event.Up, nil}, {0, event.Up, nil}, {2 * time.Second, event.Up, nil}}, 1},
		"a bad one begins anew":         {[]check{{1 * time.Second, event.Up, nil}, {2 * time.Second, event.Down, nil}, {3 * time.Second, event.Up, nil}}, 1},
		"beside the schedule":           {[]check{{1 * time.Second, event.Up, extra}, {2 * time.Second, event.Up, nil}}, 1},
		"a bad one beside it":           {[]check{{1 * time.Second, event.Up, nil}, {2 * time.Second, event.Down, extra}}, 1},
		"the container's level":         {[]check{{1 * time.Second, event.Up, level}}, 0},
		"another program's":             {[]check{{1 * time.Second, event.Up, foreign}}, 0},
		"no more than are needed":       {[]check{{1 * time.Second, event.Up, nil}, {2 * time.Second, event.Up, nil}, {3 * time.Second, event.Up, nil}, {4 * time.Second, event.Up, nil}}, 3},
		"a silence begins the run anew": {[]check{{1 * time.Second, event.Up, nil}, {2 * time.Second, event.Up, nil}, {40 * time.Second, event.Up, nil}}, 1},
		"read out of order":             {[]check{{3 * time.Second, event.Up, nil}, {1 * time.Second, event.Down, nil}, {2 * time.Second, event.Up, nil}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f, w := verifyingFleet()
			last := w.at
			for _, c := range tt.checks {
				h := seen(w.at.Add(c.at), c.status, 1)
				if c.edit != nil {
					c.edit(&h)
				}
				last = w.at.Add(c.at)
				f.ApplyHealth(h, h.Host != "", last, last)
			}
			got, _ := f.Incident("1", last)
			if want := (&Progress{Good: tt.good, Needed: 3}); !reflect.DeepEqual(got.Progress, want) {
				t.Errorf("progress is %+v, want %+v", got.Progress, want)
			}
		})
	}
}

func TestProgressIsPushedWhenItChanges(t *testing.T) {
	f, w := verifyingFleet()
	summaries := func(changes []Change) (all []Progress) {
		for _, c := range changes {
			if in, is := c.Data.(Incident); is && c.Kind == KindSummary {
				all = append(all, *in.Progress)
			}
		}
		return all
	}
	check := func(after time.Duration, status event.Status) []Progress {
		at := w.at.Add(after)
		return summaries(f.ApplyHealth(seen(at, status, 1), true, at, at))
	}
	for _, tt := range []struct {
		name string
		got  []Progress
		want []Progress
	}{
		{"the first good check", check(time.Second, event.Up), []Progress{{1, 3}}},
		{"the second", check(2*time.Second, event.Up), []Progress{{2, 3}}},
		{"a moment later", summaries(f.Tick(w.at.Add(3 * time.Second))), nil},
		{"a bad check", check(4*time.Second, event.Down), []Progress{{0, 3}}},
		{"another bad check", check(5*time.Second, event.Down), nil},
		{"a good one", check(6*time.Second, event.Up), []Progress{{1, 3}}},
		{"silence", summaries(f.Tick(w.at.Add(60 * time.Second))), []Progress{{0, 3}}},
		{"a good one again", check(61*time.Second, event.Up), []Progress{{1, 3}}},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	w.write("1", "pay", event.Verified{Outcome: event.OutcomeFailed})
	if got := check(62*time.Second, event.Up); got != nil {
		t.Errorf("after the verification failed: %v", got)
	}
	if got, _ := f.Incident("1", w.at); got.Progress != nil {
		t.Errorf("progress is %+v after the verification failed", got.Progress)
	}
}

func TestProgressStartsOverUnderANewClaim(t *testing.T) {
	f, w := verifyingFleet()
	at := w.at.Add(time.Second)
	f.ApplyHealth(seen(at, event.Up, 1), true, at, at)
	at = at.Add(time.Second)
	f.ApplyIncident(event.Incident{ID: "y", Seq: 1, Time: at, Type: event.TypeClaim, Service: event.ReservedService, Data: claimOf(2, "y"), Origin: event.Origin{Host: "h"}}, at)
	if got, _ := f.Incident("1", at); got.Progress.Good != 0 {
		t.Errorf("progress is %+v under a new claim", got.Progress)
	}
}

func TestSnapshotHasTheProgress(t *testing.T) {
	f, w := verifyingFleet()
	for i := range 2 {
		at := w.at.Add(time.Duration(i+1) * time.Second)
		f.ApplyHealth(seen(at, event.Up, 1), true, at, at)
	}
	now := w.at.Add(3 * time.Second)
	recent := f.Recent(now)
	if len(recent) != 1 || recent[0].Progress == nil || recent[0].Progress.Good != 2 {
		t.Errorf("the snapshot has %+v", recent)
	}
}

func TestAttemptsAreThoseThatTheBudgetCounts(t *testing.T) {
	f := newFleet()
	w := newWriter(f)
	w.write("1", "pay", event.Opened{})
	attempt := 0
	for _, end := range []event.Data{
		event.ActionFinished{Outcome: event.OutcomeNotExecuted},
		event.Verified{Outcome: event.OutcomeInterrupted},
		event.ActionFinished{Outcome: event.OutcomeRefused},
		event.Verified{Outcome: event.OutcomeFailed},
		nil, // under way
	} {
		attempt++
		w.write("1", "pay", event.ActionStarted{Attempt: attempt, Action: "start"})
		if _, is := end.(event.Verified); is {
			w.write("1", "pay", event.ActionFinished{Attempt: attempt, OK: true, Outcome: event.OutcomeOK})
		}
		if end != nil {
			w.write("1", "pay", end)
		}
	}
	got, _ := f.Incident("1", w.at)
	if budget := f.Agent(w.at).Budget; got.Attempts != 3 || budget.Attempt != 3 || budget.Hour != 5 {
		t.Errorf("attempts %d, budget %+v; want 3, 3 of an incident and 5 of the hour", got.Attempts, budget)
	}
}

func TestIncidentEventCarriesTheIncident(t *testing.T) {
	w := newWriter(newFleet())
	w.write("1", "pay", event.Opened{})
	changes := w.write("1", "pay", event.Diagnosed{CauseID: "killed", Cause: "It is killed.", CausePast: "It was killed.", Action: "start"})
	body, err := json.Marshal(changes[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"type":"diagnosed"`, `"state":"open"`, `"incident":{"id":"1"`, `"phase":"diagnosis"`, `"progress":null`, `"next":null`,
		`"cause_id":"killed"`, `"cause":"It is killed."`, `"cause_past":"It was killed."`} {
		if !strings.Contains(string(body), part) {
			t.Errorf("%s is not in %s", part, body)
		}
	}
	w.write("1", "pay", event.Escalated{Reason: "no repair is left"})
	if got, _ := w.f.Incident("1", w.at); got.EscalatedReason != "no repair is left" || got.Escalated == nil || !got.Escalated.Equal(w.at) {
		t.Errorf("escalated at %v: %q", got.Escalated, got.EscalatedReason)
	}
}

func TestAnIncidentSaysWhenItsNewestAttemptWasBegun(t *testing.T) {
	f := newFleet()
	w := newWriter(f)
	w.write("1", "pay", event.Opened{})
	if in, _ := f.Incident("1", w.at); in.Acted != nil {
		t.Errorf("nothing was tried, and it acted at %v", in.Acted)
	}
	w.write("1", "pay", event.ActionStarted{Attempt: 1, Action: "start", Verify: 3})
	w.write("1", "pay", event.ActionFinished{Attempt: 1, OK: false, Outcome: event.OutcomeRefused})
	w.write("1", "pay", event.ActionStarted{Attempt: 2, Action: "restart", Verify: 3})
	begun := w.at
	w.write("1", "pay", event.ActionFinished{Attempt: 2, OK: true, Outcome: event.OutcomeOK})
	if in, _ := f.Incident("1", w.at); in.Acted == nil || !in.Acted.Equal(begun) {
		t.Errorf("it acted at %v, want the second attempt, at %v", in.Acted, begun)
	}
}
