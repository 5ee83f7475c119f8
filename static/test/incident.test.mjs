import assert from "node:assert/strict";
import { test } from "node:test";
import { incident, insert, whole } from "../js/incident.js";
import { downFor, lane, openLine, pick, STAYS } from "../js/lane.js";
import { outages } from "../js/series.js";
import { timeline } from "../js/timeline.js";
import { healedIn } from "../js/words.js";
import { at, consulted, diagnosed, evidence, finished, opened, opinion, resolved, row, started, T, eventLog, verified } from "./event_log.mjs";

const of = (list, more) => {
  const events = eventLog(...list);
  return incident(row(events, more), events);
};
const places = (list, ms = 3000, { row: more, ...rest } = {}) => lane(of(list, more), { now: T + ms, ...rest }).steps;
const shape = (steps) => steps.map((step) => `${step.head}:${step.is}`);

test("an incident stands where the server says", () => {
  const stage = (more, events = []) => incident({ id: "i1", service: "pay", state: "open", opened: at(0), ...more }, events).stage;
  for (const phase of ["detected", "evidence", "diagnosis", "approval", "action", "verification"]) assert.equal(stage({ phase }), phase);
  assert.equal(stage({ phase: "diagnosis", held: "cooldown" }), "held");
  assert.equal(stage({ phase: "approval", held: "approval" }), "approval");
  assert.equal(stage({ phase: "ended", state: "resolved" }), "resolved");
  assert.equal(stage({ phase: "ended", state: "escalated" }), "escalated");
  assert.equal(stage({}), "detected");
  assert.equal(stage({ phase: "evidence" }, eventLog(opened, evidence, diagnosed, started)), "evidence", "and not where its events would put it");
});

test("a lane has six places in the same order, whatever the tense", () => {
  const all = [opened, evidence, diagnosed, started, finished, verified, resolved];
  const keys = ["detected", "evidence", "diagnosis", "action", "verify", "ended"];
  for (let i = 1; i <= all.length; i++) assert.deepEqual(places(all.slice(0, i)).map((step) => step.key), keys, `${i} events`);
  assert.deepEqual(shape(places(all)), ["Detected:was", "Evidence:done", "Diagnosis:done", "Started:done", "Verified:done", "Repaired:healed"]);
  assert.deepEqual(shape(places(all.slice(0, 4))), ["Detected:first", "Evidence:done", "Diagnosis:done", "Starting:now", "Verify:todo", "Repaired:todo"]);
});

test("exactly one place is now while something is under way", () => {
  const all = [opened, evidence, diagnosed, started, finished];
  for (let i = 1; i <= all.length; i++) assert.equal(places(all.slice(0, i)).filter((step) => step.is === "now").length, 1, `${i} events`);
});

test("the time between two events stands on the line between them", () => {
  const took = places([opened, evidence, diagnosed, started, finished, verified, resolved]).map((step) => step.took);
  assert.deepEqual(took, ["10 ms", "4 ms", "1.5 s", "11 s", "1 ms", ""]);
});

test("a verification under way shows the server's progress, also before its events are known", () => {
  const progress = { good: 2, needed: 5 };
  const known = of([opened, evidence, diagnosed, started, finished], { progress });
  assert.deepEqual(known.attempts[0].progress, { good: 2, needed: 5, bad: false });
  for (const one of [known, incident(known.row, [])]) {
    const step = lane(one, { now: T + 5000 }).steps.find(({ key }) => key === "verify");
    assert.deepEqual([step.lines[0], step.ring], ["2 of 5 good checks in a row since the repair", 0.4]);
  }
  assert.equal(timeline(known).at(-1).line, "Verifying: 2 of 5 good checks so far");
});

test("a failed verification keeps its good checks, and an interrupted one is inconclusive", () => {
  const verdict = (data) => of([opened, evidence, diagnosed, started, finished, [5000, "verified", "logstream", { ok: false, ...data }]]).attempts[0].progress;
  assert.deepEqual(verdict({ outcome: "failed", observations: 2 }), { good: 2, needed: 5, bad: true });
  assert.equal(verdict({ outcome: "interrupted", observations: 2 }), null);
});

