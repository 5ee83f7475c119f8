// Draws the incident lane.

import { h, icon } from "../dom.js";
import { command, href, pill, progress } from "./bits.js";

const CLASS = { first: "first", done: "", failed: "failed", now: "now-step", todo: "todo", healed: "healed", hold: "now-step hold-step", wait: "now-step hold-step", call: "now-step call-step" };

/** The lane of lane.js, whole. */
export function lane(model) {
  return h("section", { class: "panel lane", key: `lane-${model.id}`, "data-incident": model.id, "aria-labelledby": `h-lane-${model.id}` },
    h("div", { class: "lane-head" },
      pill(model.pill),
      h("h2", { id: `h-lane-${model.id}` }, h("a", { href: href.incident(model.id) }, model.title)),
      h("p", { class: "lane-clock" }, h("b", {}, model.clock.figure), ` ${model.clock.rest}`)),
    h("ol", { class: `steps n${model.steps.length}`, "aria-label": "What happened so far, and what comes next" }, model.steps.map(step)));
}

function step(place) {
  const current = CLASS[place.is].startsWith("now-step");
  return h("li", { class: `step ${CLASS[place.is]}`.trim(), key: place.key, "aria-current": current ? "step" : null },
    h("span", { class: "node" }, icon(place.icon), place.ring !== null && ring(place.ring)),
    place.took && h("p", { class: "took" }, h("span", {}, h("span", { class: "vh" }, "then, after "), place.took)),
    h("h3", {}, place.head),
    place.lines.map((text) => text && h("p", {}, text)),
    place.command && h("p", { class: "step-cmd" }, command(place.command)),
    place.by && h("p", { class: "by" }, place.by),
    progress(place.progress));
}

function ring(share) {
  return h("svg", { class: "ring", viewBox: "0 0 46 46", "aria-hidden": "true" },
    h("circle", { cx: 23, cy: 23, r: 21 }),
    h("circle", { cx: 23, cy: 23, r: 21, pathLength: 100, "stroke-dasharray": `${(share * 100).toFixed(1)} 100` }));
}

/** One line for an incident where the lane has no room. */
export function laneLine(model) {
  const at = model.steps.findIndex((place) => CLASS[place.is].startsWith("now-step"));
  const here = model.steps[at] ?? model.steps.findLast((place) => place.is !== "todo");
  return h("section", { class: "panel lane-line", key: `line-${model.id}`, "data-incident": model.id },
    pill(model.pill),
    h("h2", {}, h("a", { href: href.incident(model.id) }, model.title)),
    here && h("p", { class: "quiet" }, icon(here.icon), ` ${here.head}${here.lines[0] ? `. ${here.lines[0]}` : ""}`),
    h("p", { class: "lane-clock" }, h("b", {}, model.clock.figure), ` ${model.clock.rest}`));
}
