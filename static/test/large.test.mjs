import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { ANEW } from "../js/fleet.js";
import { isLarge, needed, paths, upkeep, whole } from "../js/large.js";
import { pictures } from "../js/pictures.js";
import { MOST } from "../js/socket.js";
import * as store from "../js/store.js";
import * as overview from "../js/pages/overview.js";
import { feed } from "../js/view/feed.js";
import { map } from "../js/view/map.js";

const T = Date.UTC(2026, 10, 24, 14, 0, 0);
const names = (n) => Array.from({ length: n }, (_, i) => `s${i}`);
const fleet = (n, more = {}) => store.fold(store.empty(), { type: "snapshot", seq: 1, services: names(n).map((name) => ({ name, status: "UP", ...more[name] })), incidents: [], info: { instance: "box" } }, T).state;

test("of a small fleet all observations are needed, of a large one those in view and of what is open", () => {
  assert.equal(needed(fleet(79), { shown: ["s1"] }), null);
  assert.ok(isLarge(fleet(80)));
  assert.deepEqual(needed(fleet(80), { shown: ["s1", "s2"], about: ["s70", "s1", "gone"] }), ["s1", "s2", "s70"]);
  assert.deepEqual(needed(fleet(80), { name: "s3" }), ["s3"]);
  assert.deepEqual(needed(fleet(80), {}), []);
  assert.equal(needed(fleet(1000), { about: names(1000) }).length, MOST, "no more than the server takes: of more it sends all");
});

test("histories in view are loaded again each minute, and what nothing needs is forgotten", () => {
  const tidied = [];
  const keep = upkeep((state, of) => (tidied.push(of), { ...state, tidy: true }));
  assert.deepEqual(keep(1, null, T), { state: 1, old: [] });
  assert.deepEqual(keep({}, ["a"], T), { state: { tidy: true }, old: ["a"] });
  assert.deepEqual(keep({}, ["a"], T + 9e3), { state: {}, old: [] });
  assert.deepEqual(keep({}, ["b"], T + 10e3), { state: { tidy: true }, old: [] });
  assert.deepEqual(keep({}, ["b"], T + 60e3).old, ["b"]);
  assert.deepEqual(tidied, [["a"], ["b"], ["b"]]);
  assert.deepEqual(paths("a/b"), ["/services/a%2Fb/history?window=1h", "/services/a%2Fb"]);
});

test("an incident is computed again only where something of it changed", () => {
  const made = whole();
  let state = fleet(2);
  const event = (seq, id, type) => ({ kind: "incident", data: { id, seq, service: "s0", type, time: new Date(T).toISOString(), state: "open", data: {}, incident: { state: "open", opened: new Date(T).toISOString() } } });
  state = store.fold(state, { type: "events", seq: 2, events: [event(1, "a", "opened"), event(1, "b", "opened")] }, T).state;
  const first = made(state);
  assert.deepEqual([...first.keys()], ["a", "b"]);
  assert.equal(made({ ...state }).get("a"), first.get("a"));
  state = store.fold(state, { type: "events", seq: 3, events: [event(2, "a", "evidence")] }, T).state;
  const next = made(state);
  assert.notEqual(next.get("a"), first.get("a"));
  assert.equal(next.get("b"), first.get("b"));
});

test("a frame with many events copies each map once, and leaves the state before it", () => {
  const state = fleet(2);
  const next = store.fold(state, { type: "events", seq: 2, events: [1, 2, 3].flatMap((i) => names(2).map((service) => ({ kind: "health", data: { service, timestamp: T / 1000 + i } }))) }, T).state;
  assert.deepEqual([...next.health].map(([name, list]) => [name, list.length]), [["s0", 3], ["s1", 3]]);
  assert.equal(state.health.size, 0);
  assert.equal(next.services, state.services, "what has no event stays the same");
});

