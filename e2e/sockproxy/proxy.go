// Package sockproxy is a proxy before the engine's socket that does to calls
// what a bad day does to them: it delays, hangs, refuses, and drops the answer
// of a call that took effect. It needs no engine to be tested itself.
package sockproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"regexp"
	"sync"
	"time"
)

// Outcome is what becomes of a call.
type Outcome int

// The outcomes of a call.
const (
	Pass   Outcome = iota // it reaches the engine, and its answer the caller
	Drop                  // it reaches the engine and takes effect; the connection closes without an answer
	Refuse                // the connection closes before the engine sees it
	Hang                  // the engine never sees it, and the caller never an answer
)

// Rule says what becomes of some calls. The first rule that matches decides.
type Rule struct {
	Method  string        // such as POST; empty: any
	Path    string        // a pattern of path.Match without the API's version, such as /containers/*/start; empty: any
	Times   int           // how many calls it is for; 0: all
	Delay   time.Duration // before the engine sees the call
	Before  func()        // called before the engine sees it, after the delay
	After   func()        // called once the engine answered, before the caller reads it
	Outcome Outcome
}

// Call is one request as it came in.
type Call struct {
	Method string
	Path   string // without the API's version
	At     time.Time
}

// Proxy listens on one unix socket and speaks to the engine on another.
type Proxy struct {
	socket    string
	allows    func(method, path string) bool // nil: every call is
	transport *http.Transport
	relay     *httputil.ReverseProxy

	mu       sync.Mutex
	rules    []*Rule
	calls    []Call
	server   *http.Server  // nil while connections are refused
	served   chan struct{} // closed when server has ended
	streams  map[int]context.CancelFunc
	streamID int
	closing  chan struct{}
}

// New listens on socket for the engine on target. Both are paths. allows says
// which calls are let through; the others are forbidden. nil: each is let through,
// and kept for Calls.
func New(socket, target string, allows func(method, path string) bool) (*Proxy, error) {
	p := &Proxy{
		allows:  allows,
		socket:  socket,
		streams: map[int]context.CancelFunc{},
		closing: make(chan struct{}),
		transport: &http.Transport{
			DisableCompression: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", target)
			},
		},
	}
	p.relay = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport:     p.transport,
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { hangUp(w) },
	}
	return p, p.Listen()
}

// Host is the proxy's address as the Docker client wants it.
func (p *Proxy) Host() string { return "unix://" + p.socket }

// Set replaces the rules. Calls that a rule already holds stay held.
func (p *Proxy) Set(rules ...Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
	for _, rule := range rules {
		p.rules = append(p.rules, &rule)
	}
}

// Calls are the calls so far that match, in their order; empty patterns match
// any.
func (p *Proxy) Calls(method, pattern string) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Call
	for _, c := range p.calls {
		if matches(method, pattern, c) {
			found = append(found, c)
		}
	}
	return found
}

// Listen accepts connections (again).
func (p *Proxy) Listen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		return nil
	}
	if err := os.Remove(p.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clear the way for the proxy's socket: %w", err)
	}
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		return fmt.Errorf("listen for the engine's callers: %w", err)
	}
	// The file stays when the listener closes, so that a caller is refused as
	// by an engine that died, and not by a missing file.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	server, served := &http.Server{Handler: http.HandlerFunc(p.handle)}, make(chan struct{})
	p.server, p.served = server, served
	go func() {
		defer close(served)
		// It always ends with an error: that of our closing it.
		_ = server.Serve(listener)
	}()
	return nil
}

// Vanish refuses connections and cuts those that stand, as an engine does
// that was killed.
func (p *Proxy) Vanish() error {
	p.mu.Lock()
	server, served := p.server, p.served
	p.server = nil
	p.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	p.CutStreams()
	<-served
	return err
}

// CutStreams ends the event streams that stand, and says how many there were.
func (p *Proxy) CutStreams() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cancel := range p.streams {
		cancel()
	}
	return len(p.streams)
}

// Streams is how many event streams stand.
func (p *Proxy) Streams() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.streams)
}

// Close ends everything.
func (p *Proxy) Close() error {
	close(p.closing)
	err := p.Vanish()
	p.transport.CloseIdleConnections()
	if removeErr := os.Remove(p.socket); !errors.Is(removeErr, os.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

func (p *Proxy) handle(w http.ResponseWriter, r *http.Request) {
	call := Call{Method: r.Method, Path: unversioned(r.URL.Path), At: time.Now()}
	if p.allows != nil {
		if !p.allows(r.Method, r.URL.Path) {
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
			return
		}
		p.pass(w, r, call, Rule{})
		return
	}
	rule := p.decide(call)
	if rule.Delay > 0 && !p.wait(r.Context(), time.After(rule.Delay)) {
		hangUp(w)
		return
	}
	if rule.Before != nil {
		rule.Before()
	}
	switch rule.Outcome {
	case Refuse:
		hangUp(w)
	case Hang:
		p.wait(r.Context(), nil)
		hangUp(w)
	case Drop:
		p.drop(r, rule)
		hangUp(w)
	default:
		p.pass(w, r, call, rule)
	}
}

// decide notes the call and finds its rule.
func (p *Proxy) decide(call Call) Rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
	for i, rule := range p.rules {
		if !matches(rule.Method, rule.Path, call) {
			continue
		}
		decided := *rule
		if rule.Times == 1 {
			p.rules = append(p.rules[:i:i], p.rules[i+1:]...)
		} else if rule.Times > 1 {
			rule.Times--
		}
		return decided
	}
	return Rule{}
}

// wait waits for until (nil: for ever), and reports whether that is what came.
func (p *Proxy) wait(ctx context.Context, until <-chan time.Time) bool {
	select {
	case <-until:
		return true
	case <-ctx.Done():
	case <-p.closing:
	}
	return false
}

// drop lets the engine act and swallows its answer. The caller's leaving does
// not stop the engine.
func (p *Proxy) drop(r *http.Request, rule Rule) {
	request := r.Clone(context.WithoutCancel(r.Context()))
	request.RequestURI, request.URL.Scheme, request.URL.Host = "", "http", "engine"
	answer, err := p.transport.RoundTrip(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, answer.Body) // swallowed, whatever it is
		_ = answer.Body.Close()
	}
	if rule.After != nil {
		rule.After()
	}
}

func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, call Call, rule Rule) {
	if call.Path == "/events" {
		ctx, cancel := context.WithCancel(r.Context())
		defer p.enter(cancel)()
		r = r.WithContext(ctx)
	}
	relay := p.relay
	if rule.After != nil {
		copied := *p.relay
		copied.ModifyResponse = func(*http.Response) error { rule.After(); return nil }
		relay = &copied
	}
	relay.ServeHTTP(w, r)
}

// enter keeps a stream until the function that it returns is called.
func (p *Proxy) enter(cancel context.CancelFunc) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streamID++
	id := p.streamID
	p.streams[id] = cancel
	return func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.streams, id)
	}
}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func matches(method, pattern string, call Call) bool {
	if method != "" && method != call.Method {
		return false
	}
	if pattern == "" {
		return true
	}
	matched, err := path.Match(pattern, call.Path)
	return matched && err == nil
}

var version = regexp.MustCompile(`^/v\d+(\.\d+)?/`)

func unversioned(path string) string { return version.ReplaceAllString(path, "/") }
