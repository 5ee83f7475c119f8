import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { incident as incidentOf } from "../js/incident.js";
import * as store from "../js/store.js";
import * as incident from "../js/pages/incident.js";
import * as incidents from "../js/pages/incidents.js";
import * as overview from "../js/pages/overview.js";
import * as service from "../js/pages/service.js";
import * as system from "../js/pages/system.js";
import { top } from "../js/view/top.js";
import { consulted, diagnosed, evidence, finished, opened, opinion, row, started, T, eventLog } from "./event_log.mjs";

const EVIL = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;

// The page's context over a state, as app.js makes it.
function context(state, more = {}) {
  const incidents = new Map([...state.incidents.values()].map((row) => [row.id, incidentOf(row, state.events.get(row.id) ?? [], state.thinking.get(row.id))]));
  return { state, now: T + 5000, name: "", stale: false, conn: "live", agent: state.agent, incidents, answers: new Map(), query: new URLSearchParams(), injections: [], refusals: new Map(), sizes: new Map(), windows: new Map(), look: { text: "", show: "all", sort: "trouble", view: "", whole: false, order: null, busy: false, visible: new Set(), window: { top: 0, height: 0, row: 0 } }, ...more };
}

function full({ evil = "" } = {}) {
  const say = (text) => text + evil;
  const name = `payment-service${evil}`;
  const one = { name, status: "DOWN", since: new Date(T).toISOString(), error: say("connection refused"), owner: "box", uptime: { "24h": 0.99 }, container: { name, id: say("9f2c"), image: say("shop:1"), ran: true }, sources: [{ instance: say("box"), check: say("http"), status: "DOWN", since: new Date(T).toISOString() }] };
  const list = eventLog(opened, evidence, consulted("runbook", { model: opinion("restart"), raw: "{}", reasoning: "It ran." }), started, finished).map((event) => JSON.parse(JSON.stringify({ ...event, service: name }, (key, value) => (typeof value === "string" && !["id", "type", "time", "service", "first_bad", "expires", "instance"].includes(key) ? say(value) : value))));
  let state = store.fold(store.empty(), { type: "snapshot", seq: 1, services: [one, { name: "stock", status: "UP", since: new Date(T - 60e3).toISOString(), latency_ms: 26, owner: "box" }], incidents: [{ ...row(list), service: name }], agent: { state: "VERIFYING", incident: "i1", service: name, model: say("qwen"), last_action: say("docker start"), budget: { attempt: 1, attempts: 3, hour: 1, per_hour: 60 } }, info: { version: say("1"), instance: "box", host: say("local"), active: true, uptime_s: 60, mode: say("auto"), config_error: say("line 3"), bus: { kind: "embedded", brokers: [say("127.0.0.1:9092")], ok: true }, llm: { model: say("qwen"), ready: false, error: say("absent") }, docker: { ok: false, error: say("refused") }, troubles: [{ part: say("docker"), since: new Date(T).toISOString(), what: say("the engine is away: refused"), works: say("checks"), on_hold: say("repairs"), remedy: { text: say("Start Docker."), command: say("docker info") } }] } }, T).state;
  state = store.learnIncident(state, { ...row(list), service: name, events: list });
  state = store.learnService(state, { ...one, config: { url: say("http://localhost:8080"), interval: say("2s"), expect: { latency: "800ms" }, note: say("x") }, depends_on: [say("db")], observations: [{ timestamp: T / 1000, status: "DOWN", check: say("http"), error: say("refused"), instance: say("box") }] });
  state = store.learnChaos(state, [{ fault: "stop", services: [name, "stock"] }, { fault: say("kill"), services: [name] }]);
  return { state, name };
}

const pages = { overview, incidents, incident, service, system };
const names = (name) => ({ incident: "i1", service: name });

