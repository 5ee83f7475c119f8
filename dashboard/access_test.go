package dashboard

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"

	"logstream/dashboard/access"
	"logstream/internal/event"
)

// What is configured in these tests. Requests come from 127.0.0.1; the trusted
// proxy is 127.0.0.2.
const (
	trustedProxy  = "127.0.0.2"
	masterToken   = "master-token-of-the-test"
	viewerToken   = "viewer-token-of-the-test"
	proposerToken = "proposer-token-of-the-test"
	operatorToken = "operator-token-of-the-test"
	expiredToken  = "expired-token-of-the-test"
	adasPassword  = "adas password"
)

var adasHash, bobsHash, oldHash = bcryptOf(adasPassword), bcryptOf("bobs password"), bcryptOf("adas old password")

// bcryptOf costs less than a configuration may say, which takes two seconds under
// the race detector each time that somebody logs in.
func bcryptOf(password string) string {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
}

func guarded(base string) func(*Deps) {
	return func(d *Deps) {
		withHooks(d)
		d.SessionKey = []byte("key of the sessions")
		d.Config = Config{Listen: "127.0.0.1:0", BasePath: base, Token: masterToken,
			Tokens: []access.Token{{Name: "screen", Token: viewerToken, Role: access.Viewer}, {Name: "assistant", Token: proposerToken, Role: access.Proposer}, {Name: "ci", Token: operatorToken, Role: access.Operator},
				{Name: "old", Token: expiredToken, Role: access.Operator, Expires: "2020-01-01"}},
			Users: []access.User{{Name: "ada", Password: adasHash, Role: access.Operator}, {Name: "bob", Password: bobsHash, Role: access.Viewer}},
			Proxy: access.Proxy{From: []string{trustedProxy}, Header: "Remote-User", GroupsHeader: "Remote-Groups", Operators: "admins"}}
	}
}

// credential is one way of being known, or of not being known.
type credential struct {
	name string
	edit func(*http.Request)
	from string // the address of the connection; empty: 127.0.0.1
	role access.Role
	by   string // of the commands that it sends
}

// from sends from an address of this machine.
func from(address string) *http.Transport {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Transport{DialContext: dialer.DialContext}
}

func header(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Set(pairs[i], pairs[i+1])
		}
	}
}

// credentials are all ways to send a request, good and bad. Sessions are made by
// the login itself.
func (s *site) credentials(base string) []credential {
	session := func(name, password string) func(*http.Request) {
		resp, _ := s.do("POST", base+"/login", url.Values{"username": {name}, "password": {password}}.Encode(), header("Content-Type", "application/x-www-form-urlencoded"))
		if len(resp.Cookies()) != 1 {
			s.t.Fatalf("login of %s: %s", name, resp.Status)
		}
		return func(r *http.Request) { r.AddCookie(resp.Cookies()[0]) }
	}
	old := s.deps.Config.access()
	old.Users = []access.User{{Name: "ada", Password: oldHash, Role: access.Operator}}
	before, _, _ := access.New(old, s.deps.SessionKey).Login("ada", "adas old password", time.Now())
	foreign, _, _ := access.New(old, []byte("another key")).Login("ada", "adas old password", time.Now())
	return []credential{
		{"none", header(), "", "", ""},
		{"a wrong token", header("Authorization", "Bearer guess"), "", "", ""},
		{"an empty token", header("Authorization", "Bearer "), "", "", ""},
		{"the hash of a password as a token", header("Authorization", "Bearer "+adasHash), "", "", ""},
		{"an expired token", header("Authorization", "Bearer "+expiredToken), "", "", ""},
		{"name and password as Basic", func(r *http.Request) { r.SetBasicAuth("ada", adasPassword) }, "", "", ""},
		{"a forged cookie", header("Cookie", "logstream=eyJrIjoidXNlciIsIm4iOiJhZGEifQ.AAAA"), "", "", ""},
		{"a cookie from before the password was changed", header("Cookie", "logstream="+before), "", "", ""},
		{"a cookie that another key signed", header("Cookie", "logstream="+foreign), "", "", ""},
		{"a program that pretends to be the proxy", header("Remote-User", "ada", "Remote-Groups", "admins", "X-Forwarded-For", trustedProxy, "X-Forwarded-Proto", "https", "Forwarded", "for="+trustedProxy), "", "", ""},
		{"the proxy without a name", header("Remote-User", "", "Remote-Groups", "admins"), trustedProxy, "", ""},
		{"the proxy with two names", func(r *http.Request) { r.Header["Remote-User"] = []string{"ada", "eve"} }, trustedProxy, "", ""},

		{"dashboard.token", header("Authorization", "Bearer "+masterToken), "", access.Operator, "operator:dashboard"},
		{"an operator's token", header("Authorization", "Bearer "+operatorToken), "", access.Operator, "operator:ci"},
		{"an operator's session", session("ada", adasPassword), "", access.Operator, "operator:ada"},
		{"an operator through the proxy", header("Remote-User", "eve<script>\t", "Remote-Groups", "users,admins"), trustedProxy, access.Operator, "operator:evescript"},
		{"a viewer's token", header("Authorization", "Bearer "+viewerToken), "", access.Viewer, ""},
		{"a proposer's token", header("Authorization", "Bearer "+proposerToken), "", access.Proposer, ""},
		{"a viewer's session", session("bob", "bobs password"), "", access.Viewer, ""},
		{"a viewer through the proxy", header("Remote-User", "bob", "Remote-Groups", "users"), trustedProxy, access.Viewer, ""},
	}
}

