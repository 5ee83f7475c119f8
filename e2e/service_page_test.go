//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	yamlv3 "gopkg.in/yaml.v3"
)

const (
	plotted = `document.querySelector("[data-plot]")?.dataset`
	// seconds is how long the time is that the chart shows.
	seconds = `((document.querySelector("[data-plot]").dataset.to - document.querySelector("[data-plot]").dataset.from) / 1000)`
	readOut = `document.querySelector(".readout:not([hidden])")?.textContent`
	lines   = `[...document.querySelectorAll(".log-line")]`
	newest  = lines + `.at(-1)?.textContent`
	logCall = `performance.getEntriesByType("resource").filter(e => e.name.includes("/logs?")).length`
	useCall = `performance.getEntriesByType("resource").filter(e => e.name.endsWith("/container")).length`
)

// ink counts the pixels of a chart that have the colour of a token, nearly.
func ink(token string) string {
	return fmt.Sprintf(`(() => {
		const probe = document.body.appendChild(document.createElement("i"));
		probe.style.color = "var(--%s)";
		const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map(Number);
		probe.remove();
		const canvas = document.querySelector("[data-plot] canvas"), {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		let n = 0;
		for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) n++;
		return n;
	})()`, token)
}

// place is a point of the chart's plot, in shares of its width and height.
func place(t *testing.T, ctx context.Context, x, y float64) (float64, float64) {
	t.Helper()
	eval[bool](t, ctx, `(document.querySelector(".chart").scrollIntoView({block: "center"}), true)`)
	box := eval[[]float64](t, ctx, `(b => [b.left, b.top, b.width, b.height])(document.querySelector(".u-over").getBoundingClientRect())`)
	return box[0] + x*box[2], box[1] + y*box[3]
}

func mouse(t *testing.T, ctx context.Context, kind input.DispatchMouseEventType, x, y float64, clicks int64) {
	t.Helper()
	does(t, ctx, chromedp.MouseEvent(kind, x, y, func(p *input.DispatchMouseEventParams) {
		p.Button, p.ClickCount = input.MouseButtonLeft, clicks
		if kind == input.DispatchMouseEventTypeMouseMoved && clicks == 0 {
			p.Button = input.MouseButtonNone
		}
	}))
}

// drags draws the mouse over the chart from one share of its width to another.
func drags(t *testing.T, ctx context.Context, from, to float64) {
	t.Helper()
	x, y := place(t, ctx, from, 0.5)
	end, _ := place(t, ctx, to, 0.5)
	mouse(t, ctx, input.DispatchMouseEventTypeMouseMoved, x, y, 0)
	mouse(t, ctx, input.DispatchMouseEventTypeMousePressed, x, y, 1)
	for i := 1.0; i <= 5; i++ {
		mouse(t, ctx, input.DispatchMouseEventTypeMouseMoved, x+(end-x)*i/5, y, 1)
	}
	mouse(t, ctx, input.DispatchMouseEventTypeMouseReleased, end, y, 1)
}

// charts shows the page of a service, until its chart and its log are there.
func charts(t *testing.T, ctx context.Context, d *daemon, service string) {
	t.Helper()
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/services/"+service))
	sees(t, ctx, "that it is live", `document.documentElement.dataset.conn === "live" && !!document.querySelector("h1") && !document.querySelector(".loading")`)
	sees(t, ctx, "its chart", plotted+`?.drawn > 5`)
}

