//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"logstream/internal/process"
	"logstream/internal/process/demoservice"
)

// inspected looks at each frame from now on: what contradicts the headline goes to
// frames.wrong, what moves to frames.moves, what is said of the work to frames.says.
const inspected = `(() => {
	const probe = document.body.appendChild(document.createElement("i"));
	const red = new Set(["down-ink", "down-fill", "down-bg", "down-tick"].map(token => (probe.style.color = "var(--" + token + ")", getComputedStyle(probe).color)));
	probe.remove();
	const own = (window.inspection = { n: 0, green: 0, broken: 0, wrong: {}, moves: {}, says: {}, after: 0 });
	const note = (of, what) => { of[what] = (of[what] ?? 0) + 1; };
	const name = (e) => e.tagName.toLowerCase() + "." + [...e.classList].join(".") + " in ." + (e.closest("[class]:not(:scope)")?.className ?? "") + " " + (e.textContent ?? "").trim().slice(0, 40);
	const colours = (e, pseudo) => {
		const s = getComputedStyle(e, pseudo);
		if (pseudo && s.content === "none") return [];
		const drawn = !pseudo && e instanceof SVGElement, written = pseudo || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
		return [s.backgroundColor, written && s.color, drawn && s.fill, drawn && s.stroke, ...["Top", "Right", "Bottom", "Left"].map(side => parseFloat(s["border" + side + "Width"]) > 0 && s["border" + side + "Color"])];
	};
	const reds = () => [...document.querySelectorAll("body *")].filter(e => [null, "::before", "::after"].some(pseudo => colours(e, pseudo).some(c => red.has(c))) &&
		e.checkVisibility({visibilityProperty: true}) && !e.getAnimations().length && !e.closest(".legend, .btn"));
	const each = () => {
		own.n++;
		const head = document.querySelector("h1")?.textContent ?? "", title = document.title, icon = document.querySelector("link[rel=icon]").href.split("/").at(-1);
		const lane = document.querySelector(".lane"), stage = lane?.dataset.stage ?? "";
		if (/^(All [\d,]+|Both) services are up$/.test(head)) {
			own.green++;
			if (stage) own.after++;
			for (const e of reds()) note(own.wrong, "red under " + head + ": " + name(e));
			for (const e of document.querySelectorAll('[data-status="DOWN"], .now-glyph.down')) note(own.wrong, "down under " + head + ": " + name(e));
			if (!/^(\(.*\) )?All \d+ up/.test(title) || icon === "down.svg") note(own.wrong, "the tab says " + title + " with " + icon + " under " + head);
		} else if (document.querySelector(".now-glyph.down")) {
			own.broken++;
			if (!title.includes("▼") || icon === "up.svg") note(own.wrong, "the tab says " + title + " with " + icon + " under " + head);
		}
		for (const a of document.getAnimations()) if (a.playState === "running" && a.effect.getComputedTiming().activeDuration > 1) note(own.moves, (a.animationName ?? a.transitionProperty) + " of " + name(a.effect.target));
		const step = document.querySelector(".lane [aria-current=step] h3")?.textContent ?? "", work = document.querySelector(".now-work")?.textContent.trim() ?? "";
		if (stage) note(own.says, [stage, !!work, !!step].join());
		requestAnimationFrame(each);
	};
	requestAnimationFrame(each);
	return true;
})()`

// frames is what inspected found: how many frames there were, with what, how often.
type frames struct {
	N, Green, Broken, After int
	Wrong, Moves, Says      map[string]int
}

