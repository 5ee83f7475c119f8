// The post-mortem of an incident in sentences, made of its records. Pure.

import { interrupted } from "./incident.js";
import { notDone } from "./lane.js";
import { day, hhmmss, instant, join, many, took } from "./units.js";
import { fault, phrase, who, whoFirst } from "./vocabulary.js";
import { cause, escalation, fromWhen, isOfUpdate, isRequested, paragraph, reason, repaired, sentence, target } from "./words.js";

const ON_PURPOSE = 15e3; // a failure that follows an injected fault within it is that fault's

/**
 * The paragraphs of a post-mortem: what happened, what was done, how it ended, and
 * what is left to do. `injections` are the faults that were injected, `dependents`
 * the names of what failed with it.
 */
export function postmortem(of, now, { injections = [], dependents = [] } = {}) {
  return [happened(of, now, injections), done(of), ended(of), left(of, dependents)].filter(Boolean);
}

// " today at 14:02:51", where it is known.
function moment(at, now) {
  if (!Number.isFinite(at)) return "";
  const of = day(at, now);
  return ` ${of === "today" || of === "yesterday" ? of : `on ${of}`} at ${hhmmss(at)}`;
}

function happened(of, now, injections) {
  const { row } = of;
  const at = of.firstBad;
  const injected = injections.findLast((one) => one.service === row.service && !one.error && instant(row.opened) - one.at >= 0 && instant(row.opened) - one.at < ON_PURPOSE);
  const error = reason(row.error);
  const found = row.ttd_ms ?? instant(row.opened) - at;
  if (isRequested(of)) return paragraph(`${whoFirst(of.opened.by)} ${of.opened.data.proposed ? "proposed" : "requested"} a repair of ${target(row)}${moment(instant(row.opened), now)}`, error);
  if (isOfUpdate(of)) return paragraph(`${row.service} was updated, and became worse${moment(at, now)}`, error);
  return paragraph(`${row.kind === "fleet" ? "Several services" : row.service} failed${moment(at, now)}`, error, cause(row),
    injected ? `The fault “${fault(injected.fault)}” had been injected on purpose at ${hhmmss(injected.at)} by ${injected.you ? "you" : who(injected.by)}` : "",
    found > 0 ? `LogStream opened an incident ${took(found)} after the first failed check` : "");
}

function done(of) {
  const { row, evidence, diagnosed, attempts } = of;
  const facts = evidence?.data?.facts ?? [];
  const decisive = facts.filter((fact) => fact.decisive).length;
  const collected = facts.length ? `It collected ${many(facts.length, "fact")}, of which ${decisive || "none"} ${decisive === 1 ? "was" : "were"} decisive` : "";
  const decided = diagnosed ? `${whoFirst(diagnosed.by)} decided: ${phrase(diagnosed.data?.action, target(row))}` : "";
  return paragraph(collected, decided, ...attempts.map((attempt, i) => tried(attempt, i, attempts.length, row)));
}

function tried({ action: name, started, finished, verified, progress }, i, all, row) {
  const at = hhmmss(instant(started.time));
  const which = all > 1 ? `Attempt ${i + 1} ` : "LogStream ";
  const what = started.data?.undoes ? `undid attempt ${started.data.undoes}` : phrase(name, target(row), "did");
  if (finished?.data?.ok === false) return `${all > 1 ? `Attempt ${i + 1}` : "The attempt"} to ${phrase(name, target(row))} at ${at}: ${notDone(finished.data)}. ${sentence(finished.data.error)}`;
  if (!finished) return `${which}began at ${at} to ${phrase(name, target(row))}`;
  const end = !verified ? "" : verified.data?.ok ? (progress?.good ? `; ${many(progress.good, "good check")} in a row verified it by ${hhmmss(instant(verified.time))}` : "; an inspection of the container verified it") : interrupted({ verified }) ? `; then it was interrupted. ${reason(verified.data.error)}` : `; it was not verified. ${reason(verified.data.error)}`;
  return `${which}${what} at ${at}${end}`;
}

function ended(of) {
  const { row } = of;
  if (row.state === "escalated") return paragraph("A person is needed", escalation(row));
  if (row.state !== "resolved") return "";
  const down = row.down_ms > 0 && !isRequested(of) ? `${row.kind === "fleet" ? "They were" : `${row.service} was`} down for ${took(row.down_ms)}` : "";
  const end = repaired(row) ? `The incident was resolved ${took(row.ttr_ms)} after ${fromWhen(of)}` : row.how === "operator" ? "The incident was closed by an operator, or because the service was removed" : "It recovered without a repair";
  return paragraph(down, end);
}

// What else failed with it, and what is left for a person to do.
function left({ row, attempts }, dependents) {
  const kept = attempts.map((one) => one.finished?.data?.kept_id).find(Boolean);
  return paragraph(dependents.length ? `${join(dependents)} failed with it, because ${dependents.length === 1 ? "it depends" : "they depend"} on ${row.service}` : "",
    kept ? `The old container is kept, stopped, as ${String(kept).slice(0, 12)}` : "",
    row.state === "escalated" ? "LogStream does nothing more by itself until the facts change" : "");
}