test("an interruption is known by its code, and not by its sentence", () => {
  const head = (data) => timeline(of([opened, evidence, diagnosed, started, finished, [5000, "verified", "logstream", { ok: false, ...data }]])).at(-1).head;
  assert.equal(head({ outcome: "interrupted", error: "The container was killed." }), "Attempt interrupted");
  assert.equal(head({ outcome: "failed", error: "interrupted: is a word of the service" }), "Verification failed");
});

test("a call that was never made is not one that failed", () => {
  const head = (outcome) => timeline(of([opened, evidence, diagnosed, started, [2500, "action_finished", "logstream", { action: "start", ok: false, outcome, error: "No such container." }]])).at(-1).head;
  assert.deepEqual(["refused", "not_executed"].map(head), ["Start: failed", "Start: not executed"]);
});

const bad = [8000, "verified", "logstream", { ok: false, outcome: "failed", observations: 1, error: "HTTP 500 again." }];

test("an attempt that failed keeps its place, and the next one takes the next", () => {
  const again = [9000, "action_started", "runbook", { attempt: 2, action: "restart", command: "docker restart payment-service", verify: 5 }];
  const steps = places([opened, evidence, diagnosed, started, finished, bad, evidence, diagnosed, again], 10000);
  assert.deepEqual(shape(steps), ["Detected:first", "Evidence:done", "Diagnosis:done", "Started:failed", "Restarting:now", "Verify:todo", "Repaired:todo"]);
  assert.equal(steps[3].lines[0], "HTTP 500 again.");
  assert.deepEqual(steps.map((step) => step.took).slice(0, 4), ["10 ms", "4 ms", "1.0 s", "7.0 s"]);
});

test("more than two attempts that failed fold into one place", () => {
  const failing = [1, 2, 3].flatMap((n) => [[n * 3000, "action_started", "runbook", { attempt: n, action: "start" }], [n * 3000 + 500, "action_finished", "logstream", { attempt: n, ok: false, outcome: "refused", error: "Refused." }]]);
  const steps = places([opened, evidence, diagnosed, ...failing, [12000, "escalated", "guard", { reason: "3 of 3 attempts failed." }]]);
  assert.deepEqual(shape(steps), ["Detected:first", "Evidence:done", "Diagnosis:done", "3 attempts failed:failed", "A person is needed:call", "Repaired:todo"]);
  assert.equal(steps[4].lines[0], "3 of 3 attempts failed.");
});

test("what is held says why where the action would stand, and what comes next", () => {
  const steps = places([opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "operator", reason: "Stopped again within 10 minutes: treated as intentional.", until: at(600e3) }]]);
  assert.equal(steps[3].is, "hold");
  assert.match(steps[3].lines[0], /^Stopped again within 10 minutes: treated as intentional\. Starting it at \d\d:\d\d:\d\d\.$/);
  assert.deepEqual(shape(steps.slice(3, 5)), ["On hold:hold", "Start:todo"], "the action has its own place after the hold");
  assert.match(places([opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "cooldown", until: at(31e3) }]])[3].lines[0], /Starting it in 28 s\.$/);
  const bare = places([opened, [2000, "suppressed", "guard", { gate: "cooldown" }]]);
  assert.equal(bare[3].lines[0], "The last repair failed, and its cooldown has not ended.");
});

test("a pause of a moment is no hold", () => {
  const one = of([opened, evidence, diagnosed, [1016, "suppressed", "guard", { gate: "deploy", reason: "It was stopped a moment ago.", until: at(2016) }]]);
  assert.equal(one.stage, "pause");
  const model = lane(one, { now: T + 1500 });
  assert.equal(model.pill.text, "Open");
  assert.deepEqual(shape(model.steps.slice(3, 5)), ["Waiting 1 s:now", "Start:todo"]);
  assert.equal(model.steps[3].ring, 0.484);
});

