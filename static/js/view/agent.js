// The AI SRE Agent: its state, what it decided and why, and what it may do.
// While it only watches, its dependencies and its record.

import { decidedCertainty, queriedFor, views, whatCame } from "../diagnosis.js";
import { h, icon } from "../dom.js";
import { quantile } from "../series.js";
import { hhmmss, instant, many, thousands, took } from "../units.js";
import { agentState, capital, phrase, whoFirst } from "../vocabulary.js";
import { holdReason, paragraph, reason, repaired, sentence, target } from "../words.js";
import { copy, facts as terms, pill, transcript } from "./bits.js";
import { isHeld } from "./hold.js";

/** model: {agent, incident, info, rows, known: readBack()'s, stale, now} */
export function agent(model) {
  const state = model.agent?.state ?? "WATCHING";
  const held = model.incident?.stage === "held" || (state === "WATCHING" && isHeld(model.info, model.now));
  const shown = held ? { colour: "warn", shape: "held" } : agentState(state); // no green while something is on hold
  const busy = state !== "WATCHING" || model.incident?.stage === "pause";
  const body = busy && model.incident?.query ? querying : busy && model.incident?.diagnosed ? decided : null;
  return h("section", { class: `panel agent${model.stale ? " is-stale" : ""}`, key: "agent", "aria-labelledby": "h-agent" },
    h("div", { class: "agent-head" },
      h("h2", { id: "h-agent" }, "AI SRE Agent"),
      model.agent ? pill({ colour: shown.colour, icon: shown.shape, text: state }, { "data-agent-state": state }) : pill({ colour: "", icon: "none", text: "No data" }),
      h("p", { class: "agent-model" }, decides(model))),
    body ? body(model) : rest(model, state));
}

// Which model there is, and whether it can be queried now.
function decides({ info, incident }) {
  const { model, ready } = info?.llm ?? {};
  const choice = "It chooses among the allowed actions.";
  if (incident?.query) return `${incident.query.model || model || "A model"} is being queried. ${choice}`;
  if (!model) return "No model is configured: the runbook decides.";
  return ready ? `${model} is available. ${choice}` : `${model} is unavailable: the runbook decides.`;
}

// While a model is queried: since when, what it writes, and what it is given.
function querying({ agent, incident, now }) {
  const facts = incident.evidence?.data?.facts ?? [];
  const decisive = facts.filter((fact) => fact.decisive);
  const shown = (decisive.length ? decisive : facts).slice(0, 4);
  const logs = incident.evidence?.data?.logs?.length ?? 0;
  const rest = [facts.length > shown.length && many(facts.length - shown.length, "other fact"), logs && many(logs, "log line")].filter(Boolean).join(" and ");
  return h("div", { class: "agent-body", key: `query-${incident.row.id}`, "data-querying": incident.row.id },
    h("div", {}, thinking(incident, now)),
    h("div", { class: "may" },
      h("h3", {}, `Facts about ${incident.row.service}`),
      h("ul", { class: "query-facts" }, shown.map((fact) => h("li", {}, one(fact)))),
      rest && h("p", { class: "why-not" }, `${shown.length ? "And " : ""}${rest}.`),
      limits(budget(agent, incident))));
}

const one = (fact) => [`${capital(String(fact.key))}: `, h("code", {}, String(fact.value)), fact.why && [". ", sentence(fact.why)]];

/** The model at work: its name, since when it is queried, and its reasoning while it comes. */
export function thinking(incident, now) {
  const { text, since, model } = incident.query;
  const so = now - since;
  const parts = text.trim() ? `${Number.isFinite(so) ? "" : "… "}${text}`.split(/\n{2,}/) : [];
  const caret = h("span", { class: "caret" });
  return h("div", { class: "think", key: "thinking" },
    h("p", { class: "think-head" }, h("b", {}, icon("work"), `Querying ${model || "the model"}`), h("span", {}, queriedFor(incident.query, now))),
    h("div", { class: `think-text${text.length > 900 ? " long" : ""}`, tabindex: "0", role: "region", "aria-live": "off", "aria-label": "The model’s reasoning", "data-follow": true, key: "live" },
      parts.length ? parts.map((part, i) => h("p", { class: i + 1 < parts.length ? "older" : "newest" }, part.trim(), i + 1 === parts.length && caret)) : h("p", { class: "older" }, "No output yet. A reasoning model streams its reasoning here; other models answer in one piece. ", caret)),
    h("p", { class: "think-end quiet" }, "If it does not answer in time, the runbook decides."));
}

