package dashboard

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

// TestSilenceIsACommand: what is written, and what can be seen to be pointless at
// once.
func TestSilenceIsACommand(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	const path = "/api/v1/services/payment-service/silence"
	for _, tt := range []struct {
		method, path, body string
		want               int
		says               string
	}{
		{"DELETE", path, ``, 409, "is not silenced"},
		{"POST", path, `{"for":"10m","reason":"a migration"}`, 202, ""},
		{"POST", path, `{"for":"720h"}`, 202, ""},
		{"DELETE", path, ``, 202, ""}, // the one before may still be executed
		{"POST", path, ``, 400, `\"for\" is missing`},
		{"POST", path, `{"for":"721h"}`, 400, "up to 720h"},
		{"POST", path, `{"for":"-1m"}`, 400, "up to 720h"},
		{"POST", path, `{"for":"soon"}`, 400, "up to 720h"},
		{"POST", path, `{"for":10}`, 400, "must be a string"},
		{"POST", path, `{"fro":"10m"}`, 400, `did you mean \"for\"`},
		{"POST", path, `{"for":"10m","reason":"` + strings.Repeat("a", maxReason+1) + `"}`, 400, "longer than"},
		{"POST", "/api/v1/services/none/silence", `{"for":"10m"}`, 404, "is not configured"},
		{"GET", path, ``, 405, "allows DELETE, POST"},
	} {
		resp, body := s.do(tt.method, tt.path, tt.body, nil)
		if resp.StatusCode != tt.want || !strings.Contains(string(body), tt.says) {
			t.Errorf("%s %s %s = %d %s, want %d, %q", tt.method, tt.path, tt.body, resp.StatusCode, body, tt.want, tt.says)
		}
	}
	var written []string
	for _, r := range s.log.On(event.TopicCommands) {
		c, err := event.DecodeCommand(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, strings.TrimSpace(c.Service+" "+c.Command+" "+c.Args.For+" "+c.Args.Reason))
	}
	if got, want := strings.Join(written, ", "), "payment-service silence 10m a migration, payment-service silence 720h, payment-service unsilence"; got != want {
		t.Errorf("written are %q, want %q", got, want)
	}
}

func TestASilenceIsShown(t *testing.T) {
	until := time.Now().Add(time.Hour).UTC()
	s := serve(t, nil, (*site).claim, func(s *site) {
		s.service(event.Up, func(r *event.Service) {
			r.SilencedUntil, r.SilencedBy, r.SilenceReason = &until, "operator:ada", "a migration"
		})
	})
	_, body := s.do("GET", "/api/v1/services/payment-service", "", nil)
	for _, want := range []string{`"silenced_until":"` + until.Format(time.RFC3339Nano), `"silenced_by":"operator:ada"`, `"silence_reason":"a migration"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	if resp, _ := s.do("DELETE", "/api/v1/services/payment-service/silence", "", nil); resp.StatusCode != 202 {
		t.Errorf("ending it = %d", resp.StatusCode)
	}
}
