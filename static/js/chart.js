// Draws what series.js computed, as views of SVG. The size comes from the
// caller, who has measured the place. These small charts are not drawn by uPlot: a
// page has hundreds of them, which are not zoomed, and a canvas with its own
// listeners for each costs more than two paths that draw() skips while they stay.

import { h } from "./dom.js";
import { line, strip } from "./series.js";

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
  for (const run of runs) {
    const at = run.map(([x, y]) => `${fix(X(x))} ${fix(Y(y))}`);
    path += run.length > 1 ? `M${at.join("L")}` : `M${at[0]}h.1`;
    fill += `M${fix(X(run[0][0]))} ${floor}L${at.join("L")}L${fix(X(run.at(-1)[0]))} ${floor}z`;
  }
  return { path, fill };
}

/** A card's trace: latency over the strip, on one axis of time. */
export function trace(points, { key, width, height, from, to, now, ended, outages = [], limit, label, n = 60 }) {
  const drawn = line(points, { from, to, limit });
  const floor = height - 19;
  const X = (x) => x * width;
  const Y = (y) => floor - y * (floor - 2);
  const { path, fill } = curve(drawn.runs, X, Y, floor);
  return h("svg", { class: `trace${drawn.measured ? "" : " strip-only"}`, "data-size": key, role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}` },
    fill && h("path", { class: "l-fill", d: fill }),
    drawn.limit !== null && h("path", { class: "l-limit", d: `M0 ${fix(Y(drawn.limit))}H${width}` }),
    path && h("path", { class: "l-line", d: path }),
    bars(strip(points, { from, to, n, now, ended, outages }), 0, width, height));
}
