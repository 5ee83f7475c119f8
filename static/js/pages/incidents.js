// Every incident that is known, by day, the newest first.

import { h, icon } from "../dom.js";
import { clock } from "../store.js";
import { day, hhmm, instant, many } from "../units.js";
import { proof, told } from "../words.js";
import { href, loading, nothing, time } from "../view/bits.js";
import { capital } from "../vocabulary.js";

const SHOW = [["", "All"], ["open", "Open"], ["escalated", "Needs a person"], ["resolved", "Over"]];

export function needs() {
  return ["/incidents?limit=200"];
}

export function title({ state }) {
  const open = [...state.incidents.values()].filter((row) => row.state !== "resolved").length;
  return `${open ? `(${open} open) ` : ""}Incidents · LogStream`;
}

export function view(ctx) {
  const { state, now, stories, query, answers } = ctx;
  const at = clock(state, now);
  const wanted = query.get("state") ?? "";
  const all = [...state.incidents.values()];
  const rows = all.filter((row) => !wanted || row.state === wanted).sort((a, b) => instant(b.opened) - instant(a.opened));
  const open = all.filter((row) => row.state !== "resolved").length;
  const known = state.seq !== null || answers.has("/incidents?limit=200");
  return h("main", { id: "main", key: "incidents", class: "wrap page" },
    h("header", { class: "title" }, h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, open ? `${many(open, "incident")} ${open === 1 ? "is" : "are"} open` : "No incident is open"),
      h("p", {}, all.length ? `${many(all.length, "incident")} in the log that this page reads. The whole log keeps 90 days.` : "Nothing failed yet, or nobody was watching."))),
    h("nav", { class: "seg", "aria-label": "Show" }, SHOW.map(([value, text]) => h("a", { href: value ? `/incidents?state=${value}` : "/incidents", "aria-current": wanted === value ? "true" : null }, text))),
    !known ? loading() : rows.length ? days(rows, stories, at) : nothing(wanted ? "No incident of this kind" : "No incident yet", "When a service turns red, its incident stands here with its evidence, its repair and its times."));
}

function days(rows, stories, at) {
  const groups = groupBy(rows, (row) => day(instant(row.opened), at));
  return h("div", { class: "stack" }, [...groups].map(([name, list]) => h("section", { class: "panel pad", key: name, "aria-label": name },
    h("h2", {}, capital(name)),
    h("ol", { class: "feed" }, list.map((row) => item(row, stories, at))))));
}

function groupBy(list, key) {
  const groups = new Map();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}

function item(row, stories, at) {
  const [picture, colour, label] = look(row);
  const [name, rest] = told(row);
  const under = proof(row, stories.get(row.id), at);
  return h("li", { key: row.id, "data-incident-row": row.id, "data-state": row.state }, time(instant(row.opened), hhmm(instant(row.opened))), icon(picture, colour, label),
    h("div", {}, h("p", {}, h("a", { class: "plain", href: href.incident(row.id) }, h("b", {}, name), rest)), under && h("p", {}, under)));
}

function look(row) {
  if (row.state === "escalated") return ["person", "down", "Needs a person"];
  if (row.state !== "resolved") return row.held ? ["held", "warn", "On hold"] : ["down", "down", "Open"];
  return row.attempts > 0 && row.how !== "recovered" ? ["work", "work", "Repaired"] : ["up", "quiet", "Recovered"];
}
