import assert from "node:assert/strict";
import { test } from "node:test";
import { all, idle, push } from "../js/pace.js";
import { backoff, MOST, watcher } from "../js/socket.js";
import { empty, fold, rate } from "../js/store.js";

function watched() {
  const seen = { sent: [], missed: [], open: true };
  const w = watcher({
    send(text) {
      if (seen.open) seen.sent.push(JSON.parse(text).services);
      return seen.open;
    },
    onMissed: (missed) => seen.missed.push(["a", "b", "c"].filter(missed)),
  });
  return { w, seen, want: (names) => (w.want(names), w.ask()) };
}

test("one change of what is watched is sent at a time, and the last one wins", () => {
  const { w, seen, want } = watched();
  want(["a"]);
  want(["a", "b"]);
  want(["b", "c"]);
  assert.deepEqual(seen.sent, [["a"]]);
  w.answered();
  w.ask();
  assert.deepEqual(seen.sent, [["a"], ["b", "c"]]);
  want(["c", "b"]);
  w.answered();
  w.ask();
  assert.equal(seen.sent.length, 2, "the same names again are no change");
});

test("missed are the observations of services that came into view, and none while all were watched", () => {
  const { w, seen, want } = watched();
  for (const names of [["a"], ["b", "c"], null]) {
    want(names);
    w.answered();
  }
  assert.deepEqual(seen.missed, [["b", "c"], ["a"]]);
});

test("a new connection begins with all, and is sent what is watched", () => {
  const { w, seen, want } = watched();
  want(["a"]);
  seen.open = false;
  want(["b"]);
  seen.open = true;
  w.begin();
  assert.deepEqual(seen.sent, [["a"], ["b"]]);
  w.answered();
  assert.deepEqual(seen.missed, [], "its snapshot has everything loaded again");
});

test("more names than the server accepts mean all services", () => {
  const { w, seen, want } = watched();
  want(["a"]);
  w.answered();
  want(Array.from({ length: MOST + 1 }, (_, i) => `s${i}`));
  assert.deepEqual(seen.sent.at(-1), null);
});

const health = (service, timestamp) => ({ kind: "health", data: { service, timestamp, status: "UP", check: "http", instance: "i" } });
const snapshot = { type: "snapshot", seq: 7, services: [{ name: "a" }], incidents: [], info: {} };

// As app.js does it: through the queue of stages.
function play(frames) {
  let state = fold(empty(), snapshot, 0).state;
  for (const frame of frames) {
    for (const part of all(push(idle(), frame, 1000)).frames) {
      const folded = fold(state, part, 1000);
      assert.equal(folded.gap, false, JSON.stringify(frame));
      state = folded.state;
    }
  }
  return state;
}

test("the answer to a watch is a part of the frame before it, and an observation that is known does not count twice", () => {
  const state = play([
    { type: "events", seq: 8, events: [health("a", 1), health("b", 1)] },
    { type: "events", seq: 8, part: true, watching: 1, events: [health("a", 1)] },
    { type: "events", seq: 9, events: [], left_out: 3 },
    { type: "events", seq: 9, part: true, watching: null, events: [health("b", 2)] },
    { type: "events", seq: 10, events: [health("a", 2)] },
  ]);
  assert.deepEqual(state.health.get("a").map((r) => r.timestamp), [1, 2]);
  assert.deepEqual(state.health.get("b").map((r) => r.timestamp), [1, 2]);
});

test("checks a second count those that are left out", () => {
  const state = play([{ type: "events", seq: 8, events: [health("a", 1)], left_out: 49 }]);
  assert.equal(rate(state, 5000), 10);
});

test("attempts to reconnect are spaced at random, at most 15 s apart", () => {
  for (let n = 0; n < 40; n++) {
    const [least, most] = [backoff(n, () => 0), backoff(n, () => 1)];
    assert.ok(least >= 250 && most <= 15_000 && most >= 2 * least - 1, `${n}: ${least} to ${most}`);
  }
});
