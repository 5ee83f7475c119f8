//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
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
