// The overview: now, the lane, the services, the agent, what happened.

import { h } from "../dom.js";
import { entries } from "../feed.js";
import { lane as laneModel, pick } from "../lane.js";
import { outages, points, span } from "../series.js";
import { clock, faultsOf, inOrder, newestCheck, ownInstance, unknownStories } from "../store.js";
import { action } from "../vocabulary.js";
import { aboutLine, restLine, statusLine, statusThen, workLine } from "../words.js";
import { agent } from "../view/agent.js";
import { banners } from "../view/banners.js";
import { copy, loading } from "../view/bits.js";
import { card } from "../view/cards.js";
import { feed } from "../view/feed.js";
import { lane, laneLine } from "../view/lane.js";
import { now as nowView } from "../view/now.js";

const ROOMY = 8; // services; more of them wrap more tightly

/** What this page asks the API for. */
export function needs({ state, now }) {
  const names = [...state.services.keys()].map(encodeURIComponent);
  return ["/chaos",
    ...unknownStories(state, clock(state, now)).map((id) => `/incidents/${encodeURIComponent(id)}`),
    ...names.map((name) => `/services/${name}`),
    ...names.map((name) => `/services/${name}/history?window=1h`)];
}

/** What the page says in one breath: for its title, its icon and those who hear it. */
export function summary({ state, stories, stale, now }) {
  const at = clock(state, now);
  const services = inOrder(state.services.values());
  const line = stale ? { text: statusThen(services, now), status: "PENDING" } : statusLine(services);
  const first = pick([...stories.values()], at).first;
  const work = workFor({ state, stale, first, at });
  return { line, first, work };
}

function workFor({ state, stale, first, at }) {
  if (stale) return first && first.phase !== "resolved" ? { kind: "calm", text: `The agent was ${DOING[first.phase] ?? "at work on"} ${first.row.service}.`, still: "" } : null;
  if (first && first.phase !== "resolved") return workLine(first, at);
  if (!state.services.size) return null;
  return calm(state);
}

const DOING = { acting: "repairing", verifying: "verifying a repair of", held: "holding", waiting: "waiting for a yes about", escalated: "waiting for a person about", diagnosed: "deciding about", evidence: "looking at", grace: "looking at", detected: "looking at" };

function calm(state) {
  const rows = [...state.incidents.values()];
  const repaired = rows.filter((row) => row.state === "resolved" && row.attempts > 0 && row.how !== "recovered").length;
  const breakable = state.chaos.some((entry) => entry.services?.length);
  const text = [repaired ? `${repaired} ${repaired === 1 ? "failure was" : "failures were"} repaired.` : "", breakable ? "Break one below and watch it heal." : repaired ? "" : "LogStream is watching."].filter(Boolean).join(" ");
  return { kind: repaired ? "work" : "calm", text, still: text };
}

export function view(ctx) {
  const { state, stories, stale, now } = ctx;
  if (state.seq === null) return h("main", { id: "main", key: "loading", class: "wrap page" }, h("h1", { class: "vh" }, "LogStream"), loading("Waiting for the first snapshot"));
  const at = clock(state, now);
  const { line, first, work } = summary(ctx);
  const rows = [...state.incidents.values()];
  const model = (told) => laneModel(told, { now: at, mode: state.info?.mode, service: state.services.get(told.row.service) });
  const { lines, more } = pick([...stories.values()], at);
  const services = inOrder(state.services.values());
  const cards = services.map((service) => cardModel(ctx, service, rows, at));
  const reach = Math.max(...cards.map((model) => span(model.list, at)));
  const rest = services.length ? (line.status === "UP" ? aboutLine(state.info) : stale ? "" : restLine(services)) : "What is saved in config.yaml is looked at within a second.";
  return h("main", { id: "main", key: "overview", class: `wrap overview${first ? " has-lane" : ""}` },
    banners(state.info?.troubles, at),
    nowView({ line, work, rest, stale }),
    first && h("div", { class: "lanes", key: "lanes" }, lane(model(first)), lines.map((told) => laneLine(model(told))), more > 0 && h("p", { class: "quiet" }, h("a", { href: "/incidents" }, `And ${more} more`))),
    h("section", { class: "services", key: "services", "aria-labelledby": "h-services" },
      h("h2", { id: "h-services", class: "vh" }, "Services"),
      services.length ? h("ul", { class: `cards${services.length > ROOMY ? " compact" : ""}` }, cards.map((model) => card({ ...model, reach }))) : firstService()),
    agent({ agent: ctx.agent, told: stories.get(ctx.agent?.incident) ?? [...stories.values()].find((told) => told.phase === "grace"), info: state.info, rows, stale, now: at }),
    feed({ list: entries({ rows, deeds: ctx.deeds, started: started(state) }), stories, info: state.info, now: at }));
}

function firstService() {
  const lines = ["services:", "  - name: payment-service", "    url: http://localhost:8080", "    container: payment-service"];
  return h("div", { class: "panel empty" }, h("h3", {}, "The smallest service is a name and a url"), h("p", {}, "With a container as well, it can be healed:"), h("pre", { class: "frame" }, h("code", {}, lines.join("\n"))), copy(lines.join("\n"), "Copy these lines"));
}

/** When this LogStream started, by its own clock. */
function started(state) {
  return Number.isFinite(state.info?.uptime_s) ? clock(state, state.infoAt) - state.info.uptime_s * 1000 : NaN;
}

function cardModel(ctx, service, rows, at) {
  const { state, stories, stale, sizes, refusals } = ctx;
  return {
    service, stale, now: at,
    detail: state.details.get(service.name),
    check: newestCheck(state, service.name),
    list: points(state.history.get(service.name) ?? [], state.health.get(service.name) ?? [], ownInstance(state, service.name)),
    age: ctx.now - service.heard,
    told: [...stories.values()].find((told) => told.row.service === service.name && told.phase !== "resolved"),
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
  const waits = work?.kind === "wait" ? "(1 waits for you) " : "";
  const text = line.status === "UP" && ctx.state.services.size > 1 ? `All ${ctx.state.services.size} up` : line.text;
  const doing = ctx.stale ? "" : first?.phase === "acting" ? `, ${action(first.attempts.at(-1).action).doing.toLowerCase()}` : first?.phase === "verifying" ? ", verifying" : "";
  return `${waits}${line.status === "DOWN" ? "▼ " : ""}${text}${doing} · LogStream`;
}
