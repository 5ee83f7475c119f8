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
	"strings"
	"syscall"
	"time"
	"unicode"
)

// maxSentence bounds, in characters, what somebody else's words add to a sentence.
const maxSentence = 200

// explain is the error of a check as one sentence, empty for nil. host is
// whom it asked, without credentials. ours says that the check failed for a
// reason of this machine's own, which tells nothing about the service.
func explain(err error, at stage, host string, timeout time.Duration) (sentence string, ours bool) {
	if err == nil {
		return "", false
	}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return errno.Error(), true
		}
	}
	for _, about := range []func(error, stage, string, time.Duration) string{aboutTLS, aboutDNS, aboutTime, aboutConnection} {
		if s := about(err, at, host, timeout); s != "" {
			return s, false
		}
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return fmt.Sprintf("no connection to %s: %s", host, clean(dial.Err.Error())), false
	}
	return "the check failed: " + clean(withoutURL(err).Error()), false
}

func aboutTLS(err error, _ stage, host string, _ time.Duration) string {
	var (
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
		notTLS    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		from, to := invalid.Cert.NotBefore, invalid.Cert.NotAfter
		return fmt.Sprintf("the certificate of %s is valid from %s to %s, and not now", host, from.UTC().Format(time.DateTime), to.UTC().Format(time.DateTime))
	case errors.As(err, &invalid):
		return fmt.Sprintf("the certificate of %s is not valid: %s", host, clean(invalid.Error()))
	case errors.As(err, &hostname):
		return fmt.Sprintf("the certificate of %s is for another name", host)
	case errors.As(err, &authority):
		return fmt.Sprintf("the certificate of %s is signed by an authority that this machine doesn't know", host)
	case errors.As(err, &notTLS) && string(notTLS.RecordHeader[:]) == "HTTP/":
		return fmt.Sprintf("%s speaks HTTP and not HTTPS", host)
	case errors.As(err, &notTLS):
		return fmt.Sprintf("%s doesn't speak TLS", host)
	case errors.As(err, &alert):
		return fmt.Sprintf("%s refused the TLS handshake: %s", host, clean(alert.Error()))
	}
	return ""
}

func aboutDNS(err error, _ stage, _ string, timeout time.Duration) string {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return ""
	case dns.IsNotFound:
		return fmt.Sprintf("no address is known for the name %s", clean(dns.Name))
	case dns.IsTimeout:
		return fmt.Sprintf("the address of the name %s was not found out within %s", clean(dns.Name), timeout)
	}
	return fmt.Sprintf("the address of the name %s could not be found out: %s", clean(dns.Name), clean(dns.Err))
}

func aboutTime(err error, at stage, host string, timeout time.Duration) string {
	var timed net.Error
	if !errors.Is(err, context.DeadlineExceeded) && !(errors.As(err, &timed) && timed.Timeout()) {
		return ""
	}
	switch at {
	case stageBegun, stageConnecting:
		return fmt.Sprintf("no connection to %s within %s", host, timeout)
	case stageResolving:
		return fmt.Sprintf("the address of %s was not found out within %s", host, timeout)
	case stageHandshake:
		return fmt.Sprintf("%s took the connection, and didn't finish the TLS handshake within %s", host, timeout)
	case stageReading:
		return fmt.Sprintf("%s began to answer, and wasn't done within %s", host, timeout)
	}
	return fmt.Sprintf("%s took the connection, and didn't answer within %s", host, timeout)
}

func aboutConnection(err error, _ stage, host string, _ time.Duration) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("connection refused by %s: nothing listens there", host)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("there is no route to %s", host)
	case strings.Contains(err.Error(), "malformed HTTP"):
		return fmt.Sprintf("what %s answers is not HTTP", host)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.Contains(err.Error(), "server closed idle connection"):
		return fmt.Sprintf("%s closed the connection before its answer was complete", host)
	}
	return ""
}

// withoutURL is what an error says beside the address, which may hold
// credentials.
func withoutURL(err error) error {
	for {
		var at *url.Error
		if !errors.As(err, &at) {
			return err
		}
		err = at.Err
	}
}

// clean makes somebody else's words fit for one sentence: printable, bounded.
func clean(s string) string {
	var out strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxSentence {
			out.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			r = '?'
		}
		out.WriteRune(r)
	}
	return out.String()
}
