// What was measured, made ready for drawing. Pure: points in, numbers out.
// Nothing is smoothed, and where nothing was measured there is nothing.

import { instant } from "./units.js";
import { action, isOfEngine } from "./vocabulary.js";
import { repaired } from "./words.js";

const MINUTE = 60 * 1000;
const LEAST = MINUTE / 2;
const MOST = 60 * MINUTE;
const HOUR = 60 * MINUTE;

/**
 * The answer of …/history and the live records after it as points, in order:
 * {t, status, ms, low, high, n, up, slow, down}. Of n checks ms is the median, from
 * low to high, null where it was down and nothing was measured; up, slow and down
 * are how long it was so, or for a single check which of them it was. It
 * stands for the time from t to t + `span` (ms).
 */
export function points(history, records, instance) {
  const past = history.map(summed).filter((p) => Number.isFinite(p.t));
  const from = past.length ? past.at(-1).t : -Infinity;
  const live = records
    .filter((record) => !isOfEngine(record) && (!instance || !record.instance || record.instance === instance))
    .map((record) => single({ t: instant(record.timestamp), status: record.status, ms: record.latency_ms }))
    .filter((p) => p.t > from);
  return [...past, ...live].sort((a, b) => a.t - b.t);
}

function summed(p) {
  const one = single({ t: instant(p.t), status: p.status, ms: p.latency_ms });
  const rolled = p.up_s || p.degraded_s || p.down_s;
  const lasted = rolled ? { up: p.up_s ?? 0, slow: p.degraded_s ?? 0, down: p.down_s ?? 0 } : null;
  return { ...one, span: (p.span_s ?? 0) * 1000, ...(p.min_ms === undefined ? null : { low: p.min_ms, high: p.max_ms }), n: p.checks ?? 1, ...lasted };
}

/** One check as a point. */
export function single(p) {
  const measured = (p.status === "UP" || p.status === "DEGRADED") && Number.isFinite(p.ms);
  return { ...p, low: measured ? p.ms : null, high: measured ? p.ms : null, n: 1, span: 0, up: Number(p.status === "UP"), slow: Number(p.status === "DEGRADED"), down: Number(p.status === "DOWN") };
}

/**
 * How far back to show: as far as anything is known, `most` at most. It grows in
 * steps, so that a chart is rescaled now and then, and not each second.
 */
export function span(list, now, most = MOST) {
  const known = now - (list.find((p) => p.status)?.t ?? now);
  const step = known < 2 * MINUTE ? LEAST : known < 120 * MINUTE ? MINUTE : known < 48 * HOUR ? 10 * MINUTE : HOUR;
  return Math.min(most, Math.max(LEAST, Math.ceil(known / step) * step));
}

/**
 * When a service was down: `from` its first bad check `back` to its first good
 * one, and `to` the end of its incident; and whether LogStream repaired it, and
 * when it `acted`: a mark stands where the action was, not where it was verified.
 */
export function outages(rows, service, now) {
  return rows
    .filter((row) => row.service === service)
    .map((row) => {
      const opened = instant(row.opened);
      const to = row.resolved ? instant(row.resolved) : now;
      const began = Number.isFinite(row.ttr_ms) && row.resolved ? to - row.ttr_ms : Math.min(instant(row.first_bad ?? row.opened), opened);
      const acted = instant(row.acted);
      const whole = Number.isFinite(row.down_ms) && row.resolved;
      const late = whole && repaired(row) && acted > began + row.down_ms; // requested while it answered: down since its first attempt
      const from = !late ? began : (row.attempts > 1 ? acted : Math.min(acted + row.down_ms, to)) - row.down_ms; // of several only the newest is known, soon after which it was back
      const back = whole ? from + row.down_ms : to;
      return { id: row.id, from, back, to, repaired: repaired(row), acted: acted || back, did: repaired(row) ? action(row.action).did.toLowerCase() : "" };
    })
    .filter((o) => Number.isFinite(o.from));
}

/**
 * The strip: n bars from `from` to `to`, the oldest first. Each has its kind
 * (none, up, slow, warn, past, down: what lasts until now is in the colour of
 * now), the share of it that was bad, and whether a repair is marked in it. A
 * point may span several bars: its time down goes to those in which `outages` has the
 * service down.
 */
