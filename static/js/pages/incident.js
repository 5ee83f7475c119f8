// One incident, whole: its figures, what decided, who decided, and its
// timeline with the time between the steps.

import { outside } from "../base.js";
import { h, icon } from "../dom.js";
import { incident as incidentOf } from "../incident.js";
import { downFor, lane } from "../lane.js";
import { address } from "../listing.js";
import { clock } from "../store.js";
import { timeline } from "../timeline.js";
import { instant, lasting, took, when } from "../units.js";
import { who } from "../vocabulary.js";
import { ending, escalation, heldLine, isOfUpdate, isRequested, paragraph, reason, subject, title as about } from "../words.js";
import { acknowledgement, approvalRequest, approvalState, operations } from "../view/approval.js";
import { command, copy, crumbs, href, loading, nothing, pill, progress } from "../view/bits.js";
import { decision } from "../view/decision.js";
import { evidence } from "../view/evidence.js";
import { repair } from "../view/repair.js";
import { download, report, similar } from "../view/report.js";

const path = (id) => `/incidents/${encodeURIComponent(id)}`;

export function needs({ state, name }) {
  return [path(name), "/commands?limit=100", ...markdownOf(state, name)];
}

// The Markdown of an incident that is over, read again when something was added to it.
function markdownOf(state, id) {
  const row = state.incidents.get(id);
  if (!row || row.state === "open") return [];
  return [`${path(id)}.md?of=${state.events.get(id)?.length ?? 0}.${row.notes?.length ?? 0}`];
}

export function title({ state, name }) {
  const row = state.incidents.get(name);
  return `${row?.approval ? "(approval needed) " : ""}${row ? about(row) : "Incident"} · LogStream`;
}

export function view(ctx) {
  const { state, name, answers, now } = ctx;
  const row = state.incidents.get(name);
  const events = state.events.get(name) ?? [];
  const refusal = answers.get(path(name))?.refusal;
  if (!row || !events.length) {
    const gone = refusal?.status === 404;
    return h("main", { id: "main", key: "incident", class: "wrap page" }, way(name),
      h("h1", { class: "vh", tabindex: "-1" }, "Incident"),
      gone ? nothing("Incident not found", "Kafka keeps incidents for 90 days.") : refusal ? nothing("The incident cannot be loaded now", refusal.message) : loading());
  }
  const of = ctx.incidents.get(name) ?? incidentOf(row, events, state.thinking.get(row.id));
  const at = clock(state, now);
  return h("main", { id: "main", key: "incident", class: "wrap page" },
    way(name),
    head(of, at, ctx),
    approvalRequest(of, approvalState(ctx, of, at)),
    figures(of, at, state.services.get(row.service)),
    h("div", { class: `two whole-incident${needsNone(of) ? " bare" : ""}` },
      !needsNone(of) && h("div", { class: "stack of-evidence", key: "found" }, evidence(of)),
      h("div", { class: "stack of-decision", key: "done" }, decision(of, at, state.info), repair(of, at)),
      h("div", { class: "stack of-report", key: "report" }, report(of, at, reportData(ctx))),
      h("div", { class: "stack of-steps", key: "steps" }, steps(of, at), links(row, state), similar(row, at))));
}

// What the post-mortem says beside the incident's own events.
function reportData({ state, name, answers, injections }) {
  const [address] = markdownOf(state, name);
  return { markdown: answers.get(address)?.value ?? "", injections, dependents: dependentsOf(state.incidents.get(name), state).map((other) => other.service) };
}

function way(id) {
  return crumbs([["Overview", "/"], ["Incidents", "/incidents"]], id.length > 12 ? `${id.slice(0, 12)}…` : id);
}

function head(of, at, { state, stale, viewer, refusals }) {
  const refused = !of.row.approval && refusals.get(of.row.id);
  const model = lane(of, { now: at, mode: state.info?.mode, service: state.services.get(of.row.service) });
  return h("header", { class: "title", "data-incident": of.row.id, "data-phase": of.row.phase },
    h("div", { class: "title-say" }, h("h1", { tabindex: "-1" }, about(of.row), " ", pill(model.pill)), h("p", {}, summary(of, at)), waits(of.row), again(of.row, state.services.get(of.row.service), viewer), acknowledgement(of.row) && h("p", { class: "quiet" }, acknowledgement(of.row)), refused && h("p", { class: "approval-refusal", role: "alert" }, icon("warn", "warn"), ` ${refused}`)),
    h("div", { class: "btns" },
      operations(of, { stale, viewer, service: state.services.get(of.row.service) }),
      h("button", { class: "btn", type: "button", "data-act": "copy", "data-text": `${globalThis.location?.origin ?? ""}${outside(href.incident(of.row.id))}` }, icon("link"), "Copy link"),
      download(of.row.id, "Post-mortem as Markdown")));
}

