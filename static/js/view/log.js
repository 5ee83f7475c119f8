// A container's output as it is written: levels as words and colours, a search,
// the lines that were evidence, and what LogStream did between them.

import { h, icon } from "../dom.js";
import { chosen, evidenceLines, pieces } from "../log.js";
import { hhmmss, instant, many, thousands } from "../units.js";
import { phrase } from "../vocabulary.js";
import { paragraph, reason, repaired } from "../words.js";
import { href, loading } from "./bits.js";

const SHOWS = [["all", "All"], ["warn", "Warnings and errors"], ["error", "Errors"]];
const WORD = { error: "ERROR", warn: "WARN", info: "INFO", debug: "DEBUG" };

/** `log` is the state of a tail; `rows` are the service's incidents, the newest first, and `events` gives those of one. `marked` is evidenceLines(), or one that keeps its result. */
export function logPanel({ log: of, rows, events, stale, marked = evidenceLines }) {
  const evidence = marked(of.lines, rows, events);
  const log = of.show === "evidence" && !evidence.size ? { ...of, show: "all" } : of; // its button is gone, too
  const lines = chosen(log.lines, log, evidence);
  const filtered = log.show !== "all" || log.text.trim() !== "";
  const shows = evidence.size ? [...SHOWS, ["evidence", `Evidence (${evidence.size})`]] : SHOWS;
  return h("section", { class: "panel flush", "aria-labelledby": "h-log" },
    h("div", { class: "panel-head pad-head log-head" },
      h("h2", { id: "h-log" }, "Container log"), liveState(log, stale),
      h("div", { class: "log-tools end" },
        h("label", { class: "search log-search" }, icon("search"), h("input", { key: log.name, type: "search", id: "log-search", "aria-label": "Search the log", placeholder: "Search", autocomplete: "off", spellcheck: "false" })),
        h("div", { class: "seg", role: "group", "aria-label": "Lines to show" }, shows.map(([id, text]) => h("button", { type: "button", "data-act": "log-show", "data-show": id, "aria-pressed": log.show === id ? "true" : "false" }, text))),
        h("button", { class: "btn", type: "button", "data-act": "log-pause", "aria-pressed": log.paused ? "true" : "false" }, icon(log.paused ? "play" : "pause"), log.paused ? "Resume" : "Pause"))),
    body(log, lines, { evidence, rows, filtered }),
    log.lines.length > 0 && h("p", { class: "quiet small log-foot" }, paragraph(filtered ? `${thousands(lines.length)} of the last ${many(log.lines.length, "line")} match` : `The last ${many(log.lines.length, "line")}`, evidence.size ? `${many(evidence.size, "line")} marked as evidence` : "", "Secrets are masked")));
}

// Whether lines come now: "Live", "Paused" or "Interrupted", with its icon.
function liveState(log, stale) {
  if (log.refusal) return h("p", { class: "live warn" }, icon("warn"), "Interrupted");
  if (!log.loaded) return null;
  if (log.paused) return h("p", { class: "live ink2" }, icon("pause"), "Paused");
  return stale ? null : h("p", { class: "live" }, icon("live", "up"), "Live");
}

function body(log, lines, { evidence, rows, filtered }) {
  const trouble = log.refusal && h("p", { class: "ink2 small pad-line" }, reason(log.refusal.message));
  if (!log.loaded) return trouble || loading();
  if (!log.lines.length) return trouble || h("p", { class: "quiet small pad-line" }, "The container has written no output yet.");
  const marks = filtered ? [] : done(rows, lines);
  const list = [];
  for (const line of lines) {
    while (marks.length && marks[0].at <= line.at) list.push(mark(marks.shift()));
    if (line.gap) list.push(h("li", { class: "log-gap", key: `gap-${line.id}` }, "Lines are missing here: the container wrote faster than this page reads."));
    list.push(written(line, log.text, evidence.get(line.id)));
  }
  list.push(...marks.map(mark));
  return [trouble, lines.length
    ? h("div", { class: "tail", key: "tail", "data-follow": true, tabindex: "0", role: "region", "aria-label": `Log of the container of ${log.name}` }, h("ol", {}, list))
    : h("p", { class: "quiet small pad-line" }, "No line matches.")];
}

// What LogStream did while these lines were written.
function done(rows, lines) {
  const from = lines[0]?.at;
  return rows.filter((row) => repaired(row) && instant(row.acted) >= from).map((row) => ({ at: instant(row.acted), row })).sort((a, b) => a.at - b.at);
}

function mark({ at, row }) {
  return h("li", { class: "log-did", key: `did-${row.id}` }, icon("work", "work"), h("a", { class: "plain", href: href.incident(row.id) }, `LogStream ${phrase(row.action, "the container", "did")}`), h("time", {}, hhmmss(at)));
}

function written(line, wanted, row) {
  return h("li", { class: `log-line${line.level ? ` lv-${line.level}` : ""}${row ? " is-evidence" : ""}`, key: line.id, "data-level": line.level || null, "data-evidence": row ? row.id : null },
    h("time", {}, Number.isFinite(line.at) && line.at > 0 ? stamp(line.at) : ""),
    h("span", { class: "lv" }, WORD[line.level] ?? ""),
    h("span", { class: "log-said" }, pieces(line.said, wanted).map(([text, found]) => (found ? h("mark", {}, text) : text)), row && h("a", { class: "log-why", href: href.incident(row.id) }, "evidence")));
}

const stamp = (at) => `${hhmmss(at)}.${String(new Date(at).getMilliseconds()).padStart(3, "0")}`;