// TestTheServicePage uses the page of a service that was broken and repaired: its
// chart, its log, its dependencies, its configuration.
func TestTheServicePage(t *testing.T) {
	t.Parallel()
	d := demo(t)
	ctx := browser(t)
	heard := listens(t, ctx)
	still(t, ctx)
	if code, answer := d.post("/api/v1/services/payment-service/chaos", `{"fault":"fail"}`); code != 202 {
		t.Fatalf("the button: %d %s", code, answer)
	}
	first := d.newest(2*time.Minute, "payment-service", "is resolved", resolved)
	charts(t, ctx, d, "payment-service")
	theChart(t, ctx)
	heard.none(t, "the chart")
	theLog(t, ctx)
	heard.none(t, "the log")
	theFinger(t, ctx)
	heard.none(t, "the chart on a phone")

	var read []struct {
		Name   string
		URL    string `yaml:"url"`
		Expect struct{ Status, Latency string }
		Chaos  bool
	}
	text := eval[string](t, ctx, `document.querySelector(".yaml").textContent`)
	if err := yamlv3.Unmarshal([]byte(text), &read); err != nil || len(read) != 1 || read[0].Name != "payment-service" || read[0].URL == "" || read[0].Expect.Status != "200-399" || !read[0].Chaos {
		t.Errorf("the configuration is read as %+v, %v from\n%s", read, err, text)
	}
	for _, part := range []string{"status 200 to 399, under 500 ms", "status 500", "Running since", "MiB", "1 by LogStream"} {
		sees(t, ctx, part, fmt.Sprintf(`document.querySelector("main").textContent.includes(%q)`, part))
	}
	theNextIncident(t, ctx, d, first.ID)
	heard.none(t, "another incident")
	inEach(t, ctx, "service", "heading: Latency", "group: How far back", "button: Zoom in", "heading: Container log", "searchbox: Search the log", "button: Pause",
		"heading: Dependencies", "heading: Container", "heading: Configuration", "region: Configuration as YAML", "region: Log of the container of payment-service")
	heard.none(t, "the page")

	charts(t, ctx, d, "inventory-service")
	sees(t, ctx, "what it depends on, as a list of links", `document.querySelector('ul[aria-label="Depends on"] a[href$="/services/database"][data-status="UP"]')?.textContent.trim() === "database"`)
	sees(t, ctx, "a line to it", `document.querySelectorAll(".graph-lines path").length === 1`)
	inEach(t, ctx, "service-graph", "list: Depends on", "link: Up database")
	does(t, ctx, chromedp.Click(`.graph a[href$="/services/database"]`))
	sees(t, ctx, "the page of what it depends on", `document.querySelector("h1")?.textContent.startsWith("database")`)
	sees(t, ctx, "what depends on that", `document.querySelector('ul[aria-label="Needed by"] a')?.textContent.trim() === "inventory-service"`)
	sees(t, ctx, "its own chart and log", plotted+`?.drawn > 5 && !!document.querySelector('[aria-label="Log of the container of database"]')`)
	heard.none(t, "the dependencies")
}

// inEach shows what is open at four widths in both themes, where axe-core finds
// nothing serious, and what is wanted is there by role and name.
func inEach(t *testing.T, ctx context.Context, name string, wanted ...string) {
	t.Helper()
	for _, width := range []int64{360, 1280, 2560} {
		does(t, ctx, chromedp.EmulateViewport(width, 900))
		sees(t, ctx, "the chart as wide as its place", `(p => Math.abs(p.clientWidth - p.querySelector("canvas").getBoundingClientRect().width) < 2)(document.querySelector("[data-plot]"))`)
		for _, theme := range []string{"light", "dark"} {
			prefers(t, ctx, theme)
			where := fmt.Sprintf("%s-%s-%d", name, theme, width)
			sees(t, ctx, "the line in the ink of "+where, ink("ink")+` > 20`)
			accessible(t, ctx, where, wanted...)
			if n := eval[int](t, ctx, overflow); n > 0 {
				t.Errorf("%s is %d px wider than its window", where, n)
			}
			picture(t, ctx, where)
		}
	}
	does(t, ctx, chromedp.EmulateViewport(1280, 900))
}

