// Sentences about what is, what is done about it and what happened. Pure:
// the same facts read the same everywhere. What the records say stands as it
// came: causes, errors and reasons are whole sentences already.

import { querying } from "./diagnosis.js";
import { failed } from "./incident.js";
import { hhmmss, instant, join, lasting, many, names, roughly, took, thousands } from "./units.js";
import { action, capital, gate, heldAs, phrase, status, unless, waits } from "./vocabulary.js";

/** A text among sentences: it gets the full stop that it may lack. */
export function sentence(text) {
  const said = String(text ?? "").trim();
  return said && !".!?…".includes(said.at(-1)) ? `${said}.` : said;
}

/**
 * The latency that a service has now in milliseconds, or NaN where none was
 * measured: a container's state and a report of a job come without one.
 */
export function latencyNow(service, check) {
  const ms = check && check.status !== "DOWN" ? check.latency_ms : service.status === "DOWN" ? NaN : service.latency_ms;
  const ofContainer = service.url?.startsWith("docker:") || (!service.url && service.container);
  return ofContainer || !(ms > 0) ? NaN : ms;
}

/** Whether a url is checked by LogStream itself: a container's state is Docker's, and a job reports by itself. */
export const hasOwnCheck = (url) => Boolean(url) && !url.startsWith("push:") && !url.startsWith("docker:");

/** Where a service is checked, and how often: an address, else its container. */
export function whereabouts(service, definition) {
  const config = definition ?? {};
  const url = service.url || config.url || "";
  const every = service.interval_s ? (service.interval_s < 1 ? took : lasting)(service.interval_s * 1000) : String(config.interval ?? "").replace(/^([\d.]+)([a-z]+)$/, "$1 $2");
  const container = service.container?.name || config.container;
  const due = !url.startsWith("push:") ? every && `every ${every}` : config.push?.schedule ? `report due at ${config.push.schedule}` : every && `report due every ${every}`;
  return [url || (container && `container ${container}`), due, service.discovered && "discovered"].filter(Boolean).join(", ");
}

/** Why something is so, as a sentence of its own: the records have it as a clause. */
export function reason(text) {
  return sentence(capital(String(text ?? "").trim()));
}

/** Sentences one after the other; empty ones are left out. */
export function paragraph(...texts) {
  return texts.map(sentence).filter(Boolean).join(" ");
}

const LONG = 140; // characters of a cause

/** A cause for a title or a lane: a model may find many words for it, and all of them stand with the diagnosis. */
export function clip(text) {
  if (text.length <= LONG) return text;
  const space = text.lastIndexOf(" ", LONG);
  return `${text.slice(0, space > LONG / 2 ? space : LONG)}…`;
}

/** Whether what an incident is about is past: once it is repaired, or over. */
export const isPast = (row) => row.state === "resolved" || row.phase === "verification";

/** An incident's cause: in the past once it is. */
export const cause = (row) => clip((isPast(row) && row.cause_past) || row.cause || "");

/**
 * What an incident is about, after the name of its service. Where no container is
 * configured every cause is the same, and what the check saw distinguishes them.
 */
export function subject(row) {
  if (row.kind === "fleet") return sentence(cause(row)) || "Several services failed at once.";
  const seen = reason(clip(row.error ?? ""));
  return (row.cause_id === "no_container" && seen) || sentence(cause(row)) || seen || "It is down.";
}

/** Whom a sentence about an incident's repair names: a fleet's incident is of no one service. */
export const target = (row) => (row.kind === "fleet" ? "the services" : row.service);

/** Whether an operator asked for what an incident does, where nothing has to be down. */
export const isRequested = (of) => ["operator", "proposal"].includes(of.opened?.data?.check);

/** Whether an incident is about an update of a service that need not be down. */
export const isOfUpdate = (of) => of.opened?.data?.check === "update";

/** Whether a repair was requested of a service that answered: one that failed before has a first failed check. */
export const answered = (of) => isRequested(of) && of.firstBad >= instant(of.opened.time) - 1000;

/** From when the times of an incident count: "the request", "the update", "the first failed check". */
export const fromWhen = (of) => (answered(of) ? "the request" : isOfUpdate(of) ? "the update" : "the first failed check");

/** What an incident is about, as its title: a heading has no full stop. */
export function title(row) {
  const about = subject(row).replace(/\.$/, "");
  return row.kind === "fleet" ? about : `${row.service}: ${about}`;
}

