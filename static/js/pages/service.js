// One service: what happened to it last, its figures, its latency with the
// incidents upon it, its last checks, its configuration and its container.

import { h, icon } from "../dom.js";
import { panel as silence } from "../silence.js";
import { figures as measured, points } from "../series.js";
import { clock, faultsOf, newestCheck, ownInstance } from "../store.js";
import { hhmm, instant, lasting, latency, percent, tenths, when } from "../units.js";
import { fault, gate, grouped, isOfEngine, status } from "../vocabulary.js";
import { ending, hasOwnCheck, latencyNow, paragraph, reason, repaired, stateFor, subject, uptimeOf, whereabouts } from "../words.js";
import { crumbs, facts, href, loading, mark, nothing, pill, time } from "../view/bits.js";
import { updateLine, trustLine } from "../view/deploy.js";
import { about } from "../view/feed.js";
import { latencies, WINDOWS } from "../view/latency.js";

const span = (ctx) => WINDOWS.find(([id]) => id === ctx.windows.get(ctx.name)) ?? (ctx.state.info?.uptime_s < 900 ? WINDOWS[0] : WINDOWS[1]);
const path = (name) => `/services/${encodeURIComponent(name)}`;
const historyPath = (ctx) => `${path(ctx.name)}/history?window=${span(ctx)[0]}`;

export function needs(ctx) {
  return [path(ctx.name), historyPath(ctx), "/chaos", `/incidents?service=${encodeURIComponent(ctx.name)}&limit=50`];
}

export function title({ state, name }) {
  const service = state.services.get(name);
  return `${name}${service ? `: ${status(service.status).word.toLowerCase()}` : ""} · LogStream`;
}

export function view(ctx) {
  const { state, name, answers, now } = ctx;
  const service = state.services.get(name) ?? answers.get(path(name))?.value;
  const refusal = answers.get(path(name))?.refusal;
  const way = crumbs([["Overview", "/"]], name);
  if (!service) {
    const body = refusal?.status === 404 ? nothing(`No service is called “${name}”`, "It may have been removed from the configuration.") : refusal ? nothing("The service cannot be loaded now", refusal.message) : loading();
    return h("main", { id: "main", key: "service", class: "wrap page" }, way, h("h1", { class: "vh", tabindex: "-1" }, name), body);
  }
  const at = clock(state, now);
  const detail = { ...service, ...state.details.get(name) };
  const rows = [...state.incidents.values()].filter((row) => row.service === name).sort((a, b) => instant(b.opened) - instant(a.opened));
  const model = { ctx, at, service, detail, rows, instance: ownInstance(state, name), health: state.health.get(name) ?? [] };
  return h("main", { id: "main", key: "service", class: "wrap page" },
    way,
    head(model), figures(model), latencies({ ...model, window: span(ctx), answer: answers.get(historyPath(ctx)), incidents: rows, width: ctx.sizes.get("chart") ?? 1000 }),
    h("div", { class: "two" },
      h("div", { class: "stack" }, observations(model), configuration(detail)),
      h("div", { class: "stack" }, faults(model), silence(model), container(detail, state.info?.mode), sources(detail, at), history(model))));
}

function head({ service, detail, rows, ctx, at }) {
  const s = status(service.status);
  return h("header", { class: "title", "data-service": service.name, "data-status": service.status },
    h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, service.name, " ", pill({ colour: s.colour === "quiet" ? "" : s.colour, icon: s.shape, text: stateFor(service, at) })),
      h("p", {}, lately(service, rows[0], ctx, at)),
      h("p", { class: "where" }, [service.group, whereabouts(service, detail.config)].filter(Boolean).join(" · ")),
      service.note && h("p", {}, service.note),
      updateLine(service.update, service.container, at),
      trustLine(service.trust, detail.config?.heal?.mode || ctx.state.info?.mode)));
}

function lately(service, row, ctx, at) {
  if (service.managed === false) return "Unmanaged: it is in no configuration, so LogStream never repairs it.";
  const held = service.held ? paragraph("On hold", reason(service.held_reason) || gate(service.held)) : "";
  const flaps = service.flapping && !held ? "Flapping: the status changes too often." : "";
  const limits = service.container ? "" : "Without a container LogStream cannot repair it.";
  if (service.status !== "UP" && service.error) return paragraph(reason(service.error), held, flaps, limits);
  if (!row) return paragraph("No incidents recorded", held, flaps, limits);
  return [paragraph(`Last incident at ${when(instant(row.opened), at)}`, subject(row), ending(row)), " ", h("a", { href: href.incident(row.id) }, "Details"), (held || flaps || limits) && ` ${paragraph(held, flaps, limits)}`];
}

