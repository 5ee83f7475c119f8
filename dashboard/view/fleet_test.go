package view

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

func define(name string) service.Definition {
	def := service.Default()
	def.Name, def.URL, def.Container = name, "http://127.0.0.1:1", name
	return def
}

func newFleet() *Fleet {
	return NewFleet("i-x", "h", []service.Definition{define("pay")}, Limits{Attempts: 3, PerHour: 5}, noon)
}

// writer writes the events of incidents under the claim x.
type writer struct {
	f   *Fleet
	seq map[string]int
	at  time.Time
}

func newWriter(f *Fleet) *writer {
	f.ApplyIncident(event.Incident{ID: "x", Seq: 1, Time: noon, Type: event.TypeClaim, Service: event.ReservedService, Data: claimOf(1, "x")}, noon)
	return &writer{f, map[string]int{}, noon}
}

func (w *writer) write(id, svc string, data event.Data) []Change {
	w.seq[id]++
	w.at = w.at.Add(time.Second)
	return w.f.ApplyIncident(event.Incident{ID: id, Seq: w.seq[id], Time: w.at, Service: svc, Type: event.TypeOf(data), By: event.ByRunbook,
		Data: data, Origin: event.Origin{Instance: "i-x", Host: "h", Epoch: 1, Nonce: "x"}}, w.at)
}

func TestAgentState(t *testing.T) {
	until := noon.Add(time.Minute)
	started := event.ActionStarted{Attempt: 1, Action: "start", Target: "pay", Command: "docker start pay"}
	finished := event.ActionFinished{Attempt: 1, Action: "start", OK: true}
	failed := event.ActionFinished{Attempt: 1, Action: "start", Error: "no"}
	type step struct {
		id   string
		data event.Data
	}
	tests := []struct {
		name     string
		steps    []step
		state    string
		incident string
	}{
		{"nothing", nil, AgentWatching, ""},
		{"opened", []step{{"1", event.Opened{}}}, AgentDiagnosing, "1"},
		{"diagnosed", []step{{"1", event.Opened{}}, {"1", event.Diagnosed{}}}, AgentDiagnosing, "1"},
		{"held", []step{{"1", event.Opened{}}, {"1", event.Suppressed{Gate: "operator"}}}, AgentWatching, "1"},
		{"asked", []step{{"1", event.Opened{}}, {"1", event.ApprovalRequested{}}}, AgentWaiting, "1"},
		{"approved", []step{{"1", event.Opened{}}, {"1", event.ApprovalRequested{}}, {"1", event.Approved{}}}, AgentDiagnosing, "1"},
		{"started", []step{{"1", event.Opened{}}, {"1", started}}, AgentFixing, "1"},
		{"finished", []step{{"1", event.Opened{}}, {"1", started}, {"1", finished}}, AgentVerifying, "1"},
		{"failed", []step{{"1", event.Opened{}}, {"1", started}, {"1", failed}}, AgentDiagnosing, "1"},
		{"failed and cooling down", []step{{"1", event.Opened{}}, {"1", started}, {"1", failed}, {"1", event.Suppressed{Gate: "cooldown", Until: &until}}}, AgentWatching, "1"},
		{"verified", []step{{"1", event.Opened{}}, {"1", started}, {"1", finished}, {"1", event.Verified{OK: true}}}, AgentVerifying, "1"},
		{"not verified", []step{{"1", event.Opened{}}, {"1", started}, {"1", finished}, {"1", event.Verified{}}}, AgentDiagnosing, "1"},
		{"resolved", []step{{"1", event.Opened{}}, {"1", event.Resolved{}}}, AgentWatching, ""},
		{"escalated", []step{{"1", event.Opened{}}, {"1", event.Escalated{}}}, AgentEscalated, "1"},
		{"taken up again", []step{{"1", event.Opened{}}, {"1", event.Escalated{}}, {"1", event.Evidence{}}}, AgentDiagnosing, "1"},
		{"the oldest of two", []step{{"1", event.Opened{}}, {"2", event.Opened{}}}, AgentDiagnosing, "1"},
		{"waiting comes first", []step{{"1", event.Opened{}}, {"1", started}, {"2", event.Opened{}}, {"2", event.ApprovalRequested{}}}, AgentWaiting, "2"},
		{"fixing before verifying", []step{{"1", event.Opened{}}, {"1", started}, {"1", finished}, {"2", event.Opened{}}, {"2", started}}, AgentFixing, "2"},
		{"escalated before watching", []step{{"1", event.Opened{}}, {"1", event.Suppressed{Gate: "operator"}}, {"2", event.Opened{}}, {"2", event.Escalated{}}}, AgentEscalated, "2"},
		{"diagnosing before escalated", []step{{"1", event.Opened{}}, {"1", event.Escalated{}}, {"2", event.Opened{}}}, AgentDiagnosing, "2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFleet()
			w := newWriter(f)
			for _, s := range tt.steps {
				w.write(s.id, "pay", s.data)
			}
			got := f.Agent(w.at)
			if got.State != tt.state || got.Incident != tt.incident {
				t.Errorf("%s about %q, want %s about %q", got.State, got.Incident, tt.state, tt.incident)
			}
		})
	}
}

