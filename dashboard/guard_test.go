package dashboard

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
		g := newGuard(Config{Listen: tt.listen, Token: tt.token})
		if got := !g.host(tt.host).is(); got != tt.want {
			t.Errorf("host %q for %s: %v, want %v", tt.host, tt.listen, got, tt.want)
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
			if got := !newGuard(Default()).origin(req).is(); got != tt.want {
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
		if got := !newGuard(Default()).contentType(value).is(); got != want {
			t.Errorf("Content-Type %q: %v, want %v", value, got, want)
		}
	}
}

func TestToken(t *testing.T) {
	g := newGuard(Config{Listen: "0.0.0.0:5000", Token: "secret"})
	b64 := base64.URLEncoding.EncodeToString([]byte("secret"))
	tests := []struct {
		name, header, value string
		want                bool
	}{
		{"bearer", "Authorization", "Bearer secret", true},
		{"in lower case", "Authorization", "bearer secret", true},
		{"a prefix", "Authorization", "Bearer secre", false},
		{"longer", "Authorization", "Bearer secrets", false},
		{"empty", "Authorization", "Bearer ", false},
		{"another scheme", "Authorization", "Basic secret", false},
		{"nothing", "X", "y", false},
		{"subprotocol with padding", "Sec-WebSocket-Protocol", "logstream, token." + b64, true},
		{"subprotocol in the clear", "Sec-WebSocket-Protocol", "logstream, token.secret", false},
		{"empty subprotocol", "Sec-WebSocket-Protocol", "token.", false},
	}
	for _, tt := range tests {
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set(tt.header, tt.value)
		if got := g.knows(req); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if !newGuard(Default()).knows(httptest.NewRequest("GET", "/", nil)) {
		t.Error("without a configured token none is needed")
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
	s.set(func() { s.ready = errUnreachable })
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
	for range guessBurst + 5 {
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
