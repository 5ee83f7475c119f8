package dashboard

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"logstream/internal/event"
)

// goText says whether an answer holds a text of Go's own libraries that the
// request did not hold.
func goText(answer, request string) bool {
	for _, text := range []string{"json:", "strconv", "http:", "unmarshal", "invalid character", "unexpected end", "Go struct", "time:"} {
		if strings.Contains(answer, text) && !strings.Contains(request, text) {
			return true
		}
	}
	return false
}

// everyPath is every address, and the methods that it takes.
func everyPath() map[string][]string {
	paths := map[string][]string{"/ws": {"GET"}, "/healthz": {"GET"}, "/readyz": {"GET"}, "/": {"GET"}, "/incidents/x": {"GET"}, "/js/app.js": {"GET"}}
	for pattern, answers := range (&run{limits: newLimits()}).api() {
		paths[strings.NewReplacer("{name}", "payment-service", "{id}", "x").Replace(pattern)] = slices.Collect(maps.Keys(answers))
	}
	return paths
}

// unlimited is a site on which the rate of requests is not what is tested.
func unlimited(t *testing.T) *site {
	s := serve(t, nil, (*site).claim, waiting)
	s.dash.limits.commands.SetLimit(rate.Inf)
	s.dash.limits.health.SetLimit(rate.Inf)
	return s
}

func TestAnotherMethodIsRefusedWithThoseThatAreAllowed(t *testing.T) {
	s := unlimited(t)
	for path, methods := range everyPath() {
		allowed := slices.Clone(methods)
		if slices.Contains(allowed, "GET") {
			allowed = append(allowed, "HEAD")
		}
		slices.Sort(allowed)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FETCH"} {
			resp, body := s.do(method, path, "", nil)
			if slices.Contains(allowed, method) {
				if resp.StatusCode == http.StatusMethodNotAllowed {
					t.Errorf("%s %s = 405", method, path)
				}
				continue
			}
			if got := resp.Header.Get("Allow"); resp.StatusCode != http.StatusMethodNotAllowed || got != strings.Join(allowed, ", ") {
				t.Errorf("%s %s = %d, Allow %q, want 405, %v", method, path, resp.StatusCode, got, allowed)
			}
			if method != "HEAD" && decode[failure](t, body).Error == "" {
				t.Errorf("%s %s says %s", method, path, body)
			}
		}
	}
}

// changes are all calls that change something, each with a body that it takes.
var changes = []struct{ method, path, body string }{
	{"POST", "/api/v1/services/payment-service/chaos", `{"fault":"stop"}`},
	{"POST", "/api/v1/services/payment-service/heal", `{"action":"start"}`},
	{"POST", "/api/v1/services/payment-service/propose", `{"action":"start","reason":"it looks stuck"}`},
	{"POST", "/api/v1/services/payment-service/silence", `{"for":"10m"}`},
	{"DELETE", "/api/v1/services/payment-service/silence", ``},
	{"POST", "/api/v1/hold", `{}`},
	{"POST", "/api/v1/incidents/x/approve", `{"reason":"go on"}`},
	{"POST", "/api/v1/incidents/x/deny", `{"reason":"not now"}`},
	{"POST", "/api/v1/incidents/x/undo", `{"attempt":1}`},
	{"POST", "/api/v1/incidents/x/acknowledge", `{}`},
	{"POST", "/api/v1/incidents/x/note", `{"text":"a disk is ordered"}`},
	{"DELETE", "/api/v1/hold", ``},
	{"POST", "/api/v1/probe", `{"service":{"url":"http://127.0.0.1:1"}}`},
	{"POST", "/api/v1/definition", `{"service":{"name":"a","url":"http://127.0.0.1:1"}}`},
	{"POST", "/api/v1/notify/test", `{"receiver":"phone"}`},
	{"POST", "/api/v1/health-logs", `{"timestamp":1,"service":"x","status":"UP","code":200}`},
}

func TestEveryChangeIsInTheTable(t *testing.T) {
	for path, methods := range everyPath() {
		for _, method := range methods {
			listed := slices.ContainsFunc(changes, func(c struct{ method, path, body string }) bool { return c.method == method && c.path == path })
			if listed != (method != "GET") {
				t.Errorf("%s %s: listed is %v", method, path, listed)
			}
		}
	}
}