function figures({ ctx, at, service, rows, health, instance }) {
  const check = newestCheck(ctx.state, service.name);
  const now = latency(latencyNow(service, check));
  const hour = measured(points(ctx.state.history.get(service.name) ?? ctx.answers.get(`${path(service.name)}/history?window=1h`)?.value?.points ?? [], health, instance), at - 3600e3, at);
  const p95 = hour && latency(hour.p95);
  const repairs = rows.filter(repaired).length;
  return h("dl", { class: "panel figures" },
    cell("Latency now", now ? [now[0], " ", h("small", {}, now[1])] : "none"),
    cell("p95, last hour", p95 ? [p95[0], " ", h("small", {}, p95[1])] : "no data yet"),
    [["24h", "24 h"], ["7d", "7 d"], ["30d", "30 d"]].map(([window, text]) => cell(`Uptime ${text}`, up(uptimeOf(service, window, ctx.now - service.received), window, text))),
    cell("Repaired", [repairs > 0 && icon("work", "work"), repairs > 0 && " ", String(repairs), " ", h("small", {}, repairs === 1 ? "time" : "times")]));
}

// "99.98 %, down 16 s", and of how much where less than the window is known.
function up(of, window, whole) {
  if (!of) return "no data yet";
  const [figure] = percent(of.share, window === "30d" ? 3 : 2).split(" ");
  const more = [of.down >= 1000 && `down ${lasting(of.down)}`, of.over !== whole && `over ${of.over}`].filter(Boolean).join(", ");
  return [figure, " ", h("small", {}, "%"), more && h("small", { class: "under" }, more)];
}

function cell(name, value) {
  const text = typeof value === "string" && !/\d/.test(value);
  return h("div", {}, h("dt", {}, name), h("dd", { class: text ? "text" : null }, value));
}

function observations({ health, detail, at }) {
  const config = detail.config ?? {};
  const list = [...health].sort((a, b) => instant(b.timestamp) - instant(a.timestamp)).slice(0, 50);
  const limit = config.expect?.latency;
  const checked = hasOwnCheck(config.url);
  const expected = (record) => (isOfEngine(record) ? (record.check === "health" ? "healthy" : "running") : [record.check === "http" && config.expect?.status, checked && limit && `under ${spaced(limit)}`].filter(Boolean).join(", ") || "good");
  return h("section", { class: "panel flush", "aria-labelledby": "h-observations" },
    h("div", { class: "panel-head pad-head" }, h("h2", { id: "h-observations" }, "Last observations"),
      h("p", { class: "end quiet small" }, checked ? [config.interval && `every ${spaced(config.interval)}`, config.timeout && `timeout ${spaced(config.timeout)}`].filter(Boolean).join(", ") : null)),
    list.length ? h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Last observations" }, h("table", { class: "tbl" },
      h("thead", {}, h("tr", {}, ["Time", "Result", "Expected", "Actual"].map((text) => h("th", { scope: "col" }, text)), h("th", { scope: "col", class: "num" }, "Latency"), h("th", { scope: "col" }, "Seen by"))),
      h("tbody", {}, list.map((record) => observation(record, expected(record)))))) : h("p", { class: "quiet pad" }, config.url?.startsWith("push:") ? "No report yet." : "Awaiting first check."));
}

const spaced = (duration) => String(duration).replace(/^([\d.]+)([a-zµ]+)$/, "$1 $2");

function observation(record, expected) {
  const s = status(record.status);
  const past = record.status === "DOWN" ? "past" : s.colour;
  const level = isOfEngine(record);
  const ms = latency(record.latency_ms);
  return h("tr", { key: `${record.timestamp}-${record.instance}-${record.check}` },
    h("td", {}, time(instant(record.timestamp), tenths(instant(record.timestamp)))),
    h("td", {}, h("span", { class: "st" }, icon(s.shape, past), s.word)),
    h("td", { class: "quiet" }, expected),
    h("td", { class: "say" }, [record.code ? String(record.code) : "", record.error].filter(Boolean).join(", ") || (record.status === "UP" ? "good" : "no answer")),
    h("td", { class: "num" }, level || !ms ? "–" : `${ms[0]} ${ms[1]}`),
    h("td", { class: "quiet" }, [record.check, record.extra && "extra check", instanceName(record.instance)].filter(Boolean).join(", ")));
}

function configuration(detail) {
  if (!detail.config) return null;
  return h("section", { class: "panel", "aria-labelledby": "h-config" },
    h("div", { class: "panel-head pad-head" }, h("h2", { id: "h-config" }, "Configuration"), h("p", { class: "end quiet small" }, "secrets masked")),
    h("pre", { class: "yaml", tabindex: "0" }, h("code", {}, yaml(detail.config))));
}

/** A plain value as YAML reads it: enough for a service's definition. */
export function yaml(value, indent = "") {
  return Object.entries(value ?? {})
    .filter(([, v]) => v !== null && v !== "" && v !== undefined && !(Array.isArray(v) && !v.length))
    .map(([key, v]) => {
      if (Array.isArray(v)) return `${indent}${key}: [${v.map(scalar).join(", ")}]`;
      if (typeof v === "object") {
        const inner = yaml(v, `${indent}  `);
        return inner ? `${indent}${key}:\n${inner}` : "";
      }
      return `${indent}${key}: ${scalar(v)}`;
    })
    .filter(Boolean)
    .join("\n");
}