// processes are services that are processes of this program, repaired without Docker:
// what a daemon needs for them, and what breaks one.
func processes(t *testing.T, names ...string) (services, socket string, inject func(name, fault string)) {
	t.Helper()
	program, err := plain()
	if err != nil {
		t.Fatal(err)
	}
	var list []process.Child
	dir := t.TempDir()
	for _, name := range names {
		address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
		list = append(list, process.Child{Name: name, Path: program, Env: os.Environ(), Args: []string{demoservice.Argument, name, address, "data=" + filepath.Join(dir, name)}})
		services += yaml(name, "http://"+address, ", group: shop, timeout: 10s, start_period: 30s")
	}
	socket = filepath.Join(dir, "runtime.sock")
	runtime, _ := served(t, socket, list)
	return services, socket, func(name, fault string) {
		t.Helper()
		child, err := runtime.Find(t.Context(), name)
		if err == nil {
			_, err = process.NewInjector(runtime).Inject(t.Context(), child.ID, fault)
		}
		if err != nil {
			t.Fatalf("%s of %s: %v", fault, name, err)
		}
	}
}

// jobs are n services that report by themselves.
func jobs(n int) (services string) {
	for i := range n {
		services += fmt.Sprintf("  - {name: job-%03d, url: 'push://', interval: 1h, group: %s}\n", i, []string{"billing", "stock"}[i%2])
	}
	return services
}

// reported has a job report twice, which is what a status takes.
func (d *daemon) reported(name, status string, ms int) {
	d.t.Helper()
	one := fmt.Sprintf(`{"service":%q,"status":%q,"latency_ms":%d,"error":%q}`, name, status, ms, map[string]string{"DOWN": "the job ended with status 1"}[status])
	if code, answer := d.post("/api/v1/health-logs", "["+one+","+one+"]"); code != 202 {
		d.t.Fatalf("a report of %s: %d %s", name, code, answer)
	}
}

// hour has the browser live where it is that hour now.
func hour(t *testing.T, ctx context.Context, wanted int) {
	t.Helper()
	east := (wanted-time.Now().UTC().Hour()+36)%24 - 12
	zone := fmt.Sprintf("Etc/GMT%+d", -east) // whose signs are the other way round
	if _, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}); err != nil {
		t.Fatal(err)
	}
	if got := eval[int](t, ctx, `new Date().getHours()`); got != wanted && got != wanted+1 {
		t.Fatalf("in %s it is %d o'clock, not %d", zone, got, wanted)
	}
}

