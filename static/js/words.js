// Sentences about what is, what is done about it and what happened. Pure:
// the same facts read the same everywhere. Nothing here is markup.

import { action, capital, choice, deed as doing, gate, status, who } from "./vocabulary.js";
import { failed } from "./incident.js";
import { hhmmss, instant, join, lasting, many, names, roughly, took } from "./units.js";

/** A sentence without its full stop. */
export function bare(sentence) {
  return String(sentence ?? "").trim().replace(/\.$/, "");
}

/** A sentence with a capital and a full stop. */
export function sentence(text) {
  const said = String(text ?? "").trim();
  return said && capital(said) + (/[.!?…]$/.test(said) ? "" : ".");
}

/** A cause with the service as its subject: "payment-service was stopped from outside". */
export function about(cause, service) {
  const said = bare(cause);
  if (/^Its container (was|is|ran|ended|could)\b/.test(said)) return service + said.slice("Its container".length);
  if (/^Its\b/.test(said)) return `${service}’s${said.slice(3)}`;
  if (/^It\b/.test(said)) return service + said.slice(2);
  return said ? `${service}: ${said}` : `${service} is down`;
}

// Causes speak of the present; once it is mended, it is the past.
const PAST = [[/ is /g, " was "], [/ are /g, " were "], [/ runs\b/g, " ran"], [/ answers\b/g, " answered"], [/ does not answer/g, " did not answer"], [/ does not exist/g, " did not exist"], [/ fails\b/g, " failed"], [/ ends\b/g, " ended"]];

function past(text, name) {
  const said = ` ${text.slice(text.startsWith(name) ? name.length : 0)}`;
  const then = PAST.reduce((all, [now, before]) => all.replace(now, before), said).slice(1);
  return (text.startsWith(name) ? name : "") + then;
}

const LONG = 140; // characters of a cause

/** A cause for a title or a lane: a model may find many words for it, and all of them stand with the diagnosis. */
export function clip(text) {
  if (text.length <= LONG) return text;
  const space = text.lastIndexOf(" ", LONG);
  return `${text.slice(0, space > LONG / 2 ? space : LONG)}…`;
}

/** What an incident is about, as its title. */
export function title(row) {
  if (row.kind === "fleet") return row.cause ? bare(row.cause) : "Many services turned red together";
  if (row.cause) {
    const said = clip(about(row.cause, row.service));
    return row.mended || row.state === "resolved" ? past(said, String(row.service)) : said;
  }
  return row.error ? `${row.service}: ${bare(row.error)}` : `${row.service} is down`;
}

/** Services sorted by what is to be said about them. */
export function sort(services) {
  const list = [...services];
  const of = (...wanted) => list.filter((service) => wanted.includes(service.status)).map((service) => service.name);
  const behind = list.filter((service) => service.status === "DOWN" && service.held === "dependency").map((service) => service.name);
  return { all: list.map((service) => service.name), up: of("UP"), slow: of("DEGRADED"), down: of("DOWN").filter((name) => !behind.includes(name)), behind, pending: of("PENDING"), unheard: of("UNKNOWN") };
}

/** The page's first sentence: whether anything is broken now. */
export function statusLine(services) {
  const s = sort(services);
  const are = (list) => (list.length === 1 ? "is" : "are");
  if (!s.all.length) return { text: "No services yet", status: "PENDING" };
  const down = s.down.length ? s.down : s.behind;
  if (down.length) {
    const follows = s.down.length && s.behind.length ? `, and ${names(s.behind)} behind ${s.down.length === 1 ? "it" : "them"}` : "";
    return { text: `${names(down)} ${are(down)} down${follows}`, status: "DOWN" };
  }
  if (s.unheard.length) return { text: `Nothing is heard from ${names(s.unheard)}`, status: "UNKNOWN" };
  if (s.slow.length) return { text: `${names(s.slow)} ${are(s.slow)} slow`, status: "DEGRADED" };
  if (s.pending.length === s.all.length) return { text: `Looking at ${many(s.all.length, "service")} for the first time`, status: "PENDING" };
  if (s.pending.length) return { text: `${names(s.pending)} ${are(s.pending)} not looked at yet`, status: "PENDING" };
  if (s.all.length === 1) return { text: `${s.all[0]} is up`, status: "UP" };
  return { text: s.all.length === 2 ? "Both services are up" : `All ${s.all.length} services are up`, status: "UP" };
}

/** The same in the past tense, for a page that is cut off. */
export function statusThen(services, at) {
  const s = sort(services);
  if (!s.all.length) return "No services were known";
  return `${s.up.length + s.slow.length} of ${many(s.all.length, "service")} ${s.all.length === 1 ? "was" : "were"} up at ${hhmmss(at)}`;
}

