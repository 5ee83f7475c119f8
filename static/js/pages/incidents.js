// Every incident that is known, by day, the newest first.

import { h, icon } from "../dom.js";
import { clock } from "../store.js";
import { day, hhmm, instant, many } from "../units.js";
import { capital } from "../vocabulary.js";
import { repaired } from "../words.js";
import { loading, nothing, time } from "../view/bits.js";
import { approvalRequest } from "../view/approval.js";
import { about } from "../view/feed.js";
import { approvalState } from "./incident.js";

const SHOW = [["", "All"], ["open", "Open"], ["escalated", "Needs a person"], ["resolved", "Resolved"]];

export function needs() {
  return ["/incidents?limit=200"];
}

export function title({ state }) {
  const open = [...state.incidents.values()].filter((row) => row.state !== "resolved").length;
  return `${open ? `(${open} open) ` : ""}Incidents · LogStream`;
}

export function view(ctx) {
  const { state, now, incidents, query, answers } = ctx;
  const at = clock(state, now);
  const wanted = query.get("state") ?? "";
  const all = [...state.incidents.values()];
  const rows = all.filter((row) => !wanted || row.state === wanted).sort((a, b) => instant(b.opened) - instant(a.opened));
  const open = all.filter((row) => row.state !== "resolved").length;
  const known = state.seq !== null || answers.has("/incidents?limit=200");
  return h("main", { id: "main", key: "incidents", class: "wrap page" },
    h("header", { class: "title" }, h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, open ? `${many(open, "incident")} ${open === 1 ? "is" : "are"} open` : "No incident is open"),
      h("p", {}, all.length ? `${many(all.length, "recent incident")}. Kafka keeps incidents for 90 days.` : "No incidents recorded."))),
    h("nav", { class: "seg", "aria-label": "Show" }, SHOW.map(([value, text]) => h("a", { href: value ? `/incidents?state=${value}` : "/incidents", "aria-current": wanted === value ? "true" : null }, text))),
    h("div", { class: "stack", key: "approvals" }, [...incidents.values()].filter((of) => of.row.approval && (!wanted || of.row.state === wanted)).map((of) => approvalRequest(of, { ...approvalState(ctx, of, at), brief: true }))),
    !known ? loading() : rows.length ? days(rows, incidents, at) : nothing(wanted ? "No such incidents" : "No incidents recorded", "When a service goes down, its incident appears here with evidence, repair and times."));
}

function days(rows, incidents, at) {
  const groups = groupBy(rows, (row) => day(instant(row.opened), at));
  return h("div", { class: "stack" }, [...groups].map(([name, list]) => h("section", { class: "panel pad", key: name, "aria-label": name },
    h("h2", {}, capital(name)),
    h("ol", { class: "feed" }, list.map((row) => item(row, incidents, at))))));
}

function groupBy(list, key) {
  const groups = new Map();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}

function item(row, incidents, at) {
  const [picture, colour, label] = outcome(row);
  const opened = instant(row.opened);
  return h("li", { key: row.id, "data-incident-row": row.id, "data-state": row.state }, time(opened, hhmm(opened)), icon(picture, colour, label), h("div", {}, about(row, incidents.get(row.id), at)));
}

function outcome(row) {
  if (row.state === "escalated") return ["person", "down", "Needs a person"];
  if (row.approval) return ["person", "warn", "Approval needed"];
  if (row.state !== "resolved") return row.held ? ["held", "warn", "On hold"] : ["down", "down", "Open"];
  return repaired(row) ? ["work", "work", "Repaired"] : ["up", "quiet", "Recovered"];
}
