// The last night in one sentence, and as a line of time. Pure: from the
// incidents that are known, in the reader's zone.

import { instant, many, thousands } from "./units.js";
import { repaired } from "./words.js";

const FROM = 22; // o'clock
const HOURS = 10;
const MORNING = 6; // from then on a night that still lasts is the last one

/** The night that lasts, or the last one: {from, to, over}. */
export function night(now) {
  const from = new Date(now);
  from.setHours(FROM, 0, 0, 0);
  if (from.getTime() > now) from.setDate(from.getDate() - 1);
  const to = new Date(from);
  to.setHours(FROM + HOURS); // by the clock, also where that is changed in between
  const morning = new Date(to);
  morning.setHours(MORNING);
  return { from: from.getTime(), to: to.getTime(), over: now >= morning.getTime() };
}

const BROUGHT = 50; // incidents of a snapshot, beside those that are open
const PAGE = 200;
const PAGES = 5; // at most

/**
 * The calls that bring the incidents opened since `from`, as far as they are known:
 * {paths, known}. All that were opened from `known` on are known; -Infinity says that
 * these are all that there are.
 */
export function readBack({ incidents, since }, answers, from) {
  const paths = [];
  let known = incidents.size < BROUGHT ? -Infinity : Infinity;
  for (let before = ""; paths.length < PAGES;) {
    const path = `/incidents?limit=${PAGE}${before}`;
    paths.push(path);
    const { value, refusal, at } = answers.get(path) ?? {};
    if (!Array.isArray(value) || refusal || at < since) break; // a snapshot leaves out what was read before it
    known = value.length < PAGE ? -Infinity : instant(value.at(-1).opened);
    if (known < from) break;
    before = `&before=${encodeURIComponent(value.at(-1).id)}`;
  }
  return { paths, known };
}

/**
 * What happened in a night: {text, marks, from, to}, or null where nothing is
 * known of it: `since` is when LogStream started, `known` that of readBack(). A mark is
 * {at, kind, row}: repaired, recovered, or person.
 */
export function lastNight(rows, now, since = NaN, known = -Infinity) {
  const of = night(now);
  const least = known >= of.from ? "at least " : ""; // there may be more
  const within = (value) => instant(value) >= of.from && instant(value) < Math.min(of.to, now + 1);
  const marks = rows.flatMap((row) => marksOf(row, within)).sort((a, b) => a.at - b.at);
  const marked = new Set(marks.map(({ row }) => row));
  const others = rows.filter((row) => !marked.has(row) && instant(row.first_bad ?? row.opened) < Math.min(of.to, now + 1) && !(instant(row.resolved) < of.from));
  if (!marks.length && !others.some((row) => within(row.first_bad ?? row.opened)) && !(since < of.to - (of.to - of.from) / 2)) return null; // it did not watch, or only the end of it
  const repairs = marks.filter(({ kind }) => kind === "repaired").length;
  const persons = marks.filter(({ kind }) => kind === "person").length;
  const alone = marks.filter(({ kind }) => kind === "recovered").length;
  const open = rows.filter((row) => !row.resolved && instant(row.first_bad ?? row.opened) < of.to).length;
  const ended = others.filter((row) => row.resolved).length;
  const over = [repairs && many(repairs, "repair"), alone && many(alone, "recovery without a repair", "recoveries without a repair")].filter(Boolean);
  const more = [ended && many(ended, over.length ? "other incident" : "incident"), open && many(open, "open incident")].filter(Boolean);
  const what = (over.length || ended ? least : "") + [...over, ...more].join(", ") || (persons || least ? "" : "no incidents");
  const who = persons ? `a person was called ${least}${persons === 1 ? "once" : `${thousands(persons)} times`}` : repairs && !more.length && !least ? "no person was called" : "";
  if (now < of.to && !over.length && !ended && !persons && open) return { ...of, marks, text: "" }; // what is open stands above
  const said = [what, who].filter(Boolean).join(", ");
  return { ...of, marks, text: said && `${of.over ? "Last night" : "Tonight so far"}: ${said}.` };
}

// A person who was called stays called, whatever became of the incident then.
function marksOf(row, within) {
  const called = row.called ?? row.escalated;
  const kind = repaired(row) ? "repaired" : row.how === "operator" ? "" : "recovered";
  return [within(called) && { at: instant(called), kind: "person", row }, kind && within(row.resolved) && { at: instant(row.resolved), kind, row }].filter(Boolean);
}
