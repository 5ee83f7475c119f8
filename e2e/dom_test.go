//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// drawing draws a small page of its own into the document, twice, and says what
// stayed of the first render.
const drawing = `(async () => {
	const { h, keep, draw } = await import("/js/dom.js");
	const place = document.body.appendChild(document.createElement("section"));
	const kept = new Map(), frame = (n) => [
		n > 1 && h("p", { key: "banner" }, "a banner"),
		h("form", { key: "form", action: "/api/v1/x", novalidate: true },
			n > 1 ? h("p", {}, "a hint") : null,
			h("input", { id: "text", value: n > 2 ? "other" : "first", spellcheck: "false" }),
			h("input", { id: "radio", type: "radio", name: "of", value: "a", checked: true }),
			h("input", { id: "other", type: "radio", name: "of", value: "b" }),
			h("select", { id: "choice" }, ["a", "b"].map((name) => h("option", { key: name, value: name, selected: name === "b" }, name))),
			h("button", { id: "button", type: "button", disabled: n > 1 }, "Press")),
		keep(kept, "rows", [], () => h("div", { key: "rows", id: "rows" }, h("a", { href: "/services/a" }, "a"), h("a", { href: "#b" }, "b"))),
		h("ul", { key: "list", id: "list" }, (n > 1 ? ["new", "c", "b", "a"] : ["a", "b", "c"]).map((name) => h("li", { key: name, id: "li-" + name }, h("button", {}, name)))),
		h("details", { key: "more", id: "more" }, h("summary", {}, "More"), "<b>" + n + "</b>"),
		h("svg", { key: "svg", viewBox: "0 0 8 8", class: "c" + n }, h("path", { d: "M0 0h" + n })),
	];
	draw(place, frame(1));
	const one = (q) => place.querySelector(q), before = new Map(["#text", "#rows", "#li-a", "#more", "svg", "#choice", "form"].map((q) => [q, one(q)]));
	one("#text").value = "typed";
	one("#other").checked = true;
	one("#choice").value = "a";
	one("#more").open = true;
	one("#text").focus();
	one("#text").setSelectionRange(2, 3);
	let writes = [];
	const watch = new MutationObserver((list) => writes.push(...list));
	watch.observe(place, { subtree: true, childList: true, attributes: true, characterData: true });
	draw(place, frame(1));
	const unchanged = watch.takeRecords().length;
	one("#rows").append("a change that is not the page's");
	watch.takeRecords();
	draw(place, frame(2));
	const drawn = watch.takeRecords();
	const second = { kept: [...before].filter(([q, node]) => one(q) !== node).map(([q]) => q).join(), focus: document.activeElement?.id, caret: one("#text").selectionStart, skipped: one("#rows").textContent, order: [...one("#list").children].map((li) => li.textContent).join(""), banner: place.firstChild.textContent };
	draw(place, frame(3));
	const third = { typed: one("#text").value, begins: one("#text").getAttribute("value") };
	draw(place, frame(1));
	return JSON.stringify({
		unchanged, second, third, writes: drawn.length < 30,
		other: one("#other").checked, choice: one("#choice").value, open: one("#more").open, spellcheck: one("#text").getAttribute("spellcheck"),
		pressable: !one("#button").disabled, text: one("#more").lastChild.data, elements: one("#more").children.length,
		svg: one("path").namespaceURI + " " + one("svg").getAttribute("viewBox") + " " + one("svg").getAttribute("class"),
		href: one("#rows a").getAttribute("href"), hash: one("#rows a:last-of-type").getAttribute("href"), action: one("form").getAttribute("action"),
		novalidate: one("form").noValidate, gone: place.firstChild.tagName,
	}, null, 1);
})()`

const drawnSo = `{
 "unchanged": 0,
 "second": {
  "kept": "",
  "focus": "text",
  "caret": 2,
  "skipped": "aba change that is not the page's",
  "order": "newcba",
  "banner": "a banner"
 },
 "third": {
  "typed": "typed",
  "begins": "other"
 },
 "writes": true,
 "other": true,
 "choice": "a",
 "open": true,
 "spellcheck": "false",
 "pressable": true,
 "text": "<b>1</b>",
 "elements": 1,
 "svg": "http://www.w3.org/2000/svg 0 0 8 8 c1",
 "href": "/base/services/a",
 "hash": "#b",
 "action": "/base/api/v1/x",
 "novalidate": true,
 "gone": "FORM"
}`

// TestRenderKeepsFocusAndInput renders one view after the other: the focus, what is
// typed and chosen, and every element that stays are the same. A render without a change
// writes nothing, and does not even compare what keep() returned.
func TestRenderKeepsFocusAndInput(t *testing.T) {
	t.Parallel()
	files := http.FileServer(http.Dir("../static"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/" {
			files.ServeHTTP(w, req)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><html data-base="/base"><body></body></html>`)
	}))
	defer server.Close()
	ctx := browser(t)
	does(t, ctx, chromedp.Navigate(server.URL))
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](drawing, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if got != drawnSo {
		t.Errorf("it was drawn so: %s", got)
	}
}
