//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"logstream/healer/llm/llmtest"
)

const (
	isLive   = `document.documentElement.dataset.conn === "live" && !!document.querySelector("h1") && !document.querySelector(".loading")`
	listRows = `document.querySelectorAll(".incident-row").length`
	copied   = `[...document.querySelectorAll("main [data-act=copy]")].map(e => e.dataset.text)`
)

// atEachWidth shows what is open on a phone, a desktop and a wide screen, in both
// themes: nothing is wider than its window or covers another part, and axe-core
// finds nothing serious.
func atEachWidth(t *testing.T, ctx context.Context, name string, wanted ...string) {
	t.Helper()
	for _, width := range []int64{360, 1280, 2560} {
		does(t, ctx, chromedp.EmulateViewport(width, 900))
		if n := eval[int](t, ctx, overflow); n > 0 {
			t.Errorf("%s at %d px is %d px wider than its window", name, width, n)
		}
		if eval[bool](t, ctx, overlap) {
			t.Errorf("%s at %d px: parts cover each other", name, width)
		}
		for _, theme := range []string{"light", "dark"} {
			eval[string](t, ctx, fmt.Sprintf(`document.documentElement.dataset.theme = %q`, theme))
			where := fmt.Sprintf("%s-%s-%d", name, theme, width)
			accessible(t, ctx, where, wanted...)
			picture(t, ctx, where)
		}
	}
	does(t, ctx, chromedp.EmulateViewport(1280, 900))
}

// TestInjectedFaultIsShownAfterAReloadAndInOtherBrowsers presses a button that
// breaks a service: who did it stands in the record of the command.
func TestInjectedFaultIsShownAfterAReloadAndInOtherBrowsers(t *testing.T) {
	t.Parallel()
	d := demo(t)
	ctx, other := browser(t), browser(t)
	heard := listens(t, ctx)
	activity := func(text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.feed [data-kind="injected"]')].some(e => e.textContent.includes(%q))`, text)
	}
	for _, one := range []context.Context{ctx, other} {
		does(t, one, chromedp.Navigate("http://"+d.page+"/"))
		sees(t, one, "the live connection", isLive)
	}
	breaks(t, ctx, "payment-service", "kill")
	sees(t, ctx, "who did it", activity("You killed payment-service."))
	sees(t, other, "it at once in another browser", activity("An operator on the dashboard killed payment-service."))
	does(t, ctx, chromedp.Reload())
	sees(t, ctx, "it after a reload", isLive+" && "+activity("You killed payment-service."))
	in := d.newest(time.Minute, "payment-service", "is resolved", resolved)
	entry := fmt.Sprintf(`document.querySelector('.feed a[href="/incidents/%s"]')?.closest("li")?.querySelector("time")?.dateTime`, in.ID)
	sees(t, ctx, "the incident", "!!"+entry)
	feedTime := eval[string](t, ctx, entry)
	if want := in.Opened.Local().Format("2006-01-02T15:04:05"); !strings.HasPrefix(feedTime, want) {
		t.Errorf("the incident stands at %s, and was opened at %s", feedTime, want)
	}
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/incidents"))
	sees(t, ctx, "the same time in the list", fmt.Sprintf(`document.querySelector('[data-incident-row=%q] time')?.dateTime === %q`, in.ID, feedTime))
	heard.none(t, "the pages")
}

