package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

func TestNoteIsRecordedShownAndKept(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting)
	p := s.page()
	p.next()
	id := s.post("/api/v1/incidents/x/note", `{"text":"  A disk is ordered.\n\u001b[31mpassword=hunter2\u001b[0m "}`)
	want := "A disk is ordered.\npassword=***"
	c := get[commandRecord](s, "/api/v1/commands/"+id)
	if c.Command != event.CommandNote || c.Args.Incident != "x" || c.Args.Text != want || c.By != "operator:dashboard" || c.Service != "payment-service" {
		t.Errorf("the command is %+v", c)
	}
	pushed := 0
	p.events(func(kind string, data []byte) bool {
		if kind == view.KindSummary && strings.Contains(string(data), `"text":"A disk is ordered.\n`) {
			pushed++
		}
		return pushed > 0
	})
	shown := func() {
		t.Helper()
		in := get[view.IncidentDetail](s, "/api/v1/incidents/x")
		if len(in.Notes) != 1 || in.Notes[0].ID != id || in.Notes[0].Text != want || in.Notes[0].By != "operator:dashboard" {
			t.Errorf("the notes are %+v", in.Notes)
		}
	}
	shown()
	if _, body := s.do("GET", "/api/v1/incidents/x.md", "", nil); !strings.Contains(string(body), "## Notes\n\n- ") || !strings.Contains(string(body), "by an operator on the dashboard: A disk is ordered.") {
		t.Errorf("the post-mortem is %s", body)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.run()
	s.eventually("caught up", func() bool { return s.status("GET", "/readyz", "", nil) == http.StatusOK })
	shown()
}

func TestFieldsOfNotes(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting)
	long := strings.Repeat("é", event.MaxNote/2)
	for _, tt := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"x", `{"text":"` + long + `"}`, 202, ""},
		{"x", `{"text":"` + long + `e"}`, 400, `"text" is longer than 2000 bytes`},
		{"x", `{}`, 400, `"text" is missing or empty`},
		{"x", `{"text":" \n\u0000 "}`, 400, `"text" is missing or empty`},
		{"x", `{"txt":"a"}`, 400, `did you mean "text"?`},
		{"x", `{"text":7}`, 400, `"text" must be a string`},
		{"nope", `{"text":"a"}`, 404, "unknown incident"},
	} {
		resp, body := s.do("POST", "/api/v1/incidents/"+tt.path+"/note", tt.body, nil)
		if resp.StatusCode != tt.status || !strings.Contains(decode[failure](t, body).Error, tt.says) {
			t.Errorf("%s %.40s: %d %s, want %d, %s", tt.path, tt.body, resp.StatusCode, body, tt.status, tt.says)
		}
	}
	if got := len(s.commands()); got != 1 {
		t.Errorf("%d commands", got)
	}
}
