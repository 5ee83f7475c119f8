// Draws the incident lane.

import { h, icon } from "../dom.js";
import { doneAbout, together, whose, whyBehind } from "../causes.js";
import { hhmmss, lasting, thousands } from "../units.js";
import { capital, heldAs } from "../vocabulary.js";
import { paragraph, stateFor } from "../words.js";
import { command, href, pill, progress } from "./bits.js";

const CLASS = { first: "first", was: "was", done: "", failed: "failed", now: "now-step", todo: "todo", healed: "healed", hold: "now-step hold-step", wait: "now-step hold-step", call: "now-step call-step" };

/** The lane of lane.js, whole; `behind` are the incidents that wait for its `root`: {of, depth, service}. */
export function lane(model, { stage = "", root = null, behind = [], now = NaN } = {}) {
  return h("section", { class: "panel lane", key: "lane", "data-incident": model.id, "data-about": root?.row.service ?? "", "data-stage": stage, "aria-labelledby": `h-lane-${model.id}` },
    h("div", { class: "lane-head" },
      pill(model.pill),
      h("h2", { id: `h-lane-${model.id}` }, h("a", { href: href.incident(model.id) }, model.title, icon("right"))),
      clock(model.clock)),
    h("ol", { class: `steps n${model.steps.length}`, "aria-label": "What happened so far, and what comes next" }, model.steps.map(step)),
    behind.length > 0 && tree(root, behind, now));
}

// "Down for 8 s, since 14:02:11", with a large figure.
const clock = ({ head, figure, rest }) => h("p", { class: "lane-clock" }, `${head} `, h("b", {}, figure), rest);

const MOST_BEHIND = 4;

// What is down only because this one is.
function tree(root, behind, now) {
  return h("div", { class: "lane-behind", key: "behind" },
    h("p", {}, whyBehind(root, behind.length)),
    h("ul", {}, behind.slice(0, MOST_BEHIND).map(({ of, depth, service }) => h("li", { key: of.row.id, class: `deep-${Math.min(depth, 3)}` },
      icon("held", "quiet"), h("a", { class: "plain", href: href.service(of.row.service) }, of.row.service),
      h("span", { class: service?.status === "DOWN" ? "down" : "quiet" }, service ? stateFor(service, now) : ""),
      h("span", { class: "quiet" }, service?.status === "DOWN" ? service.error : "")))),
    behind.length > MOST_BEHIND && h("p", { class: "quiet small" }, `And ${thousands(behind.length - MOST_BEHIND)} more.`));
}

/** The lane's place before anything broke: so that what stands below does not move when something does. */
export function idle(steps) {
  return h("section", { class: "panel lane lane-idle", key: "lane", "aria-labelledby": "h-lane" },
    h("div", { class: "lane-head" }, h("h2", { id: "h-lane" }, "No open incident"), h("p", { class: "lane-clock" }, "When a service breaks, each step of its incident appears here.")),
    h("ol", { class: "steps n6", "aria-label": "The steps of a repair" }, steps.map(step)));
}

/** Incidents of one cause, as one line. */
export function groupOf({ key, list, now }) {
  const since = Math.min(...list.map((of) => of.firstBad));
  const [{ stage, row }] = list;
  const held = heldAs(row.held);
  const person = stage === "escalated" || stage === "approval";
  return h("section", { class: "panel lane-line", key: `group-${key}`, "data-group": list.length, "data-stage": stage },
    pill(person ? { colour: stage === "approval" ? "warn" : "down", icon: "person", text: stage === "approval" ? "Approval needed" : "A person is needed" } : stage === "held" ? { ...held, text: held.word } : { colour: stage === "verification" ? "work" : "down", icon: stage === "verification" ? "work" : "down", text: stage === "verification" ? "Verifying" : "Open" }),
    h("div", {}, h("h2", {}, h("a", { href: "/incidents" }, capital(together(list)).replace(/\.$/, ""), icon("right"))), h("p", { class: "quiet" }, paragraph(whose(list), doneAbout(list, now)))),
    clock({ head: "For", figure: lasting(now - since), rest: `, since ${hhmmss(since)}` }));
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
export function laneLine(model, stage = "") {
  const at = model.steps.findIndex((place) => CLASS[place.is].startsWith("now-step"));
  const here = model.steps[at] ?? model.steps.findLast((place) => place.is !== "todo");
  return h("section", { class: "panel lane-line", key: `line-${model.id}`, "data-incident": model.id, "data-stage": stage },
    pill(model.pill),
    h("div", {}, h("h2", {}, h("a", { href: href.incident(model.id) }, model.title, icon("right"))), here && h("p", { class: "quiet" }, icon(here.icon), ` ${here.head}${here.lines[0] ? `. ${here.lines[0]}` : ""}`)),
    clock(model.clock));
}
