package dashboard

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/hook"
	"logstream/internal/event"
	"logstream/internal/testlog"
)

const (
	amToken, gatusToken, kumaToken, genericToken = "token-of-alertmanager", "token-of-gatus-here", "token-of-uptime-kuma", "token-of-a-script-x"
)

func withHooks(d *Deps) {
	d.Hooks = []hook.Config{
		{Name: "am", Kind: hook.Alertmanager, Token: amToken}, {Name: "gatus", Kind: hook.Gatus, Token: gatusToken},
		{Name: "kuma", Kind: hook.UptimeKuma, Token: kumaToken}, {Name: "script", Kind: hook.Generic, Token: genericToken},
	}
}

// bearing is a request of a program with that token.
func bearing(token string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del("Origin")
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

func golden(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile("hook/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// reported are the observations under a hook's name on the log.
func (s *site) reported(instance string) []event.HealthLog {
	var all []event.HealthLog
	for _, rec := range s.log.On(event.TopicHealth) {
		if h, err := event.DecodeHealthLog(rec.Value); err == nil && h.Instance == instance && rec.Signed {
			all = append(all, h)
		}
	}
	return all
}

func TestWhatOtherMonitorsSendIsPublished(t *testing.T) {
	s := serve(t, withHooks)
	for _, tt := range []struct {
		kind, token, body, instance string
		records                     int
	}{
		{hook.Alertmanager, amToken, golden(t, "alertmanager_firing"), "am", 2},
		{hook.Gatus, gatusToken, golden(t, "gatus_triggered"), "gatus", 1},
		{hook.UptimeKuma, kumaToken, golden(t, "uptime-kuma_down"), "kuma", 1},
		{hook.Generic, genericToken, `{"service":"payment-service","status":"DOWN"}`, "script", 1},
	} {
		resp, body := s.do("POST", "/api/v1/hooks/"+tt.kind, tt.body, bearing(tt.token))
		if resp.StatusCode != http.StatusAccepted || decode[accepted](t, body).Accepted != tt.records {
			t.Errorf("%s: %d %s", tt.kind, resp.StatusCode, body)
		}
		got := s.reported(tt.instance)
		if len(got) != tt.records || got[0].Service != "payment-service" || got[0].Status != event.Down {
			t.Errorf("%s publishes %+v", tt.kind, got)
		}
	}
	s.eventually("the page shows who says so", func() bool {
		for _, o := range get[serviceDetail](s, "/api/v1/services/payment-service").Observations {
			if o.Instance == "kuma" && o.Check == "http" && o.Status == event.Down && o.Counted {
				return true
			}
		}
		return false
	})
}

func TestAHookTakesItsOwnTokenAlone(t *testing.T) {
	const body = `{"service":"payment-service","status":"DOWN"}`
	s := serve(t, func(d *Deps) { withHooks(d); d.Config.Token = "token-of-the-dashboard" })
	for _, tt := range []struct {
		name, path string
		edit       func(*http.Request)
		want       int
	}{
		{"its own", "generic", bearing(genericToken), 202},
		{"its own in the address", "generic?token=" + genericToken, bearing(""), 401}, // the header comes first
		{"its own in the address alone", "generic?token=" + genericToken, nil, 202},
		{"none", "generic", nil, 401},
		{"the dashboard's", "generic", bearing("token-of-the-dashboard"), 401},
		{"another hook's", "generic", bearing(kumaToken), 401},
		{"in the address, where a header can be sent", "uptime-kuma?token=" + kumaToken, nil, 401},
		{"of another scheme", "generic", func(r *http.Request) { r.Header.Set("Authorization", "Basic "+genericToken) }, 401},
		{"from another site's page", "generic", func(r *http.Request) { bearing(genericToken)(r); r.Header.Set("Origin", "https://evil.example") }, 403},
		{"a form", "generic", func(r *http.Request) { bearing(genericToken)(r); r.Header.Set("Content-Type", "text/plain") }, 415},
		{"no JSON", "gatus", bearing(gatusToken), 400},
	} {
		resp, answer := s.do("POST", "/api/v1/hooks/"+tt.path, body, tt.edit)
		if resp.StatusCode != tt.want || strings.Contains(string(answer), "token-of") {
			t.Errorf("%s: %d %s, want %d", tt.name, resp.StatusCode, answer, tt.want)
		}
	}
	if got := s.status("GET", "/api/v1/services", "", bearing(genericToken)); got != http.StatusUnauthorized {
		t.Errorf("a hook's token reads the API: %d", got)
	}
	if n := len(s.reported("script")); n != 2 {
		t.Errorf("%d observations are published, want those of the two that were let in", n)
	}
}

func TestAHookThatIsNotConfiguredIsNotThere(t *testing.T) {
	s := serve(t, nil)
	resp, body := s.do("POST", "/api/v1/hooks/gatus", "{}", bearing(gatusToken))
	if resp.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "add one to hooks in config.yaml") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestGuessesOfAHooksTokenAreLimited(t *testing.T) {
	s := serve(t, withHooks)
	last := 0
	for tries := 0; tries < 500 && last != http.StatusTooManyRequests; tries++ {
		last = s.status("POST", "/api/v1/hooks/generic", "{}", bearing("guess"))
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the last guess = %d", last)
	}
	if got := s.status("POST", "/api/v1/hooks/generic", "[]", bearing(genericToken)); got != http.StatusAccepted {
		t.Errorf("the right token meanwhile = %d", got)
	}
}

func TestAHooksTokenReachesNoLog(t *testing.T) {
	var log bytes.Buffer
	s := serve(t, func(d *Deps) {
		withHooks(d)
		d.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, body := range []string{"", "{", `{"service":"x","status":"UP"}`, `[{"service":"logstream","status":"UP"}]`} {
		s.do("POST", "/api/v1/hooks/generic?token="+genericToken, body, nil)
		s.do("POST", "/api/v1/hooks/gatus?token="+genericToken, body, bearing(gatusToken))
	}
	s.set(func() { s.ready = testlog.ErrUnreachable })
	if got := s.status("POST", "/api/v1/hooks/generic?token="+genericToken, `{"service":"x","status":"UP"}`, nil); got != http.StatusServiceUnavailable {
		t.Errorf("while Kafka is unreachable = %d", got)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Contains(text, "token-of") || !strings.Contains(text, "hook refused") {
		t.Errorf("the log says %s", text)
	}
}

func TestTooManyAlertsAreRefusedWhole(t *testing.T) {
	s := serve(t, withHooks)
	body := "[" + strings.TrimSuffix(strings.Repeat(`{"service":"x","status":"UP"},`, hook.MaxReports+1), ",") + "]"
	if got := s.status("POST", "/api/v1/hooks/generic", body, bearing(genericToken)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("one too many = %d", got)
	}
	if got := s.status("POST", "/api/v1/hooks/generic", strings.Repeat(" ", maxObserved+1), bearing(genericToken)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too large = %d", got)
	}
	if n := len(s.reported("script")); n != 0 {
		t.Errorf("%d are published", n)
	}
}

// A standby publishes nothing by itself.
func TestOnlyTheOwnerOfTheHostRepeats(t *testing.T) {
	firing := event.HealthLog{Timestamp: event.Seconds(time.Now().Add(-20 * time.Second)), Service: "payment-service", Status: event.Down,
		Check: "http", Until: event.Seconds(time.Now().Add(time.Hour)), Origin: event.Origin{Instance: "kuma"}}
	s := serve(t, withHooks, func(s *site) { s.log.Put(event.TopicHealth, firing.Service, event.Encode(firing), true, firing.Time()) })
	time.Sleep(tickEvery + 500*time.Millisecond) // in which it would be repeated
	if got := s.reported("kuma"); len(got) != 1 {
		t.Errorf("it is repeated as %+v", got[1:])
	}
	s.claim()
	s.eventually("it is repeated under a claim", func() bool { return len(s.reported("kuma")) == 2 })
}

// TestARestartRepeatsReportsOfAMonitor: the log holds it, and nothing else does.
func TestARestartRepeatsReportsOfAMonitor(t *testing.T) {
	firing := event.HealthLog{Timestamp: event.Seconds(time.Now().Add(-20 * time.Second)), Service: "payment-service", Status: event.Down,
		Check: "ServiceDown", Error: "no answer", Until: event.Seconds(time.Now().Add(time.Hour)), Origin: event.Origin{Instance: "am"}}
	put := func(h event.HealthLog) func(*site) {
		return func(s *site) { s.log.Put(event.TopicHealth, h.Service, event.Encode(h), true, h.Time()) }
	}
	repaired := func(s *site) {
		s.claim()
		s.incident("in-1", 1, "payment-service", event.Opened{Kind: "service"}, event.ByLogstream)
		s.incident("in-1", 2, "payment-service", event.ActionStarted{Attempt: 1, Action: "start"}, event.ByRunbook)
	}
	s := serve(t, withHooks, put(firing), (*site).claim)
	s.eventually("it is repeated", func() bool { return len(s.reported("am")) == 2 })
	again := s.reported("am")[1]
	if again.Time().Before(firing.Time().Add(15*time.Second)) || again.Until != firing.Until || again.Status != event.Down || again.Error != firing.Error {
		t.Errorf("repeated as %+v", again)
	}
	other := firing
	other.Service = "the last one"
	over := serve(t, withHooks, put(firing), put(other), repaired)
	over.eventually("that of another service is repeated", func() bool { return len(over.reported("am")) > 2 })
	for _, h := range over.reported("am")[2:] {
		if h.Service == "payment-service" {
			t.Errorf("after a repair it is repeated as %+v", h)
		}
	}
}
