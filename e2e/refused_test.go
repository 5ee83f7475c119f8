//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestAPageThatIsRefusedSaysSo changes, under a page that is open, who may see what: the
// page of what is no longer there, of who may only look now, of who is no longer
// known, and of a token that was changed each say so, and nothing else fails.
func TestAPageThatIsRefusedSaysSo(t *testing.T) {
	t.Parallel()
	d := configured(t, "unix:///nonexistent/docker.sock", "", "")
	hash := hashed(t, "adas password")
	write := func(access string, jobs string) {
		t.Helper()
		d.write(fmt.Sprintf("bus: {embedded: {listen: %q, data: %q}}\ndocker: {host: 'unix:///nonexistent/docker.sock'}\nhealer: {decide: runbook}\ndashboard: {listen: %q, %s}\nservices:\n%s",
			d.broker, filepath.Join(d.dir, "data"), d.page, access, jobs))
	}
	people := func(name, role string) string {
		return fmt.Sprintf("users: [{name: %s, password_file: %q, role: %s}]", name, hash, role)
	}
	write(people("ada", "operator"), jobs(3))
	d.start()
	ctx := browser(t)
	still(t, ctx)
	errors := consoleErrors(t, ctx)
	// only holds that the console has nothing but what Chromium itself writes of a refusal,
	// and of a dashboard that listens anew since who may use it was changed.
	ofChromium := regexp.MustCompile(`^(Failed to load resource: (the server responded with a status of 40[134] |net::ERR_CONNECTION_(REFUSED|RESET))|WebSocket connection to )`)
	only := func(where string) {
		t.Helper()
		for _, one := range errors() {
			if !ofChromium.MatchString(one) {
				t.Errorf("%s: the console has %s", where, one)
			}
		}
	}
	login := func() {
		t.Helper()
		does(t, ctx, chromedp.SendKeys(named("field", "Name"), "ada"), chromedp.SendKeys(named("field", "Password"), "adas password"), chromedp.Click(named("button", "Log in")))
	}
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/services/job-002"))
	sees(t, ctx, "the login page", has("h1", "Log in"))
	login()
	sees(t, ctx, "a service, and a button", `location.pathname === "/services/job-002" && `+has("button", "Silence"))

	// 404: a service that is taken out of the file.
	write(people("ada", "operator"), jobs(2))
	sees(t, ctx, "that there is none of this name", `document.querySelector("main")?.textContent.includes("No service is called “job-002”")`)
	only("a service that is gone")
	opens(t, ctx, d, "/incidents/none")
	sees(t, ctx, "that there is no such incident", `document.querySelector("main").textContent.includes("Incident not found")`)
	only("an incident that is none")

	// 403: an operator whose role becomes that of a viewer, with the dialog open.
	opens(t, ctx, d, "/services/job-001")
	press(t, ctx, "button", "Silence job-001")
	sees(t, ctx, "the dialog", `document.querySelector("dialog[open] h2")?.textContent === "Silence job-001?"`)
	write(people("ada", "viewer"), jobs(2))
	sees(t, ctx, "the new role", `document.documentElement.dataset.role === "viewer"`)
	eval[bool](t, ctx, `(document.querySelector('dialog [type="submit"]').click(), true)`) // as who presses it in that moment
	sees(t, ctx, "why not", `document.body.textContent.includes("our role is viewer; this needs the role operator")`)
	picture(t, ctx, "refused-role")
	only("a role that was changed")
	opens(t, ctx, d, "/services/job-001")
	sees(t, ctx, "no button", `document.documentElement.dataset.role === "viewer" && !document.querySelector("[data-control]")`)

	// 401: who is no longer known comes to the login, and from there back.
	write(people("eve", "operator"), jobs(2))
	sees(t, ctx, "the login page", has("h1", "Log in"))
	if at := eval[string](t, ctx, `location.pathname + location.search`); at != "/login?next=%2Fservices%2Fjob-001" {
		t.Errorf("who is no longer known is sent to %s", at)
	}
	only("a session that ended")

	// 401 without people: a token that was changed.
	write("token: the-first-of-two-tokens", jobs(2))
	d.until(time.Minute, "the file is in use", func() bool {
		answer := d.raw("/api/v1/info") // of the new listener, and not that there is none for a moment
		return strings.HasPrefix(answer, "{") && !strings.Contains(answer, "login") && d.status("/api/v1/info") == 401
	})
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/system"))
	sees(t, ctx, "the form for the token", `document.querySelector("h1")?.textContent === "Enter the access token" && document.title === "Access · LogStream"`)
	enters := func(token string) {
		t.Helper()
		does(t, ctx, chromedp.SendKeys(`input[name="token"]`, token))
		press(t, ctx, "button", "Open the dashboard")
		sees(t, ctx, "the page that was asked for", `document.documentElement.dataset.conn === "live" && !!document.querySelector("main h2") && !document.querySelector("input[name=token]")`)
	}
	enters("the-first-of-two-tokens")
	write("token: the-second-of-two-tokens", jobs(2))
	sees(t, ctx, "that the token is not accepted any more", `document.querySelector("#token-wrong")?.textContent === "This token was not accepted." && document.documentElement.dataset.conn === "denied"`)
	if eval[bool](t, ctx, `[...document.querySelectorAll("main")].some(e => /job-00|127\.0\.0\.1/.test(e.textContent))`) {
		t.Error("who is refused still reads what was shown before")
	}
	picture(t, ctx, "refused-token")
	enters("the-second-of-two-tokens")
	only("a token that was changed")
}
