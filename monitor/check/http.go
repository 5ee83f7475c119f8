package check

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	// maxBody is how much of an answer is read; the rest is not waited for.
	maxBody = 64 << 10
	// maxHeader bounds an answer's headers.
	maxHeader = 64 << 10
	// connectionLife is how long one connection is used: long enough that
	// checks are cheap, short enough that a listener that takes no new
	// connections is noticed.
	connectionLife = 15 * time.Second
)

// httpCheck is one service's checks over HTTP: GET, without following
// redirections (a 302 is an answer like others), without a proxy, deadline
// over all of it including the body.
type httpCheck struct {
	def       service.Definition
	host      string // and port, without credentials
	hostname  string // without the port
	agent     string
	transport *http.Transport
	dialled   time.Time    // when the present connection was new
	conn      *trackedConn // of the present check; nil: none yet, or TLS
}

func newHTTP(def service.Definition, env Env) *httpCheck {
	c := &httpCheck{def: def, agent: env.agent(), transport: &http.Transport{
		// Each service has its own, so that its connection is only its own.
		MaxIdleConns: 1, IdleConnTimeout: connectionLife,
		// A dial outlives the check that began it, so it has its own bound.
		DialContext:            dial(&net.Dialer{Timeout: def.Timeout, Resolver: env.Resolver}),
		TLSHandshakeTimeout:    def.Timeout,
		MaxResponseHeaderBytes: maxHeader, WriteBufferSize: 1 << 10,
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: env.Roots},
		ForceAttemptHTTP2: true, DisableCompression: true,
	}}
	if u, err := url.Parse(def.URL); err == nil {
		c.host, c.hostname = u.Host, u.Hostname()
	}
	return c
}

func (c *httpCheck) Fresh() { c.dialled = time.Time{} }
func (c *httpCheck) Close() { c.transport.CloseIdleConnections() }

func (c *httpCheck) Check(ctx context.Context) Observation {
	began := time.Now()
	if began.Sub(c.dialled) > connectionLife {
		c.transport.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeout(ctx, c.def.Timeout)
	defer cancel()
	c.conn = nil
	var at atomic.Int32
	code, err := c.get(httptrace.WithClientTrace(ctx, c.trace(&at)))
	a := answer{code: code, took: time.Since(began), err: err, at: stage(at.Load())}
	if code != 0 {
		a.at = stageBody
	} else if a.at == stageWaiting && c.conn != nil && c.conn.received.Load() {
		a.at = stageAnswering // the server spoke first
	}
	seen := Observation{Began: began, Took: a.took, Code: code}
	if err != nil {
		c.Fresh() // HTTP/2 would keep a connection that doesn't answer
		if isOwnFault(err) {
			seen.Unknown = innermost(err)
			return seen
		}
	}
	seen.Status, seen.Failure = c.judge(a)
	seen.Error = c.explain(seen.Failure, a)
	return seen
}

// get makes the request and reads the answer. The code is 0 where there was
// none, and an error may come with a code: the body broke off.
func (c *httpCheck) get(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.def.URL, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("User-Agent", c.agent)
	request.Header.Set("Accept", "*/*")
	if user := request.URL.User; user != nil {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	// The transport and not a client: there are no redirections to follow and
	// no cookies to keep.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.CopyN(io.Discard, response.Body, maxBody)
	if err == io.EOF {
		err = nil
	}
	return response.StatusCode, err
}

// trace problems how far the check comes. Dialling goes on in goroutines of the
// transport, for several addresses at once: within one attempt a stage is only
// ever raised. A request on a connection that the server had closed is made
// again, on a new one.
func (c *httpCheck) trace(at *atomic.Int32) *httptrace.ClientTrace {
	raise := func(to stage) {
		for now := at.Load(); now < int32(to) && !at.CompareAndSwap(now, int32(to)); now = at.Load() {
		}
	}
	return &httptrace.ClientTrace{
		GetConn:           func(string) { at.Store(int32(stageBegun)) },
		DNSStart:          func(httptrace.DNSStartInfo) { raise(stageResolving) },
		ConnectStart:      func(string, string) { raise(stageConnecting) },
		TLSHandshakeStart: func() { raise(stageHandshake) },
		GotConn: func(info httptrace.GotConnInfo) {
			raise(stageWaiting)
			c.conn, _ = info.Conn.(*trackedConn)
			if !info.Reused {
				c.dialled = time.Now()
			}
		},
		GotFirstResponseByte: func() { raise(stageAnswering) },
	}
}

// trackedConn knows whether the server sent anything. One that speaks first, as
// SSH and databases do, may do so before net/http expects a response, and
// net/http then reports the same error as where it sent nothing.
type trackedConn struct {
	net.Conn
	received atomic.Bool
}

func (c *trackedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.received.Store(true)
	}
	return n, err
}

// dial opens connections with d, and tracks them.
func dial(d *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &trackedConn{Conn: conn}, nil
	}
}

// answer is what a check came to know.
type answer struct {
	code int // of HTTP; 0: there was none. It may come with an error: the body broke off
	took time.Duration
	err  error
	at   stage // where it ended
}

// judge is what an answer, or its absence, says about the service.
func (c *httpCheck) judge(a answer) (event.Status, event.Failure) {
	expect := c.def.Expect
	switch {
	case a.code != 0 && !expect.Status.Contains(a.code):
		return event.Down, event.FailureStatus
	case a.err != nil:
		return event.Down, failureOf(a.err, a.at)
	case expect.Latency > 0 && a.took > expect.Latency:
		return event.Degraded, event.FailureLatency
	}
	return event.Up, ""
}
