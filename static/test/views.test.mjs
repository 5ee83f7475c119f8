import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { rowAfter, story } from "../js/incident.js";
import { idle } from "../js/pace.js";
import * as store from "../js/store.js";
import * as incident from "../js/pages/incident.js";
import * as incidents from "../js/pages/incidents.js";
import * as overview from "../js/pages/overview.js";
import * as service from "../js/pages/service.js";
import * as system from "../js/pages/system.js";
import { top } from "../js/view/top.js";
import { diagnosed, evidence, finished, opened, started, T, tape } from "./tape.mjs";

const EVIL = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;

// The page's context over a state, as app.js makes it.
function context(state, more = {}) {
  const stories = new Map([...state.incidents.values()].map((row) => [row.id, story(row, state.events.get(row.id) ?? [], state.health.get(row.service) ?? [])]));
  return { state, now: T + 5000, name: "", stale: false, conn: "live", agent: state.agent ?? idle().shown, stories, answers: new Map(), query: new URLSearchParams(), deeds: [], refusals: new Map(), sizes: new Map(), windows: new Map(), ...more };
}

function full({ evil = "" } = {}) {
  const say = (text) => text + evil;
  const name = `payment-service${evil}`;
  const one = { name, status: "DOWN", since: new Date(T).toISOString(), error: say("connection refused"), owner: "box", uptime: { "24h": 0.99 }, container: { name, id: say("9f2c"), image: say("shop:1"), ran: true }, sources: [{ instance: say("box"), check: say("http"), status: "DOWN", since: new Date(T).toISOString() }] };
  const list = tape(opened, evidence, diagnosed, started, finished).map((event) => JSON.parse(JSON.stringify({ ...event, service: name }, (key, value) => (typeof value === "string" && !["id", "type", "time", "service", "first_bad", "expires", "instance"].includes(key) ? say(value) : value))));
  let state = store.fold(store.empty(), { type: "snapshot", seq: 1, services: [one, { name: "stock", status: "UP", since: new Date(T - 60e3).toISOString(), latency_ms: 26, owner: "box" }], incidents: [list.reduce(rowAfter, {})], agent: { state: "VERIFYING", incident: "i1", service: name, model: say("qwen"), last_action: say("docker start"), budget: { attempt: 1, attempts: 3, hour: 1, per_hour: 60 } }, info: { version: say("1"), instance: "box", host: say("local"), active: true, uptime_s: 60, mode: say("auto"), config_error: say("line 3"), bus: { kind: "embedded", brokers: [say("127.0.0.1:9092")], ok: true }, llm: { model: say("qwen"), ready: false, error: say("absent") }, docker: { ok: false, error: say("refused") }, troubles: [{ part: say("docker"), since: new Date(T).toISOString(), what: say("the engine is away: refused"), works: say("checks"), on_hold: say("repairs"), mend: say("run `docker info`") }] } }, T).state;
  state = store.learnIncident(state, { id: "i1", service: name, events: list });
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
    assert.ok(!/undefined|NaN|\[object|null/.test(textOf(view)), `${key}: ${/.{20}(undefined|NaN|\[object|null).{0,20}/.exec(textOf(view))?.[0]}`);
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
  assert.match(textOf(other), /Uptime not known yet/);
});

test("while it is cut off nothing can be triggered", () => {
  const { state } = full();
  const buttons = find(overview.view(context(state, { stale: true, conn: "down" })), (e) => e.attrs["data-act"] === "chaos");
  assert.ok(buttons.length && buttons.every((button) => button.attrs.disabled));
});

test("the agent shows its state, its choice and what it was not offered", () => {
  const { state } = full();
  const view = overview.view(context(state));
  const [pill] = find(view, (e) => e.attrs["data-agent-state"]);
  assert.equal(pill.attrs["data-agent-state"], "VERIFYING");
  const text = textOf(view);
  for (const part of ["start payment-service", "sure to 0.97", "Not offered: restart payment-service.", "Attempts1 of 3"]) assert.ok(text.includes(part), part);
});

test("a lane names its incident and its current step", () => {
  const { state } = full();
  const [lane] = find(overview.view(context(state)), (e) => e.attrs["data-incident"]);
  assert.equal(lane.attrs["data-incident"], "i1");
  assert.equal(find(lane, (e) => e.attrs["aria-current"] === "step").length, 1);
});
