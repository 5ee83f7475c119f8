package dashboard

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/access"
)

const formType = "application/x-www-form-urlencoded"

func (s *site) login(base string, form url.Values, edit func(*http.Request)) (*http.Response, string) {
	s.t.Helper()
	resp, body := s.do("POST", base+"/login", form.Encode(), func(r *http.Request) {
		r.Header.Set("Content-Type", formType)
		if edit != nil {
			edit(r)
		}
	})
	return resp, string(body)
}

func ada(next string) url.Values {
	return url.Values{"username": {"ada"}, "password": {adasPassword}, "next": {next}}
}

func TestLogin(t *testing.T) {
	for _, base := range []string{"", "/logstream"} {
		s := serve(t, guarded(base))
		resp, body := s.do("GET", base+"/login?next=/incidents/x", "", nil)
		page := string(body)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" || resp.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v", resp.StatusCode, resp.Header)
		}
		contains(t, body, `action="`+base+`/login"`, `href="`+base+`/style.css"`, `autocomplete="username"`, `autocomplete="current-password"`, `value="/incidents/x"`)
		if leaks(strings.ReplaceAll(page, "dashboard", "")) != "" || strings.Contains(page, "<script>") {
			t.Errorf("the page says %s", page)
		}
		resp, _ = s.login(base, ada("/incidents/x"), nil)
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != base+"/incidents/x" || len(resp.Cookies()) != 1 {
			t.Fatalf("%d %v", resp.StatusCode, resp.Header)
		}
		cookie := resp.Cookies()[0]
		if cookie.Name != "logstream" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != base+"/" || cookie.Secure || cookie.Domain != "" {
			t.Errorf("%s", cookie.Raw)
		}
		with := func(r *http.Request) { r.AddCookie(cookie) }
		if got := s.status("GET", base+"/api/v1/services", "", with); got != http.StatusOK {
			t.Errorf("with the session: %d", got)
		}
		if resp, _ := s.do("GET", base+"/login?next=/system", "", with); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != base+"/system" {
			t.Errorf("the login page with a session: %d %v", resp.StatusCode, resp.Header)
		}
		conn, _, err := s.dialAt(base, func(h http.Header) { h.Set("Cookie", cookie.Name+"="+cookie.Value) })
		if err != nil {
			t.Errorf("/ws with the session: %v", err)
		} else {
			conn.Close()
		}
		resp, _ = s.do("POST", base+"/logout", "", with)
		if gone := resp.Cookies(); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != base+"/login" || len(gone) != 1 || gone[0].MaxAge >= 0 || gone[0].Value != "" || gone[0].Path != base+"/" {
			t.Errorf("logout: %d %v", resp.StatusCode, resp.Header)
		}
		// A session outlives a restart.
		again := serve(t, guarded(base))
		if got := again.status("GET", base+"/api/v1/services", "", with); got != http.StatusOK {
			t.Errorf("after a restart: %d", got)
		}
	}
}

func TestLoginIsRefused(t *testing.T) {
	s := serve(t, guarded(""))
	for name, tt := range map[string]struct {
		form   url.Values
		edit   func(*http.Request)
		status int
		says   string
	}{
		"a wrong password":    {url.Values{"username": {"ada"}, "password": {"guess"}}, nil, 401, "The name or the password is not right."},
		"an unknown name":     {url.Values{"username": {"eve"}, "password": {adasPassword}}, nil, 401, "The name or the password is not right."},
		"nothing":             {url.Values{}, nil, 401, "The name or the password is not right."},
		"a wrong token":       {url.Values{"token": {"guess"}}, nil, 401, "This token is not valid."},
		"an expired token":    {url.Values{"token": {expiredToken}}, nil, 401, "This token is not valid."},
		"a long password":     {url.Values{"username": {"ada"}, "password": {strings.Repeat("x", 73)}}, nil, 400, "at most 72 bytes"},
		"a large form":        {url.Values{"username": {strings.Repeat("x", maxLogin)}}, nil, 400, "could not be read"},
		"markup":              {url.Values{"username": {`"><script>alert(1)</script>`}}, nil, 401, "&lt;script&gt;"},
		"a foreign page":      {ada("/"), header("Origin", "https://evil.example"), 403, "another site"},
		"a foreign page's":    {ada("/"), func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "another site"},
		"JSON":                {ada("/"), header("Content-Type", "application/json"), 401, "not right"},
		"what is in the path": {url.Values{}, func(r *http.Request) { r.URL.RawQuery = ada("/").Encode() }, 401, "not right"},
	} {
		s.dash.limits.attempts = access.NewAttempts() // no request is under way
		resp, body := s.login("", tt.form, tt.edit)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.says) || len(resp.Cookies()) > 0 || strings.Contains(body, "<script>alert") || strings.Contains(body, adasPassword) {
			t.Errorf("%s: %d %v %s", name, resp.StatusCode, resp.Cookies(), body)
		}
	}
	resp, _ := s.login("", url.Values{"token": {viewerToken}}, nil)
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 || resp.Header.Get("Location") != "/" {
		t.Errorf("by a token: %d", resp.StatusCode)
	}
}

