// Which service has the focus, as the page knows it: its row stays in the document.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { browse } from "../js/browse.js";

const NAMES = ["addEventListener", "document", "Element", "IntersectionObserver", "requestAnimationFrame"];
const real = Object.fromEntries(NAMES.map((name) => [name, globalThis[name]]));
let happens = {};

class Node {
  closest(what) {
    return what === ".services" || what === "[data-service]" ? { dataset: { service: this.name } } : null;
  }
}
const link = (name) => Object.assign(new Node(), { name });

beforeEach(() => {
  happens = {};
  Object.assign(globalThis, { addEventListener: (name, then) => (happens[name] = then), document: { body: {}, activeElement: null }, Element: Node, IntersectionObserver: class {} });
});
afterEach(() => Object.assign(globalThis, real));

test("a service has the focus while its window has not, and no more once another element has it", () => {
  const { look } = browse(() => {});
  const web = link("web");
  document.activeElement = web;
  happens.focusin({ target: web });
  assert.equal(look.focused, "web");
  happens.focusout({ target: web, relatedTarget: null }); // of the window: the element stays the active one
  assert.equal(look.focused, "web");
  document.activeElement = document.body;
  happens.focusout({ target: web, relatedTarget: null });
  assert.equal(look.focused, "");
});

test("a link of the map to a group that is not there shows it first, and is followed then", () => {
  const fields = { search: { value: "s1" }, sort: { value: "latency" } };
  document.getElementById = (id) => fields[id] ?? null;
  globalThis.requestAnimationFrame = () => 0;
  let drawn = 0;
  const { look, measure } = browse(() => drawn++);
  Object.assign(look, { text: "s1", show: "trouble", sort: "latency", first: 0 });
  let followed = 0;
  const to = Object.assign(new Node(), { getAttribute: () => "#group-c", click: () => followed++ });
  to.closest = (what) => (what === ".map a" ? to : null);
  const press = (more) => {
    let kept = true;
    happens.click({ target: to, button: 0, preventDefault: () => (kept = false), ...more });
    return kept;
  };
  const root = { querySelector: () => null, querySelectorAll: () => [] };
  assert.ok(press({ ctrlKey: true }), "in a tab of its own");
  assert.ok(!press());
  assert.deepEqual([look.text, look.show, look.sort, look.whole, look.to, fields.search.value, fields.sort.value, drawn], ["", "all", "trouble", true, "group-c", "", "trouble", 1]);
  fields["group-c"] = { getClientRects: () => [1] };
  measure(root);
  measure(root);
  assert.equal(followed, 1);
  assert.ok(press(), "what is there the browser itself finds");
  assert.equal(look.to, "group-c");
  happens.focusin({ target: link("web") });
  assert.deepEqual([look.to, look.focused], ["", "web"]);
});
