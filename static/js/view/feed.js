// What happened, in sentences.

import { h, icon } from "../dom.js";
import { deedSaid } from "../feed.js";
import { day, hhmm, lasting } from "../units.js";
import { capital } from "../vocabulary.js";
import { bare, proof, release, told } from "../words.js";
import { href, time } from "./bits.js";

const MARK = { repaired: ["work", "work", "Repaired"], recovered: ["up", "quiet", "Recovered"], called: ["person", "down", "Needs a person"], deed: ["bolt", "quiet", "Disaster"], started: ["up", "quiet", "Started"], open: ["down", "down", "Down"] };
const MOST = 6;

/** model: {list, stories, info, now} */
export function feed({ list, stories, info, now }) {
  const shown = list.slice(0, MOST);
  const oldest = shown.at(-1);
  return h("section", { class: "panel pad happened", key: "feed", "aria-labelledby": "h-feed" },
    h("div", { class: "panel-head" }, h("h2", { id: "h-feed" }, "What happened"), oldest && h("span", { class: "quiet small end" }, "since ", time(oldest.at, since(oldest.at, now)))),
    shown.length ? h("ol", { class: "feed" }, shown.map((item) => entry(item, stories, info, now))) : h("p", { class: "quiet" }, "Nothing yet."),
    list.length > MOST && h("p", { class: "feed-more" }, h("a", { href: "/incidents" }, "All incidents")));
}

function since(at, now) {
  const of = day(at, now);
  return of === "today" ? hhmm(at) : `${of}, ${hhmm(at)}`;
}

/** One entry: when, the mark, a sentence, and under it the proof. */
export function entry(item, stories, info, now) {
  const [picture, colour, label] = MARK[item.kind];
  return h("li", { key: item.key, "data-kind": item.kind }, time(item.at), icon(picture, colour, label), h("div", {}, said(item, stories, info, now)));
}

function said(item, stories, info, now) {
  if (item.kind === "deed") {
    const { deed } = item;
    const state = deed.error ? `It did not happen: ${bare(deed.error)}` : now - item.at < 60e3 ? `From this page, ${lasting(now - item.at)} ago` : "From this page";
    return [h("p", {}, h("b", {}, "You"), ` ${deed.error ? "tried: " : ""}${deedSaid(deed)}.`), h("p", {}, state)];
  }
  if (item.kind === "started") {
    const where = [release(info?.version) && `Version ${info.version}`, info?.instance && `instance ${info.instance}`].filter(Boolean).join(", ");
    return [h("p", {}, "LogStream started."), where && h("p", {}, capital(where))];
  }
  const { row } = item;
  const [name, rest] = told(row);
  const under = proof(row, stories.get(row.id), now);
  return [h("p", {}, h("a", { class: "plain", href: href.incident(row.id) }, h("b", {}, name), rest)), under && h("p", {}, under)];
}
