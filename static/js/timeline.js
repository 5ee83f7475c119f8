// The timeline of an incident: one item for each step, with the time between
// it and the one before. Pure.

import { interrupted, isPause } from "./incident.js";
import { gap, instant, iso, tenths, took } from "./units.js";
import { action, capital, gate, who } from "./vocabulary.js";
import { asking, bare, decider, sentence, views } from "./words.js";

/**
 * Items {key, look, icon, head, line, command, pips, took, at: {iso, text}}, in
 * order; what is under way has no `at`.
 */
export function timeline(told, now = NaN) {
  const list = told.events.map((event) => item(event, told)).filter(Boolean);
  const first = told.firstBad;
  if (told.opened && first < instant(told.opened.time)) list.unshift({ key: "first", look: "first", icon: "down", head: "First failed check", line: sentence(told.opened.data?.error), time: first });
  const items = list.map((one, i) => {
    const since = i ? one.time - list[i - 1].time : NaN;
    return { ...BLANK, ...one, took: since >= 0 ? gap(since) + (one.asked ? `, asking ${one.asked}` : "") : "", at: { iso: iso(one.time), text: tenths(one.time) } };
  });
  const pips = told.attempts.at(-1)?.pips;
  if (told.phase === "verifying" && pips && !told.attempts.at(-1).verified) items.push({ ...BLANK, key: "now", look: "now-step", icon: "shield", head: "Verifying", line: pips.of ? `${pips.good} of ${pips.of} good checks so far` : "", pips, took: "", at: null });
  if (told.asking) items.push({ ...BLANK, key: "now", look: "now-step", icon: "fork", head: "Diagnosing", line: asking(told, now), took: "", at: null });
  return items;
}

const BLANK = { command: "", line: "", pips: null, look: "" };

// Whose time went by before a diagnosis, where it was a model's.
function asked(event, told) {
  const { byModel, asked: was } = views(event);
  return was ? (byModel ? who(event.by) : told.model || "the model") : "";
}

function item(event, told) {
  const data = event.data ?? {};
  const made = say(event, data, told);
  return made && { key: String(event.seq), time: instant(event.time), ...made };
}

function say(event, data, told) {
  const a = action(data.action);
  switch (event.type) {
    case "opened":
      return { look: "first", icon: "down", head: "Incident opened", line: data.check === "container" ? "Its container said so" : sentence(data.error) };
    case "evidence": {
      const facts = data.facts ?? [];
      return { icon: "search", head: "Evidence taken", line: `${facts.length} facts, ${facts.filter((fact) => fact.decisive).length} decide.` };
    }
    case "diagnosed":
      return { icon: "fork", head: "Diagnosed", line: `${sentence(data.cause)} ${decider(event)}`, asked: asked(event, told) };
    case "approval_requested":
      return { icon: "person", head: "Asked a person", line: sentence(data.reason) };
    case "approved": case "denied":
      return { icon: "person", head: capital(event.type), line: `By ${who(event.by)}${data.reason ? `: ${bare(data.reason)}` : ""}.` };
    case "action_started":
      return { icon: a.icon, head: a.doing, line: `Attempt ${data.attempt}`, command: data.command };
    case "action_finished":
      return { icon: data.ok === false ? "x" : a.icon, look: data.ok === false ? "bad" : "", head: data.ok === false ? `${a.todo} failed` : a.did, line: data.ok === false ? sentence(data.error) : Number.isFinite(data.duration_ms) ? `The engine took ${took(data.duration_ms)}` : "" };
    case "verified": {
      const attempt = told.attempts.find((one) => one.verified === event);
      return data.ok === false
        ? { icon: "x", look: "bad", head: interrupted(attempt) ? "Interrupted" : "It did not hold", line: sentence(bare(data.error).replace(/^interrupted: /i, "")), pips: interrupted(attempt) ? null : attempt?.pips }
        : { icon: "shield", head: "Verified", line: `${data.observations ?? attempt?.pips?.good ?? 0} good checks in a row, all newer than the repair`, pips: attempt?.pips };
    }
    case "suppressed":
      return { icon: "held", look: isPause(event) ? "" : "hold", head: isPause(event) ? "Waited a moment" : "On hold", line: sentence(data.reason || gate(data.gate)) };
    case "escalated":
      return { icon: "person", look: "first", head: "A person is needed", line: sentence(data.reason) };
    case "resolved":
      return { icon: "check", look: "healed", head: data.how === "recovered" ? "Recovered" : data.how === "operator" ? "Ended by an operator" : "Healed", line: Number.isFinite(data.ttr_ms) ? `${took(data.ttr_ms)} after the first failed check` : "" };
    case "reported":
      return { icon: "file", head: "Post-mortem written" };
    default:
      return { icon: "none", head: capital(String(event.type).replaceAll("_", " ")) };
  }
}
