package check

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// canary is a password that nothing may repeat.
const canary = "c4n4ry-p4ssw0rd"

// definitionOf is of a url that has no problems.
func definitionOf(t *testing.T, rawURL string, change func(*service.Definition)) service.Definition {
	t.Helper()
	def := service.Default()
	def.Name, def.URL, def.Timeout = "pay", rawURL, 10*time.Second
	if change != nil {
		change(&def)
	}
	if problems := Problems(def); problems != nil {
		t.Fatalf("%s has the problems %v", rawURL, problems)
	}
	return def
}

// lookOnce is what a check made of a url sees. It fails the test where the check
// outlasts its timeout, leaves a goroutine, or repeats the canary.
func lookOnce(t *testing.T, rawURL string, change func(*service.Definition)) Observation {
	t.Helper()
	def := definitionOf(t, rawURL, change)
	kind, is := Of(rawURL)
	if !is {
		t.Fatalf("%s has no kind of check", rawURL)
	}
	before := goroutines()
	check := kind.New(def, Env{Version: "1.2.3", Detail: true})
	seen := check.Check(t.Context())
	if seen.Took > def.Timeout+2*time.Second {
		t.Errorf("a check with a timeout of %s took %s", def.Timeout, seen.Took)
	}
	check.Close()
	noneLeft(t, before)
	if all := fmt.Sprintf("%+v", seen); strings.Contains(all, canary) || strings.Contains(all, url.QueryEscape(canary)) {
		t.Errorf("the password is repeated: %s", all)
	}
	if seen.Unknown == nil && (seen.Status == event.Up) != (seen.Failure == "" && seen.Error == "") {
		t.Errorf("the status, the failure and the sentence contradict: %+v", seen)
	}
	return seen
}

// short gives a check little time where that is to pass.
func short(failure event.Failure) func(*service.Definition) {
	return func(d *service.Definition) {
		if failure == event.FailureHeaderTimeout {
			d.Timeout = patience
		}
	}
}

func sees(t *testing.T, seen Observation, status event.Status, failure event.Failure, says string) {
	t.Helper()
	if seen.Status != status || seen.Failure != failure || !strings.Contains(seen.Error, says) {
		t.Errorf("saw %s %q %q (%v), want %s %q … %s", seen.Status, seen.Failure, seen.Error, seen.Unknown, status, failure, says)
	}
}

// goroutines are the stacks of those that run what a check may have started.
func goroutines() []string {
	buffer := make([]byte, 1<<20)
	var ours []string
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		for _, part := range []string{"check.(*session)", "pgconn", "go-sql-driver", "kgo", "net/http.(*Transport)", "http2", "miekg/dns.(*Client)", "golang.org/x/net/icmp", "statfs"} {
			if strings.Contains(stack, part) && !strings.Contains(stack, "testing.tRunner") && !strings.Contains(stack, "kfake") {
				ours = append(ours, stack)
				break
			}
		}
	}
	return ours
}

// noneLeft waits for goroutines that are ending.
func noneLeft(t *testing.T, before []string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left := goroutines()
		if len(left) <= len(before) {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%d goroutines are left of a check:\n%s", len(left)-len(before), strings.Join(left, "\n\n"))
			return
		}
	}
}

const patience = 400 * time.Millisecond

// TestServersThatMisbehave has every kind of check that makes a TCP connection
// talk with real listeners that do not answer as they should. Each listener
// also waits for the check to close the connection.
func TestServersThatMisbehave(t *testing.T) {
	kinds := map[string]string{ // and the failure of a server that takes connections and never answers
		"redis://ann:" + canary + "@%s/1":          "header_timeout",
		"grpc://%s/shop.Cart":                      "header_timeout",
		"grpcs://%s":                               "tls_timeout",
		"postgres://ann:" + canary + "@%s/shop":    "header_timeout",
		"postgres://ann@%s/shop?sslmode=disable":   "header_timeout",
		"mysql://ann:" + canary + "@%s/shop":       "header_timeout",
		"mysql://ann:" + canary + "@%s/?tls=false": "header_timeout",
		"kafka://%s/orders":                        "header_timeout",
		"rediss://:" + canary + "@%s":              "tls_timeout",
	}
	for _, c := range []struct {
		name    string
		talk    func(net.Conn)
		failure event.Failure // empty: that of silence
	}{
		{"hangs", readAll, ""},
		{"closes at once", func(net.Conn) {}, "reset"},
		{"closes after the request", listen, "reset"},
		{"half-closes", func(conn net.Conn) {
			conn.(*net.TCPConn).CloseWrite()
			readAll(conn)
		}, "reset"},
		{"resets", func(conn net.Conn) {
			listen(conn)
			time.Sleep(20 * time.Millisecond)
			conn.(*net.TCPConn).SetLinger(0)
		}, "reset"},
		{"speaks SSH", speak("SSH-2.0-OpenSSH_9.9\r\n"), "protocol"},
		{"speaks HTTP", speak("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"), "protocol"},
		{"sends zeros without end", func(conn net.Conn) {
			for zeros := make([]byte, 1<<12); ; {
				if _, err := conn.Write(zeros); err != nil {
					return
				}
			}
		}, "protocol"},
		{"claims to send a lot", speak("*9000000000000000000\r\n$9000000000000000000\r\n" + strings.Repeat("\xff", 1<<10)), "protocol"},
	} {
		for format, silence := range kinds {
			scheme, _, _ := strings.Cut(format, ":")
			t.Run(c.name+"/"+scheme, func(t *testing.T) {
				gone := make(chan struct{}, 100)
				address := rawServer(t, func(conn net.Conn) {
					c.talk(conn)
					gone <- struct{}{}
				})
				seen := lookOnce(t, fmt.Sprintf(format, address), func(d *service.Definition) { d.Timeout = patience })
				want := c.failure
				if want == "" {
					want = event.Failure(silence)
				}
				sees(t, seen, event.Down, want, address)
				select {
				case <-gone:
				case <-time.After(5 * time.Second):
					t.Error("the check left its connection open")
				}
				t.Log(seen.Error)
			})
		}
	}
}

// listen reads the beginning of what a check sends, where it is the check that
// speaks first.
func listen(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	request(conn)
}

// speak says something as soon as a check connects, and waits for it to close.
func speak(words string) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, words)
		readAll(conn)
	}
}

func TestNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	for _, format := range []string{"redis://%s", "rediss://%s", "kafka://%s", "mysql://ann:" + canary + "@%s/", "postgres://ann:" + canary + "@%s/shop", "grpc://%s", "grpcs://%s", "dns://%s/shop.test"} {
		seen := lookOnce(t, fmt.Sprintf(format, address), nil)
		sees(t, seen, event.Down, event.FailureConnectRefused, "connection refused by "+address)
		seen = lookOnce(t, fmt.Sprintf(format, "shop.invalid"), nil)
		sees(t, seen, event.Down, event.FailureDNS, "shop.invalid")
	}
}

// TestSessionOfACheckThatIsOver opens nothing, and ends.
func TestSessionOfACheckThatIsOver(t *testing.T) {
	address := rawServer(t, readAll)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 {
		p := &progress{target: target{address: address, timeout: time.Second}}
		s := p.session(ctx)
		if conn, err := s.open(); err == nil {
			t.Fatalf("a connection to %s was opened", conn.RemoteAddr())
		}
		s.end()
	}
}