test("what held a repair keeps its place once it is over", () => {
  const pause = [1016, "suppressed", "guard", { gate: "deploy", reason: "it was stopped a moment ago", until: at(2000) }];
  const steps = places([opened, evidence, diagnosed, pause, started, finished, verified, resolved]);
  assert.deepEqual(shape(steps), ["Detected:was", "Evidence:done", "Diagnosis:done", "Waited:done", "Started:done", "Verified:done", "Repaired:healed"]);
  assert.deepEqual([steps[3].lines[0], steps[3].by], ["It was stopped a moment ago.", "For 1.0 s"]);
  const twice = places([opened, evidence, diagnosed, pause, started, [2500, "action_finished", "logstream", { attempt: 1, ok: false, error: "no" }], [2600, "suppressed", "guard", { gate: "cooldown", reason: "Wait.", until: at(32600) }], [33000, "action_started", "runbook", { ...started[3], attempt: 2 }]]);
  assert.deepEqual(shape(twice.slice(3, 7)), ["Waited:done", "Start: failed:failed", "Was on hold:done", "Starting:now"], "each before the attempt that it held");
});

test("of several gates the lane names the one that held longest, and where room is short the longest hold stays", () => {
  const operator = [1016, "suppressed", "guard", { gate: "hold", reason: "the database moves" }];
  const pause = [60000, "suppressed", "guard", { gate: "deploy", reason: "it was stopped a moment ago", until: at(61000) }];
  const begun = (ms, attempt) => [ms, "action_started", "runbook", { ...started[3], attempt }];
  const bad = (ms, attempt) => [ms, "action_finished", "logstream", { attempt, ok: false, error: "no" }];
  const one = places([opened, evidence, diagnosed, operator, pause, begun(61500, 1), [62000, ...finished.slice(1)]], 63000);
  assert.deepEqual([shape(one.slice(3, 5)), one[3].lines[0], one[3].by], [["Was on hold:done", "Started:done"], "The database moves.", "For 1 min"]);
  const cooldown = [70000, "suppressed", "guard", { gate: "cooldown", reason: "Wait.", until: at(100000) }];
  const two = places([opened, evidence, diagnosed, operator, begun(61500, 1), bad(62000, 1), cooldown, begun(100000, 2), bad(101000, 2), [101001, "escalated", "logstream", { reason: "No." }]], 102000);
  assert.deepEqual(shape(two.slice(3, -2)), ["Was on hold:done", "Start: failed:failed", "Was on hold:done", "Start: failed:failed"]);
  const short = places([opened, evidence, diagnosed, operator, begun(61500, 1), bad(62000, 1), cooldown, begun(100000, 2), bad(101000, 2), pause, begun(102000, 3)], 103000);
  assert.deepEqual(shape(short.slice(3, -2)), ["Was on hold:done", "Start: failed:failed", "Start: failed:failed", "Starting:now"]);
  const many = places([opened, evidence, diagnosed, operator, begun(61500, 1), bad(62000, 1), begun(63000, 2), bad(63100, 2), begun(64000, 3), bad(64100, 3), cooldown, begun(100000, 4)], 103000);
  assert.deepEqual(shape(many.slice(3, -2)), ["3 attempts failed:failed", "Was on hold:done", "Starting:now"]);
  const alone = places([opened, evidence, diagnosed, operator, [61500, "resolved", "logstream", { ...resolved[3], how: "recovered" }]], 62000);
  assert.deepEqual(shape(alone.slice(3, -2)), ["Was on hold:done", "No action:done"]);
});

test("in observe mode the place says what would be done", () => {
  const steps = places([opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "observe", reason: "The mode is observe." }]], 3000, { mode: "observe" });
  assert.equal(steps[3].head, "Would start it");
  assert.equal(steps[3].command, "docker start payment-service");
});