// TestTheIncidentPage breaks a service three times,
// once while repairs are on hold, and reads the page of the last incident.
func TestTheIncidentPage(t *testing.T) {
	t.Parallel()
	d := demo(t)
	ctx := browser(t)
	heard := listens(t, ctx)
	still(t, ctx)
	kills := func(meanwhile func()) apiIncident {
		t.Helper()
		count := len(d.incidents("payment-service"))
		if code, answer := d.post("/api/v1/services/payment-service/chaos", `{"fault":"kill"}`); code != 202 {
			t.Fatalf("the button: %d %s", code, answer)
		}
		d.until(time.Minute, "an incident opens", func() bool { return len(d.incidents("payment-service")) > count })
		meanwhile()
		return d.newest(2*time.Minute, "payment-service", "is resolved", resolved)
	}
	first := kills(func() {})
	if code, answer := d.post("/api/v1/hold", `{"for":"30m","reason":"the database moves"}`); code != 202 {
		t.Fatalf("hold: %d %s", code, answer)
	}
	d.until(time.Minute, "repairs are on hold", func() bool { return strings.Contains(d.raw("/api/v1/info"), `"held":"the database moves"`) })
	last := kills(func() {
		d.newest(time.Minute, "payment-service", "is held", heldBy("hold"))
		if code, answer := d.send("DELETE", "/api/v1/hold", ""); code != 202 {
			t.Fatalf("release: %d %s", code, answer)
		}
	})

	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "the hold in the finished lane, as a place of its own", `document.querySelector('.lane[data-stage="resolved"]') && [...document.querySelectorAll(".lane .step")].some(e => e.textContent.includes("Was on hold") && e.textContent.includes("the database moves"))`)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/incidents/"+last.ID))
	sees(t, ctx, "the whole page", isLive+` && !!document.querySelector("#h-report") && !!document.querySelector("[data-similar]") && !!document.querySelector("main details pre")`)
	for _, want := range []string{"The runbook was right: its repair was verified.", "healer.reflex: true", "Nothing to undo: no configuration was changed.", "good checks in a row since the repair",
		"The fault “Kill” had been injected on purpose at", "by an operator on the dashboard", "LogStream started payment-service at", "On hold"} {
		sees(t, ctx, want, pageHas(want))
	}
	sees(t, ctx, "which view decided", stands+` === "runbook:true"`)
	sees(t, ctx, "decisive facts before the others, which are folded", `!!document.querySelector("#h-evidence") && !document.querySelector(".more").open && document.querySelector(".facts-hard").compareDocumentPosition(document.querySelector(".more")) === Node.DOCUMENT_POSITION_FOLLOWING`)
	sees(t, ctx, "the incident before", fmt.Sprintf(`document.querySelector('[data-similar=%q]')?.textContent.includes("Started, and verified.")`, first.ID))
	link := "http://" + d.page + "/incidents/" + last.ID
	markdown := d.raw("/api/v1/incidents/" + last.ID + ".md")
	if all := strings.Join(eval[[]string](t, ctx, copied), "\x00"); !strings.Contains(all, link) || !strings.Contains(all, strings.TrimSpace(markdown)) || !strings.Contains(markdown, "Similar incidents before") {
		t.Errorf("neither the link %s nor the post-mortem can be copied: %q", link, all)
	}
	eval[bool](t, ctx, `(window.saved = [], HTMLAnchorElement.prototype.click = function () { saved.push(this.download); }, document.querySelector("#h-report").parentElement.querySelector("[data-act=report]").click(), true)`)
	sees(t, ctx, "that it is saved as a file", fmt.Sprintf(`saved[0] === "incident-%s.md"`, last.ID))
	atEachWidth(t, ctx, "incident", "heading: Evidence", "heading: The decision", "heading: Action and verification", "heading: Post-mortem", "heading: Timeline", "heading: Similar incidents before",
		"button: Copy link", "button: Copy as Markdown", "button: Download", "button: Post-mortem as Markdown", "link: All incidents of this cause")
	does(t, ctx, chromedp.Click(fmt.Sprintf(`[data-similar=%q] a`, first.ID)))
	sees(t, ctx, "the page of that incident", fmt.Sprintf(`location.pathname === "/incidents/%s" && document.querySelector("main header[data-incident]")?.dataset.incident === %q`, first.ID, first.ID))
	sees(t, ctx, "that nothing was before it", pageHas("No earlier incident has this cause."))
	heard.none(t, "the incident's page")
}

