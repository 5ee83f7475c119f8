//go:build unix

// Package failtest is every way in which a check over HTTP, TCP, TLS or a
// WebSocket can fail, each with a real listener on this machine: no packet
// leaves it. A part that judges failures tests against the same table.
package failtest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// Apply makes def the definition of a check that fails as c says.
func (c Case) Apply(def *service.Definition) {
	def.URL, def.Timeout, def.Expect.Latency = c.URL, c.Timeout, c.Latency
	if c.Change != nil {
		c.Change(def)
	}
}

// Case is one way to fail, and what a health log must say of it.
type Case struct {
	Name string
	URL  string

	// How the check is to be made.
	Timeout  time.Duration             // short where it is to pass
	Latency  time.Duration             // slower is DEGRADED; zero: no limit
	Resolver *net.Resolver             // nil: the machine's
	Roots    *x509.CertPool            // the authorities to believe
	Change   func(*service.Definition) // what else the check needs; nil: nothing

	Status  event.Status
	Failure event.Failure
	Code    int // of HTTP; 0: no answer
}

const (
	hang    = 300 * time.Millisecond // the time-out of a check that is to pass
	patient = 20 * time.Second       // and of one that is not
	slow    = 20 * time.Millisecond
)

// Cases opens a listener for each way to fail, until the test ends. They may be
// checked at the same time.
func Cases(t testing.TB) []Case {
	t.Helper()
	ca := newAuthority(t)
	raw := newListeners(t)
	fine := func(http.ResponseWriter, *http.Request) {}
	status := func(code int) string {
		return server(t, nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	secure := func(handler http.HandlerFunc) string { return server(t, ca.config(t, valid), handler) }
	plainPort := func(url string) string { return strings.Replace(url, "https://", "http://", 1) }
	tlsPort := func(url string) string { return strings.Replace(url, "http://", "https://", 1) }

	list := []Case{
		{Name: "connection refused", URL: raw.refused(), Failure: event.FailureConnectRefused},
		{Name: "connection time-out", URL: raw.fullBacklog(), Timeout: hang, Failure: event.FailureConnectTimeout},
		// The kernel makes no TCP connection to a broadcast address.
		{Name: "no route", URL: "http://255.255.255.255/", Failure: event.FailureUnreachable},
		{Name: "port that does not exist", URL: "http://127.0.0.1:99999/", Failure: event.FailureCheck},

		{Name: "DNS: no such name", URL: "http://shop.invalid/", Resolver: raw.nameServer(nameError), Failure: event.FailureDNS},
		{Name: "DNS: server failure", URL: "http://shop.invalid/", Resolver: raw.nameServer(serverFailure), Failure: event.FailureDNS},
		{Name: "DNS: time-out", URL: "http://shop.invalid/", Resolver: raw.nameServer(silence), Timeout: hang, Failure: event.FailureDNS},

		{Name: "reset before the response", URL: raw.http(request, reset), Failure: event.FailureReset},
		{Name: "closed at once", URL: raw.http(), Failure: event.FailureReset},
		{Name: "closed before the response", URL: raw.http(request), Failure: event.FailureReset},
		{Name: "closed in the headers", URL: raw.http(request, say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n")), Failure: event.FailureReset},
		{Name: "closed in the body", URL: raw.http(request, say(tenBytes, "ab")), Failure: event.FailureReset, Code: 200},
		{Name: "reset in the body", URL: raw.http(request, say(tenBytes, "ab"), reset), Failure: event.FailureReset, Code: 200},
		{Name: "closed in the TLS handshake", URL: tlsPort(raw.http(request)), Failure: event.FailureReset},
		{Name: "HTTP/2 stream reset in the body", URL: secure(abort), Failure: event.FailureReset, Code: 200},

		{Name: "certificate expired", URL: server(t, ca.config(t, expired), fine), Failure: event.FailureTLSCertificate},
		{Name: "certificate of another name", URL: server(t, ca.config(t, otherName), fine), Failure: event.FailureTLSCertificate},
		{Name: "certificate of an unknown authority", URL: server(t, newAuthority(t).config(t, valid), fine), Failure: event.FailureTLSCertificate},
		{Name: "TLS handshake hangs", URL: tlsPort(raw.http(forever)), Timeout: hang, Failure: event.FailureTLSTimeout},
		{Name: "TLS handshake refused: only an old TLS", URL: server(t, with(ca.config(t, valid), onlyOldTLS), fine), Failure: event.FailureProtocol},

		{Name: "plain HTTP on the TLS port of a Go server", URL: plainPort(secure(fine)), Failure: event.FailureStatus, Code: 400},
		{Name: "plain HTTP on the TLS port of nginx", URL: raw.http(request, say(nginxPlain)), Failure: event.FailureStatus, Code: 400},
		{Name: "TLS on a plain HTTP port", URL: tlsPort(server(t, nil, fine)), Failure: event.FailureProtocol},
		{Name: "TLS on a port of neither", URL: tlsPort(raw.http(request, say("-ERR unknown command\r\n"))), Failure: event.FailureProtocol},
		{Name: "not HTTP", URL: raw.http(request, say("-ERR unknown command\r\n")), Failure: event.FailureProtocol},
		{Name: "not HTTP, and speaks first", URL: raw.http(say("SSH-2.0-OpenSSH_9.9\r\n"), forever), Failure: event.FailureProtocol},
		{Name: "headers without end", URL: raw.http(request, say("HTTP/1.1 200 OK\r\n"), endlessly("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 0)), Failure: event.FailureProtocol},
		{Name: "malformed chunk in the body", URL: raw.http(request, say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n")), Failure: event.FailureProtocol, Code: 200},

		{Name: "headers hang", URL: raw.http(forever), Timeout: hang, Failure: event.FailureHeaderTimeout},
		{Name: "headers hang in their middle", URL: raw.http(request, say("HTTP/1.1 200 OK\r\nContent-"), forever), Timeout: hang, Failure: event.FailureHeaderTimeout},
		{Name: "headers hang, over TLS", URL: secure(sleep(nil)), Timeout: hang, Failure: event.FailureHeaderTimeout},
		{Name: "body hangs at 200", URL: raw.http(request, say(tenBytes, "ab"), forever), Timeout: hang, Failure: event.FailureBodyTimeout, Code: 200},
		{Name: "body byte by byte", URL: raw.http(request, say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), endlessly("x", slow)), Timeout: hang, Failure: event.FailureBodyTimeout, Code: 200},
		{Name: "body hangs at 200, over TLS", URL: secure(sleep([]byte("ab"))), Timeout: hang, Failure: event.FailureBodyTimeout, Code: 200},

		{Name: "401", URL: status(401), Failure: event.FailureStatus, Code: 401},
		{Name: "404", URL: status(404), Failure: event.FailureStatus, Code: 404},
		{Name: "500", URL: status(500), Failure: event.FailureStatus, Code: 500},
		{Name: "503", URL: status(503), Failure: event.FailureStatus, Code: 503},
		{Name: "body hangs at 500", URL: raw.http(request, say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 10\r\n\r\n"), forever), Timeout: hang, Failure: event.FailureStatus, Code: 500},
		{Name: "slow", URL: server(t, nil, func(http.ResponseWriter, *http.Request) { time.Sleep(2 * slow) }), Latency: slow,
			Status: event.Degraded, Failure: event.FailureLatency, Code: 200},
	}
	list = slices.Concat(list, expectations(t, ca), connections(t, ca, raw), webSockets(t, ca, raw))
	for i := range list {
		c := &list[i]
		c.Roots = ca.pool
		if c.Timeout == 0 {
			c.Timeout = patient
		}
		if c.Status == "" {
			c.Status = event.Down
		}
	}
	return list
}

// server answers HTTP, with TLS where there is a configuration for it.
func server(t testing.TB, config *tls.Config, handler http.HandlerFunc) string {
	return serverOn(t, httptest.NewUnstartedServer(handler), config)
}

// lingeringServer is a server that reads what was sent before it closes: else the
// connection is reset, and what it said last may be lost.
func lingeringServer(t testing.TB, config *tls.Config) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Listener = lingering{s.Listener}
	return serverOn(t, s, config)
}

type lingering struct{ net.Listener }

func (l lingering) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return lingeringConn{conn.(*net.TCPConn)}, nil
}

type lingeringConn struct{ *net.TCPConn }

func (c lingeringConn) Close() error {
	_ = c.CloseWrite()                                      // the other side may be gone
	_ = c.SetReadDeadline(time.Now().Add(time.Second / 10)) // and so here
	_, _ = io.Copy(io.Discard, c.TCPConn)
	return c.TCPConn.Close()
}

func serverOn(t testing.TB, s *httptest.Server, config *tls.Config) string {
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // that checks hang up is what is wanted
	if config == nil {
		s.Start()
	} else {
		s.TLS, s.EnableHTTP2 = config, true
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// sleep begins a response, where some of its body is given, and ends no sooner
// than the check.
func sleep(some []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if some != nil {
			_, _ = w.Write(some) // the check sees what comes
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

// abort begins a response, and resets it.
func abort(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, "ab")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
