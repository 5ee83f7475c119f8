//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// order is the services in their order on the page, as far as they are in the document.
const order = `[...document.querySelectorAll(".services [data-service]")].map(e => e.dataset.service)`

// TestAFleetShrinks has a large fleet, of which a part lost its containers, and makes
// it smaller and large again by its file, while reports come: the page goes on. What has
// one cause is one line. In the table and in the cells services are sorted, filtered
// and searched, and what was chosen is remembered.
func TestAFleetShrinks(t *testing.T) {
	t.Parallel()
	_, socket, _ := processes(t, "unused")
	missing := func(n int) (services string) {
		for i := range n {
			services += fmt.Sprintf("  - {name: gone-%02d, url: 'push://', interval: 1h, container: gone-%02d, group: shop}\n", i, i)
		}
		return services
	}
	const many, fewer = 60, 20
	d := configured(t, "", "", jobs(many)+missing(30))
	d.env = []string{"LOGSTREAM_E2E_RUNTIME=" + socket}
	d.start()
	ctx := browser(t)
	still(t, ctx)
	heard := listens(t, ctx)
	does(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+d.page+"/"))
	for i := range fewer { // those that stay
		d.reported(fmt.Sprintf("job-%03d", i), "UP", 10+(i*7)%fewer*10)
	}
	for i := range 30 {
		d.reported(fmt.Sprintf("gone-%02d", i), "DOWN", 0)
	}
	together := func(n, of int) {
		t.Helper()
		said := fmt.Sprintf("%d containers do not exist", n)
		sees(t, ctx, said, fmt.Sprintf(`document.querySelector('[data-group="%d"] h2')?.textContent === %q && document.querySelector(".now-work").textContent.startsWith(%[2]q)`, n, said))
		if n := eval[int](t, ctx, `document.querySelectorAll(".lanes > *").length`); n != 1 {
			t.Errorf("what has one cause is %d lines", n)
		}
		if n := eval[int](t, ctx, `[...document.querySelectorAll('.services [data-service^="gone-"]')].filter(e => e.querySelector(".card-say, .row-say")).length`); n != 0 {
			t.Errorf("%d of those that have one cause say it again", n)
		}
	}
	sees(t, ctx, "the table", fmt.Sprintf(`document.querySelector(".fleet-table")?.getAttribute("aria-rowcount") === "%d"`, many+30+4))
	together(30, many+30)
	picture(t, ctx, "arranged-table")
	arranged(t, ctx, "table", 30, many+30)

	// Reports come while the file changes.
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				_, _ = d.send("POST", "/api/v1/health-logs", fmt.Sprintf(`{"service":"job-%03d","status":"UP","latency_ms":%d}`, i%2, 10+i%2*70))
			}
		}
	}()
	text := d.text()
	d.write(strings.Replace(text, jobs(many)+missing(30), jobs(fewer)+missing(10), 1))
	sees(t, ctx, "thirty cells", `document.querySelectorAll(".cell[data-service]").length === 30 && !document.querySelector(".fleet-table")`)
	together(10, fewer+10)
	picture(t, ctx, "arranged-cells")
	arranged(t, ctx, "cells", 10, fewer+10)
	press(t, ctx, "button", "Table")
	sees(t, ctx, "the table", `!!document.querySelector(".fleet-table")`)
	does(t, ctx, chromedp.Reload())
	sees(t, ctx, "the table after a reload, and its order", `!!document.querySelector(".fleet-table") && document.querySelector("#sort").value === "latency" && `+slowest)
	d.write(strings.Replace(text, jobs(many)+missing(30), jobs(2)+missing(3), 1))
	sees(t, ctx, "five cards", `document.querySelectorAll(".card:not(.cell)[data-service]").length === 5 && !document.querySelector(".fleet-table, #search")`)
	does(t, ctx, chromedp.Click(`[data-service="job-001"] h3 a`))
	sees(t, ctx, "the page of one", `location.pathname === "/services/job-001" && !!document.querySelector("[data-plot] canvas")`)
	d.write(text)
	d.until(time.Minute, "that it is as large as it was", func() bool { return strings.Contains(d.raw("/api/v1/services"), `"gone-29"`) })
	does(t, ctx, chromedp.Evaluate[chromedp.Void](`history.back()`))
	sees(t, ctx, "the table of all", fmt.Sprintf(`document.querySelector(".fleet-table")?.getAttribute("aria-rowcount") === "%d"`, many+30+1)) // this order has no groups
	close(stop)
	<-done
	heard.forget("the server responded with a status of 404") // of a service that was removed while the page loaded its history
	heard.none(t, "a fleet that shrinks and grows")
}

// slowest holds where the slowest stand first.
const slowest = `(list => list.length > 2 && list.join() === ["job-017", "job-014", "job-011"].join())(` + order + `.slice(0, 3))`

// arranged sorts, filters and searches services, of which some are down, and leaves
// them sorted by latency.
func arranged(t *testing.T, ctx context.Context, how string, down, all int) {
	t.Helper()
	sort := func(name, holds string) {
		t.Helper()
		eval[bool](t, ctx, fmt.Sprintf(`(s => (s.value = %q, s.dispatchEvent(new Event("change", {bubbles: true}))))(document.querySelector("#sort"))`, name))
		sees(t, ctx, "the order "+name+" of the "+how, holds)
	}
	found := func(n int) string {
		return fmt.Sprintf(`document.querySelector(".tools-found").textContent.startsWith("%d of %d services")`, n, all)
	}
	sort("name", order+`[0] === "job-000" && `+order+`[1] === "job-002"`) // by groups: billing
	sort("trouble", order+`[0].startsWith("gone-")`)
	sort("latency", slowest)
	press(t, ctx, "button", "Not up")
	sees(t, ctx, "those that are not up", found(all-20)+` && `+order+`.every(name => !/^job-0[01]/.test(name))`)
	press(t, ctx, "button", "Repaired today")
	sees(t, ctx, "that none was repaired", found(0)+` && document.querySelector(".services .empty").textContent.includes("No repair in the last 24 h.")`)
	press(t, ctx, "button", "All")
	does(t, ctx, chromedp.KeyEvent("/"))
	sees(t, ctx, "the focus in the search", `document.activeElement.id === "search"`)
	eval[string](t, ctx, `document.activeElement.select() ?? ""`) // chromedp types the key itself, too
	does(t, ctx, chromedp.KeyEvent("shop gone-0"))
	sees(t, ctx, "what was searched, by group and name", found(10)+` && `+order+`.every(name => name.startsWith("gone-0"))`)
	does(t, ctx, chromedp.KeyEvent("\x1b"))
	sees(t, ctx, "all of them", `document.querySelector("#search").value === "" && `+slowest)
}
