// The night as one line of time, with what happened on it.

import { h } from "../dom.js";
import { hhmm } from "../units.js";

const KIND = { repaired: "repaired", recovered: "recovered by itself", person: "a person was called" };
const HOUR = 60 * 60 * 1000;
const HEIGHT = 34;

/** of: lastNight() of night.js; width: of its place */
export function night(of, width) {
  if (!of?.marks.length) return null;
  const X = (at) => 8 + ((at - of.from) / (of.to - of.from)) * (width - 16);
  const fix = (n) => Number(n.toFixed(1));
  const hours = [];
  for (let at = of.from; at <= of.to; at += (width < 420 ? 5 : 2) * HOUR) hours.push(at);
  return h("div", { class: "night", key: "night" },
    h("svg", { "data-size": "night", viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": `${of.text} From ${hhmm(of.from)} to ${hhmm(of.to)}.` },
      h("path", { class: "night-line", d: `M8 10H${width - 8}${hours.map((at) => `M${fix(X(at))} 7v6`).join("")}` }),
      hours.map((at, i) => h("text", { class: "axis", key: at, x: fix(X(at)), y: 30, "text-anchor": i === 0 ? "start" : i === hours.length - 1 ? "end" : "middle" }, hhmm(at))),
      of.marks.map(({ at, kind, row }) => h("path", { key: `${row.id} ${kind}`, class: `night-${kind}`, d: shape(kind, fix(X(at))) }, h("title", {}, `${hhmm(at)}, ${row.service}: ${KIND[kind]}`)))));
}

function shape(kind, x) {
  if (kind === "repaired") return `M${x} 4l6 6l-6 6l-6 -6z`;
  const r = kind === "person" ? 5 : 3;
  return `M${x - r} 10a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 -${2 * r} 0z`;
}
