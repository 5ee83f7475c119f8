// The timeline of an incident: one item for each step, with the time between
// it and the one before. Pure.

import { decider, queriedModel, querying } from "./diagnosis.js";
import { interrupted, isPause } from "./incident.js";
import { notDone } from "./lane.js";
import { gap, instant, iso, many, tenths, took } from "./units.js";
import { action, capital, gate, heldAs, phrase, who } from "./vocabulary.js";
import { fromWhen, isOfUpdate, isRequested, keptContainer, paragraph, reason, verifying } from "./words.js";

/**
 * Items {key, tone, icon, head, line, command, note, output, root, progress, took,
 * at: {iso, text}}, in order; what is under way has no `at`. `note` is the gate of
 * a hold, `root` {name, incident} what it waits for, `output` what a command printed,
 * `text` what an operator wrote, in its lines.
 */
export function timeline(of, now = NaN) {
  const list = of.events.map((event) => item(event, of)).filter(Boolean);
  const first = of.firstBad;
  if (of.opened && of.row.kind !== "fleet" && !isRequested(of) && !isOfUpdate(of) && first < instant(of.opened.time)) list.unshift({ key: "first", tone: "first", icon: "down", head: "First failed check", line: reason(of.opened.data?.error), time: first });
  const items = list.map((one, i) => {
    const since = i ? one.time - list[i - 1].time : NaN;
    return { ...BLANK, ...one, took: since >= 0 ? gap(since) + (one.queried ? `, querying ${one.queried}` : "") : "", at: { iso: iso(one.time), text: tenths(one.time) } };
  });
  for (const one of of.row.notes ?? []) place(items, one);
  const last = of.attempts.at(-1);
  if (of.stage === "verification" && last && !last.verified) items.push({ ...BLANK, key: "now", tone: "now-step", icon: "shield", head: "Verifying", line: verifying(of.row.progress), progress: last.progress });
  if (of.query) items.push({ ...BLANK, key: "now", tone: "now-step", icon: "fork", head: "Diagnosing", line: querying(of, now) });
  return items;
}

// A note stands among the steps by its time, and is none: the time between them
// goes on beside it.
function place(items, { id, time, by, text }) {
  const at = instant(time);
  const after = items.findIndex((one) => one.time > at);
  const made = { ...BLANK, key: `note-${id}`, icon: "file", head: "Note", line: `By ${who(by)}.`, text: String(text ?? ""), time: at, at: { iso: iso(at), text: tenths(at) } };
  items.splice(after < 0 ? items.length : after, 0, made);
}

const BLANK = { command: "", line: "", text: "", note: "", output: "", root: null, progress: null, tone: "", took: "", at: null };

function item(event, of) {
  const data = event.data ?? {};
  const made = say(event, data, of);
  return made && { key: String(event.seq), time: instant(event.time), ...made };
}

function say(event, data, of) {
  const a = action(data.action);
  switch (event.type) {
    case "opened":
      return opened(event, data, of);
    case "evidence": {
      const facts = data.facts ?? [];
      return { icon: "search", head: "Evidence collected", line: `${many(facts.length, "fact")}, ${facts.filter((fact) => fact.decisive).length} decisive.` };
    }
    case "diagnosed":
      return { icon: "fork", head: "Diagnosed", line: paragraph(data.cause, decider(event)), queried: queriedModel(event, of) };
    case "approval_requested":
      return { icon: "person", head: "Approval requested", line: paragraph(data.action ? `To ${phrase(data.action, of.row.service)}` : "", reason(data.reason)) };
    case "approved": case "denied":
      return { icon: "person", head: capital(event.type), line: paragraph(`By ${who(event.by)}`, reason(data.reason)) };
    case "acknowledged":
      return { icon: "person", head: "Acknowledged", line: paragraph(`By ${who(event.by)}`, reason(data.reason)) };
    case "action_started":
      if (data.undoes) return { icon: "restart", head: `Undo of attempt ${data.undoes}`, line: `By ${who(event.by)}.`, command: data.command };
      return { icon: a.icon, head: a.doing, line: data.command || !data.action ? "" : phrase(data.action, of.row.service), command: data.command };
    case "action_finished":
      return finished(data, a, of.attempts.find((one) => one.finished === event));
    case "verified":
      return verified(data, of.attempts.find((one) => one.verified === event));
    case "suppressed":
      return { icon: "held", tone: isPause(event) ? "" : "hold", head: isPause(event) ? "Waited a moment" : heldAs(data.gate).first, line: reason(data.reason || gate(data.gate)), note: data.gate && !isPause(event) ? `Gate: ${data.gate}` : "", root: data.root ? { name: data.root, incident: data.root_incident ?? "" } : null };
    case "escalated":
      return { icon: "person", tone: "first", head: "A person is needed", line: reason(data.reason) };
    case "resolved":
      return { icon: "check", tone: "healed", head: data.how === "recovered" ? "Recovered" : data.how === "operator" ? undone(of) ? "Closed: undone" : "Closed by an operator" : "Repaired", line: Number.isFinite(data.ttr_ms) ? `${took(data.ttr_ms)} after ${fromWhen(of)}.` : "" };
    case "reported":
      return { icon: "file", head: "Post-mortem written" };
    default:
      return { icon: "none", head: capital(String(event.type).replaceAll("_", " ")) };
  }
}

// What opened it: checks, an operator, or most of the services at once.
function opened(event, data, of) {
  const by = `By ${who(event.by)}.`;
  if (data.undoes_incident) return { icon: "person", head: `Undo of attempt ${data.undoes} requested`, line: `${by} It was an attempt of incident ${data.undoes_incident}.` };
  if (isRequested(of)) return { icon: "person", head: data.proposed ? "Repair proposed" : "Repair requested", line: data.action ? `${capital(phrase(data.action, of.row.service))}. ${by}` : by };
  const source = data.check === "container" ? "Reported by the container’s state." : data.check ? `Reported by the ${data.check} check.` : "";
  return { tone: "first", icon: "down", head: "Incident opened", line: of.row.kind === "fleet" || isOfUpdate(of) || !(of.firstBad < instant(event.time)) ? reason(data.error) : source || reason(data.error) };
}

const undone = (of) => Boolean(of.attempts.at(-1)?.started.data?.undoes && of.attempts.at(-1).verified?.data?.ok);

function finished(data, a, attempt) {
  const undo = attempt?.started.data?.undoes;
  const output = String(data.output ?? "");
  if (data.ok === false) return { icon: "x", tone: "bad", head: `${undo ? "Undo" : a.todo}: ${notDone(data)}`, line: reason(data.error), output };
  const kept = keptContainer(data.kept_id);
  return { icon: undo ? "restart" : a.icon, head: undo ? "Undone" : a.did, output,
    line: paragraph(Number.isFinite(data.duration_ms) ? `The call took ${took(data.duration_ms)}` : "") + (kept && ` ${kept}`), command: kept && `docker rm ${data.kept_id.slice(0, 12)}` };
}

function verified(data, attempt) {
  if (data.ok === false) return { icon: "x", tone: "bad", head: interrupted(attempt) ? "Attempt interrupted" : "Verification failed", line: reason(data.error), progress: attempt?.progress };
  if (attempt?.started.data?.undoes) return { icon: "shield", head: "Verified", line: "An inspection of the container verified the undo." };
  return { icon: "shield", head: "Verified", line: `${attempt?.progress?.good ?? data.observations ?? 0} good checks in a row since the repair.`, progress: attempt?.progress };
}
