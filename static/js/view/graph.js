// The dependencies of a service as a small graph: what it depends on above it,
// what depends on it below. The nodes are links in lists, which a screen
// reader reads; the lines between them are decoration.

import { h } from "../dom.js";
import { layers } from "../graph.js";
import { join } from "../units.js";
import { status } from "../vocabulary.js";
import { href, mark } from "./bits.js";

const ROW = 36, GAP = 28; // as .graph in style.css has them, at 16 pixels
const FROM = { labels: "a label", compose: "Compose", network: "network_mode" };

/** `own` is the service with its details, `services` are all. */
export function graph({ own, services }) {
  const { rows, edges } = layers(services, own);
  const head = h("h2", { id: "h-graph" }, "Dependencies");
  if (rows.length === 1) return h("section", { class: "panel pad", "aria-labelledby": "h-graph" }, head, h("p", { class: "ink2 small" }, "It depends on no other service, and none depends on it, as far as LogStream knows."));
  const hidden = rows.filter((row) => row.more.length);
  const above = rows.filter((row) => row.level < 0);
  const below = rows.filter((row) => row.level > 0);
  return h("section", { class: "panel pad", "aria-labelledby": "h-graph" }, head,
    above.length > 0 && h("p", { class: "graph-name", "aria-hidden": "true" }, "Depends on"),
    h("div", { class: "graph" }, lines(rows, edges, services), rows.map((row) => layer(row, own, services))),
    below.length > 0 && h("p", { class: "graph-name", "aria-hidden": "true" }, "Needed by"),
    sources(own),
    hidden.map((row) => h("details", { class: "more", key: `more-${row.level}` }, h("summary", {}, `And ${row.more.length} more ${row.level < 0 ? "that it depends on" : "that depend on it"}`),
      h("ul", { class: "graph-more" }, row.more.map((name) => h("li", {}, node(name, services, own)))))));
}

function layer(row, own, services) {
  if (row.level === 0) return h("div", { class: "graph-row", key: "0" }, h("span", { class: "graph-node is-own" }, mark(own.status), " ", h("span", {}, own.name)));
  const label = Math.abs(row.level) === 1 ? row.level < 0 ? "Depends on" : "Needed by" : row.level < 0 ? "What these depend on" : "What depends on these";
  return h("ul", { class: "graph-row", key: String(row.level), "aria-label": label }, row.names.map((name) => h("li", { key: name }, node(name, services, own))));
}

function node(name, services, own) {
  const service = services.get(name);
  const known = found(name, own);
  return h("a", { class: "graph-node plain", href: href.service(name), "data-status": service?.status ?? null, title: [name, status(service?.status ?? "UNKNOWN").word, known && `known from ${known}`].filter(Boolean).join(", ") }, mark(service?.status ?? "UNKNOWN"), " ", h("span", {}, name));
}

// Where LogStream knows a dependency from, if not from the configuration.
function found(name, own) {
  const from = (own.needs ?? []).filter((need) => need.service === name);
  return from.length && !from.some((need) => need.from === "config") && Object.hasOwn(FROM, from[0].from) ? FROM[from[0].from] : "";
}

// The same for all of them in a sentence, because a tooltip needs a mouse: "Dependency on db and queue: found in a label."
function sources(own) {
  const names = [...new Set((own.needs ?? []).map((need) => need.service))];
  const of = Object.values(FROM).map((how) => [how, names.filter((name) => found(name, own) === how)]).filter(([, list]) => list.length);
  return of.length > 0 && h("p", { class: "graph-name", key: "from" }, of.map(([how, list]) => `Dependency on ${join(list)}: found in ${how}.`).join(" "));
}

// Where a node is: x in hundredths of the width, y in pixels of the picture.
function places(rows) {
  const of = new Map();
  rows.forEach((row, i) => row.names.forEach((name, k) => of.set(name, { x: ((k + 0.5) / row.names.length) * 100, y: i * (ROW + GAP), level: row.level })));
  return of;
}

function lines(rows, edges, services) {
  const of = places(rows);
  const height = rows.length * (ROW + GAP) - GAP;
  return h("svg", { class: "graph-lines", viewBox: `0 0 100 ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, edges.map(([from, to]) => {
    const [a, b] = [of.get(to), of.get(from)]; // what is needed is above
    const broken = services.get(to)?.status === "DOWN";
    const d = a.level === b.level ? `M${b.x} ${b.y}C${b.x} ${b.y - GAP * 0.7} ${a.x} ${a.y - GAP * 0.7} ${a.x} ${a.y}` : `M${a.x} ${a.y + ROW}C${a.x} ${a.y + ROW + GAP / 2} ${b.x} ${b.y - GAP / 2} ${b.x} ${b.y}`;
    return h("path", { class: broken ? "is-down" : null, key: `${from} ${to}`, d });
  }));
}
