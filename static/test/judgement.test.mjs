// Which view was right, and the post-mortem: pure, from the records.

import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { incident as incidentOf } from "../js/incident.js";
import { judgement } from "../js/judgement.js";
import { postmortem } from "../js/postmortem.js";
import { repair } from "../js/view/repair.js";
import { report, similar } from "../js/view/report.js";
import { at, consulted, diagnosed, evidence, finished, opened, opinion, resolved, row, started, T, eventLog, verified } from "./event_log.mjs";

const whole = (list, more) => { const events = eventLog(...list); return incidentOf(row(events, more), events, null); };
const judged = (outcome, decision, ...then) => judgement(whole([opened, evidence, decision, ...then], { outcome }), { llm: { model: "qwen3:4b", timeout_s: 20 } });
const byModel = (action, more) => consulted("llm:qwen3:4b", { model: opinion(action), action, ...more });
const byRunbook = (more) => consulted("runbook", more);
const denied = [8000, "denied", "operator:ada", { reason: "not now" }];
const unverified = [13000, "verified", "logstream", { ok: false, outcome: "failed", error: "HTTP 500" }];
const interrupted = [13000, "verified", "logstream", { ok: false, outcome: "interrupted", error: "interrupted: stop" }];
const escalated = [14000, "escalated", "logstream", { reason: "3 of 3 attempts failed" }];
const end = (how) => [14000, "resolved", "logstream", { ...resolved[3], how }];

test("who was right follows from the outcome, and from whether they agree", () => {
  for (const [decision, then, agree, outcome, right, text] of [
    [byModel("start"), [started, finished, verified, resolved], "yes", "verified", "both", "Both were right: the repair was verified."],
    [byModel("restart"), [started, finished, verified, resolved], "no", "verified", "model", "The model was right: its repair was verified. What the runbook would have done was not tried."],
    [byRunbook({ model: opinion("restart"), invalid_code: "overruled" }), [started, finished, verified, resolved], "no", "verified", "runbook", "The runbook was right: its repair was verified. What the model would have done was not tried."],
    [byRunbook({}), [started, finished, verified, resolved], "alone", "verified", "runbook", "The runbook was right: its repair was verified."],
    [byModel("start"), [started, finished, unverified], "yes", "failed", "neither", "Neither was right: the repair failed."],
    [byModel("restart"), [started, finished, unverified, escalated], "no", "failed", "unknown", "The model was wrong: its repair failed. What the runbook would have done was not tried."],
    [byModel("start"), [started, [2500, "action_finished", "logstream", { ok: false, outcome: "refused", error: "no" }]], "yes", "failed", "neither", "Neither was right: the repair failed."],
    [byModel("start"), [started, [2500, "action_finished", "logstream", { ok: false, outcome: "not_executed", error: "late" }]], "yes", "pending", "unknown", "No outcome yet, so it is not known who is right."],
    [byModel("restart"), [denied, escalated], "no", "denied", "unknown", "ada denied it, so it is not known whether the model was right. What the runbook would have done was not tried."],
    [byModel("start"), [denied], "yes", "denied", "unknown", "ada denied it, so it is not known whether they were right."],
    [byModel("start"), [started, finished, interrupted], "yes", "interrupted", "unknown", "Not known who was right: an external change interrupted the verification."],
    [byModel("start"), [escalated], "yes", "escalated", "unknown", "Not known who was right: a person was called before a repair was tried."],
    [byRunbook({ action: "escalate" }), [escalated], "alone", "escalated", "runbook", "A person was called, as decided."],
    [byModel("start"), [end("recovered")], "yes", "recovered", "unknown", "Not known who was right: it recovered without a verified repair."],
    [byModel("start"), [end("operator")], "yes", "closed", "unknown", "Not known who was right: an operator’s command or the removal of the service ended the incident first."],
    [byModel("start"), [started, finished], "yes", "pending", "unknown", "No outcome yet, so it is not known who is right."],
    [byRunbook({}), [], "alone", "pending", "unknown", "No outcome yet."],
  ]) {
    const is = judged(outcome, decision, ...then);
    assert.deepEqual([is.agree, is.outcome, is.right, is.text], [agree, outcome, right, text]);
  }
});