// send sends one request as c.
func (c credential) send(s *site, method, path, body string, edit func(*http.Request)) (*http.Response, string) {
	s.t.Helper()
	req := s.request(method, path, body, c.edit)
	if edit != nil {
		edit(req)
	}
	transport := http.DefaultTransport
	if c.from != "" {
		own := from(c.from)
		defer own.CloseIdleConnections()
		transport = own
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(all)
}

// route is one method of one path.
type route struct {
	method, path, body string
	need               access.Role
}

// everyRoute is the route table itself, with a body that each change takes.
func everyRoute() []route {
	r := &run{limits: newLimits()}
	var all []route
	for pattern, methods := range r.table() {
		path := strings.NewReplacer("{name}", "payment-service", "{id}", "x", "{token}", "x").Replace(pattern)
		for method, end := range methods {
			one := route{method, path, "", end.need}
			for _, c := range changes {
				if c.method == method && c.path == path {
					one.body = c.body
				}
			}
			all = append(all, one)
			if method == http.MethodGet {
				all = append(all, route{http.MethodHead, path, "", end.need})
			}
		}
	}
	// What is not in the table.
	return append(all, route{"GET", "/api/v1/nothing", "", access.Viewer}, route{"PUT", "/api/v1/services", "{}", access.Viewer},
		route{"POST", "/api/v1/nothing", "{}", access.Viewer})
}

// leaks is what of a site stands in an answer that refuses.
func leaks(answer string) string {
	for _, secret := range []string{"payment", "shop", "a/b c", "127.0.0.1:9092", masterToken, viewerToken, operatorToken, expiredToken,
		adasHash, bobsHash, "ada", "bob", "here-1", "broker"} {
		if strings.Contains(answer, secret) {
			return secret
		}
	}
	return ""
}

func (s *site) records() int {
	n := 0
	for _, topic := range []string{event.TopicCommands, event.TopicHealth, event.TopicIncidents, event.TopicServices} {
		n += len(s.log.On(topic))
	}
	return n
}

// TestWhoMayDoWhat sends each way of being known to each route of the table, with
// and without a base path.
func TestWhoMayDoWhat(t *testing.T) {
	for _, base := range []string{"", "/logstream"} {
		for _, asked := range slices.Compact([]string{base, ""}) { // the proxy leaves it, or removes it
			t.Run(fmt.Sprintf("base %q, asked at %q", base, asked), func(t *testing.T) {
				s := serve(t, guarded(base), (*site).claim, waiting)
				s.dash.limits.commands.SetLimit(rate.Inf)
				s.dash.limits.health.SetLimit(rate.Inf)
				refused, passed := 0, 0
				for _, c := range s.credentials(asked) {
					for _, r := range everyRoute() {
						what := fmt.Sprintf("%s %s with %s", r.method, r.path, c.name)
						before := s.records()
						resp, body := c.send(s, r.method, asked+r.path, r.body, nil)
						got := resp.StatusCode
						hook := strings.HasPrefix(r.path, hooksPath)
						switch {
						case hook || r.need == access.Anyone && got == http.StatusUnauthorized && r.path == "/login":
							if got != http.StatusUnauthorized && got != http.StatusTooManyRequests {
								t.Errorf("%s: %d", what, got)
							}
							refused++
						case c.role.May(r.need):
							if got == http.StatusUnauthorized || got == http.StatusForbidden || got >= 500 {
								t.Errorf("%s: %d %s", what, got, body)
							}
							passed++
							continue
						case c.role == "":
							if got != http.StatusUnauthorized && !(got == http.StatusTooManyRequests && strings.Contains(c.name, "token")) {
								t.Errorf("%s: %d %s", what, got, body)
							}
							refused++
						default:
							if got != http.StatusForbidden {
								t.Errorf("%s: %d %s", what, got, body)
							}
							refused++
						}
						if secret := leaks(body); secret != "" {
							t.Errorf("%s says %q: %s", what, secret, body)
						}
						if now := s.records(); now != before {
							t.Errorf("%s wrote %d records", what, now-before)
						}
					}
				}
				if refused < 300 || passed < 300 {
					t.Errorf("%d refused, %d passed", refused, passed)
				}
			})
		}
	}
}

// TestEveryRouteHasOneRole: what reads is a viewer's, what changes an operator's,
// and what needs none is listed here.
func TestEveryRouteHasOneRole(t *testing.T) {
	public := []string{"/healthz", "/readyz", "/login", "/logout", "/act/{token}", "/status", "/status.json"}
	r := &run{limits: newLimits()}
	for path, methods := range r.table() {
		for method, end := range methods {
			want := access.Operator
			switch {
			case slices.Contains(public, path), strings.HasPrefix(path, hooksPath):
				want = access.Anyone
			case strings.HasSuffix(path, "/propose"):
				want = access.Proposer
			case method == http.MethodGet:
				want = access.Viewer
			}
			if end.need != want {
				t.Errorf("%s %s needs %q, want %q", method, path, end.need, want)
			}
		}
	}
	opened := &run{limits: newLimits(), deps: Deps{Config: Config{Open: []string{"metrics"}}}}
	for path, methods := range opened.table() {
		if same := maps.EqualFunc(methods, r.table()[path], func(a, b endpoint) bool { return a.need == b.need }); same == (path == "/metrics") {
			t.Errorf("dashboard.open: [metrics] and %s: %v", path, same)
		}
	}
}

// TestForeignPagesWithGoodCredentials: a browser sends the cookie, and a proxy its
// header, for foreign pages too.
func TestForeignPagesWithGoodCredentials(t *testing.T) {
	s := serve(t, guarded(""), (*site).claim, waiting)
	s.dash.limits.commands.SetLimit(rate.Inf)
	before := s.records()
	for _, c := range s.credentials("") {
		if c.role != access.Operator {
			continue
		}
		for name, edit := range map[string]func(*http.Request){
			"a foreign Origin":          header("Origin", "https://evil.example"),
			"another port of the host":  header("Origin", "http://127.0.0.1:1"),
			"an opaque Origin":          header("Origin", "null"),
			"another site":              func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set("Sec-Fetch-Site", "cross-site") },
			"a foreign Host":            func(r *http.Request) { r.Host = "evil.example"; r.Header.Del("Origin") },
			"a foreign Host and Origin": func(r *http.Request) { r.Host = "evil.example"; r.Header.Set("Origin", "http://evil.example") },
		} {
			for _, r := range everyRoute() {
				if r.method == "GET" && r.path != "/ws" && !strings.Contains(name, "Host") || r.method == "HEAD" || strings.Contains(r.path, "nothing") || r.method == "PUT" || strings.HasPrefix(r.path, hooksPath) {
					continue
				}
				if strings.HasPrefix(r.path, actPath) && !strings.Contains(name, "Host") {
					continue // no credential is read there, and the link's own tests have its origins
				}
				resp, body := c.send(s, r.method, r.path, r.body, edit)
				if resp.StatusCode != http.StatusForbidden || leaks(body) != "" {
					t.Errorf("%s %s with %s and %s: %d %s", r.method, r.path, c.name, name, resp.StatusCode, body)
				}
			}
		}
		for path, body := range map[string]string{"/": "", "/style.css": "", "/login": ""} {
			if resp, said := c.send(s, "GET", path, body, func(r *http.Request) { r.Host = "evil.example" }); resp.StatusCode != http.StatusForbidden {
				t.Errorf("GET %s by a foreign Host: %d %s", path, resp.StatusCode, said)
			}
		}
	}
	if now := s.records(); now != before {
		t.Errorf("%d records were written", now-before)
	}
}

