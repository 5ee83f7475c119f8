// A container's output, line by line: the level of a line, what of it matches a search,
// and which lines were evidence. Pure. A line is hostile input: it is compared and cut,
// and shown as text.

import { instant } from "./units.js";

const WORDS = { fatal: "error", panic: "error", critical: "error", crit: "error", emerg: "error", alert: "error", error: "error", err: "error", severe: "error", warning: "warn", warn: "warn", notice: "info", info: "info", information: "info", log: "info", debug: "debug", trace: "debug", verbose: "debug" };
const HEAD = 200; // characters in which the level is searched
const LETTERS = { E: "error", F: "error", W: "warn", I: "info", D: "debug" };

// The keys of structured lines that hold the level.
const NAMES = ["level", "lvl", "severity"];
const NAMED = new RegExp(`["']?\\b(?:${NAMES.join("|")})["']?\\s*[=:]\\s*["']?([a-z]+)`, "i");
const STAMP = /^[[(]?(?:\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?)?|\d\d:\d\d:\d\d(?:[.,]\d+)?) ?(?:Z|[+-]\d\d:?\d\d|UTC)?[\])]?\s*/;
const WORD = /^([[(<]?)([A-Za-z]{3,11})([\])>]?:?)(?=\s|$)/; // the first one after the time

/** The level that a line states itself, or nothing. */
export function level(text) {
  const head = text.slice(0, HEAD);
  const said = NAMED.exec(head)?.[1].toLowerCase() ?? "";
  const named = Object.hasOwn(WORDS, said) && WORDS[said];
  const letter = LETTERS[/^([EFWID])\d{4} \d\d:/.exec(head)?.[1]];
  if (named || letter) return named || letter;
  const words = head.replace(STAMP, "").split(/\s+/).slice(0, 4);
  for (const [i, one] of words.entries()) {
    const [, open = "", word = "", close = ""] = WORD.exec(one) ?? [];
    const known = Object.hasOwn(WORDS, word.toLowerCase()) && WORDS[word.toLowerCase()];
    if (known && (word === word.toUpperCase() || open || (i === 0 && close))) return known;
  }
  return "";
}

/** A line without its time and level, which have columns of their own. */
export function message(text) {
  const rest = text.replace(STAMP, "");
  const [whole, , word] = WORD.exec(rest) ?? [""];
  const said = word && word === word.toUpperCase() && Object.hasOwn(WORDS, word.toLowerCase()) ? rest.slice(whole.length).trimStart() : rest;
  return said || text;
}

/** The text in pieces, [piece, whether it is what is searched]. */
export function pieces(text, wanted) {
  const needle = wanted.trim().toLowerCase();
  const hay = text.toLowerCase();
  if (!needle || hay.length !== text.length) return [[text, false]];
  const list = [];
  let at = 0;
  for (let next = hay.indexOf(needle); next >= 0; next = hay.indexOf(needle, at)) {
    if (next > at) list.push([text.slice(at, next), false]);
    list.push([text.slice(next, next + needle.length), true]);
    at = next + needle.length;
  }
  return at < text.length || !list.length ? [...list, [text.slice(at), false]] : list;
}

/** The lines to be shown: those of the levels that match the search. `show` is all, warn, error or evidence. */
export function chosen(lines, { show = "all", text = "" }, evidence = new Map()) {
  const needle = text.trim().toLowerCase();
  return lines.filter((line) => (show === "all" || (show === "evidence" ? evidence.has(line.id) : line.level === "error" || (show === "warn" && line.level === "warn"))) && (!needle || line.text.toLowerCase().includes(needle)));
}

const plain = (text) => String(text).replace(/\s+/g, " ").trim();
const CUT = 400; // characters: longer lines are cut in the evidence
const collected = (events) => (events ?? []).filter((event) => event.type === "evidence" && event.data?.logs?.length);

/**
 * The lines that were evidence of incidents: the id of the line to the incident's row.
 * `rows` are the incidents, `events` gives those of one. Each line of the evidence marks
 * one line of the log: the newest equal one that was written before the evidence was
 * collected.
 */
export function evidenceLines(lines, rows, events) {
  const found = new Map();
  let texts = null; // of the lines, made once
  for (const row of rows) {
    for (const event of collected(events(row.id))) {
      texts ??= lines.map((line) => plain(line.text));
      const until = instant(event.time) + 1000; // the clock of the engine may differ
      const mine = new Set(); // an incident may have been collected twice: of one collection each line is another
      for (const wanted of event.data.logs.map(plain).reverse()) {
        if (!wanted) continue;
        const i = lines.findLastIndex((one, k) => !mine.has(k) && !(one.at > until) && same(texts[k], wanted));
        if (i < 0) continue;
        mine.add(i);
        if (!found.has(lines[i].id)) found.set(lines[i].id, row);
      }
    }
  }
  return found;
}

const NEWEST = 10; // incidents with evidence of which lines are marked: a service that flaps has very many

/** evidenceLines() of one log and its newest incidents, the newest first, made anew only where its lines or their evidence changed. */
export function evidenceKeeper() {
  let known = { of: [], found: new Map() };
  return (lines, rows, events) => {
    const newest = rows.filter((row) => collected(events(row.id)).length).slice(0, NEWEST);
    const of = [lines, ...newest.flatMap((row) => [row.id, ...collected(events(row.id))])];
    if (of.length !== known.of.length || of.some((one, i) => one !== known.of[i])) known = { of, found: evidenceLines(lines, newest, events) };
    return known.found;
  };
}

const same = (text, wanted) => text === wanted || (wanted.length > CUT && text.startsWith(wanted.replace(/…$/, "").slice(0, CUT)));
