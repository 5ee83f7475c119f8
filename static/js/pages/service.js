// One service: what happened to it last, its figures, its latency with the
// incidents upon it, its last checks, its configuration and its container.

import { h, icon } from "../dom.js";
import { activeFault } from "../injections.js";
import { evidenceKeeper } from "../log.js";
import { plot } from "../plot.js";
import { figures as measured, points } from "../series.js";
import { clock, faultsOf, newestCheck, ownInstance } from "../store.js";
import { emptyTail, tail } from "../tail.js";
import { hhmm, instant, lasting, latency, percent, when } from "../units.js";
import { fault, grouped, injected, phrase, status, who, whoFirst } from "../vocabulary.js";
import { ending, hasOwnCheck, heldLine, latencyNow, paragraph, reason, repaired, stateFor, subject, uptimeOf, whereabouts } from "../words.js";
import { finest, scaled, WINDOWS } from "../zoom.js";
import { copy, crumbs, href, loading, mark, nothing, pill, time } from "../view/bits.js";
import { container } from "../view/container.js";
import { control } from "../view/dialog.js";
import { updateLine, trustLine } from "../view/deploy.js";
import { about } from "../view/feed.js";
import { graph } from "../view/graph.js";
import { latencies, latencyOf } from "../view/latency.js";
import { logPanel } from "../view/log.js";
import { instanceName, observations } from "../view/observations.js";
import { newest, would } from "../view/observemode.js";

const span = (ctx) => WINDOWS.find(([id]) => id === ctx.windows.get(ctx.name)) ?? (ctx.state.info?.uptime_s < 900 ? WINDOWS[0] : WINDOWS[1]);
const path = (name) => `/services/${encodeURIComponent(name)}`;
const historyPath = (name, window) => `${path(name)}/history?window=${window[0]}`;

// What the visitor looks at on this page, and the parts of it that live on their own.
const screen = { schedule() {}, zoom: null, bounds: null, shown: null, failed: false };
const log = tail(() => screen.schedule());
const marked = evidenceKeeper();
const chart = plot({
  onZoom(view) {
    screen.zoom = view && { of: screen.shown, ...view };
    screen.schedule();
  },
  onFail() {
    screen.failed = true;
    screen.schedule();
  },
});

const zoomOf = (ctx) => (screen.zoom?.of === `${ctx.name} ${span(ctx)[0]}` ? screen.zoom : null);
const mode = (ctx) => (ctx.state.details.get(ctx.name) ?? ctx.answers.get(path(ctx.name))?.value)?.config?.heal?.mode || ctx.state.info?.mode;
const rowsOf = ({ state, name }) => [...state.incidents.values()].filter((row) => row.service === name).sort((a, b) => instant(b.opened) - instant(a.opened));
const hasLog = (ctx) => Boolean((ctx.state.services.get(ctx.name) ?? ctx.state.details.get(ctx.name))?.container);

export function needs(ctx) {
  const { name } = ctx;
  const fine = finest(zoomOf(ctx), ctx.now, span(ctx));
  const from = log.state.name === name ? log.state.lines[0]?.at : NaN;
  const whole = newest(rowsOf(ctx)).filter((row, i) => i === 0 || mode(ctx) === "observe" || instant(row.opened) >= from); // those whose evidence is in the log
  return [path(name), historyPath(name, span(ctx)), fine !== span(ctx) && historyPath(name, fine), "/chaos", "/commands?limit=100", `/incidents?service=${encodeURIComponent(name)}&limit=50`,
    hasLog(ctx) && `${path(name)}/container`, ...whole.map((row) => `/incidents/${encodeURIComponent(row.id)}`)].filter(Boolean);
}

/** After each render of this page: brings its chart and its log up to date. */
export function drawn(root, ctx, schedule) {
  screen.schedule = schedule;
  const model = modelOf(ctx);
  screen.shown = model ? `${ctx.name} ${span(ctx)[0]}` : null;
  screen.bounds = model?.chart.bounds ?? null;
  chart.show(root.querySelector(".chart"), model?.chart);
  log.follow(model && hasLog(ctx) && ctx.conn !== "denied" ? ctx.name : null);
  const end = root.querySelector(".tail");
  if (end && end !== screen.end) end.scrollTop = end.scrollHeight; // pictures.js keeps it there
  screen.end = end;
  const field = root.querySelector("#log-search");
  if (field && field !== screen.field) {
    screen.field = field;
    field.value = log.state.text;
    field.addEventListener("input", () => {
      log.search(field.value);
      schedule();
    });
  }
}

