// Which page is at an address, and when its code is loaded.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { textOf } from "../js/dom.js";
import { coming, missing } from "../js/pages/coming.js";
import { CODE, library, routed, served } from "../js/pages.js";
import { begin, connect } from "../js/socket.js";

const settle = () => new Promise((resolve) => setTimeout(resolve));

test("each address has its page", () => {
  const tests = [["/", "overview", ""], ["/nothing", "overview", ""], ["/incidents", "incidents", ""], ["/incidents/", "incidents", ""], ["/incidents/a%2Fb", "incident", "a/b"], ["/services/web", "service", "web"], ["/services/%", "service", "%"], ["/approvals", "approvals", ""], ["/add", "add", ""], ["/system", "system", ""]];
  for (const [path, page, subject] of tests) assert.deepEqual(routed(path), { page, subject }, path);
});

test("each page module exports view, title and needs", async () => {
  for (const [name, load] of Object.entries(CODE)) {
    const page = await load();
    for (const part of ["view", "title", "needs"]) assert.equal(typeof page[part], "function", `${name} has no ${part}()`);
  }
});

// A library whose code comes, or fails, when the test says so.
const shelf = ({ answers = true, reload = () => false } = {}) => {
  const of = { requested: [], changes: 0, reloads: 0, answers };
  const code = Object.fromEntries(["one", "two"].map((name) => [name, () => new Promise((come, fail) => of.requested.push({ name, come: () => come(name), fail: () => fail(new Error("offline")) }))]));
  of.library = library({ code, onChange: () => of.changes++, answers: async () => of.answers, reload: () => (of.reloads++, reload()), idle: async () => {} });
  return of;
};

test("the code of a page is loaded once, when it is opened, and drawn when it came", async () => {
  const of = shelf();
  assert.equal(of.library.of("one"), null);
  assert.equal(of.library.of("one"), null);
  assert.equal(of.requested.length, 1);
  of.requested[0].come();
  await settle();
  assert.equal(of.library.of("one"), "one");
  assert.equal(of.changes, 1);
});

test("while LogStream does not answer a page has no code, and is tried again", async () => {
  const of = shelf({ answers: false });
  of.library.of("one");
  of.requested[0].fail();
  await settle();
  assert.equal(of.library.of("one"), undefined);
  assert.equal(of.requested.length, 1, "not with each picture");
  assert.equal(of.reloads, 0, "the browser would show an error of its own");
  of.library.again();
  assert.equal(of.library.of("one"), null);
  of.requested[1].come();
  await settle();
  assert.equal(of.library.of("one"), "one");
});

test("the page reloads once if LogStream answers but code is missing", async () => {
  let first = true;
  const of = shelf({ reload: () => first && !(first = false) });
  of.library.of("one");
  of.requested[0].fail();
  await settle();
  assert.deepEqual([of.reloads, of.changes, of.library.of("one")], [1, 0, null]);
  of.library.of("two");
  of.requested[1].fail();
  await settle();
  assert.deepEqual([of.reloads, of.library.of("two")], [2, undefined]);
});

test("the page is loaded again only where LogStream itself would serve it, and not a proxy's refusal", async () => {
  const before = { fetch: globalThis.fetch, location: globalThis.location };
  globalThis.location = { href: "http://x/services/web" };
  try {
    for (const [status, is] of [[200, true], [502, false], [503, false], [404, false], [0, false]]) {
      globalThis.fetch = async (address, { method }) => {
        assert.deepEqual([address, method], ["http://x/services/web", "HEAD"]);
        if (!status) throw new TypeError("fetch failed");
        return new Response(null, { status });
      };
      assert.equal(await served(), is, String(status));
    }
  } finally {
    Object.assign(globalThis, before);
  }
});

test("other pages are preloaded one after the other; a failed preload shows no error", async () => {
  const of = shelf();
  const all = of.library.ahead();
  await settle();
  assert.deepEqual(of.requested.map(({ name }) => name), ["one"]);
  of.requested[0].fail();
  await settle();
  assert.deepEqual(of.requested.map(({ name }) => name), ["one", "two"]);
  of.requested[1].come();
  await all;
  assert.equal(of.library.of("two"), "two");
  assert.equal(of.library.of("one"), null, "it is requested again when it is opened");
  assert.deepEqual([of.requested.length, of.reloads], [3, 0]);
});

test("what stands in for a page says what is awaited, and what to do", () => {
  assert.match(textOf(coming.view()), /Loading the page/);
  assert.match(textOf(missing.view()), /could not be loaded.*code of this page.*Press “Try again”.*tries again by itself when a lost connection is back.*Try again$/);
});

// ---- the connection that is made before there is anything to draw

const real = { WebSocket: globalThis.WebSocket, location: globalThis.location, setInterval: globalThis.setInterval };
let sockets = [];
beforeEach(() => {
  sockets = [];
  globalThis.location = { protocol: "http:", host: "x" };
  globalThis.setInterval = () => 0;
  globalThis.WebSocket = class {
    static OPEN = 1;
    readyState = 0;
    constructor() {
      sockets.push(this);
    }
    close() {}
  };
});
afterEach(() => Object.assign(globalThis, real));

const frame = (seq) => ({ data: JSON.stringify({ type: seq === 1 ? "snapshot" : "events", seq }) });

test("frames of the early connection wait for the page, in order", async () => {
  begin();
  sockets[0].onmessage(frame(1));
  sockets[0].onmessage(frame(2));
  const seen = [];
  connect({ onFrame: ({ seq }) => seen.push(seq), onChange: ({ live }) => seen.push(live) });
  assert.deepEqual(seen, [], "none before the page's code has run to its end");
  await settle();
  sockets[0].onmessage(frame(3));
  assert.deepEqual(seen, [true, 1, 2, 3]);
  assert.equal(sockets.length, 1);
});

test("where the early connection was refused, the page makes one of its own after the usual wait", () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    begin();
    sockets[0].readyState = 3;
    const seen = [];
    connect({ onFrame() {}, onChange: (change) => seen.push(change) });
    assert.equal(sockets.length, 1, "one at once would count as another attempt of that address");
    assert.deepEqual([seen.length, seen[0]?.live, seen[0]?.failures], [1, false, 1]);
    assert.ok(seen[0].retryAt > 0);
    mock.timers.tick(500);
    assert.equal(sockets.length, 2);
  } finally {
    mock.timers.reset();
  }
});
