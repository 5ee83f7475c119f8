// The overview: is anything broken now, what is done about it, what happened,
// and how everything is.

import { groupLine } from "../causes.js";
import { h } from "../dom.js";
import { entries } from "../feed.js";
import { arrange, DENSE } from "../fleet.js";
import { agentState } from "../incident.js";
import { idleLane, lane as laneModel, pick } from "../lane.js";
import { lastNight, night, readBack } from "../night.js";
import { clock, inOrder, missingEvents } from "../store.js";
import { instant, many, thousands } from "../units.js";
import { action } from "../vocabulary.js";
import { aboutLine, repaired, restLine, statusLine, statusThen, workLine } from "../words.js";
import { agent } from "../view/agent.js";
import { approvalRequest, approvalState } from "../view/approval.js";
import { banners, problems } from "../view/banners.js";
import { loading } from "../view/bits.js";
import { feed } from "../view/feed.js";
import { groupOf, idle, lane, laneLine } from "../view/lane.js";
import { isHeld } from "../view/hold.js";
import { map } from "../view/map.js";
import { now as nowView } from "../view/now.js";
import * as fleet from "../view/services.js";

const MOST_APPROVALS = 3; // requests for approval that are shown with their buttons
const DAY = 24 * 60 * 60 * 1000;

/** What this page reads from the API. */
export function needs(ctx) {
  const { state, now } = ctx;
  return ["/chaos", ...read(ctx).paths, "/commands?limit=100",
    ...missingEvents(state, clock(state, now)).map((id) => `/incidents/${encodeURIComponent(id)}`),
    ...fleet.needs(ctx)];
}

// The incidents of the spans that this page speaks of: the night, and a day.
function read({ state, answers, now }) {
  const at = clock(state, now);
  return readBack(state, answers, Math.min(night(at).from, at - DAY));
}

const summaries = new WeakMap();

/** The page in one sentence: for its title, its icon and screen readers. What is picked for the lane is what every place speaks of. */
export function summary(ctx) {
  if (!summaries.has(ctx)) summaries.set(ctx, summed(ctx));
  return summaries.get(ctx);
}

function summed(ctx) {
  const { state, incidents, stale, now } = ctx;
  const at = clock(state, now);
  const services = inOrder(state.services.values());
  const line = stale ? { text: statusThen(services, now), status: "PENDING" } : statusLine(services, new Map([...state.incidents.values()].filter((row) => row.state === "open").map((row) => [row.service, row.root])));
  const picked = pick([...incidents.values()], at);
  return { line, picked, first: picked.first, work: workFor({ state, stale, picked, at, known: read(ctx).known, roomy: fleet.layoutOf({ state }) === "roomy" }) };
}

function workFor({ state, stale, picked: { first, groups }, at, known, roomy }) {
  if (stale) return first && first.stage !== "resolved" ? { kind: "calm", text: `The agent was ${DOING[first.stage] ?? "working on"} ${first.row.service}.`, still: "" } : null;
  if (first && first.stage !== "resolved") {
    const group = groups.find(({ list }) => list.includes(first));
    const line = workLine(first, at);
    return group && first.stage !== "verification" ? { ...line, text: groupLine(group.list, at), still: groupLine(group.list) } : line;
  }
  if (!state.services.size) return null;
  return calm(state, at, known, roomy);
}

const DOING = { action: "repairing", verification: "verifying a repair of", held: "holding a repair of", approval: "waiting for approval to repair", escalated: "waiting for a person to look at", diagnosis: "choosing an action for", evidence: "diagnosing", pause: "diagnosing", detected: "diagnosing" };

const breakable = (state) => state.chaos.some((entry) => entry.services?.length);

// Whether what breaks now is repaired by itself, as far as the host decides it.
const repairs = (state, at) => state.info?.mode === "auto" && !problems(state).length && !isHeld(state.info, at);

function calm(state, at, known, roomy) {
  const done = [...state.incidents.values()].filter((row) => repaired(row) && at - instant(row.resolved) < DAY).length;
  const held = isHeld(state.info, at);
  const invites = roomy && breakable(state) && repairs(state, at);
  const text = [done ? `${known >= at - DAY ? "At least " : ""}${many(done, "failure was", "failures were")} repaired${invites ? "" : " in the last 24 h"}.` : "", invites ? "Break a service and watch it heal." : held ? "Repairs are on hold." : done ? "" : "LogStream is watching."].filter(Boolean).join(" ");
  return { kind: held ? "hold" : done ? "work" : "calm", text, still: text };
}