// TestTheListOfIncidents has more incidents than are sent to
// a page by itself, below a base path: of jobs that report that they failed.
func TestTheListOfIncidents(t *testing.T) {
	t.Parallel()
	const all, failing = 250, 115
	var jobs strings.Builder
	for i := range all {
		fmt.Fprintf(&jobs, "  - {name: job-%d, url: \"push://\", interval: 1h, failure_threshold: 1, success_threshold: 1}\n", i)
	}
	d := configured(t, docker.Host(), ", verify: {for: 1s, successes: 1}", jobs.String())
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.Replace(string(text), "dashboard: {", "dashboard: {base_path: /watch, ", 1))
	d.start()
	// report has every job say how it is: the first of them that they failed.
	report := func(failed int) {
		t.Helper()
		var logs []map[string]any
		for i := range all {
			one := map[string]any{"service": fmt.Sprintf("job-%d", i), "timestamp": float64(time.Now().UnixMicro()) / 1e6, "status": "UP", "code": 0, "error": "", "instance": "jobs", "check": "push"}
			if i < failed {
				one["status"], one["error"] = "DOWN", fmt.Sprintf("job %d failed: %s", i, hostile)
			}
			logs = append(logs, one)
		}
		body, err := json.Marshal(logs)
		if err != nil {
			t.Fatal(err)
		}
		if code, answer := d.post("/api/v1/health-logs", string(body)); code != 202 {
			t.Fatalf("the reports: %d %s", code, answer)
		}
	}
	counts := func(state string, n int) func() bool {
		return func() bool {
			var list []apiIncident
			return d.get("/api/v1/incidents?limit=500&state="+state, &list) == nil && len(list) == n
		}
	}
	report(0)
	d.until(time.Minute, "the jobs are up", func() bool { return strings.Contains(d.raw("/api/v1/summary"), fmt.Sprintf(`"up":%d`, all)) })
	report(failing)
	d.until(2*time.Minute, "each has an incident", counts("escalated", failing))

	ctx := browser(t)
	heard := listens(t, ctx)
	still(t, ctx)
	at := "http://" + d.page + "/watch"
	does(t, ctx, chromedp.Navigate(at+"/incidents?state=escalated"))
	// Of those that opened in one moment the page may know some that are newer than its oldest.
	aPage := fmt.Sprintf(`%s && %s >= 100 && %s < %d`, isLive, listRows, listRows, failing)
	sees(t, ctx, "a page of them", aPage)
	report(1) // all but one recover
	d.until(4*time.Minute, "they are resolved", counts("resolved", failing-1))
	sees(t, ctx, "that one is left", listRows+` === 1 && document.querySelector("h1").textContent === "1 incident is open"`)

	does(t, ctx, chromedp.Navigate(at+"/incidents"))
	sees(t, ctx, "the newest hundred", aPage)
	if n := eval[int](t, ctx, `document.querySelectorAll("main img, main script").length`); n > 0 || eval[bool](t, ctx, `window.struck === true`) {
		t.Errorf("what a job reported became markup")
	}
	atEachWidth(t, ctx, "incidents", "searchbox: Search incidents", "navigation: Show", "combobox: Service", "combobox: Cause", "combobox: Decided by", "table: Incidents", "link: Show older")
	does(t, ctx, chromedp.Click("[data-older]"))
	sees(t, ctx, "the older ones, too", listRows+fmt.Sprintf(` === %d && location.search === "?shown=200" && !document.querySelector("[data-older]")`, failing))
	if !eval[bool](t, ctx, `scrollY > 0 && document.activeElement === [...document.querySelectorAll(".incident-row a")].at(-1)`) {
		t.Error("the button for older incidents, gone with the last page, does not leave scroll and focus where they were")
	}

	// By the keyboard: search, go down, open, and come back to the same list.
	// slash presses "/" as a keyboard does: chromedp's key types a character even where the page took it.
	slash := func() {
		t.Helper()
		eval[bool](t, ctx, `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true, cancelable: true}))`)
		sees(t, ctx, "the focus in the search", `document.activeElement?.id === "find"`)
	}
	slash()
	does(t, ctx, chromedp.KeyEvent("JOB 11"))
	sees(t, ctx, "what matches, and its address", listRows+` === 6 && new URLSearchParams(location.search).get("q") === "JOB 11" && document.querySelector(".tools-found").textContent.startsWith("6 incidents match")`)
	does(t, ctx, chromedp.Reload())
	sees(t, ctx, "the same after a reload, with what was searched", isLive+` && `+listRows+` === 6 && document.querySelector("#find").value === "JOB 11"`)
	slash()
	does(t, ctx, chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown))
	second := eval[string](t, ctx, `(document.activeElement === document.querySelectorAll(".incident-row a")[1]) ? document.activeElement.pathname : ""`)
	if second == "" {
		t.Error("the arrows do not lead to the second row")
	}
	does(t, ctx, chromedp.KeyEvent(kb.Enter))
	sees(t, ctx, "the incident, below the base path", fmt.Sprintf(`location.pathname === %q && !!document.querySelector("#h-timeline")`, second))
	if got := eval[[]string](t, ctx, copied); len(got) == 0 || got[0] != "http://"+d.page+second {
		t.Errorf("the link to share is %q, want that of %s", got, second)
	}
	does(t, ctx, chromedp.NavigateBack())
	sees(t, ctx, "the list as it was", listRows+` === 6 && document.querySelector("#find").value === "JOB 11"`)
	does(t, ctx, chromedp.KeyEvent(kb.Escape))
	sees(t, ctx, "that nothing is filtered", listRows+` === 100 && location.search === "" && document.querySelector("#find").value === ""`)

	does(t, ctx, chromedp.SetValue(`select[data-filter="service"]`, "job-7"))
	eval[bool](t, ctx, `document.querySelector('select[data-filter="service"]').dispatchEvent(new Event("change", {bubbles: true}))`)
	sees(t, ctx, "one service's", listRows+` === 1 && location.search === "?service=job-7"`)
	stepsThroughFilters(t, ctx, slash)
	does(t, ctx, chromedp.Navigate(at+"/incidents?cause=no_container&decided_by=runbook&q="+url.QueryEscape("<img src=x")))
	sees(t, ctx, "several filters at once", isLive+` && `+listRows+` === 100 && document.querySelector('select[data-filter="cause"]').value === "no_container"`)
	does(t, ctx, chromedp.Navigate(at+"/incidents?decided_by=llm"))
	sees(t, ctx, "that none matches", pageHas("No incident matches"))
	atEachWidth(t, ctx, "incidents-none", "heading: No incident matches", "link: Clear the filters")
	does(t, ctx, chromedp.Click(`main .empty a`))
	sees(t, ctx, "the whole list, and the focus at its filters", listRows+` === 100 && location.search === "" && document.activeElement === document.querySelector(".incident-tools [aria-current]")`)
	heard.none(t, "the list")
}

