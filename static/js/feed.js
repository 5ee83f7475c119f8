// What happened, as entries the newest first: incidents that ended or need a
// person, faults that were injected, and the start. Pure.

import { instant } from "./units.js";
import { repaired } from "./words.js";

/**
 * One entry: {key, at, kind, row?, rows?, injection?}. Kinds are repaired, recovered,
 * escalated, injected and started; `rows` are several that ended alike. The time
 * of an incident is when it was opened, as in every list.
 */
export function entries({ rows, injections, started }) {
  const list = [];
  for (const row of rows) {
    if (row.state === "resolved") list.push({ key: `i-${row.id}`, at: instant(row.opened), kind: repaired(row) ? "repaired" : "recovered", row });
    else if (row.state === "escalated") list.push({ key: `i-${row.id}`, at: instant(row.opened), kind: "escalated", row });
  }
  for (const injection of injections) list.push({ key: `d-${injection.id}`, at: injection.at, kind: "injected", injection });
  if (Number.isFinite(started)) list.push({ key: "started", at: started, kind: "started" });
  return together(list.filter((entry) => Number.isFinite(entry.at)).sort((a, b) => b.at - a.at));
}

const APART = 2 * 60 * 1000; // incidents that opened no further apart and ended alike are one entry
const FEW = 3; // up to so many are an entry each

// Those of one cause that ended in one way, shortly after each other, are one entry: the newest has them.
function together(list) {
  const groups = new Map();
  for (const entry of list) {
    if (!entry.row || entry.row.kind === "fleet") continue;
    const key = [entry.kind, entry.row.cause_id || entry.row.error, entry.row.action].join(" ");
    const open = groups.get(key)?.at(-1);
    if (open && open.at(-1).at - entry.at < APART) open.push(entry);
    else groups.set(key, [...(groups.get(key) ?? []), [entry]]);
  }
  const first = new Map();
  const folded = new Set();
  for (const group of [...groups.values()].flat()) {
    const services = new Map(group.toReversed().map((entry) => [entry.row.service, entry.row])); // the newest of each
    if (services.size <= FEW) continue;
    first.set(group[0], [...services.values()].reverse());
    for (const entry of group.slice(1)) folded.add(entry);
  }
  return list.filter((entry) => !folded.has(entry)).map((entry) => (first.has(entry) ? { ...entry, rows: first.get(entry) } : entry));
}
