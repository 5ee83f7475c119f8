// What LogStream would have done, for a service in mode observe.

import { h, icon } from "../dom.js";
import { instant, took, when } from "../units.js";
import { gate, phrase } from "../vocabulary.js";
import { paragraph, reason, subject } from "../words.js";
import { command, href, time } from "./bits.js";

const MOST = 5;

/** The incidents for which the page shows it, the newest first. */
export const newest = (rows) => rows.slice(0, MOST);

/** Of one incident: {at, action, command, gate, reason}, or null where nothing was decided. */
export function decided(row, events) {
  const diagnosed = events.findLast((event) => event.type === "diagnosed");
  const held = events.findLast((event) => event.type === "suppressed" && event.data?.gate === "observe") ?? (row.held === "observe" ? { time: row.opened, data: { gate: "observe", reason: row.held_reason } } : null);
  if (!held) return null;
  const action = diagnosed?.data?.action || row.action;
  return action ? { at: instant(held.time), action, command: diagnosed?.data?.command ?? "", gate: held.data.gate, reason: held.data.reason } : null;
}

/** For a service whose mode is observe; `events` gives those of an incident. */
export function would({ rows, events, mode, at }) {
  if (mode !== "observe") return null;
  const list = newest(rows).map((row) => [row, decided(row, events(row.id))]);
  const shown = list.filter(([, is]) => is);
  return h("section", { class: "panel pad", "aria-labelledby": "h-would" },
    h("h2", { id: "h-would" }, "What LogStream would have done"),
    h("p", { class: "ink2 small" }, paragraph("Mode observe: LogStream decides and records each repair, and executes none", shown.length ? "" : "No incident of this service was decided yet")),
    shown.length > 0 && h("ol", { class: "would" }, shown.map(([row, is]) => one(row, is, at))));
}

function one(row, is, at) {
  return h("li", { key: row.id, "data-would": is.action },
    icon("blind", "quiet"),
    h("div", {},
      h("p", {}, time(is.at, when(is.at, at)), " ", h("a", { href: href.incident(row.id) }, subject(row))),
      h("p", {}, h("b", {}, `LogStream would have ${phrase(is.action, "it", "did")}.`), " ", command(is.command)),
      h("p", { class: "ink2" }, paragraph(`Not done: gate “${is.gate}”`, row.state === "resolved" ? gate(is.gate) : why(is), became(row)))));
}

// The reason of the record, where it says more than the gate itself.
const why = (is) => reason(is.reason) || gate(is.gate);

function became(row) {
  if (row.state !== "resolved") return "It is not repaired yet";
  const down = row.down_ms ?? row.ttr_ms;
  return `It recovered without a repair${Number.isFinite(down) ? `, after ${took(down)}` : ""}`;
}
