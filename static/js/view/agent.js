// The AI SRE Agent: its state, what it decided and why, and what it may do.
// While it only watches, what it senses with, and its record.

import { h, icon } from "../dom.js";
import { hhmmss, instant, many, took } from "../units.js";
import { quantile } from "../series.js";
import { agentState, capital, choice, gate, who } from "../vocabulary.js";
import { askedFor, bare, sentence, sure, views, whatCame, whyAndMend } from "../words.js";
import { pieces } from "./banners.js";
import { copy, facts as terms, papers, pill } from "./bits.js";

/** model: {agent, told, info, rows, stale, now} */
export function agent(model) {
  const state = model.agent?.state ?? "WATCHING";
  const look = agentState(state);
  const busy = state !== "WATCHING" || model.told?.phase === "grace";
  const body = busy && model.told?.asking ? asks : busy && model.told?.diagnosed ? decided : null;
  return h("section", { class: `panel agent${model.stale ? " is-stale" : ""}`, key: "agent", "aria-labelledby": "h-agent" },
    h("div", { class: "agent-head" },
      h("h2", { id: "h-agent" }, "AI SRE Agent"),
      model.agent ? pill({ colour: look.colour, icon: look.shape, text: state }, { "data-agent-state": state }) : pill({ colour: "", icon: "none", text: "Not heard yet" }),
      h("p", { class: "agent-model" }, decides(model))),
    body ? body(model) : rest(model, state));
}

// Which model there is, and whether it can be asked now.
function decides({ info, told }) {
  const { model, ready } = info?.llm ?? {};
  if (!model && !told?.asking) return "The runbook’s rules decide, without a model. The guard says what may be done.";
  if (told?.asking) return `${told.asking.model || model || "A model"} is being asked. It chooses, the guard decides what there is to choose.`;
  if (!ready) return `${model} cannot be asked now, so the runbook’s rules decide.`;
  return `${model} can be asked. It chooses, the guard decides what there is to choose.`;
}

// While a model is asked: since when, what it writes, and what it is asked about.
function asks({ agent, told, now }) {
  const facts = told.evidence?.data?.facts ?? [];
  const decisive = facts.filter((fact) => fact.decisive);
  const shown = (decisive.length ? decisive : facts).slice(0, 4);
  const logs = told.evidence?.data?.logs?.length ?? 0;
  const rest = [facts.length > shown.length && many(facts.length - shown.length, "other fact"), logs && many(logs, "log line")].filter(Boolean).join(" and ");
  return h("div", { class: "agent-body", key: `asks-${told.row.id}`, "data-asking": told.row.id },
    h("div", {}, thinking(told, now)),
    h("div", { class: "may" },
      h("h3", {}, `What it is asked about ${told.row.service}`),
      h("ul", { class: "asked" }, shown.map((fact) => h("li", {}, `${capital(String(fact.key))}: `, h("code", {}, String(fact.value)), fact.why && [". ", sentence(fact.why)]))),
      rest && h("p", { class: "why-not" }, `${shown.length ? "And " : ""}${rest}.`),
      limits(budget(agent, told))));
}

/** The model at work: its name, since when it is asked, and its thinking while it comes. */
export function thinking(told, now) {
  const { text, since, model } = told.asking;
  const so = now - since;
  const parts = text.trim() ? `${Number.isFinite(so) ? "" : "… "}${text}`.split(/\n{2,}/) : [];
  const caret = h("span", { class: "caret" });
  return h("div", { class: "think", key: "thinking" },
    h("p", { class: "think-head" }, h("b", {}, icon("work"), `Asking ${model || "the model"}`), h("span", {}, askedFor(told.asking, now))),
    h("div", { class: `think-text${text.length > 900 ? " long" : ""}`, tabindex: "0", role: "region", "aria-live": "off", "aria-label": "Its thinking", "data-follow": true, key: "live" },
      parts.length ? parts.map((part, i) => h("p", { class: i + 1 < parts.length ? "older" : "newest" }, part.trim(), i + 1 === parts.length && caret)) : h("p", { class: "older" }, "Nothing was written yet. A model that can think writes here first, another one answers at once. ", caret)),
    h("p", { class: "think-end quiet" }, "If it does not answer in time, the runbook decides."));
}

function decided({ agent, told, info }) {
  const data = told.diagnosed.data ?? {};
  const service = told.row.service;
  const letter = (data.legal ?? []).find((entry) => entry.action === data.action)?.letter;
  const { byModel, model, failed } = views(told.diagnosed);
  const whole = byModel && Boolean(data.reasoning);
  return h("div", { class: "agent-body", key: `body-${told.row.id}` },
    h("div", {},
      h("div", { class: "think" },
        h("p", { class: "think-head" }, h("b", {}, icon("work"), whole ? "Its thinking, in full" : "Why"), h("span", {}, capital(who(told.diagnosed.by)))),
        reasons(told, whole ? data.reasoning : ""),
        h("p", { class: "think-end" }, letter && h("kbd", {}, letter), h("b", {}, choice(data.action, service)), sure(data.confidence) && h("span", {}, sure(data.confidence)))),
      (model || failed || info?.llm?.ready) && h("p", { class: "came", "data-came": failed || (byModel ? "stands" : model ? "heard" : "unasked") }, icon("fork", "quiet"), h("span", {}, whatCame(told.diagnosed, service))),
      papers(data, { thinking: !whole })),
    h("div", { class: "may" },
      h("h3", {}, "What it may choose from"),
      h("ol", { class: "choices" }, (data.legal ?? []).map((entry) => h("li", { class: entry.action === data.action ? "chosen" : null },
        h("kbd", {}, entry.letter),
        h("p", {}, h("b", {}, choice(entry.action, service)), entry.why && [h("br"), bare(entry.why)])))),
      (data.not_offered ?? []).map((entry) => h("p", { class: "why-not" }, `Not offered: ${choice(entry.action, service)}. ${sentence(entry.why)}`)),
      limits(budget(agent, told))));
}