function scalar(v) {
  return typeof v === "string" && (/^[\s#&*!|>'"%@`[\]{},?-]|: |\s#|^$/.test(v) || /\n/.test(v)) ? JSON.stringify(v) : String(v);
}

function faults({ ctx, service }) {
  const list = faultsOf(ctx.state, service.name);
  if (!list.length) return null;
  const refusal = ctx.refusals.get(service.name);
  const { usual, more } = grouped(list);
  const button = (entry) => h("button", { class: "btn danger", type: "button", key: entry.fault, disabled: ctx.stale, title: entry.does ?? "", "data-act": "chaos", "data-of": service.name, "data-fault": entry.fault, "aria-label": `Trigger disaster: ${fault(entry.fault).toLowerCase()} ${service.name}` }, icon("bolt"), fault(entry.fault));
  return h("section", { class: "panel pad", "aria-labelledby": "h-break" },
    h("h2", { id: "h-break" }, "Trigger disaster, for real"),
    h("p", { class: "ink2 small" }, "Each button breaks the running service. Allowed here by ", h("code", { class: "cmd nowrap" }, "chaos: true"), "."),
    h("div", { class: "btns spaced" }, usual.map(button)),
    more.length > 0 && h("details", { class: "rest" }, h("summary", { "aria-label": `More faults for ${service.name}` }, "More", icon("right")), h("div", { class: "btns spaced" }, more.map(button))),
    refusal && h("p", { class: "refusal", role: "alert" }, refusal));
}

// "db (Compose), vpn (its network)": what it depends on, and where that is known from.
function dependencies(detail) {
  const from = { labels: " (label)", compose: " (Compose)", network: " (its network)" };
  const known = detail.needs ?? [];
  return (detail.depends_on ?? []).map((name) => {
    const of = known.filter((need) => need.service === name);
    return [name, of.some((need) => need.from === "config") ? "" : from[of[0]?.from] ?? ""];
  });
}

// Services as links, [name, what is said of it] each.
const linked = (list) => list.length > 0 && list.map(([name, more], i) => [i ? ", " : "", h("a", { href: href.service(name) }, name), more]);

function container(detail, mode) {
  const c = detail.container;
  if (!c) return h("section", { class: "panel pad" }, h("h2", {}, "Container"), h("p", { class: "ink2 small" }, "None is configured, so there is nothing to repair."));
  return h("section", { class: "panel pad", "aria-labelledby": "h-container" }, h("h2", { id: "h-container" }, "Container"),
    facts([["Name", c.name], ["Image", c.image], ["Id", c.id && h("code", {}, String(c.id).slice(0, 12))], ["Seen running", c.ran === undefined ? "" : c.ran ? "yes, with this id" : "not yet with this id"], ["Repair mode", detail.config?.heal?.mode || mode], ["Defined by", detail.discovered ? "discovery" : ""], ["Depends on", linked(dependencies(detail))], ["Needed by", linked((detail.needed_by ?? []).map((name) => [name, ""]))]]),
    detail.discovered && detail.config?.heal?.mode === "observe" && h("p", { class: "ink2 small" }, "Not repaired. To allow repairs, recreate the container with the label ", h("code", { class: "cmd nowrap" }, "logstream.heal: auto"), "."));
}

function sources(detail, at) {
  const list = detail.sources ?? [];
  if (!list.length) return null;
  return h("section", { class: "panel pad", "aria-labelledby": "h-sources" }, h("h2", { id: "h-sources" }, "Sources"),
    h("p", { class: "ink2 small" }, paragraph("Status is the worst of these sources", list.some((source) => source.check === "health") && hasOwnCheck(detail.url) ? "The container's HEALTHCHECK is shown beside the check, and does not count" : "")),
    h("ul", { class: "sources" }, list.map((source) => h("li", {}, mark(source.status), h("span", {}, `${source.check || "unnamed check"} by ${instanceName(source.instance) || "an unnamed instance"}`), h("span", { class: "quiet" }, "since ", time(instant(source.since), when(instant(source.since), at)))))));
}

// Who reports over the API without a name is there as "api:".
const instanceName = (instance) => (instance === "api:" ? "API" : instance);

function history({ rows, ctx, at }) {
  if (!rows.length) return null;
  return h("section", { class: "panel pad", "aria-labelledby": "h-incidents" }, h("h2", { id: "h-incidents" }, "Incidents"),
    h("ol", { class: "feed" }, rows.slice(0, 8).map((row) => h("li", { key: row.id }, time(instant(row.opened), hhmm(instant(row.opened))), outcome(row), h("div", {}, about(row, ctx.incidents.get(row.id), at))))));
}

function outcome(row) {
  if (row.state !== "resolved") return icon("down", "down", "Open");
  return repaired(row) ? icon("work", "work", "Repaired") : icon("up", "quiet", "Recovered");
}
