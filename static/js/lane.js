// The incident lane as data: its places in their order, each with its tense,
// and the time between two events on the line between them. view/lane.js
// draws it. Pure.

import { failed, interrupted } from "./incident.js";
import { gap, hhmmss, instant, lasting, took } from "./units.js";
import { action, gate } from "./vocabulary.js";
import { asking, bare, callReason, clip, decider, decisive, holdReason, sentence, title, until, views } from "./words.js";

/** How long a healed lane stays before it folds into the feed. */
export const STAYS = 60 * 1000;

/**
 * One place of the lane: {key, is, icon, head, lines, by, command, pips, took,
 * ring, model}. `is` is done, now, todo, first, healed, hold, wait, call or failed;
 * `took` is the time to the next place; `model` says that the time before this
 * one was the model's; `ring` fills from 0 to 1, null breathes.
 */
const place = (key, is, icon, head, rest = {}) => ({ key, is, icon, head, lines: [], by: "", command: "", pips: null, took: "", ring: null, model: false, ...rest });

/** The lane of an incident's story at an instant. */
export function lane(told, { now, mode = "", service = null }) {
  return { id: told.row.id, title: title(told.row), pill: pill(told, mode, service), clock: clock(told, service, now), steps: steps(told, { now, mode }) };
}

function pill(told, mode, service) {
  switch (told.phase) {
    case "resolved": return told.attempts.length && told.resolved?.data?.how !== "recovered" ? { colour: "up", icon: "up", text: "Healed" } : { colour: "up", icon: "up", text: "Recovered" };
    case "escalated": return { colour: "down", icon: "person", text: "Needs a person" };
    case "waiting": return { colour: "warn", icon: "person", text: "Waits for you" };
    case "held": return observing(told, mode) ? { colour: "", icon: "blind", text: "Observing" } : { colour: "warn", icon: "held", text: "On hold" };
    case "verifying": if (isUp(service)) return { colour: "work", icon: "work", text: "Verifying" };
    // falls through: it is still down
    default: return { colour: "down", icon: "down", text: "Open" };
  }
}

const isUp = (service) => service?.status === "UP" || service?.status === "DEGRADED";
const observing = (told, mode) => mode === "observe" || told.hold?.data?.gate === "observe";

/** How long it was down: {ms, until: when it came back, or null while it lasts}. */
export function downFor(told, service, now) {
  const from = told.firstBad;
  if (told.phase === "resolved") {
    const ms = [told.resolved?.data?.down_ms, told.row.down_ms, told.resolved?.data?.ttr_ms].find(Number.isFinite) ?? instant(told.row.resolved) - from;
    return { ms, until: from + ms };
  }
  const up = isUp(service) ? instant(service.since) : NaN;
  return up > from ? { ms: up - from, until: up } : { ms: now - from, until: null };
}

// Counts while it is down, stops where it came back.
function clock(told, service, now) {
  const { ms, until: back } = downFor(told, service, now);
  if (back === null) return { figure: lasting(ms), rest: `down, since ${hhmmss(told.firstBad)}` };
  if (told.phase !== "resolved") return { figure: took(ms), rest: `down, up since ${hhmmss(back)}` };
  const healed = told.resolved?.data?.how === "healed" || (!told.resolved && told.row.attempts > 0);
  return { figure: took(ms), rest: `down, ${healed ? "healed" : "back"} at ${hhmmss(instant(told.resolved?.time ?? told.row.resolved))}` };
}

function steps(told, { now, mode }) {
  const list = [detected(told), evidence(told), diagnosis(told, now), ...attempts(told, now, mode), verify(told), healed(told)].filter(Boolean);
  between(list, now);
  return list;
}

function detected(told) {
  const error = told.opened?.data?.error ?? told.row.error;
  const data = told.opened?.data ?? {};
  const source = data.check === "container" ? "Seen on the container itself" : data.check ? `Seen by its ${data.check} check` : "";
  return place("detected", "first", "down", "Detected", { lines: [sentence(error || "It failed its checks")], by: source, at: told.opened?.time });
}

