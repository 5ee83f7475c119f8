package dashboard

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/testlog"
)

// What the API has others do: commands, and faults.

func TestCommands(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	before := time.Now()
	id := s.post("/api/v1/services/payment-service/chaos", `{"fault":"stop"}`)
	_, body := s.do("GET", "/api/v1/commands/"+id, "", nil)
	contains(t, body, `"result":null`, `"command":"inject"`, `"fault":"stop"`, `"by":"operator:dashboard"`)
	rec := s.log.On(event.TopicCommands)[0]
	c, err := event.DecodeCommand(rec.Value)
	if err != nil || string(rec.Key) != "payment-service" || c.Service != "payment-service" || c.Host != myHost || c.Time.Before(before.Add(-time.Second)) {
		t.Errorf("record %s: %+v, %v", rec.Key, c, err)
	}
	s.answer(id, true)
	s.eventually("the result is shown", func() bool {
		c := get[commandRecord](s, "/api/v1/commands/"+id)
		return c.Result != nil && c.Result.OK
	})
	if other := s.post("/api/v1/services/payment-service/heal", `{"action":"start"}`); other == id {
		t.Error("two commands have one id")
	}
}

func TestHold(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	if got := s.status("DELETE", "/api/v1/hold", "", nil); got != http.StatusConflict {
		t.Errorf("release of nothing = %d", got)
	}
	p := s.page()
	p.next()
	id := s.post("/api/v1/hold", `{"for":"30m","reason":"release day"}`)
	rec := s.log.On(event.TopicCommands)[0]
	if string(rec.Key) != "*" {
		t.Errorf("key of a hold = %q", rec.Key)
	}
	if got := get[Info](s, "/api/v1/info"); got.Held != "" {
		t.Errorf("held = %q before any record said so", got.Held)
	}
	s.answer(id, true)
	p.events(func(kind string, data []byte) bool {
		return kind == "info" && decode[Info](t, data).Held == "release day"
	})
	info := get[Info](s, "/api/v1/info")
	if info.HeldUntil == nil || time.Until(*info.HeldUntil) > 30*time.Minute || time.Until(*info.HeldUntil) < 29*time.Minute {
		t.Errorf("held until %v", info.HeldUntil)
	}
	resp, body := s.do("DELETE", "/api/v1/hold", "", nil)
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("release = %d %s", resp.StatusCode, body)
	}
	s.answer(decode[struct{ Command string }](t, body).Command, true)
	s.eventually("released", func() bool { return get[Info](s, "/api/v1/info").Held == "" })
}

// TestFaultIsNotInjectedFromAnotherHost: two instances would answer.
func TestFaultIsNotInjectedFromAnotherHost(t *testing.T) {
	s := serve(t, nil, func(s *site) {
		there := event.Origin{Instance: "they", Host: "there", Epoch: 1, Nonce: "theirs"}
		claim := event.Incident{ID: "theirs", Seq: 1, Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream,
			Data: event.Claim{Host: there.Host, Instance: there.Instance, Epoch: 1, Nonce: there.Nonce}, Origin: there}
		s.log.Put(event.TopicIncidents, claim.Service, event.Encode(claim), true, time.Now())
		s.service(event.Up, func(r *event.Service) {
			r.Service, r.Definition, r.Origin = "far", &event.Definition{Name: "far", Container: "far", Chaos: true}, there
		})
	})
	resp, body := s.do("POST", "/api/v1/services/far/chaos", `{"fault":"stop"}`, nil)
	if resp.StatusCode != http.StatusConflict {
		t.Errorf("chaos on another host = %d", resp.StatusCode)
	}
	contains(t, body, `runs on host \"there\"`)
}

func TestChaosListsWhatCanBeInjected(t *testing.T) {
	s := serve(t, nil)
	_, body := s.do("GET", "/api/v1/chaos", "", nil)
	if got := strings.TrimSpace(string(body)); got != `[{"fault":"stop","does":"Asks the main process to end, as docker stop does.","undo":true,"undone_by":"start","reversible":true,"repairable":true,"services":["payment-service"]},`+
		`{"fault":"kill","does":"Kills the main process through the engine, as docker kill does.","undo":true,"undone_by":"start","reversible":true,"repairable":true,"services":["payment-service"]}]` {
		t.Errorf("chaos = %s", got)
	}
	s.set(func() { s.faults = nil })
	if _, body := s.do("GET", "/api/v1/chaos", "", nil); strings.TrimSpace(string(body)) != "[]" {
		t.Errorf("chaos = %s", body)
	}
	if got := s.status("POST", "/api/v1/services/payment-service/chaos", `{"fault":"stop"}`, nil); got != http.StatusConflict {
		t.Errorf("chaos where nothing can be injected = %d", got)
	}
}

// A command whose append fails may be on the log all the same: its id is
// answered, so that its status can be checked.
func TestCommandThatKafkaDoesNotConfirm(t *testing.T) {
	t.Parallel() // it waits
	for name, fail := range map[string]func(*testlog.Log){
		"unreachable": func(m *testlog.Log) { m.Unreachable = true },
		"frozen":      func(m *testlog.Log) { m.Frozen = true },
	} {
		s := serve(t, nil)
		s.log.Set(fail)
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		resp, body := s.do("POST", "/api/v1/services/payment-service/chaos", `{"fault":"stop"}`, func(r *http.Request) { *r = *r.WithContext(ctx) })
		got := decode[struct{ Error, Command string }](t, body)
		if resp.StatusCode != http.StatusServiceUnavailable || got.Command == "" ||
			got.Error != "Kafka did not confirm the command: it may not have been recorded; check its status before retrying" {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
}

// What a program writes as its reason is read on pages and in terminals: it must not
// reorder or recolour what stands beside it.
func TestAReasonIsOnePlainLine(t *testing.T) {
	s := serve(t, guarded(""))
	body := `{"action":"start","reason":"it looks stuck\u202e\u001b[2J\n**approve** it, password=hunter2"}`
	if code := s.status("POST", "/api/v1/services/payment-service/propose", body, header("Authorization", "Bearer "+proposerToken)); code != http.StatusAccepted {
		t.Fatal(code)
	}
	if got, want := s.commands()[0].Args.Reason, "it looks stuck **approve** it, password=***"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
