// Which service has the focus, as the page knows it: its row stays in the document.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { browse } from "../js/browse.js";

const NAMES = ["addEventListener", "document", "Element", "IntersectionObserver"];
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
