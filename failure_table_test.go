//go:build unix

package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/failtest"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/monitor"
	"logstream/monitor/check"
)

// verdict is what becomes of a failed check of a container that runs.
type verdict struct {
	failure event.Failure
	cause   string
	legal   string // in order
}

const (
	restartFirst = "restart escalate none"
	personFirst  = "escalate none"
	waitFirst    = "none escalate"
)

// verdicts are of every way in which a check can fail: from a real listener to
// what may be done about it.
var verdicts = map[string]verdict{
	"connection refused":       {"connect_refused", "not_serving", restartFirst},
	"connection time-out":      {"connect_timeout", "hang", restartFirst},
	"no route":                 {"unreachable", "unreachable", personFirst},
	"port that does not exist": {"check", "check_failed", personFirst},

	"DNS: no such name":   {"dns", "dns", personFirst},
	"DNS: server failure": {"dns", "dns", personFirst},
	"DNS: time-out":       {"dns", "dns", personFirst},

	"reset before the response":       {"reset", "not_serving", restartFirst},
	"closed at once":                  {"reset", "not_serving", restartFirst},
	"closed before the response":      {"reset", "not_serving", restartFirst},
	"closed in the headers":           {"reset", "not_serving", restartFirst},
	"closed in the body":              {"reset", "not_serving", restartFirst},
	"reset in the body":               {"reset", "not_serving", restartFirst},
	"closed in the TLS handshake":     {"reset", "not_serving", restartFirst},
	"HTTP/2 stream reset in the body": {"reset", "not_serving", restartFirst},

	"certificate expired":                       {"tls_certificate", "tls_certificate", personFirst},
	"certificate of another name":               {"tls_certificate", "tls_certificate", personFirst},
	"certificate of an unknown authority":       {"tls_certificate", "tls_certificate", personFirst},
	"TLS handshake hangs":                       {"tls_timeout", "hang", restartFirst},
	"TLS handshake refused: only an old TLS":    {"protocol", "protocol", personFirst},
	"plain HTTP on the TLS port of a Go server": {"status", "http_unexpected", personFirst},
	"plain HTTP on the TLS port of nginx":       {"status", "http_unexpected", personFirst},
	"TLS on a plain HTTP port":                  {"protocol", "protocol", personFirst},
	"TLS on a port of neither":                  {"protocol", "protocol", personFirst},
	"not HTTP":                                  {"protocol", "protocol", personFirst},
	"not HTTP, and speaks first":                {"protocol", "protocol", personFirst},
	"headers without end":                       {"protocol", "protocol", personFirst},
	"malformed chunk in the body":               {"protocol", "protocol", personFirst},

	"headers hang":                 {"header_timeout", "hang", restartFirst},
	"headers hang in their middle": {"header_timeout", "hang", restartFirst},
	"headers hang, over TLS":       {"header_timeout", "hang", restartFirst},
	"body hangs at 200":            {"body_timeout", "hang", restartFirst},
	"body byte by byte":            {"body_timeout", "hang", restartFirst},
	"body hangs at 200, over TLS":  {"body_timeout", "hang", restartFirst},

	"401":               {"status", "http_unexpected", personFirst},
	"404":               {"status", "http_unexpected", personFirst},
	"500":               {"status", "http_5xx", restartFirst},
	"503":               {"status", "http_5xx", restartFirst},
	"body hangs at 500": {"status", "http_5xx", restartFirst},
	"slow":              {"latency", "answers", waitFirst},

	"login refused":                             {"auth", "auth", personFirst},
	"token refused":                             {"auth", "auth", personFirst},
	"body not as expected":                      {"body", "answer_unexpected", personFirst},
	"body hangs, and something is expected":     {"body_timeout", "hang", restartFirst},
	"JSON value not as expected":                {"body", "answer_unexpected", personFirst},
	"JSON number too large":                     {"body", "answer_unexpected", personFirst},
	"JSON value missing":                        {"body", "answer_unexpected", personFirst},
	"header not as expected":                    {"body", "answer_unexpected", personFirst},
	"header missing":                            {"body", "answer_unexpected", personFirst},
	"redirections without end":                  {"status", "http_unexpected", personFirst},
	"redirected to what is not HTTP":            {"protocol", "protocol", personFirst},
	"certificate ends soon":                     {"tls_certificate", "answers", waitFirst},
	"client certificate wanted, and none given": {"protocol", "protocol", personFirst},
	"file of authorities missing":               {"check", "check_failed", personFirst},

	"tcp: connection refused":           {"connect_refused", "not_serving", restartFirst},
	"tcp: connection time-out":          {"connect_timeout", "hang", restartFirst},
	"tcp: no such name":                 {"dns", "dns", personFirst},
	"tcp: no answer":                    {"header_timeout", "hang", restartFirst},
	"tcp: closed at once":               {"reset", "not_serving", restartFirst},
	"tcp: reset before the answer":      {"reset", "not_serving", restartFirst},
	"tcp: closed, of a container":       {"reset", "not_serving", restartFirst},
	"tcp: reset, of a container":        {"reset", "not_serving", restartFirst},
	"tcp: half an answer, then nothing": {"answer", "answer_unexpected", personFirst},
	"tcp: half an answer, then closed":  {"answer", "answer_unexpected", personFirst},
	"tcp: another answer":               {"answer", "answer_unexpected", personFirst},
	"tcp: an answer without end":        {"answer", "answer_unexpected", personFirst},
	"tcp: slow":                         {"latency", "answers", waitFirst},

	"tls: certificate expired":         {"tls_certificate", "tls_certificate", personFirst},
	"tls: certificate of another name": {"tls_certificate", "tls_certificate", personFirst},
	"tls: certificate ends soon":       {"tls_certificate", "answers", waitFirst},
	"tls: handshake hangs":             {"tls_timeout", "hang", restartFirst},
	"tls: closed in the handshake":     {"reset", "not_serving", restartFirst},
	"tls: no TLS":                      {"protocol", "protocol", personFirst},
	"tls: another answer":              {"answer", "answer_unexpected", personFirst},

	"ws: connection refused":                   {"connect_refused", "not_serving", restartFirst},
	"ws: 503":                                  {"status", "http_5xx", restartFirst},
	"ws: 404":                                  {"status", "http_unexpected", personFirst},
	"ws: login refused":                        {"auth", "auth", personFirst},
	"ws: HTTP without WebSockets":              {"status", "http_unexpected", personFirst},
	"ws: not HTTP":                             {"protocol", "protocol", personFirst},
	"ws: handshake hangs":                      {"header_timeout", "hang", restartFirst},
	"ws: closed in the handshake":              {"reset", "not_serving", restartFirst},
	"ws: no pong":                              {"header_timeout", "hang", restartFirst},
	"ws: closed after the handshake":           {"reset", "not_serving", restartFirst},
	"ws: closed with a code":                   {"answer", "answer_unexpected", personFirst},
	"ws: no frames":                            {"protocol", "protocol", personFirst},
	"ws: another message":                      {"answer", "answer_unexpected", personFirst},
	"ws: message too long":                     {"answer", "answer_unexpected", personFirst},
	"wss: certificate of an unknown authority": {"tls_certificate", "tls_certificate", personFirst},
	"wss: certificate ends soon":               {"tls_certificate", "answers", waitFirst},
}

