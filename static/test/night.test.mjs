import assert from "node:assert/strict";
import { test } from "node:test";
import { lastNight, night, readBack } from "../js/night.js";

const local = (day, hour, minute = 0) => new Date(2026, 10, day, hour, minute).getTime();
const iso = (...of) => new Date(local(...of)).toISOString();
const repair = (...of) => ({ id: of.join(), service: "web", state: "resolved", how: "healed", attempts: 1, resolved: iso(...of) });
const recovery = (...of) => ({ ...repair(...of), attempts: 0, how: "recovered" });
const called = (...of) => ({ id: of.join(), service: "web", state: "escalated", attempts: 1, escalated: iso(...of) });

test("the night is from ten to eight in the reader's zone, and from six on it is the last one", () => {
  assert.deepEqual(night(local(24, 12)), { from: local(23, 22), to: local(24, 8), over: true });
  assert.deepEqual(night(local(24, 23)), { from: local(24, 22), to: local(25, 8), over: false });
  assert.deepEqual(night(local(24, 3)), { from: local(23, 22), to: local(24, 8), over: false });
  assert.equal(night(local(24, 7)).over, true);
});

test("the night in a sentence: repairs, recoveries, and whether a person was called", () => {
  const say = (rows, now = local(24, 9), since = local(1, 0)) => lastNight(rows, now, since)?.text;
  assert.equal(say([repair(24, 2, 17), repair(24, 3, 31), repair(23, 21, 59), repair(24, 8, 0)]), "Last night: 2 repairs, no person was called.");
  assert.equal(say([repair(24, 2), recovery(24, 5)]), "Last night: 1 repair, 1 recovery without a repair, no person was called.");
  assert.equal(say([called(24, 2), called(24, 3), repair(24, 4)]), "Last night: 1 repair, a person was called 2 times.");
  assert.equal(say([called(24, 2)]), "Last night: a person was called once.");
  assert.equal(say([{ ...recovery(24, 5), called: iso(24, 4) }, { ...repair(24, 6), called: iso(24, 4) }]), "Last night: 1 repair, 1 recovery without a repair, a person was called 2 times.");
  assert.equal(say([]), "Last night: no incidents.");
  assert.equal(say([repair(24, 23)], local(24, 23, 30)), "Tonight so far: 1 repair, no person was called.");
  assert.equal(say([{ ...recovery(24, 2), how: "operator", opened: iso(24, 1) }]), "Last night: 1 incident.");
  const open = { id: "o", service: "db", state: "verifying", attempts: 1, opened: iso(24, 23, 29) };
  assert.equal(say([open], local(24, 23, 30)), "");
  assert.equal(say([{ ...open, opened: iso(24, 7, 10) }], local(24, 7, 15)), "", "in the morning, while the night lasts");
  assert.equal(say([open, repair(24, 23)], local(24, 23, 30)), "Tonight so far: 1 repair, 1 open incident.");
  assert.equal(say([{ ...open, escalated: iso(24, 23, 29) }, open], local(24, 23, 30)), "Tonight so far: 2 open incidents, a person was called once.");
  assert.equal(say([{ ...open, opened: iso(24, 20), escalated: iso(24, 21) }, repair(24, 22, 30)], local(24, 23, 30)), "Tonight so far: 1 repair, 1 open incident.");
  assert.equal(say([{ ...repair(24, 8, 40), opened: iso(24, 7, 50) }]), "Last night: 1 incident.");
  assert.equal(say([{ ...repair(23, 21, 59), opened: iso(23, 21, 50) }, { ...repair(24, 9, 40), opened: iso(24, 8, 1) }], local(24, 10)), "Last night: no incidents.");
});

test("of a night that LogStream did not see nothing is said", () => {
  assert.equal(lastNight([], local(24, 9), local(24, 7)), null);
  assert.equal(lastNight([], local(24, 9), NaN), null);
  assert.equal(lastNight([{ id: "o", service: "db", state: "open", opened: iso(23, 15) }], local(24, 9), local(24, 9)), null);
  assert.equal(lastNight([repair(24, 7, 30)], local(24, 9), local(24, 7)).marks.length, 1);
});

test("a night's marks stand in order, each with its kind", () => {
  assert.deepEqual(lastNight([recovery(24, 5), called(24, 4), repair(24, 2)], local(24, 9)).marks.map(({ at, kind }) => [at, kind]), [[local(24, 2), "repaired"], [local(24, 4), "person"], [local(24, 5), "recovered"]]);
});

test("what happened is read back to the night's beginning, in a few calls", () => {
  const page = (n, from) => Array.from({ length: n }, (_, i) => ({ id: `i${from + i}`, opened: new Date(local(24, 8) - (from + i) * 60e3).toISOString() }));
  const state = { incidents: new Map(page(60, 0).map((row) => [row.id, row])), since: 5 };
  const from = local(24, 4);
  const answers = new Map();
  const first = "/incidents?limit=200", second = `${first}&before=i199`, third = `${first}&before=i399`;
  assert.deepEqual(readBack(state, answers, from), { paths: [first], known: Infinity }, "the snapshot has only the newest");
  assert.equal(readBack({ ...state, incidents: new Map() }, answers, from).known, -Infinity, "or all, where those are fewer");
  answers.set(first, { value: page(200, 0), at: 6 });
  assert.deepEqual(readBack(state, answers, from), { paths: [first, second], known: local(24, 4, 41) });
  assert.deepEqual(readBack(state, answers, local(24, 5)), { paths: [first], known: local(24, 4, 41) });
  answers.set(second, { value: page(200, 200), at: 6 });
  assert.deepEqual(readBack(state, answers, from), { paths: [first, second], known: local(24, 1, 21) });
  assert.deepEqual(readBack(state, answers, local(24, 0)).paths, [first, second, third]);
  answers.set(third, { value: page(3, 400), at: 6 });
  assert.equal(readBack(state, answers, local(24, 0)).known, -Infinity);
  assert.deepEqual(readBack({ ...state, since: 7 }, answers, from), { paths: [first], known: Infinity }, "after another snapshot it is read again");
  assert.equal(readBack(state, { get: () => ({ value: page(200, 0), at: 6 }) }, 0).paths.length, 5, "at most");
});

test("of a night that was not read to its beginning less is said", () => {
  const say = (rows, known) => lastNight(rows, local(24, 9), local(1, 0), known).text;
  const two = [repair(24, 2), repair(24, 3)];
  assert.equal(say(two, local(24, 1)), "Last night: at least 2 repairs.");
  assert.equal(say(two, local(23, 21)), "Last night: 2 repairs, no person was called.");
  assert.equal(say([...two, called(24, 4)], local(24, 1)), "Last night: at least 2 repairs, a person was called at least once.");
  assert.equal(say([], Infinity), "");
});
