// What a chart of latencies has beside its lines, drawn on uPlot's canvas: when
// the service was down, the limit, the repairs, and the strip of its states.

import { latency, dated, hhmm, hhmmss, shortDay, took } from "./units.js";
import { reach, strip } from "./series.js";

const HOUR = 60 * 60 * 1000;
const HEIGHT = { up: 5, slow: 8, warn: 12, past: 12, down: 15, none: 5 };
const LEAST = 8; // of what was bad, so that it is seen
const KINDS = { up: "up-tick", slow: "past", warn: "warn-tick", past: "past", down: "down-tick", none: "line" };

/** The height that axis, strip and times take below the plot, and the marks above it (CSS pixels at 1rem = 16px). */
export const BELOW = 58;
export const ABOVE = 30;

const TOKENS = ["ink", "ink-3", "line", "band", "past", "surface", "up-tick", "warn-tick", "warn-ink", "down-tick", "work-tick", "work-ink"];

/** The colours of the theme as it is now: custom properties are only resolved where an element uses them. */
export function colours(place) {
  const probe = document.createElement("i");
  place.append(probe);
  const of = Object.fromEntries(TOKENS.map((token) => {
    probe.style.color = `var(--${token})`;
    return [token, getComputedStyle(probe).color];
  }));
  probe.remove();
  return of;
}

/** What an axis says of an instant: a day at midnight where the view is long, seconds where it is short. */
export function stamp(view) {
  const long = view.to - view.from > 36 * HOUR;
  const short = view.to - view.from < 4 * 60e3;
  const midnight = (t) => new Date(t).getHours() === 0 && new Date(t).getMinutes() === 0;
  return (t) => (long && midnight(t) ? shortDay(t) : short ? hhmmss(t) : hhmm(t));
}

export function axisLabel(ms) {
  if (!ms) return "0";
  const [figure, unit] = ms >= 1000 ? [String(ms / 1000), "s"] : ms < 1 ? [String(ms), "ms"] : latency(ms);
  return `${figure} ${unit}`;
}

/** Under the lines: when it was down. */
export function under(u, { view, outages }, ink) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.globalAlpha = 0.28;
  u.ctx.fillStyle = ink.past;
  for (const o of outages.filter((one) => one.back >= view.from && one.from <= view.to)) {
    const [from, to] = [o.from, o.back].map((t) => Math.min(Math.max(u.valToPos(t / 1000, "x", true), left), left + width));
    u.ctx.fillRect(from, top, Math.max(1.5 * ratio(u), to - from), height);
  }
  u.ctx.restore();
}

/** Over the lines. `size` is the font's size in CSS pixels. */
export function over(u, model, ink, size) {
  const { ctx } = u;
  ctx.save();
  ctx.textBaseline = "alphabetic";
  ctx.lineWidth = ratio(u);
  limits(u, model, ink, size);
  repairs(u, model, ink, size);
  states(u, model, ink);
  ctx.restore();
}

const ratio = (u) => u.ctx.canvas.width / u.width;

function text(u, said, x, y, { size, fill, align = "left", weight = 400, back = "" }) {
  const { ctx } = u;
  ctx.font = `${weight} ${Math.round(size * ratio(u))}px "Inter Variable", system-ui, sans-serif`;
  ctx.textAlign = align;
  if (back) { // a line behind it would cross it out
    ctx.strokeStyle = back;
    ctx.lineWidth = 4 * ratio(u);
    ctx.lineJoin = "round";
    ctx.strokeText(said, x, y);
  }
  ctx.fillStyle = fill;
  ctx.fillText(said, x, y);
}

function limits(u, { list, view, limit }, ink, size) {
  const { ctx, bbox } = u;
  const px = ratio(u);
  const { near, peak } = reach(list.filter((p) => p.t >= view.from && p.t <= view.to), limit);
  if (near) {
    const y = u.valToPos(limit, "y", true);
    ctx.strokeStyle = ink["warn-tick"];
    ctx.lineWidth = 1.5 * px;
    ctx.setLineDash([5 * px, 4 * px]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    text(u, `limit ${latency(limit).join(" ")}`, bbox.left + bbox.width, y - 5 * px, { size, fill: ink["warn-ink"], align: "right", back: ink.surface });
  }
  if (peak) text(u, `peak ${took(peak)}`, bbox.left + 2 * px, bbox.top - 9 * px, { size, fill: ink["ink-3"] });
}

function diamond(ctx, x, y, r) {
  ctx.beginPath();
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.closePath();
}

// A diamond at each action, and in words what the last one was.
function repairs(u, { view, outages }, ink, size) {
  const { ctx, bbox } = u;
  const px = ratio(u);
  const seen = outages.filter((o) => o.repaired && o.acted >= view.from && o.acted <= view.to);
  ctx.strokeStyle = ink["work-tick"];
  ctx.fillStyle = ink["work-tick"];
  for (const o of seen) {
    const x = u.valToPos(o.acted / 1000, "x", true);
    ctx.lineWidth = 1.5 * px;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top - 6 * px);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    diamond(ctx, x, bbox.top - 13 * px, 6 * px);
    ctx.fill();
  }
  const last = seen.at(-1);
  if (!last) return;
  const x = u.valToPos(last.acted / 1000, "x", true);
  const at = (view.to - view.from > 36 * HOUR ? dated : hhmm)(last.acted);
  const right = x > bbox.left + bbox.width / 2;
  text(u, `${at} ${last.did || "repaired"}, down ${took(last.back - last.from)}`, x + (right ? -12 : 12) * px, bbox.top - 9 * px, { size, fill: ink["work-ink"], weight: 500, align: right ? "right" : "left", back: ink.surface });
}

/** Bars of the strip: as many as there is room for. */
const bars = (width) => (width > 520 ? 96 : 48);

function states(u, { list, view, outages, now, bounds }, ink) {
  const { ctx, bbox } = u;
  const px = ratio(u);
  const n = bars(bbox.width / px);
  const ended = outages.filter((o) => o.repaired).map((o) => o.acted);
  const base = bbox.top + bbox.height + 30 * px;
  const gap = (bbox.width / px / n > 4 ? 1.5 : 1) * px;
  const wide = (bbox.width - gap * (n - 1)) / n;
  strip(list, { from: view.from, to: view.to, n, now: view.to >= bounds.to ? now : null, ended, outages }).forEach((bar, i) => {
    const full = HEIGHT[bar.kind];
    const tall = (bar.kind === "past" || bar.kind === "slow" ? Math.max(LEAST, full * bar.share) : full) * px;
    const x = bbox.left + i * (wide + gap);
    ctx.fillStyle = ink[KINDS[bar.kind]];
    ctx.fillRect(x, base - tall, wide, tall);
    if (!bar.repaired) return;
    ctx.fillStyle = ink["work-tick"];
    ctx.strokeStyle = ink.surface;
    ctx.lineWidth = 1.5 * px;
    diamond(ctx, x + wide / 2, base - 12 * px, 4.5 * px);
    ctx.fill();
    ctx.stroke();
  });
}
