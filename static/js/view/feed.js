// What happened, in sentences.

import { h, icon } from "../dom.js";
import { day, hhmm, lasting } from "../units.js";
import { fault as label, injected } from "../vocabulary.js";
import { ending, paragraph, release, subject, summary } from "../words.js";
import { href, time } from "./bits.js";

const MARK = { repaired: ["work", "work", "Repaired"], recovered: ["up", "quiet", "Recovered"], escalated: ["person", "down", "Needs a person"], injected: ["bolt", "quiet", "Injected fault"], started: ["up", "quiet", "Started"] };
const MOST = 6;

/** model: {list, incidents, info, now} */
export function feed({ list, incidents, info, now }) {
  const shown = list.slice(0, MOST);
  const oldest = shown.at(-1);
  return h("section", { class: "panel pad happened", key: "feed", "aria-labelledby": "h-feed" },
    h("div", { class: "panel-head" }, h("h2", { id: "h-feed" }, "Recent activity"), oldest && h("span", { class: "quiet small end" }, "since ", time(oldest.at, since(oldest.at, now)))),
    shown.length ? h("ol", { class: "feed" }, shown.map((item) => entry(item, incidents, info, now))) : h("p", { class: "quiet" }, "Nothing yet."),
    list.length > MOST && h("p", { class: "feed-more" }, h("a", { href: "/incidents" }, "All incidents")));
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
    const { service, fault, error } = item.injection;
    const from = error || (now - item.at < 60e3 ? `From this page, ${lasting(now - item.at)} ago` : "From this page");
    return [h("p", {}, h("b", {}, "You"), error ? ` tried the fault “${label(fault)}” on ${service}.` : ` ${injected(fault, service)}.`), h("p", {}, from)];
  }
  if (item.kind === "started") {
    const version = release(info?.version);
    return [h("p", {}, "LogStream started."), (version || info?.instance) && h("p", {}, [version && `Version ${version}`, info?.instance && `Instance ${info.instance}`].filter(Boolean).join(", "))];
  }
  return about(item.row, incidents.get(item.row.id), now);
}

/** An incident in a sentence, with its figures under it. */
export function about(row, of, now) {
  const under = summary(row, of, now);
  return [h("p", {}, h("a", { class: "plain", href: href.incident(row.id) }, row.kind !== "fleet" && [h("b", {}, row.service), ": "], paragraph(subject(row), ending(row)))), under && h("p", {}, under)];
}
