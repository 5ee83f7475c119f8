// What is around each page: the top bar, the bar under it while the page is cut off, and its keys.

import { h, icon } from "../dom.js";
import { hhmmss, lasting, many, thousands } from "../units.js";
import { control as button } from "./dialog.js";

const PAGES = [["Overview", "/"], ["Incidents", "/incidents"], ["Approvals", "/approvals"], ["System", "/system"]];
const OF_OVERVIEW = ["/services/", "/add"]; // pages that are below it

/** model: {path, open, weight, waits, control, stale, conn, rate, mode, lostAt, now}; `weight` colours the open ones, `waits` for a person, `control`: repairs can be held. */
export function top({ path, open, weight = "down", waits = 0, control = false, stale = false, conn, rate, mode, lostAt, now }) {
  const current = PAGES.findLast(([, to]) => (to === "/" ? path === "/" || OF_OVERVIEW.some((start) => path.startsWith(start)) : path.startsWith(to)));
  return h("header", { class: "top", key: "top" }, h("div", { class: "wrap" },
    h("a", { class: "brand", href: "/", "aria-label": "LogStream, overview" },
      h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { class: "m-line", d: "M1.5 12h3.2l2-5 2 5M15.3 12l2 5 2-5h3.2" }), h("path", { class: "m-mark", d: "M12 7.6 16.4 12 12 16.4 7.6 12z" })),
      "LogStream"),
    h("nav", { "aria-label": "Main" }, h("ul", {}, PAGES.map(([text, to]) => h("li", {},
      h("a", { href: to, "aria-current": current?.[1] === to ? "page" : null }, text,
        to === "/incidents" && open > 0 && [" ", h("span", { class: `count ${weight}` }, thousands(open), h("span", { class: "vh" }, " open"))],
        to === "/approvals" && waits > 0 && [" ", h("span", { class: "count warn" }, thousands(waits), h("span", { class: "vh" }, waits === 1 ? " waits for a person" : " wait for a person"))]))))),
    h("div", { class: "top-end" },
      live(conn, rate, lostAt, now),
      mode && h("span", { class: "top-mode" }, "Mode ", h("b", {}, mode)),
      control && h("a", { class: "btn bare top-add", href: "/add", "aria-label": "Add a service" }, icon("plus"), "Add a service"),
      control && button("hold", "*", { text: "Hold all repairs", tone: "top-hold", picture: "held", label: "Hold all repairs", stale }),
      h("button", { class: "btn icon bare", type: "button", "data-act": "theme", "aria-label": "Switch between light and dark" }, icon("theme")))));
}

function live(conn, rate, lostAt, now) {
  if (conn === "loading") return h("span", { class: "live quiet" }, icon("none"), "Connecting");
  if (conn !== "live") return h("span", { class: "live stale" }, icon("offline"), lostAt ? `No connection for ${lasting(now - lostAt)}` : "No connection");
  return h("span", { class: "live" }, icon("live"), h("span", {}, "Live", rate !== null && h("span", { class: rate > 0 ? "live-rate" : null }, rate > 0 ? `, ${many(rate < 9.95 ? Number(rate.toFixed(1)) : Math.round(rate), "check")}/s` : ", no checks")));
}

/** The bar that says since when the page is cut off, and what that means. */
export function cutoff({ lostAt, at, retryAt, now }) {
  const left = Math.ceil((retryAt - now) / 1000);
  return h("div", { class: "cutoff", key: "cutoff", role: "alert" }, h("div", { class: "wrap" },
    icon("offline"),
    h("p", {}, h("b", {}, "This page lost its connection", h("span", { "aria-live": "off" }, ` ${lasting(now - lostAt)} ago`), "."), at ? ` It shows the state at ${hhmmss(at)}. Checks and repairs may go on meanwhile.` : " No data yet."),
    h("span", { class: "quiet-on", "aria-live": "off" }, left > 0 ? `Trying again in ${left} s` : "Trying again"),
    h("button", { class: "btn", type: "button", "data-act": "reconnect" }, "Try now")));
}

const KEYS = [["Tab", "to the next link or button"], ["Enter", "opens the link or presses the button"], ["/", "searches services or incidents"], ["↑ ↓", "move through the list"], ["?", "shows and hides these keys"], ["Esc", "hides them, and clears a search"]];

/** The keys of this page, shown by "?". */
export function keys() {
  return h("aside", { class: "panel pad keys", key: "keys", "aria-label": "Keys" },
    h("div", { class: "panel-head" }, h("h2", {}, "Keys"), h("button", { class: "btn end", type: "button", "data-act": "keys" }, "Hide")),
    h("dl", { class: "facts" }, KEYS.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)))));
}