test("an outcome may be known before the event that it follows from", () => {
  assert.match(judged("denied", byModel("restart")).text, /denied it, so it is not known/);
});

test("the setting, or the rule, by which one of them decided", () => {
  const setting = (decision) => judged("pending", decision).setting;
  assert.match(setting(byModel("restart")), /^Setting: healer\.decide: llm\. Both choices are allowed/);
  assert.equal(setting(byModel("start")), "Setting: healer.decide: llm.");
  assert.match(setting(byRunbook({ invalid: "late", invalid_code: "late" })), /healer\.llm\.timeout: 20s/);
  assert.match(setting(byRunbook({ invalid: "gone", invalid_code: "unreachable" })), /without a usable answer/);
  assert.match(setting(byRunbook({ model: opinion("escalate"), invalid_code: "no_opinion" })), /if the model declines while a repair is available, the runbook decides\./);
  assert.match(setting(byRunbook({ model: opinion("restart"), invalid_code: "overruled" })), /the facts prove/);
  assert.match(setting([1014, "diagnosed", "runbook", diagnosed[3]]), /healer\.reflex: true/);
  assert.equal(judgement(whole([opened, diagnosed]), { llm: {} }).setting, "Setting: no model is configured (healer.llm).");
});

test("the post-mortem says what happened, what was done and how it ended", () => {
  const text = postmortem(whole([opened, evidence, diagnosed, started, finished, verified, resolved]), T + 60e3, {
    injections: [{ service: "payment-service", at: T - 500, fault: "stop", by: "operator:ada", you: false, error: "" }, { service: "payment-service", at: T - 60e3, fault: "kill", by: "operator:bob", error: "" }], dependents: ["checkout"] }).join("\n");
  for (const want of ["payment-service failed today at", "Connection refused.", "The container was stopped by a command such as docker stop.", "The fault “Stop” had been injected on purpose at", "by ada.", "LogStream opened an incident 1.0 s after the first failed check.",
    "It collected 3 facts, of which 2 were decisive. The runbook decided: start payment-service. LogStream started payment-service at", "; 5 good checks in a row verified it by", "payment-service was down for 2.6 s. The incident was resolved 13 s after the first failed check.", "checkout failed with it, because it depends on payment-service."]) assert.ok(text.includes(want), `${want} is not in\n${text}`);
  assert.ok(!text.includes("Kill"), "a fault long before is none of it");
});

test("the times of a requested repair count from the request, or from the first failed check where it was down before", () => {
  const requested = (ms) => postmortem(whole([[1000, "opened", "operator:ada", { check: "operator", error: "requested", first_bad: at(ms), kind: "service" }], evidence, diagnosed, started, finished, verified, resolved]), T + 60e3).join("\n");
  assert.match(requested(1000), /resolved 13 s after the request\./);
  assert.match(requested(0), /resolved 13 s after the request\./, "a second is no failure before it");
  assert.match(requested(-9000), /resolved 13 s after the first failed check\./);
});

test("the post-mortem names who requested or proposed the repair", () => {
  const said = (by, data) => postmortem(whole([[1000, "opened", by, { error: "requested by an operator", first_bad: at(1000), kind: "service", ...data }]]), T + 60e3)[0];
  assert.match(said("operator:ada", { check: "operator" }), /^ada requested a repair of payment-service today at /);
  assert.match(said("operator:dashboard", { check: "operator" }), /^An operator on the dashboard requested a repair of /);
  assert.match(said("mcp:claude", { check: "proposal", proposed: { action: "restart" } }), /^claude proposed a repair of payment-service today at /);
});

