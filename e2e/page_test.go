//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"
)

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
		_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(2*time.Minute)))
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

// reloaded says whether a script ended because another page was opened, as the one
// after a login is.
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

// atWidth sets the window's width, and checks that nothing is wider than it.
func atWidth(t *testing.T, ctx context.Context, name string, width int64) {
	t.Helper()
	does(t, ctx, chromedp.EmulateViewport(width, 900))
	if n := eval[int](t, ctx, overflow); n > 0 {
		t.Errorf("%s at %d px is %d px wider than its window", name, width, n)
	}
}

// wholeAtWidth checks as well that no part covers another.
func wholeAtWidth(t *testing.T, ctx context.Context, name string, width int64) {
	t.Helper()
	atWidth(t, ctx, name, width)
	if eval[bool](t, ctx, overlap) {
		t.Errorf("%s at %d px: parts cover each other", name, width)
	}
}

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
	sees(t, ctx, "what the button will do, and whether that is repaired", `["Asks the main process to end", "LogStream should notice and repair it.", "logstream chaos payment-service stop"].every(part => document.querySelector("dialog[open]")?.textContent.includes(part))`)
	inBoth(t, ctx, "dialog-fault", func(where string) {
		accessible(t, ctx, where, "dialog: Stop: break payment-service for real?", "button: Stop", "button: Cancel")
	})
	press(t, ctx, "button", "Cancel")
	sees(t, ctx, "that it is closed, and the button has the focus", closed+` && document.activeElement?.dataset.fault === "stop"`)
	if sent := d.raw("/api/v1/commands"); strings.TrimSpace(sent) != "[]" {
		t.Errorf("a dialog that was closed sent %s", sent)
	}
	breaks(t, ctx, "payment-service", "stop")
	sees(t, ctx, "that the button has the focus again", `document.activeElement?.dataset.fault === "stop"`)
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
