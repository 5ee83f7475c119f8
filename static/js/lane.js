// The incident lane as data: its places in their order, each with its tense,
// and the time between two events on the line between them. view/lane.js
// draws it. Pure.

import { alike, behind, isBehind, roots } from "./causes.js";
import { decider, querying, views } from "./diagnosis.js";
import { failed, interrupted, isPause } from "./incident.js";
import { gap, hhmmss, instant, lasting, took } from "./units.js";
import { action, capital, gate, phrase, unless, waits, whoFirst } from "./vocabulary.js";
import { answered, cause, clip, countdown, decisive, ending, escalation, healedIn, holdReason, isOfUpdate, isRequested, nextLine, NO_REPAIR, paragraph, reason, repaired, title, verifiedFor } from "./words.js";

/** How long the lane of an incident that ended stays before it folds into the feed. */
export const STAYS = 60 * 1000;

/**
 * One place of the lane: {key, is, icon, head, lines, by, command, progress,
 * took, ring, model}. `is` is done, now, todo, first, was, healed, hold, wait, call
 * or failed; first is of what is broken, was of what is up again. `took` is the time to
 * the next place; `model` says that the time before this one was the model's; `ring`
 * fills from 0 to 1, null breathes.
 */
const place = (key, is, icon, head, rest = {}) => ({ key, is, icon, head, lines: [], by: "", command: "", progress: null, took: "", ring: null, model: false, ...rest });

/** The lane of an incident at an instant. */
export function lane(of, { now, mode = "", service = null }) {
  return { id: of.row.id, title: title(of.row), pill: pill(of, mode, service), clock: clock(of, service, now), steps: steps(of, { now, mode, service }) };
}

function pill(of, mode, service) {
  switch (of.stage) {
    case "resolved": return { colour: "up", icon: "up", text: repaired(of.row) ? "Repaired" : of.row.how === "operator" ? "Closed" : "Recovered" };
    case "escalated": return { colour: "down", icon: "person", text: "A person is needed" };
    case "approval": return { colour: "warn", icon: "person", text: "Approval needed" };
    case "held": return observing(of, mode) ? { colour: "", icon: "blind", text: "Observing" } : { colour: "warn", icon: "held", text: "On hold" };
    case "verification": if (isUp(service)) return { colour: "work", icon: "work", text: "Verifying" };
    // falls through: it is still down
    default: return isUp(service) ? { colour: "work", icon: "work", text: "Open" } : { colour: "down", icon: "down", text: "Open" };
  }
}

const isUp = (service) => service?.status === "UP" || service?.status === "DEGRADED";
const observing = (of, mode) => mode === "observe" || of.row.held === "observe";

/**
 * How long it was down: {ms, until: when it came back, or null while it lasts, never: it
 * was not down so far}.
 */
export function downFor(of, service, now) {
  const from = downSince(of, service);
  if (of.stage === "resolved") {
    const ms = of.row.down_ms ?? of.row.ttr_ms ?? instant(of.row.resolved) - from;
    return { ms, until: from + ms, never: !(ms > 0) || (wasGood(of) && !of.attempts.length) };
  }
  const up = isUp(service) ? of.back || instant(service.since) : NaN;
  if (up > from) return { ms: up - from, until: up, never: false };
  if (wasGood(of) && isUp(service)) return { ms: 0, until: from, never: true };
  return { ms: now - from, until: null, never: false };
}

// An incident that was opened for a request or about an update while its service answered.
const wasGood = (of) => isOfUpdate(of) || answered(of);

// One that was good is down since its first action, or since its checks say so.
function downSince(of, service) {
  if (!wasGood(of)) return of.firstBad;
  const acted = instant(of.attempts[0]?.started.time);
  if (acted > of.firstBad) return acted;
  return service?.status === "DOWN" && instant(service.first_bad) > of.firstBad ? instant(service.first_bad) : of.firstBad;
}

/** "Down for 8 s, since 14:02:11", "Down for 1.3 s, up since 14:02:12", "Open for 8 s; the service is up", of an open incident. */
export function openLine(of, service, now) {
  const { head, figure, rest } = figures(of, service, now);
  return `${head} ${figure}${rest}`;
}

// How long it is down, or open where it was never down: what comes before the figure, the figure, what comes after it.
function figures(of, service, now) {
  const { ms, until, never } = downFor(of, service, now);
  if (never) return { head: "Open for", figure: lasting(now - instant(of.row.opened)), rest: "; the service is up" };
  if (until === null) return { head: "Down for", figure: lasting(ms), rest: `, since ${hhmmss(now - ms)}` };
  return { head: "Down for", figure: took(ms), rest: `, up since ${hhmmss(until)}` };
}

