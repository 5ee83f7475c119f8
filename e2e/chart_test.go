//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"logstream/bench/past"
)

// TestTheChartOfAServiceGoesBackAMonth checks each window of a service that
// was checked for 33 days, in the browser.
func TestTheChartOfAServiceGoesBackAMonth(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer target.Close()
	p := past.Past{Services: 2, Interval: 10 * time.Second, Lasts: 33 * 24 * time.Hour, Until: time.Now()}
	d := configured(t, "unix:///nonexistent/docker.sock", "", fmt.Sprintf("  - {name: service-000, url: %[1]q, interval: 10s}\n  - {name: service-001, url: %[1]q, interval: 10s, expect: {latency: 800ms}}\n", target.URL))
	p.Write(t, filepath.Join(d.dir, "data"))
	d.start()
	ctx := browser(t)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/services/service-001"))
	sees(t, ctx, "the live connection", `document.documentElement.dataset.conn === "live"`)
	for _, window := range []string{"15m", "1h", "6h", "24h", "7d", "30d"} {
		button := fmt.Sprintf(`document.querySelector('[data-window="%s"]')`, window)
		eval[string](t, ctx, button+`.click() ?? ""`)
		sees(t, ctx, "the window "+window, button+`.getAttribute("aria-pressed") === "true"`)
		banded := `!!document.querySelector(".chart .c-band")`
		if window == "15m" || window == "1h" { // each check is a point
			banded = "true"
		}
		sees(t, ctx, "a line of "+window, `document.querySelector(".chart .c-line")?.getAttribute("d").length > 500 && `+banded)
		if foot := eval[string](t, ctx, `document.querySelector(".chart-foot").textContent`); window != "15m" && len(foot) > 60 {
			t.Errorf("%s: %q: the window is not whole", window, foot)
		}
		least := 22 // of 24 rows
		if window == "15m" {
			least = 18 // what was simulated ends some minutes ago
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