export function strip(list, { from, to, n, now = null, ended = [], outages = [] }) {
  const width = (to - from) / n;
  const bars = Array.from({ length: n }, () => ({ kind: "none", share: 0, repaired: false, good: 0, slow: 0, down: 0 }));
  const at = (t) => Math.floor((t - from) / width);
  for (const p of list) {
    if (!p.status) continue;
    const [first, last] = [at(p.t), at(p.t + Math.max(0, p.span - 1))];
    const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const out = all.length > 1 ? all.filter((i) => outages.some((o) => o.from < from + (i + 1) * width && o.back >= from + i * width)) : [];
    for (const [name, of, amount] of [["good", all, p.up], ["slow", all, p.slow], ["down", out.length ? out : all, p.down]]) {
      for (const i of of) if (bars[i]) bars[i][name] += amount / of.length;
    }
  }
  let before = "none"; // a check may be rarer than a bar: the bar after it shows what it saw
  const rare = rarity(list, width);
  let empty = 0;
  for (const bar of bars) {
    const all = bar.good + bar.slow + bar.down;
    if (all) {
      bar.kind = bar.down ? "past" : bar.slow ? "slow" : "up";
      bar.share = (bar.down || bar.slow) / all;
      empty = 0;
      before = bar.kind;
    } else if (before !== "none" && ++empty < rare) {
      bar.kind = before;
      bar.share = 1;
    }
  }
  for (const t of ended) {
    const bar = bars[at(t)];
    if (bar) bar.repaired = true;
  }
  colourNow(bars, now);
  return bars;
}

// How many bars one observation may stand for.
function rarity(list, width) {
  const gaps = [];
  for (let i = Math.max(1, list.length - 50); i < list.length; i++) gaps.push(list[i].t - list[i - 1].t);
  if (!gaps.length) return 0;
  const typical = gaps.sort((a, b) => a - b)[gaps.length >> 1];
  return Math.ceil((typical * 2.5) / width) + 1;
}

// What is bad and lasts is the present: red or amber back to where it began.
function colourNow(bars, now) {
  const [was, is] = now === "DOWN" ? ["past", "down"] : now === "DEGRADED" ? ["slow", "warn"] : [null, null];
  if (!was) return;
  let i = bars.length - 1;
  while (i >= 0 && bars[i].kind === "none") i--;
  for (; i >= 0 && bars[i].kind === was; i--) {
    bars[i].kind = is;
    bars[i].share = 1;
  }
}

/**
 * The latency line as stretches without a gap, of [x, y, low, high] between 0 and
 * 1; where it was down is a gap. `top` is what 1 stands for, and `peak` what
 * goes beyond it: a rare peak of several checks must not press the line flat.
 */
export function line(list, { from, to, limit = 0 }) {
  const seen = list.filter((p) => p.t >= from && p.t <= to);
  const measured = seen.filter(isMeasured);
  const { top, near, peak } = reach(measured, limit);
  const runs = [];
  let run = null;
  let last = -Infinity;
  const step = steps(seen);
  seen.forEach((p, i) => {
    if (!isMeasured(p) || p.t - last > step(i)) run = null;
    last = p.t + p.span;
    if (!isMeasured(p)) return;
    if (!run) runs.push((run = []));
    run.push([(p.t - from) / (to - from), p.ms / top, p.low / top, Math.min(1, p.high / top)]);
  });
  return { runs, top, limit: near ? limit / top : null, measured: measured.length, banded: banded(measured), peak };
}

/**
 * How far up an axis of latencies goes: `top`, whether the limit is `near` enough
 * to be drawn, and the `peak` beyond the top, or null.
 */
export function reach(list, limit = 0) {
  const measured = list.filter(isMeasured);
  const highs = measured.map((p) => p.high);
  const highest = highs.reduce((most, ms) => Math.max(most, ms), 0);
  const usual = quantile(highs, 0.95) ?? 0;
  const worst = banded(measured) && highest > 3 * usual ? Math.max(1.3 * usual, ...measured.map((p) => p.ms)) : highest;
  const middle = quantile(measured.map((p) => p.ms), 0.5) ?? 0;
  const near = limit > 0 && worst > limit * 0.6;
  const top = Math.max(worst * 1.08, middle * 1.7, near ? limit * 1.15 : 0, 1);
  return { top, near, peak: highest > top ? highest : null };
}

/**
 * The points as the columns of a chart: t in seconds, the latencies in
 * milliseconds, and in `of` the point itself. A row without a latency is where it
 * was down; one without a point is between two that are too far apart, because
 * nothing was measured there: the line has a gap at both, and nowhere else.
 */
