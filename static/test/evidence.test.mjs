// The evidence of an incident, and each event in its timeline.

import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { incident as incidentOf } from "../js/incident.js";
import { timeline } from "../js/timeline.js";
import { who, whoFirst } from "../js/vocabulary.js";
import { ending, escalation, statusLine, target } from "../js/words.js";
import { evidence as view } from "../js/view/evidence.js";
import { at, diagnosed, evidence, opened, resolved, row, started, eventLog, verified } from "./event_log.mjs";

const whole = (events, more) => incidentOf(row(events, more), events, null);
const items = (events, more) => timeline(whole(events, more));
const withData = (more) => [evidence[0], evidence[1], evidence[2], { ...evidence[3], ...more }];

test("decisive facts come first, the others are folded with their count", () => {
  const shown = view(whole(eventLog(opened, evidence)));
  const text = textOf(shown);
  assert.ok(text.indexOf("Decisive facts") < text.indexOf("1 other fact"), text);
  assert.ok(text.indexOf("state: exited (0)") < text.indexOf("shop:1"), text);
  assert.deepEqual(find(shown, (e) => e.tag === "details").map((e) => e.attrs.open), [false]);
});

test("without a decisive fact the others are open", () => {
  const shown = view(whole(eventLog(opened, withData({ facts: [{ key: "image", value: "shop:1" }] }))));
  assert.deepEqual(find(shown, (e) => e.tag === "details").map((e) => e.attrs.open), [true]);
  assert.ok(textOf(shown).includes("1 fact"));
});

test("a log line that is new is marked with how long none was like it, and stays text", () => {
  const logs = ["GET / 200", "<b>FATAL</b> out of memory", "ERROR twice"];
  const shown = view(whole(eventLog(opened, withData({ logs, first_seen: [{ line: 1, days: 7 }, { line: 2, days: 1 }, { line: 3, days: 9 }], truncated: true }))));
  const lines = find(shown, (e) => e.attrs.class === "log")[0].kids;
  assert.deepEqual(lines.map(textOf), ["GET / 200", "<b>FATAL</b> out of memorynew: not seen in the last 7 days", "ERROR twicenew: not seen in the last day"]);
  assert.deepEqual(lines.map((li) => li.attrs.class), [null, "unusual", "unusual"]);
  assert.ok(textOf(shown).includes("3 log lines, 2 not seen before"));
  assert.ok(textOf(shown).includes("The other log lines were left out."));
});

test("where marks are not known the lines stand without them", () => {
  const shown = view(whole(eventLog(opened, withData({ logs: ["a"] }))));
  assert.ok(textOf(shown).includes("1 log line") && !textOf(shown).includes("not seen"));
});

test("missing evidence has its reason", () => {
  const held = eventLog(opened, [1100, "suppressed", "guard", { gate: "dependency", reason: "waits for db: a service that it depends on is DOWN" }]);
  assert.ok(textOf(view(whole(held, { root: "db" }))).includes("Not collected: what payment-service shows now is the failure of db."));
  assert.ok(textOf(view(whole(held))).includes("Not collected while the repair is on hold."));
  assert.ok(textOf(view(whole(eventLog(opened)))).includes("Not collected yet."));
});

test("a hold stands in the timeline with its reason, its gate and its root", () => {
  const of = items(eventLog(opened, [1100, "suppressed", "guard", { gate: "dependency", reason: "waits for db: a service that it depends on is DOWN", root: "db", root_incident: "r1" }])).at(-1);
  assert.deepEqual([of.head, of.line, of.note, of.root], ["On hold", "Waits for db: a service that it depends on is DOWN.", "Gate: dependency", { name: "db", incident: "r1" }]);
});

test("who approved and who denied, also where no person is named", () => {
  const said = items(eventLog(opened, evidence, diagnosed, [1500, "approval_requested", "guard", { action: "start", reason: "the mode is approve", command: "docker start payment-service" }], [1600, "denied", "operator:ada", { reason: "not now" }], [1700, "approved", "operator:dashboard", {}])).map((item) => `${item.head}: ${item.line}`);
  assert.deepEqual(said.slice(-3), ["Approval requested: To start payment-service. The mode is approve.", "Denied: By ada. Not now.", "Approved: By an operator on the dashboard."]);
  assert.deepEqual([who("operator:api"), who("operator:"), whoFirst("operator:api"), whoFirst("operator:ada"), whoFirst("llm:qwen3:4b"), whoFirst("runbook")], ["an operator through the API", "an operator", "An operator through the API", "ada", "qwen3:4b", "The runbook"]);
});

