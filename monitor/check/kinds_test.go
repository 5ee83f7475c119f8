//go:build unix

package check

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"logstream/internal/event"
	"logstream/internal/failtest"
	"logstream/internal/service"
)

// definition is a service at url.
func definition(url string, change func(*service.Definition)) service.Definition {
	def := service.Default()
	def.Name, def.URL = "pay", url
	if change != nil {
		change(&def)
	}
	return def
}

func TestServiceAsExpectedIsUp(t *testing.T) {
	page := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 100)
		n, _ := r.Body.Read(body)
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"ok","load":0.5,"up":true,"none":null,"parts":[{"name":"a"},{"name":"b"}],"sent":%q,"header":%q,"host":%q}`,
			body[:n], r.Header.Get("X-Wanted"), r.Host)
	})
	echoing := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		if conn.WriteMessage(websocket.TextMessage, []byte("welcome")) != nil {
			return
		}
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return
			}
		}
	})
	line := rawServer(t, func(c net.Conn) {
		var got [100]byte
		n, _ := c.Read(got[:])
		fmt.Fprintf(c, "+PONG %q\r\n", got[:n])
		readAll(c) // and keeps the connection
	})
	closing := rawServer(t, func(net.Conn) {})
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(secure.Close)
	roots := secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	ws := strings.Replace(echoing.URL, "http", "ws", 1)
	for _, c := range []struct {
		name, url string
		change    func(*service.Definition)
		code      int
	}{
		{"method, headers and body", page.URL, func(d *service.Definition) {
			d.Request = service.Request{Method: "POST", Body: "question", Headers: map[string]string{"X-Wanted": "this", "Host": "shop.example"}}
			d.Expect.Headers = map[string]string{"x-method": "^POST$", "content-type": "json"}
			d.Expect.JSON = map[string]string{"sent": "question", "header": "this", "host": "shop.example"}
		}, 200},
		{"JSON values of every type", page.URL, func(d *service.Definition) {
			d.Expect.JSON = map[string]string{"status": "ok", "up": "true", "none": "null", "load": "0.50", "parts.#": ">= 2",
				"parts.1.name": "~^b$", "parts.0.name": "!=b", `parts.#(name=="a").name`: "a"}
		}, 200},
		{"a body", page.URL, func(d *service.Definition) { d.Expect.Body = `"status":\s*"ok"` }, 200},
		{"tcp, a connection", "tcp://" + line, nil, 0},
		{"tcp, closed at once, where a connection is enough", "tcp://" + closing, nil, 0},
		{"tcp, an answer on a connection that stays open", "tcp://" + line, func(d *service.Definition) {
			d.Request.Body, d.Expect.Body, d.Expect.Latency = `PING\x00\xff\r\n`, "^[+]PONG \"PING\\\\x00\\\\xff\\\\r\\\\n\"\r\n$", time.Second
		}, 0},
		{"tls", strings.Replace(secure.URL, "https", "tls", 1), func(d *service.Definition) { d.Expect.CertificateDays = 14 }, 0},
		{"tls, another name", strings.Replace(secure.URL, "https", "tls", 1), func(d *service.Definition) { d.TLS.ServerName = "example.com" }, 0},
		{"https with days enough", secure.URL, func(d *service.Definition) { d.Expect.CertificateDays = 14 }, 200},
		{"ws, a pong after a message", ws, nil, 101},
		{"ws, the second message", ws, func(d *service.Definition) {
			d.Request.Body, d.Expect.JSON = `{"a":1}`, map[string]string{"a": "1"}
		}, 101},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := once(t, definition(c.url, c.change), Env{Version: "1", Roots: roots, Detail: true})
			if seen.Status != event.Up || seen.Code != c.code || seen.Error != "" || seen.Failure != "" || seen.Unknown != nil {
				t.Errorf("saw %+v", seen)
			}
			t.Log(seen.Detail)
			if !slices.ContainsFunc(seen.Detail, func(d Detail) bool { return d.Key == "connected to" && strings.HasPrefix(d.Value, "127.0.0.1:") }) {
				t.Error("the detail does not say where it connected to")
			}
		})
	}
}

func TestACertificateThatIsNotVerified(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // that checks hang up is what is wanted
	server.StartTLS()
	defer server.Close()
	for _, url := range []string{server.URL, strings.Replace(server.URL, "https", "tls", 1)} {
		if seen := once(t, definition(url, nil), Env{}); seen.Failure != event.FailureTLSCertificate {
			t.Errorf("%s: saw %+v", url, seen)
		}
		if seen := once(t, definition(url, func(d *service.Definition) { d.TLS.Insecure = true }), Env{}); seen.Status != event.Up {
			t.Errorf("%s, insecure: saw %+v", url, seen)
		}
	}
}

