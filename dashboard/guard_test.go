package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"logstream/dashboard/access"
	"logstream/internal/testlog"
)

func TestHostIsOurs(t *testing.T) {
	tests := []struct {
		host, listen, token string
		want                bool
	}{
		{"127.0.0.1:5000", "127.0.0.1:5000", "", true},
		{"localhost:5000", "127.0.0.1:5000", "", true},
		{"LOCALHOST.", "127.0.0.1:5000", "", true},
		{"[::1]:5000", "127.0.0.1:5000", "", true},
		{"127.8.8.8:5000", "127.0.0.1:5000", "", true},
		{"localhost:8080", "127.0.0.1:5000", "", true}, // a forwarded port
		{"board.lan:5000", "board.lan:5000", "", true}, // as configured
		{"evil.example:5000", "127.0.0.1:5000", "", false},
		{"127.0.0.1.evil.example", "127.0.0.1:5000", "", false},
		{"localhost.evil.example:5000", "127.0.0.1:5000", "", false},
		{"192.168.1.2:5000", "127.0.0.1:5000", "", false},
		{"", "127.0.0.1:5000", "", false},
		{"", ":5000", "", false},
		{"evil.example:5000", "0.0.0.0:5000", "secret", true}, // the token guards
	}
	for _, tt := range tests {
		g := newGuard(Config{Listen: tt.listen, Token: tt.token}, nil)
		if got := !g.host(tt.host).is(); got != tt.want {
			t.Errorf("host %q for %s: %v, want %v", tt.host, tt.listen, got, tt.want)
		}
	}
}

// TestHostWhereACredentialIsNeeded: a browser sends neither a token nor the cookie
// to another name, but a page that leads its name here could send a proxy's header.
func TestHostWhereACredentialIsNeeded(t *testing.T) {
	user := []access.User{{Name: "ada", Password: adasHash, Role: access.Operator}}
	proxy := access.Proxy{From: []string{"127.0.0.1"}, Header: "Remote-User"}
	for _, tt := range []struct {
		config Config
		host   string
		want   bool
	}{
		{Config{Users: user}, "evil.example", true},
		{Config{Token: "x", PublicURL: "https://status.example"}, "evil.example", true},
		{Config{Proxy: proxy}, "evil.example", false},
		{Config{Proxy: proxy, Token: "x", Users: user}, "evil.example", false},
		{Config{Proxy: proxy}, "127.0.0.1:5000", true},
		{Config{Proxy: proxy}, "192.168.1.2:5000", true}, // leads nowhere else
		{Config{Proxy: proxy}, "[fd00::1]:5000", true},
		{Config{Proxy: proxy, PublicURL: "https://Status.example:8443/x"}, "status.example:8443", true},
		{Config{Proxy: proxy, PublicURL: "https://status.example"}, "status.example.evil.example", false},
		{Config{Proxy: proxy, Hosts: []string{"Status.lan"}}, "STATUS.lan.", true},
		{Config{Proxy: access.Proxy{From: []string{"127.0.0.1"}}}, "evil.example", false}, // it names no one, and nothing else is needed
		{Config{Token: "x", Hosts: []string{"status.lan"}}, "evil.example", false},
		{Config{Token: "x", Hosts: []string{"status.lan"}}, "status.lan", true},
		{Config{Hosts: []string{"status.lan"}}, "status.lan:5000", true},
		{Config{Hosts: []string{"status.lan"}}, "192.168.1.2:5000", false},
	} {
		tt.config.Listen = "127.0.0.1:5000"
		if got := !newGuard(tt.config, nil).host(tt.host).is(); got != tt.want {
			t.Errorf("host %q with %+v: %v", tt.host, tt.config, got)
		}
	}
}

// TestThePublicOriginIsOurs, where a proxy sends another Host.
func TestThePublicOriginIsOurs(t *testing.T) {
	g := newGuard(Config{Listen: "127.0.0.1:5000", PublicURL: "http://status.lan:8080/logstream"}, nil)
	for origin, want := range map[string]bool{"http://status.lan:8080": true, "http://status.lan": false, "https://status.lan:8080": false, "http://evil.example": false, "http://127.0.0.1:5000": true} {
		req := httptest.NewRequest("POST", "http://127.0.0.1:5000/", nil)
		req.Header.Set("Origin", origin)
		if got := !g.origin(req).is(); got != want {
			t.Errorf("origin %s: %v", origin, got)
		}
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	tests := []struct {
		origin, site, host string
		want               bool
	}{
		{"", "", "127.0.0.1:5000", true}, // a program
		{"http://127.0.0.1:5000", "", "127.0.0.1:5000", true},
		{"http://127.0.0.1:5000", "same-origin", "127.0.0.1:5000", true},
		{"http://localhost:5000", "", "localhost:5000", true},
		{"https://status.example", "", "status.example", true}, // behind a proxy that speaks TLS
		{"https://status.example", "same-origin", "status.internal", true},
		{"null", "", "127.0.0.1:5000", false},
		{"http://localhost:5000", "", "127.0.0.1:5000", false},
		{"http://127.0.0.1:5001", "", "127.0.0.1:5000", false},
		{"http://127.0.0.1:5001", "same-site", "127.0.0.1:5000", false},
		{"http://evil.example", "", "127.0.0.1:5000", false},
		{"http://evil.example", "cross-site", "127.0.0.1:5000", false},
		{"", "cross-site", "127.0.0.1:5000", false},
		{"http://127.0.0.1:5000@evil.example", "", "127.0.0.1:5000", false},
		{"http://%zz", "", "127.0.0.1:5000", false},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "POST", "DELETE"} { // a WebSocket opens with a GET
			req := httptest.NewRequest(method, "/", nil)
			req.Host = tt.host
			req.Header.Set("Origin", tt.origin)
			req.Header.Set("Sec-Fetch-Site", tt.site)
			if got := !newGuard(Default(), nil).origin(req).is(); got != tt.want {
				t.Errorf("%s with Origin %q, Sec-Fetch-Site %q at %s: %v, want %v", method, tt.origin, tt.site, tt.host, got, tt.want)
			}
		}
	}
}