// TestThePageSaysWhoWasRight has a scripted model agree and disagree with the runbook
// about real containers, in words that would be markup.
func TestThePageSaysWhoWasRight(t *testing.T) {
	t.Parallel()
	model := llmtest.Start(t, "judged:1b", llmtest.Choose("start", "It was killed from outside. "+hostile))
	dbURL := container(t, docker, "judged")
	d := configured(t, docker.Host(), fmt.Sprintf(", llm: {url: %q, model: \"judged:1b\", timeout: 20s}, decide: llm, reflex: false", model.URL), yaml("judged", dbURL, "")).start()
	d.up("judged")
	d.until(time.Minute, "the model is ready", func() bool { return strings.Contains(d.raw("/api/v1/info"), `"ready":true`) })
	ctx := browser(t)
	heard := listens(t, ctx)
	still(t, ctx)
	opens := func() {
		t.Helper()
		count := len(d.incidents("judged"))
		docker.Docker(t, "kill", "judged")
		d.until(time.Minute, "an incident opens", func() bool { return len(d.incidents("judged")) > count })
		in := d.newest(2*time.Minute, "judged", "is resolved", resolved)
		does(t, ctx, chromedp.Navigate("http://"+d.page+"/incidents/"+in.ID))
		sees(t, ctx, "the decision", isLive+` && !!document.querySelector("[data-right]") && !!document.querySelector("#h-report")`)
	}
	opens()
	sees(t, ctx, "that both were right", `document.querySelector("[data-right]").dataset.right === "both" && document.querySelector("[data-agree]").dataset.agree === "yes"`)
	for _, want := range []string{"The model agrees with the runbook", "Setting: healer.decide: llm.", "Both were right: the repair was verified."} {
		sees(t, ctx, want, pageHas(want))
	}
	violet := `(of => getComputedStyle(document.querySelector('[data-view="' + of + '"]')).borderTopColor)`
	if eval[string](t, ctx, violet+`("model")`) == eval[string](t, ctx, violet+`("runbook")`) {
		t.Error("the view that decided has no border of its own")
	}
	if got := eval[[]string](t, ctx, copied); !strings.Contains(strings.Join(got, "\x00"), "docker start judged") {
		t.Errorf("the command cannot be copied: %q", got)
	}
	eval[bool](t, ctx, `(document.querySelectorAll("main details:not([open]) > summary").forEach(e => e.click()), true)`)
	sees(t, ctx, "prompt and raw answer, one click away", `["Prompt", "Raw answer"].every(name => document.querySelector('.views pre[aria-label="' + name + '"]')?.getBoundingClientRect().height > 0)`)
	if !eval[bool](t, ctx, `document.body.textContent.includes("<img src=x onerror")`) || eval[bool](t, ctx, `!!document.querySelector("main img, main script") || window.struck === true`) {
		t.Error("what the model said is not shown as text")
	}
	atEachWidth(t, ctx, "incident-judged", "heading: Two views, one decision", "heading: judged:1b", "heading: Runbook")

	model.Script(llmtest.Choose("escalate", "Something is odd."))
	opens()
	sees(t, ctx, "that the runbook was right", `document.querySelector("[data-right]").dataset.right === "runbook" && document.querySelector("[data-agree]").dataset.agree === "no"`)
	sees(t, ctx, "by which rule it decided", pageHas("if the model declines while a repair is available, the runbook decides"))
	sees(t, ctx, "which view decided", stands+` === "runbook:true model:false"`)
	heard.none(t, "the incident's page")
}