// Counts while it is down, and stops where it came back; the time of the verification stands second.
function clock(of, service, now) {
  const { ms, until, never } = downFor(of, service, now);
  if (of.stage === "resolved") {
    if (never) return { head: "Was open for", figure: lasting(instant(of.row.resolved) - instant(of.row.opened)), rest: of.row.kind === "fleet" ? "" : "; the service was never down" };
    const verified = verifiedFor(of.row);
    return { head: "Down for", figure: took(ms), rest: verified > 0 ? `, then verified for ${took(verified)}` : `, until ${hhmmss(until)}` };
  }
  const said = figures(of, service, now);
  return of.stage === "verification" && until !== null && !never ? { ...said, rest: `, then verifying for ${lasting(now - until)}` } : said;
}

function steps(of, { now, mode, service }) {
  const list = [detected(of, service), evidence(of), diagnosis(of, now), ...attempts(of, now, mode), verify(of), ended(of)].filter(Boolean);
  between(list, now);
  return list;
}

function detected(of, service) {
  const data = of.opened?.data ?? {};
  if (isRequested(of)) return place("detected", "was", "person", data.proposed ? "Proposed" : "Requested", { lines: [data.action ? reason(phrase(data.action, "it")) : "Repair it."], by: `By ${whoFirst(of.opened.by)}`, at: of.opened.time });
  if (isOfUpdate(of)) return place("detected", "was", "down", "Detected", { lines: [reason(data.error)], by: "Compared with the previous image", at: of.opened.time });
  const source = data.check === "container" ? "Reported by the container’s state" : data.check ? `Reported by the ${data.check} check` : "";
  return place("detected", of.stage === "resolved" || isUp(service) ? "was" : "first", "down", "Detected", { lines: [reason(data.error || of.row.error || "Its checks failed.")], by: source, at: of.opened?.time });
}

function evidence(of) {
  const taken = of.first.evidence ?? of.evidence;
  if (taken) return place("evidence", "done", "search", "Evidence", { lines: [decisive(taken)], at: of.first.inspected });
  const now = of.stage === "detected";
  return place("evidence", now ? "now" : of.row.cause ? "done" : "todo", "search", now ? "Collecting evidence" : "Evidence");
}

function diagnosis(of, at) {
  const made = of.first.diagnosed ?? of.diagnosed;
  if (made) {
    return place("diagnosis", "done", "fork", "Diagnosis", { lines: [clip(made.data?.cause ?? "")], by: decider(made), at: of.first.decided, model: views(of.events.find((event) => event.type === "diagnosed")).queried });
  }
  if (of.row.cause) return place("diagnosis", "done", "fork", "Diagnosis", { lines: [cause(of.row)] });
  const now = of.stage === "evidence" || of.stage === "diagnosis";
  return place("diagnosis", now ? "now" : "todo", "fork", now ? "Diagnosing" : "Diagnosis", now ? query(of, at) : {});
}

// What a place says while the model is queried.
function query(of, now) {
  return of.query ? { lines: [querying(of, now)], by: "If it does not answer in time, the runbook decides.", model: true } : {};
}

const ROOM = 4; // places between the diagnosis and the verification

// The place of the action: every attempt that failed keeps its own, more than
// two fold into one; then what is done now, or what holds it. What held an attempt
// stands before it once it is over, the longest first where there is no room for all.
function attempts(of, now, mode) {
  const over = of.attempts.filter(failed);
  const last = of.attempts.at(-1);
  const folded = over.length > 2;
  const holds = of.attempts.map((attempt, i) => held(of, of.attempts[i - 1], attempt)).concat(held(of, last));
  const list = (folded ? [place("failed", "failed", "x", `${over.length} attempts failed`, { lines: [why(over.at(-1))], at: over[0].started.time })] : over.map(past)).concat(last && !failed(last) ? current(of, last, now) : []);
  const next = last && !failed(last) ? [] : pending(of, now, mode, over.length).filter(Boolean);
  const before = folded ? [null, ...holds.slice(over.length)] : holds; // each by the place that it is before
  const kept = new Set(before.filter(Boolean).sort((x, y) => y.lasted - x.lasted).slice(0, Math.max(0, ROOM - list.length - next.length)));
  const hold = (i) => (kept.has(before[i]) ? [before[i]] : []);
  return [...list.flatMap((one, i) => [...hold(i), one]), ...hold(list.length), ...next];
}