/** What there is to say about the others while something is broken. */
export function restLine(services) {
  const s = sort(services);
  const good = [...s.up];
  const rest = [];
  if (good.length && good.length <= 3) rest.push(`${join(good)} ${good.length === 1 ? "is" : "are"} up`);
  else if (good.length) rest.push(`${good.length} of ${many(s.all.length, "service")} are up`);
  if (s.slow.length) rest.push(`${names(s.slow)} ${s.slow.length === 1 ? "is" : "are"} slow`);
  return rest.length ? `${rest.join(", ")}.` : "";
}

/** What the page is about where nothing is broken: the demo, or what the healer may do. */
export function aboutLine(info) {
  if (info?.docker?.kind === "process" && info.mode === "auto") return "This is the demo: small services on this machine, with a real broker, real failures and real repairs.";
  return modeLine(info?.mode);
}

/** What the healer may do, in words. */
export function modeLine(mode) {
  switch (mode) {
    case "auto": return "What the rules allow is repaired without asking (mode auto).";
    case "approve": return "Every repair waits for a person’s yes (mode approve).";
    case "observe": return "Nothing is repaired: LogStream writes down what it would do (mode observe).";
    default: return "";
  }
}

/**
 * The second sentence: what the machine does about an open incident. `still`
 * is the same without its counting parts, for those who hear the page.
 */
export function workLine(told, now) {
  const { row } = told;
  if (told.asking) return line("work", `The evidence is taken. ${asking(told, now)}`, `The evidence is taken. ${asking(told, NaN)}`);
  const last = told.attempts.at(-1);
  const deed = last && action(last.action);
  switch (told.phase) {
    case "acting": {
      const so = lasting(now - instant(last.started.time));
      return line("work", `${cause(row)}${deed.doing} it, ${so} so far.`, `${cause(row)}${deed.doing} it.`);
    }
    case "verifying": {
      const done = `LogStream ${deed.did.toLowerCase()} ${row.service}`;
      const ago = lasting(now - instant(last.finished?.time ?? last.started.time));
      const { good, of } = last.pips;
      return line("work", `${done} ${ago} ago. ${of ? `${good} of ${of} good checks so far.` : "Its checks decide."}`, `${done}. Its checks decide.`);
    }
    case "waiting":
      return line("wait", `Waits for you: ${bare(told.hold?.data?.reason || row.held_reason || "may it be repaired?")}.`);
    case "held":
      return line("hold", `On hold: ${holdReason(told)}.${until(told, now)}`);
    case "grace":
      return line("work", `${cause(row)}Waiting a moment: ${holdReason(told)}.`);
    case "escalated":
      return line("call", `A person is needed. ${sentence(callReason(told))}`);
    case "diagnosed":
      return line("work", `${cause(row)}${last && failed(last) ? "The last attempt did not hold. " : ""}${row.action ? `${sentence(action(row.action).todo)}` : "Deciding what to do."}`);
    case "evidence":
      return line("work", "The evidence is taken. Deciding what to do.");
    default:
      return line("work", "Finding out why.");
  }
}

const line = (kind, text, still = text) => ({ kind, text, still });

/** "It was stopped from outside. ", or nothing where no cause is known. */
function cause(row) {
  if (!row.cause) return "";
  const said = clip(bare(row.cause)).replace(/^Its container (?=was|is|ran|ended|could)/, "It ");
  return `${said}. `;
}

/** Why a person is needed; `known` are sentences that the reader has before his eyes already. */
export function callReason(told, ...known) {
  const reason = told.escalated?.data?.reason || told.row.escalated_reason || "The rules end here";
  return known.reduce((rest, text) => (bare(text) ? rest.replace(sentence(text), "").replace(bare(text), "") : rest), sentence(reason)).trim();
}

/** Why an incident is held, as the end of "On hold: …". */
export function holdReason(told) {
  const data = told.hold?.data ?? {};
  return bare(data.reason || told.row.held_reason || gate(data.gate ?? told.row.held)) || "the guard says not now";
}

/** " Looked at again at 14:30:00.", where it is known. */
export function until(told, now) {
  const at = instant(told.hold?.data?.until);
  return at > now ? ` Looked at again at ${hhmmss(at)}.` : "";
}

/** How sure somebody is: "sure to 0.97"; empty where no number was given that can be used. */
export function sure(confidence) {
  return confidence > 0 ? `sure to ${confidence.toFixed(2)}` : "";
}

/** "Asking deepseek-r1:1.5b, 4 s of 20 s." */
export function asking(told, now) {
  const time = askedFor(told.asking, now);
  return `Asking ${told.asking.model || "the model"}${time && `, ${time}`}.`;
}