export function view(ctx) {
  const { state, incidents, stale } = ctx;
  if (state.seq === null) return h("main", { id: "main", key: "loading", class: "wrap page" }, h("h1", { class: "vh" }, "LogStream"), loading("Waiting for the first snapshot"));
  const at = clock(state, ctx.now);
  const { line, picked, work } = summary(ctx);
  const { first } = picked;
  const rows = [...state.incidents.values()];
  const list = inOrder(state.services.values());
  const roomy = fleet.layoutOf(ctx) === "roomy";
  const { known } = read(ctx);
  const night = nightOf(state, rows, at, known);
  const open = first && first.stage !== "resolved" ? first : null;
  const reserved = roomy && breakable(state);
  const parts = list.length >= DENSE ? Number(ctx.look?.first ?? 0) : 0; // of very many what is broken comes first, the rest with the next two pictures, so that none takes long
  const of = {
    banners: banners(problems(state), at),
    now: nowView({ line, work, stale, stage: open?.stage ?? "", rest: rest({ state, line, list, stale, night, alone: open && goesOnAlone(ctx, at), calls: open && open.stage !== "escalated" ? [...incidents.values()].filter((of) => of.stage === "escalated").length : 0 }), map: roomy || stale ? null : map({ groups: arrange(list), repairing: repairing(incidents) }) }),
    lanes: lanes(ctx, picked, at, reserved),
    services: parts > 0 ? null : fleet.services(ctx, { at, rows }),
    agent: parts > 1 ? null : agent({ agent: agentOf(state.agent, open), incident: open, info: state.info, rows, known, stale, now: at }),
    feed: parts > 1 ? null : feed({ list: entries({ rows, injections: ctx.injections, started: started(state) }), incidents, info: state.info, now: at, night, width: ctx.sizes.get("night") ?? 480, most: roomy ? 5 : 4 }),
  };
  const order = roomy ? ["banners", "now", "lanes", "services", "agent", "feed"] : ["banners", "now", "lanes", ...(open ? ["agent", "feed"] : ["feed", "agent"]), "services"]; // where nothing is open, what happened comes first
  return h("main", { id: "main", key: "overview", class: `wrap overview${roomy ? " roomy" : " many"}${of.lanes ? " has-lane" : ""}${open ? "" : " is-quiet"}${reserved ? " reserved" : ""}` }, order.map((name) => of[name]));
}

// Whether all that is not well is being repaired, with no person in any part of it.
function goesOnAlone({ state, incidents }, at) {
  const open = [...incidents.values()].filter((of) => of.stage !== "resolved");
  const repaired = new Set(open.map((of) => of.row.service));
  return repairs(state, at) && open.every((of) => REPAIRING.has(of.stage))
    && [...state.services.values()].every((service) => service.status === "UP" || repaired.has(service.name));
}

// The rest of the first screen in one line: that no action is needed where a
// repair goes on by itself; how many need a person where the headline speaks of another; what is up, or what this is; and the night.
function rest({ state, line, list, stale, night, alone, calls }) {
  if (!list.length) return "Changes to config.yaml apply within a second.";
  if (stale) return "";
  return [alone && "No action is needed from you so far.", calls > 0 && `${many(calls, "incident needs", "incidents need")} a person.`, line.status !== "UP" ? restLine(list) : alone ? "" : aboutLine(state.info), night?.text].filter(Boolean).join(" ");
}

// What the agent does is what the lane shows: its state is that of the lane's incident.
function agentOf(known, open) {
  if (!known) return known;
  return { ...known, state: open ? agentState(open.stage) : "WATCHING", budget: open && known.incident !== open.row.id ? {} : known.budget };
}

const REPAIRING = new Set(["action", "verification", "pause"]);
const repairing = (incidents) => new Set([...incidents.values()].filter((of) => REPAIRING.has(of.stage)).map((of) => of.row.service));

function lanes(ctx, picked, at, reserved) {
  const { state, incidents } = ctx;
  const service = (of) => state.services.get(of.row.service);
  const model = (of) => laneModel(of, { now: at, mode: state.info?.mode, service: service(of) });
  const waiting = [...incidents.values()].filter((of) => of.stage === "approval").sort((a, b) => instant(a.row.approval?.requested) - instant(b.row.approval?.requested)).slice(0, MOST_APPROVALS);
  const lines = picked.lines.filter((of) => !waiting.includes(of)); // each stands once
  const { first, more } = picked;
  if (!first) return reserved ? h("div", { class: "lanes", key: "lanes" }, idle(idleLane())) : null;
  return h("div", { class: "lanes", key: "lanes" },
    waiting.map((of) => approvalRequest(of, { ...approvalState(ctx, of, at), brief: true })),
    picked.lane && lane(model(first), { stage: first.stage, root: first, behind: picked.behind.map(({ of, depth }) => ({ of, depth, service: service(of) })), now: at }),
    picked.groups.map(({ key, list }) => groupOf({ key, list, now: at })),
    lines.map((of) => laneLine(model(of), of.stage)),
    more > 0 && h("p", { class: "quiet", key: "more" }, h("a", { href: "/incidents" }, `${thousands(more)} more`)));
}

// Read again where an incident changed, and each minute.
let nightKnown = { incidents: null, minute: 0, known: NaN, night: null };
function nightOf({ incidents, ...state }, rows, at, known) {
  const minute = Math.floor(at / 60e3);
  if (nightKnown.incidents !== incidents || nightKnown.minute !== minute || nightKnown.known !== known) nightKnown = { incidents, minute, known, night: lastNight(rows, at, started(state), known) };
  return nightKnown.night;
}

/** When this LogStream started, by its own clock. */
function started(state) {
  return Number.isFinite(state.info?.uptime_s) ? clock(state, state.infoAt) - state.info.uptime_s * 1000 : NaN;
}

export function title(ctx) {
  const { line, work, first } = summary(ctx);
  if (ctx.state.seq === null) return "LogStream";
  const waits = work?.kind === "wait" ? "(approval needed) " : "";
  const text = line.status === "UP" && ctx.state.services.size > 1 ? `All ${thousands(ctx.state.services.size)} up` : line.text;
  const doing = ctx.stale ? "" : first?.stage === "action" ? `, ${action(first.row.action).doing.toLowerCase()}` : first?.stage === "verification" ? ", verifying" : "";
  return `${waits}${line.status === "DOWN" ? "▼ " : ""}${text}${doing} · LogStream`;
}
