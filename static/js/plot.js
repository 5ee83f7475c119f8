// The chart of a service: uPlot in the place that the view leaves for it, fed
// with what series.js computed. uPlot owns what is in that place; draw() does not
// look inside. Nothing in it moves by itself, so reduced motion changes nothing.

import { outside } from "./base.js";
import { columns, reach, ticks, times } from "./series.js";
import { moved, scaled } from "./zoom.js";
import { ABOVE, axisLabel, BELOW, colours, over, stamp, under } from "./paint.js";
import { readout } from "./readout.js";
import { touch } from "./touch.js";

const DRAG = 6; // pixels; less is a click

let loaded = null;

// uPlot is fetched with the first chart: the other pages have none.
function library() {
  loaded ??= Promise.all([fetched("script", { src: "/vendor/uplot/dist/uPlot.iife.min.js" }, "src"), fetched("link", { rel: "stylesheet", href: "/vendor/uplot/dist/uPlot.min.css" }, "href")])
    .then(() => window.uPlot)
    .catch((error) => {
      loaded = null;
      throw error;
    });
  return loaded;
}

function fetched(tag, attributes, address) {
  return new Promise((resolve, reject) => {
    const node = Object.assign(document.createElement(tag), attributes, { [address]: outside(attributes[address]) });
    node.onload = resolve;
    node.onerror = () => reject(new Error("The chart’s code could not be loaded."));
    document.head.append(node);
  });
}

