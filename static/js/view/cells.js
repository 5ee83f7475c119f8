// A cell for each service, many in a row: quiet where it is quiet.

import { forget, h, icon, keep } from "../dom.js";
import { counts, ranges, rowsInView } from "../fleet.js";
import { lasting, many, percent, took } from "../units.js";
import { status } from "../vocabulary.js";
import { stateFor, uptime } from "../words.js";
import { href, mark } from "./bits.js";
import { present, sentenceFor } from "./cards.js";
import { anchor, groupName } from "./map.js";
import { bars, spark } from "./spark.js";

const kept = new Map();
const traces = new Map();

/**
 * The groups, each with its heading. model: {groups, cell: (service) => its model, whole}.
 * With `window` only the cells in view are in the document, in rows of one height, and at
 * most `allowance` of them are made anew.
 */
export function cells({ groups, cell, whole, window = null, allowance = null }) {
  const calm = groups.reduce((all, of) => all + of.services.filter((service) => service.status === "UP").length, 0);
  const drawn = new Set();
  const grid = h("div", { class: `grid${whole ? " whole" : ""}${window ? " windowed" : ""}`, key: "grid" },
    groups.map((of, i) => h("section", { key: `group-${of.group}`, class: of.services.every((service) => service.status === "UP") ? "is-calm" : null, "aria-label": of.group || "Services" },
      heading(of, groups.length),
      window ? inView(of, { cell, window, allowance, drawn, first: i === 0 }) : h("ul", { class: "cells" }, of.services.map((service) => made(cell(service)))))),
    !window && fold(calm, whole));
  if (window) forget(drawn, kept, traces);
  return grid;
}

const BEYOND = 2; // rows of cells above and below the window

// Of a group the cells in view, between the room of what is left out above and below.
function inView(of, { cell, window, allowance, drawn, first }) {
  const columns = window.columns || 4;
  const n = of.services.length;
  const all = Math.ceil(n / columns);
  const focused = window.focused ? Math.floor(of.services.findIndex(({ name }) => name === window.focused) / columns) : -1;
  const parts = ranges(all, rowsInView(all, { ...window, top: window.tops?.get(of.group) ?? Infinity, beyond: BEYOND, first: first ? BEYOND : 0 }), focused);
  const high = window.row || 145;
  const space = (rows, key) => rows > 0 && h("svg", { key, class: "space", "aria-hidden": "true", width: 1, height: rows * high });
  const between = (rows) => h("li", { key: "between", class: "space", "aria-hidden": "true" }, h("svg", { width: 1, height: rows * high - 1 })); // and the gap of a row
  const one = (service, i) => {
    drawn.add(service.name);
    return made(cell(service), { i, n }, allowance) ?? h("li", { key: service.name, "aria-hidden": "true" });
  };
  return h("div", { class: "cells-of", "data-group": of.group },
    space(parts[0].from, "above"),
    h("ul", { class: "cells", key: "cells" }, parts.map(({ from, to }, k) => [
      k > 0 && from > parts[k - 1].to && between(from - parts[k - 1].to),
      of.services.slice(from * columns, to * columns).map((service, i) => one(service, from * columns + i)),
    ])),
    space(all - parts.at(-1).to, "below"));
}

/** On a phone, the button that shows the services that are up. */
export function fold(calm, whole) {
  return calm > 0 && h("button", { class: "btn fold", key: "fold", type: "button", "data-act": "whole", "aria-expanded": whole ? "true" : "false" }, whole ? "Hide those that are up" : `${many(calm, "service")} up: show`);
}

/** A group's name and what is counted of it. */
export function heading(of, groups) {
  const name = of.group || groups > 1 ? groupName(of.group) : "";
  return h("h3", { class: "group", id: anchor(of.group) }, name, h("span", { class: "group-counts" }, counts(of.services).map(([state, text]) => h("span", { class: state === "UP" ? "quiet" : status(state).colour, key: state }, state !== "UP" && icon(status(state).shape), text))));
}

// A cell is made anew only where something in it reads differently: null where it has
// to wait for the next picture. `place` is which of how many it is, where not all are there.
function made(model, place = null, allowance = null) {
  const { service, incident, said, now, stale, width } = model;
  const text = said ?? sentenceFor(service, incident, now);
  const corner = present(model);
  const share = uptime(service, model.age);
  const state = stateFor(service, now);
  const of = [service.status, service.held, incident?.stage, text?.text, [corner].flat(9).map((part) => part?.kids ?? part).join(""), share && `${percent(share.share)} ${share.over}`, state, ...traceKey(model), stale, width, place?.i, place?.n, model.alike];
  return keep(kept, service.name, of, () => cell({ service, incident, text, corner, share, state, picture: trace(model), stale, place, alike: model.alike }), allowance);
}

function cell({ service, incident, text, corner, share, state, picture, stale, place, alike }) {
  const s = status(service.status);
  const cls = service.status === "DOWN" ? "down" : service.status === "DEGRADED" ? "warn" : service.status === "UP" ? "" : "quiet";
  const calm = service.status === "UP" && !text;
  return h("li", { class: `card cell is-${s.colour}${calm ? " is-calm" : ""}${text?.colour === "work" ? " is-work" : ""}${alike ? " is-alike" : ""}${stale ? " is-stale" : ""}`, key: service.name, "data-service": service.name, "data-status": service.status, "data-held": service.held || null, "data-stage": incident?.stage ?? "", "aria-posinset": place && place.i + 1, "aria-setsize": place && place.n },
    h("div", { class: "card-head" }, mark(service.status), h("h4", {}, h("a", { href: href.service(service.name) }, service.name)), h("p", { class: `card-now ${cls}`.trim() }, corner)),
    text && h("p", { class: "card-say", title: place && text.text }, icon(text.icon, text.colour), h("span", {}, text.text)),
    picture,
    h("p", { class: "card-foot" }, h("span", {}, state), share ? h("span", {}, h("b", {}, percent(share.share)), ` in ${share.over}`) : h("span", {}, "no uptime yet")));
}

/** What a trace is made of changes with its newest bar, its state and its incidents. */
export function traceKey({ service, history, reach, outages, now }) {
  const { bar } = bars(reach, now);
  return [service.status, history, reach, bar, outages.length, outages.at(-1)?.repaired];
}

function trace(model) {
  return keep(traces, model.service.name, [...traceKey(model), model.width], () => {
    const { service, reach, outages, now, width, limit } = model;
    const list = model.points();
    const at = bars(reach, now);
    const measured = list.filter((p) => p.t >= at.from && p.high !== null).map((p) => p.high);
    const down = outages.filter((o) => o.to >= at.from).length;
    const label = [`${service.name} over the last ${lasting(reach)}`, measured.length ? `up to ${took(Math.max(...measured))}` : "no latency measured", down && many(down, "incident")].filter(Boolean).join(", ");
    return spark(list, { size: "cell", width, ...at, now: service.status, limit, label, acted: outages.filter((o) => o.repaired).map((o) => o.acted), outages });
  });
}
