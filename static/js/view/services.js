// The services of the overview: roomy cards where they are few, cells or a
// table where they are many, all made of the same models.

import { h } from "../dom.js";
import { alike, isBehind, roots } from "../causes.js";
import { ANEW, arrange, DENSE, isCalm, layout, matches, repairedToday, settle } from "../fleet.js";
import { outages, points, span } from "../series.js";
import { faultsOf, inOrder, newestCheck, ownInstance } from "../store.js";
import { copy } from "./bits.js";
import { card, milliseconds } from "./cards.js";
import { cells, fold } from "./cells.js";
import { groupName } from "./map.js";
import { legend, tools } from "./tools.js";
import { table } from "./table.js";

const PHONE = 640; // px: up to this width services that are up are shown on request; style.css has the same
const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** How this page's services are laid out. */
export const layoutOf = ({ state, look }) => layout(state.services.size, look?.view);

/** What the services need from the API: of very many only those in view, and their day where more than an hour is known. */
export function needs(ctx) {
  const { state, look } = ctx;
  if (layoutOf(ctx) === "roomy") {
    const names = [...state.services.keys()].map(encodeURIComponent);
    return [...names.map((name) => `/services/${name}`), ...names.map((name) => historyPath(name, HOUR))];
  }
  const reach = window(state);
  const names = state.services.size < DENSE ? [...state.services.keys()] : [...(look?.visible ?? [])].filter((name) => state.services.has(name));
  return names.map((name) => historyPath(encodeURIComponent(name), reach));
}

const historyPath = (name, reach) => `/services/${name}/history?window=${reach > HOUR ? "24h" : "1h"}`;

// An hour where no more is known of any service, else a day.
function window(state) {
  const known = Math.max(0, ...[...state.services.values()].map((service) => service.known_s?.["24h"] ?? 0));
  return known * 1000 > HOUR ? DAY : HOUR;
}

/** The section, whole. `at` is the instant that is shown. */
export function services(ctx, { at, rows }) {
  const { state, look } = ctx;
  const how = layoutOf(ctx);
  if (!state.services.size) return section("roomy", [h("h2", { id: "h-services", class: "vh" }, "Services"), firstService()]);
  if (how === "roomy") return section(how, roomy(ctx, at, rows));
  const list = inOrder(state.services.values());
  const healed = repairedToday(rows, at);
  const found = list.filter((service) => matches(service, { text: look.text, show: look.show, healed }));
  const key = [look.sort, look.show, look.text, list.length].join(" ");
  const settled = settle(arrange(found, look.sort), look.order, { now: at, busy: look.busy, key });
  look.order = settled.order;
  const model = models(ctx, at, rows);
  const narrowed = Boolean(look.text.trim()) || look.show !== "all";
  const many = how === "table" || list.length >= DENSE;
  const folds = many && look.window.width <= PHONE && !narrowed; // of very many on a phone those that are up are a button
  const groups = folds && !look.whole ? settled.groups.map((of) => ({ ...of, services: of.services.filter((one) => !isCalm(one)) })).filter((of) => of.services.length) : settled.groups;
  const allowance = { changed: ANEW, added: ANEW };
  const window = { ...look.window, focused: look.focused, to: look.to };
  const drawn = how === "table" ? groups.length > 0 && table({ groups, row: model, window, reach: model.reach, allowance })
    : many ? cells({ groups, cell: model, window, allowance })
      : cells({ groups, cell: model, whole: look.whole || narrowed });
  look.short = allowance.changed < 0 || allowance.added < 0;
  return section(how, [
    tools({ look, layout: how, all: list.length, shown: found.length }),
    !found.length ? h("div", { class: "panel empty", key: "none" }, h("h3", {}, "No service matches"), h("p", {}, look.text.trim() ? `Nothing has “${look.text.trim()}” in its name, group, container or address.` : look.show === "trouble" ? "Every service is up." : "No repair in the last 24 h."))
      : [drawn, folds && fold(found.filter(isCalm).length, look.whole)],
    legend({ reach: model.reach })]);
}

