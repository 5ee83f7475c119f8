//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// swipes draws a finger over the chart from one point to another, in shares of its
// width and height, and lifts it.
func swipes(t *testing.T, ctx context.Context, fromX, fromY, toX, toY float64) {
	t.Helper()
	x, y := place(t, ctx, fromX, fromY)
	endX, endY := place(t, ctx, toX, toY)
	touches(t, ctx, input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y})
	const moves = 12
	for i := 1.0; i <= moves; i++ {
		touches(t, ctx, input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: x + (endX-x)*i/moves, Y: y + (endY-y)*i/moves})
	}
	touches(t, ctx, input.DispatchTouchEventTypeTouchEnd)
}

func touches(t *testing.T, ctx context.Context, kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
	t.Helper()
	if points == nil {
		points = []*input.TouchPoint{} // the protocol wants a list
	}
	if _, err := chromedp.Call(ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
		t.Fatal(err)
	}
}

// theFinger zooms the chart of a service on a phone by a horizontal drag, and scrolls
// the page by a vertical one over the chart.
func theFinger(t *testing.T, ctx context.Context) {
	t.Helper()
	emulated := func(on bool) {
		t.Helper()
		if _, err := chromedp.Call(ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: on, MaxTouchPoints: 2}); err != nil {
			t.Fatal(err)
		}
	}
	does(t, ctx, chromedp.EmulateViewport(360, 740))
	emulated(true)
	sees(t, ctx, "the chart as wide as its place", `(p => Math.abs(p.clientWidth - p.querySelector("canvas").getBoundingClientRect().width) < 2)(document.querySelector("[data-plot]"))`)
	zoomed, reset := `!document.querySelector('[data-zoom="reset"]').disabled`, `document.querySelector('[data-zoom="reset"]').disabled`
	sees(t, ctx, "all of it", reset)
	whole := eval[float64](t, ctx, seconds)

	_, top := place(t, ctx, 0, 0)
	swipes(t, ctx, 0.5, 0.7, 0.5, -0.6)
	sees(t, ctx, "that the page was scrolled", fmt.Sprintf(`document.querySelector(".u-over").getBoundingClientRect().top < %f`, top-100))
	if eval[bool](t, ctx, zoomed+` || document.querySelector(".u-select").offsetWidth > 0`) {
		t.Error("a vertical drag over the chart selects")
	}
	half := fmt.Sprintf(`Math.abs(%s / %f - 0.5) < 0.1`, seconds, whole)
	for range 5 { // a finger that comes while the page still moves on by itself stops it, and does no more
		sees(t, ctx, "a page that stands still", `(window.stood = window.stoodAt === scrollY ? (window.stood ?? 0) + 1 : 0, window.stoodAt = scrollY, window.stood > 10)`)
		swipes(t, ctx, 0.2, 0.5, 0.7, 0.52)
		time.Sleep(2 * time.Second)
		if eval[bool](t, ctx, half) {
			break
		}
		eval[string](t, ctx, `document.querySelector('[data-zoom="reset"]').click() ?? ""`)
	}
	sees(t, ctx, "half of it", half)
	sees(t, ctx, "nothing selected any more", zoomed+` && document.querySelector(".u-select").offsetWidth === 0`)
	picture(t, ctx, "service-finger-360")
	taps := func(x, y float64) {
		t.Helper()
		touches(t, ctx, input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y})
		touches(t, ctx, input.DispatchTouchEventTypeTouchEnd)
	}
	x, y := place(t, ctx, 0.5, 0.5)
	taps(x, y)
	sees(t, ctx, "what stands under the finger", readOut+`?.includes("ms")`)
	eval[bool](t, ctx, `document.querySelector(".u-over").dispatchEvent(new MouseEvent("mouseleave"))`)
	time.Sleep(400 * time.Millisecond) // a browser that has a mouse elsewhere sends it back there in less
	if !eval[bool](t, ctx, readOut+`?.includes("ms")`) {
		t.Error("what a tap shows is gone although no finger came down elsewhere")
	}
	left, _ := place(t, ctx, 0, 0)
	taps(left-40, y)
	sees(t, ctx, "nothing after a tap beside the plot", `document.querySelector(".readout").hidden`)
	does(t, ctx, chromedp.Click(`[data-zoom="reset"]`))
	sees(t, ctx, "all of it", reset)
	emulated(false)
	does(t, ctx, chromedp.EmulateViewport(1280, 900))
}
