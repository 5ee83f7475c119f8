package dashboard

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/public"
	"logstream/internal/event"
	"logstream/internal/service"
)

func published(d *Deps) {
	d.Config.StatusPage = StatusPage{Enabled: true, Groups: []string{"shop"}, Title: "Shop status", Badges: true}
}

// secretive is a service of a group that is not published.
func secretive() service.Definition {
	def := service.Default()
	def.Name, def.URL, def.Group, def.Container = "vault", "http://127.0.0.1:1", "internal", "vault-container"
	return def
}

// behindToken is a site with a token, of which shop is published.
func behindToken(change func(*Deps)) func(*Deps) {
	return func(d *Deps) {
		d.Config.Token = "sesame"
		d.Services = func() []service.Definition { return []service.Definition{payment(), plainService(), secretive()} }
		if change != nil {
			change(d)
		}
	}
}

func bearer(r *http.Request) { r.Header.Set("Authorization", "Bearer sesame") }

func serveBehindToken(t *testing.T, change func(*Deps), records ...func(*site)) *site {
	s := open(t, behindToken(change))
	for _, put := range records {
		put(s)
	}
	s.run()
	s.eventually("caught up", func() bool { return s.status("GET", "/readyz", "", bearer) == http.StatusOK })
	return s
}

func down(s *site) {
	s.service(event.Down, func(r *event.Service) { r.Error = "connection refused by 10.0.0.7"; r.Since = time.Now().UTC() })
}

func (s *site) text(path string, edit func(*http.Request)) (int, string) {
	s.t.Helper()
	resp, body := s.do("GET", path, "", edit)
	return resp.StatusCode, string(body)
}

func TestStatusPageShowsTheChosenGroupsAndNothingElse(t *testing.T) {
	s := serveBehindToken(t, published, (*site).claim, waiting, down)
	s.incident("v", 1, "vault", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
	s.post2("/api/v1/incidents/x/note", `{"text":"A <b>disk</b> is ordered.\nBack at noon."}`)
	var page, asJSON string
	s.eventually("the note is shown", func() bool {
		_, page = s.text("/status", nil)
		_, asJSON = s.text("/status.json", nil)
		return strings.Contains(page, "Back at noon") && strings.Contains(asJSON, "Back at noon")
	})
	contains(t, []byte(page), `<p class="from">Shop status</p>`, "<h1>1 service is down.</h1>", "<h2>shop</h2>", `<h3 class="down">payment-service</h3>`, `<p class="word down">Down</p>`,
		"payment-service failed at", "the repair waits for an operator", "A &lt;b&gt;disk&lt;/b&gt; is ordered.", "no data on 30 days", "30 days")
	contains(t, []byte(asJSON), `"verdict":"1 service is down."`, `"name":"payment-service","status":"DOWN"`, `"text":"A \u003cb\u003edisk\u003c/b\u003e is ordered.\nBack at noon."`)
	for _, answer := range []string{page, asJSON} {
		for _, secret := range []string{"vault", "internal", "a/b c", "docker", "10.0.0.7", "refused", "127.0.0.1", "user:pw", myHost + `"`, me, "operator:", "restart", "<b>"} {
			if strings.Contains(answer, secret) {
				t.Errorf("%q is published: %s", secret, answer)
			}
		}
	}
	resp, _ := s.do("GET", "/status", "", nil)
	if got := resp.Header.Get("Content-Security-Policy"); got != public.StatusPolicy {
		t.Errorf("the policy is %q", got)
	}
	for path, want := range map[string]int{"/api/v1/services": 401, "/metrics": 401, "/badge/payment-service.svg": 200} {
		if got := s.status("GET", path, "", nil); got != want {
			t.Errorf("GET %s without a token: %d, want %d", path, got, want)
		}
	}
}

// post2 is post with the token.
func (s *site) post2(path, body string) {
	s.t.Helper()
	if resp, all := s.do("POST", path, body, bearer); resp.StatusCode != http.StatusAccepted {
		s.t.Fatalf("POST %s: %d %s", path, resp.StatusCode, all)
	}
}

func TestEndedIncidentIsShownForItsNoteAlone(t *testing.T) {
	end := func(id string) func(*site) {
		return func(s *site) {
			s.incident(id, 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
			s.incident(id, 2, "payment-service", event.Resolved{How: event.HowRecovered}, event.ByLogstream)
		}
	}
	s := serveBehindToken(t, published, (*site).claim, end("a"), end("b"))
	s.post2("/api/v1/incidents/b/note", `{"text":"A cable was replaced."}`)
	s.eventually("the note is shown", func() bool {
		_, page := s.text("/status", nil)
		return strings.Contains(page, "A cable was replaced.") && strings.Count(page, "and recovered at") == 1
	})
}

func TestStatusPageIsOffByDefault(t *testing.T) {
	s := serveBehindToken(t, nil, (*site).claim, down)
	for _, path := range []string{"/status", "/status.json"} {
		for name, edit := range map[string]func(*http.Request){"without a token": nil, "with the token": bearer} {
			if status, page := s.text(path, edit); status != http.StatusNotFound || strings.Contains(page, "payment") {
				t.Errorf("%s %s: %d %s", path, name, status, page)
			}
		}
	}
	for _, path := range []string{"/badge/payment-service.svg", "/badge/payment-service/uptime.svg", "/badge/nope.svg"} {
		if status, body := s.text(path, nil); status != http.StatusUnauthorized || strings.Contains(body, "<svg") {
			t.Errorf("%s without a token: %d %s", path, status, body)
		}
	}
	if status, body := s.text("/badge/payment-service.svg", bearer); status != http.StatusOK || !strings.Contains(body, "payment-service: down") {
		t.Errorf("with the token: %d %s", status, body)
	}
}

// TestBadgeTellsNothingOfWhatIsNotPublished: a service of another group looks as
// one that does not exist.
func TestBadgeTellsNothingOfWhatIsNotPublished(t *testing.T) {
	s := serveBehindToken(t, published, (*site).claim, down)
	for _, path := range []string{"/badge/%s.svg", "/badge/%s/uptime.svg?window=24h"} {
		var header [2]http.Header
		var svg [2]string
		for i, name := range []string{"vault", "vaulu"} {
			resp, body := s.do("GET", strings.Replace(path, "%s", name, 1), "", nil)
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %d %s", name, resp.StatusCode, body)
			}
			resp.Header.Del("Date")
			resp.Header.Del("Etag")
			header[i], svg[i] = resp.Header, string(body)
		}
		if strings.ReplaceAll(svg[0], "vault", "vaulu") != svg[1] || !strings.Contains(svg[1], "vaulu: unknown") {
			t.Errorf("not alike: %s and %s", svg[0], svg[1])
		}
		if !reflect.DeepEqual(header[0], header[1]) {
			t.Errorf("headers differ: %v and %v", header[0], header[1])
		}
	}
	wrong := func(r *http.Request) { r.Header.Set("Authorization", "Bearer sesam") }
	if status, body := s.text("/badge/payment-service.svg", wrong); status != http.StatusUnauthorized {
		t.Errorf("with a wrong token: %d %s", status, body)
	}
	if _, body := s.text("/badge/vault.svg", bearer); !strings.Contains(body, "vault: awaiting first check") {
		t.Errorf("with the token: %s", body)
	}
}

func TestBadges(t *testing.T) {
	s := serve(t, nil, (*site).claim, down)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/badge/payment-service.svg":                          {200, "payment-service: down"},
		"/badge/a%2Fb%20c.svg":                                {200, "a/b c: awaiting first check"},
		"/badge/a%2Fb%20c/uptime.svg":                         {200, "a/b c uptime 7d: no data"},
		"/badge/payment-service/uptime.svg?window=30d":        {200, "payment-service uptime 30d: no data"},
		"/badge/nope.svg":                                     {200, "nope: unknown"},
		"/badge/%3Cscript%3Ealert(1)%3C%2Fscript%3E.svg":      {200, "&lt;script&gt;alert(1)&lt;/script&gt;: unknown"},
		"/badge/%22%27%26.svg":                                {200, "&#34;&#39;&amp;: unknown"},
		"/badge/%00%1b%5B31m.svg":                             {200, ": unknown"},
		"/badge/" + strings.Repeat("%E2%9B%94", 300) + ".svg": {200, "…: unknown"},
		"/badge/payment-service/uptime.svg?window=2d":         {400, `must be 1h, 24h, 7d or 30d`},
		"/badge/payment-service":                              {404, "a badge is"},
		"/badge/.svg":                                         {404, "a badge is"},
	} {
		resp, body := s.do("GET", path, "", nil)
		if resp.StatusCode != want.status || !strings.Contains(string(body), want.says) {
			t.Errorf("%s: %d %s, want %d, %s", path, resp.StatusCode, body, want.status, want.says)
		}
		if want.status != http.StatusOK {
			continue
		}
		if got := resp.Header.Get("Content-Type"); got != "image/svg+xml; charset=utf-8" || resp.Header.Get("ETag") == "" || resp.Header.Get("Cache-Control") != "private, max-age=30" {
			t.Errorf("%s: %v", path, resp.Header)
		}
		for d := xml.NewDecoder(strings.NewReader(string(body))); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s is not XML: %v in %s", path, err, body)
				break
			}
		}
		if again := s.status("GET", path, "", func(r *http.Request) { r.Header.Set("If-None-Match", resp.Header.Get("ETag")) }); again != http.StatusNotModified {
			t.Errorf("%s once more: %d", path, again)
		}
	}
}

