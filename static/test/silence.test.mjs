// What the page shows of a silence.

import assert from "node:assert/strict";
import { test } from "node:test";

import { find, textOf } from "../js/dom.js";
import { panel } from "../js/silence.js";

const at = Date.parse("2026-03-01T12:00:00Z");
const acts = (view) => find(view, (of) => of.attrs["data-act"]).map((of) => of.attrs["data-act"]);
const model = (more) => ({ ctx: { refusals: new Map(), stale: false }, at, service: { name: "web", container: { name: "web" }, ...more } });

test("a service that is not silenced can be, for three lengths", () => {
  assert.deepEqual(acts(panel(model({}))), ["silence", "silence", "silence"]);
});

test("a silence that is over is none", () => {
  assert.equal(acts(panel(model({ silenced_until: "2026-03-01T11:59:59Z" })))[0], "silence");
});

test("a silence says until when, why and by whom, and can be ended", () => {
  const shown = panel(model({ silenced_until: "2026-03-01T13:00:00Z", silence_reason: "a migration", silenced_by: "operator:ada" }));
  assert.deepEqual(acts(shown), ["unsilence"]);
  assert.match(textOf(shown), /a migration|A migration/);
  assert.match(textOf(shown), /ada/);
});

test("what is never repaired cannot be silenced", () => {
  assert.equal(panel(model({ container: null })), null);
  assert.equal(panel(model({ managed: false })), null);
});

test("its buttons say what they do and for how long", () => {
  const shown = panel(model({}));
  assert.deepEqual(find(shown, (of) => of.tag === "button").map(textOf), ["Silence 10 min", "Silence 1 h", "Silence 8 h"]);
  assert.match(textOf(panel(model({ silenced_until: "2026-03-01T13:00:00Z", silence_reason: "from the dashboard", silenced_by: "operator:dashboard" }))), /Silenced by an operator on the dashboard\./);
});
