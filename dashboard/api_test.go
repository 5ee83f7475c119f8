package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/internal/testlog"
)

func TestServicesAreThereBeforeKafkaIs(t *testing.T) {
	s := open(t, nil)
	s.log.Unreachable, s.log.Unread = true, true
	s.set(func() { s.ready = testlog.ErrUnreachable })
	s.run()
	views := get[[]view.Service](s, "/api/v1/services")
	if len(views) != 2 || views[0].Name != "a/b c" || views[1].Name != "payment-service" {
		t.Fatalf("services = %+v", views)
	}
	v := views[1]
	if v.Status != event.Pending || !v.Managed || !v.Configured || v.Uptime.Hour != nil || v.Host != myHost {
		t.Errorf("service = %+v", v)
	}
	if v.URL != "http://user:***@127.0.0.1:1/?key=***" {
		t.Errorf("url = %q: not masked", v.URL)
	}
	if !views[0].Managed {
		t.Error("a configured service without a container is not managed")
	}
	if got := s.page().next(); got.Type != "snapshot" || len(got.Services) != 2 {
		t.Errorf("first frame = %+v", got)
	}
	if got := s.status("GET", "/readyz", "", nil); got != http.StatusServiceUnavailable {
		t.Errorf("readyz = %d", got)
	}
	if got := s.status("GET", "/healthz", "", nil); got != http.StatusOK {
		t.Errorf("healthz = %d", got)
	}
	if got := s.status("POST", "/api/v1/services/payment-service/chaos", `{"fault":"stop"}`, nil); got != http.StatusServiceUnavailable {
		t.Errorf("a command without a log = %d", got)
	}
}

func TestServiceFromTheLog(t *testing.T) {
	since := time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
	s := serve(t, nil, (*site).claim, func(s *site) {
		s.service(event.Down, func(r *event.Service) {
			r.Since, r.Error, r.OpenIncident, r.Held, r.Healing = since, "connection refused", "i1", "operator", true
			r.Time = since
			r.Container = &event.ServiceContainer{Name: "payment-service", ID: "abc", Image: "pay:1", Ran: true}
			r.Sources = []event.Source{{Instance: me, Check: "http", Status: event.Down, Since: since}}
		})
		for i := range 10 {
			s.health("payment-service", event.Up, time.Now().Add(time.Duration(i-20)*time.Second))
		}
		s.health("payment-service", event.Down, time.Now().Add(-time.Second))
	})
	d := get[serviceDetail](s, "/api/v1/services/payment-service")
	if d.Status != event.Down || !d.Since.Equal(since) || d.Error != "connection refused" || *d.OpenIncident != "i1" ||
		d.Held != "operator" || !d.Healing || d.Container.ID != "abc" || d.Owner != me || len(d.Sources) != 1 || d.Group != "shop" {
		t.Errorf("service = %+v", d.Service)
	}
	if d.LatencyMS != 12.5 || d.Code != 200 {
		t.Errorf("latency %v, code %v: not those of the newest check", d.LatencyMS, d.Code)
	}
	if d.Uptime.Hour == nil || *d.Uptime.Hour <= 0.5 || *d.Uptime.Hour >= 1 || *d.Uptime.Day != *d.Uptime.Hour || d.KnownS.Month != d.WatchedS || d.WatchedS <= 1 || d.WatchedS > 60 {
		t.Errorf("uptime = %+v of %v s", d.Uptime, d.WatchedS)
	}
	if len(d.Observations) != 11 || d.Config.URL != "http://user:***@127.0.0.1:1/?key=***" {
		t.Errorf("%d observations, config %+v", len(d.Observations), d.Config)
	}
	_, body := s.do("GET", "/api/v1/services/payment-service", "", nil)
	contains(t, body, `"depends_on":[]`, `"silenced_until":null`, `"known_s":{"1h":`)
	points := get[struct{ Points []view.Point }](s, "/api/v1/services/payment-service/history?window=15m").Points
	if len(points) != 11 || points[10].Status != event.Down {
		t.Errorf("history = %+v", points)
	}
}

func TestEscapedNames(t *testing.T) {
	s := serve(t, nil)
	path := "/api/v1/services/" + url.PathEscape("a/b c")
	if got := get[serviceDetail](s, path); got.Name != "a/b c" {
		t.Errorf("name = %q", got.Name)
	}
	if got := s.status("POST", path+"/heal", "", nil); got != http.StatusConflict {
		t.Errorf("heal of a service without a container = %d", got)
	}
}

