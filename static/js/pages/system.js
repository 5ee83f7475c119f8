// LogStream itself: what it is, what it depends on, and its problems.

import { h, icon } from "../dom.js";
import { clock } from "../store.js";
import { bytes, join, lasting, many, thousands, took } from "../units.js";
import { modeLine, paragraph, reason, release, sentence } from "../words.js";
import { dependencyList } from "../view/agent.js";
import { banner, byWeight, problems } from "../view/banners.js";
import { command, copy, facts, loading } from "../view/bits.js";

export function needs() {
  return ["/info?live"]; // its disk and lag change by themselves, and come with no frame
}

export function title({ state }) {
  const n = problems(state).length;
  return `${n ? `(${n}) ` : ""}System · LogStream`;
}

export function view({ state, now, viewer, stale, receivers, person }) {
  const { info } = state;
  if (!info) return h("main", { id: "main", key: "system", class: "wrap page" }, h("h1", { class: "vh", tabindex: "-1" }, "System"), loading());
  const at = clock(state, now);
  const list = byWeight(problems(state));
  const shown = list.filter((problem) => problem.part !== "config" || !info.config_error); // that one stands below, with its lines
  return h("main", { id: "main", key: "system", class: "wrap page" },
    h("header", { class: "title" }, h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, health(list)),
      h("p", {}, modeLine(info.mode))),
      !viewer && h("div", { class: "btns" }, h("a", { class: "btn narrow-only", href: "/add" }, icon("plus"), "Add a service"))),
    shown.length > 0 && h("div", { class: "banners" }, shown.map((problem) => banner(problem, at))),
    configuration(info),
    h("div", { class: "two even" },
      h("div", { class: "stack" },
        h("section", { class: "panel pad", "aria-labelledby": "h-dependencies" }, h("h2", { id: "h-dependencies" }, "Dependencies"), dependencyList(info)),
        notifications({ info, viewer, stale, receivers })),
      h("div", { class: "stack" },
        h("section", { class: "panel pad", "aria-labelledby": "h-self" }, h("h2", { id: "h-self" }, "This instance"),
          facts([["Version", release(info.version) || "a development build"], ["Instance", info.instance && h("code", {}, info.instance)], ["Docker host", info.host], ["Active", info.active === undefined ? "" : info.active ? "yes: it repairs this host" : "no: another instance repairs this host"], ["Mode", info.mode], ["Uptime", Number.isFinite(info.uptime_s) ? lasting(info.uptime_s * 1000 + (now - state.infoAt)) : ""], ["Services", String(state.services.size)], ["Checks", punctual(info.checks)]])),
        log(info.bus),
        hosts(state))),
    person && (person.name || person.role === "viewer" || person.loggedIn) && you(person));
}

// Each error of an edit that is not in use, with what stands at its place.
function configuration(info) {
  if (!info.config_error) return null;
  const list = info.config_errors ?? [];
  const file = list[0]?.file;
  const check = `logstream check${file ? ` --config ${file}` : ""}`;
  return h("section", { class: "panel pad amiss", "aria-labelledby": "h-config" },
    h("h2", { id: "h-config" }, "The last edit of config.yaml is not in use"),
    h("p", { class: "ink2 small" }, "LogStream runs with the configuration before it. ", list.length ? `${many(list.length, "error")}:` : "What is wrong:"),
    list.some(({ excerpt }) => excerpt?.includes("•••")) && h("p", { class: "ink2 small" }, "Values that are not at fault are hidden (•••)."),
    list.length ? h("ol", { class: "findings" }, list.map(finding)) : h("pre", { class: "frame", tabindex: "0" }, h("code", {}, String(info.config_error))),
    h("p", { class: "cmdline small" }, "To see them in a terminal: ", command(check), copy(check)));
}

const BEFORE = 16; // characters of a line before the caret that are shown, so that a phone shows what is wrong

function finding({ file, line, column, key, excerpt, caret, message, suggestion }) {
  const gutter = " ".repeat(String(line).length);
  const cut = Math.max(0, caret - 1 - BEFORE);
  const shown = `${cut ? "… " : ""}${[...(excerpt ?? "")].slice(cut).join("")}`;
  return h("li", { key: `${line}:${column}:${key}`, "data-finding": `${line}:${column}` },
    h("p", {}, h("b", {}, line > 0 ? `Line ${line}, column ${column}` : file), key && [": ", h("code", {}, key)]),
    caret > 0 && h("pre", { class: "frame", tabindex: "0", role: "region", "aria-label": `Line ${line} with other values hidden; the error is at column ${column}` }, h("code", {}, `${line} │ ${shown}\n${gutter} │ ${" ".repeat(cut ? BEFORE + 2 : caret - 1)}`, h("span", { class: "here" }, "^"))),
    h("p", {}, reason(message), suggestion && [" Did you mean ", h("code", { class: "cmd" }, suggestion), "?"]));
}