// TestBodiesThatAreTooLargeOrMalformed, by who is let in and who is not.
func TestBodiesThatAreTooLargeOrMalformed(t *testing.T) {
	s := serve(t, guarded(""), (*site).claim, waiting)
	s.dash.limits.commands.SetLimit(rate.Inf)
	s.dash.limits.health.SetLimit(rate.Inf)
	before := s.records()
	operator, viewer, anonymous := header("Authorization", "Bearer "+masterToken), header("Authorization", "Bearer "+viewerToken), header()
	for _, c := range changes {
		large := strings.Repeat(" ", maxBody+1)
		if c.path == "/api/v1/health-logs" {
			large = strings.Repeat(" ", maxObserved+1)
		}
		for body, want := range map[string]int{large: 413, "{": 400, "\x00": 400, `{"nonsense":1}`: 400, strings.Repeat("[", 20000): 400} {
			for as, status := range map[*func(*http.Request)]int{&operator: want, &viewer: 403, &anonymous: 401} {
				resp, said := s.do(c.method, c.path, body, *as)
				if resp.StatusCode != status || goText(string(said), "") {
					t.Errorf("%s %s with %.20q: %d %s, want %d", c.method, c.path, body, resp.StatusCode, said, status)
				}
			}
		}
	}
	if now := s.records(); now != before {
		t.Errorf("%d records were written", now-before)
	}
}