/** `onZoom(view)` is called with what a visitor wants to see, null for all of it; `onFail` where there can be no chart. */
export function plot({ onZoom, onFail }) {
  let chart = null; // {host, place, model, u, ink, size, heard}

  // The next key may come before the next render.
  const zoomTo = (view) => {
    chart.model = { ...chart.model, zoomed: view, view: view ?? chart.model.bounds };
    onZoom(view);
  };

  const unmount = () => {
    chart?.u?.destroy();
    chart?.stop.abort();
    chart = null;
  };

  const mount = (host, place, model) => {
    chart = { host, place, model, u: null, ink: {}, size: 12, at: null, stop: new AbortController(), said: host.querySelector("[data-said]") };
    const { signal } = chart.stop;
    const mine = chart;
    host.addEventListener("keydown", keys, { signal });
    const look = () => mine === chart && paint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look, { signal });
    const theme = new MutationObserver(look);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const size = new ResizeObserver(() => mine === chart && fit());
    size.observe(place);
    signal.addEventListener("abort", () => { theme.disconnect(); size.disconnect(); });
    library().then((uPlot) => {
      if (mine !== chart) return;
      create(uPlot);
      document.fonts?.ready.then(look);
    }, () => mine === chart && onFail());
  };

  const scale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16; // a wall screen has larger type
  const box = () => ({ width: Math.max(1, chart.place.clientWidth), height: Math.max(1, chart.place.clientHeight) });

  const create = (uPlot) => {
    chart.uPlot = uPlot;
    chart.size = Math.round(12 * scale());
    chart.ink = colours(chart.place);
    const font = `${chart.size}px "Inter Variable", system-ui, sans-serif`;
    const ink = (token) => () => chart?.ink[token];
    const about = (u, width) => Math.max(2, Math.floor(u.width / scale() / width));
    const line = { spanGaps: false, points: { show: false } };
    chart.u = new uPlot({
      ...box(),
      padding: [ABOVE, 8, 0, 0],
      legend: { show: false },
      scales: {
        x: { range: () => [chart.model.view.from / 1000, chart.model.view.to / 1000] },
        y: { range: () => [0, chart.top] },
      },
      series: [
        {},
        { ...line, label: "highest" },
        { ...line, label: "lowest" },
        { ...line, label: "median", stroke: ink("ink"), width: 1.5, points: { show: true, size: 4, filter: alone, stroke: ink("ink"), fill: ink("ink") } },
      ],
      bands: [{ series: [1, 2], fill: ink("band") }],
      axes: [
        { font, stroke: ink("ink-3"), size: BELOW * scale(), gap: 32 * scale(), grid: { show: false }, ticks: { show: false }, splits: (u, _, from, to) => times(from * 1000, to * 1000, about(u, chart.model.view.to - chart.model.view.from < 240e3 ? 130 : 110)).map((t) => t / 1000), values: (_, list) => list.map((t) => stamp(chart.model.view)(t * 1000)) },
        { font, stroke: ink("ink-3"), size: 56 * scale(), gap: 8, grid: { stroke: ink("line"), width: 1 }, ticks: { show: false }, splits: () => ticks(chart.top), values: (_, list) => list.map(axisLabel) },
      ],
      cursor: {
        y: false, points: { size: (u, i) => (i === 3 ? 7 : 0), fill: ink("ink") },
        drag: { x: true, y: false, setScale: false, dist: DRAG },
        bind: { dblclick: () => () => { zoomTo(null); return null; } },
      },
      hooks: {
        drawClear: [(u) => chart && under(u, chart.model, chart.ink)],
        draw: [(u) => chart && over(u, chart.model, chart.ink, chart.size)],
        setSelect: [selected],
        setCursor: [(u) => chart?.tip?.show(u, chart)],
      },
    }, data(), chart.place);
    chart.tip = readout(chart.u);
    touch(chart.u, DRAG);
    noted();
  };

  const data = () => {
    const { list, view, limit } = chart.model;
    chart.top = reach(list.filter((p) => p.t >= view.from && p.t <= view.to), limit).top;
    chart.columns = columns(list);
    const { t, high, low, ms } = chart.columns;
    return t.length ? [t, high, low, ms] : [[view.from / 1000, view.to / 1000], ...Array(3).fill([null, null])];
  };

  // Writes what is drawn into the document, for tests.
  const noted = () => {
    const { view, outages } = chart.model;
    const seen = (t) => t >= view.from && t <= view.to;
    Object.assign(chart.place.dataset, { drawn: chart.columns.of.filter((p) => p && p.high !== null && seen(p.t)).length, from: Math.round(view.from), to: Math.round(view.to), repairs: outages.filter((o) => o.repaired && seen(o.acted)).length });
  };

  // Whether a model would be drawn as it stands: time that goes on by less than a pixel is not seen.
  const stands = ({ view, list, outages, limit, now }) => {
    const before = chart.drawn;
    const of = JSON.stringify([list, outages, limit, now]);
    const pixel = (view.to - view.from) / chart.u.width;
    if (before?.of === of && Math.abs(view.from - before.from) < pixel && Math.abs(view.to - before.to) < pixel) return true;
    chart.drawn = { of, from: view.from, to: view.to };
    return false;
  };

  const fit = () => {
    if (!chart.u) return;
    if (Math.round(12 * scale()) !== chart.size) {
      chart.u.destroy();
      create(chart.uPlot);
      return;
    }
    const { width, height } = box();
    if (width !== chart.u.width || height !== chart.u.height) chart.u.setSize({ width, height });
  };

  const paint = () => {
    if (!chart.u) return;
    chart.ink = colours(chart.place);
    chart.u.redraw(false, true);
  };

  const selected = (u) => {
    const { left, width } = u.select;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (width >= DRAG) zoomTo({ from: u.posToVal(left, "x") * 1000, to: u.posToVal(left + width, "x") * 1000 });
  };

  // ---- the keyboard: + and - zoom, arrows read out, with shift they move

  const keys = (event) => {
    if (!chart?.u || event.ctrlKey || event.metaKey || event.altKey) return;
    const { view, bounds, zoomed } = chart.model;
    const around = chart.at ?? (view.from + view.to) / 2;
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "+" || event.key === "=") zoomTo(scaled(zoomed, bounds, 2, around));
    else if (event.key === "-") zoomTo(scaled(zoomed, bounds, 0.5, around));
    else if (event.key === "0" || (event.key === "Escape" && zoomed)) zoomTo(null);
    else if (turn && event.shiftKey) zoomTo(moved(zoomed, bounds, turn / 4));
    else if (turn) step(turn);
    else if (event.key === "Home" || event.key === "End") step(event.key === "Home" ? -Infinity : Infinity);
    else return;
    event.preventDefault();
  };

  // Moves the read-out to the next point, and the view with it where that is beyond the edge.
  const step = (turn) => {
    const { of } = chart.columns;
    const { view, bounds, zoomed } = chart.model;
    const list = of.filter((p) => p && p.t >= bounds.from && (zoomed || p.t <= view.to));
    if (!list.length) return;
    const now = chart.at === null ? (turn < 0 ? list.length : -1) : list.findLastIndex((p) => p.t <= chart.at);
    const p = list[Math.min(list.length - 1, Math.max(0, now + turn))];
    chart.at = p.t;
    if (p.t < view.from || p.t > view.to) zoomTo(moved(zoomed, bounds, (p.t < view.from ? p.t - view.from : p.t - view.to) / (view.to - view.from) + turn * 0.1));
    else pointed();
  };

  const pointed = () => {
    if (chart.at === null) return;
    const left = chart.u.valToPos(chart.at / 1000, "x");
    if (left < 0 || left > chart.u.over.clientWidth) return;
    chart.u.setCursor({ left, top: chart.u.over.clientHeight / 3 });
    const said = chart.tip.said();
    if (chart.said && chart.said.textContent !== said) chart.said.textContent = said; // a live region: text that stays is not read again
  };

  return {
    /** Shows a model in the chart of the page: {list, view, bounds, zoomed, outages, limit, now}. Without a place there is none. */
    show(host, model) {
      const place = host?.querySelector("[data-plot]");
      if (!place || !model) return unmount();
      if (chart?.place !== place) {
        unmount();
        return mount(host, place, model);
      }
      if (chart.model.of !== model.of) chart.at = null;
      chart.model = model;
      if (!chart.u) return;
      if (!stands(model)) {
        chart.u.setData(data());
        noted();
      }
      if (chart.at !== null && chart.host.contains(document.activeElement)) pointed();
    },
  };
}

// A point between two gaps has no line to it, so it is drawn itself.
function alone(u, series, show, gaps) {
  const [i0, i1] = u.series[0].idxs;
  const ms = u.data[series];
  const list = [];
  for (let i = i0; i <= i1; i++) if (ms[i] !== null && (ms[i - 1] ?? null) === null && (ms[i + 1] ?? null) === null) list.push(i);
  return list;
}