func TestUnmanagedServices(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	resp, body := s.do("POST", "/api/v1/health-logs", `{"timestamp":`+strings.TrimSpace(seconds(time.Now()))+`,"service":"batch","status":"DOWN","code":0,"error":"late","instance":"cron"}`, nil)
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	contains(t, body, `"accepted":1`)
	s.eventually("the name is shown", func() bool { return len(get[[]view.Service](s, "/api/v1/services")) == 3 })
	v := get[serviceDetail](s, "/api/v1/services/batch")
	if v.Configured || v.Managed || v.Status != event.Down || v.Error != "late" || v.Config != nil || v.Sources[0].Instance != "api:cron" {
		t.Errorf("service = %+v", v)
	}
	if got := s.status("POST", "/api/v1/services/batch/heal", "{}", nil); got != http.StatusNotFound {
		t.Errorf("heal of an unmanaged name = %d", got)
	}
}

func TestIncidents(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) {
		s.incident("i1", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("i1", 2, "payment-service", event.Resolved{How: event.HowHealed, Attempts: 1, TTDMS: 1, TTRMS: 2, DownMS: 3}, event.ByLogstream)
		s.incident("i2", 1, "payment-service", event.Opened{Error: "refused again", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("i3", 1, "a/b c", event.Opened{Error: "500", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("i3", 2, "a/b c", event.Escalated{Reason: "it has no container"}, event.ByLogstream)
	})
	tests := []struct {
		query string
		want  string // ids
	}{
		{"", "i3 i2 i1"},
		{"?limit=2", "i3 i2"},
		{"?state=open", "i2"},
		{"?state=resolved", "i1"},
		{"?state=escalated", "i3"},
		{"?service=payment-service", "i2 i1"},
		{"?service=missing", ""},
		{"?service=" + url.QueryEscape("a/b c") + "&state=open", ""},
	}
	for _, tt := range tests {
		var ids []string
		for _, v := range get[[]view.Incident](s, "/api/v1/incidents"+tt.query) {
			ids = append(ids, v.ID)
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.query, got, tt.want)
		}
	}
	_, body := s.do("GET", "/api/v1/incidents/i1", "", nil)
	contains(t, body, `"state":"resolved"`, `"ttd_ms":1`, `"down_ms":3`, `"events":[{"id":"i1","seq":1`, `"how":"healed"`)
	_, body = s.do("GET", "/api/v1/incidents/i2", "", nil)
	contains(t, body, `"resolved":null`, `"ttr_ms":null`, `"held":""`)
	resp, body := s.do("GET", "/api/v1/incidents/i1.md", "", nil)
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/markdown") {
		t.Errorf("report is %q", kind)
	}
	contains(t, body, "# payment-service", "## What happened", "resolved: healed")
}

func TestStatusCodes(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) { s.service(event.Up, nil) })
	good := `{"timestamp":1,"service":"x","status":"UP","code":200}`
	tests := []struct {
		name, method, path, body string
		want                     int
	}{
		{"unknown service", "GET", "/api/v1/services/missing", "", 404},
		{"history of an unknown service", "GET", "/api/v1/services/missing/history", "", 404},
		{"logs of an unknown service", "GET", "/api/v1/services/missing/logs", "", 404},
		{"logs without a container", "GET", "/api/v1/services/" + url.PathEscape("a/b c") + "/logs", "", 404},
		{"logs, too many", "GET", "/api/v1/services/payment-service/logs?tail=100000", "", 400},
		{"window too short", "GET", "/api/v1/services/payment-service/history?window=1m", "", 400},
		{"window too long", "GET", "/api/v1/services/payment-service/history?window=367d", "", 400},
		{"window that is remembered", "GET", "/api/v1/services/payment-service/history?window=60m", "", 200},
		{"window of hours", "GET", "/api/v1/services/payment-service/history?window=6h", "", 200},
		{"window of days", "GET", "/api/v1/services/payment-service/history?window=30d", "", 200},
		{"window of a year", "GET", "/api/v1/services/payment-service/history?window=1y", "", 200},
		{"window nonsense", "GET", "/api/v1/services/payment-service/history?window=-1h", "", 400},
		{"unknown incident", "GET", "/api/v1/incidents/none", "", 404},
		{"unknown report", "GET", "/api/v1/incidents/none.md", "", 404},
		{"limit nonsense", "GET", "/api/v1/incidents?limit=0", "", 400},
		{"limit too large", "GET", "/api/v1/incidents?limit=501", "", 400},
		{"state nonsense", "GET", "/api/v1/incidents?state=broken", "", 400},
		{"a page after an unknown incident", "GET", "/api/v1/incidents?before=none", "", 400},
		{"search for too much", "GET", "/api/v1/incidents?q=" + strings.Repeat("y", 201), "", 400},
		{"search", "GET", "/api/v1/incidents?q=%3Cb%3E&cause=oom&decided_by=llm", "", 200},
		{"unknown command", "GET", "/api/v1/commands/none", "", 404},
		{"test of a receiver that there is not", "POST", "/api/v1/notify/test", `{"receiver":"nowhere"}`, 404},
		{"test of a receiver, with a key that there is not", "POST", "/api/v1/notify/test", `{"reciever":"phone"}`, 400},
		{"test of the receivers", "POST", "/api/v1/notify/test", ``, 200},
		{"unknown call", "GET", "/api/v2/services", "", 404},
		{"call of a later version", "POST", "/api/v1/notify/later", `{}`, 404},
		{"heal what is up", "POST", "/api/v1/services/payment-service/heal", "", 409},
		{"heal what is up, with an action", "POST", "/api/v1/services/payment-service/heal", `{"action":"start"}`, 202},
		{"heal with an unknown action", "POST", "/api/v1/services/payment-service/heal", `{"action":"remove"}`, 400},
		{"heal with what is never done", "POST", "/api/v1/services/payment-service/heal", `{"action":"restart"}`, 409},
		{"heal an unknown service", "POST", "/api/v1/services/missing/heal", `{}`, 404},
		{"heal with a wrong type", "POST", "/api/v1/services/payment-service/heal", `{"action":1}`, 400},
		{"heal with an array", "POST", "/api/v1/services/payment-service/heal", `[]`, 400},
		{"heal with two objects", "POST", "/api/v1/services/payment-service/heal", `{}{}`, 400},
		{"heal with half an object", "POST", "/api/v1/services/payment-service/heal", `{"action":`, 400},
		{"heal with a large body", "POST", "/api/v1/services/payment-service/heal", `{"x":"` + strings.Repeat("y", 64<<10) + `"}`, 413},
		{"propose", "POST", "/api/v1/services/payment-service/propose", `{"action":"start","reason":"it looks stuck","client":"claude"}`, 202},
		{"propose nothing", "POST", "/api/v1/services/payment-service/propose", `{}`, 400},
		{"propose an unknown action", "POST", "/api/v1/services/payment-service/propose", `{"action":"remove","reason":"x"}`, 400},
		{"propose without a reason", "POST", "/api/v1/services/payment-service/propose", `{"action":"start","reason":" "}`, 400},
		{"propose with a long reason", "POST", "/api/v1/services/payment-service/propose", `{"action":"start","reason":"` + strings.Repeat("y", 501) + `"}`, 400},
		{"propose as another", "POST", "/api/v1/services/payment-service/propose", `{"action":"start","reason":"x","client":"a\u001b[31m"}`, 400},
		{"propose what is never done", "POST", "/api/v1/services/payment-service/propose", `{"action":"restart","reason":"x"}`, 409},
		{"propose for an unknown service", "POST", "/api/v1/services/missing/propose", `{"action":"start","reason":"x"}`, 404},
		{"chaos not allowed", "POST", "/api/v1/services/" + url.PathEscape("a/b c") + "/chaos", `{"fault":"stop"}`, 403},
		{"chaos with an unknown fault", "POST", "/api/v1/services/payment-service/chaos", `{"fault":"rm -rf /"}`, 400},
		{"chaos without a fault", "POST", "/api/v1/services/payment-service/chaos", ``, 400},
		{"chaos in an unknown service", "POST", "/api/v1/services/missing/chaos", `{"fault":"stop"}`, 404},
		{"hold for nonsense", "POST", "/api/v1/hold", `{"for":"soon"}`, 400},
		{"hold for ever and a day", "POST", "/api/v1/hold", `{"for":"10000h"}`, 400},
		{"hold with a novel", "POST", "/api/v1/hold", `{"reason":"` + strings.Repeat("y", 501) + `"}`, 400},
		{"observation", "POST", "/api/v1/health-logs", good, 202},
		{"observations", "POST", "/api/v1/health-logs", "[" + good + "," + good + "]", 202},
		{"no observations", "POST", "/api/v1/health-logs", "[]", 202},
		{"observation without a body", "POST", "/api/v1/health-logs", "", 400},
		{"observation without a status", "POST", "/api/v1/health-logs", `{"timestamp":1,"service":"x","code":200}`, 400},
		{"observation of a reserved name", "POST", "/api/v1/health-logs", `{"timestamp":1,"service":"logstream","status":"UP","code":200}`, 400},
		{"one bad among good", "POST", "/api/v1/health-logs", "[" + good + `,{"service":"x"}]`, 400},
		{"observation with a novel of an error", "POST", "/api/v1/health-logs", `{"timestamp":1,"service":"x","status":"DOWN","error":"` + strings.Repeat("y", 5000) + `"}`, 400},
		{"observation with a long source", "POST", "/api/v1/health-logs", `{"timestamp":1,"service":"x","status":"UP","instance":"` + strings.Repeat("y", 101) + `"}`, 400},
		{"too many observations", "POST", "/api/v1/health-logs", "[" + strings.Repeat(good+",", 1000) + good + "]", 413},
		{"too large", "POST", "/api/v1/health-logs", strings.Repeat(" ", 1<<20+1), 413},
		{"page", "GET", "/", "", 200},
		{"page of an incident", "GET", "/incidents/x", "", 200},
		{"page of a service", "GET", "/services/a%2Fb%20c", "", 200},
		{"file", "GET", "/js/app.js", "", 200},
		{"no such file", "GET", "/js/none.js", "", 404},
		{"no directory listing", "GET", "/js/", "", 404},
		{"the WebSocket without one", "GET", "/ws", "", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := s.do(tt.method, tt.path, tt.body, nil)
			if resp.StatusCode != tt.want {
				t.Errorf("%s %s: %d, want %d: %s", tt.method, tt.path, resp.StatusCode, tt.want, body)
			}
			if resp.StatusCode >= 400 {
				if got := decode[failure](t, body); got.Error == "" {
					t.Errorf("no error in %s", body)
				}
			}
			if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Content-Security-Policy") != contentPolicy ||
				resp.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("headers = %v", resp.Header)
			}
		})
	}
}