/** How long a model has been asked, and how long it has: "4 s of 20 s". */
export function askedFor({ since, limit }, now) {
  const so = now - since;
  if (!Number.isFinite(so)) return "";
  return limit > 0 ? `${lasting(Math.min(so, limit))} of ${lasting(limit)}` : `${lasting(so)} so far`;
}

/**
 * Both views of a diagnosis, each {cause, action, confidence, why} or null, and
 * how it stands with the model's: `byModel` where it stands, `asked` where it
 * took the model's time; `failed` is "late", "away" or "unusable" where there is
 * none although one was wanted, with `why` and, where it could not be asked, what mends it.
 */
export function views(diagnosed) {
  const { cause, action, confidence, runbook, model, prompt, raw, reasoning, invalid } = diagnosed?.data ?? {};
  const stands = { cause, action, confidence, why: "" };
  const byModel = String(diagnosed?.by).startsWith("llm:");
  const of = { byModel, runbook: runbook ?? (byModel ? null : stands), model: byModel ? model ?? stands : invalid ? null : model ?? null, failed: "", why: "", mend: "" };
  const late = !of.model && LATE.test(invalid ?? "");
  of.asked = Boolean(byModel || prompt || raw || reasoning || late);
  if (of.model || !(of.asked || invalid)) return of;
  const { why, mend } = whyAndMend(invalid);
  of.failed = late ? "late" : invalid && (mend || !of.asked) ? "away" : "unusable";
  return { ...of, mend, why: why ? why.replace(/within ((?:[\d.]+(?:ms|[hms]))+)/, (_, time) => `within ${spelled(time)}`) : "it gave no answer" };
}

const LATE = /^(it did not answer within|nothing was heard of it within)/;

