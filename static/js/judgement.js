// Which view was right, by the outcome of the decision (which the API's row has), and the
// setting or rule by which one of them was used. Pure.

import { isProven, views } from "./diagnosis.js";
import { action, whoFirst } from "./vocabulary.js";
import { paragraph } from "./words.js";

/**
 * The judgement of a diagnosis: {agree: yes, no, or alone, where there is one view;
 * outcome; right: both, model, runbook, neither or unknown; text; setting}.
 */
export function judgement(of, info = null) {
  const { byModel, runbook, model } = views(of.diagnosed);
  const chosen = of.diagnosed.data?.action;
  const agree = !runbook || !model ? "alone" : runbook.action === model.action ? "yes" : "no";
  const became = of.row.outcome || "pending";
  const decider = byModel ? "model" : "runbook";
  const good = became === "verified" || (became === "escalated" && chosen === "escalate");
  const right = good ? (agree === "yes" ? "both" : decider) : became === "failed" && agree === "yes" ? "neither" : "unknown";
  return { agree, outcome: became, right, text: said({ of, became, agree, byModel, chosen }), setting: setting(of, info) };
}

function said({ of, became, agree, byModel, chosen }) {
  const decider = byModel ? "The model" : "The runbook";
  const untried = agree === "no" ? `What the ${byModel ? "runbook" : "model"} would have done was not tried` : "";
  switch (became) {
    case "verified": return agree === "yes" ? "Both were right: the repair was verified." : paragraph(`${decider} was right: its repair was verified`, untried);
    case "failed": return agree === "yes" ? "Neither was right: the repair failed." : paragraph(`${decider} was wrong: its repair failed`, untried);
    case "denied": {
      const denied = of.events.findLast((event) => event.type === "denied");
      return paragraph(`${whoFirst(denied?.by ?? "operator")} denied it, so it is not known whether ${agree === "yes" ? "they were" : `${decider.toLowerCase()} was`} right`, untried);
    }
    case "interrupted": return "Not known who was right: an external change interrupted the verification.";
    case "escalated": return chosen === "escalate" ? "A person was called, as decided." : "Not known who was right: a person was called before a repair was tried.";
    case "recovered": return "Not known who was right: it recovered without a verified repair.";
    case "closed": return "Not known who was right: an operator’s command or the removal of the service ended the incident first.";
    default: return agree === "alone" ? "No outcome yet." : "No outcome yet, so it is not known who is right.";
  }
}

// The setting or the rule by which the model or the runbook decided.
function setting(of, info) {
  const { byModel, runbook, model, failed, code } = views(of.diagnosed);
  const { action: chosen, confidence } = of.diagnosed.data ?? {};
  const proven = isProven(confidence);
  if (byModel) return runbook && runbook.action !== model.action ? "Setting: healer.decide: llm. Both choices are allowed, and an allowed choice by the model is used." : "Setting: healer.decide: llm.";
  if (!String(of.diagnosed.by).startsWith("runbook")) return "";
  if (failed === "late") return `Setting: healer.llm.timeout${info?.llm?.timeout_s > 0 ? `: ${info.llm.timeout_s}s` : ""}. The model did not answer within it, so the runbook decided.`;
  if (failed) return "Rule: without a usable answer by the model the runbook decides.";
  if (code === "no_opinion") return "Rule: if the model declines while a repair is available, the runbook decides.";
  if (code === "overruled") return "Rule: where the facts prove the cause, the runbook decides, whatever the model answers.";
  if (model) return "";
  if (info && !info.llm?.model) return "Setting: no model is configured (healer.llm).";
  return proven && action(chosen).gentle ? "Setting: healer.reflex: true. LogStream does not wait for a model where the facts prove the cause and the repair is non-disruptive." : "";
}
