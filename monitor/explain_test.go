package monitor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

func TestExplain(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	yesterday := x509.Certificate{NotBefore: zero.AddDate(-1, 0, 0), NotAfter: zero}
	verify := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for _, c := range []struct {
		name string
		err  error
		at   stage
		want string
		ours bool
	}{
		{"nothing", nil, stageReading, "", false},
		{"refused", dial(syscall.ECONNREFUSED), stageConnecting, "connection refused by shop:80: nothing listens there", false},
		{"no route", dial(syscall.EHOSTUNREACH), stageConnecting, "there is no route to shop:80", false},
		{"no network", dial(syscall.ENETUNREACH), stageConnecting, "there is no route to shop:80", false},
		{"no IPv6 here says nothing of the service's other address", dial(syscall.EADDRNOTAVAIL), stageConnecting,
			"no connection to shop:80: connect: " + syscall.EADDRNOTAVAIL.Error(), false},
		{"no descriptors left", &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, stageConnecting, syscall.EMFILE.Error(), true},
		{"reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, stageWaiting, "shop:80 closed the connection before its answer was complete", false},
		{"closed before the request", errors.New("http: server closed idle connection"), stageWaiting, "shop:80 closed the connection before its answer was complete", false},
		{"end", io.EOF, stageWaiting, "shop:80 closed the connection before its answer was complete", false},
		{"time, name", context.DeadlineExceeded, stageResolving, "the address of shop:80 was not found out within 2s", false},
		{"time, connection", context.DeadlineExceeded, stageConnecting, "no connection to shop:80 within 2s", false},
		{"time, dialler", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, stageConnecting, "no connection to shop:80 within 2s", false},
		{"time, handshake", context.DeadlineExceeded, stageHandshake, "shop:80 took the connection, and didn't finish the TLS handshake within 2s", false},
		{"time, answer", context.DeadlineExceeded, stageWaiting, "shop:80 took the connection, and didn't answer within 2s", false},
		{"time, body", fmt.Errorf("read: %w", context.DeadlineExceeded), stageReading, "shop:80 began to answer, and wasn't done within 2s", false},
		{"unknown name", &net.DNSError{Name: "shop", IsNotFound: true}, stageResolving, "no address is known for the name shop", false},
		{"name server hangs", &net.DNSError{Name: "shop", IsTimeout: true}, stageResolving, "the address of the name shop was not found out within 2s", false},
		{"name server fails", &net.DNSError{Name: "shop", Err: "server misbehaving"}, stageResolving, "the address of the name shop could not be found out: server misbehaving", false},
		{"expired", verify(x509.CertificateInvalidError{Cert: &yesterday, Reason: x509.Expired}), stageHandshake,
			"the certificate of shop:80 is valid from 2025-01-02 03:04:05 to 2026-01-02 03:04:05, and not now", false},
		{"other fault of a certificate", verify(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}), stageHandshake, "the certificate of shop:80 is not valid: ", false},
		{"other name", verify(x509.HostnameError{Certificate: &yesterday, Host: "shop"}), stageHandshake, "the certificate of shop:80 is for another name", false},
		{"other authority", verify(x509.UnknownAuthorityError{}), stageHandshake, "the certificate of shop:80 is signed by an authority that this machine doesn't know", false},
		{"alert", tls.AlertError(40), stageHandshake, "shop:80 refused the TLS handshake: ", false},
		{"no TLS", tls.RecordHeaderError{RecordHeader: [5]byte{'S', 'S', 'H', '-', '2'}}, stageHandshake, "shop:80 doesn't speak TLS", false},
		{"HTTP, no TLS", tls.RecordHeaderError{RecordHeader: [5]byte{'H', 'T', 'T', 'P', '/'}}, stageHandshake, "shop:80 speaks HTTP and not HTTPS", false},
		{"anything", errors.New("odd"), stageWaiting, "the check failed: odd", false},
		{"an address is left out", &url.Error{Op: "Get", URL: "http://me:s3cret@shop", Err: errors.New("odd")}, stageWaiting, "the check failed: odd", false},
		{"hostile words", errors.New("a\x1b[31mb\nc"), stageWaiting, "the check failed: a?[31mb?c", false},
	} {
		got, ours := explain(c.err, c.at, "shop:80", 2*time.Second)
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || ours != c.ours {
			t.Errorf("%s: %q, ours %t; want %q, %t", c.name, got, ours, c.want, c.ours)
		}
	}
}

func TestSentencesAreBounded(t *testing.T) {
	got, _ := explain(errors.New(strings.Repeat("ä", 10_000)), stageWaiting, "shop:80", time.Second)
	if n := utf8.RuneCountInString(got); n > maxSentence+50 {
		t.Errorf("a sentence of %d characters", n)
	}
}
