// Every incident, by day, the newest first: searched and filtered by its address.

import { h, icon, keep } from "../dom.js";
import { find } from "../find.js";
import { incident as incidentOf } from "../incident.js";
import { downFor } from "../lane.js";
import { address, choices, filters, listed, matches, narrowed, paged } from "../listing.js";
import { clock } from "../store.js";
import { day, hhmm, instant, lasting, many, thousands, took } from "../units.js";
import { capital, heldAs, who } from "../vocabulary.js";
import { repaired, subject } from "../words.js";
import { href, loading, nothing, time } from "../view/bits.js";
import { approvalRequest, approvalState } from "../view/approval.js";

const SHOW = [["", "All"], ["open", "Open"], ["escalated", "A person is needed"], ["resolved", "Resolved"]];
const DECIDERS = { runbook: "the runbook", llm: "a model", operator: "an operator", mcp: "a program that proposed it", guard: "LogStream’s gates", logstream: "LogStream" };
const COLUMNS = [["time", "Opened"], ["service", "Service"], ["cause", "Cause"], ["by", "Decided by"], ["attempts", "Attempts"], ["down", "Down"], ["outcome", "Outcome"]];

// What gets the focus once a link that had it is gone.
const SHOWN = ".incident-tools [aria-current]";
const LAST = ".incident-table tbody:last-child tr:last-child a";

export function needs({ query, answers }) {
  return paged(filters(query), answers).paths;
}

export function title({ state }) {
  const open = [...state.incidents.values()].filter((row) => row.state !== "resolved").length;
  return `${open ? `(${open} open) ` : ""}Incidents · LogStream`;
}

let finder = null;

/** After each render of this page: its fields are in line with the address. */
export function drawn(root, ctx, schedule) {
  finder ??= find(schedule);
  finder.measure();
}

export function view(ctx) {
  const { state, now, incidents, query, answers } = ctx;
  const at = clock(state, now);
  const of = filters(query);
  const all = [...state.incidents.values()];
  const pages = paged(of, answers);
  const { more, oldest, refusal } = pages;
  const rows = listed(all, of, pages);
  const open = all.filter((row) => row.state !== "resolved").length;
  const asked = [...incidents.values()].filter((one) => one.row.approval && matches(one.row, of));
  const known = state.seq !== null || oldest !== null;
  return h("main", { id: "main", key: "incidents", class: "wrap page" },
    h("header", { class: "title" }, h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, open ? `${many(open, "incident")} ${open === 1 ? "is" : "are"} open` : state.seq === null ? "Incidents" : "No incident is open"),
      h("p", {}, "Kafka keeps incidents for 90 days. To share this list, copy its address: it contains the filters."))),
    tools(of, choices(all, state.services.keys(), of), { shown: rows.length, more: more || oldest === null }),
    asked.length > 0 && h("div", { class: "stack", key: "approvals" }, asked.map((one) => approvalRequest(one, { ...approvalState(ctx, one, at), brief: true }))),
    !known || (oldest === null && !rows.length && !refusal) ? loading()
      : rows.length ? table(rows, ctx, at)
        : refusal ? nothing("The incidents cannot be loaded now", refusal.message)
          : narrowed(of) ? none(of) : nothing("No incidents recorded", "When a service goes down, its incident appears here with evidence, repair and times."),
    rows.length > 0 && older(of, { more, refusal }));
}

function tools(of, { services, causes, deciders }, { shown, more }) {
  const select = (name, label, list, text) => h("label", { class: "sort", key: name }, h("span", { class: "quiet small" }, label),
    h("select", { "data-filter": name }, h("option", { key: "any", value: "", selected: !of[name] }, "Any"), list.map((value) => h("option", { key: value, value, selected: of[name] === value }, text(value)))));
  return h("div", { class: "tools incident-tools", key: "tools" },
    h("label", { class: "search" }, icon("search", "quiet"),
      h("input", { id: "find", type: "search", "aria-label": "Search incidents", autocomplete: "off", spellcheck: "false", maxlength: "200", placeholder: "Search incidents" }), h("kbd", { "aria-hidden": "true" }, "/")),
    h("nav", { class: "seg", "aria-label": "Show" }, SHOW.map(([value, text]) => h("a", { key: value, href: address(of, { state: value }), "aria-current": of.state === value ? "true" : null }, text))),
    select("service", "Service", services, (name) => name),
    select("cause", "Cause", causes, (id) => capital(id.replaceAll("_", " "))),
    select("decided_by", "Decided by", deciders, (name) => capital(Object.hasOwn(DECIDERS, name) ? DECIDERS[name] : name)),
    h("p", { class: "tools-found quiet small", role: "status" }, narrowed(of) && [more ? `The newest ${thousands(shown)} that match` : `${many(shown, "incident")} ${shown === 1 ? "matches" : "match"}`, h("a", { class: "btn bare", href: "/incidents", "data-focus-next": SHOWN }, "Clear")]));
}