// theChart zooms by the mouse, the keyboard and the buttons, and reads out.
func theChart(t *testing.T, ctx context.Context) {
	t.Helper()
	sees(t, ctx, "the repair on it", plotted+`.repairs === "1"`)
	sees(t, ctx, "its diamond in violet", ink("work-tick")+` > 60`)
	for _, window := range []string{"1h", "6h", "24h", "7d", "30d", "15m"} {
		does(t, ctx, chromedp.Click(fmt.Sprintf(`[data-window=%q]`, window)))
		sees(t, ctx, "the window "+window, fmt.Sprintf(`document.querySelector('[data-window=%q]').getAttribute("aria-pressed") === "true" && `, window)+plotted+`?.drawn > 0`)
	}
	sees(t, ctx, "many points", plotted+`.drawn > 5`)
	whole := eval[float64](t, ctx, seconds)
	drags(t, ctx, 0.25, 0.75)
	sees(t, ctx, "half of it", fmt.Sprintf(`Math.abs(%s / %f - 0.5) < 0.1`, seconds, whole))
	sees(t, ctx, "that it says so", `document.querySelector(".chart-foot").textContent.includes("Zoomed from")`)
	from := eval[string](t, ctx, plotted+`.from`)
	const check = `document.querySelector('[aria-label="The observations as a table"] tbody tr')?.textContent`
	before := eval[string](t, ctx, check)
	sees(t, ctx, "that it stands still while checks go on", fmt.Sprintf(`%s !== %q && %s.from === %q`, check, before, plotted, from))
	picture(t, ctx, "service-zoomed-1280")
	x, y := place(t, ctx, 0.5, 0.5)
	for clicks := range int64(2) {
		mouse(t, ctx, input.DispatchMouseEventTypeMousePressed, x, y, clicks+1)
		mouse(t, ctx, input.DispatchMouseEventTypeMouseReleased, x, y, clicks+1)
	}
	unzoomed := `!document.querySelector(".chart-foot").textContent.includes("Zoomed") && document.querySelector('[data-zoom="reset"]').disabled`
	sees(t, ctx, "all of it after a double-click", unzoomed)

	mouse(t, ctx, input.DispatchMouseEventTypeMouseMoved, x, y, 0)
	sees(t, ctx, "what is under the pointer", `/^\d\d:\d\d:\d\d.*( ms|Down|measured)/.test(`+readOut+`)`)

	does(t, ctx, chromedp.Focus(".chart"), chromedp.KeyEvent(kb.End))
	sees(t, ctx, "the newest point", `/^\d\d:\d\d:\d\d\d+ ms|s$/.test(`+readOut+`)`)
	first := eval[string](t, ctx, `document.querySelector("[data-said]").textContent`)
	does(t, ctx, chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft))
	sees(t, ctx, "another one, said as well", fmt.Sprintf(`document.querySelector("[data-said]").textContent !== %q && / ms| s|Down/.test(document.querySelector("[data-said]").textContent)`, first))
	whole = eval[float64](t, ctx, seconds) // it has grown
	does(t, ctx, chromedp.KeyEvent("+"), chromedp.KeyEvent("+"))
	sees(t, ctx, "a fourth of it", fmt.Sprintf(`%s < %f`, seconds, max(whole*0.45, 11)))
	from = eval[string](t, ctx, plotted+`.from`)
	does(t, ctx, chromedp.KeyEvent(kb.ArrowLeft, chromedp.KeyModifiers(chromedp.ModifierShift)))
	sees(t, ctx, "what was before it", fmt.Sprintf(`%s.from < %s`, plotted, from))
	does(t, ctx, chromedp.KeyEvent("-"))
	does(t, ctx, chromedp.KeyEvent("0"))
	sees(t, ctx, "all of it", unzoomed)
	does(t, ctx, chromedp.Click(`[data-zoom="in"]`))
	sees(t, ctx, "half of it", `!document.querySelector('[data-zoom="reset"]').disabled`)
	does(t, ctx, chromedp.Click(`[data-zoom="reset"]`))
	sees(t, ctx, "all of it", unzoomed)
	does(t, ctx, chromedp.Click(`.chart-table summary`))
	sees(t, ctx, "the table of the chart", `[...document.querySelectorAll(".chart-table[open] tbody tr")].filter(r => /\d ms/.test(r.textContent)).length > 3`)
	does(t, ctx, chromedp.Click(`.chart-table summary`))
}