// TestCredentialsStayWithTheirHost follows redirections to the service itself
// and to another one.
func TestCredentialsStayWithTheirHost(t *testing.T) {
	var got []http.Header
	var bodies []int64
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		got, bodies = append(got, r.Header.Clone()), append(bodies, r.ContentLength)
	})
	var at *httptest.Server
	at = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, at.URL+"/arrived", http.StatusFound)
		case "/arrived":
			got, bodies = append(got, r.Header.Clone()), append(bodies, r.ContentLength)
		case "/there":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/again":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}
	})
	for _, c := range []struct {
		path, login, method string
		arrives, carries    bool
	}{
		{"/here", "bearer", "GET", true, true},
		{"/here", "basic", "GET", true, true},
		{"/there", "bearer", "GET", true, false},
		{"/there", "basic", "GET", true, false},
		{"/there", "bearer", "POST", true, false},
		{"/again", "bearer", "POST", false, false}, // it would have to send the body again
	} {
		got, bodies = nil, nil
		def := definition(at.URL+c.path, func(d *service.Definition) {
			d.Request = service.Request{Method: c.method, Redirects: true, Headers: map[string]string{"X-Api-Key": "k3y"}}
			if c.method == "POST" {
				d.Request.Body = "secret"
			}
			if c.login == "bearer" {
				d.Request.Bearer = "t0ken"
			} else {
				d.URL = strings.Replace(d.URL, "://", "://me:s3cret@", 1)
			}
		})
		seen := once(t, def, Env{Version: "1"})
		if seen.Status != event.Up || (len(got) == 1) != c.arrives {
			t.Errorf("%+v: saw %+v, and %d arrived", c, seen, len(got))
			continue
		}
		if !c.arrives {
			continue
		}
		if has := got[0].Get("Authorization") != "" && got[0].Get("X-Api-Key") != ""; has != c.carries || !c.carries && (got[0].Get("X-Api-Key") != "" || got[0].Get("Authorization") != "" || bodies[0] > 0) {
			t.Errorf("%+v: arrived with %v and %d bytes", c, got[0], bodies[0])
		}
		if got[0].Get("User-Agent") != "logstream/1" {
			t.Errorf("%+v: the agent is %q", c, got[0].Get("User-Agent"))
		}
	}
}