func TestContentTypeIsJSON(t *testing.T) {
	for value, want := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/JSON": true,
		"": false, "text/plain": false, "application/x-www-form-urlencoded": false, "application/jsonp": false, ";": false,
		"multipart/form-data; boundary=x": false,
	} {
		if got := !newGuard(Default(), nil).contentType(value).is(); got != want {
			t.Errorf("Content-Type %q: %v, want %v", value, got, want)
		}
	}
}

func TestEveryReadNeedsOurHost(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{"/", "/api/v1/services", "/healthz"} {
		if got := s.status("GET", path, "", func(r *http.Request) { r.Host = "evil.example" }); got != http.StatusForbidden {
			t.Errorf("GET %s by a foreign name = %d", path, got)
		}
	}
}

func TestEveryReadNeedsTheToken(t *testing.T) {
	s := open(t, func(d *Deps) { d.Config.Token = "secret" })
	s.set(func() { s.ready = testlog.ErrUnreachable })
	s.run()
	paths := []string{"/api/v1/services", "/api/v1/services/payment-service", "/api/v1/services/payment-service/logs", "/api/v1/incidents",
		"/api/v1/incidents/x", "/api/v1/info", "/api/v1/chaos", "/api/v1/commands/x", "/api/v1/nothing"}
	for _, path := range paths {
		resp, body := s.do("GET", path, "", nil)
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("GET %s = %d", path, resp.StatusCode)
		}
		if strings.Contains(string(body), "payment") {
			t.Errorf("GET %s shows %s", path, body)
		}
	}
	if got := s.status("POST", "/api/v1/hold", "{}", nil); got != http.StatusUnauthorized {
		t.Errorf("POST without the token = %d", got)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if resp, body := s.do("GET", path, "", nil); resp.StatusCode == http.StatusUnauthorized || strings.Contains(string(body), "broker") {
			t.Errorf("GET %s = %d %s", path, resp.StatusCode, body)
		}
	}
	with := func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret"); r.Host = "status.example" }
	if got := s.status("GET", "/api/v1/services", "", with); got != http.StatusOK {
		t.Errorf("GET with the token = %d", got)
	}
	if _, body := s.do("GET", "/readyz", "", with); !strings.Contains(string(body), "broker") {
		t.Errorf("readyz with the token shows %s", body)
	}
	if got := s.status("GET", "/", "", nil); got != http.StatusOK { // the page asks for the token
		t.Errorf("the page itself = %d", got)
	}
}

func TestWrongTokensAreRateLimited(t *testing.T) {
	s := open(t, func(d *Deps) { d.Config.Token = "secret" }).run()
	last := 0
	for tries := 0; tries < 500 && last != http.StatusTooManyRequests; tries++ {
		last = s.status("GET", "/api/v1/info", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer guess") })
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the last guess = %d", last)
	}
	if got := s.status("GET", "/api/v1/info", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret") }); got != http.StatusOK {
		t.Errorf("the right token meanwhile = %d", got)
	}
}

func TestChangesAreLimited(t *testing.T) {
	s := serve(t, nil)
	for range 3 { // a visitor presses the button three times
		s.post("/api/v1/services/payment-service/chaos", `{"fault":"stop"}`)
	}
	last := 0
	for range 3 * commandBurst {
		if last = s.status("POST", "/api/v1/services/payment-service/chaos", `{"fault":"stop"}`, nil); last == http.StatusTooManyRequests {
			break
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after %d changes at once: %d", 3*commandBurst, last)
	}
	if got := s.status("GET", "/api/v1/services", "", nil); got != http.StatusOK {
		t.Errorf("reading meanwhile = %d", got)
	}
}

// A program that proposes without end must not keep an operator from holding all repairs.
func TestProposalsDoNotDelayOperators(t *testing.T) {
	s := serve(t, guarded(""))
	by := func(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }
	accepted := 0
	var last *http.Response
	var said []byte
	for range 2 * commandBurst {
		if last, said = s.do("POST", "/api/v1/services/payment-service/propose", `{"action":"start","reason":"x"}`, by(proposerToken)); last.StatusCode == http.StatusAccepted {
			accepted++
		}
	}
	if last.StatusCode != http.StatusTooManyRequests || accepted > commandBurst {
		t.Errorf("%d proposals at once were accepted, and the last = %d", accepted, last.StatusCode)
	}
	if after := last.Header.Get("Retry-After"); after != "5" || !strings.Contains(string(said), "too many proposals; try again in 5 seconds") {
		t.Errorf("the refusal says %s, Retry-After %q", said, after)
	}
	if got := s.status("POST", "/api/v1/hold", `{"for":"1h"}`, by(operatorToken)); got != http.StatusAccepted {
		t.Errorf("a hold meanwhile = %d", got)
	}
}

func TestSearchesAreLimited(t *testing.T) {
	s := serve(t, nil)
	last := 0
	for tries := 0; tries < 100*searchBurst && last != http.StatusTooManyRequests; tries++ {
		last = s.status("GET", "/api/v1/incidents?q=zzz", "", nil)
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the last search = %d", last)
	}
	if got := s.status("GET", "/api/v1/incidents", "", nil); got != http.StatusOK {
		t.Errorf("the list meanwhile = %d", got)
	}
}