func TestAgentCountsAndBudget(t *testing.T) {
	f := newFleet()
	w := newWriter(f)
	w.write("1", "pay", event.Opened{})
	w.write("1", "pay", event.ActionStarted{Attempt: 1, Action: "start", Target: "pay", Command: "docker start pay"})
	w.write("1", "pay", event.Resolved{})
	w.write("2", "pay", event.Opened{})
	w.write("2", "pay", event.ActionStarted{Attempt: 1, Action: "restart", Target: "pay"})
	w.write("2", "pay", event.ActionFinished{Attempt: 1, Error: "no"})
	until := noon.Add(time.Hour)
	changes := w.write("2", "pay", event.Suppressed{Gate: "cooldown", Until: &until})
	w.write("3", "other", event.Opened{})
	w.write("3", "other", event.Escalated{})
	got := f.Agent(w.at)
	if got.Open != 1 || got.Escalated != 1 || got.LastAction != "restart pay" || got.LastService != "pay" || got.State != AgentEscalated {
		t.Errorf("agent = %+v", got)
	}
	held, is := changes[len(changes)-1].Data.(Agent)
	if want := (Budget{Attempt: 1, Attempts: 3, Hour: 2, PerHour: 5, NotBefore: &until}); !is || !reflect.DeepEqual(held.Budget, want) {
		t.Errorf("budget = %+v, want %+v", held.Budget, want)
	}
	if later := f.agents.view("", Limits{}, w.at.Add(2*time.Hour)); later.Budget.Hour != 0 {
		t.Errorf("%d within an hour, two hours later", later.Budget.Hour)
	}
}

func TestEventsBeforeTheFirstClaimReachTheAgent(t *testing.T) {
	f := newFleet()
	e := event.Incident{ID: "1", Seq: 1, Time: noon, Service: "pay", Type: event.TypeOpened, Data: event.Opened{}, Origin: event.Origin{Host: "h", Nonce: "x"}}
	if changes := f.ApplyIncident(e, noon); len(changes) != 0 {
		t.Errorf("changes before the claim: %v", changes)
	}
	newWriter(f) // retention left the log with this claim's repeat first
	if got := f.Agent(noon); got.State != AgentDiagnosing || got.Open != 1 {
		t.Errorf("agent = %+v", got)
	}
}

