// The form for another service, the approvals and the system page.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { incident as incidentOf } from "../js/incident.js";
import * as store from "../js/store.js";
import * as add from "../js/pages/add.js";
import * as approvals from "../js/pages/approvals.js";
import * as system from "../js/pages/system.js";
import { blame, definition, trials } from "../js/trials.js";
import { bytes } from "../js/units.js";
import { at, diagnosed, evidence, opened, row, T, eventLog } from "./event_log.mjs";

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
  delete globalThis.FormData;
});

function context(state, more = {}) {
  const incidents = new Map([...state.incidents.values()].map((one) => [one.id, incidentOf(one, state.events.get(one.id) ?? [])]));
  return { state, now: T + 5000, stale: false, viewer: false, incidents, answers: new Map(), refusals: new Map(), sent: new Map(), trial: null, receivers: null, ...more };
}
const known = (more = {}) => store.fold(store.empty(), { type: "snapshot", seq: 1, services: [{ name: "web", status: "UP", host: "box", owner: "box-1", group: "shop", container: { name: "web-1" } }], incidents: [], info: { mode: "auto", troubles: [] }, ...more }, T).state;

test("a form's definition has the keys of config.yaml, and none that is empty", () => {
  const given = { name: " stock ", url: "http://localhost:8090", container: "", interval: "5s", "expect.status": "200", "expect.body": "ok" };
  assert.deepEqual(definition((name) => given[name]), { name: "stock", url: "http://localhost:8090", interval: "5s", expect: { status: "200", body: "ok" } });
  assert.deepEqual(definition(() => null), {});
});

test("a refusal stands at the field that it is about", () => {
  assert.deepEqual(blame("service.interval: must be positive"), ["interval", "must be positive"]);
  assert.deepEqual(blame("service.expect.body: is no regular expression"), ["expect.body", "is no regular expression"]);
  assert.deepEqual(blame("4 probes are running"), ["", "4 probes are running"]);
  const view = add.view(context(known(), { trial: { refusal: "service.interval: must be positive" } }));
  const [field] = find(view, (e) => e.attrs.name === "interval");
  assert.equal(field.attrs["aria-invalid"], "true");
  assert.equal(textOf(find(view, (e) => e.attrs.id === "add-interval-wrong")[0]).trim(), "Must be positive.");
  assert.match(textOf(view), /Not tested: a field is wrong/);
});

test("the form offers what is known, shows the result plainly, and the lines with a button that copies them", () => {
  const view = add.view(context(known(), { trial: { name: "web", lines: "  - name: web\n", probe: { status: "UP", code: 200, latency_ms: 14, url: "http://x", check: "http", detail: [{ key: "address", value: "127.0.0.1:80" }] } } }));
  assert.deepEqual(find(view, (e) => e.tag === "option").map((e) => e.attrs.value), ["web-1", "shop"]);
  const text = textOf(view);
  for (const part of ["It would be up: 200 in 14 ms.", "127.0.0.1:80", "A service with this name exists already", "  - name: web"]) assert.ok(text.includes(part), part);
  assert.equal(find(view, (e) => e.attrs["data-act"] === "copy" && e.attrs["data-text"] === "  - name: web\n").length, 1);
  const down = textOf(add.view(context(known(), { trial: { probe: { status: "DOWN", code: 0, latency_ms: 1, url: "http://x", check: "http", error: "connection refused", detail: [] } } })));
  assert.match(down, /It would be down\..*Connection refused\./);
});

test("a viewer gets no form, no answer and no test message", () => {
  const { state } = waits();
  for (const view of [add.view(context(state, { viewer: true })), approvals.view(context(state, { viewer: true })), system.view(context(state, { viewer: true }))]) {
    assert.deepEqual(find(view, (e) => (e.tag === "button" && e.attrs["data-act"] !== "copy") || e.tag === "form").map(textOf), []);
  }
  assert.match(textOf(approvals.view(context(state, { viewer: true }))), /An operator can approve or deny it/);
});

// One repair that needs approval, one incident that was given up.
function waits() {
  const requested = [2000, "approval_requested", "guard", { action: "start", target: "payment-service", command: "docker start payment-service", undo: "", cost: "Non-disruptive.", reason: "the mode is approve", expires: at(902000) }];
  const events = eventLog(opened, evidence, diagnosed, requested);
  const given = { id: "i2", service: "web", state: "escalated", opened: at(0), escalated: at(1000), cause: "It crashes at once.", escalated_reason: "Three attempts failed." };
  let state = known({ incidents: [row(events), given] });
  state = store.learnIncident(state, { ...row(events), events });
  return { state };
}

test("the approvals page has all that waits for a person, with what is needed to answer", () => {
  const { state } = waits();
  const view = approvals.view(context(state));
  const text = textOf(view);
  for (const part of ["1 repair needs approval, 1 incident needs a person", "Start payment-service?", "docker start payment-service", "Non-disruptive.", "LogStream cannot undo it.", "The request expires in", "Approve: start payment-service", "Deny", "Three attempts failed.", "Heal now", "Acknowledge"]) assert.ok(text.includes(part), `${part} is missing in: ${text}`);
  assert.equal(find(view, (e) => e.attrs["data-approval"]).length, 1);
  assert.equal(find(view, (e) => e.attrs["data-given"]).length, 1);
  assert.match(approvals.title(context(state)), /^Approvals/);
});