/** Services sorted by what is to be said about them: `dependent` are those whose root, as `rootOf` has it by the service, is down too. */
export function sort(services, rootOf = new Map()) {
  const list = [...services];
  const of = (wanted) => list.filter((service) => service.status === wanted).map((service) => service.name);
  const down = new Set(of("DOWN"));
  const dependent = list.filter((service) => service.status === "DOWN" && service.held === "dependency" && down.has(rootOf.get(service.name))).map((service) => service.name);
  return { all: list.map((service) => service.name), up: of("UP"), degraded: of("DEGRADED"), down: [...down].filter((name) => !dependent.includes(name)), dependent, roots: [...new Set(dependent.map((name) => rootOf.get(name)))], pending: of("PENDING"), unknown: of("UNKNOWN") };
}

const are = (list) => (list.length === 1 ? "is" : "are");

const NAMED = 8; // so many that are down have names in the first sentence; beyond, their number says more

/** The page's first sentence: whether anything is broken now. */
export function statusLine(services, rootOf) {
  const s = sort(services, rootOf);
  if (!s.all.length) return { text: "No services yet", status: "PENDING" };
  const down = s.down.length ? s.down : s.dependent;
  const n = s.down.length + s.dependent.length;
  if (n > NAMED) return { text: n === s.all.length ? `All ${thousands(n)} services are down` : `${thousands(n)} of ${thousands(s.all.length)} services are down`, status: "DOWN" };
  if (down.length) {
    const follows = s.down.length && s.dependent.length ? `, and so ${are(s.dependent)} ${names(s.dependent)}, which ${s.dependent.length === 1 ? "depends" : "depend"} on ${s.down.length === 1 ? "it" : names(s.roots)}` : "";
    return { text: `${names(down)} ${are(down)} down${follows}`, status: "DOWN" };
  }
  if (s.unknown.length) return { text: `No data from ${names(s.unknown)}`, status: "UNKNOWN" };
  if (s.degraded.length) return { text: `${names(s.degraded)} ${are(s.degraded)} degraded`, status: "DEGRADED" };
  if (s.pending.length) return { text: `Awaiting the first check of ${s.pending.length === s.all.length && s.all.length > 1 ? many(s.all.length, "service") : names(s.pending)}`, status: "PENDING" };
  if (s.all.length === 1) return { text: `${s.all[0]} is up`, status: "UP" };
  return { text: s.all.length === 2 ? "Both services are up" : `All ${thousands(s.all.length)} services are up`, status: "UP" };
}

/** The same in the past tense, for a page that is cut off. */
export function statusThen(services, at) {
  const s = sort(services);
  if (!s.all.length) return "No services were known";
  return `${thousands(s.up.length + s.degraded.length)} of ${many(s.all.length, "service")} ${s.all.length === 1 ? "was" : "were"} up at ${hhmmss(at)}`;
}

/** What there is to say about the others while something is broken. */
export function restLine(services) {
  const s = sort(services);
  const rest = [];
  if (s.up.length && s.up.length <= 3) rest.push(`${join(s.up)} ${are(s.up)} up`);
  else if (s.up.length) rest.push(`${thousands(s.up.length)} of ${many(s.all.length, "service")} are up`);
  if (s.degraded.length) rest.push(`${names(s.degraded)} ${are(s.degraded)} degraded`);
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
    case "auto": return "Repairs that the gates allow run by themselves (mode auto).";
    case "approve": return "Every repair waits for approval (mode approve).";
    case "observe": return "Nothing is repaired: LogStream records what it would do (mode observe).";
    default: return "";
  }
}

/**
 * The second sentence: what the machine does about an open incident. `still`
 * is the same without its counting parts, for screen readers.
 */