func TestChangesAreOpenToProgramsAndClosedToForeignPages(t *testing.T) {
	s := unlimited(t)
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Origin")
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	attacks := []struct {
		name string
		edit func(*http.Request)
		want int
	}{
		{"foreign Origin", header("Origin", "https://evil.example"), 403},
		{"foreign Origin of this machine", header("Origin", "http://127.0.0.1:1"), 403},
		{"opaque Origin", header("Origin", "null"), 403},
		{"another site", header("Sec-Fetch-Site", "cross-site"), 403},
		{"another port of this site", header("Sec-Fetch-Site", "same-site"), 403},
		{"foreign Host", func(r *http.Request) { r.Header.Del("Origin"); r.Host = "evil.example" }, 403},
		{"foreign Host and Origin", func(r *http.Request) {
			r.Host = "evil.example"
			r.Header.Set("Origin", "http://evil.example")
		}, 403},
		{"a form", header("Content-Type", "application/x-www-form-urlencoded"), 415},
		{"plain text", header("Content-Type", "text/plain;charset=UTF-8"), 415},
		{"no type", func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
	}
	for _, change := range changes {
		for _, attack := range attacks {
			resp, body := s.do(change.method, change.path, change.body, attack.edit)
			if resp.StatusCode != attack.want || decode[failure](t, body).Error == "" {
				t.Errorf("%s %s, %s: %d %s, want %d", change.method, change.path, attack.name, resp.StatusCode, body, attack.want)
			}
		}
	}
	if got := len(s.log.On(event.TopicCommands)) + len(s.log.On(event.TopicHealth)); got != 0 {
		t.Errorf("%d records were written", got)
	}
	for _, change := range changes {
		for name, edit := range map[string]func(*http.Request){"a program": header(), "our page": nil, "our page, in a newer browser": header("Sec-Fetch-Site", "same-origin")} {
			if resp, body := s.do(change.method, change.path, change.body, edit); !slices.Contains([]int{http.StatusOK, http.StatusAccepted, http.StatusConflict}, resp.StatusCode) {
				t.Errorf("%s %s by %s: %d %s", change.method, change.path, name, resp.StatusCode, body)
			}
		}
	}
}

func TestCommandsSayWhoCalled(t *testing.T) {
	s := unlimited(t)
	for name, tt := range map[string]struct {
		header, value string
		want          string
	}{
		"a program":       {"Origin", "", "operator:api"},
		"the page":        {"Origin", s.url, "operator:dashboard"},
		"a newer browser": {"Sec-Fetch-Site", "same-origin", "operator:dashboard"},
	} {
		resp, body := s.do("POST", "/api/v1/hold", "{}", func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set(tt.header, tt.value) })
		if resp.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: %d %s", name, resp.StatusCode, body)
		}
		id := decode[struct{ Command string }](t, body).Command
		if got := get[commandRecord](s, "/api/v1/commands/"+id).By; got != tt.want {
			t.Errorf("a command of %s is by %q, want %q", name, got, tt.want)
		}
	}
}

func TestEveryCommandIsReadStrictly(t *testing.T) {
	s := unlimited(t)
	bodies := map[string]string{
		`{"nonsense":1}`: "unknown field", `{"":1}`: "unknown field", `[]`: "expected a JSON object", `null`: "expected a JSON object",
		`"x"`: "expected a JSON object", `7`: "expected a JSON object", `{`: "not valid JSON", `{}{}`: "not valid JSON", `{} x`: "not valid JSON",
		`{"a":}`: "not valid JSON", "\x00": "not valid JSON", `{"a":1,}`: "not valid JSON",
		strings.Repeat("[", 20000): "not valid JSON", strings.Repeat(" ", maxBody+1): "larger than",
	}
	for _, change := range changes {
		if change.path == "/api/v1/health-logs" {
			continue
		}
		for body, want := range bodies {
			resp, answer := s.do(change.method, change.path, body, nil)
			got := decode[failure](t, answer).Error
			if resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(got, want) || goText(got, "") {
				t.Errorf("%s %s with %.40q: %d %q, want %q", change.method, change.path, body, resp.StatusCode, got, want)
			}
		}
	}
	if got := len(s.log.On(event.TopicCommands)); got != 0 {
		t.Errorf("%d commands were written", got)
	}
}

