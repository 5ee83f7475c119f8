import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, due, HOLD, idle, push } from "../js/pace.js";

// Runs the queue as the page does: draws whenever something is due. Gives what was shown, and when.
function play(arrivals, until = 10_000) {
  let queue = idle();
  const shown = [];
  const draw = (now) => {
    queue = advance(queue, now);
    if (queue.shown && shown.at(-1)?.state !== queue.shown.state) shown.push({ state: queue.shown.state, at: now });
  };
  const coming = [...arrivals];
  for (let now = 0; now <= until; now++) {
    while (coming.length && coming[0][0] <= now) queue = push(queue, { state: coming.shift()[1] }, now);
    if (due(queue) === null || due(queue) <= now || shown.length === 0) draw(now);
  }
  return shown;
}

test("a repair of ten milliseconds is seen, each state for its time and in order", () => {
  const shown = play([[0, "WATCHING"], [1000, "DIAGNOSING"], [1004, "FIXING"], [1010, "VERIFYING"], [1012, "WATCHING"]]);
  assert.deepEqual(shown.map((s) => s.state), ["WATCHING", "DIAGNOSING", "FIXING", "VERIFYING", "WATCHING"]);
  for (let i = 1; i + 1 < shown.length; i++) assert.ok(shown[i + 1].at - shown[i].at >= HOLD);
  assert.equal(shown[1].at, 1000, "the first at once");
});

test("nothing is shown more than two seconds late", () => {
  const arrivals = [[0, "WATCHING"]];
  for (let i = 0; i < 20; i++) arrivals.push([1000 + i, ["DIAGNOSING", "FIXING", "VERIFYING", "WATCHING"][i % 4]]);
  const shown = play(arrivals);
  assert.ok(shown.at(-1).at <= 1019 + 2000, String(shown.at(-1).at));
  assert.equal(shown.at(-1).state, "WATCHING");
});

test("after a sleep the newest state stands, not the queue of before", () => {
  let queue = push(idle(), { state: "WATCHING" }, 0);
  for (const [at, state] of [[10, "DIAGNOSING"], [20, "FIXING"], [30, "VERIFYING"]]) queue = push(queue, { state }, at);
  queue = advance(queue, 60_000);
  assert.equal(queue.shown.state, "VERIFYING");
  assert.equal(due(queue), null);
});

test("other details of the same state need no turn", () => {
  let queue = push(idle(), { state: "VERIFYING", n: 1 }, 0);
  queue = push(queue, { state: "VERIFYING", n: 2 }, 5);
  assert.equal(queue.shown.n, 2);
  queue = push(push(queue, { state: "WATCHING", n: 3 }, 6), { state: "WATCHING", n: 4 }, 7);
  assert.equal(queue.waiting.length, 1);
  assert.equal(advance(queue, 400).shown.n, 4);
});
