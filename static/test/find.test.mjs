// The search of the incidents: what is typed goes to the address.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { find } from "../js/find.js";

const NAMES = ["addEventListener", "document", "location", "history"];
const real = Object.fromEntries(NAMES.map((name) => [name, globalThis[name]]));
let heard, field, drawn, list, steps;

// As much of a document as the search touches: its field, the rows, and the focus.
beforeEach(() => {
  heard = new Map();
  drawn = 0;
  list = [];
  field = { id: "find", value: "", closest: () => field, blur: () => leave(null), focus: () => (document.activeElement = field), select() {} };
  globalThis.addEventListener = (kind, does) => heard.set(kind, [...(heard.get(kind) ?? []), does]);
  globalThis.location = { pathname: "/incidents", search: "" };
  steps = [{ state: null, to: "/incidents" }];
  const at = (to) => ([location.pathname, location.search = ""] = to.split(/(?=\?)/));
  globalThis.history = {
    get state() { return steps.at(-1).state; },
    replaceState(state, _, to) { steps[steps.length - 1] = { state, to }; at(to); },
    pushState(state, _, to) { steps.push({ state, to }); at(to); },
    back() { steps.pop(); at(steps.at(-1).to); happens("popstate"); },
  };
  globalThis.document = { activeElement: field, getElementById: (id) => (id === "find" ? field : null), querySelector: () => null, querySelectorAll: (what) => (what.startsWith(".incident-row") ? list : []) };
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  mock.timers.reset();
  for (const name of NAMES) globalThis[name] = real[name];
});

const happens = (kind, more = {}) => {
  const event = { target: document.activeElement, prevented: false, preventDefault: () => (event.prevented = true), ...more };
  for (const does of heard.get(kind) ?? []) does(event);
  return event;
};
const type = (text) => {
  field.value = text;
  happens("input");
};
const leave = (to) => {
  const target = document.activeElement;
  document.activeElement = to;
  happens("focusout", { target });
};
const row = (name) => ({ name, focus() { leave(this); }, closest: () => null });
const search = () => find(() => drawn++);

test("what is typed is applied a moment after the last key", () => {
  search();
  for (const text of ["p", "pa", "pay"]) type(text);
  assert.equal(drawn, 0);
  mock.timers.tick(1000);
  assert.deepEqual([location.search, drawn], ["?q=pay", 1]);
});

for (const key of ["Enter", "ArrowDown"]) {
  test(`${key} asks for what was just typed, and goes to the first row of that`, () => {
    const finder = search();
    list = [row("old")];
    type("pay");
    assert.equal(happens("keydown", { key }).prevented, true);
    assert.equal(location.search, "?q=pay");
    assert.equal(document.activeElement, field, "the rows are those of before");
    list = [row("new"), row("other")];
    finder.measure();
    assert.equal(document.activeElement.name, "new");
    mock.timers.tick(1000);
    assert.equal(drawn, 1, "it is asked for once");
    document.activeElement = field;
    finder.measure();
    assert.equal(document.activeElement, field, "a later picture leaves the focus alone");
  });
}

test("Enter goes to the first row at once where nothing new was typed", () => {
  search();
  list = [row("first")];
  happens("keydown", { key: "Enter" });
  assert.equal(document.activeElement.name, "first");
});

test("what was typed stays when the field is left at once", () => {
  const finder = search();
  type("pay");
  leave(null);
  finder.measure();
  assert.deepEqual([field.value, location.search], ["pay", "?q=pay"]);
});

test("Esc clears what was typed, and another page gets no search of this one", () => {
  search();
  type("pay");
  happens("keydown", { key: "Escape" });
  assert.deepEqual([field.value, location.search], ["", ""]);
  document.activeElement = field;
  type("pay");
  location.pathname = "/incidents/i1";
  leave(null);
  mock.timers.tick(1000);
  assert.deepEqual([location.pathname, location.search], ["/incidents/i1", ""]);
});

test("each filter and each search is a step back, and a letter is none", () => {
  const finder = search();
  for (const text of ["p", "pay", "payment"]) {
    type(text);
    mock.timers.tick(1000);
  }
  happens("change", { target: { dataset: { filter: "cause" }, value: "killed" } });
  happens("change", { target: { dataset: { filter: "cause" }, value: "killed" } });
  type("pay");
  mock.timers.tick(1000);
  assert.deepEqual(steps.map((step) => step.to), ["/incidents", "/incidents?q=payment", "/incidents?cause=killed&q=payment", "/incidents?cause=killed&q=pay"]);
  for (const [to, text] of [["?cause=killed&q=payment", "payment"], ["?q=payment", "payment"], ["", ""]]) {
    history.back();
    finder.measure();
    assert.deepEqual([location.search, field.value], [to, text], "the field follows, though it has the focus");
  }
  type("inv");
  history.back = () => happens("popstate");
  history.back();
  mock.timers.tick(1000);
  assert.equal(location.search, "", "what waited to be asked for belongs to the page before");
});
