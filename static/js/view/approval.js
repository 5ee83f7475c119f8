// A request for approval, whole: what exactly would be done, what it costs,
// how it is undone, what the answers lead to, and the two buttons. And what else
// an operator can do about one incident.

import { certainty } from "../diagnosis.js";
import { h, icon } from "../dom.js";
import { hhmmss, instant, lasting } from "../units.js";
import { capital, phrase, who } from "../vocabulary.js";
import { paragraph, reason, subject } from "../words.js";
import { command, copy, href } from "./bits.js";
import { control } from "./dialog.js";

/** What approvalRequest() needs of a page. */
export function approvalState({ stale, sent, refusals, viewer }, of, at) {
  return { at, stale, viewer, sent: sent?.get(of.row.id), refusal: refusals?.get(of.row.id) };
}

/** How many decisive facts stand beside the question. */
const FACTS = 4;

/**
 * The request of an incident that waits for approval, or null.
 * `sent` is what was sent and not answered yet ({command, request}), `refusal`
 * why the last answer was not taken. `brief` is for a list: the question, the
 * action and the buttons. `listed`: it is shown in a list, not on its incident's page.
 */
export function approvalRequest(of, { at, stale = false, sent = null, refusal = "", brief = false, listed = brief, viewer = false }) {
  const request = of.row.approval;
  if (!request) return null;
  const { id, service } = of.row;
  const action = capital(phrase(request.action, service));
  const left = instant(request.expires) - at;
  return h("section", { class: `panel approval${brief ? " brief" : ""}`, key: `approval-${id}`, "data-approval": id, "data-request": request.request, "aria-labelledby": `h-approval-${id}` },
    h("div", { class: "approval-main" },
      h("p", { class: "approval-head" }, listed && h("span", { class: "pill warn" }, icon("person"), "Approval needed"), h("span", { class: "quiet small" }, left > 0 ? `The request expires in ${lasting(left)}` : "The request has expired")),
      h("h2", { id: `h-approval-${id}` }, listed ? h("a", { href: href.incident(id) }, `${action}?`) : `${action}?`),
      listed && h("p", { class: "ink2" }, paragraph(subject(of.row), brief ? reason(request.reason) : "")),
      facts(request, { left, brief, listed, service }),
      viewer ? h("p", { class: "ink2" }, "An operator can approve or deny it.") : answers(of, { action, stale, sent, over: left <= 0 }),
      refusal && h("p", { class: "approval-refusal", role: "alert" }, icon("warn", "warn"), ` ${refusal}`),
      !brief && h("p", { class: "quiet small" }, "Immediately before the call the container is inspected again. If it has changed, approval is requested again.")),
    !brief && side(of, request));
}

function facts(request, { left, brief, listed, service }) {
  const rows = [
    ["What would be done", request.command ? line(request.command) : !brief && `LogStream would ${phrase(request.action, service)}.`],
    ["What it costs", request.cost],
    ["How it is undone", request.undo ? ["Run ", line(request.undo), `, or use “Undo” on ${listed ? "the incident’s" : "this"} page.`] : "LogStream cannot undo it."],
    !brief && ["If you deny it", "LogStream does not run it in this incident. It chooses another allowed repair, or calls a person."],
    !brief && ["If you do not answer", left > 0 ? `Nothing runs. The request expires at ${hhmmss(instant(request.expires))}, and a person is called.` : "Nothing runs, and a person is called."],
  ];
  return h("dl", { class: "approval-facts" }, rows.filter((row) => row && row[1]).map(([dt, dd]) => h("div", { key: dt }, h("dt", {}, dt), h("dd", {}, dd))));
}

const line = (text) => h("span", { class: "approval-cmd" }, command(text), copy(text));

function answers(of, { action, stale, sent, over }) {
  const { id, approval } = of.row;
  const off = stale || over || Boolean(sent);
  const button = (name, cls, picture, text) => h("button", { key: name, class: `btn big ${cls}`.trim(), type: "button", disabled: off, "data-act": "operate", "data-of": id, "data-command": name, "data-request": approval.request },
    icon(picture), sent?.command === name ? "Waiting for LogStream…" : text);
  return h("div", { class: "approval-do" },
    button("approve", "go", "check", `Approve: ${action.charAt(0).toLowerCase()}${action.slice(1)}`),
    button("deny", "", "x", "Deny"),
    h("p", { class: "viewer-only ink2 small" }, "Your role is viewer: an operator can approve or deny this."),
    h("label", { class: "approval-reason" }, h("span", { class: "vh" }, "Reason, kept with the incident"), h("input", { id: `why-${id}`, type: "text", maxlength: 500, autocomplete: "off", placeholder: "Reason (optional)" })));
}

function side(of, request) {
  const { runbook, model } = of.diagnosed?.data ?? {};
  const sure = [["Runbook", certainty(runbook?.confidence, "runbook")], [of.model || "Model", certainty(model?.confidence, "llm:")]].filter(([, how]) => how).map((of) => of.join(": "));
  const decided = (of.evidence?.data?.facts ?? []).filter((fact) => fact.decisive).slice(0, FACTS);
  return h("aside", { class: "approval-side" },
    h("h3", {}, "Why approval is needed"), h("p", {}, reason(request.reason)),
    h("h3", {}, "Cause"), h("p", {}, paragraph(of.row.cause, ...sure)),
    decided.length > 0 && [h("h3", {}, "Decisive facts"), h("ul", { class: "approval-decided" }, decided.map((fact) => h("li", {}, h("code", {}, `${fact.key}: ${fact.value}`))))]);
}

/** The buttons for what an operator can do about an incident beside answering: each opens its dialog. */
export function operations(of, { stale = false, viewer = false, service = null } = {}) {
  const { id, state, undo, acknowledged } = of.row;
  if (viewer) return [];
  return [
    state === "escalated" && service?.container && control("heal", of.row.service, { text: "Heal now", picture: "work", label: `Heal now: ${of.row.service}`, stale }),
    undo && control("undo", id, { text: `Undo attempt ${undo.attempt}`, picture: "undo", stale, "data-attempt": String(undo.attempt) }),
    state !== "resolved" && !acknowledged && control("acknowledge", id, { text: "Acknowledge", picture: "check", stale }),
  ];
}

/** Who acknowledged an incident, as a sentence, or nothing. */
export function acknowledgement({ acknowledged, state }) {
  if (!acknowledged || state === "resolved") return "";
  return paragraph(`Acknowledged by ${who(acknowledged.by)} at ${hhmmss(instant(acknowledged.at))}`, reason(acknowledged.reason));
}
