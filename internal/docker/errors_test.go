package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/client"

	"logstream/internal/container"
)

// through is the error that the Docker client makes of what its transport
// said.
func through(t *testing.T, transport http.RoundTripper) error {
	t.Helper()
	c, err := client.NewClientWithOpts(client.WithHTTPClient(&http.Client{Transport: transport}), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ContainerInspect(t.Context(), "x")
	return err
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// dial is what net/http gives for a socket that cannot be connected to.
func dial(errno syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", errno)}
}

func TestClassify(t *testing.T) {
	failing := func(err error) error {
		return through(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, err }))
	}
	recorded := func(name string) error {
		return through(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			status, contentType, body := recording(t, name)
			return response(r, status, contentType, string(body)), nil
		}))
	}
	status := func(code int, body string) error {
		return through(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			return response(r, code, "text/plain", body), nil
		}))
	}
	tests := []struct {
		name string
		err  error
		want failure
	}{
		{"cancelled", failing(context.Canceled), cancelled},
		{"deadline", failing(context.DeadlineExceeded), late},
		{"deadline of the events", context.DeadlineExceeded, late},
		{"socket missing", failing(dial(syscall.ENOENT)), absent},
		{"connection refused", failing(dial(syscall.ECONNREFUSED)), absent},
		{"permission denied", failing(dial(syscall.EACCES)), forbidden},
		{"connection reset", failing(&net.OpError{Op: "read", Net: "unix", Err: syscall.ECONNRESET}), noAnswer},
		{"closed", failing(io.EOF), noAnswer},
		{"end of a stream", io.EOF, noAnswer},
		{"half a body", fmt.Errorf("decode: %w", io.ErrUnexpectedEOF), noAnswer},
		{"not HTTP", failing(errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "x"`)), noAnswer},
		{"not an address", &url.Error{Op: "Get", URL: "x", Err: errors.New("unsupported protocol scheme")}, noAnswer},
		{"not JSON", status(200, "hello"), noAnswer},
		{"no such container", recorded("inspect-missing"), gone},
		{"no such container to start", recorded("start-missing"), gone},
		{"another kind of 404", recorded("start-network-missing"), refused},
		{"404 of a server that isn't Docker", status(404, "404 page not found"), refused},
		{"paused", recorded("start-paused"), refused},
		{"port taken", recorded("start-port-taken"), refused},
		{"not paused", recorded("unpause-exited"), refused},
		{"not running", recorded("kill-exited"), refused},
		{"forbidden by an authorization plug-in", status(403, "no"), refused},
		{"client too new", status(400, "client version 1.51 is too new. Maximum supported API version is 1.41"), otherVersion},
		{"client too old", status(400, "client version 1.41 is too old. Minimum supported API version is 1.44"), otherVersion},
		{"proxy without engine", status(503, "no server is available"), noAnswer},
		{"gateway without engine", status(502, "<h1>502 Bad Gateway</h1>"), noAnswer},
		{"gateway that waited", status(504, "<h1>504 Gateway Timeout</h1>"), noAnswer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := classify(test.err)
			if got != test.want {
				t.Errorf("classify(%v) is %d, want %d", test.err, got, test.want)
			}
			err := got.wrap("start", "container x", "unix:///s", test.err)
			if is := errors.Is(err, container.ErrNotFound); is != (test.want == gone) {
				t.Errorf("%v: is ErrNotFound: %v", err, is)
			}
			if is := errors.Is(err, container.ErrUnavailable); is != (test.want != gone && test.want != refused) {
				t.Errorf("%v: is ErrUnavailable: %v", err, is)
			}
			if is := errors.Is(err, context.Canceled); is != (test.want == cancelled) {
				t.Errorf("%v: is Canceled: %v", err, is)
			}
		})
	}
}

func response(r *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Request: r,
		Header: http.Header{"Content-Type": {contentType}},
		Body:   io.NopCloser(strings.NewReader(body)),
	}
}

// In a container usermod and a new login help nothing.
func TestADeniedSocketInAContainerNeedsAGroupOfTheContainer(t *testing.T) {
	r, err := New(Config{Host: "unix:///s"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	denied := through(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, dial(syscall.EACCES) }))
	for self, want := range map[string]string{
		"": "permission denied at unix:///s: add yourself to the docker group, then log in again: sudo usermod -aG docker $USER",
		"0123456789ab": "permission denied at unix:///s: run LogStream's container with the group that this prints on the host, as --group-add (Compose: DOCKER_GID): " +
			"stat -c %g /var/run/docker.sock",
	} {
		r.self = self
		if got := r.fail("list", "containers", denied); !errors.Is(got, container.ErrUnavailable) || !strings.HasSuffix(got.Error(), want) {
			t.Errorf("in container %q: %v", self, got)
		}
	}
}

// What a person reads: what, on what, why, and how to fix it.
func TestErrorText(t *testing.T) {
	for _, test := range []struct {
		failure failure
		err     error
		want    string
	}{
		{gone, errors.New("x"), `start container db: no such container`},
		{refused, errors.New("Error response from daemon: cannot start a paused container, try unpause instead"),
			`start container db: the engine refused: cannot start a paused container, try unpause instead`},
		{forbidden, errors.New("x"), `start container db: the container runtime is unreachable: permission denied at unix:///s: ` +
			`add yourself to the docker group, then log in again: sudo usermod -aG docker $USER`},
		{absent, errors.New("x"), `start container db: the container runtime is unreachable: nothing listens at unix:///s: ` +
			`set docker.host, or start Docker: sudo systemctl start docker`},
		{late, context.DeadlineExceeded, `start container db: the container runtime is unreachable: no answer in time from unix:///s: see whether docker ps answers; if not, restart Docker: sudo systemctl restart docker`},
	} {
		if got := test.failure.wrap("start", "container db", "unix:///s", test.err).Error(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