func TestFieldsOfCommands(t *testing.T) {
	s := unlimited(t)
	const hold, heal, chaos = "/api/v1/hold", "/api/v1/services/payment-service/heal", "/api/v1/services/payment-service/chaos"
	for _, tt := range []struct {
		path, body string
		want       string // the answer; empty: 202
	}{
		{hold, ``, ""},
		{hold, "  \n", ""},
		{hold, `{}`, ""},
		{hold, `{"for":"30m","reason":"release"}`, ""},
		{hold, `{"fro":"1s"}`, `unknown field "fro"; did you mean "for"?`},
		{hold, `{"FOR":"1s"}`, `unknown field "FOR"; did you mean "for"?`},
		{hold, `{"For":"1s","for":"1s"}`, `unknown field "For"; did you mean "for"?`},
		{hold, `{"for":"1s","for":"2h"}`, `the field "for" is given twice`},
		{hold, `{"for":"1s","\u0066or":"2h"}`, `the field "for" is given twice`},
		{hold, `{"duration":"1s"}`, `unknown field "duration"; the fields are for, reason`},
		{hold, `{"for":60}`, `"for" must be a string, not a number`},
		{hold, `{"for":null}`, `"for" must be a string, not null`},
		{hold, `{"for":["1s"]}`, `"for" must be a string, not an array`},
		{hold, `{"reason":{}}`, `"reason" must be a string, not an object`},
		{hold, `{"reason":false}`, `"reason" must be a string, not true or false`},
		{hold, `{"for":""}`, `"for" must be a duration up to 720h, such as 30m, not ""`},
		{hold, `{"for":"soon"}`, `"for" must be a duration up to 720h, such as 30m, not "soon"`},
		{hold, `{"for":"30"}`, `"for" must be a duration up to 720h, such as 30m, not "30"`},
		{hold, `{"for":"0s"}`, `"for" must be a duration up to 720h, such as 30m, not "0s"`},
		{hold, `{"for":"-1m"}`, `"for" must be a duration up to 720h, such as 30m, not "-1m"`},
		{hold, `{"for":"721h"}`, `"for" must be a duration up to 720h, such as 30m, not "721h"`},
		{heal, `{"action":"start"}`, ""},
		{heal, `{"acton":"start"}`, `unknown field "acton"; did you mean "action"?`},
		{heal, `{"action":1}`, `"action" must be a string, not a number`},
		{heal, `{"action":"strat"}`, `unknown action "strat"; did you mean "start"?`},
		{heal, `{"action":"rm\n-rf"}`, `unknown action "rm\n-rf"; the actions are start, unpause, connect, restart, kill_start, run, raise_memory, rollback, recreate`},
		{chaos, `{"fault":"stop"}`, ""},
		{chaos, `{"fault":"stop","undo":"yes"}`, `"undo" must be true or false, not a string`},
		{chaos, `{}`, `"fault" is missing; the faults are stop, kill`},
		{chaos, ``, `"fault" is missing; the faults are stop, kill`},
		{chaos, `{"fault":"kil"}`, `unknown fault "kil"; did you mean "kill"?`},
	} {
		before := len(s.log.On(event.TopicCommands))
		resp, body := s.do("POST", tt.path, tt.body, nil)
		switch written := len(s.log.On(event.TopicCommands)) - before; {
		case tt.want == "" && (resp.StatusCode != http.StatusAccepted || written != 1):
			t.Errorf("%s %s: %d %s, %d commands", tt.path, tt.body, resp.StatusCode, body, written)
		case tt.want != "" && (resp.StatusCode != http.StatusBadRequest || decode[failure](t, body).Error != tt.want || written != 0):
			t.Errorf("%s %s: %d %s, %d commands, want %s", tt.path, tt.body, resp.StatusCode, body, written, tt.want)
		}
	}
}

