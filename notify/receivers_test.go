package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

// The receivers of the tests: servers that speak what ntfy, Telegram, Discord,
// Slack and a mail server do. The addresses of those that have a fixed one lead
// to them, over TLS with the tests' own authority.

// got is one message as a receiver took it.
type got struct {
	path    string
	header  http.Header // of a request, or of a mail
	body    string
	refused bool
}

// site is one receiver.
type site struct {
	mu     sync.Mutex
	all    []got
	answer func(got) (status int, body string) // nil: 200 and {}
	grown  chan struct{}
}

func (s *site) take(g got) (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body := http.StatusOK, "{}"
	if s.answer != nil {
		status, body = s.answer(g)
	}
	g.refused = status > 299
	s.all = append(s.all, g)
	if s.grown != nil {
		close(s.grown)
	}
	s.grown = make(chan struct{})
	return status, body
}

func (s *site) set(answer func(got) (int, string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// taken are the messages that were not refused.
func (s *site) taken() (all []got) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.all {
		if !g.refused {
			all = append(all, g)
		}
	}
	return all
}

// await waits until there are n messages that were not refused.
func (s *site) await(t *testing.T, n int) []got {
	t.Helper()
	for {
		s.mu.Lock()
		if s.grown == nil {
			s.grown = make(chan struct{})
		}
		grown := s.grown
		s.mu.Unlock()
		if all := s.taken(); len(all) >= n {
			return all
		}
		select {
		case <-grown:
		case <-t.Context().Done():
			t.Fatal("the test has ended")
		case <-deadline(t):
			t.Fatalf("got %d messages within a minute, not %d", len(s.taken()), n)
		}
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	status, answer := s.take(got{path: r.URL.Path, header: r.Header, body: string(body)})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// serve is a receiver over HTTP, and its host and port.
func serve(t *testing.T, s http.Handler) string {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// fixed are the receivers at addresses that cannot be configured.
var fixed = struct {
	sync.Mutex
	sites map[string]*site
}{sites: map[string]*site{}}

// at has the host lead to a receiver of this test's alone.
func at(t *testing.T, host string) *site {
	t.Helper()
	s := &site{}
	fixed.Lock()
	defer fixed.Unlock()
	if fixed.sites[host] != nil {
		t.Fatalf("another test has %s", host)
	}
	fixed.sites[host] = s
	t.Cleanup(func() {
		fixed.Lock()
		defer fixed.Unlock()
		delete(fixed.sites, host)
	})
	return s
}

func TestMain(m *testing.M) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fixed.Lock()
		s := fixed.sites[r.Host]
		fixed.Unlock()
		if s == nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		s.ServeHTTP(w, r)
	}))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		fixed.Lock()
		_, is := fixed.sites[host]
		fixed.Unlock()
		if is {
			address = server.Listener.Addr().String()
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	// The test server's certificate is for example.com: its own authority is
	// trusted, and its name is not compared, for these hosts alone.
	authorities := x509.NewCertPool()
	authorities.AddCert(server.Certificate())
	transport.TLSClientConfig = &tls.Config{RootCAs: authorities, ServerName: "example.com"}
	http.DefaultTransport = transport
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// mailServer is a receiver of mail: what RFC 5321 asks of one that takes any mail
// without a login.
func mailServer(t *testing.T) (*site, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &site{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.mail(conn)
		}
	}()
	return s, listener.Addr().String()
}

func (s *site) mail(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	reply := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	reply("220 mail.test ESMTP")
	mail := got{header: http.Header{}}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch verb, rest, _ := strings.Cut(line, ":"); strings.ToUpper(strings.Fields(verb + " ")[0]) {
		case "EHLO", "HELO":
			reply("250-mail.test")
			reply("250 8BITMIME")
		case "MAIL", "RCPT":
			mail.path += strings.Trim(strings.Fields(rest)[0], "<>") + " "
			reply("250 ok")
		case "DATA":
			reply("354 go on")
			inHeader := true
			for {
				text, err := in.ReadString('\n')
				if err != nil {
					return
				}
				text = strings.TrimRight(text, "\r\n")
				if text == "." {
					break
				}
				text = strings.TrimPrefix(text, ".")
				if inHeader && text == "" {
					inHeader = false
				} else if inHeader {
					name, value, _ := strings.Cut(text, ": ")
					mail.header.Add(name, value)
				} else {
					mail.body += text + "\n"
				}
			}
			if status, _ := s.take(mail); status > 299 {
				reply("451 try again later")
			} else {
				reply("250 taken")
			}
			mail = got{header: http.Header{}}
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("250 ok")
		}
	}
}

// object is a body as JSON.
func (g got) object(t *testing.T) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(g.body), &o); err != nil {
		t.Fatalf("%v: %s", err, g.body)
	}
	return o
}
