//go:build unix

package failtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"logstream/internal/event"
	"logstream/internal/service"
)

// expectations are answers over HTTP that are not as expected.
func expectations(t testing.TB, ca *authority) []Case {
	t.Helper()
	answers := server(t, nil, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusUnauthorized)
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/again":
			http.Redirect(w, r, "/again", http.StatusFound)
		case "/elsewhere":
			w.Header().Set("Location", "gopher://shop/")
			w.WriteHeader(http.StatusFound)
		case "/hangs":
			sleep([]byte("o"))(w, r)
		default:
			fmt.Fprint(w, `{"status": "failing", "queue": {"length": 7}}`)
		}
	})
	expect := func(change func(*service.Expect)) func(*service.Definition) {
		return func(d *service.Definition) { change(&d.Expect) }
	}
	request := func(change func(*service.Request)) func(*service.Definition) {
		return func(d *service.Definition) { change(&d.Request) }
	}
	json := func(path, value string) func(*service.Definition) {
		return expect(func(e *service.Expect) { e.JSON = map[string]string{path: value} })
	}
	redirects := request(func(r *service.Request) { r.Redirects = true })
	return []Case{
		{Name: "login refused", URL: strings.Replace(answers, "://", "://me:s3cret@", 1) + "/refused", Failure: event.FailureAuth, Code: 401},
		{Name: "token refused", URL: answers + "/forbidden", Change: request(func(r *service.Request) { r.Bearer = "s3cret" }), Failure: event.FailureAuth, Code: 403},
		{Name: "body not as expected", URL: answers, Change: expect(func(e *service.Expect) { e.Body = `"ok"` }), Failure: event.FailureBody, Code: 200},
		{Name: "body hangs, and something is expected", URL: answers + "/hangs", Timeout: hang, Change: expect(func(e *service.Expect) { e.Body = "ok" }), Failure: event.FailureBodyTimeout, Code: 200},
		{Name: "JSON value not as expected", URL: answers, Change: json("status", "ok"), Failure: event.FailureBody, Code: 200},
		{Name: "JSON number too large", URL: answers, Change: json("queue.length", "<5"), Failure: event.FailureBody, Code: 200},
		{Name: "JSON value missing", URL: answers, Change: json("queue.age", "<5"), Failure: event.FailureBody, Code: 200},
		{Name: "header not as expected", URL: answers, Change: expect(func(e *service.Expect) { e.Headers = map[string]string{"Content-Type": "^application/json"} }), Failure: event.FailureBody, Code: 200},
		{Name: "header missing", URL: answers, Change: expect(func(e *service.Expect) { e.Headers = map[string]string{"X-Version": "."} }), Failure: event.FailureBody, Code: 200},
		{Name: "redirections without end", URL: answers + "/again", Change: redirects, Failure: event.FailureStatus, Code: 302},
		{Name: "redirected to what is not HTTP", URL: answers + "/elsewhere", Change: redirects, Failure: event.FailureProtocol, Code: 302},
		{Name: "certificate ends soon", URL: server(t, ca.config(t, endsSoon), func(http.ResponseWriter, *http.Request) {}),
			Change: expect(func(e *service.Expect) { e.CertificateDays = 14 }), Status: event.Degraded, Failure: event.FailureTLSCertificate, Code: 200},
		{Name: "client certificate wanted, and none given", URL: lingeringServer(t, with(ca.config(t, valid), wantsClient)), Failure: event.FailureProtocol},
		{Name: "file of authorities missing", URL: server(t, ca.config(t, valid), func(http.ResponseWriter, *http.Request) {}),
			Change: func(d *service.Definition) { d.TLS.CA = "/nonexistent/ca.pem" }, Failure: event.FailureCheck},
	}
}