export function workLine(of, now) {
  const { row } = of;
  const last = of.attempts.at(-1);
  if (of.query) return line("work", `Evidence collected. ${querying(of, now)}`, `Evidence collected. ${querying(of, NaN)}`);
  switch (of.stage) {
    case "action": {
      const doing = action(row.action).doing;
      const so = last ? lasting(now - instant(last.started.time)) : "";
      return line("work", paragraph(cause(row), so ? `${doing}, ${so} so far` : doing), paragraph(cause(row), doing));
    }
    case "verification": {
      const done = `LogStream ${phrase(row.action, row.service, "did")}`;
      const ago = last ? ` ${lasting(now - instant((last.finished ?? last.started).time))} ago` : "";
      return line("work", paragraph(`${done}${ago}`, verifying(row.progress)), paragraph(done, "Verifying"));
    }
    case "approval":
      return line("wait", paragraph("Approval needed", holdReason(of)));
    case "held":
      return line(row.held === "observe" ? "calm" : "hold", heldLine(of, now), heldLine(of, NaN));
    case "pause":
      return line("work", paragraph(cause(row), pauseLine(of, now)), paragraph(cause(row), pauseLine(of, NaN)));
    case "escalated":
      return line("call", paragraph("A person is needed", reason(row.escalated_reason)));
    case "diagnosis":
      return line("work", paragraph(cause(row), last && failed(last) ? "The last attempt failed" : "", waits(row.action) ? NO_REPAIR : row.action ? `Next: ${phrase(row.action, row.service)}` : "Choosing an action"));
    case "evidence":
      return line("work", "Evidence collected. Diagnosing.");
    default:
      return line("work", "Collecting evidence.");
  }
}

/** What is said where the decision is to wait. */
export const NO_REPAIR = "No repair now: LogStream waits until a fact changes";

const line = (kind, text, still = text) => ({ kind, text, still });

/** "Verifying: 2 of 5 good checks so far", or what is known of it. */
export function verifying(progress) {
  return progress?.needed ? `Verifying: ${progress.good} of ${progress.needed} good checks so far` : "Verifying";
}

/** What became of the container that an action replaced: it is kept, and is the operator's to remove. */
export function keptContainer(id) {
  const short = String(id ?? "").slice(0, 12);
  return short && `The old container is kept, stopped, as ${short}. When it is no longer needed, remove it:`;
}

/** Why an incident is held, as a sentence. */
export function holdReason(of) {
  const data = of.hold?.data ?? {};
  return reason(data.reason || of.row.held_reason || gate(data.gate ?? of.row.held));
}

/** That it is held, why, and until when where that is known. */
export const heldLine = (of, now) => paragraph(heldAs(of.row.held).first, holdReason(of), nextLine(of.row, now));

const SOON = 60 * 1000; // up to it a time to come is a clock, and beyond it an instant

/** "Starting it in 28 s.", "Starting it at 14:30:00.", where it is known. */
export function nextLine(row, now) {
  const at = instant(row.next?.at);
  if (!(at > now)) return "";
  const when = at - now <= SOON ? `in ${countdown(at - now)}` : `at ${hhmmss(at)}`;
  return `${row.next.action && !waits(row.next.action) ? capital(phrase(row.next.action, "it", "doing")) : "Decided again"} ${when}.`;
}

/** "Starting it in 3 s, unless the container is replaced": what a moment's pause waits for; `several` alike are "them". */
export function pauseLine(of, now, several = false) {
  const { row } = of;
  const at = instant(row.next?.at);
  const chosen = row.next?.action || row.action;
  if (!chosen || waits(chosen)) return several ? gate(row.held) : holdReason(of);
  const doing = capital(phrase(chosen, several ? "them" : "it", "doing"));
  const rest = at - now;
  const clock = Number.isFinite(rest) ? (rest > 0 ? ` in ${countdown(rest)}` : " now") : "";
  return sentence([`${doing}${clock}`, unless(row.next?.gate ?? row.held, several)].filter(Boolean).join(", "));
}

/** A time to come in whole seconds, rounded up: it reaches 0 when it is over. */
export const countdown = (ms) => lasting(Math.ceil(ms / 1000) * 1000);

/** "Down for 1.3 s, then verified for 9.1 s": one pair of figures for a repair, everywhere; empty where it was never down. */
export function healedIn(row) {
  const down = row.down_ms ?? row.ttr_ms;
  if (!(down > 0)) return "";
  const rest = verifiedFor(row);
  return `Down for ${took(down)}${rest > 0 ? `, then verified for ${took(rest)}` : ""}`;
}

/** How long a repair was verified, or 0. What was requested may have waited before it, while its service answered. */
export function verifiedFor(row) {
  if (!repaired(row) || !Number.isFinite(row.ttr_ms) || !Number.isFinite(row.down_ms)) return 0;
  const rest = row.ttr_ms - row.down_ms;
  const since = instant(row.resolved) - instant(row.acted); // from the newest attempt on
  return since < rest ? Math.max(0, row.attempts === 1 ? since - row.down_ms : since) : Math.max(0, rest);
}

