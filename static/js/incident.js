// An incident for the lane, the agent and its own page: the row of the API,
// which says where it stands, and its events, which say how it came there.
// Pure; what is missing stays null, what is unknown is skipped.

import { instant } from "./units.js";
import { isOfEngine } from "./vocabulary.js";

const PAUSE = 5000; // a hold that ends by itself within it is no rest

/** Adds an event to those of an incident, in order and once each. */
export function insert(events, event) {
  if (events.some((known) => known.seq === event.seq)) return events;
  return [...events, event].sort((a, b) => a.seq - b.seq);
}

/** Whether the events are whole, from the first on without a gap. */
export function whole(events) {
  return events.length > 0 && events.every((event, i) => event.seq === i + 1);
}

/**
 * Where an incident stands, from what the server says of it: detected,
 * evidence, diagnosis, approval, action, verification, pause, held, escalated
 * or resolved. A pause is a hold that ends by itself in a moment.
 */
export function stage(row, hold = null) {
  if (row.state === "resolved" || row.state === "escalated") return row.state;
  if (row.held === "approval") return "approval";
  if (row.held) return hold && isPause(hold) ? "pause" : "held";
  return row.phase || "detected";
}

/**
 * The whole of an incident: its stage, its newest evidence and diagnosis, in
 * `first` those that led to the first attempt, every attempt with its
 * verification, and what holds it. `thinking` is what a model
 * writes about it; `query` is the same while it is queried, `model` its name.
 * `back` is when its service answered again, by the records of its own checks:
 * the instant to which down_ms will count.
 */
export function incident(row, events, thinking = null, records = []) {
  const last = (...types) => events.findLast((event) => types.includes(event.type)) ?? null;
  const hold = row.held ? last("suppressed", "approval_requested") : null;
  const of = {
    row, events, hold,
    stage: stage(row, hold),
    first: leading(events),
    opened: last("opened"), evidence: last("evidence"), diagnosed: last("diagnosed"), reported: last("reported"),
    firstBad: instant(row.first_bad ?? row.opened),
  };
  of.attempts = attempts(events, of.stage === "verification" ? row.progress : null);
  of.back = answered(of.attempts.at(-1), records);
  of.query = queried(of, thinking) ? thinking : null;
  of.model = of.diagnosed?.data?.asked || thinking?.model || "";
  return of;
}

// What led to the first attempt, and when it was begun to inspect and to decide.
function leading(events) {
  const acted = events.findIndex((event) => event.type === "action_started");
  const before = acted < 0 ? events : events.slice(0, acted);
  const last = (type) => before.findLast((event) => event.type === type) ?? null;
  const time = (type) => events.find((event) => event.type === type)?.time ?? null;
  return { evidence: last("evidence"), diagnosed: last("diagnosed"), inspected: time("evidence"), decided: time("diagnosed") };
}

// Each attempt with what became of it; the progress is that of the last one.
function attempts(events, progress) {
  const list = [];
  for (const event of events) {
    const data = event.data ?? {};
    const last = list.at(-1);
    if (event.type === "action_started") list.push({ action: data.action, command: data.command ?? "", started: event, finished: null, verified: null, progress: null });
    else if (event.type === "action_finished" && last) last.finished = event;
    else if (event.type === "verified" && last) Object.assign(last, { verified: event, progress: proven(data, last.started.data?.verify) });
  }
  if (progress && list.length && !list.at(-1).verified) list.at(-1).progress = { ...progress, bad: false };
  return list;
}

// The first good check after the newest attempt, where none after it was bad.
function answered(attempt, records) {
  const from = instant(attempt?.finished?.time);
  let back = NaN;
  for (const record of records) {
    const at = instant(record.timestamp);
    if (!(at >= from) || isOfEngine(record)) continue;
    if (record.status === "DOWN") back = NaN;
    else if (Number.isNaN(back)) back = at;
  }
  return back;
}

function proven({ ok, outcome, observations = 0 }, verify) {
  if (ok) return { good: verify || observations, needed: verify || observations, bad: false };
  return outcome === "interrupted" ? null : { good: observations, needed: verify || 0, bad: true };
}

// A query is open until a diagnosis is written that is newer.
function queried({ stage: at, diagnosed }, thinking) {
  if (!thinking || thinking.done || !(at === "evidence" || at === "diagnosis")) return false;
  return !diagnosed || at === "evidence" || thinking.since > instant(diagnosed.time);
}

const AGENT = { approval: "WAITING_APPROVAL", action: "FIXING", verification: "VERIFYING", escalated: "ESCALATED", held: "WATCHING", resolved: "WATCHING" };

/** The state of the agent while it is about an incident in this stage: the contract's, so that the page says one thing everywhere. */
export const agentState = (stage) => AGENT[stage] ?? "DIAGNOSING";

/** Whether a hold is a pause that ends by itself in a moment. */
export function isPause(event) {
  return event.type === "suppressed" && instant(event.data?.until) - instant(event.time) <= PAUSE;
}

/** Whether an attempt is over and did not help. */
export function failed(attempt) {
  return attempt.finished?.data?.ok === false || attempt.verified?.data?.ok === false;
}

/** Whether an attempt was ended by an external change, and is inconclusive. */
export function interrupted(attempt) {
  return attempt?.verified?.data?.outcome === "interrupted";
}
