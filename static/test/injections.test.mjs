// Faults that were injected, from the records of their commands.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { textOf } from "../js/dom.js";
import { injections, kept, sent, activeFault } from "../js/injections.js";
import * as store from "../js/store.js";
import { entry } from "../js/view/feed.js";
import { at, T } from "./event_log.mjs";

const record = (id, ms, more = {}) => ({ id, time: at(ms), by: "operator:dashboard", service: "pay", command: "inject", args: { fault: "stop" }, result: { ok: true }, ...more });
const stored = (...records) => store.learnCommands(store.empty(), records).commands;
const said = (injection, now = T + 120e3) => textOf(entry({ key: "x", at: injection.at, kind: "injected", injection }, new Map(), {}, now));

afterEach(() => delete globalThis.localStorage);

test("faults come from the records of inject commands, the oldest first", () => {
  const list = injections(stored(record("c2", 2000, { args: { fault: "kill" } }), record("c1", 1000), record("c3", 3000, { command: "hold" }), record("c4", 4000, { args: { fault: "stop", undo: true } })));
  assert.deepEqual(list.map(({ id, fault, service, at: when }) => [id, fault, service, when]), [["c1", "stop", "pay", T + 1000], ["c2", "kill", "pay", T + 2000]]);
});

test("who injected it: this browser, the person who is logged in, or another by name", () => {
  const commands = stored(record("c1", 1), record("c2", 2, { by: "operator:ada" }), record("c3", 3, { by: "operator:bob" }), record("c4", 4, { by: "operator:api" }));
  const texts = injections(commands, { own: ["c1"], person: "ada" }).map((one) => said(one));
  assert.match(texts[0], /You stopped pay\.Injected on purpose$/);
  assert.match(texts[1], /You stopped pay\./);
  assert.match(texts[2], /bob stopped pay\./);
  assert.match(texts[3], /An operator through the API stopped pay\./);
  assert.equal(injections(stored(record("c1", 1, { by: "operator:" })), { person: "" })[0].you, false, "no name is no person");
});

test("a fault is active until it is taken back, or a repair ended an incident that opened after it", () => {
  const row = (opened, more) => ({ service: "pay", state: "resolved", attempts: 1, how: "healed", opened: at(opened), resolved: at(opened + 5000), ...more });
  const undo = (ms, more) => record("u1", ms, { args: { fault: "stop", undo: true }, ...more });
  const of = (records, rows = [], now = 60e3) => activeFault(injections(stored(record("c1", 1000), ...records)), "pay", rows, T + now)?.id;
  assert.equal(of([]), "c1");
  assert.equal(of([undo(2000)]), undefined);
  assert.equal(of([undo(500)]), "c1", "the one before was taken back");
  assert.equal(of([undo(2000, { result: null })]), "c1", "it is not carried out yet");
  assert.equal(of([undo(2000, { result: { ok: false, error: "no" } })]), "c1");
  assert.equal(of([undo(2000, { service: "stock" })]), "c1");
  assert.equal(of([undo(2000, { args: { fault: "kill", undo: true } })]), "c1");
  assert.equal(of([], [row(1500)]), undefined);
  assert.equal(of([], [row(500)]), "c1", "that incident is of before");
  for (const more of [{ how: "recovered" }, { how: "operator" }, { state: "open" }, { attempts: 0 }]) assert.equal(of([], [row(1500, more)]), "c1", JSON.stringify(more));
  assert.equal(of([], [], 20 * 60e3), undefined);
  assert.equal(of([record("c2", 2000, { args: { fault: "kill" } }), record("u2", 3000, { args: { fault: "kill", undo: true } })]), "c1");
});

test("a fault that was refused says why", () => {
  const [one] = injections(stored(record("c1", 1, { result: { ok: false, error: "the container is gone" } })));
  assert.match(said(one), /tried the fault “Stop” on pay\.The container is gone\.$/);
});

test("a frame brings a command at once, its result later, and an older answer of the API takes none away", () => {
  let state = store.fold(store.empty(), { type: "snapshot", seq: 1 }, T).state;
  state = store.fold(state, { type: "events", seq: 2, events: [{ kind: "command", data: record("c1", 1, { result: undefined }) }] }, T).state;
  assert.equal(injections(state.commands).length, 1);
  state = store.fold(state, { type: "events", seq: 3, events: [{ kind: "command", data: record("c1", 1, { result: { ok: false, error: "no" } }) }] }, T).state;
  state = store.learnCommands(state, [record("c1", 1, { result: null })]);
  assert.equal(injections(state.commands)[0].error, "no");
  state = store.fold(state, { type: "snapshot", seq: 9 }, T).state;
  assert.equal(injections(state.commands).length, 1, "a new connection forgets none");
  assert.equal(store.learnCommands(state, null).commands.size, 1);
});

test("the browser keeps the newest ids that it sent, and none where it has no storage", () => {
  assert.deepEqual([kept(), sent("c1")], [[], ["c1"]]);
  const items = new Map();
  globalThis.localStorage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
  for (let i = 0; i < 120; i++) sent(`c${i}`);
  assert.deepEqual([kept().length, kept().at(-1), kept()[0]], [100, "c119", "c20"]);
  items.set("logstream-commands", "{broken");
  assert.deepEqual(kept(), []);
});