// TestLoginsAreLimitedByAddress, whatever time they take: attempts are used up at
// another time than that of the requests, in which no new ones come.
func TestLoginsAreLimitedByAddress(t *testing.T) {
	s := serve(t, guarded(""))
	here := netip.MustParseAddr("127.0.0.1")
	left := func(at time.Time) (n int) {
		for s.dash.limits.attempts.Allow(here, at) {
			n++
		}
		return n
	}
	all := left(time.Now())
	s.dash.limits.attempts = access.NewAttempts() // no request is under way
	if resp, _ := s.login("", url.Values{"username": {"ada"}, "password": {"guess"}}, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a guess: %d", resp.StatusCode)
	}
	if n := left(time.Unix(0, 0)); n != all-1 {
		t.Errorf("%d attempts are left of %d after one", n, all)
	}
	s.dash.limits.attempts = access.NewAttempts()
	left(time.Now().Add(time.Hour))
	if resp, body := s.login("", ada("/"), nil); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "Too many attempts") {
		t.Errorf("the right password after too many guesses: %d: guesses go on", resp.StatusCode)
	}
	if got := s.status("GET", "/api/v1/info", "", header("Authorization", "Bearer guess")); got != http.StatusTooManyRequests {
		t.Errorf("a wrong token after too many guesses: %d", got)
	}
	for _, token := range []string{masterToken, viewerToken} {
		if got := s.status("GET", "/api/v1/info", "", header("Authorization", "Bearer "+token)); got != http.StatusOK {
			t.Errorf("a right token meanwhile: %d", got)
		}
	}
	if got := s.status("GET", "/healthz", "", header("Authorization", "Bearer guess")); got != http.StatusOK {
		t.Errorf("what needs no credential meanwhile: %d", got)
	}
	req := s.request("POST", "/login", ada("/").Encode(), header("Content-Type", formType))
	resp, err := from("127.0.0.3").RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		t.Errorf("another address meanwhile: %d", resp.StatusCode)
	}
}

func TestNextIsAPageOfOurs(t *testing.T) {
	for asked, want := range map[string]string{
		"": "/", "/": "/", "/incidents": "/incidents", "/incidents?state=open": "/incidents?state=open", "/services/a%2Fb": "/services/a%2Fb",
		"https://evil.example/": "/", "//evil.example/": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "javascript:alert(1)": "/",
		"/\t/evil.example": "/", "incidents": "/", "/login": "/", "/api/v1/hold": "/", "/%2f/evil.example": "/", "//": "/", "/system#x": "/system",
		"http:/incidents": "/", "/incidents\r\nSet-Cookie: a=b": "/",
	} {
		if got := next(asked); got != want {
			t.Errorf("%q leads to %q, want %q", asked, got, want)
		}
	}
}

// TestLoginWithoutAnyOneToLogIn: nothing configured, or a proxy alone.
func TestLoginWithoutAnyOneToLogIn(t *testing.T) {
	s := serve(t, nil)
	if resp, _ := s.do("GET", "/login", "", nil); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
		t.Errorf("where everyone is an operator: %d", resp.StatusCode)
	}
	s = serve(t, func(d *Deps) {
		d.Config.Proxy = access.Proxy{From: []string{trustedProxy}, Header: "Remote-User"}
	})
	if resp, body := s.do("GET", "/login", "", nil); resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "Open this page through that proxy") || strings.Contains(string(body), "<form") {
		t.Errorf("behind a proxy: %d %s", resp.StatusCode, body)
	}
	if resp, body := s.do("GET", "/api/v1/info", "", nil); resp.StatusCode != http.StatusUnauthorized || strings.Contains(string(body), `"login"`) || !strings.Contains(string(body), "through the proxy") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// TestBasePath: everything below it and nothing beside it but what a proxy strips.