// theLog follows, pauses, searches and filters the container's log.
func theLog(t *testing.T, ctx context.Context) {
	t.Helper()
	sees(t, ctx, "lines of the log", lines+`.length > 10`)
	last := eval[string](t, ctx, newest)
	sees(t, ctx, "what is written next", fmt.Sprintf(`%s !== %q`, newest, last))
	sees(t, ctx, "the newest line in view", `(e => e.scrollHeight - e.scrollTop - e.clientHeight < 8)(document.querySelector(".tail"))`)
	sees(t, ctx, "what LogStream did, between the lines", `document.querySelector(".log-did")?.textContent.startsWith("LogStream restarted the container")`)
	sees(t, ctx, "levels in words", lines+`.some(e => e.dataset.level === "error" && e.querySelector(".lv").textContent === "ERROR") && `+lines+`.some(e => e.querySelector(".lv").textContent === "INFO")`)

	sees(t, ctx, "the lines that were evidence", lines+`.some(e => e.dataset.evidence && e.textContent.includes("GET / 500") && e.textContent.endsWith("evidence"))`)
	filters := func(what string) { // its button moves with the lines that come: a click at a place may miss it
		t.Helper()
		eval[string](t, ctx, fmt.Sprintf(`document.querySelector('[data-show="%s"]').click() ?? ""`, what))
	}
	filters("evidence")
	sees(t, ctx, "these alone", lines+`.length > 0 && `+lines+`.every(e => e.dataset.evidence)`)
	filters("error")
	sees(t, ctx, "errors alone", lines+`.length > 0 && `+lines+`.every(e => e.dataset.level === "error")`)
	filters("all")
	does(t, ctx, chromedp.SendKeys(`#log-search`, "get / 500"))
	sees(t, ctx, "what was searched", lines+`.length > 0 && `+lines+`.every(e => e.querySelector("mark")?.textContent === "GET / 500") && /match/.test(document.querySelector(".log-foot").textContent)`)
	does(t, ctx, chromedp.SendKeys(`#log-search`, "<img src=x>"))
	sees(t, ctx, "nothing", lines+`.length === 0 && document.querySelector("main").textContent.includes("No line matches.")`)
	eval[bool](t, ctx, `(document.querySelector("#log-search").select(), true)`)
	does(t, ctx, chromedp.KeyEvent(kb.Backspace))
	sees(t, ctx, "all lines again", lines+`.length > 10`)

	does(t, ctx, chromedp.Click(`[data-act="log-pause"]`))
	sees(t, ctx, "that it is paused", `document.querySelector('[data-act="log-pause"]').getAttribute("aria-pressed") === "true"`)
	last = eval[string](t, ctx, newest)
	keepsLogUnread(t, ctx, "while it is paused")
	if now := eval[string](t, ctx, newest); now != last {
		t.Errorf("it is paused, and went on from %q to %q", last, now)
	}
	does(t, ctx, chromedp.Click(`[data-act="log-pause"]`))
	sees(t, ctx, "what was written meanwhile", fmt.Sprintf(`%s !== %q && !document.querySelector(".log-gap")`, newest, last))
	eval[bool](t, ctx, `(Object.defineProperty(document, "hidden", {get: () => true, configurable: true}), document.dispatchEvent(new Event("visibilitychange")))`)
	keepsQuiet(t, ctx)
	eval[bool](t, ctx, `(delete document.hidden, document.dispatchEvent(new Event("visibilitychange")))`)
	last = eval[string](t, ctx, newest)
	sees(t, ctx, "that it goes on", fmt.Sprintf(`%s !== %q`, newest, last))
}

