// What waits for a person: repairs that need approval, and incidents that
// LogStream has given up. And what became of the last commands.

import { became, requested } from "../controls.js";
import { h, icon } from "../dom.js";
import { incident as incidentOf } from "../incident.js";
import { clock, missingEvents } from "../store.js";
import { instant, lasting, many, tenths, when } from "../units.js";
import { whoFirst } from "../vocabulary.js";
import { waiting } from "../waiting.js";
import { escalation, paragraph, sentence, title as about } from "../words.js";
import { approvalRequest, approvalState, operations } from "../view/approval.js";
import { href, loading, time } from "../view/bits.js";

const COMMANDS = "/commands?limit=20";
const path = (id) => `/incidents/${encodeURIComponent(id)}`;

export function needs({ state, now }) {
  const unknown = new Set(missingEvents(state, clock(state, now)));
  return [COMMANDS, "/incidents?limit=200", ...waiting(state.incidents.values()).filter((row) => unknown.has(row.id)).map((row) => path(row.id))];
}

export function title({ state }) {
  return state.seq === null || waiting(state.incidents.values()).length ? "Approvals · LogStream" : "Nothing waits for you · LogStream";
}

export function view(ctx) {
  const { state, now, incidents } = ctx;
  const at = clock(state, now);
  const list = waiting(state.incidents.values()).map((row) => incidents.get(row.id) ?? incidentOf(row, state.events.get(row.id) ?? []));
  const asked = list.filter((of) => of.row.approval);
  const given = list.filter((of) => !of.row.approval);
  const known = state.seq !== null;
  return h("main", { id: "main", key: "approvals", class: "wrap page" },
    h("header", { class: "title" }, h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, headline(asked.length, given.length, known)),
      h("p", {}, known && (list.length ? explain(asked.length, given.length) : calm(state.info))))),
    !known && loading(),
    list.length > 0 && h("div", { class: "stack", key: "waiting" },
      asked.map((of) => approvalRequest(of, { ...approvalState(ctx, of, at), listed: true })),
      given.map((of) => givenUp(of, ctx, at))),
    last(ctx, at));
}

function headline(asked, given, known) {
  if (!known) return "Approvals";
  const parts = [asked && `${many(asked, "repair")} ${asked === 1 ? "needs" : "need"} approval`, given && `${many(given, "incident")} ${given === 1 ? "needs" : "need"} a person`].filter(Boolean);
  return parts.join(", ") || "Nothing waits for you";
}

function explain(asked, given) {
  return paragraph(asked ? "Nothing runs before you approve it. A request that is not answered expires, and a person is then called" : "", given ? "LogStream does nothing more about an escalated incident until the facts change or a person acts" : "");
}

function calm(info) {
  switch (info?.mode) {
    case "approve": return "Every repair is requested here first (mode approve).";
    case "observe": return "Nothing is repaired in mode observe, so nothing is requested.";
    default: return "Repairs that change a container’s configuration are requested here, and incidents that LogStream cannot repair appear here.";
  }
}

// An incident that LogStream has given up: what it is, why, since when.
function givenUp(of, { state, stale, viewer }, at) {
  const { row } = of;
  const since = instant(row.escalated ?? row.opened);
  const title = `given-${row.id}`;
  return h("section", { class: "panel pad given", key: title, "data-given": row.id, "aria-labelledby": title },
    h("p", { class: "approval-head" }, h("span", { class: "pill down" }, icon("person"), "A person is needed"), h("span", { class: "quiet small" }, "since ", time(since, when(since, at)), `, ${lasting(at - since)}`)),
    h("h2", { id: title }, h("a", { href: href.incident(row.id) }, about(row))),
    h("p", { class: "ink2" }, escalation(row) || "No repair is allowed here."),
    h("div", { class: "btns spaced" }, operations(of, { stale, viewer, service: state.services.get(row.service) }), h("a", { class: "btn", href: href.incident(row.id) }, "See the evidence")));
}

function last({ answers }, at) {
  const known = answers.get(COMMANDS);
  const list = known?.value ?? [];
  return h("section", { class: "panel flush", key: "last", "aria-labelledby": "h-last" },
    h("div", { class: "panel-head pad-head" }, h("h2", { id: "h-last" }, "Last commands"), h("p", { class: "end quiet small" }, "of all operators, and what became of them")),
    list.length ? h("ol", { class: "commands" }, list.map((record) => commandLine(record, at)))
      : h("p", { class: "quiet commands none" }, known?.refusal ? known.refusal.message : known ? "No command was given yet." : "Loading."));
}

function commandLine(record, at) {
  const { text, ok } = became(record, at);
  const given = instant(record.time);
  const to = record.args?.incident ? href.incident(record.args.incident) : record.service !== "*" ? href.service(record.service) : "";
  return h("li", { key: record.id, "data-command-row": record.command, "data-ok": String(ok) },
    time(given, when(given, at).includes(" ") ? when(given, at) : tenths(given).slice(0, 8)),
    icon(ok === null ? "none" : ok ? "check" : "x", ok === null ? "quiet" : ok ? "up" : "warn"),
    h("div", {}, h("p", {}, sentence(`${whoFirst(record.by)} ${requested(record)}`), to && [" ", h("a", { href: to }, record.args?.incident ? "Incident" : "Service")]), h("p", { class: "quiet small" }, text)));
}
