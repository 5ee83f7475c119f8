// The overview: now, the lane, the services, the agent, what happened.

import { h } from "../dom.js";
import { entries } from "../feed.js";
import { lane as laneModel, pick } from "../lane.js";
import { outages, points, span } from "../series.js";
import { clock, faultsOf, inOrder, missingEvents, newestCheck, ownInstance } from "../store.js";
import { instant } from "../units.js";
import { action } from "../vocabulary.js";
import { aboutLine, repaired, restLine, statusLine, statusThen, workLine } from "../words.js";
import { agent } from "../view/agent.js";
import { approvalRequest } from "../view/approval.js";
import { approvalState } from "./incident.js";
import { banners } from "../view/banners.js";
import { copy, loading } from "../view/bits.js";
import { card } from "../view/cards.js";
import { feed } from "../view/feed.js";
import { lane, laneLine } from "../view/lane.js";
import { now as nowView } from "../view/now.js";

const MOST_APPROVALS = 3; // requests for approval that are shown with their buttons
const ROOMY = 8; // services; more of them wrap more tightly

/** What this page reads from the API. */
export function needs({ state, now }) {
  const names = [...state.services.keys()].map(encodeURIComponent);
  return ["/chaos",
    ...missingEvents(state, clock(state, now)).map((id) => `/incidents/${encodeURIComponent(id)}`),
    ...names.map((name) => `/services/${name}`),
    ...names.map((name) => `/services/${name}/history?window=1h`)];
}

/** The page in one sentence: for its title, its icon and screen readers. */
export function summary({ state, incidents, stale, now }) {
  const at = clock(state, now);
  const services = inOrder(state.services.values());
  const line = stale ? { text: statusThen(services, now), status: "PENDING" } : statusLine(services);
  const first = pick([...incidents.values()], at).first;
  const work = workFor({ state, stale, first, at });
  return { line, first, work };
}

function workFor({ state, stale, first, at }) {
  if (stale) return first && first.stage !== "resolved" ? { kind: "calm", text: `The agent was ${DOING[first.stage] ?? "working on"} ${first.row.service}.`, still: "" } : null;
  if (first && first.stage !== "resolved") return workLine(first, at);
  if (!state.services.size) return null;
  return calm(state);
}

const DOING = { action: "repairing", verification: "verifying a repair of", held: "holding a repair of", approval: "waiting for approval to repair", escalated: "waiting for a person to look at", diagnosis: "choosing an action for", evidence: "diagnosing", pause: "diagnosing", detected: "diagnosing" };

function calm(state) {
  const rows = [...state.incidents.values()];
  const done = rows.filter(repaired).length;
  const breakable = state.chaos.some((entry) => entry.services?.length);
  const text = [done ? `${done} ${done === 1 ? "failure was" : "failures were"} repaired.` : "", breakable ? "Break one below and watch it heal." : done ? "" : "LogStream is watching."].filter(Boolean).join(" ");
  return { kind: done ? "work" : "calm", text, still: text };
}