function reasons(told, text) {
  const data = told.diagnosed.data ?? {};
  const region = { class: `think-text${text?.length > 900 ? " long" : ""}`, tabindex: "0", role: "region", "aria-live": "off", "aria-label": "Why it decided so", key: "think" };
  if (text) return h("div", region, text.split(/\n{2,}/).map((part, i, all) => h("p", { class: i + 1 < all.length ? "older" : "newest" }, part.trim())));
  const of = views(told.diagnosed);
  const view = (of.byModel ? of.model : of.runbook) ?? {};
  const facts = (told.evidence?.data?.facts ?? []).filter((fact) => fact.decisive).slice(0, 3);
  const why = view.why || (data.legal ?? []).find((entry) => entry.action === data.action)?.why;
  return h("div", region, facts.map((fact) => h("p", { class: "older" }, `${capital(String(fact.key))}: `, h("code", {}, String(fact.value)), fact.why && [". ", sentence(fact.why)])), h("p", { class: "newest" }, sentence(data.cause || `${told.row.service} is down`)), why && h("p", { class: "newest" }, sentence(why)));
}

function budget(agent, told) {
  const b = agent?.budget ?? {};
  const attempt = told.attempts.length ? told.attempts.at(-1).number : b.attempt;
  const next = instant(b.not_before);
  return [
    ["Attempts", of(attempt ?? 0, b.attempts)],
    ["Repairs this hour", of(b.hour, b.per_hour)],
    ["Next not before", Number.isFinite(next) && next > 0 ? hhmmss(next) : ""],
  ];
}

const of = (n, most) => (Number.isFinite(n) ? (Number.isFinite(most) && most > 0 ? `${n} of ${most}` : String(n)) : "");

function limits(list) {
  return terms(list, "limits");
}

function rest({ agent, told, info, rows }, state) {
  const ended = rows.filter((row) => row.state === "resolved");
  const repaired = ended.filter((row) => row.attempts > 0 && row.how !== "recovered" && row.how !== "operator");
  const called = rows.filter((row) => row.state === "escalated").length;
  const median = quantile(repaired.map((row) => row.down_ms ?? row.ttr_ms), 0.5);
  return [
    h("dl", { class: "senses", key: "senses" }, senses(info).map(({ name, icon: picture, colour, ear, text, code }) => h("div", {}, h("dt", {}, icon(picture, colour, ear), name), h("dd", {}, text, code && [" ", h("code", { class: "cmd" }, code), copy(code)])))),
    state === "WATCHING" && told?.row.held && h("p", { class: "agent-say", key: "say" }, icon("held", "warn"), ` ${told.row.service} is on hold: ${bare(told.hold?.data?.reason || told.row.held_reason || gate(told.row.held))}.`),
    agent?.last_action && h("p", { class: "agent-say", key: "last" }, "Last action: ", h("code", { class: "cmd" }, agent.last_action)),
    limits([["Repaired", String(repaired.length)], ["Needed a person", called ? String(called) : "never"], ["Median time down", median === null ? "not known yet" : took(median)], ["Repairs this hour", agent?.service ? of(agent.budget?.hour, agent.budget?.per_hour) : ""]]),
  ];
}

const NOT_YET = "it was not looked for yet"; // a moment after the start

/** What it senses with, in words: Docker, Kafka, the model. */
export function senses(info) {
  const good = { icon: "up", colour: "up", ear: "Good" };
  const bad = { icon: "warn", colour: "warn", ear: "In trouble" };
  const idle = { icon: "none", colour: "quiet", ear: "Not used" };
  const { docker, bus, llm } = info ?? {};
  const list = [];
  if (!docker) list.push({ name: "Docker", ...idle, text: "not used here" });
  else if (docker.kind === "process") list.push({ name: "Docker", ...(docker.ok ? good : bad), text: docker.ok ? "not needed: the demo runs its services as child processes" : bare(docker.error) || "the demo’s processes have ended" });
  else if (docker.ok) list.push({ name: "Docker", ...good, text: docker.version ? `answers, ${docker.version}` : "answers" });
  else list.push({ name: "Docker", ...bad, text: bare(docker.error) || "does not answer" });
  if (bus) {
    const kind = bus.kind === "embedded" ? "embedded in this process" : "a broker of its own";
    list.push(bus.ok === false ? { name: "Kafka", ...bad, text: bare(bus.error) || "away" } : { name: "Kafka", ...good, text: `${kind}${bus.brokers?.length ? ". Read it:" : ""}`, code: bus.brokers?.join(",") });
  }
  if (!llm?.model) list.push({ name: "Model", ...idle, text: "none: the runbook decides" });
  else if (llm.ready) list.push({ name: "Model", ...good, text: `${llm.model} can be asked` });
  else {
    const { why, mend } = whyAndMend(llm.error);
    const missed = (info.troubles ?? []).some((trouble) => trouble.part === "llm"); // where nobody wanted one, its absence is no trouble
    list.push({ name: "Model", ...(missed ? bad : idle), text: why === NOT_YET ? `${llm.model} is looked for` : `${llm.model} cannot be asked${why ? `: ${why}` : ""}. The runbook decides.`, code: missed ? "" : pieces(mend).find((piece) => piece.command)?.command }); // a banner tells it where it is missed
  }
  return list;
}

