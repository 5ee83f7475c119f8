// One incident, whole: its figures, what decided, who decided, and its
// timeline with the time between the steps.

import { h, icon } from "../dom.js";
import { isPause, story } from "../incident.js";
import { clock } from "../store.js";
import { hhmmss, instant, lasting, tenths, took, when } from "../units.js";
import { action, choice, gate, who } from "../vocabulary.js";
import { bare, callReason, ending, holdReason, sentence, title as about, until, views, whatCame } from "../words.js";
import { downFor, lane } from "../lane.js";
import { thinking } from "../view/agent.js";
import { mends } from "../view/banners.js";
import { command, copy, crumbs, facts, href, loading, nothing, papers, pill, pips } from "../view/bits.js";
import { timeline } from "../timeline.js";

const path = (id) => `/incidents/${encodeURIComponent(id)}`;

export function needs({ name }) {
  return [path(name)];
}

export function title({ state, name }) {
  const row = state.incidents.get(name);
  return `${row ? about(row) : "Incident"} · LogStream`;
}

export function view(ctx) {
  const { state, name, answers, now } = ctx;
  const row = state.incidents.get(name);
  const events = state.events.get(name) ?? [];
  const refusal = answers.get(path(name))?.refusal;
  if (!row || !events.length) {
    const gone = refusal?.status === 404;
    return h("main", { id: "main", key: "incident", class: "wrap page" }, way(name),
      h("h1", { class: "vh", tabindex: "-1" }, "Incident"),
      gone ? nothing("There is no such incident", "The log keeps incidents for 90 days.") : refusal ? nothing("It cannot be read now", refusal.message) : loading());
  }
  const told = ctx.stories.get(name) ?? story(row, events, state.health.get(row.service) ?? [], state.thinking.get(row.id));
  const at = clock(state, now);
  return h("main", { id: "main", key: "incident", class: "wrap page" },
    way(name),
    head(told, at, state),
    figures(told, at, state.services.get(row.service)),
    h("div", { class: "two" },
      h("div", { class: "stack" }, evidence(told), decision(told, at), report(told)),
      h("div", { class: "stack" }, course(told, at), held(told), links(row))));
}

function way(id) {
  return crumbs([["Overview", "/"], ["Incidents", "/incidents"]], id.length > 12 ? `${id.slice(0, 12)}…` : id);
}

function head(told, at, state) {
  const model = lane(told, { now: at, mode: state.info?.mode, service: state.services.get(told.row.service) });
  const mark = told.phase === "resolved" ? { ...model.pill, text: `${model.pill.text} in ${took(told.row.ttr_ms ?? told.resolved?.data?.ttr_ms)}` } : model.pill;
  return h("header", { class: "title", "data-incident": told.row.id, "data-phase": told.phase },
    h("div", { class: "title-say" }, h("h1", { tabindex: "-1" }, about(told.row), " ", pill(mark)), h("p", {}, summary(told, at))),
    h("div", { class: "btns" },
      h("button", { class: "btn", type: "button", "data-act": "copy", "data-text": `${globalThis.location?.origin ?? ""}${href.incident(told.row.id)}` }, icon("link"), "Copy link"),
      h("button", { class: "btn", type: "button", "data-act": "report", "data-of": told.row.id }, icon("file"), "Post-mortem as Markdown")));
}

function summary(told, at) {
  const first = `The first failed check was at ${when(told.firstBad, at)}.`;
  const error = bare(told.opened?.data?.error);
  const why = error ? ` ${sentence(error)}` : "";
  if (told.phase === "resolved") {
    const last = told.attempts.at(-1);
    const checks = last?.verified?.data?.ok ? ` ${last.pips.good} good checks in a row proved it.` : "";
    return `${first}${why} ${ending({ ...told.row, state: "resolved" })}${checks}`;
  }
  if (told.phase === "held" || told.phase === "waiting") return `${first}${why} On hold: ${holdReason(told)}.${until(told, at)}`;
  if (told.phase === "escalated") return `${first}${why} A person is needed. ${callReason(told)}`;
  return `${first}${why}`;
}

