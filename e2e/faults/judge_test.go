//go:build e2e

package faults

import (
	"slices"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/sockproxy"
	"logstream/internal/event"
)

// reported is what LogStream reports of a scenario's services: one incident of each role,
// with these actions.
func reported(state string, actions map[string][]string, held string) seen {
	v := seen{services: map[string]serviceView{"": {Status: "UP"}}, incidents: map[string][]incidentView{}}
	for role, list := range actions {
		in := incidentView{State: state, Held: held}
		in.Events = append(in.Events, event.Incident{Data: event.Diagnosed{CauseID: "stopped"}})
		for i, action := range list {
			at := time.Unix(int64(i), 0)
			in.Events = append(in.Events, event.Incident{Time: at, Data: event.ActionStarted{Action: action}},
				event.Incident{Time: at, Data: event.ActionFinished{Action: action, OK: true, Outcome: event.OutcomeOK}})
		}
		if state == "resolved" {
			in.Events = append(in.Events, event.Incident{Data: event.Resolved{How: event.HowHealed}})
		}
		v.incidents[role] = append(v.incidents[role], in)
	}
	return v
}

func TestJudge(t *testing.T) {
	stopped := Scenario{Name: "shop", Containers: []Container{{}, {Role: "api"}}, Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}}, Harmful: []string{"restart"}}
	left := stopped
	left.Want = Want{End: []End{Held}, Gate: []string{"operator"}}
	start := []Act{{"shop", "start", time.Now()}}
	for name, tt := range map[string]struct {
		scenario Scenario
		seen     seen
		acts     []Act
		want     Verdict
	}{
		"repaired":                {stopped, reported("resolved", map[string][]string{"": {"start"}}, ""), start, Correct},
		"not repaired":            {stopped, reported("open", map[string][]string{"": {}}, ""), nil, Missed},
		"repaired twice":          {stopped, reported("resolved", map[string][]string{"": {"start", "start"}}, ""), append(start, start...), Missed},
		"reported and not done":   {stopped, reported("resolved", map[string][]string{"": {"start"}}, ""), nil, Missed},
		"done and not reported":   {left, reported("open", map[string][]string{"": {}}, "operator"), start, Harmful},
		"the harmful action":      {stopped, reported("resolved", map[string][]string{"": {"restart"}}, ""), []Act{{"shop", "restart", time.Now()}}, Harmful},
		"on what was healthy":     {stopped, reported("resolved", map[string][]string{"": {"start"}, "api": {"restart"}}, ""), append(start, Act{"shop-api", "restart", time.Now()}), Harmful},
		"refused":                 {left, reported("open", map[string][]string{"": {}}, "operator"), nil, Correct},
		"refused by another gate": {left, reported("open", map[string][]string{"": {}}, "policy"), nil, Missed},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Stage{Scenario: tt.scenario, policy: logstream}
			if r := s.judge(tt.seen, true, tt.acts); r.Verdict != tt.want {
				t.Errorf("%s: %v %v, want %s", r.Verdict, r.Why, r.Collateral, tt.want)
			}
		})
	}
}

func TestJudgePeer(t *testing.T) {
	s := &Stage{policy: poc, Scenario: Scenario{Name: "shop", Containers: []Container{{}}, Want: Want{Actions: []string{"start"}}}}
	s.probers = map[string]*prober{"": {}}
	act := Act{"proof-shop", "restart", time.Now()}
	if r := s.judgePeer([]Act{act}); r.Verdict != Missed {
		t.Errorf("it does not answer: %s", r.Verdict)
	}
	s.answering = map[string]time.Time{"": time.Now()}
	if r := s.judgePeer([]Act{act}); r.Verdict != Correct {
		t.Errorf("it answers after a restart: %s %v", r.Verdict, r.Why)
	}
	if r := s.judgePeer([]Act{act, act, act}); r.Verdict != Harmful {
		t.Errorf("restarts without end: %s", r.Verdict)
	}
	s.Want = Want{End: []End{Escalated}}
	if r := s.judgePeer(nil); r.Verdict != Correct {
		t.Errorf("nothing was to be done, and nothing was: %s %v", r.Verdict, r.Why)
	}
	if r := s.judgePeer([]Act{act}); r.Verdict != Missed {
		t.Errorf("nothing was to be done: %s %v", r.Verdict, r.Why)
	}
}

func TestActsAreNamedByTheEnginesEvents(t *testing.T) {
	events := []engine.Event{{ID: "abc", Name: "shop"}, {ID: "abc", Name: "shop_kept"}}
	calls := []sockproxy.Call{
		{Method: "GET", Path: "/containers/abc/json"}, {Method: "POST", Path: "/containers/abc/start"}, {Method: "POST", Path: "/containers/shop/restart"},
		{Method: "DELETE", Path: "/containers/abc"}, {Method: "POST", Path: "/networks/net/connect"}, {Method: "POST", Path: "/images/create"},
	}
	var got []string
	for _, a := range actsOf(calls, events) {
		got = append(got, a.Container+":"+a.Kind)
	}
	if want := []string{"shop:start", "shop:restart", "shop:remove", ":connect"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The list of scenarios is what the suite promises.
func TestTheListOfScenarios(t *testing.T) {
	rows, names, refusals, quick := map[string]bool{}, map[string]bool{}, 0, 0
	for _, s := range Scenarios() {
		if rows[s.Row] = true; names[s.Name] {
			t.Errorf("there are two scenarios %s", s.Name)
		}
		names[s.Name] = true
		if s.refusal() {
			refusals++
		}
		if s.Quick {
			quick++
		}
		if len(s.Want.Actions) == 0 && !s.refusal() {
			t.Errorf("%s is to be healed by nothing", s.Name)
		}
		if slices.Contains(s.Want.ends(), Held) && len(s.Want.Gate) == 0 {
			t.Errorf("%s is to be held by no gate", s.Name)
		}
	}
	t.Logf("%d scenarios of %d rows, in %d of them right is to do nothing or to call a person", len(names), len(rows), refusals)
	if len(names) < 45 || 4*refusals < len(names) || quick < 12 {
		t.Errorf("%d scenarios, %d of them refusals, %d quick: want 45, a quarter, a dozen", len(names), refusals, quick)
	}
	for _, row := range []string{"stopped", "killed", "crashed", "paused", "out of memory, once", "out of memory, again and again", "crash loop, bad configuration", "bad command",
		"hung: accepts, never answers", "deadlocked, CPU high", "ignores SIGTERM", "HTTP 500, transient", "HTTP 500, persistent", "slow", "dependency down", "cascade", "network lost",
		"removed", "host port taken", "bad deployment", "volume full", "read-only file system", "file descriptors exhausted", "CPU starved", "DNS broken inside", "certificate expired",
		"health check broken, service fine", "everything red at once", "engine restarted", "engine unreachable", "flapping", "deployment under way", "two failures, no relation", "hostile log line"} {
		if !rows[row] {
			t.Errorf("no scenario of %q", row)
		}
	}
}