func TestBasePath(t *testing.T) {
	s := serve(t, func(d *Deps) { d.Config.BasePath = "/logstream" })
	resp, _ := s.do("GET", "/logstream?window=6h", "", nil)
	if resp.StatusCode != http.StatusPermanentRedirect || resp.Header.Get("Location") != "/logstream/?window=6h" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	for path, want := range map[string]int{
		"/logstream/": 200, "/logstream/incidents/x": 200, "/logstream/services/a%2Fb%20c": 200, "/logstream/js/app.js": 200, "/logstream/api/v1/services": 200,
		"/logstream/api/v1/services/a%2Fb%20c": 200, "/logstream/healthz": 200, "/logstream/metrics": 200, "/": 200, "/api/v1/services": 200,
		"/logstreamx/": 404, "/other/": 404, "/logstream/logstream/": 404, "/logstream/../../etc/passwd": 307,
	} {
		if got := s.status("GET", path, "", nil); got != want {
			t.Errorf("GET %s = %d, want %d", path, got, want)
		}
	}
	if got := s.status("POST", "/logstream/api/v1/hold", "{}", nil); got != http.StatusAccepted {
		t.Errorf("POST hold = %d", got)
	}
	_, body := s.do("GET", "/logstream/api/v1/openapi.json", "", nil)
	if servers := decode[struct{ Servers []struct{ URL string } }](t, body).Servers; len(servers) != 1 || servers[0].URL != "/logstream/" {
		t.Errorf("%+v", servers)
	}
	if got := s.dash.URL(); got != s.url+"/logstream" {
		t.Errorf("the address that is printed is %s", got)
	}
	conn, _, err := s.dialAt("/logstream", nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestATokenIsTriedWhereWrongOnesAreCounted: in whatever header it is sent, a page
// that needs no role does not say whether it is right.
func TestATokenIsTriedWhereWrongOnesAreCounted(t *testing.T) {
	s := serveBehindToken(t, published)
	protocol := func(token string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Sec-WebSocket-Protocol", "token."+base64.RawURLEncoding.EncodeToString([]byte(token)))
		}
	}
	for _, sent := range []func(*http.Request){bearer, protocol("sesame"), protocol("other")} {
		if code, page := s.text("/login", sent); code != http.StatusOK {
			t.Errorf("/login says whether a token is right: %d %s", code, page)
		}
	}
	for path, right := range map[string]int{"/badge/vault.svg": 200, "/badge/vault/uptime.svg": 200, "/badge/payment-service.svg": 200} {
		if code, body := s.text(path, protocol("other")); code != http.StatusUnauthorized {
			t.Errorf("%s with a wrong token: %d %s", path, code, body)
		}
		if code, body := s.text(path, protocol("sesame")); code != right {
			t.Errorf("%s with the token: %d %s", path, code, body)
		}
	}
}

// A page of another site that is open in a browser beside LogStream must not be able to
// keep the person at that browser from logging in.
func TestForeignPagesDoNotUseUpLoginAttempts(t *testing.T) {
	s := serve(t, guarded(""))
	foreign := "https://evil.example"
	for range 30 {
		token := "token." + base64.RawURLEncoding.EncodeToString([]byte("a guess"))
		if _, resp, err := s.dial(func(h http.Header) { h.Set("Origin", foreign) }, token); err == nil || resp.StatusCode != http.StatusForbidden {
			t.Fatalf("a WebSocket from %s: %v, %v", foreign, resp, err)
		}
		if got := s.status("POST", hooksPath+"generic?token=guess", "x", header("Origin", foreign, "Content-Type", "text/plain")); got != http.StatusForbidden {
			t.Fatalf("a hook from %s = %d", foreign, got)
		}
	}
	if resp, body := s.do("POST", "/login", ada("/").Encode(), header("Content-Type", formType)); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a login after that: %d %s", resp.StatusCode, body)
	}
}
