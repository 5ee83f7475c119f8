package check

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	protocolHTTP = "HTTP" // as people write it

	// maxSkipped is how much of a body is read that nothing is expected of, so
	// that its connection can be used again.
	maxSkipped = 64 << 10
	// maxBody is how much is read of a body that something is expected of.
	maxBody = 1 << 20
	// maxHeader bounds an answer's headers.
	maxHeader = 64 << 10
)

// httpCheck is one service's checks over HTTP: without a proxy, deadline over
// all of it including the body. Redirections are answers like others, unless
// request.redirects has them followed.
type httpCheck struct {
	target
	def       service.Definition
	expect    *expectation
	request   *http.Request // without context; nothing changes it or its headers
	invalid   error         // why there is none
	transport transport
	dialled   time.Time // when the present connection was new

	mu     sync.Mutex
	open   map[*trackedConn]bool
	closed bool
}

func newHTTP(def service.Definition, env Env) *httpCheck {
	c := &httpCheck{def: def, open: map[*trackedConn]bool{}, target: newTarget(def, env, protocolHTTP, portOf(def.Scheme()))}
	c.expect, _ = compile(def.Expect) // Problems has said what is wrong
	c.request, c.invalid = c.firstRequest()
	c.transport = c.newTransport()
	return c
}

// portOf is the usual port of a scheme of HTTP or WebSocket.
func portOf(scheme string) string {
	if scheme == "https" || scheme == "wss" {
		return "443"
	}
	return "80"
}

func (c *httpCheck) Fresh() { c.dialled = time.Time{} }

func (c *httpCheck) Close() {
	c.mu.Lock()
	c.closed = true // a dial that a check gave up may still be under way
	c.mu.Unlock()
	c.hangUp()
}

// hangUp closes every connection. The transport alone would keep those on which
// it has not noticed yet that a check gave up.
func (c *httpCheck) hangUp() {
	c.transport.CloseIdleConnections()
	c.mu.Lock()
	open := slices.Collect(maps.Keys(c.open))
	c.mu.Unlock()
	for _, conn := range open {
		conn.Close()
	}
}

func (c *httpCheck) Check(ctx context.Context) Observation {
	return c.target.check(ctx, c.run)
}

func (c *httpCheck) run(ctx context.Context, p *progress) error {
	if p.began.Sub(c.dialled) > c.def.KeepAlive {
		c.hangUp()
	}
	err := c.exchange(ctx, p)
	if p.connected.Conn != nil && !p.connected.Reused {
		c.dialled = time.Now()
	}
	if err == nil {
		return nil
	}
	if !is[*fault](err) {
		defer c.hangUp() // HTTP/2 would keep a connection that doesn't answer
	}
	conn, plain := p.connected.Conn.(*trackedConn)
	switch {
	case p.code != 0:
		p.reach(stageBody)
	case plain && conn.received.Load():
		p.at.CompareAndSwap(int32(stageWaiting), int32(stageAnswering)) // the server spoke first
	}
	return err
}

// exchange makes the request, and judges the answer. The service's answer is
// known by its code in p, which may come with an error: the body broke off.
func (c *httpCheck) exchange(ctx context.Context, p *progress) error {
	if c.invalid != nil {
		return c.invalid
	}
	request := c.request.WithContext(ctx)
	if request.GetBody != nil {
		request.Body, _ = request.GetBody() // a string's never fails
	}
	if p.env.Detail {
		p.note("request", request.Method+" "+service.MaskURL(request.URL.String()))
	}
	response, err := c.send(request)
	if response != nil {
		p.code = response.StatusCode // of a redirection that is not followed it comes with an error
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	p.noteResponse(response)
	if !c.def.Expect.Status.Contains(p.code) {
		return unexpectedStatus(c.def, p.code, c.def.Expect.Status.String())
	}
	if err := c.expect.headers(c.target, response.Header); err != nil {
		return err
	}
	if err := c.body(p, response.Body); err != nil {
		return err
	}
	return c.expect.certificate(c.target, response.TLS)
}

// body reads an answer's body, and judges it where something is expected.
func (c *httpCheck) body(p *progress, body io.Reader) error {
	if !c.expect.ofContent() {
		_, err := io.CopyN(io.Discard, body, maxSkipped)
		if err == io.EOF {
			return nil
		}
		return err
	}
	content, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return err
	}
	p.note("body", fmt.Sprintf("%d bytes read", len(content)))
	return c.expect.content(c.target, event.FailureBody, "the response body", content)
}

// dial opens a connection. It outlives the check that began it, so it has its
// own bound.
func (c *httpCheck) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: c.timeout, Resolver: c.env.Resolver}
	conn, err := dialer.DialContext(ctx, network, c.redirected(address))
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{Conn: conn, closed: c.forget}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	c.open[tracked] = true
	return tracked, nil
}

func (c *httpCheck) forget(conn *trackedConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// dialTLS is dial with the handshake, for which the files are read now. Only the
// service itself is given the client's certificate.
func (c *httpCheck) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	def, hostname := c.def.TLS, c.hostname
	if address != c.address {
		def.Cert, def.Key, def.ServerName = "", "", ""
		hostname, _, _ = net.SplitHostPort(address) // net/http has put it together
	}
	config, err := c.tlsConfig(def)
	if err != nil {
		return nil, err
	}
	if def.ServerName == "" {
		config.ServerName = hostname
	}
	config.NextProtos = []string{"h2", "http/1.1"}
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		trace.TLSHandshakeStart()
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil // net/http reports to the trace how it ended
}

// noteResponse notes an answer's status line, and its headers' names: their
// values may hold a login.
func (p *progress) noteResponse(response *http.Response) {
	if !p.env.Detail {
		return
	}
	if response.Request != nil && response.Request.Response != nil {
		p.noteAnswer("redirected to", service.MaskURL(response.Request.URL.String()))
	}
	status := response.Status
	if p.env.Discreet {
		status = strconv.Itoa(response.StatusCode) // the words after it are the server's own
	}
	p.note("answer", response.Proto+" "+status)
	if to, err := response.Location(); err == nil {
		p.noteAnswer("redirects to", service.MaskURL(to.String()))
	}
	p.noteAnswer("headers", strings.Join(slices.Sorted(maps.Keys(response.Header)), ", "))
}