// What held an attempt, from the end of the one before it; without one, what held
// the end of the incident. Of several gates the one that held it longest is named.
function held(of, before, attempt = null) {
  const index = (event) => of.events.indexOf(event);
  const from = before ? index(before.verified ?? before.finished ?? before.started) + 1 : 0;
  if (!attempt && of.stage !== "resolved" && of.stage !== "escalated") return null;
  const to = attempt ? index(attempt.started) : of.events.length;
  const end = instant(attempt ? attempt.started.time : of.row.resolved ?? of.row.escalated);
  const holds = of.events.slice(from, to).filter((event) => event.type === "suppressed");
  if (!holds.length || !(end > 0)) return null;
  const lasted = (event, i) => (holds[i + 1] ? instant(holds[i + 1].time) : end) - instant(event.time);
  const longest = holds.reduce((most, event, i) => (lasted(event, i) > lasted(most, holds.indexOf(most)) ? event : most), holds[0]);
  const whole = end - instant(holds[0].time);
  return { ...hold(longest, whole, holds[0].time), key: `hold-${holds[0].seq}`, lasted: isPause(longest) ? 0 : whole };
}

const hold = (event, whole, at) => place("hold", "done", "held", isPause(event) ? "Waited" : "Was on hold", { lines: [reason(event.data?.reason || gate(event.data?.gate))], by: `For ${took(whole)}`, at });

const why = (attempt) => attempt.finished?.data?.error || attempt.verified?.data?.error || "Verification failed.";

function past(attempt, i) {
  const a = action(attempt.action);
  const head = attempt.finished?.data?.ok === false ? `${a.todo}: ${notDone(attempt.finished.data)}` : a.did;
  return place(`attempt-${i + 1}`, "failed", a.icon, head, { lines: [why(attempt)], by: interrupted(attempt) ? "Interrupted" : "", progress: attempt.progress, at: attempt.started.time });
}

/** What became of a call that did not succeed. */
export function notDone({ outcome }) {
  return outcome === "not_executed" ? "not executed" : "failed";
}

function current(of, attempt, now) {
  const a = action(attempt.action);
  const started = instant(attempt.started.time);
  const base = { ...shown(of, attempt.action, attempt.command), at: attempt.started.time };
  if (!attempt.finished) {
    const most = instant(attempt.started.data?.expires) - started;
    const ring = most > 0 ? Math.min(1, Math.max(0.02, (now - started) / most)) : null;
    return place("action", "now", a.icon, a.doing, { ...base, by: most > 0 ? `${now - started > most ? "Longer than" : `${lasting(now - started)} of at most`} ${lasting(most)}` : "", ring });
  }
  const lasted = attempt.finished.data?.duration_ms;
  return place("action", "done", a.icon, a.did, { ...base, by: paragraph(lasted >= 1 ? `Took ${took(lasted)}` : "", a.gentle ? "Non-disruptive" : ""), at: attempt.finished.time });
}

// The command that a person would type; where there is none, what it does.
function shown(of, name, command) {
  return command ? { command } : name ? { lines: [phrase(name, of.row.service)] } : {};
}

function pending(of, now, mode, failures) {
  const chosen = of.diagnosed?.data?.action ?? of.row.action;
  const a = chosen ? action(chosen) : null;
  const command = of.diagnosed?.data?.command ?? "";
  switch (of.stage) {
    case "resolved":
      return failures ? [] : [place("action", "done", "held", "No action", { lines: closed(of) ? [] : ["It recovered before a repair was needed."] })];
    case "escalated":
      return failures ? [] : [place("action", "done", "held", "No action", { lines: [reason(of.diagnosed?.data?.runbook?.why)].filter((why) => why !== escalation(of.row)) })]; // the next place says it
    case "approval":
      return [place("action", "wait", "person", "Approval needed", { lines: [holdReason(of)], command: of.hold?.data?.command ?? "", at: of.hold?.time })];
    case "held":
      if (observing(of, mode) && a && !waits(chosen)) return [place("action", "hold", a.icon, `Would ${phrase(chosen, "it")}`, { command, by: "Not run: mode observe", at: of.hold?.time })];
      return [place("hold", "hold", "held", "On hold", { lines: [paragraph(holdReason(of), nextLine(of.row, now))], by: of.row.held && of.row.held_reason ? `Gate: ${of.row.held}` : "", at: of.hold?.time }), a && !waits(chosen) && gateOpens(of) && place("action", "todo", a.icon, a.todo)];
    case "pause":
      return [waiting(of, now), a && !waits(chosen) && place("action", "todo", a.icon, a.todo, shown(of, chosen, command))];
    case "evidence":
      return [of.diagnosed ? place("action", "now", "fork", "Diagnosing again", query(of, now)) : place("action", "todo", "work", "Act")];
    case "diagnosis":
      if (!of.diagnosed && !of.row.cause) return [place("action", "todo", "work", "Act")];
      if (of.query) return [place("action", "now", "fork", "Diagnosing again", query(of, now))];
      if (waits(chosen)) return [place("hold", "now", "held", "Waiting", { lines: [`${NO_REPAIR}.`] })];
      return [place("action", "now", a?.icon ?? "work", a ? a.todo : "Act", shown(of, chosen, command))];
    case "action": // its events are not known yet
      return [place("action", "now", a?.icon ?? "work", a?.doing ?? "Acting", shown(of, chosen, command))];
    case "verification":
      return [place("action", "done", a?.icon ?? "work", a?.did ?? "Acted", shown(of, chosen, command))];
    default:
      return [place("action", "todo", "work", "Act")];
  }
}

