//go:build e2e

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// used are the buttons and forms of the pages that a test used in Chromium, by the
// names of inventory.
var used sync.Map

// recordsUse reports each use of a button or a form before the page handles it.
const recordsUse = `(() => {
	const use = (...name) => window.usedByATest?.(name.filter(Boolean).join(" "));
	addEventListener("click", event => {
		const { act, control, command } = event.target.closest?.("[data-act]")?.dataset ?? {};
		if (act) use(act, act === "ask" && control, act === "operate" && command);
	}, true);
	addEventListener("submit", event => {
		const form = event.target;
		const path = new URL(form.action).pathname; // perhaps below a base path
		use("submit", form.dataset.form ?? path.slice(path.lastIndexOf("/")), form.closest("dialog")?.dataset.control);
	}, true);
})()`

// recorded notes what is used in a browser's page from now on.
func recorded(t *testing.T, ctx context.Context) {
	t.Helper()
	err := chromedp.Listen(ctx, func(ev any) {
		if call, is := ev.(*runtime.EventBindingCalled); is && call.Name == "usedByATest" {
			used.Store(call.Payload, true)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, runtime.AddBinding, runtime.AddBindingParams{Name: "usedByATest"}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: recordsUse}); err != nil {
		t.Fatal(err)
	}
}

var (
	actsOfButtons = regexp.MustCompile(`"data-act": (?:"([\w-]+)")?`)
	answers       = regexp.MustCompile(`\bbutton\("(\w+)", "(?:go)?",`) // in view/approval.js
	controls      = regexp.MustCompile(`(?m)^  (\w+): \{\n    ask:`)    // in controls.js
	forms         = regexp.MustCompile(`"data-form": (?:"([\w-]+)")?`)  // sent by the page's code
	ownForms      = regexp.MustCompile(`action: "(/\w+)"`)              // sent by the browser
)

// inventory is every button and form of the pages, as their sources have them: the
// acts, "ask hold" for the button of a control and "submit control hold" for the one
// of its dialog, "operate approve", "submit add".
func inventory() ([]string, error) {
	var all []string
	err := filepath.WalkDir("../static/js", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		code := string(text)
		add := func(pattern *regexp.Regexp, prefixes ...string) {
			for _, found := range pattern.FindAllStringSubmatch(code, -1) {
				if found[1] == "" {
					err = errors.Join(err, fmt.Errorf("%s: %q is not followed by a name in quotes", path, found[0]))
				}
				for _, prefix := range prefixes {
					all = append(all, prefix+found[1])
				}
			}
		}
		add(actsOfButtons, "")
		add(forms, "submit ")
		add(ownForms, "submit ")
		switch filepath.Base(path) {
		case "controls.js":
			add(controls, "ask ", "submit control ")
		case "approval.js":
			add(answers, "operate ")
		}
		return err
	})
	all = append(all, "submit /login")
	general := []string{"ask", "operate", "submit control"} // stand there with what they do
	all = slices.DeleteFunc(all, func(name string) bool { return slices.Contains(general, name) })
	slices.Sort(all)
	return slices.Compact(all), err
}

// unused says which buttons and forms of the pages no test used, where all tests ran.
func unused() error {
	if flag.Lookup("test.run").Value.String() != "" || flag.Lookup("test.skip").Value.String() != "" || flag.Lookup("test.list").Value.String() != "" {
		return nil
	}
	all, err := inventory()
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(all, func(name string) bool { _, is := used.Load(name); return is })
	if len(missing) > 0 {
		return fmt.Errorf("no test used these buttons and forms of the pages: %s", strings.Join(missing, ", "))
	}
	return nil
}

// TestTheInventoryFindsWhatThePagesHave holds that the list is read from the sources
// as they are written.
func TestTheInventoryFindsWhatThePagesHave(t *testing.T) {
	all, err := inventory()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"theme", "copy", "reconnect", "ask hold", "submit control hold", "ask undo", "operate approve", "operate deny", "submit add", "submit token", "submit /logout", "submit /login"} {
		if !slices.Contains(all, name) {
			t.Errorf("%q is not in %q", name, all)
		}
	}
	t.Logf("%d: %q", len(all), all)
}