test("a decision to wait is shown as no repair, and not as an action to come", () => {
  const waits = [1014, "diagnosed", "runbook", { ...diagnosed[3], action: "none", command: "" }];
  const deciding = places([opened, evidence, waits]);
  assert.deepEqual([shape(deciding.slice(3, 5)), deciding[3].lines], [["Waiting:now", "Verify:todo"], ["No repair now: LogStream waits until a fact changes."]]);
  for (const mode of ["auto", "observe"]) {
    const held = places([opened, evidence, waits, [2000, "suppressed", "guard", { gate: "none", reason: "the network is at fault" }]], 3000, { mode });
    assert.deepEqual([shape(held.slice(3, 5)), held[3].lines], [["On hold:hold", "Verify:todo"], ["The network is at fault."]], mode);
  }
  const until = (ms) => places([opened, evidence, waits, [2000, "suppressed", "guard", { gate: "deploy", reason: "it was stopped a moment ago", until: at(2000 + ms) }]], 2500);
  assert.deepEqual([shape(until(1000).slice(3, 5)), shape(until(60e3).slice(3, 5))], [["Waiting 1 s:now", "Verify:todo"], ["On hold:hold", "Verify:todo"]]);
  assert.equal(until(60e3)[3].lines[0], "It was stopped a moment ago. Decided again in 1 min.");
});

test("where no command could be typed the action is named, and no command line is made up", () => {
  const bare = [2000, "action_started", "runbook", { ...started[3], command: "" }];
  for (const list of [[opened, evidence, diagnosed, bare], [opened, evidence, diagnosed, bare, finished], [opened, evidence, [1014, "diagnosed", "runbook", { ...diagnosed[3], command: "" }]]]) {
    const step = places(list)[3];
    assert.deepEqual([step.command, step.lines[0]], ["", "start payment-service"], step.head);
  }
  assert.equal(timeline(of([opened, evidence, diagnosed, bare])).at(-1).line, "start payment-service");
});

test("an incident that ended by itself is not shown as repaired", () => {
  const model = lane(of([opened, evidence, diagnosed, [9000, "resolved", "logstream", { how: "recovered", attempts: 0, ttr_ms: 9000, down_ms: 2000 }]]), { now: T + 10000 });
  assert.equal(model.pill.text, "Recovered");
  assert.deepEqual(shape(model.steps).slice(3), ["No action:done", "Verified:done", "Recovered:healed"]);
  assert.equal(model.clock.figure, "2.0 s");
});

test("an incident that was closed has nothing verified, and no time down where it never was", () => {
  const ends = (of) => lane(of, { now: T + 700e3, service: answers }).steps.slice(3).map((step) => [step.head, ...step.lines]);
  const how = { how: "operator", attempts: 0, ttr_ms: 9000, down_ms: 9000 };
  const closed = ["Closed", "Closed by an operator, or because the service was removed."];
  const denied = ofAGoodOne("proposal", { state: "resolved", phase: "ended", held: "", approval: null, ...how, resolved: at(9000), down_ms: 0 });
  assert.deepEqual(ends(denied), [["No action"], closed]);
  const over = [9000, "resolved", "logstream", how];
  assert.deepEqual(ends(of([opened, evidence, diagnosed, over])), [["No action"], [...closed, "Down for 9.0 s"]]);
  assert.deepEqual(ends(of([opened, evidence, diagnosed, started, finished, over])).map(([head]) => head), ["Started", "Closed"]);
  assert.deepEqual(ends(of([opened, evidence, diagnosed, started, finished, verified, over])).map(([head]) => head), ["Started", "Verified", "Closed"], "an undo is verified");
});

test("the clock counts while it is down, and stops where it came back", () => {
  const acting = of([opened, evidence, diagnosed, started]);
  assert.equal(lane(acting, { now: T + 9000, service: { status: "DOWN" } }).clock.figure, "9 s");
  const verifying = of([opened, evidence, diagnosed, started, finished]);
  assert.equal(lane(verifying, { now: T + 9000, service: { status: "UP", since: at(2600) } }).clock.figure, "2.6 s");
  assert.equal(lane(verifying, { now: T + 9000, service: { status: "UP", since: at(-60e3) } }).clock.figure, "9 s", "up since before it is not up yet");
});

