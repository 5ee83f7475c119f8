package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"logstream/internal/event"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// recorded is what a real sender sent: Alertmanager 0.25, Gatus 4.3.2 and 5.36
// (the files gatus5), and Uptime Kuma 2.0.0-dev.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func configured(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

var ours = configured("payment-service", "inventory-service")

// seen is an observation in one line.
func seen(h event.HealthLog) string {
	return fmt.Sprintf("%s %s %s/%s %q", h.Service, h.Status, h.Instance, h.Check, h.Error)
}

func TestWhatRealMonitorsSendBecomesObservations(t *testing.T) {
	for name, want := range map[string][]string{
		"alertmanager_firing": {
			`payment-service DOWN other/ServiceDown "payment-service does not answer"`,
			`inventory-service DEGRADED other/ServiceDown "inventory-service is slow"`,
		},
		"alertmanager_resolved": {
			`payment-service UP other/ServiceDown ""`,
			`inventory-service DEGRADED other/ServiceDown "inventory-service is slow"`,
		},
		"gatus_triggered":  {`payment-service DOWN other/gatus "a condition of the endpoint failed"`},
		"gatus_resolved":   {`payment-service UP other/gatus ""`},
		"gatus5_triggered": {`payment-service DOWN other/gatus "Get \"http://127.0.0.1:5996/\": dial tcp 127.0.0.1:5996: connect: connection refused"`},
		"gatus5_resolved":  {`payment-service UP other/gatus ""`},
		"uptime-kuma_down": {`payment-service DOWN other/http "connect ECONNREFUSED 127.0.0.1:5996"`},
		"uptime-kuma_up":   {`payment-service UP other/http ""`},
	} {
		t.Run(name, func(t *testing.T) {
			kind, _, _ := strings.Cut(strings.Replace(name, "gatus5", "gatus", 1), "_")
			got, err := Config{Name: "other", Kind: kind}.Read(recorded(t, name), ours, noon)
			if err != nil || len(got.Skipped) > 0 {
				t.Fatalf("%v, skipped %v", err, got.Skipped)
			}
			var lines []string
			for _, h := range got.Observations {
				lines = append(lines, seen(h))
				if !h.Time().Equal(noon) || h.Host != "" || h.Nonce != "" || h.Until <= h.Timestamp {
					t.Errorf("got %+v", h)
				}
			}
			if !slices.Equal(lines, want) {
				t.Errorf("got  %s\nwant %s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	up, err := Config{Name: "other", Kind: UptimeKuma}.Read(recorded(t, "uptime-kuma_up"), ours, noon)
	if err != nil || up.Observations[0].LatencyMS != 6 {
		t.Errorf("the ping is %+v, %v", up, err)
	}
}

func TestBodies(t *testing.T) {
	alert := func(status, labels string) string {
		return fmt.Sprintf(`{"version":"4","alerts":[{"status":%q,"labels":%s}]}`, status, labels)
	}
	for _, tt := range []struct {
		name, kind, body, want string // want: an observation, a reason after "skipped: ", or an error after "error: "
	}{
		{"an alert for a job", Alertmanager, alert("firing", `{"alertname":"A","job":"payment-service","instance":"x:1"}`), `payment-service DOWN other/A "the alert A is firing"`},
		{"of the labels the configured one", Alertmanager, alert("firing", `{"alertname":"A","job":"node","instance":"payment-service"}`), `payment-service DOWN other/A "the alert A is firing"`},
		{"none of them is configured", Alertmanager, alert("firing", `{"job":"node","instance":"x:1"}`), `node DOWN other/alertmanager "the alert  is firing"`},
		{"a service under another name", Alertmanager, alert("resolved", `{"alertname":"A","job":"payment-service","instance":"theirs:1"}`), `our-service UP other/A ""`},
		{"no label of a service", Alertmanager, alert("firing", `{"alertname":"A"}`), "skipped: alert 1: no label names a service"},
		{"the watchdog", Alertmanager, alert("firing", `{"alertname":"Watchdog","job":"prometheus","severity":"none"}`), "skipped: alert 1: its severity is none"},
		{"an alert on our own metrics", Alertmanager, alert("firing", `{"alertname":"LogStreamServiceDown","service":"web","origin":"logstream"}`), "skipped: alert 1: it is an alert about LogStream itself"},
		{"a status to come", Alertmanager, alert("muted", `{"job":"a"}`), "skipped: alert 1: its status"},
		{"a name that no service can have", Alertmanager, alert("firing", `{"service":"a\u0000b"}`), "skipped: "},
		{"a reserved name", Alertmanager, alert("firing", `{"service":"logstream"}`), "skipped: "},
		{"no alerts", Alertmanager, `{}`, `error: "alerts" is missing`},
		{"labels that are none", Alertmanager, `{"alerts":[{"labels":[1]}]}`, `error: "alerts.labels" must not be an array`},
		{"two alerts of one source", Alertmanager, `{"alerts":[{"status":"firing","labels":{"alertname":"A","service":"x","i":"1"}},{"status":"resolved","labels":{"alertname":"A","service":"x","i":"2"}}]}`, `x DOWN other/A "the alert A is firing"`},
		{"the worse comes later", Alertmanager, `{"alerts":[{"status":"resolved","labels":{"alertname":"A","service":"x"}},{"status":"firing","labels":{"alertname":"A","service":"x"}}]}`, `x DOWN other/A "the alert A is firing"`},
		{"a secret in a text", Alertmanager, `{"alerts":[{"status":"firing","labels":{"service":"x"},"annotations":{"summary":"GET http://u:hunter2@h/ password=abc\nfailed"}}]}`, `x DOWN other/alertmanager "GET http://u:***@h/ password=*** failed"`},

		{"in a group", Gatus, `{"endpoint":"api","group":"core","status":"TRIGGERED"}`, `core/api DOWN other/gatus "a condition of the endpoint failed"`},
		{"in no group", Gatus, `{"endpoint":"api","group":"","status":"RESOLVED"}`, `api UP other/gatus ""`},
		{"a placeholder of one's own", Gatus, `{"endpoint":"api","status":"bad"}`, `error: "status" must be TRIGGERED or RESOLVED`},
		{"another body", Gatus, `{"text":"down"}`, `error: "endpoint" is missing`},

		{"a test", UptimeKuma, `{"heartbeat":null,"monitor":null,"msg":"logstream Testing"}`, "skipped: the message has no heartbeat"},
		{"pending", UptimeKuma, `{"heartbeat":{"status":2},"monitor":{"name":"a"},"msg":"m"}`, "skipped: the heartbeat is neither up nor down"},
		{"in maintenance", UptimeKuma, `{"heartbeat":{"status":3},"monitor":{"name":"a"},"msg":"m"}`, "skipped: the heartbeat is neither up nor down"},
		{"in a group of Kuma's", UptimeKuma, `{"heartbeat":{"status":0,"msg":"gone"},"monitor":{"name":"payment-service","pathName":"Shop / payment-service","type":"docker"},"msg":"m"}`, `payment-service DOWN other/docker "gone"`},
		{"no status", UptimeKuma, `{"heartbeat":{},"monitor":{"name":"a"},"msg":"m"}`, `error: "heartbeat.status" or "monitor.name" is missing`},
		{"nothing of it", UptimeKuma, `{}`, `error: "heartbeat.status" or "monitor.name" is missing`},

		{"a record", Generic, `{"service":"a","status":"down","error":"e","check":"c","code":503}`, `a DOWN other/c "e"`},
		{"without an error", Generic, `{"service":"a","status":"DEGRADED"}`, `a DEGRADED other/generic "other reports DEGRADED"`},
		{"an error with UP", Generic, ` [{"service":"a","status":"UP","error":"e","instance":"here-1","host":"local","nonce":"n"}]`, `a UP other/generic ""`},
		{"another status", Generic, `{"service":"a","status":"firing"}`, `error: record 1: "status" must be UP, DEGRADED or DOWN`},
		{"no service", Generic, `[{"service":"a","status":"UP"},{"status":"UP"}]`, `error: record 2: "service" is missing`},
		{"a latency below zero", Generic, `{"service":"a","status":"UP","latency_ms":-1}`, `error: record 1: "latency_ms" must not be negative`},
		{"nothing", Generic, ` `, "error: the body is empty"},
		{"no JSON", Generic, `{"service":`, "error: not valid JSON at byte 11"},
		{"a number", Gatus, `3`, "error: the body must not be a number"},
	} {
		t.Run(tt.kind+"/"+tt.name, func(t *testing.T) {
			c := Config{Name: "other", Kind: tt.kind, Services: Names{"theirs:1": "our-service"}}
			read, err := c.Read([]byte(tt.body), ours, noon)
			got := ""
			switch {
			case err != nil:
				got = "error: " + err.Error()
			case len(read.Observations) == 1:
				got = seen(read.Observations[0])
			case len(read.Skipped) > 0:
				got = "skipped: " + read.Skipped[0]
			}
			if !strings.HasPrefix(got, tt.want) || strings.HasSuffix(tt.want, `"`) && got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestABodyIsBounded(t *testing.T) {
	many := func(n int) []byte {
		one := map[string]any{"status": "firing", "labels": map[string]string{"alertname": "A"}}
		body, err := json.Marshal(map[string]any{"alerts": slices.Repeat([]any{one}, n)})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	c := Config{Name: "am", Kind: Alertmanager}
	if read, err := c.Read(many(MaxReports), ours, noon); err != nil || len(read.Skipped) != maxSkipped {
		t.Errorf("%d alerts: %v, %d reasons", MaxReports, err, len(read.Skipped))
	}
	if _, err := c.Read(many(MaxReports+1), ours, noon); !errors.As(err, new(*TooManyError)) {
		t.Errorf("one more: %v", err)
	}
	long := strings.Repeat("é", 3000)
	body, _ := json.Marshal(map[string]string{"service": "a", "status": "DOWN", "error": long, "check": long})
	read, err := Config{Name: "x", Kind: Generic}.Read(body, ours, noon)
	if err != nil || len(read.Observations[0].Error) > maxError+100 || len([]rune(read.Observations[0].Check)) != maxName {
		t.Errorf("long texts become %+v, %v", read, err)
	}
}

func TestAHookIsFoundByItsOwnTokenAlone(t *testing.T) {
	hooks := []Config{{Name: "a", Kind: Gatus, Token: "token-of-a"}, {Name: "b", Kind: Gatus, Token: "token-of-b"}, {Name: "c", Kind: Generic, Token: "token-of-c"}, {Name: "none", Kind: Generic}}
	for _, tt := range []struct{ kind, token, want string }{
		{Gatus, "token-of-a", "a"}, {Gatus, "token-of-b", "b"}, {Gatus, "token-of-c", ""}, {Generic, "token-of-c", "c"},
		{Gatus, "", ""}, {Generic, "", ""}, {Gatus, "token-of-", ""}, {Gatus, "token-of-aa", ""},
	} {
		if got, is := Find(hooks, tt.kind, tt.token); got.Name != tt.want || is != (tt.want != "") {
			t.Errorf("%s with %q finds %q, %v", tt.kind, tt.token, got.Name, is)
		}
	}
}

func TestProblems(t *testing.T) {
	good := Config{Name: "kuma", Kind: UptimeKuma, Token: "0123456789abcdef"}
	for name, tt := range map[string]struct {
		change func(*Config)
		key    string // empty: nothing is wrong
	}{
		"nothing":               {func(*Config) {}, ""},
		"no name":               {func(c *Config) { c.Name = "" }, "name"},
		"a name like the API's": {func(c *Config) { c.Name = "api:x" }, "name"},
		"another kind":          {func(c *Config) { c.Kind = "kuma" }, "kind"},
		"no token":              {func(c *Config) { c.Token = "" }, "token"},
		"a short token":         {func(c *Config) { c.Token = "short" }, "token"},
		"a token with a space":  {func(c *Config) { c.Token = "0123456789 abcdef" }, "token"},
	} {
		c := good
		tt.change(&c)
		var keys []string
		for _, p := range c.Problems() {
			keys = append(keys, p.Key)
			if c.Token != "" && strings.Contains(p.Value+p.Message, c.Token) {
				t.Errorf("%s: the token is shown: %+v", name, p)
			}
		}
		if strings.Join(keys, " ") != tt.key {
			t.Errorf("%s: wrong are %v, want %q", name, keys, tt.key)
		}
	}
}

func TestNamesAreRead(t *testing.T) {
	var n Names
	if err := yaml.Unmarshal([]byte(`{"My Shop": payment-service}`), &n); err != nil || !reflect.DeepEqual(n, Names{"My Shop": "payment-service"}) {
		t.Errorf("got %v, %v", n, err)
	}
	for _, wrong := range []string{`[a]`, `{a: [b]}`, `{a: ""}`, `{a: logstream}`} {
		if err := yaml.Unmarshal([]byte(wrong), &n); err == nil {
			t.Errorf("%s is read as %v", wrong, n)
		}
	}
}

// Whatever is sent, what is published reads as an observation of this hook.
func fuzz(f *testing.F, kind string) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"service":"x","status":"up","latency_ms":1e308,"code":-1}`))
	f.Add([]byte(`[{"service":"logstream","status":"DOWN"},null]`))
	f.Add([]byte(`{"heartbeat":{"status":1,"ping":-1e308},"monitor":{"name":"\ufffd","type":"container"}}`))
	c := Config{Name: "fuzz", Kind: kind, Services: Names{"x": "ours"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		read, err := c.Read(body, ours, noon)
		if err != nil {
			if text := err.Error(); text == "" || strings.ContainsAny(text, "\n\r") || len(text) > 2*maxError {
				t.Fatalf("%q is refused with %q", body, text)
			}
			return
		}
		if len(read.Skipped) > maxSkipped || len(read.Observations) > MaxReports {
			t.Fatalf("%q becomes %d observations and %d reasons", body, len(read.Observations), len(read.Skipped))
		}
		for _, h := range read.Observations {
			again, err := event.DecodeHealthLog(event.Encode(h))
			if err != nil || again != h {
				t.Fatalf("%q is published as %s, and read as %+v, %v", body, event.Encode(h), again, err)
			}
			if h.Origin != (event.Origin{Instance: "fuzz"}) || h.Failure != "" || h.Revision != 0 {
				t.Fatalf("%q is published as %+v", body, h)
			}
		}
	})
}

func FuzzAlertmanager(f *testing.F) { fuzz(f, Alertmanager) }
func FuzzGatus(f *testing.F)        { fuzz(f, Gatus) }
func FuzzUptimeKuma(f *testing.F)   { fuzz(f, UptimeKuma) }
func FuzzGeneric(f *testing.F)      { fuzz(f, Generic) }