export function view(ctx) {
  const { state, incidents, stale, now } = ctx;
  if (state.seq === null) return h("main", { id: "main", key: "loading", class: "wrap page" }, h("h1", { class: "vh" }, "LogStream"), loading("Waiting for the first snapshot"));
  const at = clock(state, now);
  const { line, first, work } = summary(ctx);
  const rows = [...state.incidents.values()];
  const whole = [...incidents.values()];
  const model = (of) => laneModel(of, { now: at, mode: state.info?.mode, service: state.services.get(of.row.service) });
  const waiting = whole.filter((of) => of.stage === "approval").sort((a, b) => instant(a.row.approval?.requested) - instant(b.row.approval?.requested)).slice(0, MOST_APPROVALS);
  const picked = pick(whole, at);
  const lines = picked.lines.filter((of) => !waiting.includes(of)); // each stands once
  const { more } = picked;
  const services = inOrder(state.services.values());
  const cards = services.map((service) => cardModel(ctx, service, rows, at));
  const reach = Math.max(...cards.map((model) => span(model.list, at)));
  const rest = services.length ? (line.status === "UP" ? aboutLine(state.info) : stale ? "" : restLine(services)) : "Changes to config.yaml apply within a second.";
  return h("main", { id: "main", key: "overview", class: `wrap overview${first ? " has-lane" : ""}` },
    banners(state.info?.troubles, at),
    nowView({ line, work, rest, stale }),
    first && h("div", { class: "lanes", key: "lanes" }, waiting.map((of) => approvalRequest(of, { ...approvalState(ctx, of, at), brief: true })), lane(model(first)), lines.map((of) => laneLine(model(of))), more > 0 && h("p", { class: "quiet" }, h("a", { href: "/incidents" }, `${more} more`))),
    h("section", { class: "services", key: "services", "aria-labelledby": "h-services" },
      h("h2", { id: "h-services", class: "vh" }, "Services"),
      services.length ? grouped(cards).map(([group, list]) => [
        group && h("h3", { class: "group", key: `group-${group}` }, group),
        h("ul", { class: `cards${services.length > ROOMY ? " compact" : ""}`, key: `cards-${group}` }, list.map((model) => card({ ...model, reach })))]) : firstService()),
    agent({ agent: ctx.agent, incident: incidents.get(ctx.agent?.incident) ?? whole.find((of) => of.stage === "pause"), info: state.info, rows, stale, now: at }),
    feed({ list: entries({ rows, injections: ctx.injections, started: started(state) }), incidents, info: state.info, now: at }));
}

/** Cards by the group of their service: those without one come first, with no heading. */
function grouped(cards) {
  const groups = new Map();
  for (const model of cards) {
    const group = model.service.group || "";
    groups.set(group, [...(groups.get(group) ?? []), model]);
  }
  return [...groups].sort(([a], [b]) => (a === "" ? -1 : b === "" ? 1 : 0));
}

function firstService() {
  const lines = ["services:", "  - name: payment-service", "    url: http://localhost:8080", "    container: payment-service"];
  return h("div", { class: "panel empty" }, h("h3", {}, "Add the first service to config.yaml"), h("p", {}, "A name and a url are enough to watch it. With its container, LogStream can repair it:"), h("pre", { class: "frame" }, h("code", {}, lines.join("\n"))), copy(lines.join("\n"), "Copy these lines"));
}

/** When this LogStream started, by its own clock. */
function started(state) {
  return Number.isFinite(state.info?.uptime_s) ? clock(state, state.infoAt) - state.info.uptime_s * 1000 : NaN;
}

function cardModel(ctx, service, rows, at) {
  const { state, incidents, stale, sizes, refusals } = ctx;
  return {
    service, stale, now: at,
    detail: state.details.get(service.name),
    check: newestCheck(state, service.name),
    list: points(state.history.get(service.name) ?? [], state.health.get(service.name) ?? [], ownInstance(state, service.name)),
    age: ctx.now - service.received,
    incident: [...incidents.values()].find((of) => of.row.service === service.name && of.stage !== "resolved"),
    outages: outages(rows, service.name, at),
    faults: faultsOf(state, service.name),
    refusal: refusals.get(service.name),
    width: sizes.get(`card-${service.name}`) ?? 380,
    compact: state.services.size > ROOMY,
  };
}

export function title(ctx) {
  const { line, work, first } = summary(ctx);
  if (ctx.state.seq === null) return "LogStream";
  const waits = work?.kind === "wait" ? "(approval needed) " : "";
  const text = line.status === "UP" && ctx.state.services.size > 1 ? `All ${ctx.state.services.size} up` : line.text;
  const doing = ctx.stale ? "" : first?.stage === "action" ? `, ${action(first.row.action).doing.toLowerCase()}` : first?.stage === "verification" ? ", verifying" : "";
  return `${waits}${line.status === "DOWN" ? "▼ " : ""}${text}${doing} · LogStream`;
}
