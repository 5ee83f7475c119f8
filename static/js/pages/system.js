// LogStream itself: what it is, what it depends on, and its problems.

import { h } from "../dom.js";
import { clock } from "../store.js";
import { lasting, many, thousands } from "../units.js";
import { modeLine, release } from "../words.js";
import { dependencyList } from "../view/agent.js";
import { banner, byWeight } from "../view/banners.js";
import { facts, loading } from "../view/bits.js";

export function needs() {
  return ["/info"];
}

export function title({ state }) {
  const n = state.info?.troubles?.length ?? 0;
  return `${n ? `(${n}) ` : ""}System · LogStream`;
}

export function view({ state, now }) {
  const { info } = state;
  if (!info) return h("main", { id: "main", key: "system", class: "wrap page" }, h("h1", { class: "vh", tabindex: "-1" }, "System"), loading());
  const at = clock(state, now);
  const problems = byWeight(info.troubles ?? []);
  return h("main", { id: "main", key: "system", class: "wrap page" },
    h("header", { class: "title" }, h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, health(problems)),
      h("p", {}, [modeLine(info.mode), info.held ? "Repairs are on hold on this host." : ""].filter(Boolean).join(" ")))),
    problems.length > 0 && h("div", { class: "banners" }, problems.map((problem) => banner(problem, at))),
    info.config_error && h("section", { class: "panel pad", "aria-labelledby": "h-config" }, h("h2", { id: "h-config" }, "The last edit of config.yaml is not in use"), h("p", { class: "ink2 small" }, "LogStream runs with the configuration before it. What is wrong:"), h("pre", { class: "frame", tabindex: "0" }, h("code", {}, typeof info.config_error === "string" ? info.config_error : JSON.stringify(info.config_error, null, 2)))),
    h("div", { class: "two even" },
      h("section", { class: "panel pad", "aria-labelledby": "h-dependencies" }, h("h2", { id: "h-dependencies" }, "Dependencies"),
        dependencyList(info)),
      h("section", { class: "panel pad", "aria-labelledby": "h-self" }, h("h2", { id: "h-self" }, "This instance"),
        facts([["Version", release(info.version) || "a development build"], ["Instance", info.instance && h("code", {}, info.instance)], ["Docker host", info.host], ["Active", info.active === undefined ? "" : info.active ? "yes: it repairs this host" : "no: another instance repairs this host"], ["Mode", info.mode], ["Uptime", Number.isFinite(info.uptime_s) ? lasting(info.uptime_s * 1000 + (now - state.infoAt)) : ""], ["Services", String(state.services.size)], ["Checks", punctual(info.checks)]]))));
}

/** How many checks came late or were left out since the start. */
function punctual(checks) {
  return checks && (checks.late || checks.skipped ? `${thousands(checks.late)} late, ${thousands(checks.skipped)} skipped` : "all on time");
}

// A model that is unavailable stops nothing.
function health(problems) {
  const grave = problems.filter((problem) => problem.part !== "llm").length;
  if (grave) return `${many(grave, "component")} of LogStream ${grave === 1 ? "has" : "have"} a problem`;
  return problems.length ? "All components healthy except the model" : "All components healthy";
}
