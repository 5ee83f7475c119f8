package dashboard

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

func TestTheLinesOfADefinition(t *testing.T) {
	s := serve(t, func(d *Deps) {
		d.Lines = func(definition json.RawMessage) (string, error) {
			if !strings.Contains(string(definition), "name") {
				return "", errors.New("service.name: is missing")
			}
			return "  - name: web\n", nil
		}
	})
	for _, tt := range []struct {
		body, want string
		status     int
	}{
		{`{"service":{"name":"web"}}`, `{"yaml":"  - name: web\n"}`, http.StatusOK},
		{`{"service":{"url":"x"}}`, `"service.name: is missing"`, http.StatusBadRequest},
		{`{"service":"web"}`, `must be an object, not a string`, http.StatusBadRequest},
		{`{}`, `\"service\" is missing`, http.StatusBadRequest},
		{`{"service":{},"save":true}`, `unknown field \"save\"`, http.StatusBadRequest},
	} {
		resp, answer := s.do("POST", "/api/v1/definition", tt.body, nil)
		if resp.StatusCode != tt.status || !strings.Contains(string(answer), tt.want) {
			t.Errorf("%s: %d %s, want %d %s", tt.body, resp.StatusCode, answer, tt.status, tt.want)
		}
	}
}

// TestCommandsAreListedWithTheirResults: the newest first, and each with what
// became of it.
func TestCommandsAreListedWithTheirResults(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	first := s.post("/api/v1/hold", `{"for":"30m","reason":"a move"}`)
	second := s.post("/api/v1/services/payment-service/silence", `{"for":"10m","reason":"noisy"}`)
	c := event.Command{ID: first, Time: time.Now().UTC(), By: "operator:api", Service: event.AllServices, Command: event.CommandHold,
		Args: event.CommandArgs{For: "30m", Reason: "a move"}, Result: &event.CommandResult{OK: true}, Origin: origin}
	s.log.Put(event.TopicCommands, event.AllServices, event.Encode(c), true, time.Now())
	s.eventually("the result is read", func() bool {
		list := get[[]commandRecord](s, "/api/v1/commands")
		return len(list) == 2 && list[0].ID == second && list[0].Result == nil && list[1].ID == first && list[1].Result != nil && list[1].Result.OK
	})
	if list := get[[]commandRecord](s, "/api/v1/commands?limit=1"); len(list) != 1 || list[0].ID != second || list[0].Args.Reason != "noisy" {
		t.Errorf("the newest is %+v", list)
	}
	if got := s.status("GET", "/api/v1/commands?limit=0", "", nil); got != http.StatusBadRequest {
		t.Errorf("a limit of 0 is answered with %d", got)
	}
	s.eventually("who holds the repairs is in the info", func() bool {
		info := get[Info](s, "/api/v1/info")
		return info.HeldBy == "operator:dashboard" && info.HeldReason == "a move" && info.HeldUntil != nil
	})
}

func TestErrorsOfAnEditAreInTheInfo(t *testing.T) {
	s := serve(t, nil)
	if info := get[Info](s, "/api/v1/info"); len(info.ConfigErrors) != 0 {
		t.Errorf("without an error there are %+v", info.ConfigErrors)
	}
	s.set(func() { s.config = "config.yaml:3:5: services[0].intervall: unknown key; did you mean interval?" })
	s.eventually("they are shown", func() bool {
		info := get[Info](s, "/api/v1/info")
		return len(info.ConfigErrors) == 1 && info.ConfigErrors[0].Line == 3 && info.ConfigErrors[0].Suggestion == "interval"
	})
}