// What the event log takes, and how far behind it is read.
function log(bus) {
  if (!bus) return null;
  return h("section", { class: "panel pad", "aria-labelledby": "h-log" }, h("h2", { id: "h-log" }, "Event log"),
    facts([
      ["Kafka", bus.kind === "embedded" ? "embedded in this process" : "configured brokers"],
      ["Brokers", (bus.brokers ?? []).length > 0 && h("code", {}, bus.brokers.join(", "))],
      ["Lag", bus.lag_s >= 0 ? `${took(bus.lag_s * 1000)} from a check to this page` : "no record read yet"],
      ["Disk", bus.disk_bytes > 0 && `${bytes(bus.disk_bytes)}${bus.max_bytes > 0 ? `; its health logs may take ${bytes(bus.max_bytes)}` : ""}`],
      ["Dropped", bus.dropped > 0 ? `${thousands(bus.dropped)} health logs while Kafka was unreachable` : ""],
    ]));
}

// The hosts of the fleet, and which instance repairs each.
function hosts(state) {
  const list = new Map();
  for (const { host, owner } of state.services.values()) {
    const of = list.get(host) ?? { owner: "", services: 0 };
    list.set(host, { owner: owner || of.owner, services: of.services + 1 });
  }
  if (!list.size) return null;
  return h("section", { class: "panel pad", "aria-labelledby": "h-hosts" }, h("h2", { id: "h-hosts" }, "Hosts"),
    h("p", { class: "ink2 small" }, "One instance at a time repairs the containers of a host."),
    facts([...list].sort(([a], [b]) => a.localeCompare(b)).map(([host, of]) => [host || "unknown", of.owner ? ["repaired by ", h("code", {}, of.owner), `, ${many(of.services, "service")}`] : `no instance repairs it, ${many(of.services, "service")}`])));
}

// The receivers of notifications, and what became of a test message to each.
function notifications({ info, viewer, stale, receivers }) {
  const known = info.receivers ?? [];
  const { list = [], refusal = "", testing = false } = receivers ?? {};
  return h("section", { class: "panel pad", "aria-labelledby": "h-notify" }, h("h2", { id: "h-notify" }, "Notifications"),
    known.length ? h("ul", { class: "receivers" }, known.map((of) => receiver(of, testing ? undefined : list.find(({ name }) => name === of.name))))
      : h("p", { class: "ink2 small taken" }, "No receiver is configured: LogStream cannot notify a person. Name one in ", h("code", { class: "cmd" }, "notify.receivers"), " of config.yaml."),
    !viewer && known.length > 0 && h("div", { class: "btns spaced" },
      h("button", { class: "btn", type: "button", "data-act": "notify", disabled: stale, "aria-disabled": testing ? "true" : null }, icon("send"), testing ? "Sending…" : "Send a test message"),
      h("p", { class: "quiet small" }, "One message to each, marked as a test.")),
    h("div", { role: "status" },
      refusal ? h("p", { class: "refusal" }, reason(refusal)) : list.length > 0 && !testing && h("p", { class: "small" }, outcome(list))));
}

const EVENTS = { opened: "incident opened", resolved: "incident resolved", approval: "approval needed", escalated: "person called", lost: "Docker, Kafka or model unreachable", back: "reachable again", digest: "nightly digest" };

function receiver({ name, kind, on = [], services = [], groups = [] }, tested) {
  const only = [...groups.map((group) => `group ${group}`), ...services];
  const picture = tested ? (tested.ok ? icon("check", "up", "Test sent") : icon("x", "warn", "Test failed")) : icon("send", "quiet");
  return h("li", { key: name, "data-receiver": name, "data-ok": tested ? String(tested.ok) : null }, picture, h("div", {},
    h("p", {}, h("b", {}, name), name === kind ? "" : ` (${kind})`, tested && (tested.ok ? " accepted the test message." : " did not accept the test message.")),
    tested && !tested.ok && h("p", { class: "ink2" }, sentence(tested.error)),
    h("p", { class: "quiet" }, paragraph(`Receives: ${join(on.map((event) => EVENTS[event] ?? event))}`, only.length ? `Only for ${join(only)}` : ""))));
}

function outcome(list) {
  const good = list.filter(({ ok }) => ok).length;
  return good === list.length ? (good === 1 ? "The receiver accepted the test message." : `All ${good} receivers accepted the test message.`) : `${many(list.length - good, "receiver")} of ${list.length} did not accept the test message.`;
}

// As whom this page was let in, and the way out.
function you({ name, role, loggedIn }) {
  return h("section", { class: "panel pad", "aria-labelledby": "h-you" }, h("h2", { id: "h-you" }, "You"),
    facts([["Name", name], ["Role", role === "viewer" ? "viewer: you can see everything and change nothing" : "operator: you can see everything and send commands"]]),
    loggedIn && h("form", { method: "post", action: "/logout", class: "btns spaced" }, h("button", { class: "btn", type: "submit" }, "Log out")));
}

/** How many checks came late or were left out since the start. */
function punctual(checks) {
  return checks && (checks.late || checks.skipped ? `${thousands(checks.late)} late, ${thousands(checks.skipped)} skipped` : "all on time");
}

// A model that is unavailable stops nothing.
function health(list) {
  const grave = list.filter(({ part }) => part !== "llm" && part !== "names").length;
  if (grave) return `${many(grave, "component")} of LogStream ${grave === 1 ? "has" : "have"} a problem`;
  if (list.some(({ part }) => part === "llm")) return "All components healthy except the model";
  return list.length ? "All components healthy; some names of services are not unique" : "All components healthy";
}