// An incident about a service that answers: its repair was requested, or its image is worse than the one before.
const ofAGoodOne = (check, row = {}, more = []) => incident({ id: "i1", service: "pay", state: "open", opened: at(0), first_bad: at(0), phase: "approval", held: "approval", approval: {}, attempts: 0, cause: "It is odd.", ...row },
  [{ seq: 1, type: "opened", time: at(0), by: check === "proposal" ? "mcp:claude" : "operator:ada", data: { check, action: "restart", error: "it was requested", ...(check === "proposal" && { proposed: { action: "restart" } }) } }, ...more]);
const answers = { status: "UP", since: at(-3600e3) };

test("a service that answers while its incident is open is not called down, wherever that is said", () => {
  for (const [check, head, by] of [["proposal", "Proposed", "By claude"], ["operator", "Requested", "By ada"], ["update", "Detected", "Compared with the previous image"]]) {
    const open = ofAGoodOne(check);
    assert.deepEqual(downFor(open, answers, T + 600e3), { ms: 0, until: T, never: true }, check);
    assert.deepEqual(lane(open, { now: T + 600e3, service: answers }).clock, { head: "Open for", figure: "10 min", rest: "; the service is up" }, check);
    assert.equal(openLine(open, answers, T + 600e3), "Open for 10 min; the service is up", check);
    const [first] = lane(open, { now: T + 600e3, service: answers }).steps;
    assert.deepEqual([first.head, first.is, first.by], [head, "was", by], check);
  }
  const denied = ofAGoodOne("proposal", { state: "resolved", phase: "ended", held: "", approval: null, how: "operator", resolved: at(600e3), down_ms: 0, ttr_ms: 600e3 });
  assert.deepEqual(lane(denied, { now: T + 700e3, service: answers }).clock, { head: "Was open for", figure: "10 min", rest: "; the service was never down" });
  assert.equal(downFor(ofAGoodOne("http"), answers, T + 5000).until, null, "the record of an outage may come before that of its service");
});

test("it is down from its repair on, and not since the request", () => {
  const acted = [{ seq: 2, type: "action_started", time: at(600e3), by: "mcp:claude", data: { attempt: 1, action: "restart", verify: 3 } }, { seq: 3, type: "action_finished", time: at(600500), data: { attempt: 1, ok: true } }];
  const open = ofAGoodOne("proposal", { phase: "verification", held: "", approval: null, attempts: 1, progress: { good: 1, needed: 3 } }, acted);
  assert.match(openLine(open, { status: "DOWN", first_bad: at(600100) }, T + 601e3), /^Down for 1 s, since [0-9:]+$/);
  assert.equal(downFor(open, { status: "UP", since: at(601500) }, T + 605e3).ms, 1500);
  const row = { service: "pay", state: "resolved", how: "healed", opened: at(0), first_bad: at(0), acted: at(600e3), resolved: at(611e3), down_ms: 1500, ttr_ms: 611e3, attempts: 1, action: "restart" };
  assert.equal(healedIn(row), "Down for 1.5 s, then verified for 9.5 s");
  assert.equal(lane(ofAGoodOne("proposal", row, acted), { now: T + 612e3, service: answers }).clock.rest, ", then verified for 9.5 s");
  assert.equal(timeline(ofAGoodOne("proposal", row, [...acted, { seq: 4, type: "resolved", time: at(611e3), by: "logstream", data: { how: "healed", ttr_ms: 611e3 } }])).at(-1).line, "10 min 11 s after the request.");
  assert.deepEqual(outages([row], "pay", T + 612e3).map((o) => [o.from - T, o.back - T]), [[600e3, 601500]], "the chart marks it there");
  const late = ofAGoodOne("operator", { phase: "evidence", held: "" });
  assert.equal(downFor(late, { status: "DOWN", first_bad: at(300e3) }, T + 301e3).ms, 1000, "it failed while the request waited");
  const failing = ofAGoodOne("operator", { first_bad: at(-9000), phase: "evidence", held: "" });
  assert.equal(downFor(failing, { status: "DOWN", first_bad: at(-9000) }, T + 1000).ms, 10000, "requested while it was down");
  const end = { seq: 2, type: "resolved", time: at(5000), by: "logstream", data: { how: "healed", ttr_ms: 14000 } };
  assert.equal(timeline(ofAGoodOne("operator", { first_bad: at(-9000) }, [end])).at(-1).line, "14 s after the first failed check.", "its times count from there, and not from the request");
});

