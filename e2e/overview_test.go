//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// frame is what the overview says in each place at one moment.
type frame struct {
	Headline string // its first sentence
	Broken   bool   // its mark is of what is down
	Mark     string // up, down or warn; none where that is not known
	Down     string // the services whose cells are red
	Badge    string // the colour of the number of open incidents
	About    string // the service whose incident has the lane
	Work     string // the stages that the places show
	Lane     string
	Cell     string
	Agent    string
	Pill     string
	Map      string // the services whose marks are red
	Mapped   bool   // there is a map
	Title    string // of the tab
	Icon     string
	Listed   bool // among what happened is the lane's incident, as one that ended
	Open     string
}

// record takes a frame every 100 ms from now on, into the page's window.samples, and
// the instant of each change of the lane's stage, into window.stages.
const record = `(window.samples = [], window.stages = [], new MutationObserver(() => {
	const lane = document.querySelector(".lane"), is = [lane?.dataset.incident ?? "", lane?.dataset.stage ?? ""].join();
	if (is !== stages.at(-1)?.[0]) stages.push([is, performance.now()]);
}).observe(document.body, {subtree: true, childList: true, attributeFilter: ["data-stage", "data-incident"]}), setInterval(() => {
	const one = (q) => document.querySelector(q), text = (q) => one(q)?.textContent.trim() ?? "";
	const cells = [...document.querySelectorAll(".services [data-service]")], about = one(".lane")?.dataset.about ?? "";
	samples.push({
		Headline: text("h1"), Broken: !!one(".now-glyph.down"), Mark: ["up", "down", "warn"].find(is => one(".now-glyph." + is)) ?? "none", Badge: one("nav .count")?.className ?? "", About: about,
		Down: cells.filter(e => e.dataset.status === "DOWN").map(e => e.dataset.service).join(),
		Work: one(".now-work")?.dataset.stage ?? "", Lane: one(".lane")?.dataset.stage ?? "", Cell: cells.find(e => e.dataset.service === about)?.dataset.stage ?? "",
		Agent: one("[data-agent-state]")?.dataset.agentState ?? "", Pill: text(".lane .pill"),
		Map: [...document.querySelectorAll(".map .m-DOWN title")].map(e => e.textContent.split(":")[0]).join(), Mapped: !!one(".map"),
		Title: document.title, Icon: one("link[rel=icon]").href.split("/").at(-1),
		Listed: !!one(".lane") && !!one('.happened a[href$="' + one(".lane").dataset.incident + '"]'), Open: text("nav .count").replace(/\D/g, ""),
	});
}, 100), true)`

// agentOf is the agent's state while the lane shows a stage.
var agentOf = map[string]string{
	"": "WATCHING", "held": "WATCHING", "detected": "DIAGNOSING", "evidence": "DIAGNOSING", "diagnosis": "DIAGNOSING", "pause": "DIAGNOSING",
	"action": "FIXING", "verification": "VERIFYING", "escalated": "ESCALATED", "approval": "WAITING_APPROVAL",
}

// disagree is how two places of a frame contradict each other, or empty.
func (f frame) disagree() string {
	lane := f.Lane
	if lane == "resolved" {
		lane = "" // it stays for a minute, and is of the past
	}
	first, _, _ := strings.Cut(f.Down, ",")
	doing := ""
	for _, part := range []string{", starting", ", restarting", ", unpausing"} {
		if strings.Contains(f.Title, part) {
			doing = "action"
		}
	}
	if strings.Contains(f.Title, ", verifying") {
		doing = "verification"
	}
	switch {
	case f.Work != lane:
		return "the headline and the lane show different stages"
	case f.Cell != lane:
		return "the cell and the lane show different stages"
	case f.Agent != agentOf[lane]:
		return "the agent and the lane show different stages"
	case f.Broken != (f.Down != ""), f.Down == first && f.Down != "" && f.Headline != first+" is down":
		return "the headline and the cells show different states"
	case !f.Broken && strings.Contains(f.Badge, "down"):
		return "a red badge stands under a green headline"
	case !f.Broken && f.Pill == "Open" && lane == "verification":
		return "the lane calls a service broken that is up"
	case f.Mapped && f.Map != f.Down:
		return "the map and the cells show different states"
	case f.Broken != strings.Contains(f.Title, "▼"):
		return "the tab's title and the headline show different states"
	case doing != lane && (doing != "" || lane == "action" || lane == "verification"):
		return "the tab's title and the lane show different stages"
	case f.Icon != f.icon(lane):
		return "the tab's icon and the lane show different stages"
	case f.Listed != (f.Lane == "resolved" || f.Lane == "escalated"):
		return "what happened and the lane disagree about whether it is over"
	case (f.Open != "") != (lane != ""):
		return "the number of open incidents and the lane disagree"
	}
	return ""
}

