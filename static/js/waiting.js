// What waits for a person: a repair that needs approval, and an incident that
// LogStream has given up and that was not acknowledged. Pure.

import { instant } from "./units.js";

/** Whether an incident waits for a person. */
export function waits(row) {
  return row.state !== "resolved" && Boolean(row.approval || (row.state === "escalated" && !row.acknowledged));
}

/** Those that wait: requests for approval by their end, then the others, the oldest first. */
export function waiting(rows) {
  const rank = (row) => (row.approval ? 0 : 1);
  const key = (row) => instant(row.approval?.expires ?? row.escalated ?? row.opened);
  return [...rows].filter(waits).sort((a, b) => rank(a) - rank(b) || key(a) - key(b));
}

/** A page's title with how much waits: it stands first, in place of another count. */
export function titled(title, n) {
  return n ? `(${n} ${n === 1 ? "waits" : "wait"} for you) ${title.replace(/^\([^)]*\) /, "")}` : title;
}
