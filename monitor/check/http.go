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
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

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
	// maxRedirects is how many redirections are followed.
	maxRedirects = 10
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
	transport *http.Transport
	dialled   time.Time // when the present connection was new
}

func newHTTP(def service.Definition, env Env) *httpCheck {
	c := &httpCheck{def: def, target: newTarget(def, env, protocolHTTP, portOf(def.Scheme()))}
	c.expect, _ = compile(def.Expect) // Problems has said what is wrong
	c.request, c.invalid = c.firstRequest()
	c.transport = &http.Transport{
		// Each service has its own, so that its connection is only its own.
		MaxIdleConns: 1, IdleConnTimeout: def.KeepAlive, DisableKeepAlives: def.KeepAlive == 0,
		DialContext: c.dial, DialTLSContext: c.dialTLS,
		MaxResponseHeaderBytes: maxHeader, WriteBufferSize: 1 << 10,
		ForceAttemptHTTP2: true, DisableCompression: true,
	}
	return c
}

// portOf is the usual port of a scheme of HTTP or WebSocket.
func portOf(scheme string) string {
	if scheme == "https" || scheme == "wss" {
		return "443"
	}
	return "80"
}

// httpProblems are what is wrong with a definition that is checked over HTTP.
func httpProblems(def service.Definition, u *url.URL) []service.Problem {
	problems := needsHost(def, u)
	add := func(key, value, message string) {
		problems = append(problems, service.Problem{Key: key, Value: value, Message: message})
	}
	if m := def.Request.Method; m != "" && !httpguts.ValidHeaderFieldName(m) {
		add("request.method", m, "is not a method of HTTP such as GET or POST")
	}
	if def.Request.Bearer != "" && u.User != nil {
		add("request.bearer", "", "is given beside a user in the url: a request carries only one of them")
	}
	for _, name := range slices.Sorted(maps.Keys(def.Request.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(def.Request.Headers[name]) {
			add("request.headers", "", fmt.Sprintf("%q: its name or its value has a character that a header cannot have", name))
		}
	}
	return problems
}

func (c *httpCheck) Fresh() { c.dialled = time.Time{} }
func (c *httpCheck) Close() { c.transport.CloseIdleConnections() }

func (c *httpCheck) Check(ctx context.Context) Observation {
	return c.target.check(ctx, c.look)
}

func (c *httpCheck) look(ctx context.Context, p *progress) error {
	if p.began.Sub(c.dialled) > c.def.KeepAlive {
		c.transport.CloseIdleConnections()
	}
	err := c.exchange(ctx, p)
	if p.connected.Conn != nil && !p.connected.Reused {
		c.dialled = time.Now()
	}
	if err == nil {
		return nil
	}
	if !is[*fault](err) {
		c.Fresh() // HTTP/2 would keep a connection that doesn't answer
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
	p.note("request", request.Method+" "+service.MaskURL(request.URL.String()))
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

// unexpectedStatus is of an answer whose status is not as expected. That it
// refuses a login is said only where the check has one.
func unexpectedStatus(def service.Definition, code int, expected string) error {
	u, err := url.Parse(def.URL)
	switch refused := code == http.StatusUnauthorized || code == http.StatusForbidden; {
	case refused && def.Request.Bearer != "":
		return failed(event.FailureAuth, "HTTP %d, expected %s: the token in request.bearer was refused", code, expected)
	case refused && err == nil && u.User != nil:
		return failed(event.FailureAuth, "HTTP %d, expected %s: the user and password in the url were refused", code, expected)
	}
	return failed(event.FailureStatus, "HTTP %d, expected %s", code, expected)
}

// firstRequest is what every check sends, but for its context and its body.
func (c *httpCheck) firstRequest() (*http.Request, error) {
	def := c.def.Request
	var body io.Reader
	if def.Body != "" {
		body = strings.NewReader(def.Body)
	}
	request, err := http.NewRequest(def.Method, c.def.URL, body)
	if err != nil {
		return nil, err
	}
	request.Header = headerOf(c.def, c.env)
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	// On a connection that the server had closed the request is made again,
	// whatever its method. The header itself is not sent.
	request.Header["Idempotency-Key"] = nil
	return request, nil
}

// headerOf is what a request to the service itself carries, its login included.
func headerOf(def service.Definition, env Env) http.Header {
	header := http.Header{"User-Agent": {env.agent()}, "Accept": {"*/*"}}
	for name, value := range def.Request.Headers {
		header.Set(name, value)
	}
	u, err := url.Parse(def.URL)
	switch {
	case def.Request.Bearer != "":
		header.Set("Authorization", "Bearer "+def.Request.Bearer)
	case err == nil && u.User != nil:
		password, _ := u.User.Password()
		(&http.Request{Header: header}).SetBasicAuth(u.User.Username(), password)
	}
	return header
}

// send makes the request. Without redirections to follow the transport is
// enough.
func (c *httpCheck) send(request *http.Request) (*http.Response, error) {
	if !c.def.Request.Redirects {
		return c.transport.RoundTrip(request)
	}
	client := http.Client{Transport: c.transport, CheckRedirect: c.redirect}
	request.Header = maps.Clone(request.Header)
	return client.Do(request)
}

// redirect is asked before each redirection. Beyond the service's own scheme,
// host and port go neither its credentials nor its headers nor its body: a
// redirection that wants the body again is then an answer like others.
func (c *httpCheck) redirect(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if len(before) > maxRedirects {
		return failed(event.FailureStatus, "more than %d redirections, the last to %s", maxRedirects, c.foreign(service.MaskURL(next.URL.String())))
	}
	if next.URL.Scheme != "http" && next.URL.Scheme != "https" {
		return failed(event.FailureProtocol, "redirected to %s, which is not HTTP", c.foreign(service.MaskURL(next.URL.String())))
	}
	elsewhere := func(u *url.URL) bool { return u.Scheme != first.Scheme || u.Host != first.Host }
	if !elsewhere(next.URL) && !slices.ContainsFunc(before, func(r *http.Request) bool { return elsewhere(r.URL) }) {
		return nil
	}
	if next.Body != nil && next.Body != http.NoBody {
		return http.ErrUseLastResponse
	}
	next.Header = http.Header{"User-Agent": {c.env.agent()}, "Accept": {"*/*"}}
	next.Host = ""
	return nil
}

// dial opens a connection. It outlives the check that began it, so it has its
// own bound.
func (c *httpCheck) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: c.timeout, Resolver: c.env.Resolver}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &trackedConn{Conn: conn}, nil
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
	return secure, nil // net/http tells the trace how it ended
}

// noteResponse notes an answer's status line, and its headers' names: their
// values may hold a login.
func (p *progress) noteResponse(response *http.Response) {
	if !p.env.Detail {
		return
	}
	if response.Request != nil && response.Request.Response != nil {
		p.note("redirected to", service.MaskURL(response.Request.URL.String()))
	}
	p.note("answer", response.Proto+" "+response.Status)
	if to, err := response.Location(); err == nil {
		p.note("redirects to", service.MaskURL(to.String()))
	}
	p.note("headers", strings.Join(slices.Sorted(maps.Keys(response.Header)), ", "))
}