func TestOneBadObservationPublishesNone(t *testing.T) {
	s := serve(t, nil)
	body := `[{"timestamp":1,"service":"x","status":"UP","code":200},{"timestamp":1,"service":"x","status":"MAYBE"}]`
	if got := s.status("POST", "/api/v1/health-logs", body, nil); got != 400 {
		t.Fatal(got)
	}
	if got := s.log.On(event.TopicHealth); len(got) != 0 {
		t.Errorf("%d records were published", len(got))
	}
}

// What comes over HTTP is published with our signature, and must never pass
// for what we, or an owner, saw.
func TestPostedObservationsCountAsForeign(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) { s.service(event.Up, nil) })
	body := `{"timestamp":` + seconds(time.Now()) + `,"service":"payment-service","status":"DOWN","code":0,"check":"container","instance":"` + me +
		`","host":"` + myHost + `","epoch":1,"nonce":"` + nonce + `","extra":true}`
	if got := s.status("POST", "/api/v1/health-logs", body, nil); got != http.StatusAccepted {
		t.Fatal(got)
	}
	h, err := event.DecodeHealthLog(s.log.On(event.TopicHealth)[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	if want := (event.Origin{Instance: "api:" + me}); h.Origin != want {
		t.Errorf("origin = %+v, want %+v", h.Origin, want)
	}
	s.eventually("it is shown", func() bool { return len(get[serviceDetail](s, "/api/v1/services/payment-service").Observations) == 1 })
	if points := get[struct{ Points []view.Point }](s, "/api/v1/services/payment-service/history").Points; len(points) != 0 {
		t.Errorf("it is in the chart of our own checks: %v", points)
	}
}

func TestHealthLogsWhileKafkaIsUnreachable(t *testing.T) {
	s := serve(t, nil)
	s.set(func() { s.ready = testlog.ErrUnreachable })
	if got := s.status("POST", "/api/v1/health-logs", `{"timestamp":1,"service":"x","status":"UP","code":200}`, nil); got != http.StatusServiceUnavailable {
		t.Errorf("status = %d", got)
	}
}

func TestLogs(t *testing.T) {
	s := serve(t, nil)
	s.set(func() {
		s.lines = []container.Line{{Text: "first"}, {Text: "password=hunter2"}, {Text: "\xff<script>"}}
	})
	lines := get[struct{ Lines []logLine }](s, "/api/v1/services/payment-service/logs?tail=2").Lines
	if len(lines) != 2 || lines[0].Text != "password=***" || lines[1].Text != "�<script>" {
		t.Errorf("lines = %q", lines)
	}
	big := strings.Repeat("x", 100_000)
	s.set(func() { s.lines = []container.Line{{Text: big}, {Text: big}, {Text: big}} })
	s.eventually("of three large lines two are shown", func() bool { // an answer is shown for a moment
		shown := get[struct{ Lines []logLine }](s, "/api/v1/services/payment-service/logs").Lines
		return len(shown) == 2 && shown[0].Text == big
	})
	for err, want := range map[error]int{container.ErrNotFound: 404, container.ErrUnavailable: 503, &container.AmbiguousError{Ref: "x"}: 404} {
		s.set(func() { s.logsErr = err })
		s.eventually(fmt.Sprintf("%v is %d", err, want), func() bool { return s.status("GET", "/api/v1/services/payment-service/logs", "", nil) == want })
	}
}

func TestInfo(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	p := s.page()
	p.next()
	s.set(func() { s.config = "config.yaml:3:1: unknown key" })
	s.registry.Report(health.Problem{Part: health.Docker, What: "it does not answer"})
	p.events(func(kind string, data []byte) bool { return kind == "info" && len(decode[Info](t, data).Troubles) == 1 })
	info := get[Info](s, "/api/v1/info")
	if len(info.Receivers) != 1 || info.Receivers[0].Name != "phone" || info.Receivers[0].Kind != "ntfy" {
		t.Errorf("the receivers are %+v", info.Receivers)
	}
	if info.Version != "1.2.3" || info.Instance != me || info.Host != myHost || !info.Active || info.UptimeS <= 0 || info.Mode != "auto" ||
		!info.Bus.OK || info.Bus.Kind != "embedded" || !info.Docker.OK || info.LLM.Ready || info.LLM.Error == "" ||
		info.ConfigError == "" || len(info.Troubles) != 1 {
		t.Errorf("info = %+v", info)
	}
	_, body := s.do("GET", "/api/v1/info", "", nil)
	contains(t, body, `"part":"docker"`, `"on_hold":""`, `"brokers":["127.0.0.1:9092"]`, `"checks":{"late":3,"skipped":1}`)
	resp, body := s.do("GET", "/readyz", "", nil)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("readyz without Docker = %d", resp.StatusCode)
	}
	contains(t, body, "docker: it does not answer")
	s.registry.Clear(health.Docker)
	p.events(func(kind string, data []byte) bool { return kind == "info" && len(decode[Info](t, data).Troubles) == 0 })
}