// theNextIncident has another failure, which leaves nothing in the log: the lines that
// were evidence of the first stay marked.
func theNextIncident(t *testing.T, ctx context.Context, d *daemon, first string) {
	t.Helper()
	marked := fmt.Sprintf(lines+`.some(e => e.dataset.evidence === %q)`, first)
	sees(t, ctx, "the evidence of the first incident", marked)
	if code, answer := d.post("/api/v1/services/payment-service/chaos", `{"fault":"pause"}`); code != 202 {
		t.Fatalf("the button: %d %s", code, answer)
	}
	next := d.newest(2*time.Minute, "payment-service", "is resolved again", func(in apiIncident) bool { return in.ID != first && resolved(in) })
	sees(t, ctx, "the next incident on the page", fmt.Sprintf(`!!document.querySelector('main a[href$="/incidents/%s"]')`, next.ID))
	opens(t, ctx, d, "/services/payment-service")
	sees(t, ctx, "the evidence of the first incident beside the next one", marked)
}

// keepsLogUnread checks that the log is not read while the other calls that the page makes
// each five seconds are made twice.
func keepsLogUnread(t *testing.T, ctx context.Context, when string) {
	t.Helper()
	eval[bool](t, ctx, `(performance.setResourceTimingBufferSize(1e5), true)`)
	used := eval[int](t, ctx, useCall)
	sees(t, ctx, "that other calls go on "+when, fmt.Sprintf(`%s >= %d`, useCall, used+1)) // a call that was under way has ended
	asked := eval[int](t, ctx, logCall)
	sees(t, ctx, "that other calls go on "+when, fmt.Sprintf(`%s >= %d`, useCall, used+2))
	if n := eval[int](t, ctx, logCall); n != asked {
		t.Errorf("the log was read %d times %s", n-asked, when)
	}
}

// keepsQuiet checks that a hidden page makes no call, in the time of several.
func keepsQuiet(t *testing.T, ctx context.Context) {
	t.Helper()
	calls := logCall + " + " + useCall
	from := eval[float64](t, ctx, `performance.now()`)
	sees(t, ctx, "the end of what was under way", fmt.Sprintf(`performance.now() > %f`, from+1500))
	asked := eval[int](t, ctx, calls)
	sees(t, ctx, "time that passes", fmt.Sprintf(`performance.now() > %f`, from+8500))
	if n := eval[int](t, ctx, calls); n != asked {
		t.Errorf("the log and the use were read %d times while the page is hidden", n-asked)
	}
}

// TestObserveShowsWhatWouldHaveBeenDone stops a container that is only observed.
func TestObserveShowsWhatWouldHaveBeenDone(t *testing.T) {
	t.Parallel()
	const name = "observed"
	d := configured(t, docker.Host(), "", yaml(name, container(t, docker, name), ", heal: {mode: observe}")).start()
	d.up(name)
	ctx := browser(t)
	heard := listens(t, ctx)
	still(t, ctx)
	docker.Docker(t, "kill", name)
	d.newest(2*time.Minute, "observed", "is held by observe", heldBy("observe"))
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/services/observed"))
	sees(t, ctx, "what would have been done", `(e => e?.dataset.would === "start" && ["LogStream would have started it.", "docker start `+name+`", "Not done: gate “observe”.", "It is not repaired yet."].every(part => e.textContent.includes(part)))(document.querySelector("[data-would]"))`)
	sees(t, ctx, "the container's state", `/Exited since .*exit code 137/.test(document.querySelector("main").textContent)`)
	inEachObserved(t, ctx)
	docker.Docker(t, "start", name)
	d.newest(2*time.Minute, "observed", "is resolved", resolved)
	sees(t, ctx, "that it recovered by itself", `document.querySelector("[data-would]").textContent.includes("It recovered without a repair")`)
	heard.none(t, "the page")
}

func inEachObserved(t *testing.T, ctx context.Context) {
	t.Helper()
	sees(t, ctx, "its chart", `!!document.querySelector("[data-plot] canvas")`)
	inBoth(t, ctx, "service-observe", func(where string) { accessible(t, ctx, where, "heading: What LogStream would have done") })
}