test("a replaced container is kept, and the command that removes it can be copied", () => {
  const of = items(eventLog(opened, started, [2500, "action_finished", "logstream", { attempt: 1, action: "rollback", ok: true, duration_ms: 480, kept_id: "0123456789abcdef", output: "done" }])).find((item) => item.head === "Rolled back");
  assert.equal(of.line, "The call took 0.5 s. The old container is kept, stopped, as 0123456789ab. When it is no longer needed, remove it:");
  assert.deepEqual([of.command, of.output], ["docker rm 0123456789ab", "done"]);
});

test("an undo is said as one, from its request to its end", () => {
  const events = eventLog([0, "opened", "operator:ada", { error: "an operator asked to undo attempt 1 of incident x1", check: "operator", undoes_incident: "x1", undoes: 1, first_bad: at(-5), kind: "service" }],
    [20, "action_started", "operator:ada", { attempt: 1, action: "rollback", undoes: 1 }], [700, "action_finished", "logstream", { attempt: 1, action: "rollback", ok: true, duration_ms: 600 }], [900, "verified", "logstream", { ok: true, observations: 0 }], [901, "resolved", "logstream", { how: "operator", ttr_ms: 901 }]);
  assert.deepEqual(items(events).map((item) => item.head), ["Undo of attempt 1 requested", "Undo of attempt 1", "Undone", "Verified", "Closed: undone"]);
  assert.equal(items(events)[3].line, "An inspection of the container verified the undo.");
  assert.equal(items(events)[4].line, "0.9 s after the request.");
});

test("an undo that failed is no failed repair", () => {
  const of = items(eventLog(opened, [20, "action_started", "operator:ada", { attempt: 2, action: "rollback", undoes: 1 }], [700, "action_finished", "logstream", { attempt: 2, action: "rollback", ok: false, error: "the container is gone" }])).at(-1);
  assert.deepEqual([of.head, of.line], ["Undo: failed", "The container is gone."]);
});

test("the incident of a fleet is of no one service", () => {
  const events = eventLog([0, "opened", "logstream", { error: "The observer is blind: 9 of 10 services failed within 5s while their containers run", check: "fleet", first_bad: at(-4000), kind: "fleet" }]);
  assert.deepEqual(items(events).map((item) => [item.head, item.line]), [["Incident opened", "The observer is blind: 9 of 10 services failed within 5s while their containers run."]]);
  assert.deepEqual([target({ kind: "fleet", service: "logstream" }), target({ service: "web" })], ["the services", "web"]);
});

test("an incident that waits for approval is not only on hold", () => {
  assert.deepEqual([ending({ state: "open", held: "approval", approval: {} }), ending({ state: "open", held: "deploy" }), ending({ state: "open", held: "observe" }), ending({ state: "open" })], ["Approval needed.", "On hold.", "Not repaired (mode observe).", "Not repaired yet."]);
  assert.equal(items(eventLog(opened, evidence, diagnosed, started, verified, resolved)).at(-1).head, "Repaired");
});

test("why a person is needed does not repeat the cause that stands before it", () => {
  const cause = "The container was killed by a command such as docker kill.";
  assert.equal(escalation({ cause, escalated_reason: `${cause} Start was denied by ada.` }), "Start was denied by ada.");
  assert.deepEqual([escalation({ cause, escalated_reason: "3 of 3 attempts failed." }), escalation({ cause, escalated_reason: cause }), escalation({})], ["3 of 3 attempts failed.", cause, ""]);
});

test("one dependent beside two that failed depends on its root", () => {
  const down = (name, held) => ({ name, status: "DOWN", held });
  assert.equal(statusLine([down("pay"), down("db"), down("stock", "dependency")], new Map([["stock", "db"]])).text, "pay and db are down, and so is stock, which depends on db");
});

test("an incident about an update does not say that a check failed", () => {
  const events = eventLog([0, "opened", "logstream", { error: "the new image answers with more errors than the one before", check: "update", first_bad: at(-5000), kind: "service" }]);
  assert.deepEqual(items(events).map((item) => [item.head, item.line]), [["Incident opened", "The new image answers with more errors than the one before."]]);
});
