import assert from "node:assert/strict";
import { test } from "node:test";
import { figures, line, outages, points, quantile, rows, single, span, strip, ticks, times } from "../js/series.js";

const T = 1_800_000_000_000;
const up = (s, ms = 10) => single({ t: T + s * 1000, status: "UP", ms });
const down = (s) => single({ t: T + s * 1000, status: "DOWN", ms: 0 });
const kinds = (bars) => bars.map((bar) => bar.kind).join(" ");

test("live checks follow the history without doubling it", () => {
  const list = points([{ t: T / 1000, status: "UP", latency_ms: 5 }, { t: new Date(T + 2000).toISOString(), status: "UP", latency_ms: 6 }], [
    { timestamp: T / 1000 + 2, status: "UP", latency_ms: 6, check: "http", instance: "box" },
    { timestamp: T / 1000 + 4, status: "DOWN", latency_ms: 1000, check: "http", instance: "box" },
    { timestamp: T / 1000 + 4, status: "UP", check: "container", instance: "box" },
    { timestamp: T / 1000 + 5, status: "DOWN", latency_ms: 1, check: "http", instance: "someone" },
  ], "box");
  assert.deepEqual(list.map((p) => [(p.t - T) / 1000, p.status]), [[0, "UP"], [2, "UP"], [4, "DOWN"]]);
});

test("a card shows as far back as there is something to see", () => {
  const seconds = (first, most) => span([up(-first), up(-1)], T, most) / 1000;
  assert.equal(span([], T), 30e3);
  assert.deepEqual([10, 30, 31, 70, 100, 130].map((first) => seconds(first)), [30, 30, 60, 90, 120, 180]);
  assert.deepEqual([301, 7 * 60, 59 * 60 + 1, 300 * 60].map((first) => seconds(first)), [360, 420, 3600, 3600]);
  assert.equal(seconds(3600, 900e3), 900);
  for (let first = 20; first < 3600; first += 7) assert.ok(first / seconds(first) > 0.5, `more than half of it is known after ${first} s`);
});

test("without data a bar is pale, never green and never red", () => {
  const bars = strip([up(31), up(33), up(35), up(37), up(39)], { from: T, to: T + 40e3, n: 4 });
  assert.equal(kinds(bars), "none none none up");
});

test("a check that is rarer than a bar leaves no holes", () => {
  const bars = strip([up(0), up(10), up(20), up(30)], { from: T, to: T + 40e3, n: 8 });
  assert.ok(!kinds(bars).slice(0, 30).includes("none"), kinds(bars));
});

test("what was down is past, what is down is now", () => {
  const list = [up(1), down(11), up(21), down(31)];
  const range = { from: T, to: T + 40e3, n: 4 };
  assert.equal(kinds(strip(list, range)), "up past up past");
  assert.equal(kinds(strip(list, { ...range, now: "DOWN" })), "up past up down");
});

test("a repair is marked on the bar in which it ended", () => {
  const bars = strip([up(1)], { from: T, to: T + 40e3, n: 4, ended: [T + 25e3, T - 5e3, T + 500e3] });
  assert.deepEqual(bars.map((bar) => bar.repaired), [false, false, true, false]);
});

test("the latency line has a gap where it was down and where nothing was measured", () => {
  const list = [up(0), up(2), down(4), up(6), up(8), up(60), up(62)];
  const { runs } = line(list, { from: T, to: T + 100e3 });
  assert.deepEqual(runs.map((run) => run.length), [2, 2, 2]);
});

test("the limit is drawn only where it was near", () => {
  assert.equal(line([up(0, 10)], { from: T, to: T + 10e3, limit: 800 }).limit, null);
  const near = line([up(0, 700)], { from: T, to: T + 10e3, limit: 800 });
  assert.ok(near.limit > 0 && near.limit < 1);
});

test("figures are of what was measured, or nothing", () => {
  assert.equal(figures([down(0)], T, T + 10e3), null);
  assert.deepEqual(figures([up(0, 5), up(1, 20), up(2, 8)], T, T + 10e3), { now: 8, low: 5, middle: 8, high: 20, p95: 20 });
  assert.equal(quantile([], 0.5), null);
});

test("outages end where the first good check was, repairs where they were verified", () => {
  const iso = (ms) => new Date(T + ms).toISOString();
  const rows = [
    { id: "1", service: "pay", state: "resolved", opened: iso(1000), resolved: iso(13000), ttr_ms: 13000, down_ms: 2500, attempts: 1 },
    { id: "2", service: "pay", state: "open", opened: iso(50000) },
    { id: "3", service: "other", state: "open", opened: iso(0) },
  ];
  const list = outages(rows, "pay", T + 60000);
  assert.deepEqual(list.map((o) => [o.from - T, o.back - T, o.to - T, o.repaired]), [[0, 2500, 13000, true], [50000, 60000, 60000, false]]);
});

