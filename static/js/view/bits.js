// Small pieces that several views share.

import { h, icon } from "../dom.js";
import { hhmm, iso } from "../units.js";
import { capital, status } from "../vocabulary.js";

/** An instant as <time>; hover gives it whole, with the offset. */
export function time(at, text = hhmm(at)) {
  if (!Number.isFinite(at)) return h("time", {}, "");
  return h("time", { datetime: iso(at), title: iso(at) }, text);
}

/** The mark of a status, with its name for screen readers. */
export function mark(name, cls = "") {
  const s = status(name);
  return icon(s.shape, `${s.colour} ${cls}`.trim(), s.word);
}

export function pill({ colour, icon: picture, text }, attrs = {}) {
  return h("span", { class: `pill ${colour}`.trim(), ...attrs }, icon(picture), text);
}

/** A button that copies a text; app.js does it. */
export function copy(text, label = "") {
  const attrs = { class: `btn bare${label ? "" : " icon"}`, type: "button", "data-act": "copy", "data-text": text };
  return label ? h("button", attrs, icon("copy"), label) : h("button", { ...attrs, "aria-label": "Copy the command", title: "Copy the command" }, icon("copy"));
}

/** A command that a person could type. */
export function command(text) {
  return text && h("code", { class: "cmd" }, text);
}

/** The checks that a verification needs, {good, needed, bad}: filled is good, a cross was bad. */
export function progress(row) {
  if (!row?.needed) return null;
  const shown = Math.min(row.needed, 20);
  const cells = Array.from({ length: shown }, (_, i) => {
    if (i < row.good) return h("li", { class: "good" }, icon("check"));
    if (row.bad && i === row.good) return h("li", { class: "bad" }, icon("x"));
    return h("li", { class: i === row.good ? "next" : null });
  });
  return h("ol", { class: `progress${shown > 6 ? " progress-small" : ""}`, "aria-label": `${row.good} of ${row.needed} good checks${row.bad ? ", the last was bad" : ""}` }, cells);
}

/** Prompt, raw answer, and the reasoning where that is not shown anyway: hostile words, so they stay text. */
export function transcript(data, { reasoning = true } = {}) {
  const list = [["Prompt", data.prompt], ["Reasoning", reasoning && data.reasoning], ["Raw answer", data.raw]].filter(([, text]) => text);
  return list.map(([name, text]) => h("details", { class: "transcript", key: name }, h("summary", {}, name), h("pre", { tabindex: "0", role: "region", "aria-label": name }, h("code", {}, String(text)))));
}

/** What a person can do about a problem: a sentence, and a command to be copied. */
export function remedy(of) {
  const { text, command: line } = of ?? {};
  return [capital(text ?? ""), line && h("span", { class: "remedy" }, h("code", { class: "cmd" }, line), copy(line))].filter(Boolean).flatMap((piece, i) => (i ? [" ", piece] : [piece]));
}

/** Addresses inside the page. */
export const href = {
  incident: (id) => `/incidents/${encodeURIComponent(id)}`,
  service: (name) => `/services/${encodeURIComponent(name)}`,
};

/** A list of terms; each is [term, ...description], empty ones are left out. */
export function facts(list, cls = "facts") {
  return h("dl", { class: cls }, list.filter(([, ...dd]) => dd.some((d) => d !== null && d !== undefined && d !== "" && d !== false)).map(([dt, ...dd]) => h("div", {}, h("dt", {}, dt), h("dd", {}, dd))));
}

/** Three grey bars, for the moment before something is known. */
export function loading(what = "Waiting for LogStream’s answer") {
  return h("div", { class: "loading", "aria-busy": "true" }, h("p", { class: "vh" }, what), h("i"), h("i"), h("i"));
}

/** A panel that says why there is nothing. */
export function nothing(head, ...lines) {
  return h("div", { class: "panel empty" }, h("h2", {}, head), lines.filter(Boolean).map((text) => h("p", {}, text)));
}

/** The way to a page: its parents, and its own name. */
export function crumbs(parents, here) {
  return h("nav", { class: "crumbs", "aria-label": "Breadcrumb" }, parents.map(([text, to]) => [h("a", { class: "plain", href: to }, text), icon("right")]), h("span", { "aria-current": "page" }, here));
}
