//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	yamlv3 "gopkg.in/yaml.v3"
)

const (
	open    = `!!document.querySelector("dialog[open]")`
	closed  = `!document.querySelector("dialog")`
	focused = `document.activeElement?.dataset.control`
)

// confirms waits for the dialog with that heading, presses its button, waits until
// the command was carried out and the dialog says so, and closes it by the keyboard.
func confirms(t *testing.T, ctx context.Context, heading, said string) {
	t.Helper()
	sees(t, ctx, "the dialog "+heading, fmt.Sprintf(`document.querySelector("dialog[open] h2")?.textContent === %q`, heading))
	does(t, ctx, chromedp.Focus(`dialog [type="submit"]`), chromedp.KeyEvent(kb.Enter))
	sees(t, ctx, "that it was carried out", fmt.Sprintf(`(document.querySelector("dialog[data-step=done] [role=status]") ?? (%s && document.getElementById("announcement")))?.textContent?.includes(%q)`, closed, said))
	if eval[bool](t, ctx, open) { // that of a fault closes by itself: the page shows what becomes of it
		does(t, ctx, chromedp.KeyEvent(kb.Escape))
	}
	sees(t, ctx, "that it is closed", closed)
}

// breaks injects a fault by the button of a service's card, and by that of its dialog.
func breaks(t *testing.T, ctx context.Context, service, fault string) {
	t.Helper()
	does(t, ctx, chromedp.Click(fmt.Sprintf(`.card[data-service=%q] .break [data-fault=%q]`, service, fault)))
	confirms(t, ctx, fmt.Sprintf("%s%s: break %s for real?", strings.ToUpper(fault[:1]), fault[1:], service), "injected into "+service)
}

// TestEveryPageAndButtonOfTheDemo opens each page of one demo and uses its buttons, by
// role and name: in both themes, at each width, without an error on the console.
func TestEveryPageAndButtonOfTheDemo(t *testing.T) {
	t.Parallel()
	d := demo(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T, context.Context, *daemon)
	}{{"pages", everyPage}, {"small", smallButtons}, {"hold", holdAndRelease}, {"service", serviceButtons}, {"form", theFormsLines}} {
		ok := t.Run(part.name, func(t *testing.T) {
			of := *d
			of.t = t
			ctx := browser(t)
			still(t, ctx)
			part.run(t, ctx, &of)
		})
		if !ok {
			return // the demo is in a state that the next part does not expect
		}
	}
}

func everyPage(t *testing.T, ctx context.Context, d *daemon) {
	heard := listens(t, ctx)
	if code, answer := d.post("/api/v1/services/payment-service/chaos", `{"fault":"kill"}`); code != 202 {
		t.Fatalf("the button: %d %s", code, answer)
	}
	id := d.newest(time.Minute, "payment-service", "is resolved", resolved).ID
	every := []string{"banner: ", "navigation: Main", "main: ", "link: Skip to the content", "link: Overview", "link: System",
		"button: Hold all repairs", "button: Switch between light and dark"}
	for _, page := range []struct {
		path, name string
		wanted     []string
	}{
		{"/", "overview", []string{"link: payment-service"}},
		{"/services/payment-service", "service", []string{"heading: What you can do", "button: Restart payment-service", "button: Silence payment-service", "button: Trigger disaster: stop payment-service", "heading: Last observations"}},
		{"/incidents", "incidents", []string{"heading: No incident is open", "navigation: Show"}},
		{"/incidents/" + id, "incident", []string{"heading: Timeline", "button: Copy link", "button: Post-mortem as Markdown"}},
		{"/approvals", "approvals", []string{"heading: Nothing waits for you", "heading: Last commands"}},
		{"/add", "add", []string{"heading: Add a service", "textbox: Name", "textbox: Address", "combobox: Container (optional)", "textbox: Interval (optional)", "button: Test it now", "heading: For config.yaml"}},
		{"/system", "system", []string{"heading: Dependencies", "heading: Event log", "heading: Hosts", "heading: Notifications"}},
		{"/services/none", "no-service", nil},
		{"/incidents/none", "no-incident", []string{"heading: Incident not found"}},
	} {
		opens(t, ctx, d, page.path)
		inBoth(t, ctx, "page-"+page.name, func(where string) {
			accessible(t, ctx, where, slices.Concat(every, page.wanted)...)
			if n := eval[int](t, ctx, `document.querySelectorAll("h1").length`); n != 1 {
				t.Errorf("%s has %d headings of the first level", where, n)
			}
		})
		if page.name == "system" {
			for _, part := range []string{" from a check to this page", "its health logs may take ", "repaired by ", "3 services"} {
				sees(t, ctx, part, fmt.Sprintf(`document.querySelector("main").textContent.includes(%q)`, part))
			}
		}
		byTab(t, ctx, page.path)
		if !strings.HasSuffix(page.path, "/none") { // which is answered with 404, and Chromium writes that to the console
			heard.none(t, page.path)
		}
	}
}