/** When another page takes the place of this one. */
export function leave() {
  chart.show(null);
  log.follow(null);
  screen.zoom = null;
}

/** The buttons that change only what is seen here. */
export const acts = {
  zoom(button) {
    const { bounds, zoom, shown } = screen;
    const view = zoom?.of === shown ? zoom : null;
    const next = button.dataset.zoom === "reset" || !bounds ? null : scaled(view, bounds, button.dataset.zoom === "in" ? 2 : 0.5, NaN);
    screen.zoom = next && { of: shown, ...next };
  },
  "log-show"(button) {
    log.show(button.dataset.show);
  },
  "log-pause"() {
    log.pause();
    if (!log.state.paused && screen.end) screen.end.scrollTop = screen.end.scrollHeight;
  },
};

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
  const model = modelOf(ctx);
  const { at, detail, rows } = model;
  const events = (id) => state.events.get(id) ?? [];
  return h("main", { id: "main", key: "service", class: "wrap page" },
    way,
    head(model), figures(model),
    would({ rows, events, mode: mode(ctx), at }),
    latencies({ window: span(ctx), model: model.chart, service, failed: screen.failed }),
    h("div", { class: "two acting" },
      h("div", { class: "stack" }, actions(model), faults(model)),
      h("div", { class: "stack" },
        hasLog(ctx) && logPanel({ log: log.state.name === name ? log.state : emptyTail(name), rows, events, stale: ctx.stale, marked }),
        observations(model), configuration(detail)),
      h("div", { class: "stack" }, graph({ own: detail, services: state.services }), container({ detail, answer: answers.get(`${path(name)}/container`), mode: state.info?.mode, rows, at }), sources(detail, at), history(model))));
}

// What is known of the service, and the chart of it; null while nothing is.
const models = new WeakMap(); // by context, which view() and drawn() share
function modelOf(ctx) {
  if (models.has(ctx)) return models.get(ctx);
  const { state, name, answers, now } = ctx;
  const service = state.services.get(name) ?? answers.get(path(name))?.value;
  let model = null;
  if (service) {
    const at = clock(state, now);
    const rows = rowsOf(ctx);
    model = { ctx, at, service, detail: { ...service, ...state.details.get(name), ...fresh(service) }, rows, instance: ownInstance(state, name), health: state.health.get(name) ?? [] };
    model.chart = latencyOf({ window: span(ctx), zoom: zoomOf(ctx), answers: (window) => answers.get(historyPath(name, window)), at, service, detail: model.detail, incidents: rows, health: model.health, instance: model.instance });
  }
  models.set(ctx, model);
  return model;
}

// What a frame brings is newer than what was loaded.
const fresh = ({ status: is, needs: list }) => ({ status: is, ...(list && { needs: list }) });

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
  const held = service.held ? heldLine({ row: service }) : "";
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

function configuration(detail) {
  if (!detail.config) return null;
  const text = detail.yaml || "";
  return h("section", { class: "panel", "aria-labelledby": "h-config" },
    h("div", { class: "panel-head pad-head" }, h("h2", { id: "h-config" }, "Configuration"),
      h("p", { class: "end quiet small" }, [detail.discovered ? "as the container’s labels say" : "as config.yaml has it", "secrets masked"].join(", ")), text && copy(text, "Copy")),
    text ? h("pre", { class: "yaml", tabindex: "0", role: "region", "aria-label": "Configuration as YAML" }, h("code", {}, text)) : h("p", { class: "quiet pad" }, "The configuration cannot be shown as YAML."));
}

