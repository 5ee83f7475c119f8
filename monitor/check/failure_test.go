package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"logstream/internal/event"
	"logstream/internal/service"
)

// expiry is when a certificate of the tests ends.
var expiry = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestFailureAndSentence holds what becomes of every error that a check can
// end with; failtest's table makes the most of them with real listeners.
func TestFailureAndSentence(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	read := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
	}
	yesterday := x509.Certificate{NotBefore: expiry.AddDate(-1, 0, 0), NotAfter: expiry}
	verify := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	const closed = "shop:80 closed the connection before its response was complete"
	for _, c := range []struct {
		name string
		err  error
		at   stage
		want event.Failure
		text string
	}{
		{"refused", dial(syscall.ECONNREFUSED), stageConnecting, event.FailureConnectRefused, "connection refused by shop:80: nothing listens there"},
		{"no route", dial(syscall.EHOSTUNREACH), stageConnecting, event.FailureUnreachable, "cannot connect to shop:80: no route to host"},
		{"no network", dial(syscall.ENETUNREACH), stageConnecting, event.FailureUnreachable, "cannot connect to shop:80: network is unreachable"},
		{"the route is lost later", read(syscall.EHOSTUNREACH), stageWaiting, event.FailureUnreachable, "cannot connect to shop:80: no route to host"},
		{"a local firewall forbids it", dial(syscall.EPERM), stageConnecting, event.FailureUnreachable, "cannot connect to shop:80: operation not permitted"},
		{"no IPv6 here says nothing of the service's other address", dial(syscall.EADDRNOTAVAIL), stageConnecting, event.FailureUnreachable,
			"cannot connect to shop:80: " + syscall.EADDRNOTAVAIL.Error()},
		{"no such port", &net.OpError{Op: "dial", Err: &net.AddrError{Err: "invalid port", Addr: "99999"}}, stageBegun, event.FailureCheck,
			"the check could not run: dial: address 99999: invalid port"},
		{"reset", read(syscall.ECONNRESET), stageWaiting, event.FailureReset, closed},
		{"reset while sending", read(syscall.EPIPE), stageWaiting, event.FailureReset, closed},
		{"reset in the body", read(syscall.ECONNRESET), stageBody, event.FailureReset, closed},
		{"closed in the handshake", io.EOF, stageHandshake, event.FailureReset, closed},
		{"closed before the request", errors.New("http: server closed idle connection"), stageWaiting, event.FailureReset, closed},
		{"end", io.EOF, stageWaiting, event.FailureReset, closed},
		{"end in the headers", io.ErrUnexpectedEOF, stageAnswering, event.FailureReset, closed},
		{"time, nothing begun", context.DeadlineExceeded, stageBegun, event.FailureConnectTimeout, "no connection to shop:80 within 2s"},
		{"time, name", context.DeadlineExceeded, stageResolving, event.FailureDNS, "the DNS lookup of shop did not finish within 2s"},
		{"time, connection", context.DeadlineExceeded, stageConnecting, event.FailureConnectTimeout, "no connection to shop:80 within 2s"},
		{"time, kernel", dial(syscall.ETIMEDOUT), stageConnecting, event.FailureConnectTimeout, "no connection to shop:80 within 2s"},
		{"time, dialler", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, stageConnecting, event.FailureConnectTimeout, "no connection to shop:80 within 2s"},
		{"time, handshake", context.DeadlineExceeded, stageHandshake, event.FailureTLSTimeout, "shop:80 accepted the connection but did not finish the TLS handshake within 2s"},
		{"time, answer", context.DeadlineExceeded, stageWaiting, event.FailureHeaderTimeout, "shop:80 accepted the connection but sent no complete response headers within 2s"},
		{"time, headers", context.DeadlineExceeded, stageAnswering, event.FailureHeaderTimeout, "shop:80 accepted the connection but sent no complete response headers within 2s"},
		{"time, body", fmt.Errorf("read: %w", context.DeadlineExceeded), stageBody, event.FailureBodyTimeout, "shop:80 answered HTTP 200 but did not finish the response body within 2s"},
		{"unknown name", dial(&net.DNSError{Name: "shop", IsNotFound: true}), stageResolving, event.FailureDNS, "the DNS lookup of shop found no address"},
		{"name server hangs", dial(&net.DNSError{Name: "shop", IsTimeout: true}), stageResolving, event.FailureDNS, "the DNS lookup of shop did not finish within 2s"},
		{"name server fails", &net.DNSError{Name: "shop", Err: "server misbehaving"}, stageResolving, event.FailureDNS, "the DNS lookup of shop failed: server misbehaving"},
		{"expired", verify(x509.CertificateInvalidError{Cert: &yesterday, Reason: x509.Expired}), stageHandshake, event.FailureTLSCertificate,
			"the certificate of shop:80 is valid only from 2025-01-02 03:04:05 to 2026-01-02 03:04:05 UTC"},
		{"other fault of a certificate", verify(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}), stageHandshake, event.FailureTLSCertificate, "the certificate of shop:80 is not valid: "},
		{"other name", verify(x509.HostnameError{Certificate: &yesterday, Host: "shop"}), stageHandshake, event.FailureTLSCertificate, "the certificate of shop:80 is for another name"},
		{"other authority", verify(x509.UnknownAuthorityError{}), stageHandshake, event.FailureTLSCertificate, "the certificate of shop:80 is signed by an unknown authority"},
		{"a certificate that cannot be verified", verify(x509.InsecureAlgorithmError(x509.SHA1WithRSA)), stageHandshake, event.FailureTLSCertificate, "the certificate of shop:80 cannot be verified: x509: "},
		{"alert", &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, stageHandshake, event.FailureProtocol,
			"shop:80 refused the TLS connection: tls: handshake failure"},
		{"no TLS", tls.RecordHeaderError{RecordHeader: [5]byte{'S', 'S', 'H', '-', '2'}}, stageHandshake, event.FailureProtocol, "shop:80 does not speak TLS"},
		{"HTTP, no TLS", tls.RecordHeaderError{RecordHeader: [5]byte{'H', 'T', 'T', 'P', '/'}}, stageHandshake, event.FailureProtocol, "shop:80 speaks HTTP, not HTTPS"},
		{"HTTP, no TLS, as a client of net/http says it", http.ErrSchemeMismatch, stageHandshake, event.FailureProtocol, "shop:80 speaks HTTP, not HTTPS"},
		{"an old TLS", errors.New("tls: server selected unsupported protocol version 301"), stageHandshake, event.FailureProtocol,
			"the TLS handshake with shop:80 failed: tls: server selected unsupported protocol version 301"},
		{"what cannot be parsed", errors.New("odd"), stageAnswering, event.FailureProtocol, "what shop:80 answers is not valid HTTP"},
		{"a body that cannot be parsed", errors.New("odd"), stageBody, event.FailureProtocol, "what shop:80 answers is not valid HTTP"},
		{"no request could be made", &url.Error{Op: "Get", URL: "http://me:s3cret@shop", Err: errors.New("odd")}, stageBegun, event.FailureCheck, "the check could not run: odd"},
		{"hostile words", errors.New("a\x1b[31mb\nc"), stageBegun, event.FailureCheck, "the check could not run: ab c"},
	} {
		if got := failureOf(c.err, c.at); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := shop().explain(end{failure: c.want, code: 200, err: c.err, at: c.at}); !strings.HasPrefix(got, c.text) {
			t.Errorf("%s: %q, want %q", c.name, got, c.text)
		}
	}
}

func shop() *httpCheck {
	return newHTTP(service.Definition{URL: "http://me:s3cret@shop:80/", Timeout: 2 * time.Second}, Env{Version: "test"})
}

func TestEveryStageHasItsFailure(t *testing.T) {
	for at := stageBegun; at <= stageBody; at++ {
		if timedOut[at] == "" || brokenOff[at] == "" {
			t.Errorf("stage %d has the failures %q and %q", at, timedOut[at], brokenOff[at])
		}
	}
}

// TestOwnFaultIsNoObservation has the process run out of file descriptors.
func TestOwnFaultIsNoObservation(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	check := checkOf(server.URL, nil)
	check.transport = &plainTransport{dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	}}
	defer check.Close()
	seen := check.Check(t.Context())
	if !errors.Is(seen.Unknown, syscall.EMFILE) || seen.Status != "" || seen.Failure != "" {
		t.Errorf("saw %+v, want that the check was not made", seen)
	}
}

func TestSentencesAreBounded(t *testing.T) {
	got := shop().explain(end{failure: event.FailureCheck, err: errors.New(strings.Repeat("ä", 10_000))})
	if n := utf8.RuneCountInString(got); n > 300 {
		t.Errorf("a sentence of %d characters", n)
	}
}