func TestConfiguredServicesArePending(t *testing.T) {
	f := newFleet()
	views := f.Services(noon)
	if len(views) != 1 || views[0].Status != event.Pending || !views[0].Managed || !views[0].Since.Equal(noon) || views[0].IntervalS != 10 {
		t.Fatalf("services = %+v", views)
	}
	body, err := json.Marshal(views[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"uptime":{"1h":null,"24h":null,"7d":null,"30d":null}`, `"container":null`, `"sources":[]`, `"silenced_until":null`, `"open_incident":null`, `"error":""`} {
		if !strings.Contains(string(body), part) {
			t.Errorf("%s is not in %s", part, body)
		}
	}
	if strings.Contains(string(body), `"held"`) {
		t.Errorf("held is there although nothing is held: %s", body)
	}
}

func TestReconfigured(t *testing.T) {
	f := newFleet()
	newWriter(f)
	changed := define("pay")
	changed.Note = "when this fails, orders wait"
	changes := f.Configure([]service.Definition{changed, define("new")}, noon)
	if len(changes) != 2 || changes[0].Data.(Service).Note != changed.Note || changes[1].Data.(Service).Name != "new" {
		t.Errorf("changes = %+v", changes)
	}
	if changes := f.Configure([]service.Definition{changed, define("new")}, noon); len(changes) != 0 {
		t.Errorf("the same again changes %+v", changes)
	}
	if changes := f.Configure([]service.Definition{define("new"), changed}, noon); len(changes) != 2 || changes[0].Data.(Service).Order != 1 || changes[1].Data.(Service).Order != 2 {
		t.Errorf("in another order: %+v", changes)
	}
	if changes := f.Configure([]service.Definition{changed}, noon); len(changes) != 2 || changes[1].Kind != KindResync {
		t.Errorf("one that was never published and is gone: %+v", changes)
	}
	f.ApplyService(published("pay", 1, "x", event.Up), noon)
	if f.Configure(nil, noon); len(f.Services(noon)) != 1 {
		t.Error("one that was published is gone before its owner says so")
	}
	if changes := f.ApplyService(removed("pay", 1, "x"), noon); len(changes) != 1 || changes[0].Kind != KindResync || len(f.Services(noon)) != 0 {
		t.Errorf("removed: %+v, %+v", changes, f.Services(noon))
	}
}

func TestServicesOfOtherHosts(t *testing.T) {
	f := newFleet()
	newWriter(f)
	there := published("pay", 1, "y", event.Down)
	there.Host = "there"
	f.ApplyService(there, noon)
	only := published("only-there", 1, "y", event.Up)
	only.Host = "there"
	f.ApplyService(only, noon)
	h := seen(noon, event.Down, 1)
	h.Host = "there"
	f.ApplyHealth(h, true, noon, noon)
	var got []string
	for _, v := range f.Services(noon) {
		got = append(got, v.Host+"/"+v.Name+"/"+string(v.Status))
	}
	if want := []string{"there/only-there/UP", "h/pay/PENDING", "there/pay/DOWN"}; !slices.Equal(got, want) {
		t.Errorf("services = %v, want %v", got, want)
	}
	if v, _ := f.Service("pay", noon); v.Host != "h" || v.Uptime.Hour != nil {
		t.Errorf("pay is %+v: not ours, or with the other's history", v)
	}
	if v, is := f.Service("only-there", noon); !is || v.Host != "there" || v.Owner != "i-y" {
		t.Errorf("only-there is %+v", v)
	}
}

func TestUnmanagedServices(t *testing.T) {
	f := newFleet()
	say := func(at time.Time, status event.Status) []Change {
		return f.ApplyHealth(event.HealthLog{Timestamp: event.Seconds(at), Service: "batch", Status: status, Origin: event.Origin{Instance: "cron"}}, false, at, at)
	}
	kinds := func(changes []Change) (all []string) {
		for _, c := range changes {
			kind := c.Kind
			if v, is := c.Data.(Service); is {
				kind += "=" + string(v.Status)
			}
			all = append(all, kind)
		}
		return all
	}
	steps := []struct {
		what string
		got  []Change
		want []string
	}{
		{"first observed", say(noon, event.Up), []string{"health", "service=UP"}},
		{"the same", say(noon.Add(time.Second), event.Up), []string{"health"}},
		{"turned", say(noon.Add(2*time.Second), event.Down), []string{"health", "service=DOWN"}},
		{"no record for a moment", f.Tick(noon.Add(30 * time.Second)), nil},
		{"stale", f.Tick(noon.Add(3 * time.Minute)), []string{"service=UNKNOWN"}},
		{"forgotten", f.Tick(noon.Add(2 * time.Hour)), []string{"resync"}},
	}
	for _, s := range steps {
		if got := kinds(s.got); !slices.Equal(got, s.want) {
			t.Errorf("%s: %v, want %v", s.what, got, s.want)
		}
	}
	if _, is := f.Service("batch", noon); is {
		t.Error("it is still shown")
	}
	if d := f.Definition("batch"); d != nil {
		t.Errorf("its definition is %+v", d)
	}
}

func TestRecentIncidents(t *testing.T) {
	f := newFleet()
	w := newWriter(f)
	w.write("old-open", "pay", event.Opened{})
	for i := range 2 * shownIncidents {
		id := "r" + string(rune('A'+i))
		w.write(id, "pay", event.Opened{})
		w.write(id, "pay", event.Resolved{})
	}
	got := f.Recent(w.at)
	if len(got) != shownIncidents+1 || got[len(got)-1].ID != "old-open" || !got[0].Opened.After(got[1].Opened) {
		t.Errorf("%d incidents, the last %+v", len(got), got[len(got)-1])
	}
}

func TestOpenIncidentsAreHeldWhileKafkaIsUnreachable(t *testing.T) {
	f := newFleet()
	newWriter(f)
	f.ApplyService(event.Service{Time: noon, Service: "pay", Definition: define("pay").Masked(), Status: event.Down, Since: noon, Sources: []event.Source{},
		OpenIncident: "a", Origin: event.Origin{Instance: "i-x", Host: "h", Epoch: 1, Nonce: "x"}}, noon)
	held := func() string { return f.Services(noon)[0].Held }
	if held() != "" {
		t.Fatalf("held is %q while Kafka is there", held())
	}
	if changes := f.SetBusDown(true, noon); len(changes) != 1 || changes[0].Kind != KindService || held() != "log" {
		t.Errorf("changes %v, held %q", changes, held())
	}
	if changes := f.SetBusDown(true, noon); len(changes) != 0 {
		t.Errorf("the same again changes %v", changes)
	}
	if changes := f.SetBusDown(false, noon); len(changes) != 1 || held() != "" {
		t.Errorf("Kafka is back: changes %v, held %q", changes, held())
	}
}