function evidence(told) {
  const taken = told.first.evidence ?? told.evidence;
  if (taken) return place("evidence", "done", "search", "Evidence", { lines: [decisive(taken)], at: told.first.looked });
  return place("evidence", told.phase === "detected" ? "now" : told.row.cause ? "done" : "todo", "search", told.phase === "detected" ? "Taking evidence" : "Evidence");
}

function diagnosis(told, at) {
  const made = told.first.diagnosed ?? told.diagnosed;
  if (made) {
    return place("diagnosis", "done", "fork", "Diagnosis", { lines: [sentence(clip(bare(made.data?.cause)))], by: decider(made), at: told.first.decided, model: views(told.events.find((event) => event.type === "diagnosed")).asked });
  }
  if (told.row.cause) return place("diagnosis", "done", "fork", "Diagnosis", { lines: [sentence(clip(bare(told.row.cause)))] });
  const now = told.phase === "evidence";
  return place("diagnosis", now ? "now" : "todo", "fork", now ? "Diagnosing" : "Diagnosis", now ? question(told, at) : {});
}

// What a place says while the model is asked.
function question(told, now) {
  return told.asking ? { lines: [asking(told, now)], by: "If it is late, the runbook decides.", model: true } : {};
}

// The place of the action: every attempt that did not hold keeps its own, more
// than two fold into one; then what is done now, or what holds it.
function attempts(told, now, mode) {
  const over = told.attempts.filter(failed);
  const last = told.attempts.at(-1);
  const folded = over.length > 2 ? [place("failed", "failed", "x", "Did not hold", { lines: [`Attempts 1 to ${over.length} did not hold.`], at: over[0].started.time })] : over.map(past);
  if (last && !failed(last)) return [...folded, current(told, last, now)];
  const next = pending(told, now, mode, over.length);
  return next ? [...folded, next] : folded;
}

function past(attempt) {
  const a = action(attempt.action);
  const why = bare(attempt.finished?.data?.error || attempt.verified?.data?.error || "its checks failed again");
  return place(`attempt-${attempt.number}`, "failed", a.icon, attempt.finished?.data?.ok === false ? `${a.todo} failed` : a.did, { lines: [interrupted(attempt) ? `Attempt ${attempt.number} was ${why}` : `Attempt ${attempt.number}: ${why}`], pips: attempt.verified && !interrupted(attempt) ? attempt.pips : null, at: attempt.started.time });
}

function current(told, attempt, now) {
  const a = action(attempt.action);
  const started = instant(attempt.started.time);
  const nth = `Attempt ${attempt.number}`;
  const base = { command: attempt.command || attempt.started.data?.command || "", at: attempt.started.time };
  if (!attempt.finished) {
    const most = instant(attempt.started.data?.expires) - started;
    const ring = most > 0 ? Math.min(1, Math.max(0.02, (now - started) / most)) : null;
    return place("action", "now", a.icon, a.doing, { ...base, by: most > 0 ? `${nth}, ${now - started > most ? "longer than" : `${lasting(now - started)} of at most`} ${lasting(most)}` : nth, ring });
  }
  const lasted = attempt.finished.data?.duration_ms;
  return place("action", "done", a.icon, a.did, { ...base, by: `${nth}${lasted >= 1 ? `, took ${took(lasted)}` : ""}${a.lossless ? ". Loses nothing." : ""}`, at: attempt.finished.time });
}