test("every page draws from a full state", () => {
  const { state, name } = full();
  for (const [key, page] of Object.entries(pages)) {
    const ctx = context(state, { name: names(name)[key] ?? "" });
    const view = page.view(ctx);
    assert.equal(find(view, (e) => e.tag === "h1").length, 1, `${key} has one h1`);
    assert.ok(page.title(ctx).endsWith("LogStream"));
    assert.ok(Array.isArray(page.needs(ctx)));
    assert.ok(!/undefined|NaN|\[object|null|false\b/.test(textOf(view)), `${key}: ${/.{20}(undefined|NaN|\[object|null|false\b).{0,20}/.exec(textOf(view))?.[0]}`);
  }
});

test("every page draws from nothing, and while it is cut off", () => {
  const bare = store.fold(store.empty(), { type: "snapshot", seq: 1 }, T).state;
  for (const state of [store.empty(), bare, full().state]) {
    for (const [key, page] of Object.entries(pages)) {
      for (const stale of [false, true]) {
        const ctx = context(state, { name: "none", stale, conn: stale ? "down" : "live" });
        const view = page.view(ctx);
        assert.ok(!/undefined|NaN|\[object/.test(textOf(view)), `${key}: ${textOf(view).slice(0, 200)}`);
        page.title(ctx);
      }
    }
  }
});

test("what comes from outside is text, and never an address or a handler", () => {
  const { state, name } = full({ evil: EVIL });
  const views = [...Object.entries(pages).map(([key, page]) => page.view(context(state, { name: names(name)[key] ?? "" }))), top({ path: "/", open: 1, conn: "live", rate: 1, mode: EVIL, now: T })];
  for (const view of views) {
    for (const element of find(view, () => true)) {
      assert.match(element.tag, /^[a-z][a-z0-9]*$/i);
      for (const [attribute, value] of Object.entries(element.attrs)) {
        assert.ok(!/^on|^style$|^srcdoc$/.test(attribute), `${element.tag} ${attribute}`);
        if (attribute === "href" || attribute === "src") assert.match(String(value), /^[/#]/, String(value));
      }
    }
  }
  assert.ok(textOf(views[0]).includes(EVIL), "it is shown as it came");
});

test("a card says its state in words, shape and attribute, and has its buttons", () => {
  const { state } = full();
  const [card, other] = find(overview.view(context(state)), (e) => e.tag === "li" && e.attrs["data-service"]);
  assert.equal(card.attrs["data-status"], "DOWN");
  assert.match(textOf(card), /Down 5 s/);
  assert.ok(find(card, (e) => e.attrs["aria-label"] === "Down").length);
  assert.equal(find(card, (e) => e.attrs["data-testid"] === "trigger-disaster").length, 1);
  assert.equal(other.attrs["data-status"], "UP");
  assert.match(textOf(other), /26 ms/);
  assert.match(textOf(other), /Uptime: no data yet/);
});

test("the faults that are tried first are buttons, and the others are behind More", () => {
  const { state } = full();
  const faults = ["stop", "kill", "hang", "crash", "disk", "fds"].map((fault) => ({ fault, services: state.chaos[0].services }));
  for (const view of [overview.view(context({ ...state, chaos: faults })), pages.service.view(context({ ...state, chaos: faults }, { name: faults[0].services[0] }))]) {
    const [rest] = find(view, (e) => e.tag === "details" && e.attrs.class === "rest");
    assert.deepEqual(find(rest, (e) => e.attrs["data-fault"]).map((e) => e.attrs["data-fault"]), ["crash", "disk", "fds"]);
    assert.ok(find(view, (e) => e.attrs["data-fault"] === "stop").length > 0);
  }
});

// A page of services as the API has them.
function listed(services, more = {}) {
  const since = new Date(T - 60e3).toISOString();
  return store.fold(store.empty(), { type: "snapshot", seq: 1, services: services.map((one, i) => ({ status: "UP", since, latency_ms: 0, interval_s: 2, url: "", order: i + 1, ...one })), incidents: [], ...more }, T).state;
}
const cardsOf = (state) => find(overview.view(context(state)), (e) => e.tag === "li" && e.attrs["data-service"]);

test("a service without an address of its own is shown by its container or its reports, with no latency", () => {
  const [bare, named, job] = cardsOf(listed([
    { name: "bare", container: { name: "bare-1" }, latency_ms: 1.2 },
    { name: "dock", url: "docker://x", container: { name: "x" }, latency_ms: 1.2 },
    { name: "backup", url: "push://", interval_s: 60 }])).map(textOf);
  assert.match(bare, /^bareUpcontainer bare-1, every 2 s/);
  assert.match(named, /^dockUpdocker:\/\/x, every 2 s/);
  assert.match(job, /^backupUppush:\/\/, report due every 1 min/);
  for (const text of [bare, named, job]) assert.doesNotMatch(text, /\d ms/);
});

test("a service that no configuration defines is drawn with its details", () => {
  let state = listed([{ name: "old", status: "UNKNOWN", managed: false, configured: false, interval_s: 0, container: null }]);
  state = store.learnService(state, { ...state.services.get("old"), config: null, depends_on: null, observations: [] });
  assert.match(textOf(cardsOf(state)[0]), /Unmanaged: not in the configuration/);
  assert.match(textOf(service.view(context(state, { name: "old" }))), /in no configuration/);
});

test("the page of a job that reports by itself names its schedule, and no check", () => {
  let state = listed([{ name: "backup", url: "push://" }]);
  state = store.learnService(state, { name: "backup", status: "PENDING", since: new Date(T).toISOString(), url: "push://", config: { url: "push://", interval: "2s", timeout: "1s", push: { schedule: "30 2 * * *" } }, observations: [] });
  const text = textOf(service.view(context(state, { name: "backup" })));
  assert.match(text, /report due at 30 2 \* \* \*/);
  assert.match(text, /No report yet/);
  assert.doesNotMatch(text, /timeout 1 s|Awaiting first check/);
});

test("what is expected of an observation is that of its kind, and a HEALTHCHECK beside a check is said not to count", () => {
  const since = new Date(T).toISOString();
  const one = { name: "web", url: "tcp://x:1", container: { name: "web" }, discovered: true, held: "healthcheck", held_reason: "the container's HEALTHCHECK fails", sources: [{ instance: "box", check: "tcp", status: "UP", since }, { instance: "box", check: "health", status: "DOWN", since }] };
  const seen = ["tcp", "health", "container"].map((check, i) => ({ timestamp: T / 1000 + i, status: "UP", check, latency_ms: 1, instance: "box" }));
  let state = listed([one]);
  state = store.learnService(state, { ...one, status: "UP", since, config: { url: "tcp://x:1", expect: { status: "200-399" } }, observations: [...seen, { timestamp: T / 1000, status: "UP", check: "", latency_ms: 0, instance: "api:" }] });
  const text = textOf(service.view(context(state, { name: "web" })));
  for (const part of ["Uprunningrunning", "UpHEALTHCHECK healthyhealthy", "Upa connectiongood1 ms", "Upa good answergood0 ms"]) assert.ok(text.includes(part), part);
  assert.doesNotMatch(text, /Upstatus 200/);
  assert.doesNotMatch(text, /api:/);
  assert.match(text, /On hold\. The container's HEALTHCHECK fails/);
  assert.match(text, /HEALTHCHECK is shown beside the check, and does not count/);
  assert.match(textOf(cardsOf(state)[0]), /discovered/);
});

test("services stand under the heading of their group, those without one first", () => {
  const view = overview.view(context(listed([{ name: "a", group: "shop" }, { name: "b" }, { name: "c", group: EVIL }, { name: "d", group: "shop" }])));
  const [section] = find(view, (e) => /^services /.test(e.attrs.class));
  const parts = find(section, (e) => e.attrs.class === "group" || e.attrs["data-service"]).map((e) => e.attrs["data-service"] ?? `# ${textOf(e)}`);
  assert.deepEqual(parts, ["b", "# Group shop", "a", "d", `# Group ${EVIL}`, "c"]);
});

test("a service that only a person can repair says what is wrong with it, and its note", () => {
  const events = eventLog(opened);
  const incident = { ...row(events), service: "web", state: "escalated", phase: "ended", cause_id: "no_container", escalated_reason: "Without a container there is nothing that LogStream can repair." };
  const one = { name: "web", status: "DOWN", url: "http://x", error: "HTTP 500, expected 200-399", note: "call the shop team" };
  const text = textOf(cardsOf(listed([one], { incidents: [incident] }))[0]);
  assert.match(text, /A person is needed\. HTTP 500, expected 200-399\.call the shop team/);
  assert.match(textOf(service.view(context(listed([one]), { name: "web" }))), /call the shop team/);
  assert.doesNotMatch(textOf(cardsOf(listed([{ ...one, status: "UP" }]))[0]), /shop team/);
  const list = textOf(incidents.view(context(listed([one], { incidents: [{ ...incident, cause: "The checks fail, and no container is configured.", error: one.error }] }))));
  assert.match(list, /webHTTP 500, expected 200-399\..*A person is needed/);
  const gone = { ...incident, cause_id: "stopped", escalated_reason: "the container was removed" };
  assert.match(textOf(cardsOf(listed([one], { incidents: [gone] }))[0]), /A person is needed\. The container was removed\./);
});

test("the system page says how many checks were late or skipped, and which Docker was chosen and why", () => {
  const text = (info) => textOf(system.view(context(listed([], { info }))));
  assert.match(text({ checks: { late: 1234, skipped: 2 } }), /Checks1,234 late, 2 skipped/);
  assert.match(text({ checks: { late: 0, skipped: 0 } }), /Checksall on time/);
  assert.match(text({ docker: { ok: true, version: "29", address: "unix:///run/docker.sock", chosen_by: "DOCKER_HOST" } }), /version 29, at unix:\/\/\/run\/docker\.sock \(DOCKER_HOST\)/);
});

test("while the page is cut off no fault can be injected", () => {
  const { state } = full();
  const buttons = find(overview.view(context(state, { stale: true, conn: "down" })), (e) => e.attrs["data-control"] === "fault");
  assert.ok(buttons.length && buttons.every((button) => button.attrs.disabled));
});

test("the agent shows its state, its choice and what it was not offered", () => {
  const { state } = full();
  const view = overview.view(context(state));
  const [pill] = find(view, (e) => e.attrs["data-agent-state"]);
  assert.equal(pill.attrs["data-agent-state"], "VERIFYING");
  const text = textOf(view);
  for (const part of ["start payment-service", "cause proven", "Not offered: restart payment-service.", "Attempts1 of 3"]) assert.ok(text.includes(part), part);
});

test("a lane names its incident and its current step", () => {
  const { state } = full();
  const [lane] = find(overview.view(context(state)), (e) => e.attrs["data-incident"]);
  assert.equal(lane.attrs["data-incident"], "i1");
  assert.equal(find(lane, (e) => e.attrs["aria-current"] === "step").length, 1);
});

// A page while, or after, a model has its say about i1.
function withModel(list, { pieces = [], llm = { model: "qwen3:4b", ready: true }, state: agent = "DIAGNOSING", troubles = [] } = {}) {
  const events = eventLog(...list);
  let state = store.fold(store.empty(), { type: "snapshot", seq: 1, services: [{ name: "payment-service", status: "DOWN", since: new Date(T).toISOString() }], incidents: [row(events)], agent: { state: agent, incident: "i1", service: "payment-service", model: llm.model }, info: { llm, troubles } }, T).state;
  state = store.learnIncident(state, { ...row(events), events });
  return store.fold(state, { type: "events", seq: 2, events: pieces.map(([text, done]) => ({ kind: "thinking", data: { incident: "i1", service: "payment-service", text, done, time: new Date(T + 1020).toISOString() } })) }, T).state;
}
const card = (state) => find(overview.view(context(state)), (e) => String(e.attrs.class).includes("agent") && e.tag === "section")[0];
const texts = (view, test) => find(view, test).map(textOf);

test("while a model is queried the agent says so, with its reasoning and the facts", () => {
  const view = card(withModel([opened, evidence], { pieces: [[""]] }));
  for (const part of ["qwen3:4b is being queried", "Querying qwen3:4b", "3 s so far", "No output yet", "exited (0)", "If it does not answer in time, the runbook decides."]) assert.ok(textOf(view).includes(part), part);
  const thinking = card(withModel([opened, evidence], { pieces: [[""], ["Exit code 0.\n\nSo it was "], ["stopped"]] }));
  const [region] = find(thinking, (e) => e.attrs["data-follow"]);
  assert.deepEqual([region.attrs.tabindex, region.attrs["aria-live"], region.attrs.role], ["0", "off", "region"]);
  assert.deepEqual(texts(region, (e) => e.tag === "p"), ["Exit code 0.", "So it was stopped"]);
  assert.equal(find(region, (e) => e.attrs.class === "caret").length, 1);
});

test("after the decision the agent shows the transcript and what came of it", () => {
  const view = card(withModel([opened, evidence, consulted("llm:qwen3:4b", { model: opinion("start"), reasoning: "It ended in order.", raw: '{"action":"start"}' })], { state: "FIXING" }));
  for (const part of ["Reasoning", "It ended in order.", "The model agrees with the runbook: start payment-service."]) assert.ok(textOf(view).includes(part), part);
  assert.deepEqual(texts(view, (e) => e.tag === "summary"), ["Prompt", "Raw answer"]);
  assert.deepEqual(texts(view, (e) => e.tag === "pre"), ["Service: payment-service", '{"action":"start"}']);
  assert.ok(find(view, (e) => e.tag === "pre").every((e) => e.attrs.tabindex === "0" && e.attrs["aria-label"]));
  const late = card(withModel([opened, evidence, consulted("runbook", { invalid: "It did not answer within 6 s.", invalid_code: "late", reasoning: "Hmm." })], { state: "FIXING" }));
  assert.deepEqual(texts(late, (e) => e.tag === "summary"), ["Prompt", "Reasoning"]);
  assert.ok(textOf(late).includes("The model did not answer in time. The runbook decided."));
});

test("the agent names the model and whether it is available", () => {
  const say = (llm) => textOf(card(withModel([opened], { llm, state: "WATCHING" })));
  assert.match(say({ model: "qwen3:4b", ready: true }), /qwen3:4b is available\./);
  assert.match(say({ model: "qwen3:4b", ready: false, error: "Ollama does not have the model qwen3:4b." }), /qwen3:4b is unavailable: the runbook decides\..*qwen3:4b is unavailable\. Ollama does not have the model qwen3:4b\. The runbook decides\./);
  assert.match(say({ model: "", ready: false }), /No model is configured: the runbook decides\./);
});

test("the incident shows both views, and which one decided", () => {
  const page = (by, more) => incident.view(context(withModel([opened, evidence, consulted(by, more)], { state: "FIXING" }), { name: "i1" }));
  const stood = (view) => find(view, (e) => e.attrs["data-view"]).map((e) => `${e.attrs["data-view"]}:${e.attrs["data-stands"]}`);
  const sides = (view) => texts(view, (e) => e.attrs["data-view"]);
  const both = page("llm:qwen3:4b", { model: opinion("restart", { confidence: 0 }), action: "restart", confidence: 0, raw: "{}" });
  assert.deepEqual(stood(both), ["runbook:false", "model:true"]);
  assert.match(textOf(both), /Two views, one decision/);
  assert.match(textOf(both), /The model’s choice was used: restart payment-service\. The runbook would start payment-service\. Setting: healer\.decide: llm\. Both choices are allowed/);
  assert.ok(!textOf(both).includes("0%"));
  const late = page("runbook", { invalid: "It did not answer within 6 s.", invalid_code: "late" });
  assert.deepEqual(stood(late), ["runbook:true", "model:false"]);
  assert.match(sides(late)[1], /It did not answer within 6 s\./);
  const unavailable = page("runbook", { prompt: "", invalid: "Ollama does not have the model x.", invalid_code: "missing_model" });
  assert.match(sides(unavailable)[1], /unavailableOllama does not have the model x\./);
  const none = page("runbook", { prompt: "" });
  assert.deepEqual(stood(none), ["runbook:true"]);
  assert.match(textOf(none), /The decision.*No model was queried\./);
});

test("a model that is unavailable is shown calmly, with the command, and without contradicting another problem", () => {
  const llm = { part: "llm", since: new Date(T).toISOString(), what: "Ollama does not have the model qwen3:4b.", works: "checks and repairs: the runbook decides", on_hold: "the model's opinions", remedy: { text: "Pull the model.", command: "ollama pull qwen3:4b" } };
  const engine = { part: "docker", since: llm.since, what: "Docker is unreachable.", works: "checks", on_hold: "every repair", remedy: { text: "Start Docker." } };
  const model = { llm: { model: "qwen3:4b", ready: false, error: "" }, state: "WATCHING" };
  const alone = overview.view(context(withModel([opened], { ...model, troubles: [llm] })));
  const [banner] = find(alone, (e) => e.attrs["data-problem"] === "llm");
  assert.equal(banner.attrs.class, "banner calm");
  assert.match(textOf(banner), /Problem with the model since .*Ollama does not have the model qwen3:4b\. The runbook decides in its place\./);
  assert.equal(find(banner, (e) => e.attrs["data-act"] === "copy")[0].attrs["data-text"], "ollama pull qwen3:4b");
  const two = overview.view(context(withModel([opened], { ...model, troubles: [llm, engine] })));
  assert.deepEqual(find(two, (e) => e.attrs["data-problem"]).map((e) => e.attrs["data-problem"]), ["docker", "llm"]);
  assert.ok(!textOf(two).includes("everything"));
  assert.match(textOf(system.view(context(withModel([opened], { ...model, troubles: [llm] })))), /All components healthy except the model/);
});

test("every window that is offered has data behind it", () => {
  const { state, name } = full();
  const offered = find(service.view(context(state, { name })), (e) => e.attrs["data-act"] === "window").map((e) => e.attrs["data-window"]);
  assert.deepEqual(offered, ["15m", "1h", "6h", "24h", "7d", "30d"]);
});

test("the repairs of an hour are said of the service that they are counted for", () => {
  const agent = { state: "ESCALATED", incident: "i1", service: "payment-service", budget: { attempt: 1, attempts: 3, hour: 0, per_hour: 60 } };
  const said = (more) => textOf(overview.view(context(store.fold(store.empty(), { type: "snapshot", seq: 1, services: [{ name: "payment-service", status: "DOWN" }], incidents: [row(eventLog(opened), { state: "escalated", ...more })], agent }, T).state)));
  assert.match(said({}), /Repairs of payment-service this hour0 of 60/);
  assert.doesNotMatch(said({ kind: "fleet" }), /this hour/);
});

test("the attempts are those that the budget counts, on every page", () => {
  const again = [[8000, "verified", "logstream", { ok: false, outcome: "interrupted", error: "It was killed." }], started, finished];
  const events = eventLog(opened, evidence, diagnosed, started, finished, ...again);
  const counted = { ...row(events), attempts: 1 };
  let state = store.fold(store.empty(), { type: "snapshot", seq: 1, services: [{ name: "payment-service", status: "DOWN" }], incidents: [counted], agent: { state: "VERIFYING", incident: "i1", budget: { attempt: 1, attempts: 3, hour: 2, per_hour: 60 } } }, T).state;
  state = store.learnIncident(state, { ...counted, events });
  assert.match(textOf(overview.view(context(state))), /Attempts1 of 3Repairs of payment-service this hour2 of 60/);
  assert.match(textOf(incident.view(context(state, { name: "i1" }))), /Attempts1 /);
});

test("a flapping service says so, also while it is up", () => {
  for (const flapping of [true, false]) {
    const { state, name } = full();
    const one = { name, status: "UP", since: new Date(T).toISOString(), owner: "box", latency_ms: 3, flapping };
    const shown = store.fold(state, { type: "snapshot", seq: 2, services: [one], incidents: [] }, T).state;
    for (const page of [overview, service]) {
      assert.equal(/Flapping: the status changes too often/.test(textOf(page.view(context(shown, { name })))), flapping);
    }
  }
});

test("a service's page shows the result of its new image, and what observe would have done", () => {
  const of = (more) => {
    const service0 = { name: "web", status: "UP", since: new Date(T).toISOString(), owner: "box", container: { name: "web", id: "1", image: "web:2", image_id: "b" }, ...more };
    const { state } = store.fold(store.empty(), { type: "snapshot", seq: 1, services: [service0], info: { mode: "observe" } }, T);
    return textOf(service.view(context(state, { name: "web" })));
  };
  const update = { image: "web:2", image_id: "b", since: new Date(T).toISOString(), until: new Date(T + 600e3).toISOString(), verdict: "watching", before: { checks: 300, bad: 0, p95_ms: 9 }, after: { checks: 20, bad: 8, p95_ms: 12 } };
  assert.match(of({ update }), /Image web:2 since .*: compared with the image before for 9 min 5\d s more\./);
  assert.match(of({ update: { ...update, verdict: "good" } }), /as good as the image before/);
  assert.match(of({ update: { ...update, verdict: "bad", reasons: ["error_rate"] } }), /: bad: 40 % of its checks fail, before it 0 %\./);
  const logs = { known: 2, new: 12, example: "ERROR <b>" };
  assert.match(of({ update: { ...update, verdict: "bad", reasons: ["new_errors"], logs } }), /its log has 12 error messages that it did not have before, such as “ERROR (<b>|&lt;b&gt;)”/);
  assert.match(of({ update: { ...update, image_id: "c", verdict: "bad", reasons: ["down", "new_one"] } }), /Last update: image web:2 at .*: bad: the service is DOWN\./);
  assert.match(of({ update: { ...update, image_id: "c", verdict: "bad", reasons: ["rolled_back"] } }), /: bad: LogStream rolled the image back\./);
  assert.match(of({ trust: { would: 14, right: 13, since: update.since } }), /would have acted 14 times, right 13 times\. .*heal: \{mode: auto\}/);
  assert.doesNotMatch(of({}), /would have acted|Image web:2 since/);
});

// ---- many services

const fleet = (n, more = () => ({})) => listed(Array.from({ length: n }, (_, i) => ({ name: `s${i}`, group: `g${i % 3}`, url: `http://x/${i}`, ...more(i) })));
const rowsOf = (view) => find(view, (e) => e.attrs["data-service"]);

test("above eight services are cells by group with a map and tools, and very many are a table of the rows in view", () => {
  const cells = overview.view(context(fleet(30)));
  assert.equal(rowsOf(cells).length, 30);
  assert.equal(find(cells, (e) => e.tag === "table").length, 0);
  assert.deepEqual(find(cells, (e) => e.tag === "nav" && String(e.attrs.class).startsWith("map")).flatMap((map) => find(map, (e) => e.tag === "a").map((e) => e.kids.filter((part) => part.tag === "span").map(textOf).join(""))), [0, 1, 2].map((i) => `Group g${i}. 10 services: 10 up`));
  assert.equal(find(cells, (e) => e.attrs.id === "search").length, 1);
  const ctx = context(fleet(300));
  ctx.look.window = { top: 700, height: 800, row: 32 };
  const table = overview.view(ctx);
  const [grid] = find(table, (e) => e.tag === "table");
  assert.equal(grid.attrs["aria-rowcount"], 304, "all of them, the three groups and the head");
  assert.ok(rowsOf(table).length < 30, String(rowsOf(table).length));
  assert.equal(find(overview.view(context(fleet(8))), (e) => e.attrs.id === "search").length, 0);
});

test("a cell that reads the same is the same view, which draw() skips", () => {
  const state = fleet(30);
  const first = rowsOf(overview.view(context(state)));
  const later = rowsOf(overview.view(context(store.fold(state, { type: "events", seq: 2, events: [{ kind: "service", data: { ...state.services.get("s7"), status: "DOWN", error: "refused" } }] }, T).state)));
  const changed = later.filter((view) => !first.some((one) => one.props.view === view.props.view)).map((view) => view.attrs["data-service"]);
  assert.deepEqual(changed, ["s7"]);
});

test("one cause is said once, and not on each cell", () => {
  const state = fleet(30, () => ({ status: "DOWN", error: "no such container", open_incident: "x" }));
  const rows = [...state.services.keys()].map((name) => ({ ...row(eventLog(opened)), id: name, service: name, state: "escalated", phase: "ended", cause_id: "container_missing", cause: `The container ${name} does not exist.`, escalated_reason: "There is nothing to start." }));
  const view = overview.view(context(store.fold(state, { type: "snapshot", seq: 1, services: [...state.services.values()], incidents: rows }, T).state));
  assert.equal(textOf(view).split("30 containers do not exist").length - 1, 3, "in the headline, in the lane's place and in what happened");
  assert.ok(rowsOf(view).every((cell) => !/There is nothing to start|no such container/.test(textOf(cell))));
  assert.equal(find(view, (e) => e.attrs["data-group"] === 30).length, 1);
});

test("hostile names are text in cells, rows and the map", () => {
  for (const n of [30, 100]) {
    const view = overview.view(context(fleet(n, (i) => ({ name: `${EVIL}${i}`, group: EVIL, error: EVIL, status: "DOWN" }))));
    for (const element of find(view, () => true)) for (const [attribute, value] of Object.entries(element.attrs)) {
      assert.ok(!/^on|^style$/.test(attribute), attribute);
      if (attribute === "href") assert.match(String(value), /^[/#]/);
    }
  }
});

test("where a repair is all that goes on the first screen says that no action is needed, and only there", () => {
  const { state: of } = full();
  const state = { ...of, info: { ...of.info, mode: "auto", troubles: [] } };
  const says = (of) => find(overview.view(context(of)), (e) => e.attrs.class === "now-rest").some((e) => textOf(e).startsWith("No action is needed from you so far. "));
  const withInfo = (more) => ({ ...state, info: { ...state.info, ...more } });
  const stock = (status) => ({ ...state, services: new Map([...state.services, ["stock", { ...state.services.get("stock"), status }]]) });
  assert.ok(says(state));
  assert.ok(!says(withInfo({ mode: "approve" })));
  assert.ok(!says(withInfo({ troubles: of.info.troubles })), "something is wrong with LogStream itself");
  assert.ok(!says(withInfo({ held: true })), "repairs are on hold");
  for (const status of ["DOWN", "DEGRADED", "UNKNOWN"]) assert.ok(!says(stock(status)), `a service that nothing repairs is ${status}`);
  const other = { ...[...state.incidents.values()][0], id: "i2", service: "stock" };
  for (const more of [{ state: "escalated", phase: "ended" }, { state: "escalated", phase: "ended", acknowledged: "operator:ann" }, { state: "open", phase: "held", held: "operator" }, { state: "open", phase: "held", held: "approval" }, { state: "open", phase: "diagnosis" }]) {
    assert.ok(!says(store.learnIncident(state, { ...other, ...more, events: [] })), JSON.stringify(more));
  }
  assert.ok(says(store.learnIncident(state, { ...other, state: "resolved", how: "healed", resolved: new Date(T).toISOString(), events: [] })));
});

test("the first screen invites to break a service only where that is repaired by itself", () => {
  const all = { mode: "auto", troubles: [], docker: { ok: true } };
  const shown = (info, more = {}) => overview.view(context(store.learnChaos(store.fold(store.empty(), { type: "snapshot", seq: 1, services: ["web", "db"].map((name) => ({ name, status: "UP" })), agent: { state: "WATCHING" }, info: { ...all, ...info }, ...more }, T).state, [{ fault: "stop", services: ["web"] }])));
  const work = (info, more) => find(shown(info, more), (e) => /^now-work/.test(e.attrs.class)).map((e) => [textOf(e), e.attrs.class])[0];
  const pill = (info) => find(shown(info), (e) => e.attrs["data-agent-state"] === "WATCHING")[0].attrs.class;
  const held = { held: true, held_until: new Date(T + 60e3).toISOString() };
  const over = { ...held, held_until: new Date(T).toISOString() };
  for (const info of [{}, over]) assert.deepEqual([work(info), pill(info)], [["Break a service and watch it heal.", "now-work calm"], "pill up"]);
  assert.deepEqual([work(held), pill(held)], [["Repairs are on hold.", "now-work hold"], "pill warn"]);
  for (const info of [{ mode: "observe" }, { mode: "approve" }, { troubles: full().state.info.troubles }]) assert.deepEqual(work(info), ["LogStream is watching.", "now-work calm"]);
  assert.ok(!/its repair/.test(textOf(find(shown(held), (e) => e.attrs.class === "panel lane lane-idle")[0])), "the lane promises no repair");
  const incidents = [{ ...row(eventLog(opened, evidence, diagnosed, started, finished)), state: "resolved", how: "healed", resolved: new Date(T - 3600e3).toISOString() }];
  assert.equal(work(held, { incidents })[0], "1 failure was repaired in the last 24 h. Repairs are on hold.");
});

test("what mode observe holds is nowhere said to be on hold: there is nothing to release", () => {
  const held = { gate: "observe", reason: "the mode is observe: LogStream would run start" };
  const events = eventLog(opened, evidence, diagnosed, [2000, "suppressed", "guard", held]);
  const web = { name: "web", status: "DOWN", held: held.gate, held_reason: held.reason };
  const observed = (n) => listed([web], { info: { mode: "auto" }, incidents: Array.from({ length: n }, (_, i) => ({ ...row(events), id: `i${i}`, service: i ? `web${i}` : "web" })) });
  const state = store.learnIncident(observed(1), { ...row(events), id: "i0", service: "web", events });
  const texts = [...[observed(0), observed(1), observed(5)].map((of) => overview.view(context(of))), incidents.view(context(state)), incident.view(context(state, { name: "i0" })), service.view(context(store.learnService(state, { ...web, observations: [] }), { name: "web" }))].map(textOf);
  for (const text of texts) {
    assert.match(text, /Not repaired(\. The mode is observe: LogStream would run start\.| \(mode observe\))/);
    assert.doesNotMatch(text, /On hold/);
  }
  assert.match(textOf(find(overview.view(context(observed(5))), (e) => /^now-work/.test(e.attrs.class))[0]), /Not repaired \(mode observe\)\.$/);
  assert.doesNotMatch(textOf(overview.view(context(observed(5)))), /Nothing is repaired/);
  const [say] = find(cardsOf(observed(1))[0], (e) => e.attrs.class === "card-say");
  assert.match(JSON.stringify(say), /ic quiet/);
  assert.match(JSON.stringify(find(incidents.view(context(state)), (e) => /^st/.test(e.attrs.class))), /quiet/);
});

test("what waits for a service that is up is not said to depend on another that is down, nor to wait while that is down", () => {
  const waits = { ...row(eventLog(opened)), id: "i2", service: "orders-api", state: "open", held: "dependency", held_reason: "waits for orders-db: the repair of a service that it depends on is not verified yet", root: "orders-db" };
  const shown = (db) => overview.view(context(listed([{ name: "mail", status: "DOWN" }, { name: "orders-api", status: "DOWN", held: "dependency" }, { name: "orders-db", status: db }], { incidents: [waits] })));
  const headline = (db) => textOf(find(shown(db), (e) => e.tag === "h1")[0]);
  assert.equal(headline("UP"), "mail and orders-api are down");
  assert.equal(headline("DOWN"), "mail and orders-db are down, and so is orders-api, which depends on orders-db");
  assert.match(textOf(shown("UP")), /On hold\. Waits for orders-db: the repair of a service that it depends on is not verified yet\./);
  assert.doesNotMatch(textOf(shown("UP")), /while orders-db is down/);
});

test("incidents that need a person are counted on the first screen where its headline speaks of another", () => {
  const one = (id, cause_id, more = {}) => ({ id, service: id, state: "open", phase: "action", action: "restart", cause_id, opened: new Date(T).toISOString(), ...more });
  const over = { state: "escalated", phase: "ended", escalated: new Date(T).toISOString() };
  const screen = (incidents) => overview.view(context(store.fold(store.empty(), { type: "snapshot", seq: 1, services: incidents.map(({ service }) => ({ name: service, status: "DOWN" })), incidents }, T).state));
  const rest = (view) => find(view, (e) => e.attrs.class === "now-rest").map(textOf).join();
  const repairs = ["oom", "hang", "exited", "killed", "stopped"].map((id) => one(id, id));
  const view = screen([...repairs, one("x", "odd", over)]);
  assert.equal(rest(view), "1 incident needs a person.");
  assert.equal(find(view, (e) => e.attrs["data-stage"] === "escalated" && e.attrs["data-incident"] === "x").length, 1, "and it has a line");
  assert.match(rest(screen([...repairs, one("x", "odd", over), one("y", "other", over)])), /^2 incidents need a person\./);
  assert.doesNotMatch(rest(screen([one("x", "odd", over), one("y", "other", over)])), /person/);
});

test("where not every incident was read, figures say at least, and none says that no person was called", () => {
  const incidents = Array.from({ length: 300 }, (_, i) => ({ id: `i${i}`, service: "web", state: "resolved", how: "healed", attempts: 1, action: "restart", opened: new Date(T - 3600e3 - i * 1000).toISOString(), resolved: new Date(T - 3600e3).toISOString() }));
  const state = store.fold(store.empty(), { type: "snapshot", seq: 1, services: [{ name: "web", status: "UP" }], incidents }, T).state;
  const first = "/incidents?limit=200", second = `${first}&before=i199`;
  const answers = new Map([[first, { value: incidents.slice(0, 200), at: T }]]);
  assert.ok(overview.needs(context(state, { answers })).includes(second));
  const part = textOf(overview.view(context(state, { answers })));
  assert.match(part, /At least 300 failures were repaired in the last 24 h\..*Repairedat least 300Median/);
  assert.doesNotMatch(part, /no person|never/);
  answers.set(second, { value: incidents.slice(200), at: T });
  const all = textOf(overview.view(context(state, { answers })));
  assert.match(all, /300 failures were repaired in the last 24 h\..*Repaired300Person callednever/);
  assert.doesNotMatch(all, /at least/i);
});
