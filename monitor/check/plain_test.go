package check

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// outcome is what came of a request.
type outcome struct {
	code   int
	body   string
	header string // X
	failed bool
	stages string
}

// outcomeOver makes a request over a transport to a server that answers with
// raw bytes and then closes the connection.
func outcomeOver(t *testing.T, method, raw string, over func(dial func(context.Context, string, string) (net.Conn, error)) transport) outcome {
	t.Helper()
	transport := over(func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
				io.WriteString(server, raw)
			}
		}()
		return &trackedConn{Conn: client, closed: func(*trackedConn) {}}, nil
	})
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var o outcome
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:              func(string) { o.stages += "get " },
		GotConn:              func(httptrace.GotConnInfo) { o.stages += "got " },
		GotFirstResponseByte: func() { o.stages += "byte" },
	})
	request, err := http.NewRequestWithContext(ctx, method, "http://shop/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		o.failed = true
		return o
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	o.code, o.body, o.header, o.failed = response.StatusCode, string(body), response.Header.Get("X"), err != nil
	return o
}

// FuzzPlainTransport holds that a check sees over plainTransport what it sees
// over net/http, whatever the server answers.
func FuzzPlainTransport(f *testing.F) {
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokand more",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
		"HTTP/1.0 200 OK\r\n\r\nuntil the end",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 20\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\nbroken",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 2*maxHeader) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", "", "\r\n", "HTTP/1.1\r\n\r\n",
	} {
		f.Add("GET", raw)
		f.Add("HEAD", raw)
	}
	f.Fuzz(func(t *testing.T, method, raw string) {
		if method != "GET" && method != "HEAD" || strings.Contains(raw, " 101") {
			return
		}
		plain := outcomeOver(t, method, raw, func(dial func(context.Context, string, string) (net.Conn, error)) transport {
			return &plainTransport{dial: dial, address: "shop:80", keep: true}
		})
		standard := outcomeOver(t, method, raw, func(dial func(context.Context, string, string) (net.Conn, error)) transport {
			return &http.Transport{DialContext: dial, MaxResponseHeaderBytes: maxHeader, DisableCompression: true}
		})
		if plain != standard {
			t.Errorf("%s answered by %q:\nover plainTransport %+v\nover net/http       %+v", method, raw, plain, standard)
		}
	})
}

// TestServerMayEndAKeptConnection has servers that end a connection between two
// checks, each in a way of its own: the next check is as good as the first.
func TestServerMayEndAKeptConnection(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for name, after := range map[string]string{
		"closes it":              ok,
		"says that it closes it": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"says time-out":          ok + "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	} {
		for _, at := range []string{"at once", "when it is used"} {
			t.Run(name+" "+at, func(t *testing.T) {
				var opened atomic.Int32
				address := rawServer(t, func(conn net.Conn) {
					opened.Add(1)
					request(conn)
					io.WriteString(conn, after)
					if at != "at once" {
						request(conn)
					}
				})
				check := checkOf("http://"+address, nil)
				defer check.Close()
				for i := range int32(3) {
					if seen := check.Check(t.Context()); seen.Status != event.Up {
						t.Fatalf("check %d saw %+v", i, seen)
					}
					if at == "at once" {
						time.Sleep(20 * time.Millisecond) // for its end to arrive
					}
				}
				if opened.Load() < 3 {
					t.Errorf("%d connections were opened for 3 checks", opened.Load())
				}
			})
		}
	}
}

func TestConnectionIsKeptOnlyWhereTheNextCheckUsesIt(t *testing.T) {
	for _, c := range []struct {
		interval, keep time.Duration
		kept           bool
	}{
		{2 * time.Second, 15 * time.Second, true},
		{time.Minute, 15 * time.Second, false},
		{2 * time.Second, 0, false},
	} {
		var headers []string
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			headers = append(headers, fmt.Sprint(r.Close))
			fmt.Fprint(w, "fine")
		})
		check := checkOf(server.URL, func(d *service.Definition) { d.Interval, d.KeepAlive = c.interval, c.keep })
		check.Check(t.Context())
		if kept := len(check.open) == 1; kept != c.kept || headers[0] != fmt.Sprint(!c.kept) {
			t.Errorf("checked each %s with keep_alive %s: kept %t, Connection: close %s", c.interval, c.keep, kept, headers[0])
		}
		check.Close()
	}
}