test("an incident of which only the row is known has its lane, and exactly one place is current while it is open", () => {
  for (const more of [{ phase: "detected" }, { phase: "evidence" }, { phase: "diagnosis", cause: "x", action: "start" }, { phase: "action", cause: "x", action: "start" }, { phase: "verification", cause: "x", action: "start", progress: { good: 1, needed: 5 } }, { phase: "diagnosis", held: "operator" }, { phase: "approval", held: "approval" }, { phase: "ended", state: "escalated" }, { phase: "ended", state: "resolved", resolved: at(5000) }]) {
    const { steps } = lane(incident({ id: "i1", service: "pay", state: "open", opened: at(0), ...more }, []), { now: T + 9000 });
    assert.equal(steps.length, 6);
    const current = steps.filter((step) => ["now", "hold", "wait", "call"].includes(step.is)).length;
    assert.equal(current, more.state === "resolved" ? 0 : 1, JSON.stringify(more));
  }
});

test("events with nothing in them break nothing", () => {
  const types = ["opened", "evidence", "diagnosed", "approval_requested", "approved", "denied", "action_started", "action_finished", "verified", "resolved", "escalated", "suppressed", "reported", "later"];
  for (const data of [{}, null, undefined]) {
    for (const type of types) {
      const one = of([[0, type, "logstream", data]]);
      lane(one, { now: T });
      timeline(one);
    }
  }
});

test("the timeline says the time between its steps", () => {
  const items = timeline(of([opened, evidence, diagnosed, started, finished, verified, resolved]));
  assert.deepEqual(items.map((item) => item.head), ["First failed check", "Incident opened", "Evidence collected", "Diagnosed", "Starting", "Started", "Verified", "Repaired"]);
  assert.deepEqual(items.map((item) => item.took), ["", "1.0 s", "10 ms", "4 ms", "1.0 s", "0.5 s", "11 s", "1 ms"]);
  assert.equal(items[4].command, "docker start payment-service");
});

test("the lane goes to what needs it most", () => {
  const one = (id, stage, more = {}) => ({ stage, events: [1], row: { id, opened: at(0), ...more } });
  const { first, lines, more } = pick([one("a", "escalated"), one("b", "held"), one("c", "verification"), one("d", "action"), one("e", "approval"), one("f", "action", { opened: at(-5) })], T);
  assert.equal(first.row.id, "e");
  assert.deepEqual(lines.map((t) => t.row.id), ["a", "f", "d"], "of the lines what needs a person is first");
  assert.equal(more, 2);
});

test("the lane of an incident that ended stays a minute", () => {
  const over = of([opened, evidence, diagnosed, started, finished, verified, resolved]);
  assert.equal(pick([over], T + 13001 + STAYS - 1).first, over);
  assert.equal(pick([over], T + 13001 + STAYS + 1).first, null);
});

test("events are in order, once each, and whole without a gap", () => {
  const [a, b, c] = eventLog(opened, evidence, diagnosed);
  const list = [c, a, c, b].reduce(insert, []);
  assert.deepEqual(list, [a, b, c]);
  assert.ok(whole(list));
  assert.ok(!whole([a, c]));
  assert.ok(!whole([]));
});