const none = () => h("div", { class: "panel empty", key: "none" }, h("h2", {}, "No incident matches"), h("p", {}, "No incident of the last 90 days matches these filters."), h("p", {}, h("a", { class: "btn", href: "/incidents", "data-focus-next": SHOWN }, "Clear the filters")));

function older(of, { more, refusal }) {
  if (refusal) return h("p", { class: "quiet small", key: "older" }, `Older incidents cannot be loaded now. ${refusal.message}`);
  return more && h("p", { key: "older" }, h("a", { class: "btn", "data-older": "true", "data-focus-next": LAST, href: address(of, { pages: of.pages + 1 }) }, "Show older"));
}

const MOST_KEPT = 3000;
const kept = new Map();

function table(rows, { state, incidents }, at) {
  if (kept.size > MOST_KEPT + rows.length) kept.clear(); // a long list is kept whole
  const days = new Map();
  for (const row of rows) {
    const name = day(instant(row.opened), at);
    days.set(name, [...(days.get(name) ?? []), row]);
  }
  return h("div", { class: "panel incident-wrap", key: "table" }, h("table", { class: "tbl incident-table", "aria-label": "Incidents" },
    h("thead", {}, h("tr", {}, COLUMNS.map(([name, text]) => h("th", { scope: "col", key: name, class: `i-${name}` }, text)))),
    [...days].map(([name, list]) => h("tbody", { key: name },
      h("tr", { class: "group-row", key: "day" }, h("th", { scope: "rowgroup", colspan: COLUMNS.length }, capital(name), h("span", { class: "group-counts quiet" }, many(list.length, "incident")))),
      list.map((row) => item(row, incidents.get(row.id) ?? (row.state === "resolved" ? null : incidentOf(row, [])), state.services.get(row.service), at))))));
}

function item(row, of, service, at) {
  const [picture, colour, text] = outcome(row);
  const over = row.state === "resolved";
  const was = of && downFor(of, service, at); // as the lane has it
  const down = was ? (was.never ? "–" : was.until === null ? lasting(was.ms) : took(was.ms)) : row.down_ms > 0 ? took(row.down_ms) : "–";
  const about = subject(row);
  const by = row.decided_by ? who(row.decided_by) : "–";
  return keep(kept, row.id, [text, down, was?.until === null, about, by, row.attempts, row.service], () => {
    const opened = instant(row.opened);
    return h("tr", { key: row.id, class: "incident-row", "data-incident-row": row.id, "data-state": row.state },
      h("td", { class: "i-time" }, time(opened, hhmm(opened))),
      h("th", { scope: "row", class: "i-service" }, h("a", { class: "plain", href: href.incident(row.id) }, row.kind === "fleet" ? "Several services" : row.service)),
      h("td", { class: "i-cause" }, about),
      h("td", { class: "i-by" }, by),
      h("td", { class: "i-attempts num" }, String(row.attempts ?? 0)),
      h("td", { class: `i-down num${was?.until === null ? " down" : ""}` }, down),
      h("td", { class: "i-outcome" }, h("span", { class: `st ${over ? "" : colour}`.trim() }, icon(picture, colour), text)));
  });
}

/** How an incident ended, or where it stands: icon, colour, word. */
export function outcome(row) {
  if (row.state === "escalated") return ["person", "down", "A person is needed"];
  if (row.approval) return ["person", "warn", "Approval needed"];
  const held = heldAs(row.held);
  if (row.state !== "resolved") return row.held ? [held.icon, held.colour, held.word] : row.phase === "verification" ? ["work", "work", "Verifying"] : ["down", "down", "Open"];
  if (repaired(row)) return ["work", "work", "Repaired"];
  return row.how === "operator" ? ["check", "quiet", "Closed"] : ["up", "quiet", "Recovered"];
}