// TestFilesAreReadAtEachNewConnection puts other files where the first were.
func TestFilesAreReadAtEachNewConnection(t *testing.T) {
	ca, client := failtest.NewFiles(t), t.TempDir()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.Authority)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Client", r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // that checks hang up is what is wanted
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Server(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	server.StartTLS()
	t.Cleanup(server.Close)
	path := func(name string) string { return filepath.Join(client, name) }
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	give := func(name string) {
		cert, key := ca.Client(t, name)
		write("cert.pem", cert)
		write("key.pem", key)
	}
	for _, scheme := range []string{"https", "tls"} {
		write("ca.pem", ca.Authority)
		give("first")
		def := definition(strings.Replace(server.URL, "https", scheme, 1), func(d *service.Definition) {
			d.TLS = service.TLS{CA: path("ca.pem"), Cert: path("cert.pem"), Key: path("key.pem")}
			if d.Expect.Headers = map[string]string{"X-Client": "^first$"}; scheme == "tls" { // an answer shows that the handshake was whole
				d.Request.Body, d.Expect.Body = `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, "X-Client: first"
			}
		})
		kind, _ := Of(def.URL)
		check := kind.New(def, Env{})
		checkOnce := func(want event.Status, failure event.Failure, says string) {
			t.Helper()
			check.Fresh()
			if seen := check.Check(t.Context()); seen.Status != want || seen.Failure != failure || !strings.Contains(seen.Error, says) {
				t.Errorf("%s: saw %+v, want %s %s with %q", scheme, seen, want, failure, says)
			}
		}
		checkOnce(event.Up, "", "")
		give("second")
		checkOnce(event.Down, map[string]event.Failure{"https": event.FailureBody, "tls": event.FailureAnswer}[scheme], "second")
		give("first")
		checkOnce(event.Up, "", "")
		write("key.pem", []byte("nonsense"))
		checkOnce(event.Down, event.FailureCheck, path("key.pem"))
		os.Remove(path("cert.pem"))
		checkOnce(event.Down, event.FailureCheck, "tls.cert: stat "+path("cert.pem")+": no such file or directory")
		write("ca.pem", []byte("nonsense"))
		checkOnce(event.Down, event.FailureCheck, path("ca.pem")+" holds no certificate")
		os.Remove(path("ca.pem"))
		if err := os.Mkdir(path("ca.pem"), 0o700); err != nil {
			t.Fatal(err)
		}
		checkOnce(event.Down, event.FailureCheck, "not an ordinary file")
		os.Remove(path("ca.pem"))
		check.Close()
	}
}

func TestKeepAliveOfZeroOpensEachTime(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	check := newHTTP(definition(server.URL, func(d *service.Definition) { d.KeepAlive, d.TLS.Insecure = 0, true }), Env{})
	defer check.Close()
	for want := int32(1); want <= 3; want++ {
		if seen := check.Check(t.Context()); seen.Status != event.Up || opened.Load() != want {
			t.Errorf("saw %+v over %d connections, want %d", seen, opened.Load(), want)
		}
	}
}

// A server may close a connection between two checks. That says nothing about
// it, whatever the method.
func TestAConnectionThatTheServerClosedIsNoFailure(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		server := serve(t, func(http.ResponseWriter, *http.Request) {})
		check := newHTTP(definition(server.URL, func(d *service.Definition) { d.Request.Method, d.Request.Body = method, "x" }), Env{})
		for range 5 {
			if seen := check.Check(t.Context()); seen.Status != event.Up {
				t.Errorf("%s: saw %+v", method, seen)
			}
			server.CloseClientConnections()
		}
		check.Close()
	}
}

// TestSecretsThatAServerRepeatsAreMasked has the server answer with all that it got.
func TestSecretsThatAServerRepeatsAreMasked(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		fmt.Fprint(w, r.URL.RawQuery, " ", r.Header.Get("Authorization"), " ", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), " ", r.Header.Get("X-Api-Key"), strings.Repeat(" filler", 2000))
	})
	for name, change := range map[string]func(*service.Definition){
		"bearer": func(d *service.Definition) { d.Request.Bearer = "s3cret" },
		"basic":  func(d *service.Definition) { d.URL = strings.Replace(d.URL, "://", "://me:s3cret@", 1) },
	} {
		def := definition(server.URL+"/?q=s3cretquery", func(d *service.Definition) {
			d.Request.Headers = map[string]string{"X-Api-Key": "s3cretkey"}
			change(d)
		})
		for expected, expect := range map[string]service.Expect{
			"body":   {Body: "nothing like it"},
			"json":   {JSON: map[string]string{"a": "b"}},
			"header": {Headers: map[string]string{"X-Echo": "nothing like it"}},
		} {
			expect.Status = def.Expect.Status
			def.Expect = expect
			seen := once(t, def, Env{Detail: true})
			if seen.Failure != event.FailureBody || strings.Contains(fmt.Sprint(seen), "s3cret") || strings.Contains(fmt.Sprint(seen), "bWU6czNjcmV0") {
				t.Errorf("%s, %s: saw %+v", name, expected, seen)
			}
			if len(seen.Error) > 600 {
				t.Errorf("a sentence of %d bytes", len(seen.Error))
			}
			if seen := once(t, def, Env{Detail: true, Discreet: true}); !strings.Contains(seen.Error, "not shown here") || strings.Contains(fmt.Sprint(seen), "filler") || strings.Contains(fmt.Sprint(seen), "s3cret") {
				t.Errorf("%s, %s, discreet: saw %+v", name, expected, seen)
			}
		}
	}
}

// TestChecksLeakNothing makes every kind check what is up and what fails in every
// way, and counts what is left: file descriptors and goroutines.
func TestChecksLeakNothing(t *testing.T) {
	var defs []service.Definition
	var envs []Env
	for _, c := range failtest.Cases(t) {
		if strings.Contains(c.Name, "DNS: time-out") {
			continue // Go's resolver waits for its own time-out, at most 10 s, whatever became of the check
		}
		def := definition("", nil)
		c.Apply(&def)
		def.Timeout = min(def.Timeout, 300*time.Millisecond)
		defs, envs = append(defs, def), append(envs, Env{Resolver: c.Resolver, Roots: c.Roots})
	}
	up := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	for _, keep := range []time.Duration{0, time.Minute} {
		defs, envs = append(defs, definition(up.URL, func(d *service.Definition) { d.KeepAlive = keep })), append(envs, Env{})
	}
	defs, envs = append(defs, definition(strings.Replace(up.URL, "http", "tcp", 1), nil)), append(envs, Env{})
	for _, def := range everyOtherKind(t) {
		defs, envs = append(defs, def), append(envs, Env{})
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which closes what is forgotten
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 3 {
		done := make(chan struct{}, len(defs))
		for i, def := range defs {
			go func() {
				kind, _ := Of(def.URL)
				check := kind.New(def, envs[i])
				for range 3 {
					check.Check(t.Context())
				}
				check.Close()
				done <- struct{}{}
			}()
		}
		for range defs {
			<-done
		}
	}
	// The servers of this test, and dials that a check gave up, end a moment later.
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		g, f := runtime.NumGoroutine(), openFiles(t)
		if g <= goroutines && f <= files {
			return
		}
		if time.Now().After(deadline) {
			var stacks [1 << 20]byte
			t.Fatalf("%d goroutines before and %d after, %d file descriptors before and %d after\n%s", goroutines, g, files, f, stacks[:runtime.Stack(stacks[:], true)])
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
