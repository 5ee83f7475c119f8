package monitor

import (
	"context"
	"crypto/tls"
	"fmt"
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

// stage is how far a check came, for the sentence about its failure.
type stage int32

const (
	stageBegun     stage = iota
	stageResolving       // asking for the name's address
	stageConnecting
	stageHandshake // TCP is connected, TLS is not
	stageWaiting   // the request is on its way
	stageReading   // status and headers were read
)

// httpCheck is one service's checks over HTTP: GET, without following
// redirections (a 302 is an answer like others), without a proxy, deadline
// over all of it including the body.
type httpCheck struct {
	def       service.Definition
	host      string // and port, without credentials
	agent     string
	transport *http.Transport
	dialled   time.Time // when the present connection was new
}

func newHTTPCheck(def service.Definition, version string) *httpCheck {
	c := &httpCheck{def: def, agent: "logstream/" + version, transport: &http.Transport{
		// Each service has its own, so that its connection is only its own.
		MaxIdleConns: 1, IdleConnTimeout: connectionLife,
		// A dial outlives the check that began it, so it has its own bound.
		DialContext:            (&net.Dialer{Timeout: def.Timeout}).DialContext,
		TLSHandshakeTimeout:    def.Timeout,
		MaxResponseHeaderBytes: maxHeader, WriteBufferSize: 1 << 10,
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true, DisableCompression: true,
	}}
	if u, err := url.Parse(def.URL); err == nil {
		c.host = u.Host
	}
	return c
}

func (c *httpCheck) fresh() { c.dialled = time.Time{} }
func (c *httpCheck) close() { c.transport.CloseIdleConnections() }

func (c *httpCheck) check(ctx context.Context) observation {
	began := time.Now()
	if began.Sub(c.dialled) > connectionLife {
		c.transport.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeout(ctx, c.def.Timeout)
	defer cancel()
	var at atomic.Int32
	code, err := c.get(httptrace.WithClientTrace(ctx, c.trace(&at)))
	took := time.Since(began)
	seen := observation{began: began, took: took, code: code}
	if err != nil {
		c.fresh() // HTTP/2 would keep a connection that doesn't answer
	}
	why, ours := explain(err, stage(at.Load()), c.host, c.def.Timeout)
	if ours {
		seen.unknown = err
		return seen
	}
	seen.status, seen.err = judge(c.def.Expect, code, took, why)
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

// trace notes how far the check comes. Dialling goes on in goroutines of the
// transport, for several addresses at once: a stage is only ever raised.
func (c *httpCheck) trace(at *atomic.Int32) *httptrace.ClientTrace {
	raise := func(to stage) {
		for now := at.Load(); now < int32(to) && !at.CompareAndSwap(now, int32(to)); now = at.Load() {
		}
	}
	return &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { raise(stageResolving) },
		ConnectStart: func(string, string) { raise(stageConnecting) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				raise(stageHandshake)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			raise(stageWaiting)
			if !info.Reused {
				c.dialled = time.Now()
			}
		},
		GotFirstResponseByte: func() { raise(stageReading) },
	}
}

// judge is what an answer, or its absence (why), says about the service.
func judge(expect service.Expect, code int, took time.Duration, why string) (event.Status, string) {
	switch {
	case code != 0 && !expect.Status.Contains(code):
		return event.Down, fmt.Sprintf("HTTP %d, expected %s", code, expect.Status)
	case why != "":
		return event.Down, why
	case expect.Latency > 0 && took > expect.Latency:
		return event.Degraded, fmt.Sprintf("answered in %s, slower than %s", round(took), expect.Latency)
	}
	return event.Up, ""
}

// round is d as a person reads it: three digits or so.
func round(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
