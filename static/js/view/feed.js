// What happened, in sentences, and the night as one line of time.

import { h, icon } from "../dom.js";
import { together } from "../causes.js";
import { openLine } from "../lane.js";
import { day, hhmm, lasting, many, names, took } from "../units.js";
import { capital, fault as label, injected, phrase, whoFirst } from "../vocabulary.js";
import { ending, paragraph, reason, release, repaired, subject, summary } from "../words.js";
import { href, time } from "./bits.js";

const MARK = { repaired: ["work", "work", "Repaired"], recovered: ["up", "quiet", "Recovered"], escalated: ["person", "down", "A person is needed"], injected: ["bolt", "quiet", "Injected fault"], started: ["up", "quiet", "Started"] };
const MOST = 6;

/** model: {list, incidents, info, now, night: lastNight(), width: of its line, most: entries} */
export function feed({ list, incidents, info, now, night = null, width = 480, most = MOST }) {
  const shown = list.slice(0, most);
  const oldest = shown.at(-1);
  return h("section", { class: "panel pad happened", key: "feed", "aria-labelledby": "h-feed" },
    h("div", { class: "panel-head" }, h("h2", { id: "h-feed" }, "Recent activity"), oldest && h("span", { class: "quiet small end" }, "since ", time(oldest.at, since(oldest.at, now)))),
    nightLine(night, width),
    shown.length ? h("ol", { class: "feed" }, shown.map((item) => entry(item, incidents, info, now))) : h("p", { class: "quiet" }, "Nothing yet."),
    list.length > most && h("p", { class: "feed-more" }, h("a", { href: "/incidents" }, "All incidents")));
}

function since(at, now) {
  const of = day(at, now);
  return of === "today" ? hhmm(at) : `${of}, ${hhmm(at)}`;
}

/** One entry: when, the mark, a sentence, and under it the figures. */
export function entry(item, incidents, info, now) {
  const [picture, colour, label] = MARK[item.kind];
  return h("li", { key: item.key, "data-kind": item.kind }, time(item.at), icon(picture, colour, label), h("div", {}, said(item, incidents, info, now)));
}

function said(item, incidents, info, now) {
  if (item.kind === "injected") {
    const { service, fault, by, you, error } = item.injection;
    const ago = now - item.at < 60e3 ? `, ${lasting(now - item.at)} ago` : "";
    return [h("p", {}, h("b", {}, you ? "You" : whoFirst(by)), error ? ` tried the fault “${label(fault)}” on ${service}.` : ` ${injected(fault, service)}.`), h("p", {}, error ? reason(error) : `Injected on purpose${ago}`)];
  }
  if (item.kind === "started") {
    const version = release(info?.version);
    return [h("p", {}, "LogStream started."), (version || info?.instance) && h("p", {}, [version && `Version ${version}`, info?.instance && `Instance ${info.instance}`].filter(Boolean).join(", "))];
  }
  return item.rows ? several(item.rows) : about(item.row, incidents.get(item.row.id), now);
}

// Incidents of one cause that ended in one way.
function several(rows) {
  const [row] = rows;
  const down = Math.max(...rows.map((one) => one.down_ms ?? one.ttr_ms ?? 0));
  const ended = row.state === "escalated" ? "A person is needed." : repaired(row) ? `LogStream ${phrase(row.action, "them", "did")}.` : row.how === "operator" ? "Closed." : "They recovered without a repair.";
  return [h("p", {}, h("a", { class: "plain", href: "/incidents" }, paragraph(capital(together(rows.map((one) => ({ row: one })))), ended))), h("p", {}, [names(rows.map((one) => one.service), 2), down > 0 && `down for up to ${took(down)}`].filter(Boolean).join(", "))];
}

/** An incident in a sentence, with its figures under it; `service` is its service. */
export function about(row, of, now, service = null) {
  const under = of && row.state === "open" ? openLine(of, service, now) : summary(row, now);
  return [h("p", {}, h("a", { class: "plain", href: href.incident(row.id) }, row.kind !== "fleet" && [h("b", {}, row.service), ": "], paragraph(subject(row), ending(row)))), under && h("p", {}, under)];
}

const KIND = { repaired: "repaired", recovered: "recovered without a repair", person: "a person was called" };
const HOUR = 60 * 60 * 1000;
const HEIGHT = 34;

// The night as one line, with what happened on it. of: lastNight() of night.js; width: of its place
function nightLine(of, width) {
  if (!of?.marks.length) return null;
  const X = (at) => 8 + ((at - of.from) / (of.to - of.from)) * (width - 16);
  const fix = (n) => Number(n.toFixed(1));
  const hours = [];
  for (let at = of.from; at <= of.to; at += (width < 420 ? 5 : 2) * HOUR) hours.push(at);
  return h("div", { class: "night", key: "night" },
    h("svg", { "data-size": "night", viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": `${of.text} From ${hhmm(of.from)} to ${hhmm(of.to)}.` },
      h("path", { class: "night-line", d: `M8 10H${width - 8}${hours.map((at) => `M${fix(X(at))} 7v6`).join("")}` }),
      hours.map((at, i) => h("text", { class: "axis", key: at, x: fix(X(at)), y: 30, "text-anchor": i === 0 ? "start" : i === hours.length - 1 ? "end" : "middle" }, hhmm(at))),
      marks(of.marks, X).map(({ at, kind, row, n }) => h("path", { key: `${row.id} ${kind}`, class: `night-${kind}`, d: shape(kind, fix(X(at))) }, h("title", {}, `${hhmm(at)}, ${n > 1 ? many(n, "incident") : row.service}: ${KIND[kind]}`)))));
}

const EACH = 40; // so many marks are drawn each; of more, those of one kind at one place are one

function marks(list, X) {
  if (list.length <= EACH) return list;
  const places = new Map();
  for (const mark of list) {
    const place = `${mark.kind} ${Math.round(X(mark.at))}`;
    const known = places.get(place);
    if (known) known.n++;
    else places.set(place, { ...mark, n: 1 });
  }
  return [...places.values()];
}

function shape(kind, x) {
  if (kind === "repaired") return `M${x} 4l6 6l-6 6l-6 -6z`;
  const r = kind === "person" ? 5 : 3;
  return `M${x - r} 10a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 -${2 * r} 0z`;
}