// icon is the tab's, while the lane shows a stage.
func (f frame) icon(lane string) string {
	switch {
	case lane == "approval", lane == "escalated":
		return "wait.svg"
	case lane != "" && lane != "held":
		return "work.svg"
	}
	return f.Mark + ".svg"
}

// agrees checks that no two places disagree in any frame that was recorded, and that
// each stage was shown for at least 400 ms. It gives the stages.
func agrees(t *testing.T, ctx context.Context) (stages []string) {
	t.Helper()
	seen := eval[[]frame](t, ctx, "samples")
	for i, f := range seen {
		if why := f.disagree(); why != "" {
			t.Errorf("frame %d of %d: %s: %+v", i, len(seen), why, f)
		}
	}
	type change struct {
		stage string
		at    float64
	}
	var changes []change
	for _, pair := range eval[[][]any](t, ctx, "stages") {
		stage, at := pair[0].(string), pair[1].(float64)
		changes = append(changes, change{stage, at})
	}
	const least = 399 // ms, of two clocks
	for i, now := range changes {
		incident, stage, _ := strings.Cut(now.stage, ",")
		if stage == "" {
			continue
		}
		stages = append(stages, stage)
		if i+1 == len(changes) || stage == "resolved" {
			continue
		}
		if next, _, _ := strings.Cut(changes[i+1].stage, ","); next == incident && changes[i+1].at-now.at < least {
			t.Errorf("the stage %s is shown for %.0f ms, less than %d", stage, changes[i+1].at-now.at, least)
		}
	}
	t.Logf("%d frames, stages %v", len(seen), stages)
	return stages
}

// TestTheOverviewOfThirtyServicesSaysOneThing stops one of thirty services, a real
// container, and records the page ten times a second until it is repaired: no two
// places disagree in any frame.
func TestTheOverviewOfThirtyServicesSaysOneThing(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer target.Close()
	services := yaml("orders-db", container(t, docker, "orders-db"), ", group: data, timeout: 5s")
	for i := range 29 {
		services += fmt.Sprintf("  - {name: service-%02d, url: %q, group: %s, interval: 6s, timeout: 5s, failure_threshold: 3}\n", i, target.URL, []string{"shop", "orders", "platform"}[i%3])
	}
	d := configured(t, docker.Host(), "", services).start()
	d.up("orders-db")
	ctx := browser(t)
	errors := consoleErrors(t, ctx)
	does(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "thirty cells", `document.querySelectorAll(".cell[data-service]").length === 30 && document.querySelectorAll('.cell[data-status="UP"]').length === 30`)
	if n := eval[int](t, ctx, `new Set([...document.querySelectorAll(".cells")].flatMap(e => getComputedStyle(e).gridTemplateColumns.split(" ").length)).values().next().value`); n < 5 {
		t.Errorf("%d cells in a row at 1280 px", n)
	}
	for _, theme := range []string{"light", "dark"} {
		eval[string](t, ctx, fmt.Sprintf(`document.documentElement.dataset.theme = %q`, theme))
		everyWidth(t, ctx, "thirty-calm-"+theme)
	}

	does(t, ctx, chromedp.EmulateViewport(1280, 800))
	eval[bool](t, ctx, record)
	docker.Docker(t, "kill", "orders-db")
	sees(t, ctx, "the verification", `samples.some(f => f.About === "orders-db" && f.Lane === "verification")`)
	everyWidth(t, ctx, "thirty-one-red")
	does(t, ctx, chromedp.EmulateViewport(1280, 800))
	sees(t, ctx, "the end of the repair", `samples.some(f => f.About === "orders-db" && f.Lane === "resolved")`)
	stages := agrees(t, ctx)
	for _, stage := range []string{"action", "verification", "resolved"} {
		if !slices.Contains(stages, stage) {
			t.Errorf("the stage %q was never shown: %v", stage, stages)
		}
	}

	// Each place has the same pair of figures for the repair.
	figures := eval[string](t, ctx, `document.querySelector(".lane .healed p").textContent`)
	clock := eval[string](t, ctx, `document.querySelector(".lane-clock").textContent`)
	said := eval[string](t, ctx, `document.querySelector(".happened li[data-kind=repaired] div p:last-child").textContent`)
	if !strings.HasPrefix(figures, "Down for ") || figures != said || clock != figures {
		t.Errorf("the lane's end says %q, its clock %q, what happened %q", figures, clock, said)
	}
	looksThrough(t, ctx)
	if all := errors(); len(all) > 0 {
		t.Errorf("the console has errors: %q", all)
	}
}

