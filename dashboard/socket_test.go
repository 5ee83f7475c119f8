package dashboard

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/service"
)

func TestSnapshotThenEventsInOrder(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) {
		s.service(event.Up, nil)
		s.incident("old", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("old", 2, "payment-service", event.Resolved{How: event.HowRecovered}, event.ByLogstream)
	})
	p := s.page()
	first := p.next()
	if first.Type != "snapshot" || len(first.Services) != 2 || len(first.Incidents) != 1 || first.Agent.State != view.AgentWatching ||
		first.Info.Version != "1.2.3" || !first.Info.CaughtUp || !first.Info.Active {
		t.Fatalf("snapshot = %+v", first)
	}
	s.health("payment-service", event.Down, time.Now())
	s.service(event.Down, func(r *event.Service) { r.OpenIncident = "i1" })
	s.incident("i1", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
	s.incident("i1", 2, "payment-service", event.Diagnosed{Cause: "it was stopped", Action: "start", Target: "payment-service"}, event.ByRunbook)
	s.incident("i1", 3, "payment-service", event.ActionStarted{Attempt: 1, Action: "start", Target: "payment-service", Command: "docker start payment-service", Verify: 5}, event.ByRunbook)
	s.incident("i1", 4, "payment-service", event.ActionFinished{Attempt: 1, Action: "start", OK: true}, event.ByLogstream)
	s.incident("i1", 5, "payment-service", event.Verified{OK: true, Observations: 5}, event.ByLogstream)
	s.incident("i1", 6, "payment-service", event.Resolved{How: event.HowHealed, Attempts: 1}, event.ByLogstream)

	var agent, life []string
	p.events(func(kind string, data []byte) bool {
		switch kind {
		case "agent":
			a := decode[view.Agent](t, data)
			agent = append(agent, a.State)
		case "incident":
			e := decode[struct{ ID, Type, State string }](t, data)
			life = append(life, e.Type+"/"+e.State)
		case "service":
			if v := decode[view.Service](t, data); v.Status != event.Down || *v.OpenIncident != "i1" {
				t.Errorf("service = %+v", v)
			}
		case "health":
			if h := decode[event.HealthLog](t, data); h.Status != event.Down || h.Service != "payment-service" {
				t.Errorf("health = %+v", h)
			}
		}
		return len(agent) > 0 && agent[len(agent)-1] == view.AgentWatching
	})
	if want := []string{"DIAGNOSING", "FIXING", "VERIFYING", "WATCHING"}; !slices.Equal(slices.Compact(agent), want) {
		t.Errorf("agent = %v, want %v", agent, want)
	}
	want := []string{"opened/open", "diagnosed/open", "action_started/open", "action_finished/open", "verified/open", "resolved/resolved"}
	if !slices.Equal(life, want) {
		t.Errorf("incident = %v, want %v", life, want)
	}
}

func TestFirstSnapshotDoesNotWaitForDocker(t *testing.T) {
	s := serve(t, func(d *Deps) {
		d.Docker = func(context.Context) DockerInfo {
			<-t.Context().Done()
			return DockerInfo{Error: "it does not answer"}
		}
	}, (*site).claim)
	info := s.page().next().Info
	if info.Version != "1.2.3" || !info.Active || info.Bus.Kind != "embedded" || !info.Docker.Pending {
		t.Errorf("info = %+v", info)
	}
}

// TestThinkingIsPushed while it is written, and to a page that comes meanwhile.
func TestThinkingIsPushed(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	p := s.page()
	p.next()
	queried := time.Now().UTC()
	say := func(text string, done, signed bool) {
		s.log.Put(event.TopicThinking, "payment-service", event.Encode(event.Thinking{Time: queried, Incident: "i1", Service: "payment-service", Text: text, Done: done}), signed, time.Now())
	}
	say("", false, true)
	say("It was ", false, true)
	say("a lie", false, false) // which is not signed
	say("killed.", false, true)
	text := ""
	p.events(func(kind string, data []byte) bool {
		if kind == view.KindThinking {
			text += decode[event.Thinking](t, data).Text
		}
		return text == "It was killed."
	})
	want := view.Thought{Incident: "i1", Service: "payment-service", Text: "It was killed.", Since: queried}
	if got := s.page().next().Thinking; len(got) != 1 || got[0].Text != want.Text || !got[0].Since.Equal(queried) {
		t.Errorf("a page that comes meanwhile gets %+v, want %+v", got, want)
	}
	s.incident("i1", 1, "payment-service", event.Opened{Kind: "service"}, event.ByLogstream)
	s.incident("i1", 2, "payment-service", event.Diagnosed{Action: "start"}, event.ByRunbook)
	p.events(func(kind string, data []byte) bool {
		return kind == view.KindIncident && decode[struct{ Type string }](t, data).Type == "diagnosed"
	})
	if got := s.page().next().Thinking; len(got) != 0 {
		t.Errorf("after the diagnosis a page gets %+v", got)
	}
}