function decided({ agent, incident, info }) {
  const data = incident.diagnosed.data ?? {};
  const service = target(incident.row);
  const letter = (data.legal ?? []).find((entry) => entry.action === data.action)?.letter;
  const { byModel, model, failed } = views(incident.diagnosed);
  const whole = byModel && Boolean(data.reasoning);
  const sure = decidedCertainty(incident.diagnosed);
  return h("div", { class: "agent-body", key: `body-${incident.row.id}` },
    h("div", {},
      h("div", { class: "think" },
        h("p", { class: "think-head" }, h("b", {}, icon("work"), whole ? "Reasoning" : "Why"), h("span", {}, whoFirst(incident.diagnosed.by))),
        reasons(incident, whole ? data.reasoning : ""),
        h("p", { class: "think-end" }, letter && h("kbd", {}, letter), h("b", {}, phrase(data.action, service)), sure && h("span", {}, sure))),
      (model || failed || info?.llm?.ready) && h("p", { class: "came", "data-came": came(incident.diagnosed) }, icon("fork", "quiet"), h("span", {}, whatCame(incident.diagnosed, service))),
      transcript(data, { reasoning: !whole })),
    h("div", { class: "may" },
      legal(data, service),
      limits(budget(agent, incident))));
}

/** What came of the model's view, in one word for programs. */
export function came(diagnosed) {
  const { byModel, model, failed } = views(diagnosed);
  return failed || (byModel ? "stands" : model ? "considered" : "unqueried");
}

/** The legal actions of a diagnosis, and those that were not offered. */
export function legal(data, service) {
  return [
    h("h3", {}, "Allowed actions"),
    h("ol", { class: "choices" }, (data.legal ?? []).map((entry) => h("li", { class: entry.action === data.action ? "chosen" : null },
      h("kbd", {}, entry.letter),
      h("p", {}, h("b", {}, phrase(entry.action, service)), entry.why && [h("br"), reason(entry.why)])))),
    (data.not_offered ?? []).map((entry) => h("p", { class: "why-not" }, paragraph(`Not offered: ${phrase(entry.action, service)}`, reason(entry.why)))),
  ];
}

function reasons(incident, text) {
  const data = incident.diagnosed.data ?? {};
  const region = { class: `think-text${text?.length > 900 ? " long" : ""}`, tabindex: "0", role: "region", "aria-live": "off", "aria-label": "Why it decided so", key: "think" };
  if (text) return h("div", region, text.split(/\n{2,}/).map((part, i, all) => h("p", { class: i + 1 < all.length ? "older" : "newest" }, part.trim())));
  const of = views(incident.diagnosed);
  const view = (of.byModel ? of.model : of.runbook) ?? {};
  const facts = (incident.evidence?.data?.facts ?? []).filter((fact) => fact.decisive).slice(0, 3);
  const why = view.why || (data.legal ?? []).find((entry) => entry.action === data.action)?.why;
  return h("div", region, facts.map((fact) => h("p", { class: "older" }, one(fact))), h("p", { class: "newest" }, data.cause || `${incident.row.service} is down.`), why && h("p", { class: "newest" }, reason(why)));
}

function budget(agent, incident) {
  const b = agent?.budget ?? {};
  const next = instant(b.not_before);
  return [
    ["Attempts", of(incident.row.attempts ?? b.attempt ?? 0, b.attempts)],
    thisHour(incident.row.service, b),
    ["Next not before", Number.isFinite(next) && next > 0 ? hhmmss(next) : ""],
  ];
}