// looksThrough searches, filters, and changes to the table, which is remembered.
func looksThrough(t *testing.T, ctx context.Context) {
	t.Helper()
	does(t, ctx, chromedp.KeyEvent("/"))
	sees(t, ctx, "the focus in the search", `document.activeElement.id === "search"`)
	eval[string](t, ctx, `document.activeElement.select() ?? ""`) // chromedp types the key itself, too, which a keyboard does not where the page took it
	does(t, ctx, chromedp.KeyEvent("orders-db"))
	sees(t, ctx, "the one that was searched", `[...document.querySelectorAll(".services [data-service]")].map(e => e.dataset.service).join() === "orders-db"`)
	does(t, ctx, chromedp.KeyEvent("\x1b"))
	sees(t, ctx, "all of them again", `document.querySelectorAll(".services [data-service]").length === 30`)
	press(t, ctx, "button", "Repaired today")
	sees(t, ctx, "those that were repaired", `[...document.querySelectorAll(".services [data-service]")].map(e => e.dataset.service).join() === "orders-db"`)
	press(t, ctx, "button", "All")
	press(t, ctx, "button", "Table")
	sees(t, ctx, "the table", `document.querySelector("table[aria-label=Services]")?.getAttribute("aria-rowcount") === "35"`) // thirty, four groups and the head
	everyWidth(t, ctx, "thirty-table")
	does(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Reload())
	sees(t, ctx, "the table after a reload", `document.querySelectorAll("table[aria-label=Services] tr[data-service]").length > 5`)
	press(t, ctx, "button", "Cells")
	sees(t, ctx, "the cells", `document.querySelectorAll(".cell[data-service]").length === 30`)
	press(t, ctx, "link", "service-07")
	sees(t, ctx, "its page", `location.pathname === "/services/service-07"`)
}

// everyWidth holds that nothing scrolls sideways and nothing is covered.
func everyWidth(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	for _, width := range []int64{360, 1280, 2560} {
		wholeAtWidth(t, ctx, name, width)
		picture(t, ctx, fmt.Sprintf("%s-%d", name, width))
	}
}

// press clicks the element with that role and accessible name.
func press(t *testing.T, ctx context.Context, role, name string) {
	t.Helper()
	var found *accessibility.Node
	for end := time.Now().Add(time.Minute); found == nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		nodes, err := chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) ([]*accessibility.Node, error) {
			document, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
			if err != nil {
				return nil, err
			}
			tree, err := cdp.Call(ctx, target, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.Result.ObjectID, Role: role, AccessibleName: name})
			if err != nil {
				return nil, err
			}
			return tree.Nodes, nil
		})
		if err != nil {
			t.Fatalf("look for the %s %q: %v", role, name, err)
		}
		if i := slices.IndexFunc(nodes, func(n *accessibility.Node) bool { return !n.Ignored }); i >= 0 {
			found = nodes[i]
		}
	}
	if found == nil {
		t.Fatalf("the page has no %s %q", role, name)
	}
	_, err := chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) (struct{}, error) {
		node, err := cdp.Call(ctx, target, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: found.BackendDOMNodeID})
		if err != nil {
			return struct{}{}, err
		}
		_, err = cdp.Call(ctx, target, runtime.CallFunctionOn, runtime.CallFunctionOnParams{ObjectID: node.Object.ObjectID, FunctionDeclaration: "function() { this.click() }", UserGesture: new(true)})
		return struct{}{}, err
	})
	if err != nil {
		t.Fatalf("press the %s %q: %v", role, name, err)
	}
}

