// What stands over the services where they are many: search, what is shown, the
// order, and whether they are cells or a table. And what the marks mean.

import { h, icon } from "../dom.js";
import { SHOWS, SORTS } from "../fleet.js";
import { lasting, many, thousands } from "../units.js";

/** model: {look, layout, all: how many there are, shown: how many match} */
export function tools({ look, layout, all, shown }) {
  const narrowed = look.text.trim() || look.show !== "all";
  return h("div", { class: "tools", key: "tools" },
    h("h2", { id: "h-services" }, "Services"),
    h("label", { class: "search" }, icon("search", "quiet"), h("span", { class: "vh" }, "Search services"),
      h("input", { id: "search", type: "search", autocomplete: "off", spellcheck: "false", placeholder: `Search ${many(all, "service")}` }), h("kbd", {}, "/")),
    h("div", { class: "seg", role: "group", "aria-label": "Show" }, SHOWS.map(([name, text]) => h("button", { key: name, type: "button", "data-act": "show", "data-show": name, "aria-pressed": look.show === name ? "true" : "false" }, text))),
    h("p", { class: "tools-found quiet small", role: "status" }, narrowed && [`${thousands(shown)} of ${many(all, "service")}`, h("button", { class: "btn bare", type: "button", "data-act": "clear" }, "Clear")]),
    h("div", { class: "tools-end" },
      h("label", { class: "sort" }, h("span", { class: "quiet small" }, "Sort"), h("select", { id: "sort" }, SORTS.map(([name, text]) => h("option", { key: name, value: name, selected: look.sort === name }, text)))),
      h("div", { class: "seg", role: "group", "aria-label": "View" }, [["grid", "Cells"], ["table", "Table"]].map(([name, text]) => h("button", { key: name, type: "button", "data-act": "view", "data-view": name, "aria-pressed": layout === name ? "true" : "false" }, text)))));
}

/** What cells and rows show, in words. */
export function legend({ reach }) {
  const part = (cls, text) => h("span", {}, h("i", { class: `key ${cls}` }), text);
  return h("p", { class: "legend quiet small", key: "legend" },
    h("span", {}, `Last ${lasting(reach)}:`), part("key-up", "up"), part("key-past", "was down"), part("key-now", "down now"), h("span", {}, icon("work", "work"), "repaired by LogStream"), part("key-slow", "degraded"), part("key-none", "no data"));
}
