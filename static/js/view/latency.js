// The latency of one service over a window of time: the chart, what its parts
// mean, and the same as a table.

import { h, icon } from "../dom.js";
import { banded, figures, outages, points, rows as tabled, span } from "../series.js";
import { finest, WINDOWS, within } from "../zoom.js";
import { dated, hhmm, hhmmss, lasting, latency, many, percent, took } from "../units.js";
import { status } from "../vocabulary.js";
import { paragraph } from "../words.js";
import { loading, time } from "./bits.js";
import { milliseconds } from "./cards.js";

const HOUR = 60 * 60e3;
const ROWS = 24;

// uPlot's own place: always the same view, so that draw() leaves alone what is in it.
const PLACE = h("div", { class: "plot", "data-plot": true, key: "plot" });

/**
 * What a chart shows. `window` is the one that was chosen, `answers` gives the
 * answer of a window, `zoom` is the view that was chosen in it, or null.
 */
export function latencyOf({ window: chosen, zoom, answers, at, service, detail, incidents, health, instance }) {
  const answer = answers(chosen);
  const of = (window) => points(answers(window)?.value?.points ?? [], window[2] > HOUR ? [] : health, instance);
  const whole = of(chosen);
  const back = span(whole, at, chosen[2]);
  const bounds = { from: at - back, to: at };
  const zoomed = zoom && within(zoom, bounds);
  const view = zoomed ?? bounds;
  const fine = finest(zoomed, at, chosen);
  const list = fine !== chosen && answers(fine)?.value ? of(fine) : whole;
  const down = outages(incidents, service.name, at);
  return { of: `${service.name} ${chosen[0]}`, answer, list, bounds, zoomed, view, outages: down, limit: milliseconds(detail.config?.expect?.latency), now: service.status, reach: back, length: chosen[2] };
}

/** `model` is what latencyOf gives; `failed` says that there can be no chart. */
export function latencies({ window: [id], model, service, failed }) {
  const { answer, list, view, bounds, zoomed, reach, length } = model;
  const inside = list.filter((p) => p.t >= view.from && p.t <= view.to);
  const down = model.outages.filter((o) => o.to >= view.from && o.from <= view.to);
  const several = banded(inside);
  const seen = figures(list, view.from, view.to);
  const when = zoomed ? `from ${stamped(view.from, view)} to ${stamped(view.to, view)}` : `over the last ${lasting(reach)}`;
  const label = `Latency of ${service.name} ${when}: ${seen ? said(seen) : "no data"}. ${many(down.length, "incident")}, ${many(down.filter((o) => o.repaired).length, "repair")}. The table below the chart has the same data.`;
  const known = answer?.value || answer?.refusal;
  return h("section", { class: "panel", "aria-labelledby": "h-latency" },
    h("div", { class: "panel-head chart-head" },
      h("h2", { id: "h-latency" }, "Latency"),
      h("p", { class: "chart-key" },
        h("span", {}, h("i", { class: "key-line" }), several ? "median" : "each check"),
        several && h("span", {}, h("i", { class: "key-band" }), "lowest to highest"),
        h("span", {}, h("i", { class: "key-gone" }), "down"),
        h("span", {}, icon("work", "work"), "repaired by LogStream")),
      h("div", { class: "chart-controls end" },
        h("div", { class: "seg zooms", role: "group", "aria-label": "Zoom" },
          zoomButton("out", "Zoom out", "minus", !zoomed), zoomButton("in", "Zoom in", "plus", !seen), h("button", { type: "button", "data-act": "zoom", "data-zoom": "reset", disabled: !zoomed }, "Reset")),
        h("div", { class: "seg", role: "group", "aria-label": "How far back" }, WINDOWS.map(([value, text]) => h("button", { type: "button", "data-act": "window", "data-of": service.name, "data-window": value, "aria-pressed": value === id ? "true" : "false" }, text))))),
    known && !failed
      ? h("div", { class: "chart", key: "chart", tabindex: "0", role: "application", "aria-roledescription": "chart", "aria-label": label, "aria-describedby": "chart-keys" }, PLACE, h("p", { class: "vh", role: "status", "data-said": true, key: "said" }))
      : failed ? h("p", { class: "pad ink2" }, "The chart cannot be drawn, because its code could not be loaded. The table has its figures; reload the page to try again.") : h("div", { class: "chart" }, loading()),
    h("p", { class: "chart-foot quiet small" }, answer?.refusal
      ? paragraph("The history cannot be loaded now", answer.refusal.message)
      : paragraph(zoomed ? `Zoomed ${when}` : reach < length ? `Data for the last ${lasting(reach)}` : "", "Gaps are times without data", "Times are local"),
    h("span", { id: "chart-keys", class: "chart-keys" }, " Drag to zoom, double-click to reset. Keys: + and − zoom; arrow keys read values; Shift and arrow keys pan; 0 resets.")),
    seen && table(list, view, failed));
}

const zoomButton = (way, name, picture, disabled) => h("button", { type: "button", "data-act": "zoom", "data-zoom": way, "aria-label": name, title: name, disabled }, icon(picture));

const stamped = (t, view) => (view.to - view.from > 36 * HOUR ? dated : view.to - view.from < HOUR ? hhmmss : hhmm)(t);

const said = ({ low, middle, high }) => (low === high ? took(high) : `median ${took(middle)}, between ${took(low)} and ${took(high)}`);

// What the chart shows, for those who cannot see it or want figures.
function table(list, view, open) {
  const shown = tabled(list, { ...view, n: ROWS }).reverse();
  return h("details", { class: "more chart-table", key: "table", open: open || null }, h("summary", {}, "The chart as a table"),
    h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "The chart as a table" }, h("table", { class: "tbl" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "From"), ["Lowest", "Median", "Highest", "Down"].map((text) => h("th", { scope: "col", class: "num" }, text)))),
      h("tbody", {}, shown.map((row) => h("tr", {},
        h("td", {}, time(row.from, stamped(row.from, view))),
        [row.low, row.middle, row.high].map((ms) => h("td", { class: "num" }, ms === null ? "–" : latency(ms).join(" "))),
        h("td", { class: "num" }, row.down === null ? "no data" : row.down ? h("span", { class: "st past" }, icon(status("DOWN").shape, "past"), percent(row.down)) : "–")))))));
}
