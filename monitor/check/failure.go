package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"

	"logstream/internal/event"
)

// stage is how far a check came. With the error's type it says what failed.
type stage int32

const (
	stageBegun      stage = iota
	stageResolving        // looking up the host's name
	stageConnecting       // TCP
	stageHandshake        // TCP is connected, TLS is not
	stageWaiting          // the request is on its way
	stageAnswering        // the answer began; of HTTP, status and headers are not complete
	stageBody             // of HTTP: status and headers were read
)

// timedOut is the failure of a check whose deadline passed at a stage.
var timedOut = map[stage]event.Failure{
	stageBegun:      event.FailureConnectTimeout,
	stageResolving:  event.FailureDNS,
	stageConnecting: event.FailureConnectTimeout,
	stageHandshake:  event.FailureTLSTimeout,
	stageWaiting:    event.FailureHeaderTimeout,
	stageAnswering:  event.FailureHeaderTimeout,
	stageBody:       event.FailureBodyTimeout,
}

// brokenOff is the failure of a check that ended at a stage with an error whose
// type says nothing: net/http gives what it cannot parse, and a connection
// closed before the request, errors without a type.
var brokenOff = map[stage]event.Failure{
	stageBegun:      event.FailureCheck,
	stageResolving:  event.FailureDNS,
	stageConnecting: event.FailureUnreachable,
	stageHandshake:  event.FailureProtocol,
	stageWaiting:    event.FailureReset,
	stageAnswering:  event.FailureProtocol,
	stageBody:       event.FailureProtocol,
}

// fault is what a check found wrong, where the check itself knows what it is: a
// login that was refused, an answer that is not as expected.
type fault struct {
	status  event.Status // Down, or Degraded
	failure event.Failure
	says    string
}

func (f *fault) Error() string { return f.says }

// failed is the error of a check that makes the service DOWN. Foreign text in
// the arguments has to come from target.foreign.
func failed(failure event.Failure, format string, args ...any) error {
	return &fault{event.Down, failure, fmt.Sprintf(format, args...)}
}

// degraded is failed for what makes the service DEGRADED only.
func degraded(failure event.Failure, format string, args ...any) error {
	return &fault{event.Degraded, failure, fmt.Sprintf(format, args...)}
}

// late is an error that came when the check's time was over. Many clients then
// only say that they closed the connection.
type late struct{ error }

func (l late) Unwrap() error { return l.error }

// failureOf says what failed in a check that came as far as at and ended with
// err, whatever its kind.
func failureOf(err error, at stage) event.Failure {
	if known, is := errors.AsType[*fault](err); is {
		return known.failure
	}
	switch {
	case is[*net.DNSError](err):
		return event.FailureDNS
	case is[*net.AddrError](err):
		return event.FailureCheck // a port that there is not, and the like
	case is[*tls.CertificateVerificationError](err):
		return event.FailureTLSCertificate
	case is[tls.RecordHeaderError](err), duringOp(err, tlsAlert), errors.Is(err, http.ErrSchemeMismatch):
		return event.FailureProtocol
	case isTimeout(err) && duringOp(err, "dial"):
		return event.FailureConnectTimeout // the dialler's own deadline: one that resolves or shakes hands has an error of its own
	case isTimeout(err):
		return timedOut[at]
	case errors.Is(err, syscall.ECONNREFUSED):
		return event.FailureConnectRefused
	case isReset(err):
		return event.FailureReset
	case duringOp(err, "dial"), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return event.FailureUnreachable
	case is[late](err):
		return timedOut[at]
	}
	return brokenOff[at]
}

// isOwnFault says whether a check could not be made for a reason of this
// machine's own, which says nothing about the service.
func isOwnFault(err error) bool {
	return isAny(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM)
}

func isTimeout(err error) bool {
	timed, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timed.Timeout()
}

// tlsAlert is the operation that crypto/tls gives the other side's alerts,
// whose type it does not export.
const tlsAlert = "remote error"

// duringOp says whether an error is of that operation of a connection.
func duringOp(err error, name string) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == name
}

// isReset says whether the other side ended the connection, or an HTTP/2 stream
// of it, before its answer was complete.
func isReset(err error) bool {
	return isAny(err, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED) ||
		is[streamError](err)
}

// streamError is what net/http's own, unexported error of an HTTP/2 stream that
// the server reset gives errors.AsType: it fits every struct with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "the HTTP/2 stream was reset" }

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