// TestNothingContradictsTheHeadline breaks services, in cells, in the table and in
// cards, and looks at each frame: under a headline that says that all are up nothing is
// red, and the tab agrees. Who wants nothing to move sees nothing move, and is said
// the same. The repairs then are those of the last night, where it is morning.
func TestNothingContradictsTheHeadline(t *testing.T) {
	t.Parallel()
	services, socket, inject := processes(t, "till", "ledger")
	d := configured(t, "", ", verify: {for: 3s, successes: 2}, quiet: 2s", services+jobs(8))
	d.env = []string{"LOGSTREAM_E2E_RUNTIME=" + socket}
	d.start()
	for i := range 8 {
		d.reported(fmt.Sprintf("job-%03d", i), "UP", 20)
	}
	ctx := browser(t)
	heard := listens(t, ctx)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	const green = `document.querySelector("h1")?.textContent === "All 10 services are up"`
	sees(t, ctx, "that all are up", green)
	sees(t, ctx, "cells", `document.querySelectorAll(".cell").length === 10`)
	d.until(time.Minute, "the containers were seen running", func() bool { return strings.Count(d.raw("/api/v1/services"), `"ran":true`) == 2 })

	drive := func(how string, breaks func(), end string) frames {
		t.Helper()
		eval[bool](t, ctx, inspected)
		breaks()
		sees(t, ctx, "what is down, "+how, `inspection.broken > 0`)
		picture(t, ctx, "headline-down-"+how)
		sees(t, ctx, "that all are up again, "+how, end)
		picture(t, ctx, "headline-up-"+how)
		sees(t, ctx, "frames after it", fmt.Sprintf(`inspection.n > %d`, eval[int](t, ctx, `inspection.n`)+20))
		found := eval[frames](t, ctx, `inspection`)
		for what, n := range found.Wrong {
			t.Errorf("%s: in %d of %d frames: %s", how, n, found.N, what)
		}
		for says, n := range found.Says {
			if !strings.HasSuffix(says, ",true,true") && says != "resolved,true,false" && says != "resolved,true,true" {
				t.Errorf("%s: in %d of %d frames a stage is not said in words: %s", how, n, found.N, says)
			}
		}
		if len(found.Says) < 3 {
			t.Errorf("%s: the lane has few stages: %v", how, found.Says)
		}
		if found.Green == 0 || found.After == 0 {
			t.Errorf("%s: %d frames say that all are up, %d of them while there is a lane", how, found.Green, found.After)
		}
		t.Logf("%s: %d frames, %d green, %d broken: %v; moving: %v", how, found.N, found.Green, found.Broken, found.Says, found.Moves)
		return found
	}
	over := func(name string) string {
		return fmt.Sprintf(` && document.querySelector(".lane")?.dataset.stage === "resolved" && document.querySelector(".lane").dataset.about === %q`, name)
	}

	moving := drive("cells", func() {
		inject("till", "kill")
		d.newest(time.Minute, "till", "is repaired", resolved)
		inject("ledger", "kill")
	}, green+over("ledger"))
	if len(moving.Moves) == 0 {
		t.Error("nothing moves for who does not mind: the frames are not looked at")
	}
	night(t, ctx, "2 repairs, no person was called.", 2, 0)

	still(t, ctx)
	does(t, ctx, chromedp.Reload())
	sees(t, ctx, "that all are up", green)
	press(t, ctx, "button", "Table")
	still := drive("table", func() {
		d.reported("job-003", "DOWN", 0)
		d.newest(time.Minute, "job-003", "waits for a person", func(in apiIncident) bool { return in.State == "escalated" })
		inject("till", "kill")
		d.until(time.Minute, "till is DOWN", func() bool { return d.service("till").Status == "DOWN" })
		d.reported("job-003", "UP", 20)
	}, green+over("till"))

	d.write(strings.Replace(d.text(), jobs(8), jobs(3), 1))
	sees(t, ctx, "five cards", `document.querySelector("h1").textContent === "All 5 services are up" && document.querySelectorAll(".card:not(.cell)").length === 5`)
	cards := drive("cards", func() { inject("ledger", "kill") }, `document.querySelector("h1").textContent === "All 5 services are up"`+over("ledger"))
	for _, found := range []frames{still, cards} {
		for what, n := range found.Moves {
			t.Errorf("in %d of %d frames there moves, for who wants nothing to move: %s", n, found.N, what)
		}
	}
	night(t, ctx, "4 repairs, 1 recovery without a repair, a person was called once.", 4, 1)
	heard.none(t, "the overview")
}

// text is the configuration as it is now.
func (d *daemon) text() string {
	d.t.Helper()
	text, err := os.ReadFile(d.config)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// night checks what the page says of the last night to who gets up, of tonight to who
// is awake, and that it says nothing of it at noon, when the night was before all that.
func night(t *testing.T, ctx context.Context, said string, repairs, calls int) {
	t.Helper()
	for _, at := range []struct {
		hour  int
		begin string
	}{{6, "Last night: "}, {2, "Tonight so far: "}, {12, ""}} {
		hour(t, ctx, at.hour)
		does(t, ctx, chromedp.Reload())
		sees(t, ctx, "that it is live", `document.documentElement.dataset.conn === "live" && !!document.querySelector(".happened [data-kind]")`)
		if at.begin == "" {
			sees(t, ctx, "nothing of a night at noon", `!/night/.test(document.querySelector("main").textContent) && !document.querySelector(".night")`)
			continue
		}
		sees(t, ctx, at.begin+said, fmt.Sprintf(`document.querySelector("main").textContent.includes(%q) && document.querySelectorAll(".night-repaired").length === %d && document.querySelectorAll(".night-person").length === %d`, at.begin+said, repairs, calls))
		picture(t, ctx, fmt.Sprintf("night-%d-%d", at.hour, repairs))
		if label := eval[string](t, ctx, `document.querySelector(".night svg").getAttribute("aria-label")`); !slices.Contains([]string{at.begin + said + " From 22:00 to 08:00."}, label) {
			t.Errorf("the line of the night is called %q", label)
		}
	}
}
