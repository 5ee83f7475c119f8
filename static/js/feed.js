// What happened, as entries the newest first: incidents that ended or need a
// person, what the visitor did on this page, and the start. Pure.

import { instant } from "./units.js";
import { fault } from "./vocabulary.js";

/**
 * One entry: {key, at, kind, row?, deed?}. Kinds are repaired, recovered,
 * called, deed and started.
 */
export function entries({ rows, deeds, started }) {
  const list = [];
  for (const row of rows) {
    if (row.state === "resolved") {
      const repaired = row.attempts > 0 && row.how !== "recovered" && row.how !== "operator";
      list.push({ key: `i-${row.id}`, at: instant(row.resolved), kind: repaired ? "repaired" : "recovered", row });
    } else if (row.state === "escalated") {
      list.push({ key: `i-${row.id}`, at: instant(row.escalated ?? row.opened), kind: "called", row });
    }
  }
  for (const deed of deeds) list.push({ key: `d-${deed.id}`, at: deed.at, kind: "deed", deed });
  if (Number.isFinite(started)) list.push({ key: "started", at: started, kind: "started" });
  return list.filter((entry) => Number.isFinite(entry.at)).sort((a, b) => b.at - a.at);
}

/** "stopped payment-service", "made payment-service hang" */
export function deedSaid(deed) {
  const { verb, rest } = fault(deed.fault);
  return [verb, deed.service, rest].filter(Boolean).join(" ");
}