// What an operator can do about the service: each button beside what it does.
function actions({ ctx, service, rows, at }) {
  if (ctx.viewer) return null;
  const { name, container } = service;
  const { stale } = ctx;
  const until = instant(service.silenced_until);
  const silenced = until > at;
  const bad = service.status === "DOWN";
  const repairs = container && service.managed !== false;
  const undo = rows.find((row) => row.undo);
  const list = [
    repairs && bad && [control("heal", name, { text: "Heal now", picture: "work", label: `Heal now: ${name}`, stale }), "Opens an incident by hand: LogStream collects evidence and chooses a repair."],
    repairs && [control("restart", name, { text: "Restart", picture: "restart", label: `Restart ${name}`, stale }), "Requests in flight are lost. Afterwards its checks verify the restart."],
    undo && [control("undo", undo.id, { text: `Undo attempt ${undo.undo.attempt}`, picture: "undo", stale, "data-attempt": String(undo.undo.attempt) }), `Takes back that LogStream ${phrase(undo.undo.action, "it", "did")} at ${hhmm(instant(undo.opened))}.`],
    service.managed !== false && (silenced
      ? [control("unsilence", name, { text: "End silence", picture: "play", label: `End silence of ${name}`, stale }), paragraph(`Silenced until ${when(until, at)}`, silencedBy(service))]
      : [control("silence", name, { text: "Silence", picture: "mute", label: `Silence ${name}`, stale }), "No repair and no notification for a while. Checks go on."]),
  ].filter(Boolean);
  return h("section", { class: "panel pad", "aria-labelledby": "h-actions" }, h("h2", { id: "h-actions" }, "What you can do"),
    list.length > 0 && h("ul", { class: "actions" }, list.map(([button, text]) => h("li", { key: button.attrs["data-control"] }, button, h("p", {}, text)))),
    !repairs && h("p", { class: "ink2 small" }, service.managed === false ? "It is in no configuration, so LogStream never repairs it." : "It has no container, so LogStream cannot restart it."));
}

// "By ada: a migration."
function silencedBy({ silenced_by: by, silence_reason: why }) {
  return by ? `By ${who(by)}${why ? `: ${why}` : ""}` : reason(why);
}

function faults({ ctx, service, rows, at }) {
  const list = faultsOf(ctx.state, service.name);
  if (!list.length) return null;
  const { usual, more } = grouped(list);
  const button = (entry) => control("fault", service.name, { text: fault(entry.fault), picture: "bolt", stale: ctx.stale, "data-fault": entry.fault, label: `Trigger disaster: ${fault(entry.fault).toLowerCase()} ${service.name}` });
  const last = activeFault(ctx.injections, service.name, rows, at);
  const takesBack = last && list.find((entry) => entry.fault === last.fault)?.undo;
  return h("section", { class: "panel pad", "aria-labelledby": "h-break" },
    h("h2", { id: "h-break" }, "Trigger disaster, for real"),
    h("p", { class: "ink2 small" }, "Each button first says what it breaks, and whether LogStream can repair it. Allowed here by ", h("code", { class: "cmd nowrap" }, "chaos: true"), "."),
    h("div", { class: "btns spaced" }, usual.map(button)),
    more.length > 0 && h("details", { class: "rest" }, h("summary", { "aria-label": `More faults for ${service.name}` }, "More", icon("right")), h("div", { class: "btns spaced" }, more.map(button))),
    last && h("p", { class: "ink2 small taken" }, `${last.you ? "You" : whoFirst(last.by)} ${injected(last.fault, service.name)} at ${hhmm(last.at)}.`, takesBack && [" ", control("recall", service.name, { text: "Take it back", picture: "undo", stale: ctx.stale, "data-fault": last.fault })]));
}

function sources(detail, at) {
  const list = detail.sources ?? [];
  if (!list.length) return null;
  return h("section", { class: "panel pad", "aria-labelledby": "h-sources" }, h("h2", { id: "h-sources" }, "Sources"),
    h("p", { class: "ink2 small" }, paragraph("Status is the worst of these sources", list.some((source) => source.check === "health") && hasOwnCheck(detail.url) ? "The container's HEALTHCHECK is shown beside the check, and does not count" : "")),
    h("ul", { class: "sources" }, list.map((source) => h("li", {}, mark(source.status), h("span", {}, `${source.check || "unnamed check"} by ${instanceName(source.instance) || "an unnamed instance"}`), h("span", { class: "quiet" }, "since ", time(instant(source.since), when(instant(source.since), at)))))));
}

function history({ rows, ctx, at, service }) {
  if (!rows.length) return null;
  return h("section", { class: "panel pad", "aria-labelledby": "h-incidents" }, h("h2", { id: "h-incidents" }, "Incidents"),
    h("ol", { class: "feed" }, rows.slice(0, 8).map((row) => h("li", { key: row.id }, time(instant(row.opened), hhmm(instant(row.opened))), outcome(row), h("div", {}, about(row, ctx.incidents.get(row.id), at, service))))));
}

function outcome(row) {
  if (row.state !== "resolved") return icon("down", "down", "Open");
  return repaired(row) ? icon("work", "work", "Repaired") : icon("up", "quiet", "Recovered");
}
