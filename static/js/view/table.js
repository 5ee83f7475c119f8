// The services as a table, for the many: of its rows only those in view are in
// the document, with some beyond.

import { forget, h, icon, keep } from "../dom.js";
import { counts, ranges, rowsInView } from "../fleet.js";
import { instant, lasting, latency, percent, roughly } from "../units.js";
import { status } from "../vocabulary.js";
import { latencyNow, uptimeOf } from "../words.js";
import { href, mark } from "./bits.js";
import { sentenceFor } from "./cards.js";
import { traceKey } from "./cells.js";
import { anchor, groupName } from "./map.js";
import { bars, sparkline, stripe } from "./spark.js";

// The columns, and how wide the window must be for those that are less needed.
const COLUMNS = [["name", 0], ["state", 0], ["since", 0], ["ms", 0], ["line", 960], ["strip", 0], ["day", 0], ["month", 1400], ["say", 0]];
const TEXT = { name: "Service", state: "State", since: "Since", ms: "Latency", day: "24 h", month: "30 d", say: "Now" };
const NUMBERS = new Set(["ms", "day", "month"]);
const kept = new Map();
const traces = new Map();

/** model: {groups, row: (service) => its model, window: what is in view, reach, allowance: of rows that are made anew} */
export function table({ groups, row, window, reach, allowance }) {
  const named = groups.length > 1 || groups[0]?.group;
  const rows = groups.flatMap((of) => [...(named ? [{ group: of }] : []), ...of.services.map((service) => ({ service }))]);
  const focused = window.to || window.focused ? rows.findIndex(({ service, group: of }) => (window.to ? of && anchor(of.group) === window.to : service?.name === window.focused)) : -1;
  const parts = ranges(rows.length, rowsInView(rows.length, window), focused);
  const columns = COLUMNS.filter(([, least]) => !(window.width < least)).map(([name]) => name);
  forget(new Set(parts.flatMap(({ from, to }) => rows.slice(from, to)).map(({ service }) => service?.name)), kept, traces);
  const space = (n, key) => n > 0 && h("tr", { key, "aria-hidden": "true", class: "space" }, h("td", { colspan: columns.length, height: Math.round(n * (window.row || 32)) }));
  return h("div", { class: "panel fleet-wrap", key: "table", id: named ? null : anchor("") }, h("table", { class: "tbl fleet-table", "aria-label": "Services", "aria-rowcount": rows.length + 1 },
    h("thead", {}, h("tr", { "aria-rowindex": 1 }, columns.map((name) => h("th", { scope: "col", class: `c-${name}${NUMBERS.has(name) ? " num" : ""}`, key: name }, name === "line" ? h("span", { class: "vh" }, `Latency over the last ${lasting(reach)}`) : name === "strip" ? `Last ${lasting(reach)}` : TEXT[name])))),
    h("tbody", {},
      space(parts[0].from, "above"),
      parts.map(({ from, to }, k) => [
        k > 0 && space(from - parts[k - 1].to, "between"),
        rows.slice(from, to).map((one, i) => (one.group ? group(one.group, from + i, columns.length) : line(row(one.service), from + i, columns, allowance) ?? space(1, one.service.name))),
      ]),
      space(rows.length - parts.at(-1).to, "below"))));
}

function group(of, i, span) {
  return h("tr", { key: `group-${of.group}`, class: "group-row", "aria-rowindex": i + 2 }, h("th", { scope: "rowgroup", colspan: span, id: anchor(of.group) }, groupName(of.group), h("span", { class: "group-counts" }, counts(of.services).map(([state, text]) => h("span", { key: state, class: state === "UP" ? "quiet" : status(state).colour }, text)))));
}

// Null where it has to wait for the next picture.
function line(model, i, columns, allowance) {
  const { service, incident, now, check, age } = model;
  const said = model.said ?? sentenceFor(service, incident, now);
  const since = instant(service.status === "DOWN" && service.first_bad ? service.first_bad : service.since);
  const lasts = service.status === "PENDING" || !Number.isFinite(since) ? "" : service.status === "DOWN" ? lasting(now - since) : roughly(now - since);
  const ms = latency(latencyNow(service, check))?.join(" ") ?? "–";
  const share = (window) => {
    const of = uptimeOf(service, window, age);
    return of ? percent(of.share) : "–";
  };
  const day = share("24h"), month = share("30d");
  return keep(kept, service.name, [i, service.status, service.held, incident?.stage, said?.text, lasts, ms, day, month, ...traceKey(model), model.stale, columns.length, model.alike], () => {
    const [curve, states] = trace(model);
    const has = (name) => columns.includes(name);
    const s = status(service.status);
    return h("tr", { key: service.name, class: `row is-${s.colour}${model.stale ? " is-stale" : ""}${model.alike ? " is-alike" : ""}`, "data-service": service.name, "data-status": service.status, "data-held": service.held || null, "data-stage": incident?.stage ?? "", "aria-rowindex": i + 2 },
      h("th", { scope: "row", class: "c-name" }, h("a", { class: "plain", href: href.service(service.name) }, service.name)),
      h("td", { class: "c-state" }, h("span", { class: `st ${service.status === "UP" ? "" : s.colour}`.trim() }, mark(service.status), s.word)),
      h("td", { class: "c-since quiet" }, lasts),
      h("td", { class: "c-ms num" }, ms),
      has("line") && h("td", { class: "c-line" }, curve),
      h("td", { class: "c-strip" }, states),
      h("td", { class: "c-day num" }, day),
      has("month") && h("td", { class: "c-month num" }, month),
      h("td", { class: "c-say" }, said && h("span", { class: "row-say", title: said.text }, icon(said.icon, said.colour), " ", said.text)));
  }, allowance);
}

function trace(model) {
  return keep(traces, model.service.name, traceKey(model), () => {
    const { service, reach, outages, now, limit } = model;
    const list = model.points();
    const of = { ...bars(reach, now), now: service.status, limit, acted: outages.filter((o) => o.repaired).map((o) => o.acted), outages };
    return [sparkline(list, { ...of, width: 88, label: `Latency of ${service.name} over the last ${lasting(reach)}` }), stripe(list, { ...of, width: 156, label: `State of ${service.name} over the last ${lasting(reach)}` })];
  });
}
