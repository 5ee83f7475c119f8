// Draws what series.js computed, as views of SVG. The size comes from the
// caller, who has measured the place.

import { h } from "./dom.js";
import { dated, hhmm, latency, shortDay, took } from "./units.js";
import { line, strip, ticks, times } from "./series.js";

const HOUR = 60 * 60 * 1000;
const HEIGHT = { up: 5, slow: 8, warn: 12, past: 12, down: 15, none: 5 };
const diamond = (x, y, r) => `M${fix(x)} ${fix(y - r)}L${fix(x + r)} ${fix(y)}L${fix(x)} ${fix(y + r)}L${fix(x - r)} ${fix(y)}z`;
const fix = (n) => Number(n.toFixed(1));

/** The bars of a strip, standing on `base`. */
function bars(list, x0, width, base) {
  const gap = width / list.length > 4 ? 1.5 : 1;
  const w = (width - gap * (list.length - 1)) / list.length;
  const left = (i) => x0 + i * (w + gap);
  const rects = list.map((bar, i) => {
    const full = HEIGHT[bar.kind];
    const height = bar.repaired ? 8 : bar.kind === "past" || bar.kind === "slow" ? Math.max(8, full * bar.share) : full;
    return h("rect", { class: `k-${bar.kind}`, x: fix(left(i)), y: fix(base - height), width: fix(w), height: fix(height), rx: 0.75 });
  });
  const marks = list.flatMap((bar, i) => (bar.repaired ? [h("path", { class: "k-mark", d: diamond(left(i) + w / 2, base - 10, 4.5) })] : []));
  return [...rects, ...marks];
}

function curve(runs, X, Y, floor) {
  let path = "";
  let fill = "";
  let band = ""; // from the least to the most, where points stand for several checks
  for (const run of runs) {
    const at = run.map(([x, y]) => `${fix(X(x))} ${fix(Y(y))}`);
    path += run.length > 1 ? `M${at.join("L")}` : `M${at[0]}h.1`;
    const edge = (of) => run.map((p) => `${fix(X(p[0]))} ${fix(Y(p[of]))}`);
    band += `M${edge(3).join("L")}L${edge(2).reverse().join("L")}z`;
    fill += `M${fix(X(run[0][0]))} ${floor}L${at.join("L")}L${fix(X(run.at(-1)[0]))} ${floor}z`;
  }
  return { path, fill, band };
}

/** A card's trace: latency over the strip, on one axis of time. */
export function trace(points, { key, width, height, from, to, now, ended, limit, label, n = 60 }) {
  const drawn = line(points, { from, to, limit });
  const floor = height - 19;
  const X = (x) => x * width;
  const Y = (y) => floor - y * (floor - 2);
  const { path, fill } = curve(drawn.runs, X, Y, floor);
  return h("svg", { class: `trace${drawn.measured ? "" : " strip-only"}`, "data-size": key, role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}` },
    fill && h("path", { class: "l-fill", d: fill }),
    drawn.limit !== null && h("path", { class: "l-limit", d: `M0 ${fix(Y(drawn.limit))}H${width}` }),
    path && h("path", { class: "l-line", d: path }),
    bars(strip(points, { from, to, n, now, ended }), 0, width, height));
}

/** The latency of one service with its axes, what happened drawn upon it. */
export function chart(points, { key, width, height, from, to, now, outages, limit, label }) {
  const L = 48, R = 8, T = 26, B = height - 52;
  const drawn = line(points, { from, to, limit });
  const X = (x) => L + x * (width - L - R);
  const Y = (y) => B - y * (B - T);
  const at = (t) => X((t - from) / (to - from));
  const { path, fill, band } = curve(drawn.runs, X, Y, B);
  const values = drawn.measured ? ticks(drawn.top) : [];
  const seen = outages.filter((o) => o.to >= from && o.from <= to);
  const wide = width > 560;
  const last = seen.findLast((o) => o.repaired);
  const lastX = last && at(last.to);
  const long = to - from > 36 * HOUR;
  const marks = times(from, to, wide ? 9 : 4);
  const midnight = (t) => new Date(t).getHours() === 0 && new Date(t).getMinutes() === 0;
  return h("svg", { class: "chart", "data-size": key, role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}` },
    values.map((ms) => [
      h("path", { class: "c-grid", d: `M${L} ${fix(Y(ms / drawn.top))}H${width - R}` }),
      h("text", { class: "axis", x: L - 8, y: fix(Y(ms / drawn.top)) + 4, "text-anchor": "end" }, ms ? axisLabel(ms) : "0"),
    ]),
    marks.map((t) => h("text", { class: "axis", x: fix(Math.min(at(t), width - 20)), y: height - 2, "text-anchor": "middle" }, long && midnight(t) ? shortDay(t) : hhmm(t))),
    seen.map((o) => h("rect", { class: "c-gone", x: fix(Math.max(L, at(o.from))), y: T, width: fix(Math.max(1.5, Math.min(width - R, at(o.back)) - Math.max(L, at(o.from)))), height: B - T })),
    drawn.banded ? h("path", { class: "c-band", d: band }) : fill && h("path", { class: "l-fill", d: fill }),
    path && h("path", { class: "c-line", d: path }),
    drawn.peak && h("text", { class: "axis", x: L, y: T - 8, "text-anchor": "start" }, `peak ${took(drawn.peak)}`),
    drawn.limit !== null && [
      h("path", { class: "l-limit", d: `M${L} ${fix(Y(drawn.limit))}H${width - R}` }),
      h("text", { class: "axis", x: width - R, y: fix(Y(drawn.limit)) - 5, "text-anchor": "end" }, `limit ${took(limit)}`),
    ],
    seen.filter((o) => o.repaired && o.to <= to).map((o) => h("path", { class: "k-mark", d: diamond(at(o.to), T - 10, 6) })),
    last && last.to <= to && h("text", { class: "c-say", x: fix(lastX > width / 2 ? lastX - 12 : lastX + 12), y: T - 6, "text-anchor": lastX > width / 2 ? "end" : "start" }, `${long ? dated(last.to) : hhmm(last.to)} repaired, down ${took(last.back - last.from)}`),
    bars(strip(points, { from, to, n: wide ? 96 : 48, now, ended: outages.filter((o) => o.repaired).map((o) => o.to) }), L, width - L - R, B + 30));
}

function axisLabel(ms) {
  const [figure, unit] = ms >= 1000 ? [String(ms / 1000), "s"] : ms < 1 ? [String(ms), "ms"] : latency(ms);
  return `${figure} ${unit}`;
}