test("a requested repair of several attempts was down before the newest one, as long as it was, and not beyond its end", () => {
  const iso = (s) => new Date(T + s * 1000).toISOString();
  const of = (more) => {
    const [o] = outages([{ service: "pay", state: "resolved", how: "healed", action: "restart", opened: iso(0), first_bad: iso(0), resolved: iso(52), ttr_ms: 52e3, ...more }], "pay", T + 60e3);
    return [o.from, o.back, o.acted].map((at) => (at - T) / 1000);
  };
  // Attempts at 10 s and 40 s; it answered again at 42 s.
  assert.deepEqual(of({ attempts: 2, acted: iso(40), down_ms: 32e3 }), [8, 40, 40]);
  assert.deepEqual(of({ attempts: 1, acted: iso(40), down_ms: 32e3 }), [20, 52, 40], "the first one does not count, where an external change interrupted it");
  assert.deepEqual(of({ attempts: 1, acted: iso(40), down_ms: 2e3 }), [40, 42, 40]);
});

test("axes have round values", () => {
  assert.deepEqual(ticks(20.3), [0, 10, 20]);
  assert.deepEqual(ticks(1000), [0, 250, 500, 750, 1000]);
  const list = times(T, T + 3600e3, 9);
  assert.ok(list.length >= 4 && list.length <= 9);
  assert.ok(list.every((t) => t % 600e3 === 0));
});

const hours = (n, p) => Array.from({ length: n }, (_, i) => ({ t: new Date(T + i * 3600e3).toISOString(), status: "UP", latency_ms: 20, min_ms: 10, max_ms: 90, checks: 1800, up_s: 3600, ...p?.(i) }));

test("a point that stands for several checks has a band", () => {
  const list = points(hours(10), [], "box");
  const { runs, top, banded } = line(list, { from: T, to: T + 10 * 3600e3 });
  assert.equal(runs.length, 1);
  assert.ok(banded);
  const [, middle, low, high] = runs[0][0].map((v, i) => (i ? Math.round(v * top) : v));
  assert.deepEqual([low, middle, high], [10, 20, 90]);
  assert.ok(!line([up(0), up(2)], { from: T, to: T + 10e3 }).banded);
});

test("a rare peak does not press the line flat, and is shown", () => {
  const list = points(hours(100, (i) => (i === 50 ? { max_ms: 5000 } : {})), [], "box");
  const { top, peak, runs } = line(list, { from: T, to: T + 100 * 3600e3 });
  assert.ok(top < 200, `the top is ${top}`);
  assert.equal(peak, 5000);
  assert.ok(Math.max(...runs.flat().map((p) => p[3])) <= 1);
  assert.equal(line(points(hours(100), [], "box"), { from: T, to: T + 100 * 3600e3 }).peak, null);
});

test("an hour in which it was down for a while has its latency, and its share in the strip", () => {
  const list = points(hours(4, (i) => (i === 2 ? { status: "DOWN", up_s: 1800, down_s: 900 } : {})), [], "box");
  assert.equal(line(list, { from: T, to: T + 4 * 3600e3 }).runs[0].length, 4);
  const bars = strip(list, { from: T, to: T + 4 * 3600e3, n: 4 });
  assert.equal(kinds(bars), "up up past up");
  assert.ok(Math.abs(bars[2].share - 1 / 3) < 1e-9);
});

test("minutes before each check, and a gap stays a gap", () => {
  const minutes = Array.from({ length: 20 }, (_, i) => ({ t: (T + i * 60e3) / 1000, status: "UP", latency_ms: 20, min_ms: 10, max_ms: 90, checks: 30, up_s: 60 }));
  const checks = Array.from({ length: 60 }, (_, i) => ({ t: (T + 20 * 60e3 + i * 2000) / 1000, status: "UP", latency_ms: 20, min_ms: 20, max_ms: 20 }));
  const range = { from: T, to: T + 24 * 60e3 };
  assert.equal(line(points([...minutes, ...checks], [], "box"), range).runs.length, 1);
  assert.equal(line(points([...minutes.filter((_, i) => i < 8 || i > 12), ...checks], [], "box"), range).runs.length, 2);
});

test("figures of points that stand for several checks are weighed", () => {
  const of = figures(points([...hours(1), { t: new Date(T + 3600e3).toISOString(), status: "UP", latency_ms: 500, min_ms: 500, max_ms: 500 }], [], "box"), T, T + 2 * 3600e3);
  assert.deepEqual(of, { now: 500, low: 10, middle: 20, high: 500, p95: 20 });
});

test("a chart as a table has the same figures, and says where there are none", () => {
  const list = points(hours(4, (i) => (i === 1 ? { status: "DOWN", latency_ms: 0, min_ms: null, max_ms: null, up_s: 0, down_s: 3600 } : {})), [], "box");
  const table = rows(list, { from: T, to: T + 5 * 3600e3, n: 5 });
  assert.deepEqual(table.map((row) => [row.low, row.middle, row.high, row.down]), [[10, 20, 90, 0], [null, null, null, 1], [10, 20, 90, 0], [10, 20, 90, 0], [null, null, null, null]]);
});

test("an axis of days has its marks at midnight", () => {
  const list = times(T, T + 30 * 24 * 3600e3, 9);
  assert.ok(list.length >= 6 && list.length <= 10, String(list.length));
  for (const t of list) assert.equal(new Date(t).getHours() + new Date(t).getMinutes(), 0);
});
