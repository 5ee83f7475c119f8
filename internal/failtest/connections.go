//go:build unix

package failtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"logstream/internal/event"
	"logstream/internal/service"
)

// scheme is a url with another scheme.
func scheme(scheme, url string) string {
	_, rest, _ := strings.Cut(url, "://")
	return scheme + "://" + rest
}

// answers has a check send a line and expect PONG.
func answers(d *service.Definition) { d.Request.Body, d.Expect.Body = `PING\r\n`, "^[+]PONG\r\n$" }

// contained makes a service that of a container: its port may be one that docker-proxy
// accepts for.
func contained(d *service.Definition) { d.Container = "pay" }

// connections are checks over TCP and TLS that fail.
func connections(t testing.TB, ca *authority, raw *listeners) []Case {
	t.Helper()
	tcp := func(steps ...step) string { return scheme("tcp", raw.http(steps...)) }
	tls := func(url string) string { return scheme("tls", url) }
	fine := func(http.ResponseWriter, *http.Request) {}
	return []Case{
		{Name: "tcp: connection refused", URL: scheme("tcp", raw.refused()), Failure: event.FailureConnectRefused},
		{Name: "tcp: connection time-out", URL: scheme("tcp", raw.fullBacklog()), Timeout: hang, Failure: event.FailureConnectTimeout},
		{Name: "tcp: no such name", URL: "tcp://shop.invalid:80", Resolver: raw.nameServer(nameError), Failure: event.FailureDNS},
		{Name: "tcp: no answer", URL: tcp(forever), Timeout: hang, Change: answers, Failure: event.FailureHeaderTimeout},
		{Name: "tcp: closed at once", URL: tcp(), Change: answers, Failure: event.FailureReset},
		{Name: "tcp: reset before the answer", URL: tcp(request, reset), Change: answers, Failure: event.FailureReset},
		{Name: "tcp: closed, of a container", URL: tcp(), Change: contained, Failure: event.FailureReset},
		{Name: "tcp: reset, of a container", URL: tcp(reset), Change: contained, Failure: event.FailureReset},
		{Name: "tcp: half an answer, then nothing", URL: tcp(request, say("+PO"), forever), Timeout: hang, Change: answers, Failure: event.FailureAnswer},
		{Name: "tcp: half an answer, then closed", URL: tcp(request, say("+PO")), Change: answers, Failure: event.FailureAnswer},
		{Name: "tcp: another answer", URL: tcp(request, say("-ERR unknown command\r\n")), Change: answers, Failure: event.FailureAnswer},
		{Name: "tcp: an answer without end", URL: tcp(request, endlessly("nonsense", 0)), Change: answers, Failure: event.FailureAnswer},
		{Name: "tcp: slow", URL: tcp(request, wait(2*slow), say("+PONG\r\n"), forever), Change: answers, Latency: slow, Status: event.Degraded, Failure: event.FailureLatency},

		{Name: "tls: certificate expired", URL: tls(server(t, ca.config(t, expired), fine)), Failure: event.FailureTLSCertificate},
		{Name: "tls: certificate of another name", URL: tls(server(t, ca.config(t, otherName), fine)), Failure: event.FailureTLSCertificate},
		{Name: "tls: certificate ends soon", URL: tls(server(t, ca.config(t, endsSoon), fine)),
			Change: func(d *service.Definition) { d.Expect.CertificateDays = 14 }, Status: event.Degraded, Failure: event.FailureTLSCertificate},
		{Name: "tls: handshake hangs", URL: tls(raw.http(forever)), Timeout: hang, Failure: event.FailureTLSTimeout},
		{Name: "tls: closed in the handshake", URL: tls(raw.http(request)), Failure: event.FailureReset},
		{Name: "tls: no TLS", URL: tls(raw.http(request, say("-ERR unknown command\r\n"))), Failure: event.FailureProtocol},
		{Name: "tls: another answer", URL: tls(server(t, ca.config(t, valid), fine)), Change: answers, Failure: event.FailureAnswer},
	}
}