func TestPublishedBadgesMayBeEmbedded(t *testing.T) {
	s := serveBehindToken(t, published, (*site).claim, down)
	resp, _ := s.do("GET", "/badge/payment-service.svg", "", nil)
	if got := resp.Header; got.Get("Cross-Origin-Resource-Policy") != "cross-origin" || got.Get("Cache-Control") != "public, max-age=30" || !strings.Contains(got.Get("Vary"), "Authorization") {
		t.Errorf("%v", got)
	}
}

func TestPublicPagesAreLimited(t *testing.T) {
	s := serveBehindToken(t, published)
	s.dash.limits.public.SetLimit(0)
	s.dash.limits.public.SetBurst(2)
	for i, want := range []int{200, 200, 429} {
		path := []string{"/status", "/badge/x.svg", "/status.json"}[i]
		if got := s.status("GET", path, "", nil); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestStatusPageIsValidated(t *testing.T) {
	for name, tt := range map[string]struct {
		page StatusPage
		key  string
	}{
		"nothing":      {StatusPage{}, ""},
		"a group":      {StatusPage{Enabled: true, Groups: []string{"shop"}}, ""},
		"no group":     {StatusPage{Enabled: true}, "status_page.groups"},
		"an empty one": {StatusPage{Groups: []string{"shop", " "}}, "status_page.groups[1]"},
		"two lines":    {StatusPage{Title: "a\nb"}, "status_page.title"},
		"a long title": {StatusPage{Title: strings.Repeat("a", maxTitle+1)}, "status_page.title"},
	} {
		c := Default()
		c.StatusPage = tt.page
		switch got := c.Problems(); {
		case tt.key == "" && len(got) != 0, tt.key != "" && (len(got) != 1 || got[0].Key != tt.key):
			t.Errorf("%s: %+v, want %q", name, got, tt.key)
		}
	}
}
