// The decision about an incident: the runbook's view and the model's side by side,
// which of them was used and by which setting, and which was right.

import { certainty, views, whatCame } from "../diagnosis.js";
import { h, icon } from "../dom.js";
import { judgement } from "../judgement.js";
import { many } from "../units.js";
import { phrase, who } from "../vocabulary.js";
import { holdReason, paragraph, reason, target } from "../words.js";
import { came, legal, thinking } from "./agent.js";
import { transcript } from "./bits.js";

/** A query that is under way, with the model's reasoning as it comes, and what was decided. */
export function decision(of, at, info) {
  return [
    of.query && h("section", { key: "query", "aria-labelledby": "h-query" }, h("h2", { id: "h-query", class: "h-out" }, "The model is being queried"), h("div", { class: "panel pad" }, thinking(of, at))),
    of.diagnosed && both(of, info),
  ];
}

const RIGHT = { both: ["check", "up"], model: ["check", "up"], runbook: ["check", "up"], neither: ["x", "quiet"] };

function both(of, info) {
  const data = of.diagnosed.data ?? {};
  const service = target(of.row);
  const { byModel, runbook, model, failed, why } = views(of.diagnosed);
  const two = model || failed;
  const name = byModel ? who(of.diagnosed.by) : of.model || "The model";
  const judged = judgement(of, info);
  const [mark, colour] = RIGHT[judged.right] ?? ["none", "quiet"];
  return h("section", { key: "views", "aria-labelledby": "h-views" },
    h("h2", { id: "h-views", class: "h-out" }, two ? "Two views, one decision" : "The decision"),
    h("div", { class: "views" },
      runbook && opinion({ key: "runbook", name: "Runbook", view: runbook, data, service, chosen: !byModel, sub: "rules" }),
      two && opinion({ key: "model", name, view: model, data, service, chosen: byModel, sub: failed ? FAILED[failed] : name === "The model" ? "" : "model", more: [why && h("p", { class: "ink2 reason" }, reason(why)), transcript(data)] })),
    h("ul", { class: "agrees", "aria-label": "Which view was used, and which was right" },
      h("li", { class: "agree", "data-came": came(of.diagnosed), "data-agree": judged.agree }, icon(judged.agree === "yes" ? "check" : "fork", "quiet"), h("span", {}, paragraph(whatCame(of.diagnosed, service), judged.setting))),
      h("li", { class: "agree", "data-right": judged.right, "data-outcome": judged.outcome }, icon(mark, colour), h("span", {}, judged.text)),
      guarded(of) && h("li", { class: "agree" }, icon("shield", "quiet"), h("span", {}, guarded(of)))),
    options(data, service, of.row.state === "open"));
}

const FAILED = { late: "too late", unavailable: "unavailable", unusable: "not used", unused: "not used" };

function opinion({ key, name, view, data, service, chosen, sub, more }) {
  const letter = view && (data.legal ?? []).find((entry) => entry.action === view.action)?.letter;
  const sure = view && certainty(view.confidence, key === "model" ? "llm:" : key);
  return h("article", { class: `panel pad${chosen ? " chosen" : ""}`, key, "data-view": key, "data-stands": chosen ? "true" : "false" },
    h("div", { class: "panel-head" }, h("h3", {}, name), chosen ? h("span", { class: "pill work end" }, icon("work"), "Decided") : sub && h("span", { class: "quiet small end" }, sub)),
    view && [
      h("p", { class: "verdict" }, letter && h("kbd", {}, letter), h("b", {}, phrase(view.action, service)), sure && h("span", {}, sure)),
      h("p", { class: "ink2" }, paragraph(view.cause, reason(view.why))),
    ],
    more);
}

function guarded(of) {
  if (of.attempts.length) return "The gates allowed the repair.";
  if (of.stage === "approval") return "The repair waits for approval.";
  return of.hold ? paragraph("A gate holds the repair", holdReason(of)) : "";
}

// What could have been chosen: folded once it is over.
function options(data, service, open) {
  const [could, not] = [data.legal?.length ?? 0, data.not_offered?.length ?? 0];
  if (!could && !not) return null;
  return h("details", { class: "panel pad options", key: "options", open }, h("summary", {}, [could && many(could, "allowed action"), not && `${not} not offered`].filter(Boolean).join(", ")), legal(data, service));
}
