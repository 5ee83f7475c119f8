// The post-mortem on the page and as Markdown, and earlier similar incidents.

import { h, icon } from "../dom.js";
import { address } from "../listing.js";
import { postmortem } from "../postmortem.js";
import { day, hhmm, instant, took } from "../units.js";
import { action, capital } from "../vocabulary.js";
import { repaired } from "../words.js";
import { copy, href, time } from "./bits.js";

/** The post-mortem: in sentences, the recorded one where there is one, and as Markdown to copy or save. `markdown` is empty until it is loaded. */
export function report(of, at, { markdown = "", injections = [], dependents = [] } = {}) {
  const over = of.row.state === "resolved" || of.row.state === "escalated";
  const written = of.reported?.data?.text;
  if (!over && !written) return null;
  const parts = postmortem(of, at, { injections, dependents });
  return h("section", { class: "panel pad", key: "report", "aria-labelledby": "h-report" },
    h("div", { class: "panel-head" }, h("h2", { id: "h-report" }, "Post-mortem"),
      h("div", { class: "btns end" }, markdown && copy(markdown, "Copy as Markdown"), download(of.row.id, "Download"))),
    h("div", { class: "prose" }, parts.map((part) => h("p", {}, part))),
    written && h("div", { class: "prose reported" }, h("h3", {}, "Recorded post-mortem"), paragraphs(written)),
    markdown && h("details", { class: "transcript", key: "markdown" }, h("summary", {}, "Markdown"), h("pre", { tabindex: "0", role: "region", "aria-label": "Post-mortem as Markdown" }, h("code", {}, markdown))));
}

/** The button that saves the post-mortem as a file; a link could not send the token. */
export function download(id, text) {
  return h("button", { class: "btn", type: "button", "data-act": "report", "data-of": id }, icon("file"), text);
}

function paragraphs(text) {
  const parts = String(text).split(/\n{2,}/).map((part) => part.trim()).filter(Boolean);
  return parts.map((part) => (/^#+ /.test(part) ? h("h4", {}, part.replace(/^#+ /, "")) : h("p", { class: "pre" }, part)));
}

/** Earlier incidents of the same cause, with what was done and how they ended; null while they are not known. */
export function similar(row, at) {
  const list = row.similar;
  if (!Array.isArray(list) || !row.cause_id) return null;
  return h("section", { class: "panel pad", key: "similar", "aria-labelledby": "h-similar" },
    h("h2", { id: "h-similar" }, "Similar incidents before"),
    list.length ? h("ol", { class: "similar" }, list.map((one) => before(one, row, at))) : h("p", { class: "quiet small" }, "No earlier incident has this cause."),
    list.length > 0 && h("p", { class: "small" }, h("a", { href: address({}, { cause: row.cause_id }) }, "All incidents of this cause")));
}

function before(one, row, at) {
  const opened = instant(one.opened);
  const [picture, colour, text] = became(one);
  const of = day(opened, at);
  return h("li", { key: one.id, "data-similar": one.id },
    icon(picture, colour),
    h("div", {}, h("p", {}, h("a", { class: "plain", href: href.incident(one.id) }, one.service === row.service ? text : [h("b", {}, one.service), `: ${text}`])),
      h("p", { class: "quiet small" }, [capital(of), ", ", time(opened, hhmm(opened)), one.down_ms > 0 && `, down for ${took(one.down_ms)}`, one.attempts > 1 && `, ${one.attempts} attempts`])));
}

function became(one) {
  if (one.state === "escalated") return ["person", "quiet", "A person is needed."];
  if (one.state !== "resolved") return ["down", "down", "Still open."];
  if (repaired(one)) return ["work", "work", `${action(one.action).did}, and verified.`];
  return one.how === "operator" ? ["check", "quiet", "Closed without a repair."] : ["up", "quiet", "Recovered without a repair."];
}