export function columns(list) {
  const all = { t: [], ms: [], low: [], high: [], of: [] };
  const add = (at, p) => {
    const known = p && isMeasured(p);
    all.t.push(at / 1000);
    for (const name of ["ms", "low", "high"]) all[name].push(known ? p[name] : null);
    all.of.push(p);
  };
  const step = steps(list);
  list.forEach((p, i) => {
    const last = i ? list[i - 1].t + list[i - 1].span : NaN;
    if (p.t - last > step(i)) add((last + p.t) / 2, null);
    add(p.t, p);
    const next = list[i + 1];
    if (next && p.span > 1 && !next.span) add(Math.min(p.t + p.span, next.t) - 1, p); // from here on each check is a point
  });
  return all;
}

const isMeasured = (p) => p.high !== null && Number.isFinite(p.ms);

/** Whether there are points that stand for more than one latency. */
export const banded = (list) => list.some((p) => isMeasured(p) && p.high > p.low);

// Longer than this before the point i, and nothing was measured there: a chart
// may be of minutes first, and then of each check.
function steps(list) {
  const gaps = list.slice(1).map((p, i) => p.t - list[i].t);
  const typical = (from, to) => quantile(gaps.slice(Math.max(0, from), Math.max(0, to)), 0.5) ?? 0;
  return (i) => Math.max(5000, 2.5 * Math.max(typical(i - 6, i - 1), typical(i, i + 5), list.length < 12 ? typical(0, gaps.length) : 0));
}

/** A quantile of the numbers, or null. */
export function quantile(numbers, q) {
  const known = numbers.filter(Number.isFinite).sort((a, b) => a - b);
  return known.length ? known[Math.min(known.length - 1, Math.floor(q * known.length))] : null;
}

/**
 * Latencies of a stretch of time: {now, low, middle, high, p95}, or null where none
 * was measured. Of a point that stands for several checks one took as long as its
 * longest, and the others as long as their median.
 */
export function figures(list, from, to) {
  const seen = list.filter((p) => p.t >= from && p.t <= to && isMeasured(p));
  if (!seen.length) return null;
  const weighed = seen.flatMap((p) => (p.n > 1 ? [[p.ms, p.n - 1], [p.high, 1]] : [[p.ms, 1]]));
  return {
    now: seen.at(-1).ms, low: Math.min(...seen.map((p) => p.low)), high: Math.max(...seen.map((p) => p.high)),
    middle: weighted(seen.map((p) => [p.ms, p.n]), 0.5), p95: weighted(weighed, 0.95),
  };
}

function weighted(pairs, q) {
  const sorted = [...pairs].sort((a, b) => a[0] - b[0]);
  let left = Math.floor(q * sorted.reduce((all, [, n]) => all + n, 0));
  for (const [ms, n] of sorted) if ((left -= n) < 0) return ms;
  return sorted.at(-1)[0];
}

/** A chart in n rows: {from, to, low, middle, high, good, down}; low is null where nothing was measured. */
export function rows(list, { from, to, n }) {
  const width = (to - from) / n;
  return Array.from({ length: n }, (_, i) => {
    const begin = from + i * width;
    const seen = list.filter((p) => p.t >= begin && p.t < begin + width);
    const sum = (of) => seen.reduce((all, p) => all + of(p), 0);
    const all = sum((p) => p.up + p.slow + p.down);
    const of = figures(seen, begin, begin + width);
    return { from: begin, to: begin + width, low: of?.low ?? null, middle: of?.middle ?? null, high: of?.high ?? null, down: all ? sum((p) => p.down) / all : null };
  });
}

/** Round values for an axis from 0 to top: about five of them. */
export function ticks(top, about = 4) {
  const raw = top / about;
  const scale = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * scale).find((s) => s >= raw);
  const list = [];
  for (let v = 0; v <= top * 1.0001; v += step) list.push(Number(v.toPrecision(6)));
  return list;
}

/** Round instants for an axis of time: about as many as there is room for. */
export function times(from, to, about) {
  const steps = [1 / 60, 1 / 30, 1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((m) => m * MINUTE);
  const step = steps.find((s) => (to - from) / s <= about);
  return step ? clockTimes(from, to, step) : midnights(from, to, Math.ceil((to - from) / (24 * HOUR) / about));
}

function clockTimes(from, to, step) {
  const zone = new Date(from).getTimezoneOffset() * MINUTE;
  const list = [];
  for (let t = Math.ceil((from - zone) / step) * step + zone; t <= to; t += step) list.push(t);
  return list;
}

// Days are not all as long, where clocks are changed.
function midnights(from, to, days) {
  const list = [];
  const at = new Date(from);
  at.setHours(24, 0, 0, 0);
  for (; at.getTime() <= to; at.setDate(at.getDate() + days)) list.push(at.getTime());
  return list;
}
