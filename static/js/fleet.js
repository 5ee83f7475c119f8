// The services of the overview as data: how they are laid out, which of them
// match, in which order they stand, and what is counted of them. Pure.

import { instant, many, thousands } from "./units.js";
import { repaired } from "./words.js";

const ROOMY = 8; // services that have a card of their own, with its buttons
export const DENSE = 80; // services from which on a table is shown unless another view was chosen

/** How services are shown: roomy cards, a grid of cells, or a table. `chosen` is what was remembered. */
export function layout(n, chosen = "") {
  if (n <= ROOMY) return "roomy";
  return chosen === "grid" || chosen === "table" ? chosen : n < DENSE ? "grid" : "table";
}

const WEIGHT = ["DOWN", "DEGRADED", "UNKNOWN", "PENDING", "UP"];

/** How much a service needs to be looked at: the least number first. What waits for its root stands after that. */
export function weight(service) {
  const at = WEIGHT.indexOf(service.status);
  return (at < 0 ? 2 : at) + (service.status === "DOWN" && service.held === "dependency" ? 0.5 : 0);
}

export const isCalm = (service) => service.status === "UP" && !service.open_incident;

/** The orders: the name, and the words for it. */
export const SORTS = [["trouble", "Trouble first"], ["name", "By name"], ["latency", "Slowest first"], ["uptime", "Lowest uptime first"]];

/** What may be shown alone: the name, and the words for it. */
export const SHOWS = [["all", "All"], ["trouble", "Not up"], ["repaired", "Repaired today"]];

const DAY = 24 * 60 * 60 * 1000;

/** The names of the services that LogStream repaired within a day. */
export function repairedToday(rows, now) {
  return new Set(rows.filter((row) => repaired(row) && now - instant(row.resolved) < DAY).map((row) => row.service));
}

/** Whether a service matches: every word of the text in its name, group, container or address; and what is shown. */
export function matches(service, { text = "", show = "all", healed = new Set() }) {
  if (show === "trouble" && isCalm(service)) return false;
  if (show === "repaired" && !healed.has(service.name)) return false;
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const within = [service.name, service.group, service.container?.name, service.url, service.status].filter(Boolean).join(" ").toLowerCase();
  return words.every((word) => within.includes(word));
}

const share = (service) => service.uptime?.["24h"] ?? service.uptime?.["1h"] ?? 2;
const BY = {
  trouble: (a, b) => weight(a) - weight(b),
  name: (a, b) => a.name.localeCompare(b.name),
  latency: (a, b) => (b.latency_ms || 0) - (a.latency_ms || 0),
  uptime: (a, b) => share(a) - share(b),
};

/** Whether services stand by group in that order: one that compares services ignores groups. */
export const isGrouped = (sort) => sort !== "latency" && sort !== "uptime";

/**
 * Services in their order, by group: [{group, services}]. Those with trouble stand
 * first, and so do groups with trouble.
 */
export function arrange(services, sort = "trouble") {
  const sorted = [...services].sort(BY[sort] ?? BY.trouble); // a sort is stable: what is equal keeps the configuration's order
  if (!isGrouped(sort)) return sorted.length ? [{ group: "", services: sorted }] : [];
  const groups = new Map();
  for (const service of services) groups.set(service.group || "", []); // in the order in which they appear
  for (const service of sorted) groups.get(service.group || "").push(service);
  const list = [...groups].map(([group, of]) => ({ group, services: of }));
  if (sort === "name") return list.sort((a, b) => a.group.localeCompare(b.group));
  const worst = (of) => Math.min(...of.services.map(weight));
  const first = (of) => (worst(of) < 3 ? worst(of) : 3); // calm groups, and those that wait for a first check, keep their order
  return list.sort((a, b) => (first(a) === 3 && first(b) === 3 ? (a.group === "" ? -1 : b.group === "" ? 1 : 0) : first(a) - first(b)));
}

export const SETTLED = 10_000; // cells change places at most so often (ms)

/**
 * Groups whose services stay where they are while a pointer or the focus is among them, and
 * change places rarely otherwise: {groups, order}. `order` is for the next time;
 * another `key` (a filter, a sort) is a new order at once.
 */
export function settle(groups, order, { now, busy = false, key = "" }) {
  const names = groups.flatMap((of) => of.services.map((service) => service.name));
  const same = order?.key === key;
  if (same && names.length === order.names.length && names.every((name, i) => name === order.names[i])) return { groups, order };
  if (!same || (!busy && now - order.at >= SETTLED)) return { groups, order: { at: now, key, names } };
  const place = new Map(order.names.map((name, i) => [name, i]));
  const at = (service) => place.get(service.name) ?? Infinity;
  const kept = groups.map((of) => ({ ...of, services: [...of.services].sort((a, b) => at(a) - at(b) || 0) }));
  kept.sort((a, b) => at(a.services[0]) - at(b.services[0]) || 0);
  return { groups: kept, order };
}

// How many are in each state: {DOWN, DEGRADED, UNKNOWN, PENDING, UP}.
function tally(services) {
  const of = Object.fromEntries(WEIGHT.map((status) => [status, 0]));
  for (const { status } of services) of[status] = (of[status] ?? 0) + 1;
  return of;
}

const COUNTED = { DOWN: "down", DEGRADED: "degraded", UNKNOWN: "without data", PENDING: "awaiting the first check", UP: "up" };

/** [["DOWN", "1 down"], ["UP", "7 up"]]: what a group's heading counts. */
export function counts(services) {
  const of = tally(services);
  return WEIGHT.filter((status) => of[status]).map((status) => [status, `${thousands(of[status])} ${COUNTED[status]}`]);
}

/** The same as a sentence: "12 services: 1 down, 11 up". */
export function counted(services) {
  return `${many(services.length, "service")}: ${counts(services).map(([, text]) => text).join(", ")}`;
}

export const ANEW = 12; // rows or cells of a large fleet that are made anew in one picture: the next one, a frame later, goes on, so that no picture takes long

const FIRST = 8; // rows before the height of one is known

/** A window of rows: which of n rows of one height are in view, with some beyond; `first` of them always. */
export function rowsInView(n, { top, height, row, beyond = 10, first = beyond }) {
  if (!(row > 0) || !(height > 0)) return { from: 0, to: Math.min(n, first && FIRST) };
  const from = Math.max(0, Math.min(n, Math.floor(-top / row) - beyond));
  const least = from === 0 ? Math.min(n, first) : from; // the first ones are there where the table is far below: a reader by keyboard or voice goes on into them
  return { from, to: Math.max(least, Math.min(n, Math.ceil((height - top) / row) + beyond)) };
}

/**
 * The rows that are in the document, as ranges in their order: those in view, and the row
 * that has the focus, with its neighbours: it stays where it is while it is out of view,
 * and arrow keys go on from it. `focused` is its index, or -1.
 */
export function ranges(n, { from, to }, focused = -1) {
  if (focused < 0) return [{ from, to }];
  const own = { from: Math.max(0, focused - 1), to: Math.min(n, focused + 2) };
  if (own.from <= to && own.to >= from) return [{ from: Math.min(from, own.from), to: Math.max(to, own.to) }];
  return own.to < from ? [own, { from, to }] : [{ from, to }, own];
}