/** The decisive facts in one line: "State: exited (143); events: kill(15) → die → stop". */
export function decisive(evidence, most = 2) {
  const all = evidence?.data?.facts ?? [];
  const facts = all.filter((fact) => fact.decisive);
  return capital((facts.length ? facts : all).slice(0, most).map((fact) => `${fact.key}: ${fact.value}`).join("; "));
}

/** How an incident ended, as the end of its sentence in the feed: "LogStream started it (non-disruptive)." */
export function ending(row) {
  if (row.state === "escalated") return "A person is needed.";
  if (row.state !== "resolved") return row.approval ? "Approval needed." : row.held ? `${heldAs(row.held).word}.` : "Not repaired yet.";
  if (row.how === "operator") return "Closed by an operator, or because the service was removed.";
  if (!repaired(row)) return "It recovered without a repair.";
  return `LogStream ${phrase(row.action, "it", "did")}${action(row.action).gentle ? " (non-disruptive)" : ""}.`;
}

/** Whether LogStream ended an incident by a repair. */
export function repaired(row) {
  return row.state === "resolved" && row.attempts > 0 && row.how !== "recovered" && row.how !== "operator";
}

/** Why a person is needed, beside an incident's cause: it begins with that where a decision was made. */
export function escalation(row) {
  const why = String(row.escalated_reason ?? "");
  return reason(row.cause && why.startsWith(`${row.cause} `) ? why.slice(row.cause.length) : why);
}

/** How long it was down and how it was verified: "Down for 6.8 s, then verified for 9.2 s". */
export function summary(row, now) {
  if (row.state === "escalated") return escalation(row);
  const from = instant(row.first_bad ?? row.opened);
  if (row.state !== "resolved") return `Down for ${lasting(now - from)}, since ${hhmmss(from)}`;
  const parts = [healedIn(row)];
  if (row.attempts > 1) parts.push(`${row.attempts} attempts`);
  if (!row.attempts && row.how !== "operator") parts.push("before any action");
  return capital(parts.filter(Boolean).join(", "));
}

/** A service's state for its card: the word, and since when. */
export function stateFor(service, now) {
  const { word } = status(service.status);
  const since = instant(service.first_bad && service.status === "DOWN" ? service.first_bad : service.since);
  if (service.status === "PENDING" || !Number.isFinite(since)) return word;
  if (service.status === "DOWN") return `${word} ${lasting(now - since)}`;
  return `${word} ${service.status === "UP" ? "" : "for "}${roughly(now - since)}`;
}

/**
 * An uptime with the time it stands for: {share, over, down}, or null while there
 * is none. `age` is how long ago it was sent (ms): its state held since.
 */
export function uptime(service, age = 0) {
  for (const [window] of UPTIMES) {
    const of = uptimeOf(service, window, age);
    if (of) return of;
  }
  return null;
}

const HOUR = 60 * 60 * 1000;
const UPTIMES = [["24h", "24 h", 24 * HOUR], ["1h", "1 h", HOUR], ["7d", "7 d", 7 * 24 * HOUR], ["30d", "30 d", 30 * 24 * HOUR]];

/** The same of one window: its share is of the part of it that is known. */
export function uptimeOf(service, window, age = 0) {
  const [, whole, length] = UPTIMES.find(([id]) => id === window);
  const share = service.uptime?.[window];
  if (!Number.isFinite(share)) return null;
  const sent = service.known_s?.[window] ?? (window === "1h" ? service.watched_s : undefined);
  const before = Number.isFinite(sent) ? sent * 1000 : length;
  const since = service.status === "PENDING" || service.status === "UNKNOWN" || !(age > 0) ? 0 : Math.min(age, length);
  const known = before + since;
  if (known < 1000) return null;
  const up = share * before + (service.status === "DOWN" ? 0 : since);
  const part = Math.min(1, length / known); // what is older than the window leaves it
  return { share: up / known, over: known < length * 0.99 ? roughly(known) : whole, down: (known - up) * part };
}

/** The version of a release; empty for a build from between two. */
export function release(version) {
  return /^\(devel\)$|^v0\.0\.0-|[-.]\d{14}-|\+dirty/.test(version ?? "") ? "" : version ?? "";
}

/** What is said of a log line that is new; `days` is how far back is known. */
export function firstSeen(days) {
  if (!(days > 0)) return "new: not seen before in this log";
  return days === 1 ? "new: not seen in the last day" : `new: not seen in the last ${days} days`;
}