// What a page has after its snapshot and the frames is what a new page gets.
func TestFramesAddUpToASnapshot(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	p := s.page()
	known := map[string]event.Status{}
	for _, v := range p.next().Services {
		known[v.Name] = v.Status
	}
	last := map[string]event.Status{} // said of each
	for i := range 50 {
		status := event.Up
		if i%3 == 0 {
			status = event.Down
		}
		last[fmt.Sprintf("s%d", i%7)] = status
		s.service(status, func(r *event.Service) {
			def := payment()
			def.Name = fmt.Sprintf("s%d", i%7)
			r.Service, r.Definition = def.Name, def.Masked()
		})
	}
	s.incident("end", 1, "payment-service", event.Opened{Kind: "service"}, event.ByLogstream)
	want := map[string]event.Status{}
	s.eventually("all is read", func() bool {
		clear(want)
		for _, v := range get[[]view.Service](s, "/api/v1/services") {
			want[v.Name] = v.Status
		}
		for name, status := range last {
			if want[name] != status {
				return false
			}
		}
		return len(want) == len(last)+2
	})
	for !equalMaps(known, want) {
		for _, e := range p.next().Events {
			if e.Kind == "service" {
				v := decode[view.Service](t, e.Data)
				known[v.Name] = v.Status
			}
		}
	}
}

// A page that takes the incident out of every change has what GET /incidents
// answers, verification progress included, and folds nothing itself.
func TestIncidentsOfFramesAreThoseOfTheAPI(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) { s.service(event.Down, nil) })
	p := s.page()
	p.next()
	s.incident("i1", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
	s.incident("i1", 2, "payment-service", event.Diagnosed{CauseID: "stopped", Cause: "It is stopped.", CausePast: "It was stopped.", Action: "start"}, event.ByRunbook)
	s.incident("i1", 3, "payment-service", event.ActionStarted{Attempt: 1, Action: "start", Verify: 3}, event.ByRunbook)
	s.incident("i1", 4, "payment-service", event.ActionFinished{Attempt: 1, Action: "start", OK: true, Outcome: event.OutcomeOK}, event.ByLogstream)
	var shown view.Incident
	until := func(phase string, good int) {
		t.Helper()
		p.events(func(kind string, data []byte) bool {
			switch kind {
			case view.KindIncident:
				shown = decode[struct{ Incident view.Incident }](t, data).Incident
			case view.KindSummary:
				shown = decode[view.Incident](t, data)
			}
			return shown.Phase == phase && (shown.Progress == nil || shown.Progress.Good == good)
		})
		if got := get[[]view.Incident](s, "/api/v1/incidents")[0]; !reflect.DeepEqual(got, shown) {
			t.Errorf("%s: GET /incidents answers %+v, the frames %+v", phase, got, shown)
		}
	}
	until(view.PhaseVerification, 0)
	for i := range 2 {
		s.health("payment-service", event.Up, time.Now().Add(time.Duration(i+1)*time.Millisecond))
		until(view.PhaseVerification, i+1)
	}
	s.incident("i1", 5, "payment-service", event.Verified{OK: true, Outcome: event.OutcomeVerified, Observations: 3}, event.ByLogstream)
	until(view.PhaseVerification, 3)
	s.incident("i1", 6, "payment-service", event.Resolved{How: event.HowHealed, Attempts: 1}, event.ByLogstream)
	until(view.PhaseEnded, 0)
	if shown.CauseID != "stopped" || shown.CausePast != "It was stopped." || shown.Attempts != 1 {
		t.Errorf("in the end it is %+v", shown)
	}
}