test("renders for incoming frames are spaced, and a render for a person's action is not delayed", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const frames = [];
  Object.assign(globalThis, { requestAnimationFrame: (call) => frames.push(call), cancelAnimationFrame: () => frames.splice(0) });
  let taken = 0;
  let drawn = 0;
  let apart = 250;
  const { schedule, soon } = pictures({ take: () => taken++, render: () => drawn++, apart: () => apart });
  const frame = () => { // and the task that follows it
    frames.splice(0).forEach((call) => call());
    t.mock.timers.tick(1);
  };
  t.mock.timers.tick(1000);
  soon();
  frames.splice(0).forEach((call) => call());
  assert.deepEqual([taken, drawn], [1, 0], "what came is taken in by a task of its own");
  t.mock.timers.tick(1);
  assert.deepEqual([taken, drawn], [1, 1]);
  for (let i = 0; i < 24; i++) {
    soon();
    t.mock.timers.tick(9);
    frame();
  }
  assert.equal(drawn, 1);
  t.mock.timers.tick(10);
  frame();
  assert.equal(drawn, 2);
  soon();
  schedule();
  frame();
  assert.equal(drawn, 3);
  t.mock.timers.tick(2000);
  assert.equal(drawn, 3, "what was drawn meanwhile is not drawn again");
  schedule();
  t.mock.timers.tick(1001);
  assert.equal(drawn, 4, "a hidden tab draws no frames");
  apart = 0;
  soon();
  frames.splice(0).forEach((call) => call());
  assert.deepEqual([taken, drawn], [5, 5], "a small fleet is taken in and drawn at once");
});

test("a night with a thousand calls is a few marks, which say how many", () => {
  const night = { from: T, to: T + 36e6, text: "Last night.", marks: Array.from({ length: 1000 }, (_, i) => ({ at: T + 9e6 + (i % 2) * 18e6, kind: "person", row: { id: `i${i}`, service: `s${i}` } })) };
  const marksOf = (of) => find(feed({ list: [], incidents: new Map(), info: null, now: T, night: of }), (e) => e.attrs.class === "night-person").map(textOf);
  assert.deepEqual(marksOf(night).map((text) => text.replace(/^.*?, /, "")), ["500 incidents: a person was called", "500 incidents: a person was called"]);
  assert.equal(marksOf({ ...night, marks: night.marks.slice(0, 40) }).length, 40);
});

test("the map of a thousand services is few elements, and names what has trouble", () => {
  const down = Object.fromEntries([3, 5].map((i) => [`s${i}`, { status: "DOWN" }]));
  const at = (more) => map({ groups: [{ group: "g", services: [...fleet(1000, more).services.values()] }], repairing: new Set(["s5"]) });
  const shown = at(down);
  assert.ok(find(shown, () => true).length < 20);
  assert.deepEqual(find(shown, (e) => e.tag === "title").map(textOf), ["998 services: Up", "s3: Down", "s5: Down"]);
  assert.ok(find(at(Object.fromEntries(names(1000).map((name) => [name, { status: "DOWN" }]))), () => true).length < 120, "when all are down, too");
  const [svg] = find(shown, (e) => e.tag === "svg");
  assert.ok(svg.attrs.width > svg.attrs.height && svg.attrs.width < 700, `${svg.attrs.width} × ${svg.attrs.height}`);
});

const look = (more) => ({ text: "", show: "all", sort: "trouble", view: "", whole: false, order: null, busy: false, first: false, visible: new Set(), window: { top: 500, height: 800, width: 1280, row: 32 }, ...more });
const drawn = (state, more) => pictureOf(state, look(more));
const pictureOf = (state, look) => overview.view({ state, look, now: T + 5000, incidents: new Map(), agent: state.agent, name: "", stale: false, conn: "live", answers: new Map(), query: new URLSearchParams(), injections: [], refusals: new Map(), sizes: new Map(), windows: new Map() });
const rowsOf = (view) => find(view, (e) => e.attrs["data-service"]).map((e) => e.attrs["data-service"]);

test("of very many services what is broken is the first picture, and they come with the third", () => {
  const parts = (first) => [".agent", ".happened", ".services"].map((name) => find(drawn(fleet(300, { s7: { status: "DOWN" } }), { first }), (e) => String(e.attrs.class).split(" ").includes(name.slice(1))).length > 0);
  assert.deepEqual([2, 1, 0].map(parts), [[false, false, false], [true, true, false], [true, true, true]]);
  assert.match(textOf(drawn(fleet(300, { s7: { status: "DOWN" } }), { first: 2 })), /s7 is down/);
  assert.equal(find(drawn(fleet(300), { first: true }), (e) => e.attrs.id === "search").length, 0);
  assert.equal(find(drawn(fleet(300)), (e) => e.attrs.id === "search").length, 1);
  assert.equal(find(drawn(fleet(30), { first: true }), (e) => e.attrs.id === "search").length, 1);
  assert.match(textOf(drawn(fleet(1200), { text: "s" })), /1,200 of 1,200 services/);
  assert.equal(rowsOf(drawn(fleet(300), { window: { top: 0, height: 0, width: Infinity, row: 0 } })).length, 8, "and few rows, until the height of one is known");
});

