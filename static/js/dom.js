// A view is a pure function from what is known to a tree of plain objects, which
// are Preact's nodes; draw() lets Preact make the document look like that tree.
// It touches only what differs, so that focus, scroll and a running transition
// survive a new frame. Text becomes text nodes, never markup: what a service
// writes stays text. There is no htm: a view is made by calls of h(), so no template is parsed.

import { createElement, render } from "../vendor/preact/dist/preact.module.js";
import { outside } from "./base.js";

/**
 * One element of a view. Falsy children are left out, arrays are flattened;
 * an attribute that is null, undefined or false is left out, true is "".
 * `key` names an element among its siblings, so that it may move.
 * Of the result `tag`, `attrs` and `kids` may be read.
 */
export function h(tag, attrs, ...children) {
  const { key, ...own } = attrs ?? {};
  const kids = children.flat(Infinity);
  for (let i = 0; i < kids.length; i++) if (kids[i] === false || kids[i] === "" || kids[i] === undefined) kids[i] = null; // an empty place: what follows keeps its node
  const props = { key, children: kids };
  for (const name in own) if (present(own[name])) props[PROPERTIES[tag]?.[name] ?? name] = written(name, own[name]);
  const view = createElement(tag, props);
  view.tag = tag;
  view.attrs = own;
  view.kids = kids.includes(null) ? kids.filter((kid) => kid !== null) : kids;
  return view;
}

const present = (value) => value !== null && value !== undefined && value !== false;

// Preact writes some of these as the state of a field, over what a person has
// typed or chosen. A view says how a field begins.
const PROPERTIES = { input: { value: "defaultValue", checked: "defaultChecked" }, textarea: { value: "defaultValue" }, option: { selected: "defaultSelected" } };

// An address in a view is without the base path; spellcheck is a property, of
// which "false" would be true.
function written(name, value) {
  if (name === "href" || name === "action") return outside(String(value));
  if (name === "spellcheck") return value !== "false";
  return value === true && name.includes("-") ? "" : value;
}

/**
 * Keeps views by name, each with what it was made of: while that is the same it
 * is not made anew, and draw() skips it. `kept` is a Map that the caller owns.
 * `allowance` is how many may be made anew, of those that changed and of those that
 * are added: {changed, added}. Beyond it each stays as it was, or is null where it was not
 * there yet, and the number is below zero: the next picture goes on. What changes again
 * and again cannot keep out what is added, and nothing waits for more than LONGEST_WAIT pictures.
 */
export function keep(kept, name, of, make, allowance = null) {
  const known = kept.get(name);
  if (known && known.of.length === of.length && known.of.every((value, i) => Object.is(value, of[i]))) return copy(known.view);
  if (allowance && !(known?.waited >= LONGEST_WAIT) && allowance[known ? "changed" : "added"]-- <= 0) {
    if (known) known.waited = (known.waited ?? 0) + 1;
    return copy(known?.view);
  }
  const view = unlinked(make());
  kept.set(name, { of, view });
  return copy(view);
}

/** Drops from maps of kept views those whose names are not drawn, once they are many: their nodes would stay in memory. */
export function forget(drawn, ...maps) {
  if (maps[0].size > 3 * drawn.size) for (const map of maps) for (const name of map.keys()) if (!drawn.has(name)) map.delete(name);
}

const LONGEST_WAIT = 8; // pictures: what changes in each of them is always first in the allowance, and others would stay old

// Preact links each node to its parent. An element that it skips leaves its children
// linked to the picture in which they were new, that one leads to older ones, and all of
// them would stay in memory. Of a component that it skips it links the child anew, and
// of the component each picture gets a copy.
function unlinked(view) {
  if (Array.isArray(view)) return view.map(unlinked);
  if (!view || typeof view !== "object") return view;
  return Object.assign(createElement(Kept, { key: view.key, view }), { tag: view.tag, attrs: view.attrs, kids: view.kids });
}

const Kept = ({ view }) => view;
const copy = (view) => (Array.isArray(view) ? view.map(copy) : view && typeof view === "object" ? { ...view } : view ?? null);

/** An icon of the sprite in index.html. With a name, screen readers read it; without one it is decoration. */
export function icon(name, cls = "", label = "") {
  const aria = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return h("svg", { class: `ic ${cls}`.trim(), viewBox: "0 0 16 16", ...aria }, h("use", { href: `#i-${name}` }));
}

/** All text of a view, for names and tests. */
export function textOf(view) {
  return typeof view === "object" ? view.kids.map(textOf).join("") : String(view);
}

/** Every element of a view for which test says yes. */
export function find(view, test) {
  if (typeof view !== "object") return [];
  return [...(test(view) ? [view] : []), ...view.kids.flatMap((kid) => find(kid, test))];
}

/** Makes parent's content look like the views. */
export function draw(parent, ...views) {
  render(views.flat(Infinity).map((view) => view || null), parent);
}
