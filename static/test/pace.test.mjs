import assert from "node:assert/strict";
import { test } from "node:test";
import { all, drawn, due, HOLD, idle, push, take } from "../js/pace.js";

const event = (id, phase, more = {}) => ({ kind: "incident", data: { id, state: "open", incident: { phase, held: "" }, ...more } });
const agent = (state) => ({ kind: "agent", data: { state } });
const frame = (seq, ...events) => ({ type: "events", seq, events });

// Runs the queue as the page does: draws whenever something is due. Gives the phases that were shown, and when.
function play(arrivals, until = 10_000) {
  let queue = idle();
  const shown = [];
  const coming = [...arrivals];
  for (let now = 0; now <= until; now++) {
    while (coming.length && coming[0][0] <= now) queue = push(queue, coming.shift()[1], now);
    if (due(queue) === null || due(queue) > now) continue;
    const taken = take(queue, now);
    queue = taken.queue;
    for (const one of taken.frames) for (const { kind, data } of one.events) if (kind === "incident") shown.push({ id: data.id, phase: data.incident.phase, at: now });
  }
  return shown;
}

test("a repair of ten milliseconds is seen, each stage for its time and in order", () => {
  const shown = play([[1000, frame(1, event("a", "detected"))], [1004, frame(2, event("a", "evidence"), event("a", "diagnosis"))], [1010, frame(3, event("a", "action"), event("a", "verification"))]]);
  assert.deepEqual(shown.map((s) => s.phase), ["detected", "evidence", "diagnosis", "action", "verification"]);
  assert.equal(shown[0].at, 1000, "the first at once");
  for (let i = 1; i < shown.length; i++) assert.equal(shown[i].at - shown[i - 1].at, HOLD);
});

test("what came after a stage waits with it, so that no place is ahead of another", () => {
  let queue = push(idle(), frame(1, event("a", "action"), agent("FIXING"), event("a", "verification"), agent("VERIFYING")), 0);
  queue = push(queue, frame(2, { kind: "service", data: { name: "web", status: "UP" } }), 10);
  let taken = take(queue, 20);
  assert.deepEqual(taken.frames.flatMap((one) => one.events.map((e) => e.kind)), ["incident", "agent"]);
  assert.equal(due(taken.queue), 20 + HOLD);
  taken = take(taken.queue, 20 + HOLD);
  assert.deepEqual(taken.frames.map((one) => [one.seq, one.part]), [[1, true], [2, false]]);
  assert.equal(due(taken.queue), null);
});

test("a stage is shown from the picture on that has it, however long that takes to draw", () => {
  let queue = take(push(idle(), frame(1, event("a", "detected"), event("a", "evidence")), 0), 0).queue;
  queue = drawn(queue, 60);
  assert.equal(due(queue), 60 + HOLD);
  assert.equal(drawn(queue, 200), queue, "a later picture of the same stage changes nothing");
  assert.equal(take(queue, 59 + HOLD).frames.length, 0);
  assert.equal(take(queue, 60 + HOLD).frames.length, 1);
});

test("nothing is shown more than two seconds late", () => {
  const phases = ["evidence", "diagnosis", "action", "verification"];
  const shown = play(Array.from({ length: 40 }, (_, i) => [1000 + i, frame(i + 1, event("a", phases[i % 4]))]));
  assert.equal(shown.length, 40);
  assert.ok(shown.at(-1).at <= 1039 + 2000, String(shown.at(-1).at));
});

test("many incidents share their turns: each stage of each is seen, in a few steps", () => {
  const ids = Array.from({ length: 30 }, (_, i) => String(i));
  const shown = play([[0, frame(1, ...ids.map((id) => event(id, "detected")))], [5, frame(2, ...ids.map((id) => event(id, "evidence")))], [9, frame(3, ...ids.map((id) => event(id, "diagnosis")))]]);
  assert.equal(shown.length, 90);
  assert.ok(shown.at(-1).at <= 2 * HOLD, String(shown.at(-1).at));
});

test("details of the same stage need no turn, and an incident that ended is forgotten", () => {
  let queue = take(push(idle(), frame(1, event("a", "action")), 0), 0).queue;
  assert.equal(take(push(queue, frame(2, event("a", "action")), 1), 1).frames.length, 1);
  queue = take(push(queue, frame(2, event("a", "ended", { state: "resolved" })), 1), HOLD).queue;
  assert.equal(queue.shown.size, 0);
});

test("a hidden tab takes everything at once", () => {
  const queue = push(idle(), frame(1, event("a", "action"), event("a", "verification")), 0);
  assert.deepEqual(all(queue).frames.map((one) => [one.seq, one.events.length]), [[1, 2]], "and folds it once");
  assert.equal(due(all(queue).queue), null);
});