function figures(told, at, service) {
  const { row } = told;
  const done = told.resolved?.data ?? {};
  const over = told.phase === "resolved";
  const down = downFor(told, service, at);
  const found = row.ttd_ms ?? done.ttd_ms ?? instant(told.opened?.time) - told.firstBad;
  const decided = instant(told.first.decided) - instant(told.opened?.time);
  const attempts = told.attempts.length;
  return h("dl", { class: "panel figures" },
    figure("Down for", down.until ? took(down.ms) : lasting(down.ms), down.until ? "" : "so far"),
    figure("Found after", Number.isFinite(found) ? took(found) : "", told.opened?.data?.check === "container" ? "by its container" : ""),
    figure("Decided in", Number.isFinite(decided) ? took(decided) : "not yet", told.diagnosed ? `by ${who(told.diagnosed.by)}` : ""),
    figure("Attempts", String(attempts), attempts === 1 ? action(told.attempts[0].action).choice : ""),
    figure("Proved after", over && Number.isFinite(row.ttr_ms ?? done.ttr_ms) ? took(row.ttr_ms ?? done.ttr_ms) : "not yet"));
}

function figure(name, value, unit = "") {
  if (!value) return null;
  const parts = String(value).split(" ").flatMap((part) => (/^[\d.,]+$/.test(part) ? [part, " "] : [h("small", {}, part), " "]));
  const measured = /\d/.test(value);
  return h("div", {}, h("dt", {}, name), h("dd", { class: measured ? null : "text" }, measured ? parts : value, unit && h("small", {}, unit)));
}

function evidence(told) {
  if (!told.evidence) return h("section", { class: "panel pad" }, h("h2", {}, "Evidence"), h("p", { class: "ink2" }, "None was taken yet."));
  const data = told.evidence.data ?? {};
  const all = data.facts ?? [];
  const decided = all.filter((fact) => fact.decisive);
  const others = all.filter((fact) => !fact.decisive);
  const delay = instant(told.evidence.time) - instant(told.opened?.time);
  const looks = told.events.filter((event) => event.type === "evidence").length;
  const logs = data.logs ?? [];
  return h("section", { class: "panel pad", "aria-labelledby": "h-evidence" },
    h("div", { class: "panel-head" }, h("h2", { id: "h-evidence" }, "Evidence"), h("p", { class: "end quiet small" }, `taken at ${tenths(instant(told.evidence.time))}${looks > 1 ? `, look ${looks} of ${looks}` : delay >= 0 ? `, ${took(delay)} after detection` : ""}`)),
    decided.length > 0 && [h("h3", { class: "sub" }, "What decided"), h("ol", { class: "facts-hard" }, decided.map((fact) => h("li", {}, h("code", {}, `${fact.key}: ${fact.value}`), h("p", {}, sentence(fact.why)))))],
    (others.length > 0 || logs.length > 0) && h("details", { class: "more", open: decided.length === 0 || logs.length > 0 },
      h("summary", {}, "The rest, which did not decide"),
      facts(others.map((fact) => [fact.key, String(fact.value)]), "facts two-col"),
      logs.length > 0 && h("ol", { class: "log", tabindex: "0", "aria-label": "Log lines chosen by rules" }, logs.map((text) => h("li", { class: /\b(error|fatal|panic)\b/i.test(text) ? "lv-e" : null }, String(text)))),
      data.truncated && h("p", { class: "quiet small" }, "Cut: it was longer than a record may be.")));
}

function decision(told, at) {
  return [
    told.asking && h("section", { key: "asking", "aria-labelledby": "h-asking" }, h("h2", { id: "h-asking", class: "h-out" }, "The model is being asked"), h("div", { class: "panel pad" }, thinking(told, at))),
    told.diagnosed && both(told),
  ];
}

function both(told) {
  const data = told.diagnosed.data ?? {};
  const service = told.row.service;
  const { byModel, runbook, model, failed, why, mend } = views(told.diagnosed);
  const two = model || failed;
  const name = byModel ? who(told.diagnosed.by) : told.model || "The model";
  const reason = failed && [h("p", { class: "ink2 reason" }, failed === "away" ? `It could not be asked. ${sentence(why)}` : sentence(why)), mend && h("p", { class: "small quiet" }, "What mends it: ", mends(mend))];
  return h("section", { key: "views", "aria-labelledby": "h-views" },
    h("h2", { id: "h-views", class: "h-out" }, two ? "Two views, one decision" : "The decision"),
    h("div", { class: "views" },
      runbook && opinion({ key: "runbook", name: "Runbook", view: runbook, data, service, chosen: !byModel, sub: "rules" }),
      two && opinion({ key: "model", name, view: model, data, service, chosen: byModel, sub: failed ? FAILED[failed] : name === "The model" ? "" : "model", more: [reason, papers(data)] })),
    h("p", { class: "agree", "data-came": failed || (byModel ? "stands" : model ? "heard" : "unasked") }, icon("shield", "quiet"), h("span", {}, [whatCame(told.diagnosed, service), law(told), guarded(told)].filter(Boolean).join(" "))),
    options(data, service));
}