function summary(of, at) {
  const error = reason(of.opened?.data?.error ?? of.row.error);
  const first = isRequested(of) || isOfUpdate(of) ? [error === subject(of.row) ? "" : error] : [`${of.row.kind === "fleet" ? "The first of them failed" : "The first failed check was"} at ${when(of.firstBad, at)}`, error === subject(of.row) ? "" : error];
  switch (of.stage) {
    case "resolved": {
      const last = of.attempts.at(-1);
      if (last?.verified?.data?.ok && last.started.data?.undoes) return paragraph(...first, `Attempt ${last.started.data.undoes} was undone`, "An inspection of the container verified the undo");
      return paragraph(...first, ending(of.row), last?.verified?.data?.ok ? `Verified by ${last.progress.good} good checks in a row` : "");
    }
    case "held": return paragraph(...first, heldLine(of, at));
    case "escalated": return paragraph(...first, "A person is needed", escalation(of.row));
    default: return paragraph(...first);
  }
}

function figures(of, at, service) {
  const { row } = of;
  const down = downFor(of, service, at);
  const found = row.ttd_ms ?? instant(of.opened?.time) - of.firstBad;
  const decided = instant(of.first.decided) - instant(of.opened?.time);
  return h("dl", { class: "panel figures" },
    !isRequested(of) && !isOfUpdate(of) && figure("Down for", down.until ? took(down.ms) : lasting(down.ms), down.until ? "" : "so far"),
    !isRequested(of) && figure("Detected after", Number.isFinite(found) ? took(found) : "", of.opened?.data?.check === "container" ? "by its container" : ""),
    !(isRequested(of) && !of.diagnosed) && figure("Diagnosed after", Number.isFinite(decided) ? took(decided) : "not yet", of.diagnosed ? `by ${who(of.diagnosed.by)}` : ""),
    figure("Attempts", String(row.attempts ?? 0)),
    figure("Resolved after", Number.isFinite(row.ttr_ms) ? took(row.ttr_ms) : "not yet"));
}

function figure(name, value, unit = "") {
  if (!value) return null;
  const parts = String(value).split(" ").flatMap((part) => (/^[\d.,]+$/.test(part) ? [part, " "] : [h("small", {}, part), " "]));
  const measured = /\d/.test(value);
  return h("div", {}, h("dt", {}, name), h("dd", { class: measured ? null : "text" }, measured ? parts : value, unit && h("small", { class: "under" }, unit)));
}

// An undo and a fleet's incident are decided without evidence of one container.
const needsNone = (of) => !of.evidence && (of.row.kind === "fleet" || Boolean(of.opened?.data?.undoes_incident));

function steps(of, at) {
  return h("section", { class: "panel pad", "aria-labelledby": "h-timeline" }, h("h2", { id: "h-timeline" }, "Timeline"),
    h("ol", { class: "tl" }, timeline(of, at).map((item) => h("li", { class: item.tone, key: item.key },
      item.took && h("span", { class: "tl-took" }, item.took),
      h("span", { class: "node" }, icon(item.icon)),
      h("div", {}, h("h3", {}, item.head), item.line && h("p", {}, item.line), item.text && h("p", { class: "pre" }, item.text), item.command && h("p", { class: "cmdline" }, command(item.command), copy(item.command)), beside(item), item.output && printed(item.output), progress(item.progress)),
      item.at && h("time", { datetime: item.at.iso, title: item.at.iso }, item.at.text)))));
}

// A hold's gate, and the incident that it waits for.
function beside({ note, root }) {
  return (note || root) && h("p", { class: "quiet" }, [note, root && ["Root: ", root.incident ? h("a", { href: href.incident(root.incident) }, root.name) : root.name]].filter(Boolean).flatMap((part, i) => (i ? [" · ", part] : [part])));
}

function printed(output) {
  return h("details", { class: "transcript" }, h("summary", {}, "Output"), h("pre", { tabindex: "0", role: "region", "aria-label": "Output of the command" }, h("code", {}, output)));
}

// What an incident waits for stands in its head: that is what to read next.
function waits(row) {
  if (!row.root || row.state === "resolved") return null;
  return row.root_incident && h("p", { "data-root": row.root }, h("a", { href: href.incident(row.root_incident) }, `See the incident of ${row.root}`));
}

// What a person can do about an incident that LogStream has given up.
function again(row, service, viewer) {
  if (row.state !== "escalated" || !service?.container) return null;
  const line = `logstream heal ${row.service}`;
  return h("p", {}, "LogStream does nothing more by itself until the facts change. ", !viewer && ["To let it try again: “Heal now”, or ", h("span", { class: "nowrap" }, command(line), copy(line))]);
}

// The incidents that waited for this one as their root, the newest of each service.
function dependentsOf(row, state) {
  const folded = [...state.incidents.values()].filter((other) => other.root_incident && other.root_incident === row.id);
  return [...new Map(folded.sort((a, b) => instant(a.opened) - instant(b.opened)).map((other) => [other.service, other])).values()];
}

function links(row, state) {
  if (row.kind === "fleet") return null; // it is of no service
  const to = (id, name) => id ? h("a", { href: href.incident(id) }, name) : name;
  const dependents = dependentsOf(row, state);
  return h("div", { class: "quiet small" },
    h("p", {}, "Service: ", h("a", { href: href.service(row.service) }, row.service), ". ", h("a", { href: address({}, { service: row.service }) }, "All its incidents")),
    row.root && row.state === "resolved" && h("p", { "data-root": row.root }, "Waited for: ", to(row.root_incident, row.root)),
    dependents.length > 0 && h("p", { "data-dependents": dependents.length }, "Failed with it: ", dependents.map((other, i) => [i ? ", " : "", to(other.id, other.service)])));
}
