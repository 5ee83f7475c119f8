import assert from "node:assert/strict";
import { test } from "node:test";
import { insert, rowAfter, story, whole } from "../js/incident.js";
import { lane, pick, STAYS } from "../js/lane.js";
import { timeline } from "../js/timeline.js";
import { at, checks, consulted, diagnosed, evidence, finished, opened, opinion, resolved, started, T, tape, verified } from "./tape.mjs";

const row = (events) => events.reduce(rowAfter, {});
const told = (list, records = []) => {
  const events = tape(...list);
  return story(row(events), events, records);
};
const places = (list, records, ms = 3000, more = {}) => lane(told(list, records), { now: T + ms, ...more }).steps;
const shape = (steps) => steps.map((step) => `${step.head}:${step.is}`);

test("the phases follow the log", () => {
  const all = [opened, evidence, diagnosed, started, finished, verified, resolved];
  const phases = all.map((_, i) => told(all.slice(0, i + 1)).phase);
  assert.deepEqual(phases, ["detected", "evidence", "diagnosed", "acting", "verifying", "verifying", "resolved"]);
});

test("a repair counts as one until its verification says no", () => {
  const of = (...list) => row(tape(...list)).mended;
  assert.ok(!of(opened, evidence, diagnosed, started));
  assert.ok(of(opened, started, finished));
  assert.ok(!of(opened, started, finished, [8000, "verified", "logstream", { ok: false }]));
  assert.ok(!of(opened, started, [2500, "action_finished", "logstream", { ok: false, error: "refused" }]));
});

test("a lane has six places in the same order, whatever the tense", () => {
  const all = [opened, evidence, diagnosed, started, finished, verified, resolved];
  const keys = ["detected", "evidence", "diagnosis", "action", "verify", "healed"];
  for (let i = 1; i <= all.length; i++) assert.deepEqual(places(all.slice(0, i)).map((step) => step.key), keys, `${i} events`);
  assert.deepEqual(shape(places(all)), ["Detected:first", "Evidence:done", "Diagnosis:done", "Started:done", "Verified:done", "Healed:healed"]);
  assert.deepEqual(shape(places(all.slice(0, 4))), ["Detected:first", "Evidence:done", "Diagnosis:done", "Starting:now", "Verify:todo", "Healed:todo"]);
});

test("exactly one place is now while something is under way", () => {
  const all = [opened, evidence, diagnosed, started, finished];
  for (let i = 1; i <= all.length; i++) assert.equal(places(all.slice(0, i)).filter((step) => step.is === "now").length, 1, `${i} events`);
});

test("the time between two events stands on the line between them", () => {
  const took = places([opened, evidence, diagnosed, started, finished, verified, resolved]).map((step) => step.took);
  assert.deepEqual(took, ["10 ms", "4 ms", "1.5 s", "11 s", "1 ms", ""]);
});

test("pips are the schedule's own checks that began after the action", () => {
  const { pips } = told([opened, evidence, diagnosed, started, finished], [...checks(2400, 2600, 4600), { ...checks(3000)[0], extra: true }, { ...checks(3100)[0], check: "container" }, { ...checks(3200)[0], instance: "someone" }]).attempts[0];
  assert.deepEqual(pips, { good: 2, of: 5, bad: false });
});

test("a bad check makes the row start anew", () => {
  const records = checks(2600, 4600, "D6600");
  assert.deepEqual(told([opened, started, finished], records).attempts[0].pips, { good: 0, of: 5, bad: true });
  assert.deepEqual(told([opened, started, finished], [...records, ...checks(8600)]).attempts[0].pips, { good: 1, of: 5, bad: false });
});

test("the checks of an attempt end with its verdict, and an interruption is no bad check", () => {
  const second = [7000, "action_started", "runbook", { attempt: 2, action: "start", verify: 5 }];
  const of = (error) => told([opened, started, finished, [5000, "verified", "logstream", { ok: false, error }], second, [7100, "action_finished", "logstream", { attempt: 2, ok: true }]], checks(2600, 4600, 6600, 8600)).attempts.map((attempt) => attempt.pips);
  assert.deepEqual(of("HTTP 500 again"), [{ good: 2, of: 5, bad: true }, { good: 1, of: 5, bad: false }]);
  assert.deepEqual(of("interrupted: somebody else did something to it: kill")[0], { good: 2, of: 5, bad: false });
});