func equalMaps(a, b map[string]event.Status) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func TestStalledPageDelaysNoOtherPage(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	stalled := s.page() // and never reads
	_ = stalled
	p := s.page()
	p.next()
	filler := strings.Repeat("x", 400)
	for i := range 3000 {
		s.log.Put(event.TopicHealth, "payment-service", event.Encode(event.HealthLog{Timestamp: event.Seconds(time.Now()), Service: "payment-service",
			Status: event.Down, Error: filler, Check: "http", LatencyMS: float64(i), Origin: event.Origin{Instance: me, Host: myHost}}), true, time.Now())
		if i%100 == 0 {
			s.service(event.Down, func(r *event.Service) { r.Code = i })
		}
	}
	s.service(event.Up, func(r *event.Service) { r.Code = 204 })
	begin := time.Now()
	for up := false; !up; {
		f := p.next()
		for _, v := range f.Services { // a snapshot, where this page fell behind too
			up = up || v.Code == 204
		}
		for _, e := range f.Events {
			up = up || e.Kind == "service" && decode[view.Service](t, e.Data).Status == event.Up
		}
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("the other page waited %s", took)
	}
}

func TestRemovedServiceLeaves(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) {
		s.service(event.Up, func(r *event.Service) {
			def := payment()
			def.Name = "gone"
			r.Service, r.Definition = def.Name, def.Masked()
		})
	})
	p := s.page()
	if got := len(p.next().Services); got != 3 {
		t.Fatalf("%d services", got)
	}
	s.service("", func(r *event.Service) { r.Service, r.Definition = "gone", nil })
	for {
		if f := p.next(); f.Type == "snapshot" {
			if len(f.Services) != 2 {
				t.Errorf("%d services after one was removed", len(f.Services))
			}
			break
		}
	}
	if got := s.status("GET", "/api/v1/services/gone", "", nil); got != http.StatusNotFound {
		t.Errorf("the removed service = %d", got)
	}
}

// Unsigned, or by an owner who is none: such records change nothing.
func TestUnsignedAndUnreadableRecordsChangeNothing(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) { s.service(event.Up, nil) })
	p := s.page()
	p.next()
	def := payment()
	forged := event.Service{Time: time.Now(), Service: def.Name, Definition: def.Masked(), Status: event.Down, Origin: origin}
	s.log.Put(event.TopicServices, def.Name, event.Encode(forged), false, time.Now())
	stale := forged
	stale.Epoch, stale.Nonce = 0, "n0"
	s.log.Put(event.TopicServices, def.Name, event.Encode(stale), true, time.Now())
	opened := event.Incident{ID: "f1", Seq: 1, Time: time.Now(), Service: def.Name, Type: event.TypeOpened, Data: event.Opened{}, Origin: origin}
	s.log.Put(event.TopicIncidents, def.Name, event.Encode(opened), false, time.Now())
	s.log.Put(event.TopicIncidents, def.Name, []byte("not JSON"), true, time.Now())
	s.log.Put(event.TopicHealth, def.Name, []byte("{}"), true, time.Now())
	c := event.Command{ID: "c1", Time: time.Now(), Command: event.CommandHold, Service: "*", Result: &event.CommandResult{OK: true}, Origin: origin}
	s.log.Put(event.TopicCommands, "*", event.Encode(c), false, time.Now())
	s.service(event.Degraded, nil)
	kinds := p.events(func(kind string, data []byte) bool {
		if kind != "service" {
			return false
		}
		got := decode[view.Service](t, data).Status
		if got != event.Degraded {
			t.Errorf("a record that doesn't count made it %s", got)
		}
		return true
	})
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == view.KindInfo }) // what the parts said first may come only now
	if !slices.Equal(kinds, []string{"service"}) {
		t.Errorf("changes = %v", kinds)
	}
	if got := s.status("GET", "/api/v1/incidents/f1", "", nil); got != http.StatusNotFound {
		t.Errorf("the forged incident = %d", got)
	}
	if got := get[Info](s, "/api/v1/info").Held; got != "" {
		t.Errorf("held by a forged command: %q", got)
	}
}

