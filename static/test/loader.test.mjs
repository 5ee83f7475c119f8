// What is loaded from the API, and when again.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { loader } from "../js/loader.js";

const real = { fetch: globalThis.fetch, document: globalThis.document };
const settle = async () => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
};
const missing = () => new Response(JSON.stringify({ error: "it does not exist" }), { status: 404 });
let asked = [];
let answer = () => Response.json({});

// A loader whose page is drawn each second; its connection came at `since`.
const page = () => {
  const data = loader({ onAnswer() {}, onRefusal() {} });
  const of = { data, since: Date.now() };
  of.draw = async (paths, ms = 0) => {
    for (let at = 0; at <= ms; at += 1000) {
      if (at) mock.timers.tick(1000);
      data.want(paths, of.since);
      await settle();
    }
  };
  return of;
};

beforeEach(() => {
  asked = [];
  answer = () => Response.json({});
  globalThis.document = { hidden: false };
  globalThis.fetch = async (address) => {
    asked.push(String(address).replace("/api/v1", ""));
    return answer();
  };
  mock.timers.enable({ apis: ["Date"], now: 1e12 });
});
afterEach(() => {
  mock.timers.reset();
  Object.assign(globalThis, real);
});

const PATH = "/services/pay/container";

test("a path that answered 404 is loaded again once it was invalidated, and not before", async () => {
  const of = page();
  answer = missing;
  await of.draw([PATH], 30e3);
  assert.equal(asked.length, 1);
  answer = () => Response.json({ id: "new" });
  of.data.invalidate(PATH);
  await of.draw([PATH]);
  assert.deepEqual(of.data.answers.get(PATH).value, { id: "new" });
});

test("a path that answered 404 is loaded again after a new connection", async () => {
  const of = page();
  answer = missing;
  await of.draw([PATH], 10e3);
  of.since = Date.now();
  await of.draw([PATH], 10e3);
  assert.equal(asked.length, 2);
});

test("a path that is invalidated during its call is loaded again after it", async () => {
  const of = page();
  const calls = [];
  answer = () => new Promise((resolve) => calls.push(resolve));
  await of.draw(["/services/pay"]);
  of.data.invalidate("/services/pay");
  await of.draw(["/services/pay"], 2000);
  assert.equal(asked.length, 1, "one call of a path at a time");
  calls[0](Response.json({ status: "DOWN" }));
  await settle();
  await of.draw(["/services/pay"], 2000);
  assert.equal(asked.length, 2);
  calls[1](Response.json({ status: "UP" }));
  await settle();
  await of.draw(["/services/pay"], 10e3);
  assert.equal(asked.length, 2, "and once");
  assert.equal(of.data.answers.get("/services/pay").value.status, "UP");
});

test("a path whose answer grows old is loaded again only while the page is visible", async () => {
  const of = page();
  await of.draw([PATH], 20e3);
  const seen = asked.length;
  assert.ok(seen > 2, `${seen} calls`);
  document.hidden = true;
  await of.draw([PATH], 60e3);
  assert.equal(asked.length, seen);
  document.hidden = false;
  await of.draw([PATH]);
  assert.equal(asked.length, seen + 1);
});