test("the post-mortem of each other end, and of an incident with few records", () => {
  const said = (list, more) => postmortem(whole(list, more), T + 60e3).join("\n");
  const failed = said([opened, evidence, diagnosed, started, [2500, "action_finished", "logstream", { attempt: 1, ok: false, error: "no such image" }], [3000, "action_started", "runbook", { ...started[3], attempt: 2 }], finished, unverified, escalated]);
  for (const want of ["Attempt 1 to start payment-service at", ": failed. No such image.".toLowerCase(), "Attempt 2 started payment-service at", "it was not verified. HTTP 500.", "A person is needed. 3 of 3 attempts failed.", "does nothing more by itself"]) assert.ok(failed.toLowerCase().includes(want.toLowerCase()), `${want} is not in\n${failed}`);
  assert.ok(said([opened, end("recovered")]).includes("It recovered without a repair."));
  for (const list of [[opened], [end("operator")], [opened, diagnosed, started], [opened, diagnosed, started, finished, interrupted]]) assert.doesNotMatch(said(list), /undefined|NaN|unknown/);
});

test("an attempt has its command, its undo, its result and its verification", () => {
  const memory = [2000, "action_started", "runbook", { attempt: 1, action: "raise_memory", command: "docker update --memory 512m pay", undo_command: "docker update --memory 256m pay", verify: 5, expires: at(9000) }];
  const of = whole([opened, evidence, diagnosed, memory, finished, verified, resolved], { undo: { attempt: 1, action: "raise_memory", command: "" } });
  const shown = repair(of, T + 20e3);
  assert.deepEqual(find(shown, (e) => e.attrs["data-act"] === "copy").map((e) => e.attrs["data-text"]), ["docker update --memory 512m pay", "docker update --memory 256m pay"]);
  assert.match(textOf(shown), /Run docker update --memory 256m pay, or use “Undo” at the top of this page\./);
  assert.match(textOf(shown), /5 good checks in a row since the repair/);
  const gentle = textOf(repair(whole([opened, evidence, diagnosed, started, finished]), T + 20e3));
  assert.match(gentle, /Nothing to undo: no configuration was changed\./);
  assert.match(gentle, /VerificationVerifying/);
  assert.match(textOf(repair(whole([opened, evidence, diagnosed]), T)), /Start payment-service\. The repair has not started\./);
  assert.equal(repair(whole([opened, evidence, diagnosed, end("recovered")]), T), null);
});

test("similar incidents have their action and their end, and lead to their pages", () => {
  const one = (id, more) => ({ id, service: "payment-service", state: "resolved", how: "healed", opened: at(-60e3), action: "start", attempts: 1, down_ms: 1500, ...more });
  const list = [one("a"), one("b", { state: "escalated", down_ms: null }), one("c", { how: "recovered", attempts: 0 }), one("d", { service: "<b>", state: "open", down_ms: null })];
  const shown = similar({ cause_id: "killed", service: "payment-service", similar: list }, T);
  assert.deepEqual(find(shown, (e) => e.tag === "a").map((e) => [e.attrs.href, textOf(e)]), [["/incidents/a", "Started, and verified."], ["/incidents/b", "A person is needed."], ["/incidents/c", "Recovered without a repair."], ["/incidents/d", "<b>: Still open."], ["/incidents?cause=killed", "All incidents of this cause"]]);
  assert.match(textOf(shown), /down for 1\.5 s/);
  assert.match(textOf(similar({ cause_id: "killed", similar: [] }, T)), /No earlier incident has this cause/);
  assert.deepEqual([similar({ cause_id: "", similar: [] }, T), similar({ cause_id: "killed" }, T)], [null, null]);
});

test("the post-mortem can be copied and saved as Markdown, and stays text", () => {
  const of = whole([opened, evidence, diagnosed, started, finished, verified, resolved]);
  const evil = "# pay\n<script>alert(1)</script>";
  const shown = report(of, T + 60e3, { markdown: evil });
  assert.deepEqual(find(shown, (e) => e.attrs["data-act"]).map((e) => [e.attrs["data-act"], e.attrs["data-text"] ?? e.attrs["data-of"]]), [["copy", evil], ["report", "i1"]]);
  assert.equal(find(shown, (e) => e.tag === "script").length, 0);
  assert.equal(find(report(of, T), (e) => e.attrs["data-act"] === "copy").length, 0, "before it is loaded nothing is copied");
  assert.equal(report(whole([opened, evidence]), T), null, "while it is open there is none");
});
