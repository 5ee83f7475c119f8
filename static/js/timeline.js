// The timeline of an incident: one item for each step, with the time between
// it and the one before. Pure.

import { decider, queriedModel, querying } from "./diagnosis.js";
import { interrupted, isPause } from "./incident.js";
import { notDone } from "./lane.js";
import { gap, instant, iso, many, tenths, took } from "./units.js";
import { action, capital, gate, phrase, who } from "./vocabulary.js";
import { paragraph, reason, verifying } from "./words.js";

/**
 * Items {key, look, icon, head, line, command, progress, took, at: {iso, text}},
 * in order; what is under way has no `at`.
 */
export function timeline(of, now = NaN) {
  const list = of.events.map((event) => item(event, of)).filter(Boolean);
  const first = of.firstBad;
  if (of.opened && first < instant(of.opened.time)) list.unshift({ key: "first", look: "first", icon: "down", head: "First failed check", line: of.opened.data?.error, time: first });
  const items = list.map((one, i) => {
    const since = i ? one.time - list[i - 1].time : NaN;
    return { ...BLANK, ...one, took: since >= 0 ? gap(since) + (one.queried ? `, querying ${one.queried}` : "") : "", at: { iso: iso(one.time), text: tenths(one.time) } };
  });
  const last = of.attempts.at(-1);
  if (of.stage === "verification" && last && !last.verified) items.push({ ...BLANK, key: "now", look: "now-step", icon: "shield", head: "Verifying", line: verifying(of.row.progress), progress: last.progress });
  if (of.query) items.push({ ...BLANK, key: "now", look: "now-step", icon: "fork", head: "Diagnosing", line: querying(of, now) });
  return items;
}

const BLANK = { command: "", line: "", progress: null, look: "", took: "", at: null };

function item(event, of) {
  const data = event.data ?? {};
  const made = say(event, data, of);
  return made && { key: String(event.seq), time: instant(event.time), ...made };
}

function say(event, data, of) {
  const a = action(data.action);
  switch (event.type) {
    case "opened":
      return { look: "first", icon: "down", head: "Incident opened", line: data.check === "container" ? "Reported by the container’s state." : data.error };
    case "evidence": {
      const facts = data.facts ?? [];
      return { icon: "search", head: "Evidence collected", line: `${many(facts.length, "fact")}, ${facts.filter((fact) => fact.decisive).length} decisive.` };
    }
    case "diagnosed":
      return { icon: "fork", head: "Diagnosed", line: paragraph(data.cause, decider(event)), queried: queriedModel(event, of) };
    case "approval_requested":
      return { icon: "person", head: "Approval requested", line: reason(data.reason) };
    case "approved": case "denied":
      return { icon: "person", head: capital(event.type), line: paragraph(`By ${who(event.by)}`, reason(data.reason)) };
    case "acknowledged":
      return { icon: "person", head: "Acknowledged", line: paragraph(`By ${who(event.by)}`, reason(data.reason)) };
    case "action_started":
      if (data.undoes) return { icon: "restart", head: `Undoing attempt ${data.undoes}`, line: `By ${who(event.by)}.`, command: data.command };
      return { icon: a.icon, head: a.doing, line: data.command || !data.action ? "" : phrase(data.action, of.row.service), command: data.command };
    case "action_finished":
      return data.ok === false
        ? { icon: "x", look: "bad", head: `${a.todo}: ${notDone(data)}`, line: data.error }
        : { icon: a.icon, head: a.did, line: Number.isFinite(data.duration_ms) ? `The call took ${took(data.duration_ms)}.` : "" };
    case "verified":
      return verified(data, of.attempts.find((one) => one.verified === event));
    case "suppressed":
      return { icon: "held", look: isPause(event) ? "" : "hold", head: isPause(event) ? "Waited a moment" : "On hold", line: reason(data.reason || gate(data.gate)) };
    case "escalated":
      return { icon: "person", look: "first", head: "A person is needed", line: reason(data.reason) };
    case "resolved":
      return { icon: "check", look: "healed", head: data.how === "recovered" ? "Recovered" : data.how === "operator" ? "Closed by an operator" : "Repaired", line: Number.isFinite(data.ttr_ms) ? `${took(data.ttr_ms)} after the first failed check.` : "" };
    case "reported":
      return { icon: "file", head: "Post-mortem written" };
    default:
      return { icon: "none", head: capital(String(event.type).replaceAll("_", " ")) };
  }
}

function verified(data, attempt) {
  if (data.ok === false) return { icon: "x", look: "bad", head: interrupted(attempt) ? "Attempt interrupted" : "Verification failed", line: data.error, progress: attempt?.progress };
  return { icon: "shield", head: "Verified", line: `${attempt?.progress?.good ?? data.observations ?? 0} good checks in a row since the repair.`, progress: attempt?.progress };
}