// A hold that opens at a known time has the action after it.
const gateOpens = (of) => Number.isFinite(instant(of.row.next?.at));

// A moment's pause: its ring fills until the gate opens.
function waiting(of, now) {
  const from = instant(of.hold?.time);
  const until = instant(of.row.next?.at);
  const whole = until - from;
  const rest = until - now;
  return place("hold", "now", "held", rest > 0 ? `Waiting ${countdown(rest)}` : "Waiting", { lines: [capital(unless(of.row.held)) || holdReason(of)], ring: whole > 0 ? Math.min(1, Math.max(0.02, (now - from) / whole)) : null, at: of.hold?.time });
}

// Whether it was ended with nothing verified: what was proposed was denied, or its service was removed.
const closed = (of) => of.row.how === "operator" && !of.attempts.at(-1)?.verified?.data?.ok;

function verify(of) {
  const last = of.attempts.at(-1);
  if (of.stage === "escalated") return place("verify", "call", "person", "A person is needed", { lines: [escalation(of.row) || "It stays open until its checks are good."], at: of.row.escalated });
  if (of.stage === "resolved") {
    if (closed(of)) return null;
    if (last?.verified?.data?.ok) return place("verify", "done", "shield", "Verified", { lines: [`${last.progress.good} good checks in a row`], progress: last.progress, at: last.verified.time });
    return place("verify", "done", "shield", "Verified", { lines: ["It stayed good for the verification window."] });
  }
  if (of.stage === "verification") {
    const { good, needed } = of.row.progress ?? {};
    return place("verify", "now", "shield", "Verifying", { lines: [needed ? `${good} of ${needed} good checks in a row since the repair` : "Its next checks decide."], progress: last?.progress ?? null, ring: needed ? good / needed : null });
  }
  const needed = last && !failed(last) ? last.started.data?.verify : 0;
  return place("verify", "todo", "shield", "Verify", { lines: needed ? [`${needed} good checks in a row`] : [] });
}

const ENDED = { healed: "Repaired", recovered: "Recovered", operator: "Closed" };

function ended(of) {
  if (of.stage !== "resolved") return place("ended", "todo", "check", "Repaired");
  return place("ended", "healed", "check", ENDED[of.row.how] ?? "Resolved", { lines: [closed(of) && ending(of.row), !downFor(of).never && healedIn(of.row)].filter(Boolean), at: of.row.resolved });
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
 * held or given up, the oldest first. One that just ended has the lane if nothing
 * else needs it. Of the lines those that need a person are first, so that none of them is
 * folded behind a repair. Those of one cause are one group, and those that only wait for
 * their root stand `behind` it: {first, lane, behind, groups, lines, more}. `lane` says
 * whether the first has a lane, and is not only the first of a group at rest.
 */
export function pick(incidents, now, most = 3) {
  const weight = { approval: 0, verification: 2, held: 3, escalated: 4 };
  const above = roots(incidents);
  const open = incidents
    .filter((of) => of.stage !== "resolved" && !isBehind(of, above, now, STAYS))
    .sort((a, b) => (weight[a.stage] ?? 1) - (weight[b.stage] ?? 1) || instant(a.row.opened) - instant(b.row.opened));
  if (open.length) {
    const [first] = open;
    const { groups, rest } = alike(open);
    const own = groups.find(({ list }) => list.includes(first));
    const rests = own && (first.stage === "held" || first.stage === "escalated");
    const others = rest.filter((of) => of !== first).sort((a, b) => calls(b) - calls(a));
    return { first, lane: !rests, behind: rests ? [] : behind(first, incidents), groups, lines: others.slice(0, most), more: Math.max(0, others.length - most) };
  }
  const over = incidents
    .filter((of) => of.stage === "resolved" && now - instant(of.row.resolved) < STAYS && of.events.length && !isBehind(of, above, now, STAYS))
    .sort((a, b) => instant(b.row.resolved) - instant(a.row.resolved));
  return { first: over[0] ?? null, lane: over.length > 0, behind: over.length ? behind(over[0], incidents) : [], groups: [], lines: [], more: 0 };
}

const calls = (of) => of.stage === "escalated" || of.stage === "approval";

/** The lane before anything broke: its places, all to come. */
export function idleLane() {
  return [place("detected", "todo", "down", "Detect"), place("evidence", "todo", "search", "Evidence"), place("diagnosis", "todo", "fork", "Diagnosis"), place("action", "todo", "work", "Act"), place("verify", "todo", "shield", "Verify"), place("ended", "todo", "check", "Repaired")];
}
