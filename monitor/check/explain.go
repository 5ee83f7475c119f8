package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"logstream/internal/event"
)

// end is how a check ended that did not succeed.
type end struct {
	failure event.Failure
	err     error
	at      stage
	code    int // of HTTP; 0: there was no answer. It may come with an error: the body broke off
}

// explain is why a check failed, as one sentence made of its failure and what
// is known beside it. It names the host without credentials.
func (t target) explain(e end) string {
	if known, is := errors.AsType[*fault](e.err); is {
		return known.says
	}
	within := t.timeout
	switch e.failure {
	case event.FailureDNS:
		return t.explainDNS(e.err)
	case event.FailureConnectRefused:
		return fmt.Sprintf("connection refused by %s: nothing listens there", t.host)
	case event.FailureConnectTimeout:
		return fmt.Sprintf("no connection to %s within %s", t.host, within)
	case event.FailureUnreachable:
		return fmt.Sprintf("cannot connect to %s: %s", t.host, t.reason(e.err))
	case event.FailureReset:
		return fmt.Sprintf("%s closed the connection before its response was complete", t.host)
	case event.FailureTLSCertificate:
		return t.explainCertificate(e.err)
	case event.FailureTLSTimeout:
		return fmt.Sprintf("%s accepted the connection but did not finish the TLS handshake within %s", t.host, within)
	case event.FailureHeaderTimeout:
		return t.explainSilence(e.at)
	case event.FailureBodyTimeout:
		return fmt.Sprintf("%s answered HTTP %d but did not finish the response body within %s", t.host, e.code, within)
	case event.FailureProtocol:
		return t.explainProtocol(e.err, e.at)
	}
	return "the check could not run: " + t.foreign(withoutURL(e.err).Error())
}

// explainSilence is of a time-out after the connection was made.
func (t target) explainSilence(at stage) string {
	switch {
	case t.protocol == protocolHTTP:
		return fmt.Sprintf("%s accepted the connection but sent no complete response headers within %s", t.host, t.timeout)
	case at == stageAnswering:
		return fmt.Sprintf("%s began to answer but did not finish within %s", t.host, t.timeout)
	}
	return fmt.Sprintf("%s accepted the connection but did not answer within %s", t.host, t.timeout)
}

// reason is the innermost of an error's texts, as part of a sentence.
func (t target) reason(err error) string { return t.foreign(innermost(err).Error()) }

func (t target) explainDNS(err error) string {
	dns, is := errors.AsType[*net.DNSError](err)
	switch {
	case !is || dns.IsTimeout:
		return fmt.Sprintf("the DNS lookup of %s did not finish within %s", t.foreign(t.hostname), t.timeout)
	case dns.IsNotFound:
		return fmt.Sprintf("the DNS lookup of %s found no address", t.foreign(dns.Name))
	}
	return fmt.Sprintf("the DNS lookup of %s failed: %s", t.foreign(dns.Name), t.foreign(dns.Err))
}

func (t target) explainCertificate(err error) string {
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case isInvalid && invalid.Reason == x509.Expired && invalid.Cert != nil:
		from, to := invalid.Cert.NotBefore.UTC(), invalid.Cert.NotAfter.UTC()
		return fmt.Sprintf("the certificate of %s is valid only from %s to %s UTC", t.host, from.Format(time.DateTime), to.Format(time.DateTime))
	case isInvalid:
		return fmt.Sprintf("the certificate of %s is not valid: %s", t.host, t.foreign(invalid.Error()))
	case is[x509.HostnameError](err):
		return fmt.Sprintf("the certificate of %s is for another name", t.host)
	case is[x509.UnknownAuthorityError](err):
		return fmt.Sprintf("the certificate of %s is signed by an unknown authority", t.host)
	}
	return fmt.Sprintf("the certificate of %s cannot be verified: %s", t.host, t.reason(err))
}

func (t target) explainProtocol(err error, at stage) string {
	record, isRecord := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case t.protocol == protocolHTTP && isRecord && string(record.RecordHeader[:]) == "HTTP/", errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Sprintf("%s speaks HTTP, not HTTPS", t.host)
	case isRecord:
		return fmt.Sprintf("%s does not speak TLS", t.host)
	case duringOp(err, tlsAlert):
		return fmt.Sprintf("%s refused the TLS connection: %s", t.host, t.reason(err))
	case at == stageHandshake:
		return fmt.Sprintf("the TLS handshake with %s failed: %s", t.host, t.reason(err))
	}
	return fmt.Sprintf("what %s answers is not valid %s", t.host, t.protocol)
}

// innermost is the reason at the end of a chain of errors, without the
// addresses and operations that the others add.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
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
