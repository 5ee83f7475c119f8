import assert from "node:assert/strict";
import { test } from "node:test";
import { day, gap, instant, iso, join, lasting, latency, names, percent, roughly, thousands, took } from "../js/units.js";

test("instants are read from strings with nanoseconds and from seconds with a fraction", () => {
  assert.equal(instant("2026-11-24T13:58:40.123456789Z"), Date.UTC(2026, 10, 24, 13, 58, 40, 123));
  assert.equal(instant(1764000000.25), 1764000000250);
  assert.equal(instant(1764000000250), 1764000000250);
  for (const nothing of [null, undefined, "", "yesterday", {}]) assert.ok(Number.isNaN(instant(nothing)), String(nothing));
});

test("durations in reports have one decimal under 10 s and two parts at most", () => {
  for (const [ms, want] of [[0, "0 ms"], [4.4, "4 ms"], [99, "99 ms"], [100, "0.1 s"], [6840, "6.8 s"], [9960, "10 s"], [14200, "14 s"], [192000, "3 min 12 s"], [5820000, "1 h 37 min"], [90000000, "1 d 1 h"], [19.2 * 864e5, "19 d"], [-5, "0 ms"], [NaN, "unknown"], [undefined, "unknown"]]) assert.equal(took(ms), want, String(ms));
});

test("durations that count are whole seconds", () => {
  for (const [ms, want] of [[0, "0 s"], [999, "0 s"], [9960, "9 s"], [59999, "59 s"], [60000, "1 min"], [61000, "1 min 1 s"], [3600000, "1 h"]]) assert.equal(lasting(ms), want, String(ms));
  assert.equal(roughly(4 * 60e3 + 31e3), "4 min");
  assert.equal(roughly(31e3), "31 s");
});

test("a share is never rounded up to 100 %", () => {
  for (const [share, want] of [[1, "100 %"], [0.99999, "99.99 %"], [0.986, "98.6 %"], [0.29, "29 %"], [0, "0 %"]]) assert.equal(percent(share), want, String(share));
  assert.equal(percent(0.999945, 3), "99.994 %");
});

test("latencies are whole, but for what is shorter than one", () => {
  assert.deepEqual(latency(12.4), ["12", "ms"]);
  assert.deepEqual(latency(0.42), ["0.4", "ms"]);
  assert.deepEqual(latency(1120), ["1,120", "ms"]);
  assert.deepEqual(latency(30000), ["30", "s"]);
  assert.equal(latency(undefined), null);
  assert.equal(thousands(50000), "50,000");
  assert.deepEqual([0, 999, 1000, 1234567, -4321, 1234.5678].map(thousands), ["0", "999", "1,000", "1,234,567", "-4,321", "1,234.568"]);
});

test("names up to two, then how many more", () => {
  assert.equal(names(["a"]), "a");
  assert.equal(names(["a", "b"]), "a and b");
  assert.equal(names(["a", "b", "c"]), "a, b and c");
  assert.equal(names(["a", "b", "c", "d"]), "a, b and 2 more");
  assert.equal(names(Array(1202).fill("a")), "a, a and 1,200 more");
  assert.equal(join(["a", "b", "c"]), "a, b and c");
});

test("days have names near to now", () => {
  const now = new Date(2026, 10, 24, 0, 30).getTime();
  assert.equal(day(now - 60e3, now), "today");
  assert.equal(day(now - 3600e3, now), "yesterday");
  assert.equal(day(new Date(2026, 10, 2, 12).getTime(), now), "2 November");
  assert.equal(Date.parse(iso(now)), now);
});

test("what happened within a millisecond took some time all the same", () => {
  assert.deepEqual([0, 0.4, 1, 5800].map(gap), ["under 1 ms", "under 1 ms", "1 ms", "5.8 s"]);
});
