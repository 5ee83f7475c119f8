//go:build e2e

package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestThePagesCodeIsLoadedWhenItIsOpened opens the overview where the code of one page
// cannot be had, and then that page: while LogStream does not answer the page says so,
// and once it answers it is there. The code of the others was loaded ahead: they open
// without LogStream. early.js cannot be had either, and the page is not loaded again for it.
func TestThePagesCodeIsLoadedWhenItIsOpened(t *testing.T) {
	t.Parallel()
	d := configured(t, docker.Host(), "", "  - {name: job, url: 'push://', interval: 60s}\n").start()
	ctx := browser(t)
	blocked := func(patterns ...*network.BlockPattern) {
		t.Helper()
		if _, err := chromedp.Call(ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns}); err != nil {
			t.Fatal(err)
		}
	}
	blocked(&network.BlockPattern{URLPattern: "*://*:*/*/pages/incidents.js", Block: true}, &network.BlockPattern{URLPattern: "*://*:*/*/early.js", Block: true})
	does(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "the overview", `document.querySelector('.card[data-service="job"]') !== null`)
	sees(t, ctx, "that the code of the other pages was loaded", `["approvals", "system", "service", "incident"].every((name) => performance.getEntriesByType("resource").some((e) => e.name.endsWith("/pages/" + name + ".js") && e.responseEnd > 0))`)

	d.kill()
	does(t, ctx, chromedp.Click(`.top a[href="/system"]`))
	sees(t, ctx, "a page whose code was loaded ahead", `document.querySelector("main dl") !== null && !document.querySelector("main [aria-busy]") && document.querySelector(".top [aria-current]").textContent === "System"`)
	does(t, ctx, chromedp.Click(`.top a[href="/incidents"]`))
	sees(t, ctx, "why there is no page", `document.querySelector("main h1").textContent === "This page could not be loaded" && document.querySelector("main [data-act=load]") !== null`)
	does(t, ctx, chromedp.Click(`main [data-act=load]`))
	sees(t, ctx, "the same, after another attempt", `document.querySelector("main h1").textContent === "This page could not be loaded"`)

	blocked()
	d.start()
	sees(t, ctx, "the page, once LogStream answers", `document.querySelector(".incident-tools") !== null && location.pathname === "/incidents"`)
}
