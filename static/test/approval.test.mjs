import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { incident as incidentOf } from "../js/incident.js";
import { acknowledgement, approvalRequest, operations } from "../js/view/approval.js";
import { timeline } from "../js/timeline.js";
import { at, diagnosed, evidence, opened, row, T, eventLog } from "./event_log.mjs";

const requested = [2000, "approval_requested", "guard", { action: "start", target: "payment-service", command: "docker start payment-service", undo: "", cost: "Non-disruptive: the container is not running.", reason: "the mode is approve: each repair waits for an operator's approval", expires: at(902000) }];
const waiting = (more = {}) => {
  const events = eventLog(opened, evidence, diagnosed, requested);
  return incidentOf(row(events, more), events, null);
};
const buttons = (view) => find(view, (e) => e.tag === "button" && e.attrs["data-act"] === "operate");

test("a request says what would be done, its cost, its undo and what the answers lead to", () => {
  const view = approvalRequest(waiting(), { at: T + 5000 });
  const text = textOf(view);
  for (const part of ["expires in 14 min 57 s", "Start payment-service?", "docker start payment-service", "Non-disruptive: the container is not running.", "LogStream cannot undo it.", "calls a person", "The request expires at", "The mode is approve: each repair waits for an operator's approval.", "Runbook: cause proven.", "state: exited (0)"]) assert.ok(text.includes(part), `${part} is missing in: ${text}`);
  assert.deepEqual(buttons(view).map((b) => [b.attrs["data-command"], b.attrs["data-request"], b.attrs.disabled, textOf(b)]), [["approve", 4, false, "Approve: start payment-service"], ["deny", 4, false, "Deny"]]);
  const labels = find(view, (e) => e.tag === "label");
  assert.equal(textOf(labels[0]), "Reason, kept with the incident");
  assert.equal(view.attrs["aria-labelledby"], find(view, (e) => e.tag === "h2")[0].attrs.id);
});

test("a request that can be undone shows the command for it", () => {
  const of = waiting();
  of.row.approval.undo = "docker update --memory 268435456 payment-service";
  const text = textOf(approvalRequest(of, { at: T + 5000 }));
  assert.ok(text.includes("docker update --memory 268435456 payment-service"));
  assert.ok(text.includes(", or use “Undo” on this page."));
});

test("a request cannot be answered twice, late, or on a page without a connection", () => {
  for (const [what, more] of Object.entries({ sent: { sent: { command: "approve" } }, late: { at: T + 902000 }, stale: { stale: true } })) {
    const view = approvalRequest(waiting(), { at: T + 5000, ...more });
    assert.ok(buttons(view).every((b) => b.attrs.disabled), what);
  }
  assert.ok(textOf(approvalRequest(waiting(), { at: T, sent: { command: "deny" } })).includes("Waiting for LogStream…"));
  assert.ok(textOf(approvalRequest(waiting(), { at: T + 902000 })).includes("has expired"));
});

test("a refusal is announced to screen readers", () => {
  const view = approvalRequest(waiting(), { at: T, refusal: "It was requested anew." });
  assert.equal(textOf(find(view, (e) => e.attrs.role === "alert")[0]).trim(), "It was requested anew.");
});

test("without a request there is no panel", () => {
  const events = eventLog(opened, evidence, diagnosed);
  assert.equal(approvalRequest(incidentOf(row(events), events, null), { at: T }), null);
});

test("undo and acknowledge are offered where there is something to do", () => {
  const names = (more) => operations(waiting(more)).filter(Boolean).map((b) => [b.attrs["data-control"], b.attrs["data-attempt"]]);
  assert.deepEqual(names({}), [["acknowledge", undefined]]);
  assert.deepEqual(names({ undo: { attempt: 2, action: "raise_memory", command: "docker update …" }, state: "resolved" }), [["undo", "2"]]);
  assert.deepEqual(names({ acknowledged: { by: "operator:ada", at: at(0) } }), []);
  assert.equal(acknowledgement({ state: "escalated", acknowledged: { by: "operator:ada", at: at(0), reason: "on it" } }).replace(/\d\d:\d\d:\d\d/, "…"), "Acknowledged by ada at …. On it.");
  assert.equal(acknowledgement({ state: "resolved", acknowledged: { by: "operator:ada", at: at(0) } }), "");
});

test("the timeline says who acknowledged and what was undone", () => {
  const events = eventLog(opened, [1500, "acknowledged", "operator:ada", { reason: "on it" }], [2000, "action_started", "operator:ada", { attempt: 2, action: "raise_memory", undoes: 1, command: "docker update" }]);
  const said = timeline(incidentOf(row(events), events, null)).map((item) => `${item.head}. ${item.line}`);
  assert.ok(said.includes("Acknowledged. By ada. On it."), said.join("\n"));
  assert.ok(said.includes("Undo of attempt 1. By ada."), said.join("\n"));
});
