// Where a component of LogStream has a problem: what is wrong and since when,
// what still works, what is on hold, and how to fix it. The worst stands first
// and whole, the others fold under it.

import { h, icon } from "../dom.js";
import { instant, many, when } from "../units.js";
import { capital, part, PART_ORDER } from "../vocabulary.js";
import { paragraph, reason } from "../words.js";
import { facts, remedy } from "./bits.js";

/** Problems of LogStream as a page shows them: those that it reports, and services that have a name of another host's. */
export function problems({ info, twice }) {
  const [first, ...others] = [...(twice ?? [])];
  if (!first) return info?.troubles ?? [];
  const [name, host] = first;
  const [is, them] = others.length ? [`and ${many(others.length, "other service")} have names that services of other hosts have as well`, "those of the other hosts"] : [`is the name of a service on host ${host} as well`, `that of host ${host}`];
  return [...(info?.troubles ?? []), { part: "names", what: `${name} ${is}: this page shows only what is on this host`, works: "each host goes on with its own services", on_hold: `showing ${them} on this page`, remedy: { text: "Give each service a name of its own in config.yaml." } }];
}

/** Problems, the worst first. */
export function byWeight(problems) {
  const weight = (problem) => (PART_ORDER.indexOf(problem.part) + PART_ORDER.length) % PART_ORDER.length;
  return [...problems].sort((a, b) => weight(a) - weight(b));
}

/** One problem, whole. */
export function banner(problem, now) {
  const since = instant(problem.since);
  const { name, icon: picture } = part(problem.part);
  const headline = `Problem with ${name}${Number.isFinite(since) ? ` since ${when(since, now)}` : ""}`;
  const head = h("h2", {}, headline);
  const attrs = { key: `problem-${problem.part}`, "data-problem": problem.part, "aria-label": headline };
  if (problem.part === "llm") return calm(problem, attrs, head);
  return h("section", { class: "banner hold", ...attrs },
    icon(picture),
    h("div", {}, head, h("p", {}, reason(problem.what))),
    facts([["Still works", capital(problem.works ?? "")], ["On hold", capital(problem.on_hold ?? "")], ["How to fix", ...remedy(problem.remedy)]], "banner-facts"));
}

// A model that is unavailable stops nothing, and says nothing about the other components.
function calm(problem, attrs, head) {
  return h("section", { class: "banner calm", ...attrs },
    icon(part(problem.part).icon),
    h("div", {}, head, h("p", {}, paragraph(reason(problem.what), "The runbook decides in its place."))),
    problem.remedy && h("p", { class: "banner-fix" }, h("span", { class: "vh" }, "How to fix: "), remedy(problem.remedy)));
}

/** All of them, for the overview. */
export function banners(problems, now) {
  const [worst, ...others] = byWeight(problems ?? []);
  if (!worst) return null;
  return h("div", { class: "banners", key: "banners", role: "region", "aria-label": "Problems of LogStream itself" },
    banner(worst, now),
    others.length > 0 && h("details", { class: "more-problems" }, h("summary", {}, `${others.length} more: ${others.map((problem) => part(problem.part).name).join(", ")}`), others.map((problem) => banner(problem, now))));
}