test("an attempt that did not hold keeps its place, and the next one takes the next", () => {
  const bad = [8000, "verified", "logstream", { ok: false, observations: 1, error: "HTTP 500 again" }];
  const again = [9000, "action_started", "runbook", { attempt: 2, action: "restart", command: "docker restart payment-service", verify: 5 }];
  const steps = places([opened, evidence, diagnosed, started, finished, bad, evidence, diagnosed, again], [], 10000);
  assert.deepEqual(shape(steps), ["Detected:first", "Evidence:done", "Diagnosis:done", "Started:failed", "Restarting:now", "Verify:todo", "Healed:todo"]);
  assert.equal(steps[3].lines[0], "Attempt 1: HTTP 500 again");
  assert.deepEqual(steps.map((step) => step.took).slice(0, 4), ["10 ms", "4 ms", "1.0 s", "7.0 s"]);
});

test("more than two attempts that did not hold fold into one place", () => {
  const failing = [1, 2, 3].flatMap((n) => [[n * 3000, "action_started", "runbook", { attempt: n, action: "start" }], [n * 3000 + 500, "action_finished", "logstream", { attempt: n, ok: false, error: "refused" }]]);
  const steps = places([opened, evidence, diagnosed, ...failing, [12000, "escalated", "guard", { reason: "three attempts did not hold" }]]);
  assert.deepEqual(shape(steps), ["Detected:first", "Evidence:done", "Diagnosis:done", "Did not hold:failed", "A person is needed:call", "Healed:todo"]);
});

test("what is held says why where the action would stand, and when it is looked at again", () => {
  const steps = places([opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "operator", reason: "a person stopped it twice", until: at(600e3) }]]);
  assert.equal(steps[3].is, "hold");
  assert.match(steps[3].lines[0], /^A person stopped it twice\. Looked at again at /);
  const bare = places([opened, [2000, "suppressed", "guard", { gate: "cooldown" }]]);
  assert.match(bare[3].lines[0], /The last repair did not hold/i);
});

test("a pause of a moment is no hold", () => {
  const one = told([opened, evidence, diagnosed, [1016, "suppressed", "guard", { gate: "deploy", reason: "it was stopped a moment ago", until: at(2016) }]]);
  assert.equal(one.phase, "grace");
  const model = lane(one, { now: T + 1500 });
  assert.equal(model.pill.text, "Open");
  assert.deepEqual([model.steps[3].head, model.steps[3].is], ["Waiting a moment", "now"]);
});

test("in observe mode the place says what would be done", () => {
  const steps = places([opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "observe", reason: "the mode is observe" }]], [], 3000, { mode: "observe" });
  assert.equal(steps[3].head, "Would start");
  assert.equal(steps[3].command, "docker start payment-service");
});

test("an incident that ended by itself was not healed by anybody", () => {
  const model = lane(told([opened, evidence, diagnosed, [9000, "resolved", "logstream", { how: "recovered", attempts: 0, ttr_ms: 9000, down_ms: 2000 }]]), { now: T + 10000 });
  assert.equal(model.pill.text, "Recovered");
  assert.deepEqual(shape(model.steps).slice(3), ["No action:done", "Verified:done", "Recovered:healed"]);
  assert.equal(model.clock.figure, "2.0 s");
});

test("the clock counts while it is down, and stops where it came back", () => {
  const acting = told([opened, evidence, diagnosed, started]);
  assert.equal(lane(acting, { now: T + 9000, service: { status: "DOWN" } }).clock.figure, "9 s");
  const verifying = told([opened, evidence, diagnosed, started, finished]);
  assert.equal(lane(verifying, { now: T + 9000, service: { status: "UP", since: at(2600) } }).clock.figure, "2.6 s");
  assert.equal(lane(verifying, { now: T + 9000, service: { status: "UP", since: at(-60e3) } }).clock.figure, "9 s", "up since before it is not up yet");
});

test("an incident of which only the row is known still has its lane", () => {
  for (const [more, phase] of [[{}, "detected"], [{ cause: "x" }, "diagnosed"], [{ held: "operator" }, "held"], [{ held: "approval" }, "waiting"], [{ state: "escalated" }, "escalated"], [{ state: "resolved", resolved: at(5000) }, "resolved"]]) {
    const one = story({ id: "i1", service: "pay", state: "open", opened: at(0), ...more }, []);
    assert.equal(one.phase, phase);
    assert.equal(lane(one, { now: T + 9000 }).steps.length, 6);
  }
});

test("events with nothing in them break nothing", () => {
  const types = ["opened", "evidence", "diagnosed", "approval_requested", "approved", "denied", "action_started", "action_finished", "verified", "resolved", "escalated", "suppressed", "reported", "later"];
  for (const data of [{}, null, undefined]) {
    for (const type of types) {
      const one = told([[0, type, "logstream", data]]);
      lane(one, { now: T });
      timeline(one);
    }
  }
});

