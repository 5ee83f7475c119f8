package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"logstream/internal/event"
)

// shop answers OK, but for /broken, and says secret things.
func shop(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, "classified")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestProbePrintsOneCheck(t *testing.T) {
	url := shop(t)
	path := written(t, fmt.Sprintf(`
services:
  - {name: good, url: "%[1]s/"}
  - {name: broken, url: "%[1]s/broken"}
  - {name: slow, url: "%[1]s/", expect: {latency: 1ns}}
  - {name: job, url: "push://job"}
  - {name: db, container: db}
`, url))
	for _, c := range []struct {
		service   string
		code      int
		out, fail string
	}{
		{"good", exitDone, "🟢 good is UP\n", ""},
		{"good", exitDone, "connected to     " + strings.TrimPrefix(url, "http://"), ""},
		{"good", exitDone, "answer           HTTP/1.1 200 OK", ""},
		{"broken", exitFailed, "🔴 broken is DOWN: HTTP 500, expected 200-399\n", ""},
		{"broken", exitFailed, "failure          status\n", ""},
		{"slow", exitFailed, "🟡 slow is DEGRADED: answered in ", ""},
		{"job", exitStartupFailure, "", `probe: "job" reports by itself`},
		{"db", exitStartupFailure, "", `probe: "db" has no check to run: its status is the state of its container`},
		{"goood", exitStartupFailure, "", `probe: unknown service "goood"; did you mean "good"?`},
	} {
		code, out, fail := logstream("probe", c.service, "--config", path)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(fail, c.fail) || c.fail == "" && fail != "" {
			t.Errorf("probe %s: exit %d\n%s%s", c.service, code, out, fail)
		}
	}
	var seen event.Probe
	code, out, _ := logstream("probe", "broken", "--json", "--config", path)
	if err := json.Unmarshal([]byte(out), &seen); err != nil || code != exitFailed || seen.Service != "broken" || seen.Check != "http" ||
		seen.Status != event.Down || seen.Code != 500 || seen.Failure != event.FailureStatus || seen.LatencyMS <= 0 || len(seen.Detail) < 4 {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	if code, _, fail := logstream("probe", "good", "--config", written(t, "servics: []\n")); code != exitStartupFailure || !strings.Contains(fail, "unknown key") {
		t.Errorf("a wrong file: exit %d, %s", code, fail)
	}
}

// TestDefinitionsOfTheAPIAreProbed has what an operator sends checked, and
// nothing said of files, the environment, or what an answer holds.
func TestDefinitionsOfTheAPIAreProbed(t *testing.T) {
	url := shop(t)
	t.Setenv("SHOP_SECRET", "s3cret")
	file := written(t, "s3cret")
	for _, c := range []struct{ definition, want string }{
		{`{"url": "` + url + `"}`, "UP "},
		{`{"name": "\ud83d\ude00", "url": "` + url + `", "interval": "1s", "expect": {"status": 200, "latency": "1m"}, "depends_on": null}`, "UP "},
		{`{"url": "` + url + `/broken"}`, "DOWN HTTP 500"},
		{`{"url": "` + url + `", "expect": {"body": "public"}}`, `DOWN the response body is something else (not shown here), expected to match "public"`},
		{`{"url": "` + url + `", "expect": {"json": {"a": 1}}}`, "DOWN the response body is something else (not shown here), expected JSON"},
		{`{}`, "error service.url: is missing"},
		{`{"ulr": "x"}`, "error service.ulr: unknown key; did you mean url?"},
		{`{"url": "` + url + `", "expect": {"statsu": 200}}`, "error service.expect.statsu: unknown key; did you mean status?"},
		{`{"url": "` + url + `", "url": "` + url + `"}`, "error service.url: is given twice\n"},
		{`{"url": "` + url + `", "expect": {"json": {"<<": 1, "<<": 2}}}`, "error service.expect.json.<<: is given twice\n"},
		{`{"url": "` + url + `", "failure_threshold": 99999999999999999999}`, "error service.failure_threshold: "},
		{`{"url": "` + url + `", "interval": "99999999999h"}`, "error service.interval: "},
		{`{"url": "disk:///etc"}`, "error service.url: disk:// reads this machine's files"},
		{`{"url": "DISK:///etc"}`, "error service.url: disk:// reads this machine's files"},
		{`{"url": "` + url + `", "request": {"method": "HEAD", "headers": {"X-A": "b"}}}`, "UP "},
		{`{"url": "` + url + `", "request": {"method": "POST"}}`, "error service.request.method: only GET and HEAD are allowed here"},
		{`{"url": "` + url + `", "request": {"method": "delete"}}`, "error service.request.method: only GET and HEAD are allowed here"},
		{`{"url": "` + url + `", "request": {"body": "{}"}}`, "error service.request.body: none is allowed here"},
		{`{"url": "tcp://` + strings.TrimPrefix(url, "http://") + `", "request": {"body": "POST /containers/create HTTP/1.1\\r\\n\\r\\n"}}`, "error service.request.body: none is allowed here"},
		{`{"url": "ws` + strings.TrimPrefix(url, "http") + `/containers/x/attach/ws?stdin=1", "request": {"body": "exit\\n"}}`, "error service.request.body: none is allowed here"},
		{`{"url": "postgres://a@/x?host=/var/run"}`, "error service.url: "},
		{`{"url": "postgres://a@%2Fvar%2Frun/x"}`, "error service.url: "},
		{`{"url": "postgres://a@h/x?sslrootcert=` + file + `"}`, "a key in its query that postgres:// does not take"},
		{`{"url": "postgres://a@h/x?passfile=` + file + `"}`, "a key in its query that postgres:// does not take"},
		{`{"url": "mysql://a@unix(/tmp/mysql.sock)/x"}`, "error service.url: "},
		{`{"url": "mysql://a@h/x?allowAllFiles=true"}`, "a key in its query that mysql:// does not take"},
		{`{"url": "redis://h/0?socket=/tmp/x"}`, "takes none"},
		{`{"url": "kafka://h/t?cert=/tmp/x"}`, "takes none"},
		{`{"url": "dns:///shop.test?resolv=/tmp/x"}`, "does not take"},
		{`{"container": "shop"}`, "error \"probe\" has no check to run: its status is the state of its container"},
		{`{"url": "docker://shop"}`, "error \"probe\" has no check to run: its status is the state of its container"},
		{`{"url": "` + url + `", "timeout": "5"}`, `error service.timeout: "5" is not a duration`},
		{`{"url": "` + url + `", "interval": "1h", "timeout": "1m"}`, "error service.timeout: must be at most 20s here"},
		{`{"url": "` + url + `", "expect": {"body": "("}}`, `error service.expect.body: "(" is not a regular expression`},
		{`{"url": "` + url + `", "request": {"bearer": "${SHOP_SECRET}"}}`, `error service.request.bearer: "***" has a ${…}, which is not replaced here`},
		{`{"url": "` + url + `/${SHOP_SECRET:-x}"}`, `has a ${…}, which is not replaced here`},
		{`{"url": "https://localhost:1", "tls": {"ca": "` + file + `"}}`, "error service.tls: only server_name and insecure are allowed here"},
		{`{"url": "https://localhost:1", "tls": {"cert": "` + file + `", "key": "` + file + `"}}`, "error service.tls: only server_name and insecure are allowed here"},
		{`{"url": "file://` + file + `"}`, `has the scheme "file"`},
		{`{"url": "push://x"}`, `error "probe" reports by itself`},
		{`{"url": "docker://x"}`, `error "probe" has no check to run: its status is the state of its container x`},
		{`{"url": ` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "error service is nested deeper than"},
	} {
		seen, err := probeDefinition(context.Background(), json.RawMessage(c.definition))
		got := fmt.Sprintf("%s %s", seen.Status, seen.Error)
		if err != nil {
			got = "error " + err.Error()
		}
		if !strings.Contains(got+"\n", c.want) {
			t.Errorf("%s: %s, want %s", c.definition, got, c.want)
		}
		for _, secret := range []string{"s3cret", "classified"} {
			if strings.Contains(got+fmt.Sprint(seen), secret) {
				t.Errorf("%s shows %s: %s %+v", c.definition, secret, got, seen)
			}
		}
	}
}