func TestSocketIsGuarded(t *testing.T) {
	s := serve(t, nil)
	tests := []struct {
		name string
		edit func(http.Header)
		want int // 101: let in
	}{
		{"our page", nil, 101},
		{"a foreign page", func(h http.Header) { h.Set("Origin", "http://evil.example") }, 403},
		{"another port of this machine", func(h http.Header) { h.Set("Origin", "http://127.0.0.1:1") }, 403},
		{"a program", func(h http.Header) { h.Del("Origin") }, 101},
		{"a foreign page without an Origin", func(h http.Header) { h.Del("Origin"); h.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"a foreign name that leads here", func(h http.Header) { h.Set("Host", "evil.example"); h.Set("Origin", "http://evil.example") }, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, resp, err := s.dial(tt.edit)
			if err == nil {
				conn.Close()
			}
			if resp == nil || resp.StatusCode != tt.want {
				t.Errorf("got %v, %v, want %d", resp, err, tt.want)
			}
		})
	}
}

func TestSocketWithAToken(t *testing.T) {
	s := open(t, func(d *Deps) { d.Config.Token = "söcret, 1" }).run()
	encoded := "token." + base64.RawURLEncoding.EncodeToString([]byte("söcret, 1"))
	tests := []struct {
		name      string
		protocols []string
		bearer    string
		want      int
	}{
		{"without", nil, "", 401},
		{"wrong", []string{"logstream", "token." + base64.RawURLEncoding.EncodeToString([]byte("guess"))}, "", 401},
		{"not base64", []string{"logstream", "token.!"}, "", 401},
		{"as a subprotocol", []string{"logstream", encoded}, "", 101},
		{"as a bearer", nil, "Bearer söcret, 1", 101},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, resp, err := s.dial(func(h http.Header) {
				if tt.bearer != "" {
					h.Set("Authorization", tt.bearer)
				}
			}, tt.protocols...)
			if resp == nil || resp.StatusCode != tt.want {
				t.Fatalf("got %v, %v, want %d", resp, err, tt.want)
			}
			if err != nil {
				return
			}
			defer conn.Close()
			if want := slices.Contains(tt.protocols, "logstream"); want != (conn.Subprotocol() == "logstream") {
				t.Errorf("subprotocol %q", conn.Subprotocol())
			}
		})
	}
}

func TestClientThatSendsTooMuchIsDisconnected(t *testing.T) {
	s := serve(t, nil)
	p := s.page()
	p.next()
	if err := p.conn.WriteMessage(websocket.TextMessage, make([]byte, maxInbound+1)); err != nil {
		t.Fatal(err)
	}
	p.isClosed(websocket.CloseMessageTooBig)
}

func TestStopClosesWebSockets(t *testing.T) {
	s := serve(t, nil)
	p := s.page()
	p.next()
	begin := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
	p.isClosed(websocket.CloseGoingAway)
}

// A fault in the state's goroutine ends Run with the stack, so that it can be
// run again; a fault in one request fails that request.
func TestPanicInARequestFailsThatRequestOnly(t *testing.T) {
	s := open(t, func(d *Deps) {
		d.Faults = func(string) []string { panic("a fault in a request") }
	}).run()
	resp, body := s.do("POST", "/api/v1/services/payment-service/chaos", `{"fault":"stop"}`, nil)
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if got := s.status("GET", "/healthz", "", nil); got != http.StatusOK {
		t.Errorf("healthz after a fault = %d", got)
	}
}

func TestPanicInTheStateEndsRun(t *testing.T) {
	calls := 0
	s := open(t, func(d *Deps) {
		d.Services = func() []service.Definition {
			calls++
			return []service.Definition{payment()}
		}
		d.LLM = func() LLMInfo { panic("a fault in a part") }
	})
	dash, err := New(s.deps)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // and it can be run again, on the same address
		err := dash.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "a fault in a part") || !strings.Contains(err.Error(), "info.go") {
			t.Fatalf("Run = %v", err)
		}
	}
	if calls != 2 {
		t.Errorf("the services were requested %d times", calls)
	}
}