// consoleErrors collects what the page's console has of errors from now on.
func consoleErrors(t *testing.T, ctx context.Context) func() []string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	add := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, text)
	}
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			add(ev.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if ev.Entry.Level == "error" {
				add(ev.Entry.Text + " " + ev.Entry.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// TestADisastersButtonDoesNotMove presses a button of the demo, and follows its place
// until the repair has ended. Nor do two places of the page disagree meanwhile.
func TestADisastersButtonDoesNotMove(t *testing.T) {
	t.Parallel()
	d := demo(t)
	ctx := browser(t)
	does(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "the button", `document.querySelectorAll('.card[data-status="UP"] .break button').length >= 3 && document.documentElement.dataset.conn === "live"`)
	sees(t, ctx, "the fonts", `document.fonts.status === "loaded"`) // until then letters are of another height
	sees(t, ctx, "the faults of every card", `document.querySelectorAll(".card .break").length === 3 && document.querySelectorAll(".card .l-line").length === 3`)
	eval[bool](t, ctx, `(window.places = [], window.seen = [], setInterval(() => {
		const at = Math.round(document.querySelector('.card[data-service="payment-service"] [data-fault="stop"]').getBoundingClientRect().top);
		if (innerWidth !== 1280 || places.at(-1) === at) return;
		places.push(at);
		seen.push([...document.querySelectorAll(".now, .lanes")].map((part) => part.innerText).join("\n"));
	}, 20), true)`)
	eval[bool](t, ctx, record)
	for _, fault := range []string{"stop", "hang"} { // the shortest lane, and the one with the most words
		breaks(t, ctx, "payment-service", fault)
		sees(t, ctx, "the incident", `["evidence", "diagnosis", "pause", "held", "action", "verification"].includes(document.querySelector(".lane")?.dataset.stage)`)
		sees(t, ctx, "the end of the repair", `document.querySelector(".lane")?.dataset.stage === "resolved"`)
		fillsItsPlace(t, ctx, fault)
	}
	if places := eval[[]int](t, ctx, "places"); slices.Max(places)-slices.Min(places) > 1 || places[0] > 800 { // a part of a pixel is rounded
		t.Errorf("the button's places from above, in px: %v, and what stood above it then:\n%s", places, strings.Join(eval[[]string](t, ctx, "seen"), "\n---\n"))
	}
	agrees(t, ctx) // cards, as cells do
}

// fillsItsPlace holds that the lane of a repair of the demo is not higher than its
// place, and leaves little of it empty, at each width where it has one.
func fillsItsPlace(t *testing.T, ctx context.Context, fault string) {
	t.Helper()
	for _, width := range []int64{1080, 1180, 1280, 1366, 1600, 1920, 2000, 2560, 3840} {
		does(t, ctx, chromedp.EmulateViewport(width, 800))
		got := eval[[]float64](t, ctx, `(lane => {
			const px = of => parseFloat(of), box = lane.getBoundingClientRect(), style = getComputedStyle(lane), rem = px(getComputedStyle(document.documentElement).fontSize);
			return [(box.height - px(style.minHeight)) / rem, (box.bottom - lane.querySelector(".steps").getBoundingClientRect().bottom) / rem];
		})(document.querySelector(".lane"))`)
		if over, empty := got[0], got[1]; over > 0.1 || width > 1080 && empty > 5 { // a line that a slow machine's repair lacks
			t.Errorf("%s at %d px: %.1f rem higher than its place, or %.1f rem of it empty", fault, width, over, empty)
		}
		picture(t, ctx, fmt.Sprintf("lane-%s-%d", fault, width))
	}
	does(t, ctx, chromedp.EmulateViewport(1280, 800))
}