func TestFieldsOfHealthLogs(t *testing.T) {
	s := unlimited(t)
	for _, tt := range []struct {
		body string
		want string // the answer; empty: 202
	}{
		{`{"service":"x","status":"UP"}`, ""},
		{`{"service":"x","status":"UP","region":"eu","tags":{"a":[1]},"host":7}`, ""},
		{`{"service":"x","status":"DOWN","error":null,"code":null,"latency_ms":null}`, ""},
		{`{"Service":"x","status":"UP"}`, "record 1: service is missing"},
		{`{"service":"x","STATUS":"UP"}`, "record 1: status is missing"},
		{`{"service":"x","status":"UP","status":"DOWN"}`, `record 1: the field "status" is given twice`},
		{`{"service":"x","status":"up"}`, `record 1: status is "up", not UP, DEGRADED or DOWN`},
		{`{"service":"x","status":"UP","timestamp":"now"}`, `record 1: "timestamp" must be a number, not a string`},
		{`{"service":"x","status":"UP","timestamp":1e999}`, `record 1: "timestamp" is out of range`},
		{`{"service":"x","status":"UP","timestamp":-1}`, `record 1: timestamp -1 is not seconds since the epoch`},
		{`{"service":"x","status":"UP","code":200.5}`, `record 1: "code" must be an integer, not 200.5`},
		{`[{"service":"x","status":"UP"},{"service":7}]`, `record 2: "service" must be a string, not a number`},
		{`[{"service":"x","status":"UP"},null]`, `record 2: expected a JSON object`},
		{`[{"service":"x"`, `not valid JSON at byte 15`},
		{`{"service":"x"}]`, `record 1: not valid JSON at byte 16`},
		{`7`, `record 1: expected a JSON object`},
		{``, `the body is empty`},
	} {
		resp, body := s.do("POST", "/api/v1/health-logs", tt.body, nil)
		if tt.want == "" && resp.StatusCode != http.StatusAccepted ||
			tt.want != "" && (resp.StatusCode != http.StatusBadRequest || decode[failure](t, body).Error != tt.want) {
			t.Errorf("%s: %d %s, want %q", tt.body, resp.StatusCode, body, tt.want)
		}
	}
}

func TestTimestampOfHealthLogsDefaultsToNow(t *testing.T) {
	s := unlimited(t)
	before := time.Now().Truncate(time.Microsecond)
	if got := s.status("POST", "/api/v1/health-logs", `[{"service":"x","status":"UP"},{"service":"x","status":"UP","timestamp":7}]`, nil); got != http.StatusAccepted {
		t.Fatal(got)
	}
	written := s.log.On(event.TopicHealth)
	var at [2]time.Time
	for i := range at {
		h, err := event.DecodeHealthLog(written[i].Value)
		if err != nil {
			t.Fatal(err)
		}
		at[i] = h.Time()
	}
	if at[0].Before(before) || at[0].After(time.Now()) || !at[1].Equal(time.Unix(7, 0)) {
		t.Errorf("timestamps are %v, want now and %v", at, time.Unix(7, 0))
	}
}

// Queries are read with the same care, and named with what they may be.
func TestWrongQueryParametersGetASentence(t *testing.T) {
	s := unlimited(t)
	for query, want := range map[string]string{
		"services/payment-service/history?window=2y":   `"window" must be a duration from 15m to 30d, or 1y, not "2y"`,
		"services/payment-service/history?window=soon": `"window" must be a duration from 15m to 30d, or 1y, not "soon"`,
		"services/payment-service/history?window=xd":   `"window" must be a duration from 15m to 30d, or 1y, not "xd"`,
		"services/payment-service/history?window=1m":   `"window" must be a duration from 15m to 30d, or 1y, not "1m"`,
		"services/payment-service/logs?tail=x":         `"tail" must be a number from 1 to 1000`,
		"incidents?limit=0":                            `"limit" must be a number from 1 to 500`,
		"incidents?state=broken":                       `"state" must be open, resolved or escalated`,
	} {
		resp, body := s.do("GET", "/api/v1/"+query, "", nil)
		if got := decode[failure](t, body).Error; resp.StatusCode != http.StatusBadRequest || got != want {
			t.Errorf("%s: %d %q, want %q", query, resp.StatusCode, got, want)
		}
	}
}
