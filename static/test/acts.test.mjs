// What a click sends, and what becomes of the answer.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { acts } from "../js/acts.js";
import * as store from "../js/store.js";

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
  delete globalThis.document;
});

// The page's own state, with a server that answers each path from `answers`.
function page(answers, why = "", state = store.empty()) {
  const seen = { sent: [], said: [], denied: 0, touched: 0 };
  globalThis.document = { getElementById: () => ({ value: why }) };
  globalThis.fetch = async (path, { body } = {}) => {
    seen.sent.push([path, body && JSON.parse(body)]);
    const [status, answer] = answers[path] ?? [404, { error: "not found" }];
    return { ok: status < 400, status, headers: new Headers(), json: async () => answer, text: async () => JSON.stringify(answer) };
  };
  const ui = { refusals: new Map(), sent: new Map(), own: [], windows: new Map() };
  return { ui, seen, acts: acts({ ui, reconnect() {}, deny: () => seen.denied++, schedule() {}, say: (what) => seen.said.push(what), state: () => state, invalidate: () => seen.touched++ }) };
}
const approve = { dataset: { of: "i1", command: "approve", request: "4" } };

test("an approval names the request that was shown, with the reason, and is said when it is done", async () => {
  const p = page({ "/api/v1/incidents/i1/approve": [202, { command: "c1" }], "/api/v1/commands/c1": [200, { result: { ok: true } }] }, " go on ");
  await p.acts.operate(approve);
  assert.deepEqual(p.seen.sent[0], ["/api/v1/incidents/i1/approve", { reason: "go on", request: 4 }]);
  assert.deepEqual([p.seen.said, p.ui.sent.size, p.ui.refusals.size], [["Approved"], 0, 0]);
});

test("a command that was not executed says why, without its own name", async () => {
  const p = page({ "/api/v1/incidents/i1/approve": [202, { command: "c1" }], "/api/v1/commands/c1": [200, { result: { ok: false, error: "approve: the request expired at 10:00" } }] });
  await p.acts.operate(approve);
  assert.equal(p.ui.refusals.get("i1"), "The request expired at 10:00.");
  assert.deepEqual(p.seen.said, []);
});

test("a command without a result is not said to be done, and what is said instead is gone once it is", async (t) => {
  t.mock.method(globalThis, "setTimeout", (then) => setImmediate(then));
  const answers = { "/api/v1/incidents/i1/approve": [202, { command: "c1" }], "/api/v1/commands/c1": [200, { result: null }] };
  const p = page(answers);
  await p.acts.operate(approve);
  const recorded = "LogStream recorded the command but has not executed it yet. See the last commands on the page Approvals.";
  assert.deepEqual([p.seen.said, p.ui.sent.size, p.ui.refusals.get("i1")], [[], 0, "LogStream gave no result within a minute. See the last commands on the page Approvals before you try again."]);
  const again = p.acts.operate(approve);
  while (p.ui.refusals.get("i1") !== recorded) await new Promise(setImmediate);
  assert.deepEqual([p.ui.refusals.get("i1"), p.ui.sent.size], [recorded, 1], "the button still waits");
  answers["/api/v1/commands/c1"][1].result = { ok: true };
  await again;
  assert.deepEqual([p.seen.said, p.ui.sent.size, p.ui.refusals.size], [["Approved"], 0, 0]);
});

test("a refused call says why, and a refused token is asked for", async () => {
  const p = page({ "/api/v1/incidents/i1/approve": [401, { error: "a token is required" }] });
  await p.acts.operate(approve);
  assert.equal(p.ui.refusals.get("i1"), "A token is required.");
  assert.equal(p.seen.denied, 1);
});