func TestApply(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	p := s.page()
	p.next()
	added := plainService()
	added.Name = "added"
	s.dash.Apply([]service.Definition{payment(), added})
	for { // a service that was never published and is gone makes a snapshot
		if f := p.next(); f.Type == "snapshot" {
			var names []string
			for _, v := range f.Services {
				names = append(names, v.Name)
			}
			if got := strings.Join(names, ","); got != "added,payment-service" {
				t.Errorf("services = %s", got)
			}
			return
		}
	}
}

// A restart on the same log changes nothing but ages.
func TestRestartShowsTheSame(t *testing.T) {
	fill := func(s *site) {
		s.claim()
		s.service(event.Up, nil)
		for i := range 100 { // the last so long ago that the time it stands for is over
			s.health("payment-service", event.Up, time.Now().Add(time.Duration(i-110)*2*time.Second))
		}
		s.incident("i1", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("i1", 2, "payment-service", event.Suppressed{Gate: "operator", Reason: "it was stopped from outside"}, event.ByGuard)
	}
	s := serve(t, nil, fill)
	snapshot := func() string {
		_, services := s.do("GET", "/api/v1/services/payment-service", "", nil)
		_, incidents := s.do("GET", "/api/v1/incidents/i1", "", nil)
		_, history := s.do("GET", "/api/v1/services/payment-service/history", "", nil)
		return string(services) + string(incidents) + string(history)
	}
	before := snapshot()
	address := s.dash.Addr()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.eventually("it serves again", func() bool {
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if s.dash.Addr() != address {
		t.Errorf("address %s became %s", address, s.dash.Addr())
	}
	if after := snapshot(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestNewNamesMissingDependencies(t *testing.T) {
	if _, err := New(Deps{}); err == nil {
		t.Error("New without anything succeeded")
	}
	s := open(t, func(d *Deps) { d.Static = errFS{} })
	if _, err := New(s.deps); !errors.Is(err, testlog.ErrUnreachable) {
		t.Errorf("New with unreadable files: %v", err)
	}
}
