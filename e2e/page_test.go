//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium, or a failure that says how to install it.
func browser(t *testing.T) context.Context {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("Chromium is not installed: make deps")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WindowSize(1280, 900))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if _, err := chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil { // this starts it
		t.Fatalf("start Chromium: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// picture keeps a screenshot for people, where LOGSTREAM_SHOTS says.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("LOGSTREAM_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// sees waits until a condition in JavaScript holds.
func sees(t *testing.T, ctx context.Context, what, condition string) {
	t.Helper()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(2*time.Minute)))
		if err == nil {
			return
		}
		if !reloaded(err) || ctx.Err() != nil {
			body, _ := chromedp.Run(ctx, chromedp.Text("body"))
			t.Fatalf("the page does not show %s: %v\n%s", what, err, body)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// reloaded says whether a script ended because the page was loaded anew: it does
// so itself where Chromium dropped a file of it, as it does when a network of
// this machine comes or goes, which is what starting a container is.
func reloaded(err error) bool {
	var answer *cdproto.Error
	const serverError = -32000
	return errors.As(err, &answer) && answer.Code == serverError
}

func does(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Steps(steps...)); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return out
}

const (
	card = `document.querySelector('.card[data-service="payment-service"]')?.dataset.status`
	// overlap is whether two cards or panels cover each other.
	overlap = `(() => {
		const boxes = [...document.querySelectorAll('.card, .panel')].filter(e => !e.parentElement.closest('.card, .panel')).map(e => e.getBoundingClientRect()).filter(b => b.width && b.height);
		for (let i = 0; i < boxes.length; i++) for (let k = i + 1; k < boxes.length; k++) {
			const a = boxes[i], b = boxes[k];
			if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) return true;
		}
		return false;
	})()`
	// overflow is by how many pixels the page is wider than its window.
	overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
)

// TestTheBrowserShowsARepairFromStartToEnd presses the button, and watches the card go red,
// the agent at work, and the card green again, in the DOM.
func TestTheBrowserShowsARepairFromStartToEnd(t *testing.T) {
	t.Parallel()
	d := demo(t)
	ctx := browser(t)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "a green card", card+` === "UP"`)
	sees(t, ctx, "the live connection", `document.documentElement.dataset.conn === "live"`)
	picture(t, ctx, "calm-1280")
	// What the agent shows is gathered while it changes.
	eval[bool](t, ctx, `(window.seen = [], window.cards = [], setInterval(() => {
		const state = document.querySelector('[data-agent-state]')?.dataset.agentState, status = `+card+`;
		if (state !== seen.at(-1)) seen.push(state);
		if (status !== cards.at(-1)) cards.push(status);
	}, 10), true)`)
	does(t, ctx, chromedp.Click(`.card[data-service="payment-service"] .break button`))
	sees(t, ctx, "a red card", card+` === "DOWN"`)
	picture(t, ctx, "down-1280")
	sees(t, ctx, "FIXING", `seen.includes("FIXING")`)
	picture(t, ctx, "fixing-1280")
	sees(t, ctx, "a green card again", card+` === "UP"`)
	sees(t, ctx, "VERIFYING", `seen.includes("VERIFYING")`)
	picture(t, ctx, "verifying-1280")
	sees(t, ctx, "WATCHING again", `seen.at(-1) === "WATCHING"`)
	picture(t, ctx, "healed-1280")
	t.Logf("the agent showed %v, the card %v", eval[[]string](t, ctx, "seen"), eval[[]string](t, ctx, "cards"))

	id := d.incidents("payment-service")[0].ID
	for _, page := range []string{"/", "/incidents", "/incidents/" + id, "/services/payment-service", "/system"} {
		does(t, ctx, chromedp.Navigate("http://"+d.page+page))
		sees(t, ctx, "a heading on "+page, `document.querySelector("h1")?.textContent.trim().length > 0`)
		sees(t, ctx, "that "+page+" is live", `document.documentElement.dataset.conn === "live"`)
		fits(t, ctx, filepath.Base("/overview"+page))
	}
}