// followsFocus notes which places the focus visits, and which of them show it by less
// than an outline of two pixels. "missing" are those that a keyboard has to reach: what
// can be seen, is not disabled, and is part of the page still.
const followsFocus = `(() => {
	const name = e => e.tagName + " " + (e.getAttribute("aria-label") ?? e.textContent.trim().slice(0, 40));
	const places = () => [...document.querySelectorAll("a[href], button:not([disabled]), input, select, summary, [tabindex='0']")].filter(e => e.checkVisibility({visibilityProperty: true}));
	const visited = new Set(), wanted = new Set(places());
	window.focused = { unmarked: [], get missing() { return [...wanted].filter(e => e.isConnected && e.checkVisibility({visibilityProperty: true}) && !visited.has(e)).map(name); }, wanted: wanted.size };
	addEventListener("focusin", ({ target: e }) => {
		visited.add(e);
		const s = getComputedStyle(e);
		if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2) focused.unmarked.push(name(e));
	});
	document.activeElement?.blur();
	scrollTo(0, 0);
	return wanted.size;
})()`

// byTab goes through a page by Tab alone: it reaches everything, each place with a
// visible mark.
func byTab(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	does(t, ctx, chromedp.Navigate(eval[string](t, ctx, "location.href"))) // from the top
	sees(t, ctx, "the page", `document.documentElement.dataset.conn === "live" && !document.querySelector(".loading")`)
	wanted := eval[int](t, ctx, followsFocus)
	for i := 0; i < wanted || i < 2*wanted+20 && len(eval[[]string](t, ctx, "focused.missing")) > 0; i++ { // more may have come
		does(t, ctx, chromedp.KeyEvent(kb.Tab))
	}
	if missing, unmarked := eval[[]string](t, ctx, "focused.missing"), eval[[]string](t, ctx, "focused.unmarked"); len(missing)+len(unmarked) > 0 || wanted < 5 {
		t.Errorf("%s: by Tab of %d places these are not reached: %q; without a visible focus: %q", path, wanted, missing, unmarked)
	}
}

// shownTheme is the theme that a reader sees, by the colour of the page's ground.
const shownTheme = `getComputedStyle(document.body).backgroundColor === "rgb(14, 16, 18)" ? "dark" : "light"`