// webSockets are checks over a WebSocket that fail.
func webSockets(t testing.TB, ca *authority, raw *listeners) []Case {
	t.Helper()
	status := func(code int) string {
		return scheme("ws", server(t, nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
	}
	ws := func(talk func(*websocket.Conn)) string { return scheme("ws", server(t, nil, upgraded(talk))) }
	wss := func(wrong func(*authority) *authority) string {
		return scheme("wss", server(t, wrong(ca).config(t, valid), upgraded(readAll)))
	}
	says := func(message string) func(*service.Definition) {
		return func(d *service.Definition) {
			d.Request.Body, d.Expect.JSON = "status?", map[string]string{"status": message}
		}
	}
	return []Case{
		{Name: "ws: connection refused", URL: scheme("ws", raw.refused()), Failure: event.FailureConnectRefused},
		{Name: "ws: 503", URL: status(503), Failure: event.FailureStatus, Code: 503},
		{Name: "ws: 404", URL: status(404), Failure: event.FailureStatus, Code: 404},
		{Name: "ws: login refused", URL: status(401), Change: func(d *service.Definition) { d.Request.Bearer = "s3cret" }, Failure: event.FailureAuth, Code: 401},
		{Name: "ws: HTTP without WebSockets", URL: status(200), Failure: event.FailureStatus, Code: 200},
		{Name: "ws: not HTTP", URL: scheme("ws", raw.http(request, say("-ERR unknown command\r\n"))), Failure: event.FailureProtocol},
		{Name: "ws: handshake hangs", URL: scheme("ws", raw.http(forever)), Timeout: hang, Failure: event.FailureHeaderTimeout},
		{Name: "ws: closed in the handshake", URL: scheme("ws", raw.http(request)), Failure: event.FailureReset},
		{Name: "ws: no pong", URL: ws(func(c *websocket.Conn) { c.SetPingHandler(func(string) error { return nil }); readAll(c) }), Timeout: hang, Failure: event.FailureHeaderTimeout, Code: 101},
		{Name: "ws: closed after the handshake", URL: ws(func(*websocket.Conn) {}), Failure: event.FailureReset, Code: 101},
		{Name: "ws: closed with a code", URL: ws(func(c *websocket.Conn) {
			_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.ClosePolicyViolation, "no"))
			readAll(c)
		}), Failure: event.FailureAnswer, Code: 101},
		{Name: "ws: no frames", URL: ws(func(c *websocket.Conn) { _, _ = c.NetConn().Write([]byte("\xff\xffnonsense")); readAll(c) }), Failure: event.FailureProtocol, Code: 101},
		{Name: "ws: another message", URL: ws(echo), Change: says("ok"), Failure: event.FailureAnswer, Code: 101},
		{Name: "ws: message too long", URL: ws(func(c *websocket.Conn) { _ = c.WriteMessage(websocket.TextMessage, make([]byte, 1<<20)); readAll(c) }), Change: says("ok"), Failure: event.FailureAnswer, Code: 101},
		{Name: "wss: certificate of an unknown authority", URL: wss(func(*authority) *authority { return newAuthority(t) }), Failure: event.FailureTLSCertificate},
		{Name: "wss: certificate ends soon", URL: wss(func(a *authority) *authority { return a }),
			Change: func(d *service.Definition) { d.Expect.CertificateDays = 14 }, Status: event.Degraded, Failure: event.FailureTLSCertificate, Code: 101},
	}
}

// upgraded answers with a WebSocket, and closes it after talk.
func upgraded(talk func(*websocket.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return // it has answered
		}
		defer conn.Close()
		talk(conn)
	}
}

// readAll answers pings until the check gives up.
func readAll(conn *websocket.Conn) {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

// echo sends back one message, and then waits for the check to close.
func echo(conn *websocket.Conn) {
	kind, message, err := conn.ReadMessage()
	if err == nil && conn.WriteMessage(kind, message) == nil {
		_ = conn.Close() // the check has all that it gets
	}
}
