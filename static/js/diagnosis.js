// The two views of a diagnosis, the runbook's and the model's, and what came
// of them. Pure.

import { lasting } from "./units.js";
import { phrase, who, whoFirst } from "./vocabulary.js";

// What the codes of an unused view mean for the page: late, unavailable or
// unusable where there is no view; considered where there is one that did not decide.
const CODES = {
  late: "late", unreachable: "unavailable", missing_model: "unavailable", illegal: "unusable", garbage: "unusable",
  no_opinion: "considered", overruled: "considered",
};

/**
 * Both views, each {cause, action, confidence, why} or null, and how it stands
 * with the model's: `byModel` where it decided, `queried` where it took the
 * model's time. `failed` is late, unavailable, unusable or unused where there is
 * none although one was wanted, and `why` says so in the record's own words.
 */
export function views(diagnosed) {
  const { cause, action, confidence, runbook, model, asked, prompt, raw, reasoning, invalid, invalid_code: code } = diagnosed?.data ?? {};
  const decided = { cause, action, confidence, why: "" };
  const byModel = String(diagnosed?.by).startsWith("llm:");
  const came = CODES[code] ?? (invalid || code ? "unused" : "");
  const view = byModel ? model ?? decided : came && came !== "considered" ? null : model ?? null;
  const queried = Boolean(byModel || asked || prompt || raw || reasoning || came === "late");
  const failed = view ? "" : came && came !== "considered" ? came : queried ? "unused" : "";
  return { byModel, queried, code: code ?? "", failed, runbook: runbook ?? (byModel ? null : decided), model: view, why: failed ? invalid ?? "" : "" };
}

const UNUSED = {
  late: "The model did not answer in time.",
  unavailable: "The model was unavailable.",
  unusable: "The model’s answer could not be used.",
  unused: "The model’s view was not used.",
};

/** What came of the model's view, in one line. */
export function whatCame(diagnosed, service = diagnosed?.service) {
  const { runbook, model, byModel, failed, code } = views(diagnosed);
  if (!model && !failed) return "No model was queried.";
  const decided = `${whoFirst(diagnosed.by)} decided.`;
  if (failed) return `${UNUSED[failed]} ${decided}`;
  const chosen = diagnosed.data?.action;
  if (model.action === (runbook ?? { action: chosen }).action && (runbook || !byModel)) return `The model agrees with the runbook: ${phrase(model.action, service)}.`;
  if (byModel) return `The model’s choice was used: ${phrase(model.action, service)}.${runbook ? ` The runbook would ${phrase(runbook.action, service)}.` : ""}`;
  const would = phrase(model.action, service);
  if (code === "no_opinion" && chosen !== "escalate") return `The model would ${would}, but a repair is available: ${phrase(chosen, service)}. ${decided}`;
  if (code === "overruled") return `The model would ${would}, but the facts prove another cause. ${decided}`;
  return `The model would ${would}. ${decided}`;
}

/** Who decided, and how sure: "The runbook, cause proven. The model agrees." */
export function decider(diagnosed) {
  if (!diagnosed) return "";
  const { runbook, model, byModel, failed } = views(diagnosed);
  const chosen = diagnosed.data?.action;
  const other = byModel ? runbook : model;
  const view = failed ? UNUSED[failed] : other ? `${byModel ? "The runbook" : "The model"} ${other.action === chosen ? "agrees" : `would ${phrase(other.action, "it")}`}.` : "";
  const decided = [whoFirst(diagnosed.by), decidedCertainty(diagnosed)].filter(Boolean).join(", ");
  return [`${decided}.`, view].filter(Boolean).join(" ");
}

const PROVEN = 0.9; // from this confidence of the runbook on the facts prove a cause

/** Whether the facts prove a cause, by the runbook's confidence in it. */
export const isProven = (confidence) => confidence >= PROVEN;

/**
 * How sure a view is; empty where no number was given that can be used. A model gives a
 * number of its own: "confidence 97%". The runbook's is fixed for each cause, so the page
 * shows only whether the facts prove it.
 */
export function certainty(confidence, by) {
  if (!(confidence > 0)) return "";
  if (String(by).startsWith("llm:")) return `confidence ${Math.round(confidence * 100)}%`;
  return by === "runbook" ? (isProven(confidence) ? "cause proven" : "cause not proven") : "";
}

/** How sure the view is that was used: where a model agrees, the record's own number is still the runbook's. */
export function decidedCertainty(diagnosed) {
  const { byModel, model } = views(diagnosed);
  return certainty(byModel ? model.confidence : diagnosed.data?.confidence, diagnosed.by);
}

/** "Querying deepseek-r1:1.5b, 4 s of 20 s." */
export function querying({ query }, now) {
  const time = queriedFor(query, now);
  return `Querying ${query.model || "the model"}${time && `, ${time}`}.`;
}

/** How long a model has been queried, and how long it has: "4 s of 20 s". */
export function queriedFor({ since, limit }, now) {
  const so = now - since;
  if (!Number.isFinite(so)) return "";
  return limit > 0 ? `${lasting(Math.min(so, limit))} of ${lasting(limit)}` : `${lasting(so)} so far`;
}

/** Whose time went by before a diagnosis, where it was a model's. */
export function queriedModel(event, of) {
  const { byModel, queried } = views(event);
  return queried ? (byModel ? who(event.by) : of.model || "the model") : "";
}