// stepsThroughFilters goes back and forward through filters and a search of the list of
// incidents, which shows those of one service.
func stepsThroughFilters(t *testing.T, ctx context.Context, slash func()) {
	t.Helper()
	does(t, ctx, chromedp.Click(`nav[aria-label="Show"] a[href*="state=resolved"]`))
	sees(t, ctx, "those that are resolved", listRows+` === 1 && location.search === "?service=job-7&state=resolved"`)
	slash()
	does(t, ctx, chromedp.KeyEvent("none"))
	sees(t, ctx, "the search in the address", `new URLSearchParams(location.search).get("q") === "none" && `+listRows+` === 0`)
	steps := eval[int](t, ctx, `history.length`)
	does(t, ctx, chromedp.KeyEvent("such"))
	sees(t, ctx, "another search", `new URLSearchParams(location.search).get("q") === "nonesuch"`)
	if n := eval[int](t, ctx, `history.length`); n != steps {
		t.Errorf("more letters made %d steps of the history", n-steps)
	}
	shows := func(search, field string, rows int) {
		t.Helper()
		sees(t, ctx, "the list of "+search, fmt.Sprintf(`location.search === %q && document.querySelector("#find").value === %q && %s === %d`, search, field, listRows, rows))
	}
	back, forward := `(history.back(), true)`, `(history.forward(), true)`
	eval[bool](t, ctx, back)
	shows("?service=job-7&state=resolved", "", 1)
	eval[bool](t, ctx, back)
	shows("?service=job-7", "", 1)
	sees(t, ctx, "the filters of then", `document.querySelector('select[data-filter="service"]').value === "job-7" && document.querySelector('nav[aria-label="Show"] [aria-current]').textContent === "All"`)
	eval[bool](t, ctx, back)
	shows("", "", 100)
	for range 3 {
		eval[bool](t, ctx, forward)
	}
	shows("?service=job-7&state=resolved&q=nonesuch", "nonesuch", 0)
}