// TestCommandsNameThePerson: who it was is on the log, sanitised.
func TestCommandsNameThePerson(t *testing.T) {
	s := serve(t, guarded(""), (*site).claim, waiting)
	for _, c := range s.credentials("") {
		if c.by == "" {
			continue
		}
		resp, body := c.send(s, "POST", "/api/v1/hold", "{}", nil)
		if resp.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: %d %s", c.name, resp.StatusCode, body)
		}
		written := s.log.On(event.TopicCommands)
		got, err := event.DecodeCommand(written[len(written)-1].Value)
		if err != nil || got.By != c.by {
			t.Errorf("%s: by %q, %v; want %q", c.name, got.By, err, c.by)
		}
	}
}

// TestInfoSaysWhoAsks, and no frame does: it is one for all.
func TestInfoSaysWhoAsks(t *testing.T) {
	s := serve(t, guarded(""), (*site).claim)
	for _, c := range s.credentials("") {
		if c.role == "" {
			continue
		}
		_, body := c.send(s, "GET", "/api/v1/info", "", nil)
		got := decode[Info](t, []byte(body))
		if got.Role != c.role || got.LoggedIn != strings.Contains(c.name, "session") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	conn, _, err := s.dial(func(h http.Header) { h.Set("Authorization", "Bearer "+viewerToken) })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, frame, err := conn.ReadMessage(); err != nil || strings.Contains(string(frame), `"role"`) {
		t.Errorf("%v %s", err, frame)
	}
}

// TestASocketEndsWithItsCredential: who may see nothing any more sees no frame.
func TestASocketEndsWithItsCredential(t *testing.T) {
	s := serve(t, func(d *Deps) {
		guarded("")(d)
		d.Config.Tokens[0].Expires = time.Now().Add(8 * time.Second).UTC().Format(time.RFC3339)
	})
	conn, _, err := s.dial(func(h http.Header) { h.Set("Authorization", "Bearer "+viewerToken) })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
		t.Errorf("the connection stays: %v", err)
	}
}

// TestARedirectStaysBelowTheBasePath: beside it is another program of the same
// origin, which gets nothing of ours: a form that is sent on holds a password.
func TestARedirectStaysBelowTheBasePath(t *testing.T) {
	s := serve(t, guarded("/logstream"))
	for path, want := range map[string]string{"/logstream//login": "/logstream/login", "/logstream//other/login": "/logstream/other/login",
		"/logstream/x/../login": "/logstream/login", "/logstream/../other": "/other", "//logstream//login": "/logstream/login", "/logstream/js//../../other": "/other"} {
		for _, method := range []string{"GET", "POST"} {
			resp, _ := s.do(method, path, "", nil)
			if got := resp.Header.Get("Location"); got != want || resp.StatusCode != http.StatusTemporaryRedirect {
				t.Errorf("%s %s: %d to %q, want %q", method, path, resp.StatusCode, got, want)
			}
		}
	}
}

// TestAProposalNamesWhoseTokenItIs: a program gives its own name, which may be
// anybody's; the operator who approves sees who proposed first.
func TestAProposalNamesWhoseTokenItIs(t *testing.T) {
	s := serve(t, guarded(""))
	for body, token := range map[string]string{
		`{"action":"start","reason":"x","client":"operator:ada"}`: proposerToken,
		`{"action":"start","reason":"x"}`:                         proposerToken,
		`{"action":"start","reason":"x","client":"claude"}`:       masterToken,
	} {
		if code := s.status("POST", "/api/v1/services/payment-service/propose", body, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }); code != http.StatusAccepted {
			t.Fatalf("%s: %d", body, code)
		}
	}
	var by []string
	for _, c := range s.commands() {
		by = append(by, c.By)
	}
	slices.Sort(by)
	if want := []string{"mcp:assistant (api)", "mcp:assistant (operator:ada)", "mcp:claude"}; !slices.Equal(by, want) {
		t.Errorf("%q, want %q", by, want)
	}
}
