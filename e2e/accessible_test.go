//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// rolesAndNames says of everything that can be seen what it is and what it is called, as
// assistive technology has it: "button: Hold all repairs". axe-core computes both.
const rolesAndNames = `(() => {
	axe.setup(document.documentElement);
	try {
		return [...document.querySelectorAll("body *")].filter(e => e.checkVisibility({visibilityProperty: true}))
			.map(e => [axe.commons.aria.getRole(e), axe.commons.text.accessibleText(e).trim().replace(/\s+/g, " ")])
			.filter(([role]) => role && !["none", "presentation", "generic"].includes(role)).map(pair => pair.join(": "));
	} finally { axe.teardown(); }
})()`

// violations are what axe-core finds that is serious or worse, one line for each element.
const violations = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.filter(v => ["serious", "critical"].includes(v.impact))
	.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary)))`

// axe loads axe-core into the page that is open.
func axe(t *testing.T, ctx context.Context) {
	t.Helper()
	if eval[bool](t, ctx, `!!window.axe`) {
		return
	}
	code, err := os.ReadFile("../static/vendor/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	eval[bool](t, ctx, string(code)+"\n;!!window.axe")
}

// accessible checks that axe-core finds nothing serious on the page as it is shown,
// and that what is wanted is there by role and name.
func accessible(t *testing.T, ctx context.Context, where string, wanted ...string) {
	t.Helper()
	axe(t, ctx)
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](violations, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: axe-core: %v", where, err)
	}
	for _, one := range found {
		t.Errorf("%s: %s", where, one)
	}
	there := eval[[]string](t, ctx, rolesAndNames)
	for _, one := range wanted {
		if !slices.Contains(there, one) {
			t.Errorf("%s: there is no %q; there are\n\t%s", where, one, strings.Join(there, "\n\t"))
		}
	}
}

// complaints collects what a page writes to the console as an error.
type complaints struct {
	mu  sync.Mutex
	all []string
}

func listens(t *testing.T, ctx context.Context) *complaints {
	t.Helper()
	c := &complaints{}
	messages := chromedp.Console(ctx)
	go func() {
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.Type == chromedp.ConsoleError || message.Type == chromedp.ConsoleException {
				c.mu.Lock()
				c.all = append(c.all, message.String())
				c.mu.Unlock()
			}
		}
	}()
	return c
}

// none reports, and forgets, what was complained about.
func (c *complaints) none(t *testing.T, where string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		t.Errorf("%s: the console has %s", where, one)
	}
	c.all = nil
}

// forget drops what a test expects: complaints with that text.
func (c *complaints) forget(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = slices.DeleteFunc(c.all, func(one string) bool { return strings.Contains(one, text) })
}

// still switches off what moves, so that no colour is looked at while it fades.
func still(t *testing.T, ctx context.Context) {
	t.Helper()
	prefers(t, ctx, "light")
}

// prefers is a reader whose system is light or dark, and who wants nothing to move.
func prefers(t *testing.T, ctx context.Context, theme string) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "prefers-color-scheme", Value: theme}}}); err != nil {
		t.Fatal(err)
	}
}

// inBoth shows what is open at the widths of a phone, a desktop and a wall screen, to
// readers of both themes.
func inBoth(t *testing.T, ctx context.Context, name string, check func(where string)) {
	t.Helper()
	for _, width := range []int64{360, 1280, 2560} {
		atWidth(t, ctx, name, width)
		for _, theme := range []string{"light", "dark"} {
			prefers(t, ctx, theme)
			where := fmt.Sprintf("%s-%s-%d", name, theme, width)
			check(where)
			picture(t, ctx, where)
		}
	}
	does(t, ctx, chromedp.EmulateViewport(1280, 900))
}

// opens opens a page of the dashboard, and waits until it shows what is so now.
func opens(t *testing.T, ctx context.Context, d *daemon, path string) {
	t.Helper()
	does(t, ctx, chromedp.Navigate("http://"+d.page+path))
	sees(t, ctx, "that "+path+" is live", `document.documentElement.dataset.conn === "live" && !!document.querySelector("h1") && !document.querySelector(".loading")`)
}
