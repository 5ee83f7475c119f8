package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/internal/container"
)

func TestInfo(t *testing.T) {
	r := newReplay(t)
	r.file(t, "GET", "/info", "info")
	runtime := r.runtime(t)
	got, err := runtime.Info(t.Context())
	want := container.Info{Kind: "docker", ID: "AAAA:BBBB", Version: "20.10.24+dfsg1", Containers: 3, Address: runtime.Host(), ChosenBy: "docker.host in config.yaml"}
	if err != nil || got != want {
		t.Errorf("Info gives %+v and the error %v, want %+v", got, err, want)
	}
}

// The engine's version of the API is agreed on once, and again with an engine
// that turns out to be another.
func TestAPIVersionIsNegotiatedAgain(t *testing.T) {
	r := newReplay(t)
	r.file(t, "GET", "/info", "info")
	runtime := r.runtime(t)
	for range 3 {
		if _, err := runtime.Info(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if pings := r.calls("HEAD /_ping"); len(pings) != 1 {
		t.Errorf("%d pings for 3 calls, want 1", len(pings))
	}
	r.on("POST", "/containers/x/start", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"message":"client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version"}`)
	})
	if err := runtime.Start(t.Context(), "x"); !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("a start in a version that the engine doesn't speak gives %v, want ErrUnavailable", err)
	}
	if _, err := runtime.Info(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pings := r.calls("HEAD /_ping"); len(pings) != 2 {
		t.Errorf("%d pings after the engine spoke another version, want 2", len(pings))
	}
}

// Whatever goes wrong on the way is ErrUnavailable, within the caller's time,
// and says where.
func TestUnavailable(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	tests := map[string]struct {
		serve func(net.Conn) // nil: nothing listens
		says  string
	}{
		"nothing there":            {nil, "nothing listens at"},
		"closed at once":           {func(net.Conn) {}, "is incomplete"},
		"hung":                     {func(net.Conn) { <-hang }, "no answer in time"},
		"garbage":                  {say("SSH-2.0-OpenSSH_9.2\r\n"), "incomplete or not valid"},
		"half a pong":              {answer(say("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Le")), "is incomplete"},
		"a sick pong":              {answer(say("HTTP/1.1 500 Oops\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n")), "500 Oops"},
		"another server":           {answer(say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")), "does not report a version of Docker's API"},
		"half an answer":           {afterPong(say("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Le")), "is incomplete"},
		"half a body":              {afterPong(say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"ServerVersion\":")), "is incomplete"},
		"half an error":            {afterPong(say("HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"mess")), "is incomplete"},
		"not JSON":                 {afterPong(say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")), "incomplete or not valid"},
		"hung after the pong":      {afterPong(func(net.Conn) { <-hang }), "no answer in time"},
		"a proxy without engine":   {afterPong(say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nnope")), "nope"},
		"a gateway without target": {afterPong(say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 11\r\n\r\nBad Gateway")), "Bad Gateway"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			socket := listen(t, test.serve)
			runtime := runtimeAt(t, "unix://"+socket)
			for call, do := range map[string]func(context.Context) error{
				"Info":    func(ctx context.Context) error { _, err := runtime.Info(ctx); return err },
				"Find":    func(ctx context.Context) error { _, err := runtime.Find(ctx, "x"); return err },
				"Inspect": func(ctx context.Context) error { _, err := runtime.Inspect(ctx, "x"); return err },
				"Events": func(ctx context.Context) error {
					return runtime.Events(ctx, time.Time{}, func() {}, func(container.Event) {})
				},
			} {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				err := do(ctx)
				late := ctx.Err() != nil
				cancel()
				if call == "Events" && late {
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Events gives %v at its deadline, want DeadlineExceeded", err)
					}
					continue
				}
				if !errors.Is(err, container.ErrUnavailable) || errors.Is(err, container.ErrNotFound) {
					t.Errorf("%s gives %v, want ErrUnavailable", call, err)
				} else if !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s gives %q, want it to say %q", call, err, test.says)
				}
			}
		})
	}
}

// answer waits for a request and answers it, whatever it is.
func answer(by func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := c.Read(make([]byte, 4096)); err == nil {
			by(c)
		}
	}
}

// afterPong answers pings as an engine does, and the first other request by
// something else.
func afterPong(by func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := c.Read(buffer)
			if err != nil {
				return
			}
			if !strings.HasPrefix(string(buffer[:n]), "HEAD /_ping") {
				by(c)
				return
			}
			say("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n")(c)
		}
	}
}

func say(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) } // the client may have left
}

// listen serves each connection on a unix socket by serve, then closes it.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	if serve == nil {
		return socket
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			// One that hangs outlives the test by a moment: it isn't waited for.
			go func() {
				defer connection.Close()
				serve(connection)
			}()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
	})
	return socket
}

// A call on a connection that breaks after the request was sent says that
// nothing is known of the effect.
func TestLostAnswer(t *testing.T) {
	r := newReplay(t)
	r.on("POST", "/containers/x/start", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	err := r.runtime(t).Start(t.Context(), "x")
	if !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("a start without an answer gives %v, want ErrUnavailable", err)
	}
	if calls := r.calls("POST /containers/x/start"); len(calls) != 1 {
		t.Errorf("it was sent %d times, want once", len(calls))
	}
}
