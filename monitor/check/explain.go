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
	"logstream/internal/text"
)

// explain is why a check failed, as one sentence made of its failure and what
// is known beside it; empty where it did not fail. It names the host without
// credentials.
func (c *httpCheck) explain(f event.Failure, a answer) string {
	within := c.def.Timeout
	switch f {
	case "":
		return ""
	case event.FailureStatus:
		return fmt.Sprintf("HTTP %d, expected %s", a.code, c.def.Expect.Status)
	case event.FailureLatency:
		return fmt.Sprintf("answered in %s, slower than %s", round(a.took), c.def.Expect.Latency)
	case event.FailureDNS:
		return c.explainDNS(a.err)
	case event.FailureConnectRefused:
		return fmt.Sprintf("connection refused by %s: nothing listens there", c.host)
	case event.FailureConnectTimeout:
		return fmt.Sprintf("no connection to %s within %s", c.host, within)
	case event.FailureUnreachable:
		return fmt.Sprintf("cannot connect to %s: %s", c.host, text.Short(innermost(a.err).Error()))
	case event.FailureReset:
		return fmt.Sprintf("%s closed the connection before its response was complete", c.host)
	case event.FailureTLSCertificate:
		return c.explainCertificate(a.err)
	case event.FailureTLSTimeout:
		return fmt.Sprintf("%s accepted the connection but did not finish the TLS handshake within %s", c.host, within)
	case event.FailureHeaderTimeout:
		return fmt.Sprintf("%s accepted the connection but sent no complete response headers within %s", c.host, within)
	case event.FailureBodyTimeout:
		return fmt.Sprintf("%s answered HTTP %d but did not finish the response body within %s", c.host, a.code, within)
	case event.FailureProtocol:
		return c.explainProtocol(a.err, a.at)
	}
	return "the check could not run: " + text.Short(withoutURL(a.err).Error())
}

func (c *httpCheck) explainDNS(err error) string {
	dns, is := errors.AsType[*net.DNSError](err)
	switch {
	case !is || dns.IsTimeout:
		return fmt.Sprintf("the DNS lookup of %s did not finish within %s", text.Short(c.hostname), c.def.Timeout)
	case dns.IsNotFound:
		return fmt.Sprintf("the DNS lookup of %s found no address", text.Short(dns.Name))
	}
	return fmt.Sprintf("the DNS lookup of %s failed: %s", text.Short(dns.Name), text.Short(dns.Err))
}

func (c *httpCheck) explainCertificate(err error) string {
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case isInvalid && invalid.Reason == x509.Expired && invalid.Cert != nil:
		from, to := invalid.Cert.NotBefore.UTC(), invalid.Cert.NotAfter.UTC()
		return fmt.Sprintf("the certificate of %s is valid only from %s to %s UTC", c.host, from.Format(time.DateTime), to.Format(time.DateTime))
	case isInvalid:
		return fmt.Sprintf("the certificate of %s is not valid: %s", c.host, text.Short(invalid.Error()))
	case is[x509.HostnameError](err):
		return fmt.Sprintf("the certificate of %s is for another name", c.host)
	case is[x509.UnknownAuthorityError](err):
		return fmt.Sprintf("the certificate of %s is signed by an unknown authority", c.host)
	}
	return fmt.Sprintf("the certificate of %s cannot be verified: %s", c.host, text.Short(innermost(err).Error()))
}

func (c *httpCheck) explainProtocol(err error, at stage) string {
	record, isRecord := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case isRecord && string(record.RecordHeader[:]) == "HTTP/", errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Sprintf("%s speaks HTTP, not HTTPS", c.host)
	case isRecord:
		return fmt.Sprintf("%s does not speak TLS", c.host)
	case duringOp(err, tlsAlert):
		return fmt.Sprintf("%s refused the TLS connection: %s", c.host, text.Short(innermost(err).Error()))
	case at == stageHandshake:
		return fmt.Sprintf("the TLS handshake with %s failed: %s", c.host, text.Short(innermost(err).Error()))
	}
	return fmt.Sprintf("what %s answers is not valid HTTP", c.host)
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
