package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

var later = time.Now().Add(15 * time.Minute).UTC()

// waiting puts incident x on the log: an attempt that can be undone, and a
// request that waits for approval.
func waiting(s *site) {
	s.incident("x", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
	s.incident("x", 2, "payment-service", event.ActionStarted{Attempt: 1, Action: "connect", Undo: &event.Params{}, UndoCommand: "docker network disconnect shop payment-service"}, event.ByRunbook)
	s.incident("x", 3, "payment-service", event.ActionFinished{Attempt: 1, Action: "connect", OK: true, Outcome: event.OutcomeOK}, event.ByLogstream)
	s.incident("x", 4, "payment-service", event.Verified{Outcome: event.OutcomeFailed}, event.ByLogstream)
	s.incident("x", 5, "payment-service", event.ApprovalRequested{Action: "restart", Target: "payment-service", Command: "docker restart payment-service",
		Cost: "what is in memory", Reason: "the mode is approve", Expires: later}, event.ByGuard)
}

func TestWhatWaitsForApprovalIsShown(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting)
	in := get[view.IncidentDetail](s, "/api/v1/incidents/x")
	if a := in.Approval; a == nil || a.Action != "restart" || a.Command != "docker restart payment-service" || a.Undo != "" || a.Cost == "" || !a.Expires.Equal(later) || a.Requested.IsZero() {
		t.Errorf("approval is %+v", a)
	}
	if u := in.Undo; in.Phase != view.PhaseApproval || u == nil || u.Attempt != 1 || u.Command != "docker network disconnect shop payment-service" || in.Acknowledged != nil {
		t.Errorf("phase %s, undo %+v, acknowledged %+v", in.Phase, u, in.Acknowledged)
	}
	p := s.page()
	if f := p.next(); f.Agent.State != view.AgentWaiting || f.Agent.Incident != "x" || len(f.Incidents) != 1 || f.Incidents[0].Approval == nil {
		t.Errorf("the page gets %+v", f)
	}
	s.incident("x", 6, "payment-service", event.Approved{}, "operator:ada")
	p.events(func(kind string, data []byte) bool {
		return kind == "incident" && strings.Contains(string(data), `"approval":null`)
	})
}

// TestAnswersAreCommands: what is written, and what can be seen to be pointless
// at once.
func TestAnswersAreCommands(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting, func(s *site) {
		s.incident("y", 1, "payment-service", event.Opened{FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("y", 2, "payment-service", event.Acknowledged{}, "operator:ada")
		s.incident("z", 1, "payment-service", event.Opened{FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("z", 2, "payment-service", event.ApprovalRequested{Action: "start", Expires: time.Now().Add(-time.Second).UTC()}, event.ByGuard)
		s.incident("w", 1, "payment-service", event.Opened{FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("w", 2, "payment-service", event.Resolved{How: event.HowRecovered}, event.ByLogstream)
	})
	for _, tt := range []struct {
		path, body string
		want       int
		says       string
	}{
		{"x/approve", `{"reason":"go on"}`, 202, ""},
		{"x/approve", ``, 409, "this request was approved already"},
		{"x/deny", `{"reason":"not now"}`, 409, "deny was not recorded: this request was approved already"},
		{"x/undo", `{"attempt":1}`, 202, ""},
		{"x/undo", ``, 202, ""},
		{"x/acknowledge", `{}`, 202, ""},
		{"x/approve", `{"raeson":"go on"}`, 400, `did you mean \"reason\"`},
		{"x/approve", `{"reason":"` + strings.Repeat("a", maxReason+1) + `"}`, 400, "longer than"},
		{"x/approve", `{"request":5}`, 409, "approved already"},
		{"x/approve", `{"request":4}`, 409, "requested anew"},
		{"x/undo", `{"attempt":-1}`, 400, "number of an attempt"},
		{"x/undo", `{"attempt":"one"}`, 400, "an integer"},
		{"x/undo", `{"attempt":7}`, 409, "no attempt 7"},
		{"none/approve", `{}`, 404, "unknown incident"},
		{"none/undo", `{}`, 404, "unknown incident"},
		{"y/approve", `{}`, 409, "nothing waits for approval"},
		{"y/deny", `{}`, 409, "nothing waits for approval"},
		{"y/undo", `{}`, 409, "nothing was done"},
		{"y/acknowledge", `{}`, 409, "acknowledged already"},
		{"z/approve", `{}`, 409, "has expired"},
		{"w/acknowledge", `{}`, 409, "resolved already"},
	} {
		resp, body := s.do("POST", "/api/v1/incidents/"+tt.path, tt.body, nil)
		if resp.StatusCode != tt.want || !strings.Contains(string(body), tt.says) {
			t.Errorf("%s %s = %d %s, want %d, %q", tt.path, tt.body, resp.StatusCode, body, tt.want, tt.says)
		}
	}
	var written []string
	for _, r := range s.log.On(event.TopicCommands) {
		c, err := event.DecodeCommand(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if answers := c.Command == event.CommandApprove || c.Command == event.CommandDeny; answers != (c.Args.Request == 5) {
			t.Errorf("command %+v names another request", c)
		}
		if c.Service != "payment-service" || c.Args.Incident != "x" || c.By != "operator:dashboard" {
			t.Errorf("command %+v", c)
		}
		written = append(written, c.Command+" "+c.Args.Reason)
	}
	if got, want := strings.Join(written, ", "), "approve go on, undo , undo , acknowledge "; got != want {
		t.Errorf("written are %q, want %q", got, want)
	}
}

// TestOnlyOneOfSeveralAnswersAtOnceCounts sends approvals and denials of one request at once:
// one is recorded, and all others are refused.
func TestOnlyOneOfSeveralAnswersAtOnceCounts(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting)
	got := make(chan int)
	for i := range 8 {
		path := "/api/v1/incidents/x/" + []string{"approve", "deny"}[i%2]
		go func() { got <- s.status("POST", path, "{}", nil) }()
	}
	all := map[int]int{}
	for range 8 {
		all[<-got]++
	}
	if all[http.StatusAccepted] != 1 || all[http.StatusConflict] != 7 || len(s.commands()) != 1 {
		t.Errorf("the answers are %v, the commands %+v", all, s.commands())
	}
}

// TestSecondAnswerCountsWhereTheFirstWasRefused, as it is while the container is being
// inspected.
func TestSecondAnswerCountsWhereTheFirstWasRefused(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting)
	id := s.post("/api/v1/incidents/x/approve", `{}`)
	s.answer(id, false)
	s.eventually("the refusal is read", func() bool { return get[commandRecord](s, "/api/v1/commands/"+id).Result != nil })
	if got := s.status("POST", "/api/v1/incidents/x/deny", "{}", nil); got != http.StatusAccepted {
		t.Errorf("deny = %d", got)
	}
}

func TestUndoOfAFinishedIncident(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting, func(s *site) {
		s.incident("x", 6, "payment-service", event.Resolved{How: event.HowRecovered}, event.ByLogstream)
	})
	if got := s.status("POST", "/api/v1/incidents/x/undo", "", nil); got != http.StatusAccepted {
		t.Errorf("undo of an attempt of a resolved incident = %d", got)
	}
}
