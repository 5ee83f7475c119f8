package check

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

func checkOf(url string, change func(*service.Definition)) *httpCheck {
	return checkOver(Env{}, url, change)
}

func checkOver(env Env, url string, change func(*service.Definition)) *httpCheck {
	env.Version = "1.2.3"
	d := service.Default()
	d.Name, d.URL, d.Timeout = "pay", url, 5*time.Second
	if change != nil {
		change(&d)
	}
	return newHTTP(d, env)
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestAnswersAreJudged(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		change  func(*service.Definition)
		status  event.Status
		code    int
		err     string
	}{
		{"200", status(200), nil, event.Up, 200, ""},
		{"500", status(500), nil, event.Down, 500, "HTTP 500, expected 200-399"},
		{"a redirection is an answer", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				w.WriteHeader(500)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}, nil, event.Up, 302, ""},
		{"and not what only 200 expects", status(302), func(d *service.Definition) {
			d.Expect.Status = service.StatusRange{{200, 200}, {204, 204}}
		}, event.Down, 302, "HTTP 302, expected 200,204"},
		{"500 may be what is expected", status(500), func(d *service.Definition) {
			d.Expect.Status = service.StatusRange{{500, 500}}
		}, event.Up, 500, ""},
		{"slow is DEGRADED", func(http.ResponseWriter, *http.Request) { time.Sleep(30 * time.Millisecond) },
			func(d *service.Definition) { d.Expect.Latency = 10 * time.Millisecond }, event.Degraded, 200, "slower than 10ms"},
		{"slow and bad is DOWN", func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(30 * time.Millisecond)
			w.WriteHeader(503)
		}, func(d *service.Definition) { d.Expect.Latency = 10 * time.Millisecond }, event.Down, 503, "HTTP 503, expected 200-399"},
		{"of a body without end a part is read", func(w http.ResponseWriter, r *http.Request) {
			for line := []byte(strings.Repeat("x", 1<<12)); r.Context().Err() == nil; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, nil, event.Up, 200, ""},
		{"the client names itself, with the address's credentials", func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" || r.UserAgent() != "logstream/1.2.3" || r.Method != http.MethodGet {
				w.WriteHeader(401)
			}
		}, func(d *service.Definition) { d.URL = strings.Replace(d.URL, "://", "://me:s3cret@", 1) }, event.Up, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			check := checkOf(serve(t, c.handler).URL, c.change)
			defer check.Close()
			seen := check.Check(t.Context())
			if seen.Unknown != nil || seen.Status != c.status || seen.Code != c.code {
				t.Errorf("saw %+v, want %s with %d", seen, c.status, c.code)
			}
			if c.err == "" && seen.Error != "" || !strings.Contains(seen.Error, c.err) {
				t.Errorf("says %q, want %q", seen.Error, c.err)
			}
			if seen.Took <= 0 || time.Since(seen.Began) < seen.Took {
				t.Errorf("began at %s and took %s", seen.Began, seen.Took)
			}
		})
	}
}

// rawServer answers each connection with what talk does.
func rawServer(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	t.Cleanup(group.Wait)
	t.Cleanup(func() { listener.Close() })
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer conn.Close()
				talk(conn)
			})
		}
	})
	return listener.Addr().String()
}

// readAll reads until the other side closes.
func readAll(conn net.Conn) { io.Copy(io.Discard, conn) }

func request(conn net.Conn) {
	var buffer [1 << 12]byte
	conn.Read(buffer[:])
}

func TestConnectionIsReusedAndRenewed(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "fine")
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	check := checkOf(server.URL, nil)
	defer check.Close()
	checkOnce := func(want int32, why string) {
		t.Helper()
		if seen := check.Check(t.Context()); seen.Status != event.Up {
			t.Fatalf("saw %+v", seen)
		}
		if got := opened.Load(); got != want {
			t.Fatalf("%d connections were opened, want %d: %s", got, want, why)
		}
	}
	checkOnce(1, "the first check opens one")
	checkOnce(1, "the second uses it")
	check.dialled = check.dialled.Add(-check.def.KeepAlive - time.Second)
	checkOnce(2, "an old one is not used")
	checkOnce(2, "the new one is")
	check.Fresh()
	checkOnce(3, "after a start there is a new one")
	check.Close()
	if len(check.open) != 0 {
		t.Errorf("after close %d connections are open", len(check.open))
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	check := checkOf("http://"+rawServer(t, func(c net.Conn) {
		request(c)
		close(asked)
		readAll(c)
	}), func(d *service.Definition) { d.Timeout = time.Minute })
	defer check.Close()
	go func() {
		<-asked
		cancel()
	}()
	if seen := check.Check(ctx); seen.Took > 10*time.Second {
		t.Errorf("it took %s to end", seen.Took)
	}
}

func BenchmarkCheckHTTP(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") }))
	defer server.Close()
	check := checkOf(server.URL, nil)
	defer check.Close()
	b.ReportAllocs()
	for b.Loop() {
		if seen := check.Check(b.Context()); seen.Status != event.Up {
			b.Fatalf("saw %+v", seen)
		}
	}
}
