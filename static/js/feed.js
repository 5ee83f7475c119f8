// What happened, as entries the newest first: incidents that ended or need a
// person, what the visitor injected on this page, and the start. Pure.

import { instant } from "./units.js";
import { repaired } from "./words.js";

/**
 * One entry: {key, at, kind, row?, injection?}. Kinds are repaired, recovered,
 * escalated, injected and started.
 */
export function entries({ rows, injections, started }) {
  const list = [];
  for (const row of rows) {
    if (row.state === "resolved") list.push({ key: `i-${row.id}`, at: instant(row.resolved), kind: repaired(row) ? "repaired" : "recovered", row });
    else if (row.state === "escalated") list.push({ key: `i-${row.id}`, at: instant(row.escalated ?? row.opened), kind: "escalated", row });
  }
  for (const injection of injections) list.push({ key: `d-${injection.id}`, at: injection.at, kind: "injected", injection });
  if (Number.isFinite(started)) list.push({ key: "started", at: started, kind: "started" });
  return list.filter((entry) => Number.isFinite(entry.at)).sort((a, b) => b.at - a.at);
}
