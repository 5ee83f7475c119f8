package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"logstream/internal/container"
	"logstream/internal/health"
	"logstream/internal/redact"
)

// failure is why a call failed.
type failure int

const (
	noAnswer     failure = iota // no answer that can be understood: nothing is known of the effect
	absent                      // nothing listens at the address
	forbidden                   // the socket is there and we may not open it
	noGroup                     // the same, in a container: its user is in no group of the host
	late                        // the caller's deadline, or ours, passed first
	cancelled                   // the caller gave up
	otherVersion                // the engine speaks another version of its API: nothing was done
	gone                        // the engine answered that there is no such container
	refused                     // the engine answered no, and said why
)

// classify finds from an error of the Docker client why the call failed. Only
// an answer with a status of HTTP counts as said by the engine.
func classify(err error) failure {
	switch {
	case errors.Is(err, context.Canceled):
		return cancelled
	case errors.Is(err, context.DeadlineExceeded):
		return late
	case client.IsErrConnectionFailed(err):
		return classifyConnection(err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), !answered(err):
		return noAnswer
	case says(err, saysVersion) && (says(err, saysTooNew) || says(err, saysTooOld)):
		return otherVersion
	case cerrdefs.IsNotFound(err) && says(err, saysNoContainer):
		return gone // a start whose network was removed is a 404 too
	case cerrdefs.IsUnavailable(err), says(err, saysBadGateway), says(err, saysGatewayTimeout):
		return noAnswer // a proxy before the socket speaks, not the engine
	default:
		return refused
	}
}

func classifyConnection(err error) failure {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return forbidden
	case says(err, saysNoDaemon):
		return absent
	default:
		return noAnswer
	}
}

// answered reports whether err carries a status that came over HTTP.
func answered(err error) bool {
	for _, is := range []func(error) bool{
		cerrdefs.IsNotFound, cerrdefs.IsInvalidArgument, cerrdefs.IsConflict, cerrdefs.IsFailedPrecondition,
		cerrdefs.IsUnauthorized, cerrdefs.IsPermissionDenied, cerrdefs.IsResourceExhausted, cerrdefs.IsInternal,
		cerrdefs.IsNotImplemented, cerrdefs.IsUnavailable, cerrdefs.IsUnknown,
	} {
		if is(err) {
			return true
		}
	}
	return false
}

// wrap makes "what, on what, why" of a failure. The result is
// container.ErrNotFound or container.ErrUnavailable where the failure is one.
func (f failure) wrap(what, on, host string, err error) error {
	switch f {
	case gone:
		return fmt.Errorf("%s %s: %w", what, on, container.ErrNotFound)
	case refused:
		return fmt.Errorf("%s %s: the engine refused: %w", what, on, &refusal{err})
	case cancelled:
		return fmt.Errorf("%s %s: cancelled before %s answered: %w (%w)", what, on, host, container.ErrUnavailable, err)
	case late:
		return unavailable(what, on, err, "no answer in time from "+host, "see whether docker ps answers; if not, restart Docker", "sudo systemctl restart docker")
	case forbidden:
		return unavailable(what, on, err, "permission denied at "+host, "add yourself to the docker group, then log in again", "sudo usermod -aG docker $USER")
	case noGroup:
		return unavailable(what, on, err, "permission denied at "+host, "run LogStream's container with the group that this prints on the host, as --group-add (Compose: DOCKER_GID)", "stat -c %g /var/run/docker.sock")
	case absent:
		return unavailable(what, on, err, "nothing listens at "+host, "set docker.host, or start Docker", "sudo systemctl start docker")
	case otherVersion:
		return unavailable(what, on, err, fmt.Sprintf("the engine at %s no longer supports the API version that it used before: %v", host, &refusal{err}), "none needed: LogStream negotiates the version again by itself", "")
	default:
		return unavailable(what, on, err, fmt.Sprintf("the answer of %s is incomplete or not valid: %v", host, err), "check docker.host, and Docker's log", "sudo journalctl -u docker -e")
	}
}

// unavailable is a failure that says nothing of the effect, with how to fix it.
func unavailable(what, on string, err error, why, remedy, command string) error {
	return fmt.Errorf("%s %s: %w", what, on, &container.UnavailableError{Why: why, Err: err, Remedy: health.Remedy{Text: remedy, Command: command}})
}

// refusal is the engine's own sentence, without the client's preface, and without what
// looks like a secret.
type refusal struct{ err error }

func (e *refusal) Error() string {
	return readable(strings.TrimPrefix(e.err.Error(), "Error response from daemon: "), nil)
}

func (e *refusal) Unwrap() error { return e.err }

// withheld is an error without the engine's sentence in it.
type withheld struct {
	err     error
	refused *refusal
}

func (e *withheld) Error() string {
	return strings.Replace(e.err.Error(), e.refused.Error(), "its reason is not shown, because the container's secrets could not be read", 1)
}

func (e *withheld) Unwrap() error { return e.err }

// hidden is an error without secrets that are known.
type hidden struct {
	err     error
	secrets []string
}

func (e *hidden) Error() string { return redact.Known(e.err.Error(), e.secrets...) }

func (e *hidden) Unwrap() error { return e.err }
