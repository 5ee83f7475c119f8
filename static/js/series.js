// What was measured, made ready for drawing. Pure: points in, numbers out.
// Nothing is smoothed, and where nothing was measured there is nothing.

import { instant } from "./units.js";
import { repaired } from "./words.js";

const MINUTE = 60 * 1000;
const LEAST = MINUTE / 2;
const MOST = 60 * MINUTE;

/** The answer of …/history and the live records after it as points {t, status, ms}, in order. */
export function points(history, records, instance) {
  const past = history.map((p) => ({ t: instant(p.t), status: p.status, ms: p.latency_ms })).filter((p) => Number.isFinite(p.t));
  const from = past.length ? past.at(-1).t : -Infinity;
  const live = records
    .filter((record) => record.check !== "container" && (!instance || !record.instance || record.instance === instance))
    .map((record) => ({ t: instant(record.timestamp), status: record.status, ms: record.latency_ms }))
    .filter((p) => p.t > from);
  return [...past, ...live].sort((a, b) => a.t - b.t);
}

/**
 * How far back to look: as far as anything is known, `most` at most. It grows in
 * steps, so that a picture is stretched now and then, and not each second.
 */
export function span(list, now, most = MOST) {
  const known = now - (list.find((p) => p.status)?.t ?? now);
  const step = known < 2 * MINUTE ? LEAST : MINUTE;
  return Math.min(most, Math.max(LEAST, Math.ceil(known / step) * step));
}

/**
 * When a service was down: `from` its first bad check `back` to its first good
 * one, and `to` the end of its incident; and whether LogStream repaired it.
 */
export function outages(rows, service, now) {
  return rows
    .filter((row) => row.service === service)
    .map((row) => {
      const opened = instant(row.opened);
      const to = row.resolved ? instant(row.resolved) : now;
      const from = Number.isFinite(row.ttr_ms) && row.resolved ? to - row.ttr_ms : Math.min(instant(row.first_bad ?? row.opened), opened);
      const back = Number.isFinite(row.down_ms) && row.resolved ? from + row.down_ms : to;
      return { id: row.id, from, back, to, repaired: repaired(row) };
    })
    .filter((o) => Number.isFinite(o.from));
}

/**
 * The strip: n bars from `from` to `to`, the oldest first. Each has its kind
 * (none, up, slow, warn, past, down: what lasts until now is in the colour of
 * now), the share of it that was bad, and whether a repair ended in it.
 */
export function strip(list, { from, to, n, now = null, ended = [] }) {
  const width = (to - from) / n;
  const bars = Array.from({ length: n }, () => ({ kind: "none", share: 0, repaired: false, good: 0, slow: 0, down: 0 }));
  const at = (t) => Math.floor((t - from) / width);
  for (const p of list) {
    const bar = bars[at(p.t)];
    if (!bar || !p.status) continue;
    if (p.status === "UP") bar.good++;
    else if (p.status === "DEGRADED") bar.slow++;
    else if (p.status === "DOWN") bar.down++;
  }
  let before = "none"; // a check may be rarer than a bar: the bar after it shows what it saw
  const rare = rarity(list, width);
  let silent = 0;
  for (const bar of bars) {
    const all = bar.good + bar.slow + bar.down;
    if (all) {
      bar.kind = bar.down ? "past" : bar.slow ? "slow" : "up";
      bar.share = (bar.down || bar.slow) / all;
      silent = 0;
      before = bar.kind;
    } else if (before !== "none" && ++silent < rare) {
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
 * The latency line as stretches without a gap, of [x, y] between 0 and 1; a
 * check that was down is a gap. `top` is what y = 1 stands for.
 */
export function line(list, { from, to, limit = 0 }) {
  const seen = list.filter((p) => p.t >= from && p.t <= to);
  const measured = seen.filter((p) => isMeasured(p));
  const worst = measured.reduce((most, p) => Math.max(most, p.ms), 0);
  const middle = quantile(measured.map((p) => p.ms), 0.5) ?? 0;
  const near = limit > 0 && worst > limit * 0.6;
  const top = Math.max(worst * 1.08, middle * 1.7, near ? limit * 1.15 : 0, 1);
  const runs = [];
  let run = null;
  let last = -Infinity;
  const step = typicalStep(seen);
  for (const p of seen) {
    if (!isMeasured(p) || p.t - last > step) run = null;
    last = p.t;
    if (!isMeasured(p)) continue;
    if (!run) runs.push((run = []));
    run.push([(p.t - from) / (to - from), p.ms / top]);
  }
  return { runs, top, limit: near ? limit / top : null, measured: measured.length };
}

function isMeasured(p) {
  return (p.status === "UP" || p.status === "DEGRADED") && Number.isFinite(p.ms);
}

// Longer than this between two points, and nothing was measured there.
function typicalStep(list) {
  const gaps = list.slice(1).map((p, i) => p.t - list[i].t);
  return Math.max((quantile(gaps, 0.5) ?? 0) * 4, 5000);
}

/** A quantile of the numbers, or null. */
export function quantile(numbers, q) {
  const known = numbers.filter(Number.isFinite).sort((a, b) => a - b);
  return known.length ? known[Math.min(known.length - 1, Math.floor(q * known.length))] : null;
}

/** Latencies of a stretch of time: {now, low, high, p95}, or null where none was measured. */
export function figures(list, from, to) {
  const ms = list.filter((p) => p.t >= from && p.t <= to && isMeasured(p)).map((p) => p.ms);
  if (!ms.length) return null;
  return { now: ms.at(-1), low: Math.min(...ms), high: Math.max(...ms), p95: quantile(ms, 0.95) };
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
  const steps = [1, 2, 5, 10, 15, 30, 60].map((m) => m * MINUTE);
  const step = steps.find((s) => (to - from) / s <= about) ?? steps.at(-1);
  const zone = new Date(from).getTimezoneOffset() * MINUTE;
  const list = [];
  for (let t = Math.ceil((from - zone) / step) * step + zone; t <= to; t += step) list.push(t);
  return list;
}
