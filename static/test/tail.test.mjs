// The live end of a container's output, and how its log is shown.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { level } from "../js/log.js";
import { emptyTail, tail } from "../js/tail.js";
import { logPanel } from "../js/view/log.js";

const real = { fetch: globalThis.fetch, document: globalThis.document };
let asked = [];
let answer = () => {};
const gone = () => new Response(JSON.stringify({ error: "pay has no container" }), { status: 404 });
const lines = (...texts) => Response.json({ cursor: String(asked.length), lines: texts.map((text) => ({ time: "2026-11-24T14:00:00Z", text })) });
const settle = () => new Promise((resolve) => setImmediate(resolve)); // promises are through, and no timer
const pass = async (ms) => {
  for (let at = 0; at < ms; at += 1000) {
    mock.timers.tick(1000);
    await settle();
    await settle();
  }
};

// A log of which each change makes a picture, as the page does it.
const page = async () => {
  const seen = { pictures: 0 };
  seen.log = tail(() => {
    seen.pictures++;
    queueMicrotask(() => seen.log.follow("pay"));
  });
  seen.log.follow("pay");
  await settle();
  await settle();
  return seen;
};

beforeEach(() => {
  asked = [];
  globalThis.document = { hidden: false };
  globalThis.fetch = async (address) => {
    asked.push(String(address));
    return asked.length > 100 ? new Promise(() => {}) : answer();
  };
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  mock.timers.reset();
  Object.assign(globalThis, real);
});

test("a log whose container does not exist is asked for each five seconds, however often the page is drawn", async () => {
  answer = gone;
  const { log } = await page();
  for (let i = 0; i < 20; i++) log.follow("pay");
  await settle();
  assert.equal(asked.length, 1);
  await pass(20e3);
  assert.equal(asked.length, 5);
  log.follow(null);
});

test("a log goes on once its container is there again", async () => {
  answer = () => lines("one");
  const { log } = await page();
  answer = gone;
  await pass(2000);
  assert.equal(log.state.refusal.status, 404);
  answer = () => lines("two");
  await pass(6000);
  assert.equal(log.state.refusal, null);
  assert.equal(log.state.lines.at(-1).text, "two");
  log.follow(null);
});

test("a log that is left or paused is asked for no more, and goes on where it was", async () => {
  answer = () => lines("one");
  const { log } = await page();
  log.pause();
  log.follow("pay");
  const before = asked.length;
  await pass(5000);
  assert.equal(asked.length, before);
  log.pause();
  log.follow("pay");
  await settle();
  assert.equal(asked.length, before + 1);
  assert.match(asked.at(-1), /after=/);
  log.follow(null);
  await pass(5000);
  assert.equal(asked.length, before + 1);
});

const shown = (more) => logPanel({ log: { ...emptyTail("pay"), ...more }, rows: [], events: () => [], stale: false });
const line = { id: 0, at: 1, text: "x", level: "", said: "x", gap: false };

test("a log that cannot be read is not called live", () => {
  for (const status of [404, 0, 503]) {
    const text = textOf(shown({ loaded: true, lines: [line], refusal: { status, message: "It is gone." } }));
    assert.ok(text.includes("Interrupted") && !text.includes("Live"), text);
  }
});

test("what changes with every batch of lines is not announced", () => {
  const live = find(shown({ loaded: true, lines: [line] }), (e) => e.attrs.role === "status" || e.attrs["aria-live"]);
  assert.deepEqual(live.map(textOf), []);
});

test("each service's log has a search field of its own", () => {
  const [one, other] = ["pay", "stock"].map((name) => find(shown({ name, loaded: true }), (e) => e.attrs.id === "log-search")[0].key);
  assert.notEqual(one, other);
});

test("the name of a member of Object is no level", () => {
  for (const name of ["constructor", "toString", "valueOf"]) assert.equal(level(`level=${name} x`), "");
});
