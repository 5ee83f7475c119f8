// The latency of one service over a window of time: the chart, what its parts
// mean, and the same as a table.

import { h, icon } from "../dom.js";
import { chart } from "../chart.js";
import { banded, figures, outages, points, rows as tabled, span } from "../series.js";
import { dated, hhmm, lasting, latency, many, percent, took } from "../units.js";
import { status } from "../vocabulary.js";
import { paragraph } from "../words.js";
import { loading, time } from "./bits.js";
import { milliseconds } from "./cards.js";

/** How far the chart can go back: the API's name, the button's text, and milliseconds. */
export const WINDOWS = [["15m", "15 min", 15], ["1h", "1 h", 60], ["6h", "6 h", 360], ["24h", "24 h", 1440], ["7d", "7 d", 10080], ["30d", "30 d", 43200]].map(([id, text, minutes]) => [id, text, minutes * 60e3]);

const HOUR = 60 * 60e3;
const ROWS = 24;

/** model: {window, answer, at, service, detail, incidents, health, instance, width} */
export function latencies({ window: [id, , length], answer, at, service, detail, incidents, health, instance, width }) {
  const list = points(answer?.value?.points ?? [], length > HOUR ? [] : health, instance);
  const reach = span(list, at, length);
  const from = at - reach;
  const down = outages(incidents, service.name, at).filter((o) => o.to >= from);
  const several = banded(list);
  const seen = figures(list, from, at);
  const label = `Latency of ${service.name} over the last ${lasting(reach)}: ${seen ? said(seen) : "no data"}. ${many(down.length, "incident")}. The table below the chart has the same.`;
  return h("section", { class: "panel", "aria-labelledby": "h-latency" },
    h("div", { class: "panel-head chart-head" },
      h("h2", { id: "h-latency" }, "Latency"),
      h("p", { class: "chart-key" },
        h("span", {}, h("i", { class: "key-line" }), several ? "median" : "each check"),
        several && h("span", {}, h("i", { class: "key-band" }), "lowest to highest"),
        h("span", {}, h("i", { class: "key-gone" }), "down"),
        h("span", {}, icon("work", "work"), "repaired by LogStream")),
      h("div", { class: "seg end", role: "group", "aria-label": "How far back" }, WINDOWS.map(([value, text]) => h("button", { type: "button", "data-act": "window", "data-of": service.name, "data-window": value, "aria-pressed": value === id ? "true" : "false" }, text)))),
    answer?.value || answer?.refusal ? chart(list, { key: "chart", width, height: width < 560 ? 256 : 320, from, to: at, now: service.status, outages: down, limit: milliseconds(detail.config?.expect?.latency), label }) : loading(),
    h("p", { class: "chart-foot quiet small" }, answer?.refusal ? paragraph("The history cannot be loaded now", answer.refusal.message) : paragraph(reach < length ? `Data of the last ${lasting(reach)}` : "", "Gaps are times without data", "Times are local")),
    seen && table(list, from, at));
}

const said = ({ low, middle, high }) => (low === high ? took(high) : `median ${took(middle)}, between ${took(low)} and ${took(high)}`);

// What the chart shows, for those who cannot see it or want figures.
function table(list, from, to) {
  const shown = tabled(list, { from, to, n: ROWS }).reverse();
  const stamp = to - from > 36 * HOUR ? dated : hhmm;
  return h("details", { class: "more chart-table", key: "table" }, h("summary", {}, "The chart as a table"),
    h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "The chart as a table" }, h("table", { class: "tbl" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "From"), ["Lowest", "Median", "Highest", "Down"].map((text) => h("th", { scope: "col", class: "num" }, text)))),
      h("tbody", {}, shown.map((row) => h("tr", {},
        h("td", {}, time(row.from, stamp(row.from))),
        [row.low, row.middle, row.high].map((ms) => h("td", { class: "num" }, ms === null ? "–" : latency(ms).join(" "))),
        h("td", { class: "num" }, row.down === null ? "no data" : row.down ? h("span", { class: "st past" }, icon(status("DOWN").shape, "past"), percent(row.down)) : "–")))))));
}