// TestFromAFailedCheckToItsLegalActions has the monitor check real listeners,
// and the runbook diagnose what the monitor writes.
func TestFromAFailedCheckToItsLegalActions(t *testing.T) {
	tested := 0
	t.Run("cases", func(t *testing.T) {
		for _, c := range failtest.Cases(t) {
			tested++
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				want, is := verdicts[c.Name]
				if !is {
					t.Fatal("the table has no row for it")
				}
				h := checkOnce(t, c)
				if h.Failure != want.failure || h.Status != c.Status || h.Code != c.Code {
					t.Errorf("wrote %+v, want %s, %q with HTTP %d", h, c.Status, want.failure, c.Code)
				}
				facts := runbook.Facts{Container: "pay", State: "running", Check: h.Status, Failure: h.Failure, Code: h.Code, CheckError: h.Error,
					BadChecks: 2, Needed: 2, WasUp: true}
				judged(t, facts, want.cause, want.legal)
				if facts.WasUp = false; strings.HasPrefix(want.legal, service.ActionRestart) {
					judged(t, facts, "check_never_up", personFirst)
				}
			})
		}
	})
	if tested != len(verdicts) {
		t.Errorf("%d ways to fail, and the table has %d rows", tested, len(verdicts))
	}
}

func judged(t *testing.T, facts runbook.Facts, cause, want string) {
	t.Helper()
	dx := runbook.Diagnose(facts)
	var legal []string
	for _, choice := range dx.Legal {
		legal = append(legal, choice.Action)
	}
	if got := strings.Join(legal, " "); dx.CauseID != cause || got != want || dx.Wait != "" {
		t.Errorf("%s with %s, waits because %q; want %s with %s", dx.CauseID, got, dx.Wait, cause, want)
	}
}

// firstRecord gets what a monitor writes first.
type firstRecord chan event.HealthLog

func (r firstRecord) Enqueue(topic, _ string, value []byte) {
	h, err := event.DecodeHealthLog(value)
	if topic != event.TopicHealth || err != nil {
		return
	}
	select {
	case r <- h:
	default: // the first was enough
	}
}

func (firstRecord) Append(context.Context, string, string, []byte) error { return nil }

func (firstRecord) Subscribe(ctx context.Context, _ event.Subscription) error {
	<-ctx.Done()
	return nil
}

// checkOnce has a monitor check what fails as c says, and is its record of it.
func checkOnce(t *testing.T, c failtest.Case) event.HealthLog {
	t.Helper()
	def := service.Default()
	def.Name = "pay"
	c.Apply(&def)
	record := make(firstRecord, 1)
	m := monitor.New(monitor.Deps{Log: record, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Health: new(health.Registry),
		Identity: event.Origin{Instance: "test", Host: "local"}, Services: []service.Definition{def},
		Check: check.Env{Version: "test", Resolver: c.Resolver, Roots: c.Roots}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case h := <-record:
		return h
	case <-time.After(time.Minute):
		t.Fatal("no record of a check was written")
		return event.HealthLog{}
	}
}
