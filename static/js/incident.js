// An incident as its events tell it: the row of the list, and its story for
// the lane, the agent and its own page. Pure folds of the contract's records;
// what is missing stays null, what is unknown is skipped.

import { instant } from "./units.js";

const GRACE = 5000; // a hold that ends by itself within it is a pause, and nobody's concern
const HOLDING = new Set(["suppressed", "approval_requested"]);

/**
 * The row of an incident (an object of GET /incidents) after one more event;
 * `mended` says that the last thing done about it holds so far.
 */
export function rowAfter(row, event) {
  const data = event.data ?? {};
  const next = { id: event.id, service: event.service, state: "open", ...row };
  switch (event.type) {
    case "opened":
      Object.assign(next, { opened: event.time, error: data.error, kind: data.kind, first_bad: data.first_bad });
      break;
    case "diagnosed":
      Object.assign(next, { cause: data.cause, action: data.action, decided_by: event.by, state: "open" });
      break;
    case "approval_requested":
      Object.assign(next, { held: "approval", held_reason: data.reason });
      break;
    case "suppressed":
      Object.assign(next, { held: data.gate, held_reason: data.reason, state: "open" });
      break;
    case "action_started":
      Object.assign(next, { action: data.action, attempts: data.attempt, held: "", held_reason: "", state: "open" });
      break;
    case "resolved":
      Object.assign(next, { state: "resolved", resolved: event.time, how: data.how, ttd_ms: data.ttd_ms, ttr_ms: data.ttr_ms, down_ms: data.down_ms, held: "", held_reason: "" });
      if (Number.isFinite(data.attempts)) next.attempts = data.attempts;
      break;
    case "escalated":
      Object.assign(next, { state: "escalated", held: "", held_reason: "", escalated: event.time, escalated_reason: data.reason });
      break;
    case "approved": case "denied":
      Object.assign(next, { held: "", held_reason: "" });
      break;
    case "action_finished": case "verified":
      Object.assign(next, { held: "", held_reason: "", mended: data.ok !== false });
      break;
    default:
  }
  if (typeof event.state === "string") next.state = event.state;
  return next;
}

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
 * The story of an incident: its last evidence and diagnosis, and in `first`
 * those that led to the first attempt; every attempt with its verification, what holds it, how it ended, and the phase it is in:
 * detected, evidence, diagnosed, grace, acting, verifying, held, waiting,
 * escalated or resolved. `checks` are health records of its service. `thinking`
 * is what a model writes about it; `asking` is the same while it is asked, `model` its name.
 */
export function story(row, events, checks = [], thinking = null) {
  const told = { row, events, opened: null, evidence: null, diagnosed: null, first: { evidence: null, diagnosed: null, looked: null, decided: null }, attempts: [], hold: null, escalated: null, resolved: null, reported: null, phase: "detected" };
  for (const event of events) tell(told, event);
  for (const attempt of told.attempts) attempt.pips = pips(attempt, checks);
  told.firstBad = instant(told.opened?.data?.first_bad ?? row.first_bad ?? row.opened);
  if (events.length === 0) told.phase = bare(row);
  told.asking = asked(told, thinking) ? thinking : null;
  told.model = told.diagnosed?.data?.asked || thinking?.model || "";
  return told;
}

// A question is open until a diagnosis is written that is newer.
function asked(told, thinking) {
  if (!thinking || thinking.done || !(told.phase === "evidence" || told.phase === "diagnosed")) return false;
  return told.phase === "evidence" || thinking.since > instant(told.diagnosed.time);
}

function bare(row) {
  if (row.state === "resolved" || row.state === "escalated") return row.state;
  if (row.held) return row.held === "approval" ? "waiting" : "held";
  return row.cause ? "diagnosed" : "detected";
}

function tell(told, event) {
  const data = event.data ?? {};
  const last = told.attempts.at(-1);
  if (event.type !== "reported" && !HOLDING.has(event.type)) told.hold = null;
  switch (event.type) {
    case "opened":
      told.opened = event;
      break;
    case "evidence":
      told.evidence = event;
      if (!last) told.first.evidence = event;
      told.first.looked ??= event.time;
      told.phase = "evidence";
      told.escalated = null;
      break;
    case "diagnosed":
      told.diagnosed = event;
      if (!last) told.first.diagnosed = event;
      told.first.decided ??= event.time;
      told.phase = "diagnosed";
      told.escalated = null;
      break;
    case "approval_requested":
      told.hold = event;
      told.phase = "waiting";
      break;
    case "suppressed":
      told.hold = event;
      told.phase = isPause(event) ? "grace" : "held";
      told.escalated = null;
      break;
    case "approved":
      told.phase = "diagnosed";
      break;
    case "action_started":
      told.attempts.push({ number: data.attempt ?? told.attempts.length + 1, action: data.action, command: data.command, started: event, finished: null, verified: null, pips: null });
      told.phase = "acting";
      told.escalated = null;
      break;
    case "action_finished":
      if (last) last.finished = event;
      told.phase = data.ok === false ? "diagnosed" : "verifying";
      break;
    case "verified":
      if (last) last.verified = event;
      told.phase = data.ok === false ? "diagnosed" : "verifying";
      break;
    case "escalated":
      told.escalated = event;
      told.phase = "escalated";
      break;
    case "resolved":
      told.resolved = event;
      told.phase = "resolved";
      break;
    case "reported":
      told.reported = event;
      break;
    default:
  }
}

/** Whether a hold is a pause that ends by itself in a moment. */
export function isPause(event) {
  return event.type === "suppressed" && instant(event.data?.until) - instant(event.time) <= GRACE;
}

/** Whether an attempt is over and did not help. */
export function failed(attempt) {
  return attempt.finished?.data?.ok === false || attempt.verified?.data?.ok === false;
}

/** Whether a check is one of the schedule's own: what verification counts. */
export function counts(record, instance) {
  return record.check !== "container" && record.extra !== true && (!instance || !record.instance || record.instance === instance);
}

/** Whether an attempt was ended by somebody else, and proves nothing. */
export function interrupted(attempt) {
  return /^interrupted/i.test(attempt?.verified?.data?.error ?? "");
}

/** The good checks in a row since an action: how many, of how many, and whether the last was bad. */
function pips(attempt, checks) {
  const needed = attempt.started.data?.verify;
  const of = Number.isInteger(needed) && needed > 0 ? needed : 0;
  const verdict = attempt.verified?.data;
  if (verdict?.ok === true) return { good: of || verdict.observations || 0, of: of || verdict.observations || 0, bad: false };
  if (!attempt.finished) return { good: 0, of, bad: false };
  const from = instant(attempt.finished.time);
  const to = attempt.verified ? instant(attempt.verified.time) : Infinity;
  let good = 0;
  let bad = false;
  for (const record of checks) {
    const at = instant(record.timestamp);
    if (!counts(record, attempt.started.instance) || at <= from || at >= to) continue;
    bad = record.status === "DOWN";
    good = bad ? 0 : good + 1;
  }
  if (verdict) bad = !interrupted(attempt);
  return { good: of ? Math.min(good, of) : good, of, bad };
}
