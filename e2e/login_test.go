//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/crypto/bcrypt"
)

// cheapest is the least cost of a password's hash that a configuration may have: under
// the race detector, beside other tests, a comparison at the usual one can outlast the
// time in which a request is answered.
const cheapest = 10

// hashed writes the hash of a password to a file.
func hashed(t *testing.T, password string) string {
	t.Helper()
	out, err := bcrypt.GenerateFromPassword([]byte(password), cheapest)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hash")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// proxied is a proxy that serves page below /logstream, and removes that from what it
// passes on where it strips.
func proxied(t *testing.T, page string, strips bool) string {
	t.Helper()
	var to http.Handler = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: page})
	if strips {
		to = http.StripPrefix("/logstream", to)
	}
	mux := http.NewServeMux()
	mux.Handle("/logstream/", to)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/logstream"
}

// named finds an element as a person does, by its kind and name.
func named(kind, name string) string {
	if kind == "field" {
		return fmt.Sprintf(`//label[normalize-space()=%q]//input`, name)
	}
	return fmt.Sprintf(`//%s[normalize-space()=%q]`, kind, name)
}

// has is whether the page shows it.
func has(kind, name string) string {
	return fmt.Sprintf(`document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue?.checkVisibility() === true`, named(kind, name))
}

// TestPeopleLogIn: through a proxy that strips the base path and through one that
// does not, on a phone and on a wide screen. An operator silences a service, by
// name; a viewer sees no button for it.
func TestPeopleLogIn(t *testing.T) {
	t.Parallel()
	web := container(t, docker, "web-of-people")
	d := configured(t, docker.Host(), "", "")
	d.write(fmt.Sprintf(`
bus: {embedded: {listen: %q, data: %q}}
docker: {host: %q}
healer: {mode: auto, decide: runbook}
dashboard:
  listen: %q
  base_path: /logstream
  users: [{name: ada, password_file: %q, role: operator}, {name: bob, password_file: %q, role: viewer}]
services:
%s`, d.broker, filepath.Join(d.dir, "data"), docker.Host(), d.page, hashed(t, "adas password"), hashed(t, "bobs password"), yaml("web-of-people", web, ", interval: 1s")))
	d.start()
	ctx := browser(t)
	still(t, ctx)
	for i, tt := range []struct {
		name, password string
		width          int64
		strips         bool
		may            bool
	}{{"ada", "adas password", 360, true, true}, {"bob", "bobs password", 1280, false, false}, {"ada", "adas password", 1280, false, true}, {"bob", "bobs password", 360, true, false}} {
		base := proxied(t, d.page, tt.strips)
		does(t, ctx, chromedp.EmulateViewport(tt.width, 740), chromedp.Navigate(base+"/services/web-of-people"))
		sees(t, ctx, "the login page", has("h1", "Log in"))
		picture(t, ctx, fmt.Sprintf("login-%s-%d", tt.name, tt.width))
		if i == 0 {
			inBoth(t, ctx, "login", func(where string) {
				accessible(t, ctx, where, "heading: Log in", "textbox: Name", "button: Log in")
			})
			still(t, ctx)
			does(t, ctx, chromedp.EmulateViewport(tt.width, 740))
		}
		does(t, ctx, chromedp.SendKeys(named("field", "Name"), tt.name), chromedp.SendKeys(named("field", "Password"), "guess"), chromedp.Click(named("button", "Log in")))
		sees(t, ctx, "why not", has(`p[@role="alert"]`, "The name or the password is not right."))
		if over := eval[int](t, ctx, overflow); over > 0 {
			t.Errorf("at %d the login is %d pixels too wide", tt.width, over)
		}
		does(t, ctx, chromedp.SendKeys(named("field", "Password"), tt.password), chromedp.Click(named("button", "Log in")))
		sees(t, ctx, "the service that was asked for", `location.pathname === "/logstream/services/web-of-people" && document.documentElement.dataset.conn === "live"`)
		role := map[bool]string{true: "operator", false: "viewer"}[tt.may]
		sees(t, ctx, "the role", `document.documentElement.dataset.role === "`+role+`"`)
		silence, end := has("button", "Silence"), has("button", "End silence")
		if tt.may {
			sees(t, ctx, "a button", silence)
			does(t, ctx, chromedp.Click(named("button", "Silence")))
			confirms(t, ctx, "Silence web-of-people?", "web-of-people is silenced until")
			sees(t, ctx, "who silenced it", `document.querySelector(".actions")?.textContent.includes("By ada.")`)
			does(t, ctx, chromedp.Click(named("button", "End silence")))
			confirms(t, ctx, "End the silence of web-of-people?", "has ended")
			sees(t, ctx, "the end of it", silence)
		} else {
			sees(t, ctx, "the service", has("h2", "Container"))
			// The style hides them at once, and the next picture has none.
			sees(t, ctx, "no button that changes something", `!(`+silence+" || "+end+` || document.querySelector("[data-control]"))`)
		}
		picture(t, ctx, fmt.Sprintf("service-%s-%d", tt.name, tt.width))
		if beside := eval[string](t, ctx, `performance.getEntriesByType("resource").map(of => new URL(of.name).pathname).filter(path => !path.startsWith("/logstream/")).join(" ")`); beside != "" {
			t.Errorf("beside the base path the page loads %s", beside)
		}
		does(t, ctx, chromedp.Click(named("a", "System")))
		sees(t, ctx, "the way out", has("button", "Log out"))
		picture(t, ctx, fmt.Sprintf("system-%s-%d", tt.name, tt.width))
		if over := eval[int](t, ctx, overflow); over > 0 {
			t.Errorf("at %d the page of the system is %d pixels too wide", tt.width, over)
		}
		does(t, ctx, chromedp.Click(named("button", "Log out")))
		sees(t, ctx, "the login page again", has("h1", "Log in"))
		does(t, ctx, chromedp.Navigate(base+"/system"))
		sees(t, ctx, "that the session has ended", has("h1", "Log in"))
	}
	for _, form := range []string{"submit /login", "submit /logout"} {
		if _, is := used.Load(form); !is {
			t.Errorf("%q was sent, and is not among the forms that a test used", form)
		}
	}
}