const thinks = (more = {}) => ({ text: "", done: false, since: T + 1020, model: "qwen3:4b", ...more });
const queried = (list, thinking) => {
  const events = eventLog(...list);
  return incident(row(events), events, thinking);
};

test("a query is open after the evidence, until the diagnosis", () => {
  assert.ok(queried([opened, evidence], thinks()).query);
  assert.equal(queried([opened, evidence], thinks({ done: true })).query, null);
  assert.equal(queried([opened, evidence], null).query, null);
  for (const after of [[diagnosed], [diagnosed, started], [diagnosed, started, finished], [[2000, "resolved", "logstream", { how: "recovered" }]]]) assert.equal(queried([opened, evidence, ...after], thinks({ since: T + 1012 })).query, null);
  assert.ok(queried([opened, evidence, diagnosed], thinks({ since: T + 5000 })).query, "and queried once more");
});

test("the lane says that the model is queried, and that the time was the model's", () => {
  const { steps } = lane(queried([opened, evidence], thinks()), { now: T + 5020 });
  assert.deepEqual(shape(steps).slice(0, 4), ["Detected:first", "Evidence:done", "Diagnosing:now", "Act:todo"]);
  assert.equal(steps[2].lines[0], "Querying qwen3:4b, 4 s so far.");
  assert.equal(steps[1].took, "4 s, the model");
  const over = places([opened, evidence, consulted("llm:qwen3:4b", { model: opinion("start") }), started], 9000);
  assert.deepEqual(over.map((step) => step.took).slice(0, 2), ["10 ms", "6.1 s, the model"]);
  assert.equal(over[2].by, "qwen3:4b, confidence 90%. The runbook agrees.");
  assert.equal(places([opened, evidence, diagnosed])[1].took, "4 ms");
  assert.equal(places([opened, evidence, consulted("runbook", { prompt: "", invalid: "Ollama does not have the model x.", invalid_code: "missing_model" })])[1].took, "6.1 s");
});

test("queried again after an attempt that failed, the current place says so", () => {
  for (const more of [[evidence], [evidence, [8100, ...diagnosed.slice(1)]]]) {
    const { steps } = lane(queried([opened, evidence, diagnosed, started, finished, bad, ...more], thinks({ since: T + 9000 })), { now: T + 11000 });
    assert.equal(steps.filter((step) => step.is === "now").length, 1);
    assert.deepEqual([steps[4].head, steps[4].lines[0]], ["Diagnosing again", "Querying qwen3:4b, 2 s so far."]);
  }
});

test("the timeline says whose time it was", () => {
  const took = (by, more) => timeline(of([opened, evidence, consulted(by, more)]))[3].took;
  assert.equal(took("llm:qwen3:4b", { model: opinion("start") }), "6.1 s, querying qwen3:4b");
  assert.equal(took("runbook", { invalid_code: "late" }), "6.1 s, querying the model");
  assert.equal(took("runbook", { prompt: "" }), "6.1 s");
  assert.equal(timeline(queried([opened, evidence], thinks()), T + 4020).at(-1).line, "Querying qwen3:4b, 3 s so far.");
});

test("a note of an operator stands at its time, and is no step", () => {
  const steps = [opened, evidence, diagnosed, started];
  const notes = [{ id: "n1", time: at(1), by: "operator:ada", text: "Disk ordered.\n<b>Back</b> at noon." }, { id: "n2", time: at(99_000), by: "operator:dashboard", text: "Back." }];
  const without = timeline(of(steps));
  const items = timeline(of(steps, { notes }));
  assert.deepEqual(items.filter((item) => !item.key.startsWith("note-")), without, "the steps and the time between them stay");
  const [first, last] = items.filter((item) => item.key.startsWith("note-"));
  assert.deepEqual([first.head, first.line, first.text, first.took], ["Note", "By ada.", "Disk ordered.\n<b>Back</b> at noon.", ""]);
  assert.ok(items.indexOf(first) < items.length - 2 && items.at(-1) === last);
  assert.equal(last.line, "By an operator on the dashboard.");
});