const section = (how, kids) => h("section", { class: `services services-${how}`, key: "services", "aria-labelledby": "h-services" }, kids);

// What every cell and row is made of; its points are only made where they are drawn.
function models(ctx, at, rows) {
  const { state, incidents, stale, sizes, answers } = ctx;
  const open = new Map();
  for (const of of incidents.values()) if (of.stage !== "resolved") open.set(of.row.service, of); // the fleet's own among them
  const all = [...open.values()];
  const above = roots(all);
  const grouped = new Set([...alike(all).groups.flatMap(({ list }) => list), ...all.filter((of) => of.row.held === "blind" && isBehind(of, above))]);
  const most = window(state);
  const known = Math.max(0, ...[...state.services.values()].map((service) => (service.known_s?.["24h"] ?? 0) * 1000 + (ctx.now - service.received)));
  const reach = Math.min(most, span([{ status: "UP", t: at - Math.min(known, most) }], at, most));
  const past = new Map();
  for (const row of rows) past.set(row.service, [...(past.get(row.service) ?? []), row]);
  const width = sizes.get("cell") ?? 208;
  const model = (service) => {
    const history = most > HOUR ? answers.get(historyPath(encodeURIComponent(service.name), most))?.value?.points : state.history.get(service.name);
    const incident = open.get(service.name);
    return {
      service, incident, stale, reach, width, history, now: at,
      age: ctx.now - service.received,
      check: newestCheck(state, service.name),
      outages: outages(past.get(service.name) ?? [], service.name, at),
      limit: milliseconds(state.details.get(service.name)?.config?.expect?.latency),
      said: grouped.has(incident) ? null : undefined, // its cause stands once, with the group
      points: () => points(history ?? [], state.health.get(service.name) ?? [], ownInstance(state, service.name)),
    };
  };
  return Object.assign((service) => {
    const made = model(service);
    return made.said === null ? { ...made, incident: null, alike: true, service: { ...service, error: "", held: "" } } : made;
  }, { reach });
}

function roomy(ctx, at, rows) {
  const { state, incidents, stale, sizes } = ctx;
  const models = inOrder(state.services.values()).map((service) => ({
    service, stale, now: at,
    detail: state.details.get(service.name),
    check: newestCheck(state, service.name),
    list: points(state.history.get(service.name) ?? [], state.health.get(service.name) ?? [], ownInstance(state, service.name)),
    age: ctx.now - service.received,
    incident: [...incidents.values()].find((of) => of.row.service === service.name && of.stage !== "resolved"),
    outages: outages(rows, service.name, at),
    faults: faultsOf(state, service.name),
    width: sizes.get(`card-${service.name}`) ?? 380,
  }));
  const reach = Math.max(...models.map((model) => span(model.list, at)));
  return [h("h2", { id: "h-services", class: "vh" }, "Services"),
    byGroup(models).map(([group, list], _, all) => [
      group && all.length > 1 && h("h3", { class: "group", key: `group-${group}` }, groupName(group)),
      h("ul", { class: "cards", key: `cards-${group}` }, list.map((model) => card({ ...model, reach })))])];
}

// Cards by the group of their service: those without one come first, with no heading.
function byGroup(models) {
  const groups = new Map();
  for (const model of models) groups.set(model.service.group || "", [...(groups.get(model.service.group || "") ?? []), model]);
  return [...groups].sort(([a], [b]) => (a === "" ? -1 : b === "" ? 1 : 0));
}

function firstService() {
  const lines = ["services:", "  - name: payment-service", "    url: http://localhost:8080", "    container: payment-service"];
  return h("div", { class: "panel empty" }, h("h3", {}, "Add the first service to config.yaml"), h("p", {}, "A name and a url are enough to watch it. With its container, LogStream can repair it:"), h("pre", { class: "frame" }, h("code", {}, lines.join("\n"))), copy(lines.join("\n"), "Copy these lines"));
}
