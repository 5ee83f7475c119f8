package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"logstream/internal/event"
)

// progress is one check under way: how far it came, and what it found out.
type progress struct {
	target
	began time.Time
	at    atomic.Int32 // a stage
	code  int          // of HTTP; 0: no answer

	answered time.Time // when the service had done its part, where the check goes on; zero: at its end

	connected httptrace.GotConnInfo // of net/http: the last one that was used

	mu     sync.Mutex
	detail []Detail
}

// check runs once, within the timeout. What target says of run holds.
func (t target) check(ctx context.Context, run func(context.Context, *progress) error) Observation {
	p := &progress{target: t, began: time.Now()}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	err := run(httptrace.WithClientTrace(ctx, p.trace()), p)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = late{err}
	}
	return p.observation(err)
}

// observation is what a check saw that ended with err.
func (p *progress) observation(err error) Observation {
	seen := Observation{Began: p.began, Took: time.Since(p.began), Status: event.Up, Code: p.code}
	if !p.answered.IsZero() {
		seen.Took = p.answered.Sub(p.began)
	}
	if err != nil && isOwnFault(err) {
		seen.Status, seen.Unknown = "", innermost(err)
		return seen
	}
	if err == nil && p.latency > 0 && seen.Took > p.latency {
		err = degraded(event.FailureLatency, "answered in %s, slower than %s", round(seen.Took), p.latency)
	}
	if err != nil {
		seen.Status = event.Down
		if known, is := errors.AsType[*fault](err); is {
			seen.Status = known.status
		}
		at := stage(p.at.Load())
		seen.Failure = failureOf(err, at)
		seen.Error = p.explain(end{failure: seen.Failure, err: err, at: at, code: p.code})
	}
	p.note("whole check", precise(seen.Took).String())
	p.mu.Lock()
	seen.Detail = p.detail
	p.mu.Unlock()
	return seen
}

// reach says that the check is at a stage now.
func (p *progress) reach(to stage) { p.at.Store(int32(to)) }

// raise is reach, but never back: for what goes on in several goroutines.
func (p *progress) raise(to stage) {
	for now := p.at.Load(); now < int32(to) && !p.at.CompareAndSwap(now, int32(to)); now = p.at.Load() {
	}
}

// maxDetails is how many lines of detail are kept.
const maxDetails = 60

// note adds a line to the detail, where a person requested it. The value may be
// foreign text.
func (p *progress) note(key, value string) {
	if !p.env.Detail {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.detail) < maxDetails {
		p.detail = append(p.detail, Detail{Key: key, Value: p.foreign(value)})
	}
}

// trace follows the stages of a connection: those that net.Dialer and net/http
// report. Dialling goes on for several addresses at once. A request on a
// connection that the server had closed is made again, on a new one.
func (p *progress) trace() *httptrace.ClientTrace {
	trace := &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { p.raise(stageResolving) },
		ConnectStart:         func(string, string) { p.raise(stageConnecting) },
		GetConn:              func(string) { p.reach(stageBegun) },
		TLSHandshakeStart:    func() { p.raise(stageHandshake) },
		GotFirstResponseByte: func() { p.raise(stageAnswering) },
		GotConn: func(info httptrace.GotConnInfo) {
			p.raise(stageWaiting)
			p.connected = info
		},
	}
	if p.env.Detail {
		p.traceDetail(trace)
	}
	return trace
}

// traceDetail notes what a trace reports, and how long each part took.
func (p *progress) traceDetail(trace *httptrace.ClientTrace) {
	var mu sync.Mutex
	begun := map[string]time.Time{}
	start := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if begun[what].IsZero() { // net/http says it again of a handshake that is made already
			begun[what] = time.Now()
		}
	}
	since := func(what string) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		defer delete(begun, what)
		return precise(time.Since(begun[what]))
	}
	resolving, connecting := trace.DNSStart, trace.ConnectStart
	trace.DNSStart = func(info httptrace.DNSStartInfo) { resolving(info); start("dns") }
	trace.DNSDone = func(info httptrace.DNSDoneInfo) {
		addresses := make([]string, len(info.Addrs))
		for i, a := range info.Addrs {
			addresses[i] = a.String()
		}
		if len(addresses) > 0 {
			p.note("DNS lookup", fmt.Sprintf("%s in %s", strings.Join(addresses, ", "), since("dns")))
		}
	}
	trace.ConnectStart = func(network, address string) { connecting(network, address); start(address) }
	trace.ConnectDone = func(_, address string, err error) {
		if err == nil {
			p.note("connected to", fmt.Sprintf("%s in %s", address, since(address)))
		}
	}
	handshake, answering := trace.TLSHandshakeStart, trace.GotFirstResponseByte
	trace.TLSHandshakeStart = func() { handshake(); start("tls") }
	trace.TLSHandshakeDone = func(state tls.ConnectionState, err error) {
		if err == nil {
			p.noteTLS(state, since("tls"))
		}
	}
	trace.WroteRequest = func(httptrace.WroteRequestInfo) { start("answer") }
	trace.GotFirstResponseByte = func() {
		answering()
		p.note("first byte", fmt.Sprintf("%s after the request", since("answer")))
	}
}

// noteTLS notes a TLS connection and the certificate that the server gave.
func (p *progress) noteTLS(state tls.ConnectionState, took time.Duration) {
	if !p.env.Detail {
		return
	}
	p.note("TLS", fmt.Sprintf("%s, %s in %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), took))
	if len(state.PeerCertificates) > 0 {
		c := state.PeerCertificates[0]
		p.note("certificate", fmt.Sprintf("%s, issued by %s", c.Subject, c.Issuer))
		p.note("certificate ends", fmt.Sprintf("%s (%s)", c.NotAfter.UTC().Format(time.DateTime+" UTC"), daysLeft(c.NotAfter)))
	}
}

// precise is d as a person reads a short time.
func precise(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return round(d)
}
