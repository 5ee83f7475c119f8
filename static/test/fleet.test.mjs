import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, counted, counts, layout, matches, ranges, repairedToday, rowsInView, SETTLED, settle } from "../js/fleet.js";
import { T } from "./event_log.mjs";

const service = (name, more = {}) => ({ name, status: "UP", group: "", url: `http://host/${name}`, latency_ms: 5, ...more });
const names = (groups) => groups.map((of) => [of.group, ...of.services.map((one) => one.name)]);

test("few services are roomy, more are cells, very many a table; above eight the visitor's choice stands", () => {
  assert.deepEqual([1, 8, 9, 79, 80, 500].map((n) => layout(n)), ["roomy", "roomy", "grid", "grid", "table", "table"]);
  assert.deepEqual([8, 30, 300].map((n) => layout(n, "table")), ["roomy", "table", "table"]);
  assert.equal(layout(300, "grid"), "grid");
  assert.equal(layout(300, "<script>"), "table", "what is remembered may be anything");
});

test("trouble stands first in its group, and its group first; what waits for its root stands after it", () => {
  const list = [service("a", { group: "shop" }), service("b", { group: "data" }), service("c", { group: "data", status: "DOWN", held: "dependency" }), service("d", { group: "data", status: "DOWN" }), service("e", { group: "shop", status: "DEGRADED" }), service("f", { group: "ops" })];
  assert.deepEqual(names(arrange(list)), [["data", "d", "c", "b"], ["shop", "e", "a"], ["ops", "f"]]);
  assert.deepEqual(names(arrange(list.map((one) => ({ ...one, status: "UP" })))), [["shop", "a", "e"], ["data", "b", "c", "d"], ["ops", "f"]], "calm groups keep the configuration's order");
});

test("services can be sorted by name, latency and uptime", () => {
  const list = [service("b", { group: "x", latency_ms: 9, uptime: { "24h": 0.5 } }), service("a", { group: "y", latency_ms: 20, uptime: { "24h": 1 } }), service("c", { group: "x", latency_ms: 1 })];
  assert.deepEqual(names(arrange(list, "name")), [["x", "b", "c"], ["y", "a"]]);
  assert.deepEqual(names(arrange(list, "latency")), [["", "a", "b", "c"]]);
  assert.deepEqual(names(arrange(list, "uptime")), [["", "b", "a", "c"]], "what is not known stands last");
  assert.deepEqual(arrange([], "latency"), []);
});

test("every word that is typed must be found, in name, group, container, address or state", () => {
  const one = service("Checkout", { group: "shop", container: { name: "co-1" }, status: "DOWN" });
  for (const text of ["", "check", "SHOP out", "co-1", "host/check", "down"]) assert.ok(matches(one, { text }), text);
  for (const text of ["shop cart", "up", ".*"]) assert.ok(!matches(one, { text }), text);
});

test("what is shown alone: what is not up or is under repair, and what was repaired today", () => {
  const healed = repairedToday([{ service: "a", state: "resolved", attempts: 1, how: "healed", resolved: new Date(T - 3600e3).toISOString() }, { service: "b", state: "resolved", attempts: 1, how: "healed", resolved: new Date(T - 25 * 3600e3).toISOString() }, { service: "c", state: "resolved", attempts: 0, how: "recovered", resolved: new Date(T).toISOString() }], T);
  assert.deepEqual([...healed], ["a"]);
  const list = [service("a"), service("b", { open_incident: "i1" }), service("c", { status: "PENDING" })];
  assert.deepEqual(list.filter((one) => matches(one, { show: "trouble", healed })).map((one) => one.name), ["b", "c"]);
  assert.deepEqual(list.filter((one) => matches(one, { show: "repaired", healed })).map((one) => one.name), ["a"]);
});

test("cells keep their places while the pointer is among them, and for ten seconds otherwise", () => {
  const of = (down) => arrange(["a", "b", "c"].map((name) => service(name, { status: name === down ? "DOWN" : "UP" })));
  const order = (settled) => settled.groups[0].services.map((one) => one.name).join("");
  let settled = settle(of(""), null, { now: 0 });
  assert.equal(order(settled), "abc");
  settled = settle(of("c"), settled.order, { now: SETTLED });
  assert.equal(order(settled), "cab", "what is down is first at once, where nothing moved before");
  assert.equal(order(settle(of("b"), settled.order, { now: SETTLED + 5000 })), "cab");
  assert.equal(order(settle(of("b"), settled.order, { now: 5 * SETTLED, busy: true })), "cab");
  assert.equal(order(settle(of("b"), settled.order, { now: 5 * SETTLED })), "bac");
  assert.equal(order(settle(of("b"), settled.order, { now: SETTLED + 5000, key: "another filter" })), "bac");
  const more = settle([{ group: "", services: [service("new"), service("a"), service("c")] }], settled.order, { now: SETTLED + 1 });
  assert.equal(order(more), "canew", "a new one comes last until then, and one that is gone is gone");
});

test("a group counts its states, the worst first", () => {
  const list = [service("a"), service("b", { status: "DOWN" }), service("c"), service("d", { status: "UNKNOWN" })];
  assert.deepEqual(counts(list), [["DOWN", "1 down"], ["UNKNOWN", "1 without data"], ["UP", "2 up"]]);
  assert.equal(counted(list), "4 services: 1 down, 1 without data, 2 up");
  assert.equal(counted(Array(1200).fill(service("a"))), "1,200 services: 1,200 up");
});

test("of a table only the rows in view are drawn, with ten beyond", () => {
  assert.deepEqual(rowsInView(500, { top: 600, height: 800, row: 32 }), { from: 0, to: 17 });
  assert.deepEqual(rowsInView(500, { top: 6000, height: 800, row: 32 }), { from: 0, to: 10 }, "far below");
  assert.deepEqual(rowsInView(500, { top: -3200, height: 800, row: 32 }), { from: 90, to: 135 });
  assert.deepEqual(rowsInView(500, { top: -1e6, height: 800, row: 32 }), { from: 500, to: 500 });
  assert.deepEqual(rowsInView(500, { top: 0, height: 0, row: 0 }), { from: 0, to: 8 }, "before the first picture");
});

test("the row that has the focus is in the document with its neighbours, in view or not", () => {
  const view = { from: 90, to: 135 };
  assert.deepEqual(ranges(500, view), [view]);
  assert.deepEqual(ranges(500, view, 100), [view]);
  assert.deepEqual(ranges(500, view, 2), [{ from: 1, to: 4 }, view], "above");
  assert.deepEqual(ranges(500, view, 499), [view, { from: 498, to: 500 }], "below");
  assert.deepEqual(ranges(500, view, 88), [{ from: 87, to: 135 }], "beside it");
  assert.deepEqual(ranges(500, { from: 500, to: 500 }, 0), [{ from: 0, to: 2 }, { from: 500, to: 500 }], "far above");
});
