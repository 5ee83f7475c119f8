//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestThePageWithProblems has a real daemon without Docker, behind a token, with a wrong
// edit of its file, without services, and killed: each is a page that says so.
func TestThePageWithProblems(t *testing.T) {
	t.Parallel()
	var services strings.Builder
	for i := range 12 {
		fmt.Fprintf(&services, "- {name: job-%02d, url: \"push://\", interval: 1h, group: jobs}\n", i)
	}
	d := configured(t, "unix://"+filepath.Join(t.TempDir(), "none.sock"), "", services.String())
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	good := strings.Replace(string(text), "dashboard: {", "notify: {receivers: [{name: ops, url: \"ntfy://127.0.0.1:1/ops\", on: [escalated, approval], groups: [jobs]}]}\ndashboard: {token: lets-me-in-by-this-token, ", 1)
	d.write(good)
	d.start()
	ctx := browser(t)
	still(t, ctx)

	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "the form for the token", `document.querySelector("h1")?.textContent === "Enter the access token"`)
	inBoth(t, ctx, "access", func(where string) {
		accessible(t, ctx, where, "heading: Enter the access token", "button: Open the dashboard")
	})
	enters := func(token string) {
		t.Helper()
		eval[string](t, ctx, `document.querySelector('input[name="token"]').value = ""`)
		does(t, ctx, chromedp.SendKeys(`input[name="token"]`, token))
		press(t, ctx, "button", "Open the dashboard")
	}
	enters("another one")
	sees(t, ctx, "that it is wrong", `document.querySelector("#token-wrong")?.textContent === "This token was not accepted."`)
	enters("lets-me-in-by-this-token")
	sees(t, ctx, "the overview", `document.documentElement.dataset.conn === "live" && document.querySelectorAll(".services [data-service]").length === 12`)
	heard := listens(t, ctx)

	reports := func(name, status string) {
		t.Helper()
		eval[bool](t, ctx, fmt.Sprintf(`(fetch("/api/v1/health-logs", {method: "POST", headers: {"Content-Type": "application/json", Authorization: "Bearer lets-me-in-by-this-token"},
			body: JSON.stringify({service: %q, status: %q, code: 0, latency_ms: 1, check: "push", error: %q})}), true)`, name, status, map[string]string{"DOWN": "the disk is full"}[status]))
	}
	for i := range 11 {
		reports(fmt.Sprintf("job-%02d", i), "UP")
	}
	sees(t, ctx, "what is up", `document.querySelectorAll('.services [data-status="UP"]').length === 11`)
	sees(t, ctx, "the problem, what goes on, and how it is fixed", `["Problem with Docker since", "Docker is unreachable", "Still works", "On hold", "How to fix"].every(part => document.querySelector('[data-problem="docker"]')?.textContent.includes(part))`)
	inBoth(t, ctx, "trouble-docker", func(where string) { accessible(t, ctx, where, "region: Problems of LogStream itself") })
	does(t, ctx, chromedp.EmulateViewport(360, 900))
	sees(t, ctx, "those that are up behind a button", `document.querySelector("[data-act=whole]")?.checkVisibility() && ![...document.querySelectorAll('.services [data-status="UP"]')].some(e => e.checkVisibility())`)
	does(t, ctx, chromedp.Click(`[data-act="whole"]`))
	sees(t, ctx, "all of them", `[...document.querySelectorAll('.services [data-status="UP"]')].every(e => e.checkVisibility())`)
	does(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.KeyEvent("/"))
	sees(t, ctx, "that it searches", `document.activeElement?.id === "search"`)
	does(t, ctx, chromedp.SendKeys("#search", "nothing has this"))
	sees(t, ctx, "that none matches", `document.querySelector(".services .empty")?.textContent.includes("No service matches")`)
	inBoth(t, ctx, "no-match", func(where string) { accessible(t, ctx, where, "heading: No service matches") })
	press(t, ctx, "button", "Clear")
	sees(t, ctx, "all of them again", `!document.querySelector(".services .empty")`)

	shows := func(path string) {
		t.Helper()
		does(t, ctx, chromedp.Navigate("http://"+d.page+path))
		sees(t, ctx, path, `document.documentElement.dataset.conn === "live" && !document.querySelector(".loading")`)
	}
	shows("/system")
	sees(t, ctx, "the receivers, before a test", `document.querySelector('[data-receiver="ops"]')?.textContent === "ops (ntfy)Receives: person called and approval needed. Only for group jobs."`)
	heard.none(t, "a page in trouble")
	press(t, ctx, "button", "Send a test message")
	sees(t, ctx, "what became of it", `document.querySelector('[data-receiver="ops"][data-ok="false"]')?.textContent.includes("did not accept the test message")`)
	d.write(strings.Replace(good, "defaults: {interval:", "defaults: {intervall:", 1))
	sees(t, ctx, "the line with a caret, and the suggestion", `/\│ +\^/.test(document.querySelector("[data-finding] pre")?.textContent) && document.querySelector("[data-finding]").textContent.includes("Did you mean interval?")`)
	inBoth(t, ctx, "trouble-config", func(where string) {
		accessible(t, ctx, where, "heading: The last edit of config.yaml is not in use", "heading: Notifications")
	})
	d.write(strings.Split(good, "services:\n")[0])
	sees(t, ctx, "that no service is left", `[...document.querySelectorAll("dt")].find(e => e.textContent === "Services")?.nextElementSibling.textContent === "0"`)
	shows("/")
	sees(t, ctx, "how the first service is added", `document.querySelector(".services .empty")?.textContent.includes("Add the first service to config.yaml")`)
	inBoth(t, ctx, "empty", func(where string) {
		accessible(t, ctx, where, "heading: Add the first service to config.yaml", "button: Copy these lines")
	})
	heard.none(t, "an empty page")

	d.kill()
	sees(t, ctx, "that the page is cut off", `document.querySelector(".cutoff")?.textContent.includes("This page lost its connection") && [...document.querySelectorAll("[data-control]")].every(e => e.disabled)`)
	inBoth(t, ctx, "cut-off", func(where string) { accessible(t, ctx, where, "button: Try now") })
	press(t, ctx, "button", "Try now")
	d.start()
	sees(t, ctx, "the connection again", `document.documentElement.dataset.conn === "live" && !document.querySelector(".cutoff")`)
}
