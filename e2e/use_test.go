//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestThePageShowsWhatAContainerUsesOfItsLimits has a container with 64 MiB and half a
// core: its page shows its memory as Docker counts it, and that it needs more than
// its share of the processor once it is busy.
func TestThePageShowsWhatAContainerUsesOfItsLimits(t *testing.T) {
	t.Parallel()
	const name = "limited"
	d := configured(t, docker.Host(), "", yaml(name, container(t, docker, name, "--memory", "64m", "--cpus", "0.5"), ", interval: 10s, timeout: 8s")).start()
	d.up(name)
	ctx := browser(t)
	still(t, ctx)
	heard := listens(t, ctx)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/services/"+name))
	row := func(term string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("dt")].find(e => e.textContent === %q)?.nextElementSibling`, term)
	}
	bar := func(term string) string {
		return fmt.Sprintf(`Number(%s?.querySelector("svg.use .use-part")?.getAttribute("width"))`, row(term))
	}
	sees(t, ctx, "the use of memory", fmt.Sprintf(`/^[\d.]+ [KM]iB of 64 MiB \(\d+ %%\)$/.test(%s?.textContent)`, row("Memory")))
	sees(t, ctx, "the use of the processor", fmt.Sprintf(`/^[\d.]+ of 0\.50 cores/.test(%s?.textContent)`, row("CPU")))
	// The page is as right as Docker's own figure, which is of another moment.
	var use struct {
		Use struct{ Memory float64 }
		Of  float64 `json:"memory_limit"`
	}
	if err := d.get("/api/v1/services/"+name+"/container", &use); err != nil || use.Of != 64<<20 || use.Use.Memory <= 0 {
		t.Fatalf("the API has %+v, %v", use, err)
	}
	share := 100 * use.Use.Memory / use.Of
	if got := eval[float64](t, ctx, bar("Memory")); got < share/2 || got > share*2 || got > 100 {
		t.Errorf("the bar of the memory is at %.1f of 100, and the memory at %.1f", got, share)
	}
	if drawn := eval[[]float64](t, ctx, fmt.Sprintf(`(svg => [svg.querySelector(".use-part").getBoundingClientRect().width, svg.querySelector(".use-all").getBoundingClientRect().width])(%s.querySelector("svg.use"))`, row("Memory"))); drawn[1] < 20 || drawn[0] <= 0 || drawn[0] >= drawn[1] {
		t.Errorf("of the bar %.1f of %.1f px are drawn", drawn[0], drawn[1])
	}
	calm := eval[float64](t, ctx, bar("CPU"))
	picture(t, ctx, "use-calm")

	visit(t, docker, name, "/spin")
	sees(t, ctx, "that it is busy", fmt.Sprintf(`%s > %f && /throttled in \d+ %% of the periods$/.test(%s.textContent)`, bar("CPU"), max(calm*2, 20), row("CPU")))
	picture(t, ctx, "use-busy")
	heard.none(t, "the page of a limited container")
}
