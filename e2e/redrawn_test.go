//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// drawings counts from now on what is drawn on canvases.
const drawings = `(() => {
	window.drawings = { canvas: 0 };
	for (const name of ["clearRect", "stroke", "fill", "fillText", "fillRect"]) {
		const real = CanvasRenderingContext2D.prototype[name];
		CanvasRenderingContext2D.prototype[name] = function (...args) { drawings.canvas++; return real.apply(this, args); };
	}
	return true;
})()`

// pictures counts from now on the pictures of the page that differ from the one before,
// what is drawn on its chart, and what is written in the chart's place.
const pictures = `(() => {
	Object.assign(drawings, { canvas: 0, writes: 0, pictures: 0 });
	const everything = { subtree: true, childList: true, attributes: true, characterData: true };
	new MutationObserver((list) => drawings.writes += list.length).observe(document.querySelector("[data-plot]"), everything);
	new MutationObserver(() => drawings.pictures++).observe(document.querySelector("main"), everything);
	return true;
})()`

// TestTheChartIsDrawnWhereItDiffers shows a part of a chart, to which nothing new
// comes, through pictures of the page that show something new beside it: nothing is
// drawn on it and nothing is written in its place. A new point and a new theme draw it again.
func TestTheChartIsDrawnWhereItDiffers(t *testing.T) {
	t.Parallel()
	d := configured(t, "unix:///nonexistent/docker.sock", "", jobs(2)).start()
	ctx := browser(t)
	still(t, ctx)
	heard := listens(t, ctx)
	for i := range 10 {
		d.reported("job-000", "UP", 20+i)
	}
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/services/job-000"))
	sees(t, ctx, "its chart", plotted+`?.drawn > 5 && `+ink("ink")+` > 20`)
	eval[bool](t, ctx, drawings)
	does(t, ctx, chromedp.Click(`[data-zoom="in"]`))
	sees(t, ctx, "a part of it", `document.querySelector(".chart-foot").textContent.includes("Zoomed from") && drawings.canvas > 0`)
	eval[bool](t, ctx, pictures)
	for i := range 4 { // two pictures of the page each: that it is silenced, and that it is not
		silenced := func(method, body, what, condition string) {
			if code, answer := d.send(method, "/api/v1/services/job-000/silence", body); code != 202 {
				t.Fatalf("%s: %d %s", what, code, answer)
			}
			sees(t, ctx, what, condition)
		}
		const seen = `document.querySelector(".actions")?.textContent.includes(%q)`
		silenced(http.MethodPost, fmt.Sprintf(`{"for":"%dm","reason":"a chart that stays"}`, 10+i), "the silence", fmt.Sprintf(seen, "End silence"))
		silenced(http.MethodDelete, "", "the end of it", "!"+fmt.Sprintf(seen, "End silence"))
	}
	if of := eval[map[string]int](t, ctx, `drawings`); of["pictures"] < 8 || of["canvas"] != 0 || of["writes"] != 0 {
		t.Errorf("through silences the page differed, was drawn on the chart and was written in its place %v times; want at least 8, and none", of)
	}
	eval[string](t, ctx, `document.documentElement.dataset.theme = "dark"`)
	sees(t, ctx, "the other colours", `drawings.canvas > 0`)
	does(t, ctx, chromedp.Click(`[data-zoom="reset"]`))
	drawn := eval[string](t, ctx, plotted+`.drawn`)
	for i := range 5 {
		d.reported("job-000", "UP", 40+i)
	}
	sees(t, ctx, "what is new", fmt.Sprintf(`Number(%s.drawn) > %s`, plotted, drawn))
	heard.none(t, "the chart")
}

// TestTheFocusStaysWhereItIsOutOfView has so many services that only those in view are
// in the document. In the table and in cells one of them has the focus while it is
// scrolled out of view, in both directions: it keeps it, and an arrow key goes on to the
// next one and brings that into view.
func TestTheFocusStaysWhereItIsOutOfView(t *testing.T) {
	t.Parallel()
	const n = 200
	d := configured(t, "unix:///nonexistent/docker.sock", "", jobs(n)).start()
	ctx := browser(t)
	still(t, ctx)
	heard := listens(t, ctx)
	does(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "the table", `document.querySelectorAll(".fleet-table [data-service]").length > 8`)

	const (
		focused = `document.activeElement?.closest("[data-service]")?.dataset.service`
		links   = `document.querySelectorAll(".services [data-service] a")`
		inView  = `(() => { const box = document.activeElement.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; })()`
	)
	scrolled := func(how, to, name, drawn string) {
		t.Helper()
		does(t, ctx, chromedp.Evaluate[chromedp.Void](`scrollTo(0, `+to+`)`))
		sees(t, ctx, how+": what is in view there", drawn)
		if at := eval[string](t, ctx, focused+` ?? document.activeElement?.tagName`); at != name {
			t.Errorf("%s: the focus went from %s to %s", how, name, at)
		}
		if all := eval[int](t, ctx, links+`.length`); all > 100 {
			t.Errorf("%s: %d services are in the document", how, all)
		}
		if eval[bool](t, ctx, inView) {
			t.Errorf("%s: %s is in view", how, name)
		}
	}
	for _, view := range []string{"table", "grid"} {
		does(t, ctx, chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`), chromedp.Click(`[data-act="view"][data-view="`+view+`"]`))
		sees(t, ctx, view, fmt.Sprintf(`document.querySelectorAll(%q).length > 8`, map[string]string{"table": ".fleet-table [data-service]", "grid": ".cell"}[view]))
		const first, second = "job-000", "job-002" // of the group billing
		const last = "job-199"
		at := func(name string) string { return `document.querySelector('.services [data-service="` + name + `"] a')` }
		does(t, ctx, chromedp.Evaluate[chromedp.Void](at(first)+`.focus()`))
		scrolled(view+", down", `document.documentElement.scrollHeight`, first, at(last)+` !== null`)
		does(t, ctx, chromedp.KeyEvent(kb.ArrowDown))
		sees(t, ctx, view+": the next one, in view", focused+` === "`+second+`" && `+inView)

		does(t, ctx, chromedp.Evaluate[chromedp.Void](`scrollTo(0, document.documentElement.scrollHeight)`))
		sees(t, ctx, view+": the last one", at(last)+` !== null`)
		does(t, ctx, chromedp.Evaluate[chromedp.Void](at(last)+`.focus()`))
		scrolled(view+", up", `0`, last, at(first)+` !== null`)
		does(t, ctx, chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
		sees(t, ctx, view+": what has no focus and is out of view is left out", at(last)+` === null`)
	}
	heard.none(t, "the focus")
}
