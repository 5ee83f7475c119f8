// The keys of this page, shown by "?".

import { h } from "../dom.js";

const KEYS = [["Tab", "to the next link or button"], ["Enter", "opens the link or presses the button"], ["/", "searches services or incidents"], ["↑ ↓", "move through the list"], ["?", "shows and hides these keys"], ["Esc", "hides them, and clears a search"]];

export function view() {
  return h("aside", { class: "panel pad keys", key: "keys", "aria-label": "Keys" },
    h("div", { class: "panel-head" }, h("h2", {}, "Keys"), h("button", { class: "btn end", type: "button", "data-act": "keys" }, "Hide")),
    h("dl", { class: "facts" }, KEYS.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)))));
}
