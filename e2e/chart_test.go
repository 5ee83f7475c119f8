//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"logstream/bench/past"
)

// windows are how many seconds each window shows of a service that was checked longer.
var windows = map[string]int{"15m": 900, "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800, "30d": 2592000}

// TestTheChartOfAServiceGoesBackAMonth checks each window of a service that
// was checked for 33 days, in the browser.
func TestTheChartOfAServiceGoesBackAMonth(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer target.Close()
	p := past.Past{Services: 2, Interval: 10 * time.Second, Lasts: 33 * 24 * time.Hour}
	d := configured(t, "unix:///nonexistent/docker.sock", "", fmt.Sprintf("  - {name: service-000, url: %[1]q, interval: 10s}\n  - {name: service-001, url: %[1]q, interval: 10s, expect: {latency: 800ms}}\n", target.URL))
	p.Write(t, filepath.Join(d.dir, "data"))
	d.start()
	ctx := browser(t)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/services/service-001"))
	sees(t, ctx, "the live page", `document.documentElement.dataset.conn === "live" && !!document.querySelector("[data-window]")`)
	for _, window := range []string{"15m", "1h", "6h", "24h", "7d", "30d"} {
		button := fmt.Sprintf(`document.querySelector('[data-window="%s"]')`, window)
		eval[string](t, ctx, button+`.click() ?? ""`)
		sees(t, ctx, "the window "+window, button+`.getAttribute("aria-pressed") === "true"`)
		least, drawn := 22, 200 // of 24 rows, and of at most 500 points
		switch window {
		case "15m":
			least, drawn = 18, 60 // each check is a point, and the first minute begins with the first check
		case "7d":
			drawn = 160 // of 168 hours
		case "30d":
			drawn = 400
		}
		sees(t, ctx, "a line of "+window, fmt.Sprintf(`%s?.drawn >= %d && %s > 5`, plotted, drawn, ink("ink")))
		sees(t, ctx, "that it shows "+window, fmt.Sprintf(`Math.abs(%s / %d - 1) < 0.02`, seconds, windows[window]))
		if foot := eval[string](t, ctx, `document.querySelector(".chart-foot").textContent`); window != "15m" && strings.Contains(foot, "Data for the last") {
			t.Errorf("%s: %q: the window is not whole", window, foot)
		}
		sees(t, ctx, "a latency in the rows of "+window, fmt.Sprintf(
			`[...document.querySelectorAll(".chart-table tbody tr")].filter(r => /\d ms/.test(r.textContent)).length >= %d`, least))
		if label := eval[string](t, ctx, `document.querySelector(".chart").getAttribute("aria-label")`); !(len(label) > 80) {
			t.Errorf("%s: the chart's name is %q", window, label)
		}
		if os.Getenv("LOGSTREAM_SHOTS") != "" || window == "30d" {
			fits(t, ctx, "service-"+window)
		}
	}
	// A part of a month is loaded as finely as it is known: from hours to minutes.
	drags(t, ctx, 0.97, 0.99)
	sees(t, ctx, "hours of yesterday", seconds+` < 86400 && document.querySelector(".chart-foot").textContent.includes("Zoomed from")`)
	sees(t, ctx, "their minutes", plotted+`.drawn > 100`) // of 30 days there would be 10
	picture(t, ctx, "service-30d-zoomed")
	does(t, ctx, chromedp.Click(`[data-zoom="reset"]`))
	sees(t, ctx, "uptime of a day, a week and a month", `[...document.querySelectorAll(".figures dd")].filter(e => /^9\d\.\d+ %down \d/.test(e.textContent)).length === 3`)
	does(t, ctx, chromedp.EmulateViewport(3840, 2160))
	if n := eval[int](t, ctx, overflow); n > 0 {
		t.Errorf("at 3840 px it is %d px wider than its window", n)
	}
	picture(t, ctx, "service-30d-3840")
	eval[string](t, ctx, `document.querySelector(".chart-table summary").click() ?? ""`)
	does(t, ctx, chromedp.EmulateViewport(1280, 900))
	picture(t, ctx, "service-table-1280")
}