test("the approvals page says that nothing waits, and what became of the last commands", () => {
  const list = [{ id: "b", time: at(0), by: "operator:ada", service: "web", command: "silence", args: { for: "1h", reason: "a migration." }, result: { ok: true } }, { id: "a", time: at(0), by: "operator:api", service: "*", command: "release", args: {}, result: { ok: false, error: "release: no hold is active" } }];
  const text = textOf(approvals.view(context(known(), { answers: new Map([["/commands?limit=20", { value: list }]]) })));
  for (const part of ["Nothing waits for you", "ada silenced web for 1 h: a migration. Service", "Executed", "An operator through the API released the hold.", "Refused. No hold is active."]) assert.ok(text.includes(part), `${part} is missing in: ${text}`);
  assert.deepEqual([known(), store.empty()].map((state) => approvals.title(context(state))), ["Nothing waits for you · LogStream", "Approvals · LogStream"], "nothing is known while it loads");
});

test("the system page shows an error of config.yaml with a caret at its place, and the suggestion", () => {
  const info = { mode: "auto", troubles: [], config_error: "x", config_errors: [{ file: "config.yaml", line: 14, column: 5, key: "services[0].intervall", value: "", message: "unknown key", suggestion: "interval", excerpt: "    intervall: •••", caret: 5 },
    { file: "config.yaml", line: 9, column: 60, key: "notify.receivers[0].onn", value: "", message: "unknown key", suggestion: "on", excerpt: "notify: {receivers: [{url: •••, onn: •••}]}", caret: 33 }] };
  const view = system.view(context(known({ info })));
  assert.equal(textOf(find(view, (e) => e.tag === "pre")[0]), "14 │     intervall: •••\n   │     ^");
  assert.equal(textOf(find(view, (e) => e.tag === "pre")[1]), "9 │ … rs: [{url: •••, onn: •••}]}\n  │                   ^", "a long line begins near its place");
  for (const part of ["Line 14, column 5: services[0].intervall", "Unknown key. Did you mean interval?", "logstream check --config config.yaml"]) assert.ok(textOf(view).includes(part), part);
});

test("the system page shows owners of hosts, lag, disk, and what became of a test message", () => {
  const info = { mode: "auto", troubles: [], receivers: [{ name: "ntfy", kind: "ntfy", on: ["escalated"] }, { name: "mail", kind: "smtp", on: ["opened"], groups: ["shop"] }], bus: { kind: "embedded", ok: true, brokers: ["127.0.0.1:9092"], lag_s: 0.004, disk_bytes: 5 << 20, max_bytes: 256 << 20 } };
  const text = textOf(system.view(context(known({ info }), { receivers: { list: [{ name: "ntfy", ok: true, error: "" }, { name: "mail", ok: false, error: "connection refused" }] } })));
  for (const part of ["boxrepaired by box-1, 1 service", "Lag4 ms", "Disk5 MiB; its health logs may take 256 MiB", "ntfy accepted the test message.Receives: person called.", "mail (smtp) did not accept the test message.connection refused.Receives: incident opened. Only for group shop.", "1 receiver of 2 did not accept the test message."]) assert.ok(text.includes(part), `${part} is missing in: ${text}`);
  assert.match(textOf(system.view(context(known({ info: { ...info, receivers: [] } })))), /No receiver is configured/);
  assert.deepEqual([0, 1023, 1536, 10 * 1024, 5 << 20].map(bytes), ["0 B", "1023 B", "1.5 KiB", "10 KiB", "5 MiB"]);
});

test("a test sends the definition, and shows the answer or why there is none", async () => {
  const sent = [];
  globalThis.FormData = class { constructor(form) { this.form = form; } get(name) { return this.form[name] ?? null; } };
  globalThis.fetch = async (path, { body }) => {
    sent.push([path, JSON.parse(body)]);
    const ok = path.endsWith("/definition");
    return { ok, status: ok ? 200 : 400, json: async () => (ok ? { yaml: "  - name: a\n" } : { error: "service.url: is missing" }) };
  };
  const ui = {};
  const { add: check, notify } = trials({ ui, deny() {}, schedule() {} });
  await check({ name: "a", url: "http://x" });
  assert.deepEqual(sent.map(([path]) => path).sort(), ["/api/v1/definition", "/api/v1/probe"]);
  assert.deepEqual(sent[0][1], { service: { name: "a", url: "http://x" } });
  assert.deepEqual([ui.trial.lines, ui.trial.refusal, ui.trial.testing], ["  - name: a\n", "service.url: is missing", false]);
  await notify();
  assert.deepEqual([ui.receivers.list, ui.receivers.refusal], [[], "service.url: is missing"]);
});