func smallButtons(t *testing.T, ctx context.Context, d *daemon) {
	heard := listens(t, ctx)
	opens(t, ctx, d, "/")
	press(t, ctx, "button", "Switch between light and dark")
	sees(t, ctx, "the dark page", shownTheme+` === "dark"`)
	// Before the page's own program runs, the theme is there: nothing flashes.
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.painted = [];
		new PerformanceObserver(list => list.getEntries().forEach(e => painted.push([e.name, ` + shownTheme + `]))).observe({type: "paint", buffered: true});
		requestAnimationFrame(function each() { if (document.body) painted.push(["frame", ` + shownTheme + `]); if (painted.length < 60) requestAnimationFrame(each); });`}); err != nil {
		t.Fatal(err)
	}
	opens(t, ctx, d, "/system")
	sees(t, ctx, "frames from the first on", `painted.length >= 10`)
	if shown := eval[[][]string](t, ctx, "painted"); slices.ContainsFunc(shown, func(one []string) bool { return one[1] != "dark" }) {
		t.Errorf("the page shows another theme first: %v", shown)
	}
	does(t, ctx, chromedp.KeyEvent("?"))
	sees(t, ctx, "the keys", `document.querySelector('aside[aria-label="Keys"]')?.textContent.includes("searches services or incidents")`)
	inBoth(t, ctx, "keys", func(where string) { accessible(t, ctx, where, "complementary: Keys", "button: Hide") })
	press(t, ctx, "button", "Hide")
	sees(t, ctx, "that they are hidden", `!document.querySelector(".keys")`)
	copies(t, ctx, "Copy the command")

	id := d.incidents("payment-service")[0].ID
	opens(t, ctx, d, "/incidents/"+id)
	copies(t, ctx, "Copy link")
	eval[bool](t, ctx, `(HTMLAnchorElement.prototype.click = function () { window.saved = this.download }, true)`) // the link is in no document
	press(t, ctx, "button", "Post-mortem as Markdown")
	sees(t, ctx, "the file", `window.saved?.endsWith(".md")`)
	opens(t, ctx, d, "/")
	press(t, ctx, "button", "Switch between light and dark")
	heard.none(t, "the small buttons")
}

// copies presses a button that copies: it says so, also to those who do not see it.
func copies(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	eval[bool](t, ctx, `(window.copied = new Set(), new MutationObserver(list => list.forEach(e => copied.add(e.target.id || e.attributeName)))
		.observe(document.body, {subtree: true, childList: true, attributeFilter: ["data-done"]}), true)`)
	press(t, ctx, "button", name)
	sees(t, ctx, "that it was copied", `copied.has("data-done") && copied.has("announcement")`)
}

// holdAndRelease does by the keyboard what an operator does: hold all repairs, see on
// each page that they are, break a service meanwhile, and release them.
func holdAndRelease(t *testing.T, ctx context.Context, d *daemon) {
	heard := listens(t, ctx)
	opens(t, ctx, d, "/system")
	does(t, ctx, chromedp.Focus(`[data-control="hold"]`), chromedp.KeyEvent(kb.Enter))
	sees(t, ctx, "the dialog, with the focus in it", open+` && document.querySelector("dialog").contains(document.activeElement)`)
	inBoth(t, ctx, "dialog-hold", func(where string) {
		accessible(t, ctx, where, "dialog: Hold all repairs on host demo?", "radio: 30 min", "textbox: Reason (optional, recorded with it)", "button: Hold repairs", "button: Cancel")
	})
	does(t, ctx, chromedp.KeyEvent(kb.Escape))
	sees(t, ctx, "that it is closed, and the focus where it was", closed+` && `+focused+` === "hold"`)
	does(t, ctx, chromedp.KeyEvent(kb.Enter))
	sees(t, ctx, "it again", open)
	press(t, ctx, "button", "Cancel")
	sees(t, ctx, "that it is closed", closed)
	does(t, ctx, chromedp.Focus(`[data-control="hold"]`), chromedp.KeyEvent(kb.Enter))
	sees(t, ctx, "it once more", open)
	does(t, ctx, chromedp.SendKeys(`dialog input[name="reason"]`, "the database moves"))
	confirms(t, ctx, "Hold all repairs on host demo?", "All repairs are on hold until")
	sees(t, ctx, "that the focus is on the page", `document.activeElement?.tagName === "H1"`)

	before := len(d.incidents("payment-service"))
	opens(t, ctx, d, "/services/payment-service")
	breaks := func() {
		t.Helper()
		press(t, ctx, "button", "Trigger disaster: kill payment-service")
		confirms(t, ctx, "Kill: break payment-service for real?", "injected into payment-service")
	}
	breaks()
	held := d.newest(time.Minute, "payment-service", "is held", func(in apiIncident) bool { return len(d.incidents("payment-service")) > before && heldBy("hold")(in) })
	// No red number under a headline that is not red, on any page.
	for _, path := range []string{"/", "/services/payment-service", "/incidents", "/incidents/" + held.ID, "/approvals", "/add", "/system"} {
		opens(t, ctx, d, path)
		sees(t, ctx, "the banner on "+path, `["All repairs on host demo are on hold until", "An operator on the dashboard put them on hold: the database moves.", "1 repair waits."].every(part => document.querySelector(".holdbar")?.textContent.includes(part))`)
		if path == "/" || path == "/system" { // on the others nothing else is new
			inBoth(t, ctx, "held-"+filepath.Base("/overview"+path), func(where string) {
				accessible(t, ctx, where, "region: Repairs are on hold", "button: Release the hold")
			})
		}
	}
	opens(t, ctx, d, "/services/payment-service")
	press(t, ctx, "button", "Take it back")
	confirms(t, ctx, "Take back “Kill”?", "The fault in payment-service was taken back.")
	sees(t, ctx, "that it is up by hand, while the hold goes on", `document.querySelector(".holdbar") && !document.querySelector('[data-control="heal"]')`)
	breaks()
	press(t, ctx, "button", "Heal now: payment-service")
	sees(t, ctx, "that it would wait", `document.querySelector("dialog")?.textContent.includes("All repairs are on hold on this host: the repair waits until the hold ends.")`)
	confirms(t, ctx, "Heal payment-service now?", "LogStream opened an incident for payment-service.")
	does(t, ctx, chromedp.Click(`.holdbar [data-control="release"]`))
	confirms(t, ctx, "Release the hold?", "LogStream repairs again.")
	sees(t, ctx, "no banner", `!document.querySelector(".holdbar")`)
	d.newest(2*time.Minute, "payment-service", "is resolved", resolved)
	heard.none(t, "the pages")
}

// serviceButtons uses each other control of a service's page.
func serviceButtons(t *testing.T, ctx context.Context, d *daemon) {
	heard := listens(t, ctx)
	opens(t, ctx, d, "/services/inventory-service")
	uses := func(name, control, heading, said string) {
		t.Helper()
		press(t, ctx, "button", name)
		sees(t, ctx, "the dialog", open)
		inBoth(t, ctx, "dialog-"+control, func(where string) { accessible(t, ctx, where, "dialog: "+heading) })
		confirms(t, ctx, heading, said)
	}
	uses("Silence inventory-service", "silence", "Silence inventory-service?", "inventory-service is silenced until")
	d.until(time.Minute, "it is silenced", func() bool {
		return strings.Contains(d.raw("/api/v1/services/inventory-service"), `"silenced_by":"operator:dashboard"`)
	})
	sees(t, ctx, "until when and by whom", `/Silenced until [0-9:]+. By an operator on the dashboard./.test(document.querySelector(".actions")?.textContent)`)
	uses("End silence of inventory-service", "unsilence", "End the silence of inventory-service?", "The silence of inventory-service has ended.")
	uses("Restart inventory-service", "restart", "Restart inventory-service?", "to restart inventory-service")
	in := d.newest(2*time.Minute, "inventory-service", "is resolved", resolved)
	if got := actions(in); len(got) != 1 || got[0] != "restart" {
		t.Errorf("the actions are %v", got)
	}
	uses("Trigger disaster: stop inventory-service", "fault", "Stop: break inventory-service for real?", "injected into inventory-service")
	d.until(time.Minute, "it is broken and repaired", func() bool {
		list := d.incidents("inventory-service")
		return len(list) > 1 && list[0].State == "resolved"
	})
	heard.none(t, "the service's page")
}

// theFormsLines fills the form with what YAML would take for something else, tests
// it, and has the lines read by the program and by its library.
func theFormsLines(t *testing.T, ctx context.Context, d *daemon) {
	heard := listens(t, ctx)
	var service struct{ URL string }
	if err := json.Unmarshal([]byte(d.raw("/api/v1/services/payment-service")), &service); err != nil {
		t.Fatal(err)
	}
	opens(t, ctx, d, "/add")
	typed := map[string]string{"name": `no: "odd" #1`, "group": "- null", "url": service.URL, "container": "payment-service", "interval": "7s", "timeout": "900ms", "expect.status": "200", "expect.body": `.*|$: # "'{&*!%`}
	for name, text := range typed {
		does(t, ctx, chromedp.SendKeys(fmt.Sprintf(`input[name=%q]`, name), text))
	}
	sees(t, ctx, "the lines", `document.querySelector("[data-lines]")?.textContent.includes("expect:") && document.querySelector("[data-lines]").textContent.includes("7s")`)
	press(t, ctx, "button", "Test it now")
	sees(t, ctx, "the result", `document.querySelector("[data-probe]")?.dataset.probe === "UP"`)
	inBoth(t, ctx, "add-tested", func(where string) {
		accessible(t, ctx, where, "heading: The test", "button: Copy", "region: Lines for config.yaml")
	})
	sees(t, ctx, "the lines of all that was typed", `document.querySelector("[data-lines]").textContent.includes("900ms")`)
	lines := eval[string](t, ctx, `document.querySelector("[data-lines]").textContent`)
	var read struct {
		Services []struct {
			Name, Group, URL, Container, Interval, Timeout string
			Expect                                         struct{ Status, Body string }
		}
	}
	file := "services:\n" + lines
	if err := yamlv3.Unmarshal([]byte(file), &read); err != nil || len(read.Services) != 1 {
		t.Fatalf("%v in\n%s", err, file)
	}
	s := read.Services[0]
	for name, got := range map[string]string{"name": s.Name, "group": s.Group, "url": s.URL, "container": s.Container, "interval": s.Interval, "timeout": s.Timeout, "expect.status": s.Expect.Status, "expect.body": s.Expect.Body} {
		if got != typed[name] {
			t.Errorf("%s was typed as %q, and is read as %q from\n%s", name, typed[name], got, lines)
		}
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(binary, "check", "--config", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "is valid: 1 service") {
		t.Errorf("check: %v\n%s\nof\n%s", err, out, file)
	}

	heard.none(t, "/add") // what follows is refused, which Chromium writes to the console
	does(t, ctx, chromedp.SetValue(`input[name="url"]`, "http://${HOME}/"), chromedp.SendKeys(`input[name="url"]`, "x"))
	sees(t, ctx, "that no variable is replaced, at its field", `document.querySelector("#add-url-wrong")?.textContent.includes("which is not replaced here")`)
	inBoth(t, ctx, "add-wrong", func(where string) { accessible(t, ctx, where) })
}