function pending(told, now, mode, failures) {
  const chosen = told.diagnosed?.data?.action ?? told.row.action;
  const a = chosen ? action(chosen) : null;
  switch (told.phase) {
    case "resolved":
      return failures ? null : place("action", "done", "held", "No action", { lines: ["It came back before one was needed."] });
    case "escalated":
      return failures ? null : place("action", "done", "held", "No action", { lines: [sentence(told.diagnosed?.data?.runbook?.why ?? "")].filter(Boolean) });
    case "waiting":
      return place("action", "wait", "person", "Waits for you", { lines: [sentence(told.hold?.data?.reason)], command: told.hold?.data?.command ?? "", at: told.hold?.time });
    case "held": {
      if (observing(told, mode) && a) return place("action", "hold", a.icon, `Would ${a.todo.toLowerCase()}`, { command: told.diagnosed?.data?.command ?? "", by: "Not run: mode observe", at: told.hold?.time });
      const name = told.hold?.data?.gate ?? told.row.held;
      return place("action", "hold", "held", "On hold", { lines: [`${sentence(holdReason(told))}${until(told, now)}`], by: name && told.hold?.data?.reason && gate(name) !== name ? `Gate: ${name}` : "", at: told.hold?.time });
    }
    case "grace":
      return place("action", "now", "held", "Waiting a moment", { lines: [sentence(holdReason(told))] });
    case "evidence":
      return told.diagnosed ? place("action", "now", "fork", "Diagnosing again", question(told, now)) : place("action", "todo", "work", "Act");
    case "diagnosed":
      if (told.asking) return place("action", "now", "fork", "Diagnosing again", question(told, now));
      return place("action", "now", a?.icon ?? "work", a ? a.todo : "Act", { command: told.diagnosed?.data?.command ?? "" });
    default:
      return place("action", "todo", "work", "Act");
  }
}

function verify(told) {
  const last = told.attempts.at(-1);
  if (told.phase === "escalated") return place("verify", "call", "person", "A person is needed", { lines: [callReason(told, told.row.cause, told.attempts.length ? "" : told.diagnosed?.data?.runbook?.why) || "It stays open until its checks are good."], at: told.escalated?.time });
  if (told.phase === "resolved") {
    if (last?.verified?.data?.ok) return place("verify", "done", "shield", "Verified", { lines: [`${last.pips.good} good checks in a row`], pips: last.pips, at: last.verified.time });
    return place("verify", "done", "shield", "Verified", { lines: ["It stayed good for the whole window."] });
  }
  if (told.phase === "verifying" && last) {
    const { good, of } = last.pips;
    return place("verify", "now", "shield", "Verifying", { lines: [of ? `${good} of ${of} good checks in a row, all newer than the repair` : "Its checks decide."], pips: last.pips, ring: of ? good / of : null });
  }
  const of = last && !failed(last) ? last.pips?.of : 0;
  return place("verify", "todo", "shield", "Verify", { lines: of ? [`${of} good checks in a row`] : [] });
}

function healed(told) {
  if (told.phase !== "resolved") return place("healed", "todo", "check", "Healed");
  const how = told.resolved?.data?.how ?? told.row.how;
  const head = how === "recovered" ? "Recovered" : how === "operator" ? "Ended" : "Healed";
  const total = told.resolved?.data?.ttr_ms ?? told.row.ttr_ms;
  return place("healed", "healed", "check", head, { lines: [Number.isFinite(total) ? `${took(total)} after the first failed check` : ""].filter(Boolean), at: told.resolved?.time ?? told.row.resolved });
}

// The time between two places stands on the line between them, also while the
// next one still lasts; where the way is to come, the line is dashed and bare.
function between(list, now) {
  for (let i = 0; i + 1 < list.length; i++) {
    const from = instant(list[i].at);
    const next = list[i + 1];
    const to = instant(next.at);
    if (to >= from) list[i].took = gap(to - from);
    else if (next.is === "now" && now - from >= 1000) list[i].took = lasting(now - from);
    if (list[i].took && next.model) list[i].took += ", the model";
  }
}

/**
 * Which incidents get the lane, and which one line each: what waits for a
 * person first, then what is still broken, what is being verified, and what is
 * held or given up, the oldest first. One that just healed has the lane if nothing else needs it.
 */
export function pick(stories, now, most = 3) {
  const weight = { waiting: 0, verifying: 2, held: 3, escalated: 4 };
  const open = stories
    .filter((told) => told.phase !== "resolved")
    .sort((a, b) => (weight[a.phase] ?? 1) - (weight[b.phase] ?? 1) || instant(a.row.opened) - instant(b.row.opened));
  if (open.length) return { first: open[0], lines: open.slice(1, 1 + most), more: Math.max(0, open.length - 1 - most) };
  const healed = stories
    .filter((told) => now - instant(told.row.resolved) < STAYS && told.events.length)
    .sort((a, b) => instant(b.row.resolved) - instant(a.row.resolved));
  return { first: healed[0] ?? null, lines: [], more: 0 };
}
