// The last observations of a service: what its check expects, and what it got.

import { h, icon } from "../dom.js";
import { instant, latency, many, tenths } from "../units.js";
import { isOfEngine, status } from "../vocabulary.js";
import { hasOwnCheck } from "../words.js";
import { time } from "./bits.js";
import { milliseconds } from "./cards.js";

const NEW = 12; // rows, one each; of older ones, good ones in a row are folded into one
const MOST = 50; // rows
const SHORT = 40; // characters of one line

export function observations({ health, detail }) {
  const config = detail.config ?? {};
  const list = folded([...health].sort((a, b) => instant(b.timestamp) - instant(a.timestamp)));
  const checked = hasOwnCheck(config.url);
  return h("section", { class: "panel flush", "aria-labelledby": "h-observations" },
    h("div", { class: "panel-head pad-head" }, h("h2", { id: "h-observations" }, "Last observations"),
      h("p", { class: "end quiet small" }, checked ? [config.interval && `every ${spaced(config.interval)}`, config.timeout && `timeout ${spaced(config.timeout)}`].filter(Boolean).join(", ") : null)),
    list.length ? h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "The observations as a table" }, h("table", { class: "tbl" },
      h("thead", {}, h("tr", {}, ["Time", "Result", "Expected", "Actual"].map((text) => h("th", { scope: "col" }, text)), h("th", { scope: "col", class: "num" }, "Latency"), h("th", { scope: "col" }, "Seen by"))),
      h("tbody", {}, list.map((row) => (Array.isArray(row) ? several(row) : observation(row, config)))))) : h("p", { class: "quiet pad" }, config.url?.startsWith("push:") ? "No report yet." : "Awaiting first check."));
}

/** The newest records, and older ones that were not good; older good ones in a row are an array. */
export function folded(list) {
  const rows = list.slice(0, NEW);
  let good = [];
  const close = () => {
    if (good.length > 2) rows.push(good);
    else rows.push(...good);
    good = [];
  };
  for (const record of list.slice(NEW)) {
    if (record.status === "UP") {
      good.push(record);
      continue;
    }
    close();
    rows.push(record);
    if (rows.length >= MOST) break;
  }
  close();
  return rows;
}

function several(list) {
  return h("tr", { class: "folded", key: `before-${list[0].timestamp}` }, h("td", { colspan: "6" }, `${many(list.length, "more", "more")}, all up`));
}

/** "2s" of the configuration as "2 s". */
export const spaced = (duration) => String(duration).replace(/^([\d.]+)([a-zµ]+)$/, "$1 $2");

/** What a check expects, as far as it checks that: "status 200 to 399, a body that matches /ok/, under 800 ms". */
export function expected(record, config) {
  if (record.check === "health") return "HEALTHCHECK healthy";
  if (record.check === "container") return "running";
  const want = config.expect ?? {};
  const http = record.check === "http";
  const own = hasOwnCheck(config.url);
  return [
    http && want.status && `status ${String(want.status).replace(/(\d)-(\d)/g, "$1 to $2")}`,
    http && want.body && `a body that matches ${want.body}`,
    ...(http ? Object.entries(want.json ?? {}).map(([path, value]) => `${path} = ${value}`) : []),
    ...(http ? Object.entries(want.headers ?? {}).map(([name, value]) => `${name}: ${value}`) : []),
    record.check === "tcp" && "a connection",
    own && want.latency && `under ${spaced(want.latency)}`,
    own && want.certificate_days > 0 && `a certificate for ${want.certificate_days} d more`,
  ].filter(Boolean).join(", ") || "a good answer";
}

/** What it got. */
export function actual(record) {
  const error = record.code && String(record.error ?? "").startsWith(`HTTP ${record.code}, `) ? "" : record.error; // it says only what the columns Expected and Actual show
  const said = [record.code ? `${record.check === "container" ? "exit code" : "status"} ${record.code}` : "", error].filter(Boolean).join(", ");
  return said || (record.status === "UP" || record.status === "DEGRADED" ? (isOfEngine(record) ? (record.check === "health" ? "healthy" : "running") : "good") : "no answer");
}

function observation(record, config) {
  const s = status(record.status);
  const past = record.status === "DOWN" ? "past" : s.colour;
  const ms = isOfEngine(record) ? null : latency(record.latency_ms);
  const limit = milliseconds(config.expect?.latency);
  const want = expected(record, config);
  const over = ms && limit > 0 && record.latency_ms > limit;
  return h("tr", { key: `${record.timestamp}-${record.instance}-${record.check}` },
    h("td", {}, time(instant(record.timestamp), tenths(instant(record.timestamp)))),
    h("td", {}, h("span", { class: "st" }, icon(s.shape, past), s.word)),
    h("td", { class: want.length > SHORT ? "want long" : "want" }, want),
    h("td", { class: "say" }, actual(record)),
    h("td", { class: `num${over ? " over" : ""}` }, ms ? `${ms[0]} ${ms[1]}` : "–", over && h("span", { class: "vh" }, ", over the limit")),
    h("td", { class: "quiet" }, [record.check, record.extra && "extra check", instanceName(record.instance)].filter(Boolean).join(", ")));
}

/** A program that reports over the API without a name has the instance "api:". */
export const instanceName = (instance) => (instance === "api:" ? "API" : instance);