// What mends a model stands at the very end, in these words alone: a server's
// own text may stand before it.
const MEND = /^(.*): (ollama pull [\w./:-]+|start Ollama \(ollama serve\), or (?:set healer\.decide: runbook|correct healer\.llm\.url)|restart Ollama, or set healer\.decide: runbook|look at (?:Ollama|the model)['’]s own log)$/s;

/** A sentence about a model that cannot be asked, and what mends it, apart. */
export function whyAndMend(text) {
  const said = bare(text);
  const [, why, mend] = MEND.exec(said) ?? [null, said, ""];
  return { why, mend };
}

// "1m30s" as "1 min 30 s".
function spelled(time) {
  const ms = { ms: 1, s: 1000, m: 60e3, h: 3600e3 };
  const sum = [...time.matchAll(/([\d.]+)(ms|[hms])/g)].reduce((all, [, n, unit]) => all + n * ms[unit], 0);
  return sum % 1000 ? took(sum) : lasting(sum);
}

/** What came of the model's view, in one line. */
export function whatCame(diagnosed, service = diagnosed?.service) {
  const { runbook, model, byModel, failed, why } = views(diagnosed);
  if (!model && !failed) return "No model was asked.";
  const other = `${who(diagnosed.by) || "the runbook"}’s choice stands`;
  const chosen = diagnosed.data?.action;
  if (failed) {
    const said = failed === "away" ? `the model could not be asked: ${why}` : why.replace(/: ".*$/s, "").replace(/^its\b/, "the model’s").replace(/^it\b|(?<=^nothing was heard of )it\b/, "the model");
    return said.includes(": ") ? `${capital(said)}. ${capital(other)}.` : `${capital(said)}: ${other}.`;
  }
  if (model.action === (runbook ?? { action: chosen }).action && (runbook || !byModel)) return `The model agrees with the runbook: ${choice(model.action, service)}.`;
  if (byModel) return `The model’s choice stands: ${choice(model.action, service)}.${runbook ? ` The runbook would ${choice(runbook.action, service)}.` : ""}`;
  const idle = model.action === "none" || model.action === "escalate";
  if (idle && action(chosen).bare) return `The model chose to ${choice(model.action, service)}, which is no opinion where the runbook would ${choice(chosen, service)}: ${other}.`;
  if (idle) return `The model chose to ${choice(model.action, service)}, which is no opinion while ${doing(chosen, service)} is possible: ${other}.`;
  return `The model would ${choice(model.action, service)}: ${other}.`;
}

/** Who decided, and how sure: "The runbook, sure to 0.97. The model agrees." */
export function decider(diagnosed) {
  if (!diagnosed) return "";
  const { runbook, model, byModel, failed } = views(diagnosed);
  const { action: chosen, confidence } = diagnosed.data ?? {};
  const other = byModel ? runbook : model;
  const certain = sure(confidence);
  let view = FAILED[failed] ?? "";
  if (other) view = ` ${byModel ? "The runbook" : "The model"} ${other.action === chosen ? "agrees" : `would ${action(other.action).choice}`}.`;
  return `${capital(who(diagnosed.by))}${certain && `, ${certain}`}.${view}`;
}

const FAILED = { late: " The model did not answer in time.", away: " The model could not be asked.", unusable: " The model’s answer could not be used." };

/** The decisive facts in one line: "exited (143); kill(15) → die → stop". */
export function decisive(evidence, most = 2) {
  const facts = (evidence?.data?.facts ?? []).filter((fact) => fact.decisive);
  const shown = facts.length ? facts : (evidence?.data?.facts ?? []);
  return shown.slice(0, most).map((fact) => `${capital(String(fact.key))}: ${bare(fact.value)}`).join(". ");
}

/** An incident in a sentence, its service apart: ["payment-service", " was stopped from outside. LogStream started it, nothing lost."] */
export function told(row) {
  const said = title(row);
  const name = String(row.service ?? "");
  const rest = said.startsWith(name) ? said.slice(name.length) : ` ${said}`;
  return [name, `${rest.replace(/\.$/, "")}. ${ending(row)}`];
}

/** How an incident ended, as the end of its sentence in the feed: "LogStream started it, nothing lost." */
export function ending(row) {
  const deed = action(row.action);
  if (row.state === "escalated") return "A person is needed.";
  if (row.state !== "resolved") return row.held ? "On hold." : "Not repaired yet.";
  if (row.how === "operator") return "An operator ended it.";
  if (row.how === "recovered" || !row.attempts) return "It came back by itself.";
  return `LogStream ${deed.did.toLowerCase()} it${deed.lossless ? ", nothing lost" : ""}.`;
}

/** The proof under it: "Down 6.8 s, then 5 of 5 good checks". */
export function proof(row, told, now) {
  if (row.state === "escalated") return told?.escalated || row.escalated_reason ? callReason(told ?? { row }, row.cause).slice(0, 200) : "";
  if (row.state !== "resolved") return `Down since ${hhmmss(instant(row.first_bad ?? row.opened))}, ${lasting(now - instant(row.first_bad ?? row.opened))}`;
  const down = Number.isFinite(row.down_ms) ? row.down_ms : row.ttr_ms;
  const pips = told?.attempts.at(-1)?.pips;
  const parts = [Number.isFinite(down) ? `Down ${took(down)}` : ""];
  if (row.attempts > 1) parts.push(`${row.attempts} attempts`);
  if (pips?.of && told.attempts.at(-1).verified) parts.push(`then ${pips.good} of ${pips.of} good checks`);
  else if (!row.attempts && row.how !== "operator") parts.push("before any action");
  return parts.filter(Boolean).join(", ");
}

/** A service's state for its card: the word, and since when. */
export function stateFor(service, now) {
  const s = status(service.status);
  const since = instant(service.first_bad && service.status === "DOWN" ? service.first_bad : service.since);
  if (service.status === "PENDING" || !Number.isFinite(since)) return s.word;
  if (service.status === "DOWN") return `${s.word} ${lasting(now - since)}`;
  return `${s.word} ${service.status === "UP" ? "" : "for "}${roughly(now - since)}`;
}

/**
 * An uptime with the time it stands for: {share, over}, or null while there is
 * none. `age` is how long ago the service was told (ms): its state held since.
 */
export function uptime(service, age = 0, order = ["24h", "1h", "7d", "30d"]) {
  for (const window of order) {
    const share = service.uptime?.[window];
    if (!Number.isFinite(share)) continue;
    return window === "1h" && Number.isFinite(service.watched_s) ? lastHour(service, share, age) : { share, over: OVER[window] };
  }
  return null;
}

const OVER = { "1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d" };
const HOUR = 60 * 60 * 1000;

// The share of the last hour is of the part of it that was watched.
function lastHour(service, share, age) {
  const before = service.watched_s * 1000;
  const since = service.status === "PENDING" || service.status === "UNKNOWN" || !(age > 0) ? 0 : Math.min(age, HOUR);
  const known = before + since;
  if (known < 1000) return null;
  const up = share * before + (service.status === "DOWN" ? 0 : since);
  return { share: up / known, over: known < HOUR - 30e3 ? `the ${roughly(known)} watched` : OVER["1h"] };
}

/** The version of a release; empty for a build from between two. */
export function release(version) {
  return /^\(devel\)$|^v0\.0\.0-|[-.]\d{14}-|\+dirty/.test(version ?? "") ? "" : version ?? "";
}
