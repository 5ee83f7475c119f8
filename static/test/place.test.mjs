// Where the focus goes when what had it is gone.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { focus } from "../js/pictures.js";

const real = globalThis.document;
beforeEach(() => (globalThis.document = { body: {} }));
afterEach(() => (globalThis.document = real));

const redrawn = (before, ...there) => {
  let to = "";
  const node = (name) => ({ open: true, querySelector: () => node(`${name} button`), focus: () => (to = name) });
  focus({ querySelector: (what) => (there.includes(what) ? node(what) : null) }, before);
  return to;
};

test("the focus of an element that is removed goes to the one that it names, or to the heading; one that stays keeps it", () => {
  const gone = { isConnected: false, dataset: { focusNext: ".row" } };
  assert.equal(redrawn(gone, ".row", "h1[tabindex]"), ".row");
  assert.equal(redrawn(gone, "h1[tabindex]"), "h1[tabindex]");
  assert.equal(redrawn({ isConnected: false, dataset: {} }, ".row", "h1[tabindex]"), "h1[tabindex]");
  assert.equal(redrawn(gone, ".row", "dialog", "h1[tabindex]"), "dialog button");
  assert.equal(redrawn({ ...gone, isConnected: true }, ".row", "h1[tabindex]"), "");
  assert.equal(redrawn(document.body, "h1[tabindex]"), "");
});

test("an element that was moved and lost the focus by that has it again, unless another one took it", () => {
  let again = 0;
  const moved = { isConnected: true, dataset: {}, focus: () => again++ };
  document.activeElement = document.body;
  redrawn(moved, "h1[tabindex]");
  assert.equal(again, 1);
  document.activeElement = {};
  redrawn(moved, "h1[tabindex]");
  assert.equal(again, 1);
});