const FAILED = { late: "too late", away: "not asked", unusable: "not used" };

function opinion({ key, name, view, data, service, chosen, sub, more }) {
  const letter = view && (data.legal ?? []).find((entry) => entry.action === view.action)?.letter;
  return h("article", { class: `panel pad${chosen ? " chosen" : ""}`, key, "data-view": key, "data-stands": chosen ? "true" : "false" },
    h("div", { class: "panel-head" }, h("h3", {}, name), chosen ? h("span", { class: "pill work end" }, icon("work"), "Decided") : sub && h("span", { class: "quiet small end" }, sub)),
    view && [
      h("p", { class: "verdict" }, letter && h("kbd", {}, letter), h("b", {}, choice(view.action, service)), view.confidence > 0 && h("span", {}, h("span", { class: "vh" }, "sure to "), view.confidence.toFixed(2))),
      h("p", { class: "ink2" }, [sentence(view.cause), sentence(view.why)].filter(Boolean).join(" ")),
    ],
    more);
}

// Where they disagree: by what one of them won.
function law(told) {
  const { byModel, runbook, model } = views(told.diagnosed);
  return byModel && runbook && runbook.action !== model.action ? "Both are legal here, and a model’s legal choice goes first (healer.decide)." : "";
}

function guarded(told) {
  const last = told.attempts.at(-1);
  if (last) return `The guard allowed attempt ${last.number}.`;
  return told.hold ? `The guard holds it: ${holdReason(told)}.` : "";
}

function options(data, service) {
  const legal = data.legal ?? [];
  const refused = data.not_offered ?? [];
  if (!legal.length && !refused.length) return null;
  return h("div", { class: "panel pad options" },
    h("h3", {}, "What there was to choose from"),
    h("ol", { class: "choices" }, legal.map((entry) => h("li", { class: entry.action === data.action ? "chosen" : null }, h("kbd", {}, entry.letter), h("p", {}, h("b", {}, choice(entry.action, service)), entry.why && [h("br"), bare(entry.why)])))),
    refused.map((entry) => h("p", { class: "why-not" }, `Not offered: ${choice(entry.action, service)}. ${sentence(entry.why)}`)));
}

function report(told) {
  const text = told.reported?.data?.text;
  if (!text) return null;
  const parts = String(text).split(/\n{2,}/).map((part) => part.trim()).filter(Boolean);
  return h("section", { class: "panel pad", "aria-labelledby": "h-report" }, h("h2", { id: "h-report" }, "Post-mortem"),
    h("div", { class: "prose" }, parts.map((part) => (/^#+ /.test(part) ? h("h3", {}, part.replace(/^#+ /, "")) : h("p", { class: "pre" }, part)))));
}

function course(told, at) {
  return h("section", { class: "panel pad", "aria-labelledby": "h-timeline" }, h("h2", { id: "h-timeline" }, "Timeline"),
    h("ol", { class: "tl" }, timeline(told, at).map((item) => h("li", { class: item.look, key: item.key },
      item.took && h("span", { class: "tl-took" }, item.took),
      h("span", { class: "node" }, icon(item.icon)),
      h("div", {}, h("h3", {}, item.head), item.line && h("p", {}, item.line), item.command && h("p", { class: "cmdline" }, command(item.command), copy(item.command)), pips(item.pips)),
      item.at && h("time", { datetime: item.at.iso, title: item.at.iso }, item.at.text)))));
}

function held(told) {
  const list = told.events.filter((event) => (event.type === "suppressed" && !isPause(event)) || event.type === "approval_requested");
  if (!list.length) return null;
  return h("section", { class: "panel pad", "aria-labelledby": "h-held" }, h("h2", { id: "h-held" }, "What was held"),
    facts(list.map((event) => [hhmmss(instant(event.time)), sentence(event.data?.reason || gate(event.data?.gate)), event.data?.gate && h("span", { class: "quiet" }, ` Gate: ${event.data.gate}`)])));
}

function links(row) {
  return h("p", { class: "quiet small" }, "The service: ", h("a", { href: href.service(row.service) }, row.service));
}