test("a group that a link leads to is in the table, out of view or not, and a table without groups is one", () => {
  const groupsOf = (more) => find(drawn(fleet(300, Object.fromEntries(names(300).map((name, i) => [name, { group: "abc"[Math.floor(i / 100)] }]))), more), (e) => String(e.attrs.id).startsWith("group-")).map((e) => e.attrs.id);
  assert.deepEqual(groupsOf({}), ["group-a"]);
  assert.deepEqual(groupsOf({ to: "group-c" }), ["group-a", "group-c"]);
  assert.deepEqual(groupsOf({ to: "group-c", focused: "s1" }), ["group-a", "group-c"]);
  assert.deepEqual(find(drawn(fleet(300)), (e) => e.attrs.id === "group-").map((e) => e.tag), ["div"]);
});

test("on a phone the rows of a table that are up stand behind a button", () => {
  const state = fleet(300, { s7: { status: "DOWN" } });
  const phone = { window: { top: 500, height: 800, width: 360, row: 56 } };
  const buttons = (view) => find(view, (e) => e.attrs["data-act"] === "whole").map(textOf);
  const view = drawn(state, phone);
  assert.deepEqual(rowsOf(view), ["s7"]);
  assert.deepEqual(buttons(view), ["299 services up: show"]);
  assert.ok(rowsOf(drawn(state, { ...phone, whole: true })).length > 10);
  assert.ok(rowsOf(drawn(state, { ...phone, text: "s1" })).length > 10, "what is searched is shown");
  assert.deepEqual(buttons(drawn(state, {})), []);
  const calm = drawn(fleet(300), phone);
  assert.deepEqual([rowsOf(calm), find(calm, (e) => e.tag === "table").length], [[], 0]);
});

const settled = (state, more) => { // pictures until none is short
  for (let i = 0; i < 100; i++) {
    const of = look({ view: "grid", ...more });
    const view = pictureOf(state, of);
    if (!of.short) return view;
  }
  throw new Error("it never ends");
};

test("of very many cells only those in view are drawn, in rows that keep their room", () => {
  const state = fleet(1000, Object.fromEntries(names(1000).map((name, i) => [name, { group: `w${i % 2}` }])));
  const at = (w0, w1) => settled(state, { window: { top: 0, height: 800, width: 1280, row: 133, columns: 5, tops: new Map([["w0", w0], ["w1", w1]]) } });
  const room = (view) => find(view, (e) => e.attrs.class === "space").map((e) => e.attrs.height / 133);
  const upper = at(400, 400 + 100 * 133);
  assert.equal(rowsOf(upper).length, 6 * 5, "of the first group four rows in view, and two beyond");
  assert.deepEqual(room(upper), [94, 100], "and the others keep their room, all of the second group");
  const between = at(400 - 100 * 133, 400);
  assert.deepEqual(room(between), [94, 94]);
  const [first] = find(between, (e) => e.attrs["data-service"]);
  assert.deepEqual([first.attrs["aria-posinset"], first.attrs["aria-setsize"]], [471, 500], "a reader hears which of how many it is");
  assert.ok(rowsOf(at(9000, 9000 + 100 * 133)).length === 10, "far below, the first two rows are there: the keyboard goes on into them");
  assert.equal(find(upper, (e) => e.tag === "h3" && e.attrs.class === "group").length, 2, "each group has its heading, to which the map leads");
});

test("a picture of a large fleet makes few rows anew, and the next ones go on", () => {
  const all = (status) => fleet(1000, Object.fromEntries(names(1000).map((name) => [name, { status, group: "anew" }])));
  for (const view of ["grid", "table"]) {
    const more = { view, window: { top: 100, height: 1500, width: 1280, row: view === "grid" ? 133 : 32, columns: 5, tops: new Map([["anew", 100]]) } };
    settled(all("UP"), more);
    const of = (state) => {
      const chosen = look(more);
      const shown = pictureOf(state, chosen);
      return [find(shown, (e) => e.attrs["data-status"] === "DOWN").map((e) => e.attrs["data-service"]), find(shown, (e) => e.attrs["data-service"]).length, chosen.short];
    };
    const red = all("DOWN");
    const pictures = [];
    do pictures.push(of(red));
    while (pictures.at(-1)[2]);
    const most = pictures.at(-1)[1];
    assert.ok(most > 40, `${view}: ${most} in view`);
    assert.deepEqual(pictures.map(([down]) => down.length), Array.from({ length: Math.ceil(most / ANEW) }, (_, i) => Math.min(most, (i + 1) * ANEW)), view);
    assert.deepEqual(pictures[0][0], pictures.at(-1)[0].slice(0, ANEW), `${view}: the first ones first`);
    assert.ok(pictures.every(([, n]) => n === most), `${view}: those that wait stay as they were`);
  }
});