test("the timeline says the time between its steps", () => {
  const items = timeline(told([opened, evidence, diagnosed, started, finished, verified, resolved]));
  assert.deepEqual(items.map((item) => item.head), ["First failed check", "Incident opened", "Evidence taken", "Diagnosed", "Starting", "Started", "Verified", "Healed"]);
  assert.deepEqual(items.map((item) => item.took), ["", "1.0 s", "10 ms", "4 ms", "1.0 s", "0.5 s", "11 s", "1 ms"]);
  assert.equal(items[4].command, "docker start payment-service");
});

test("the lane goes to what needs it most", () => {
  const one = (id, phase, more = {}) => ({ phase, events: [1], row: { id, opened: at(0), ...more } });
  const { first, lines, more } = pick([one("a", "escalated"), one("b", "held"), one("c", "verifying"), one("d", "acting"), one("e", "waiting"), one("f", "acting", { opened: at(-5) })], T);
  assert.equal(first.row.id, "e");
  assert.deepEqual(lines.map((t) => t.row.id), ["f", "d", "c"]);
  assert.equal(more, 2);
});

test("a healed lane stays a minute", () => {
  const healed = told([opened, evidence, diagnosed, started, finished, verified, resolved]);
  assert.equal(pick([healed], T + 13001 + STAYS - 1).first, healed);
  assert.equal(pick([healed], T + 13001 + STAYS + 1).first, null);
});

test("events are in order, once each, and whole without a gap", () => {
  const [a, b, c] = tape(opened, evidence, diagnosed);
  const list = [c, a, c, b].reduce(insert, []);
  assert.deepEqual(list, [a, b, c]);
  assert.ok(whole(list));
  assert.ok(!whole([a, c]));
  assert.ok(!whole([]));
});

const thinks = (more = {}) => ({ text: "", done: false, since: T + 1020, model: "qwen3:4b", ...more });
const asked = (list, thinking) => {
  const events = tape(...list);
  return story(row(events), events, [], thinking);
};

test("a question is open after the evidence, until the diagnosis", () => {
  assert.ok(asked([opened, evidence], thinks()).asking);
  assert.equal(asked([opened, evidence], thinks({ done: true })).asking, null);
  assert.equal(asked([opened, evidence], null).asking, null);
  for (const after of [[diagnosed], [diagnosed, started], [diagnosed, started, finished], [[2000, "resolved", "logstream", { how: "recovered" }]]]) assert.equal(asked([opened, evidence, ...after], thinks({ since: T + 1012 })).asking, null);
  assert.ok(asked([opened, evidence, diagnosed], thinks({ since: T + 5000 })).asking, "and asked once more");
});

test("the lane says that the model is asked, and that the time was the model's", () => {
  const { steps } = lane(asked([opened, evidence], thinks()), { now: T + 5020 });
  assert.deepEqual(shape(steps).slice(0, 4), ["Detected:first", "Evidence:done", "Diagnosing:now", "Act:todo"]);
  assert.equal(steps[2].lines[0], "Asking qwen3:4b, 4 s so far.");
  assert.equal(steps[1].took, "4 s, the model");
  const over = places([opened, evidence, consulted("llm:qwen3:4b", { model: opinion("start") }), started], [], 9000);
  assert.deepEqual(over.map((step) => step.took).slice(0, 2), ["10 ms", "6.1 s, the model"]);
  assert.match(over[2].by, /^qwen3:4b, sure to 0\.97\. The runbook agrees\.$/);
  assert.equal(places([opened, evidence, diagnosed])[1].took, "4 ms");
  assert.equal(places([opened, evidence, consulted("runbook", { prompt: "", invalid: "Ollama has no model x: ollama pull x" })])[1].took, "6.1 s");
});

test("asked again after an attempt that did not hold, the current place says so", () => {
  const bad = [8000, "verified", "logstream", { ok: false, error: "HTTP 500 again" }];
  for (const more of [[evidence], [evidence, [8100, ...diagnosed.slice(1)]]]) {
    const { steps } = lane(asked([opened, evidence, diagnosed, started, finished, bad, ...more], thinks({ since: T + 9000 })), { now: T + 11000 });
    assert.equal(steps.filter((step) => step.is === "now").length, 1);
    assert.deepEqual([steps[4].head, steps[4].lines[0]], ["Diagnosing again", "Asking qwen3:4b, 2 s so far."]);
  }
});

test("the timeline says whose time it was", () => {
  const of = (by, more) => timeline(told([opened, evidence, consulted(by, more)]))[3].took;
  assert.equal(of("llm:qwen3:4b", { model: opinion("start") }), "6.1 s, asking qwen3:4b");
  assert.equal(of("runbook", { invalid: "it did not answer within 6s" }), "6.1 s, asking the model");
  assert.equal(of("runbook", { prompt: "" }), "6.1 s");
  assert.equal(timeline(asked([opened, evidence], thinks()), T + 4020).at(-1).line, "Asking qwen3:4b, 3 s so far.");
});