// The budget is a service's own.
const thisHour = (service, b) => [`Repairs of ${service} this hour`, of(b?.hour, b?.per_hour)];

const of = (n, most) => (Number.isFinite(n) ? (Number.isFinite(most) && most > 0 ? `${n} of ${most}` : String(n)) : "");

function limits(list) {
  return terms(list, "limits");
}

function rest({ agent, incident, info, rows, known = -Infinity }, state) {
  const all = known === -Infinity; // else there are more than were read
  const count = (n) => `${all ? "" : "at least "}${thousands(n)}`;
  const done = rows.filter(repaired);
  const called = rows.filter((row) => row.called ?? row.escalated).length;
  const median = quantile(done.map((row) => row.down_ms ?? row.ttr_ms), 0.5);
  return [
    dependencyList(info),
    agent?.last_action && h("p", { class: "agent-say", key: "last" }, "Last action: ", h("code", { class: "cmd" }, agent.last_action)),
    limits([["Repaired", done.length || all ? count(done.length) : null], ["Person called", called ? count(called) : all && "never"], ["Median downtime", median === null ? "no data yet" : took(median)], ...(agent?.service && incident?.row.kind !== "fleet" ? [thisHour(agent.service, agent.budget)] : [])]),
  ];
}

/** Docker, Kafka and the model with their state, as a list. */
export function dependencyList(info) {
  return h("dl", { class: "dependencies", key: "dependencies" }, dependencies(info).map(({ name, icon: picture, colour, label, text, code }) => h("div", {}, h("dt", {}, icon(picture, colour, label), name), h("dd", {}, text, code && [" ", h("code", { class: "cmd" }, code), copy(code)]))));
}

/** What LogStream depends on, in words. */
export function dependencies(info) {
  const good = { icon: "up", colour: "up", label: "Healthy" };
  const bad = { icon: "warn", colour: "warn", label: "Problem" };
  const idle = { icon: "none", colour: "quiet", label: "Not used" };
  const { docker, bus, llm } = info ?? {};
  const problem = (part) => (info?.troubles ?? []).find((one) => one.part === part); // says it without the remedy, which stands with it
  const list = [{ name: "Docker", ...engine(docker, problem("docker"), good, bad, idle) }];
  if (bus) list.push({ name: "Kafka", ...kafka(bus, problem("bus"), good, bad) });
  if (!llm?.model) return [...list, { name: "Model", ...idle, text: "None. The runbook decides." }];
  if (llm.ready) return [...list, { name: "Model", ...good, text: `${llm.model} is available.` }];
  const missed = Boolean(problem("llm")); // where none is wanted, its absence is no problem
  return [...list, { name: "Model", ...(missed ? bad : idle), text: paragraph(`${llm.model} is unavailable`, reason(llm.error), "The runbook decides.") }];
}

function engine(docker, problem, good, bad, idle) {
  if (!docker) return { ...idle, text: "Not used." };
  if (docker.pending) return { icon: "none", colour: "quiet", label: "Not known", text: "Not known yet: it has not answered since LogStream started." };
  if (!docker.ok) return { ...bad, text: problem ? sentence(problem.what) : unreachable(docker.error) };
  if (docker.kind === "process") return { ...good, text: "Not needed: the demo runs its services as child processes." };
  const engine = docker.version ? `Reachable, version ${docker.version}` : "Reachable";
  return { ...good, text: sentence(docker.address ? `${engine}, at ${docker.address}${docker.chosen_by ? ` (${docker.chosen_by})` : ""}` : engine) };
}

const unreachable = (error) => sentence(error ? `Unreachable: ${error}` : "Unreachable");

function kafka({ ok, error, kind, brokers }, problem, good, bad) {
  if (ok === false) return { ...bad, text: problem ? sentence(problem.what) : unreachable(error) };
  const code = (brokers ?? []).join(",");
  return { ...good, text: `${kind === "embedded" ? "Embedded in this process." : "Reachable."}${code && " Consume the event log at"}`, code };
}
