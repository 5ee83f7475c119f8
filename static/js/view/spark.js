// The last hours of a service, small: its latency over the strip of its states,
// each kind of bar as one path, so that hundreds of them are few nodes.

import { h } from "../dom.js";
import { line, strip } from "../series.js";

const HEIGHT = { up: 4, slow: 7, warn: 11, past: 11, down: 14, none: 4 };
const LEAST = 8; // of what was bad, so that it is seen
const fix = (n) => Number(n.toFixed(1));

/** How long one bar is, and the span that ends with the bar in which `now` is: what is drawn changes with the bar. */
export function bars(reach, now, n = 48) {
  const width = reach / n;
  const to = (Math.floor(now / width) + 1) * width;
  return { from: to - reach, to, n, bar: Math.floor(now / width) };
}

/** The strip alone, as paths: the newest bar is at the right. */
function states(list, { width, height, from, to, n, now, acted, outages = [] }) {
  const step = width / n;
  const drawn = {};
  let marks = "";
  strip(list, { from, to, n, now, ended: acted, outages }).forEach((bar, i) => {
    const full = HEIGHT[bar.kind];
    const tall = bar.kind === "past" || bar.kind === "slow" ? Math.max(LEAST, full * bar.share) : full;
    drawn[bar.kind] = `${drawn[bar.kind] ?? ""}M${fix(i * step)} ${fix(height - tall)}h${fix(Math.max(1, step - 1))}v${fix(tall)}h-${fix(Math.max(1, step - 1))}z`;
    if (bar.repaired) marks += `M${fix((i + 0.5) * step)} ${fix(height - 18)}l4 4l-4 4l-4 -4z`;
  });
  return [...Object.entries(drawn).map(([kind, d]) => h("path", { class: `k-${kind}`, key: kind, d })), marks && h("path", { class: "k-mark", key: "marks", d: marks })];
}

function latency(list, { width, height, from, to, limit }) {
  const { runs, limit: near } = line(list, { from, to, limit });
  const X = (x) => fix(x * width);
  const Y = (y) => fix(height - y * (height - 2));
  let path = "";
  let fill = "";
  for (const run of runs) {
    const at = run.map(([x, y]) => `${X(x)} ${Y(y)}`);
    path += run.length > 1 ? `M${at.join("L")}` : `M${at[0]}h.1`;
    fill += `M${X(run[0][0])} ${height}L${at.join("L")}L${X(run.at(-1)[0])} ${height}z`;
  }
  return [fill && h("path", { class: "l-fill", d: fill }), near !== null && h("path", { class: "l-limit", d: `M0 ${Y(near)}H${width}` }), path && h("path", { class: "l-line", d: path })];
}

/** Both, one over the other. With `size` its width is measured. */
export function spark(list, { size = null, width, label, ...of }) {
  return h("svg", { class: "spark", "data-size": size, role: "img", "aria-label": label, viewBox: `0 0 ${width} 52`, width: size ? null : width, height: 52 },
    latency(list, { ...of, width, height: 30 }), states(list, { ...of, width, height: 52 }));
}

/** The latency alone, for a row. */
export function sparkline(list, { width, label, ...of }) {
  return h("svg", { class: "spark", role: "img", "aria-label": label, viewBox: `0 0 ${width} 20`, width, height: 20 }, latency(list, { ...of, width, height: 20 }));
}

/** The strip alone, for a row. */
export function stripe(list, { width, label, ...of }) {
  return h("svg", { class: "spark", role: "img", "aria-label": label, viewBox: `0 0 ${width} 22`, width, height: 22 }, states(list, { ...of, width, height: 21 }));
}
