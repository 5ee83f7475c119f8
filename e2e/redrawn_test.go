//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// drawings counts from now on what is drawn on canvases.
const drawings = `(() => {
	window.drawings = { canvas: 0, writes: 0, quiet: 0 };
	for (const name of ["clearRect", "stroke", "fill", "fillText", "fillRect"]) {
		const real = CanvasRenderingContext2D.prototype[name];
		CanvasRenderingContext2D.prototype[name] = function (...args) { drawings.canvas++; return real.apply(this, args); };
	}
	return true;
})()`

// quiet counts the page's pictures in a row that neither drew on the chart nor wrote into its place.
const quiet = `(() => {
	const everything = { subtree: true, childList: true, attributes: true, characterData: true };
	let before = 0;
	new MutationObserver((list) => drawings.writes += list.length).observe(document.querySelector("[data-plot]"), everything);
	new MutationObserver(() => {
		const all = drawings.canvas + drawings.writes;
		drawings.quiet = all === before ? drawings.quiet + 1 : 0;
		before = all;
	}).observe(document.querySelector("main"), everything);
	return true;
})()`

// TestTheChartIsDrawnWhereItDiffers shows a part of a chart, to which nothing new
// comes, for many of the page's pictures: nothing is drawn on it and nothing is
// written beside it. A new point and a new theme draw it again.
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
	eval[bool](t, ctx, quiet)
	sees(t, ctx, "many pictures of the page, through which nothing is drawn on the chart or written beside it", `drawings.quiet >= 8`)
	from := eval[int](t, ctx, `drawings.canvas`)
	eval[string](t, ctx, `document.documentElement.dataset.theme = "dark"`)
	sees(t, ctx, "the other colours", fmt.Sprintf(`drawings.canvas > %d`, from))
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
