import assert from "node:assert/strict";
import { test } from "node:test";

import { forget, h, keep } from "../js/dom.js";

// Pictures of 60 rows, of which each changes in every picture, where ten may be made anew.
function pictures(n, rows = 60, most = 10) {
  const kept = new Map(), made = new Map();
  for (let i = 0; i < n; i++) {
    const allowance = { changed: most, added: rows };
    for (let row = 0; row < rows; row++) keep(kept, row, [i], () => (made.set(row, (made.get(row) ?? 0) + 1), h("li", {}, String(i))), allowance);
  }
  return made;
}

test("what changes in every picture does not keep out what is behind it", () => {
  const made = pictures(40);
  assert.equal(made.size, 60);
  assert.ok(Math.min(...made.values()) >= 4, JSON.stringify([...made]));
});

test("a view that is kept is a copy for each picture, of one view", () => {
  const kept = new Map();
  const [first, second] = [1, 2].map(() => keep(kept, "a", [1], () => h("li", { id: "x" }, "text")));
  assert.notEqual(first, second);
  assert.equal(first.props.view, second.props.view);
  assert.deepEqual([first.tag, first.attrs, first.kids], ["li", { id: "x" }, ["text"]]);
});

test("views that are not drawn any more are dropped once they are many", () => {
  const kept = new Map([["a", 1], ["b", 1], ["c", 1], ["d", 1]]);
  forget(new Set(["a", "b"]), kept);
  assert.equal(kept.size, 4);
  forget(new Set(["a"]), kept);
  assert.deepEqual([...kept.keys()], ["a"]);
});
