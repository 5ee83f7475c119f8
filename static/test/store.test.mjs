import assert from "node:assert/strict";
import { test } from "node:test";
import * as large from "../js/large.js";
import * as store from "../js/store.js";
import { problems } from "../js/view/banners.js";

const T = Date.UTC(2026, 10, 24, 14, 0, 0);
const service = (name, more = {}) => ({ name, status: "UP", since: "2026-11-24T13:54:00Z", owner: "box", ...more });
const snapshot = (more = {}) => ({ type: "snapshot", seq: 7, services: [service("pay"), service("stock")], incidents: [], agent: { state: "WATCHING" }, info: { instance: "box", uptime_s: 60 }, ...more });
const events = (seq, ...list) => ({ type: "events", seq, events: list });
const folded = (...frames) => frames.reduce((state, frame) => store.fold(state, frame, T).state, store.empty());

test("a snapshot is the whole truth about services", () => {
  const state = store.fold(folded(snapshot()), snapshot({ services: [service("stock")] }), T).state;
  assert.deepEqual([...state.services.keys()], ["stock"]);
});

test("of services of one name that of our own host is shown, and the page says so", () => {
  const both = [{ ...service("redis"), host: "a", status: "UP" }, { ...service("redis"), host: "b", status: "DOWN" }];
  const info = { host: "b", troubles: [] };
  for (const services of [both, both.toReversed()]) {
    let { state } = store.fold(store.empty(), snapshot({ services, info }), T);
    assert.equal(state.services.get("redis").host, "b");
    state = store.fold(state, { type: "events", seq: 8, events: [{ kind: "service", data: both[0] }] }, T).state;
    assert.equal(state.services.get("redis").status, "DOWN");
    assert.deepEqual(problems(state).map(({ what }) => what), ["redis is the name of a service on host a as well: this page shows only what is on this host"]);
    state = store.fold(state, snapshot({ services: [both[1]], info }), T).state;
    assert.deepEqual(problems(state), []);
  }
});

test("events follow without a gap, or a new snapshot is asked for", () => {
  const state = folded(snapshot());
  assert.equal(store.fold(state, events(8), T).gap, false);
  for (const seq of [7, 9, undefined]) {
    const { gap, state: same } = store.fold(state, events(seq, { kind: "service", data: service("new") }), T);
    assert.equal(gap, true, String(seq));
    assert.equal(same, state);
  }
  assert.equal(store.fold(store.empty(), events(1), T).gap, true, "before a snapshot");
});

test("what is unknown is skipped", () => {
  const state = folded(snapshot());
  for (const frame of [null, {}, { type: "later" }]) assert.equal(store.fold(state, frame, T).state, state);
  const next = folded(snapshot(), events(8, { kind: "later", data: {} }, { kind: "service", data: null }, null, { kind: "service", data: service("pay", { status: "DOWN" }) }));
  assert.equal(next.services.get("pay").status, "DOWN");
});

test("a fold changes nothing that was handed out before", () => {
  const before = folded(snapshot());
  const services = before.services;
  store.fold(before, events(8, { kind: "service", data: service("pay", { status: "DOWN" }) }, { kind: "health", data: { service: "pay", status: "DOWN", timestamp: T / 1000 } }), T);
  assert.equal(services.get("pay").status, "UP");
  assert.equal(before.health.size, 0);
  assert.equal(before.seq, 7);
});

test("the agent's state is the newest of a frame, with what that did not say", () => {
  const { state } = store.fold(folded(snapshot({ agent: { state: "WATCHING", model: "runbook" } })), events(8, { kind: "agent", data: { state: "DIAGNOSING" } }, { kind: "agent", data: { state: "FIXING" } }), T);
  assert.deepEqual(state.agent, { state: "FIXING", model: "runbook" });
});

test("a frame that is folded in parts is one frame", () => {
  const one = folded(snapshot({ seq: 7 }), { ...events(8, { kind: "agent", data: { state: "FIXING" } }), part: false });
  const two = store.fold(one, { ...events(8, { kind: "agent", data: { state: "VERIFYING" } }), part: true }, T);
  assert.deepEqual([two.gap, two.state.seq, two.state.agent.state], [false, 8, "VERIFYING"]);
  assert.equal(store.fold(two.state, events(8), T).gap, true, "the same frame twice");
});

test("an event that is older than an answer of the API does not turn an incident back", () => {
  const past = { seq: 2, id: "i1", service: "web", type: "evidence", state: "open", incident: { phase: "evidence" } };
  const ahead = store.learnIncident(folded(snapshot({ seq: 7 })), { id: "i1", service: "web", state: "open", phase: "verification", events: [1, 2, 3].map((seq) => ({ id: "i1", seq })) });
  assert.equal(store.fold(ahead, events(8, { kind: "incident", data: past }), T).state.incidents.get("i1").phase, "verification");
});

test("an incident grows by its events, once each, and its row is what the server says with them", () => {
  const event = (seq, type, incident) => ({ kind: "incident", data: { id: "i1", seq, type, service: "pay", time: "2026-11-24T14:00:00Z", by: "runbook", data: {}, state: incident?.state ?? "open", incident } });
  const state = folded(snapshot(), events(8, event(1, "opened"), event(2, "diagnosed", { id: "i1", state: "open", phase: "diagnosis" })), events(9, event(2, "diagnosed"), event(3, "resolved", { id: "i1", state: "resolved", phase: "ended", how: "healed", down_ms: 1500, attempts: 1 })));
  assert.deepEqual(state.events.get("i1").map((e) => e.seq), [1, 2, 3]);
  const row = state.incidents.get("i1");
  assert.equal(row.state, "resolved");
  assert.equal(row.down_ms, 1500);
  assert.equal(row.attempts, 1);
  assert.equal(state.events.get("i1")[2].incident, undefined, "an event is as it is on the log");
});

test("progress comes without an event", () => {
  const row = { id: "i1", service: "pay", state: "open", phase: "verification", progress: { good: 1, needed: 5 } };
  const state = folded(snapshot({ incidents: [row] }), events(8, { kind: "incident_summary", data: { ...row, progress: { good: 2, needed: 5 } } }));
  assert.deepEqual(state.incidents.get("i1").progress, { good: 2, needed: 5 });
});

test("incidents whose events are not whole, or may be missed, are asked for", () => {
  const row = { id: "i1", service: "pay", state: "open", opened: "2026-11-24T13:59:00Z" };
  let state = folded(snapshot({ incidents: [row] }));
  assert.deepEqual(store.missingEvents(state, T), ["i1"]);
  state = store.learnIncident(state, { ...row, events: [{ id: "i1", seq: 1, type: "opened", data: { error: "refused" } }] });
  assert.deepEqual(store.missingEvents(state, T), []);
  state = store.fold(state, snapshot({ incidents: [row] }), T).state;
  assert.deepEqual(store.missingEvents(state, T), ["i1"], "after a new snapshot");
  assert.equal(state.events.get("i1").length, 1, "and meanwhile what was known is shown");
});

test("an answer about an incident adds to what came live", () => {
  const live = { kind: "incident", data: { id: "i1", seq: 3, type: "escalated", service: "pay", time: "2026-11-24T14:00:00Z", data: { reason: "spent" }, state: "escalated", incident: { id: "i1", service: "pay", state: "escalated", cause: "It was stopped." } } };
  const state = store.learnIncident(folded(snapshot(), events(8, live)), { id: "i1", service: "pay", state: "open", cause: "", first_bad: "2026-11-24T13:58:58Z", events: [{ id: "i1", seq: 1, type: "opened", time: "2026-11-24T13:59:00Z", service: "pay", data: { error: "refused", first_bad: "2026-11-24T13:58:58Z" } }, { id: "i1", seq: 2, type: "diagnosed", service: "pay", data: { cause: "It was stopped." } }] });
  assert.deepEqual(state.events.get("i1").map((e) => e.seq), [1, 2, 3]);
  assert.equal(state.incidents.get("i1").state, "escalated", "the answer is of before");
  assert.equal(state.incidents.get("i1").cause, "It was stopped.");
  assert.equal(state.incidents.get("i1").first_bad, "2026-11-24T13:58:58Z");
});

test("checks a second are those that came, containers apart, and unknown at first", () => {
  let state = folded(snapshot());
  assert.equal(store.rate(state, T + 1000), null);
  for (let i = 0; i < 20; i++) state = store.fold(state, events(8 + i, { kind: "health", data: { service: "pay", check: i % 2 ? "http" : "container", timestamp: T / 1000 + i / 2 } }), T + 500 * i).state;
  assert.equal(store.rate(state, T + 10000), 1);
  assert.equal(store.rate(state, T + 60000), null, "checks may be rarer than that");
  assert.equal(store.rate(state, T + 80000), 0, "none came for three intervals");
});

test("in the first seconds no page says that there are no checks", () => {
  const state = folded(snapshot({ services: [{ name: "pay", status: "UP", interval_s: 60 }] }));
  for (let at = 0; at < 170e3; at += 1000) assert.equal(store.rate(state, T + at), null);
});

test("of a large fleet only what is in view keeps its records, for a few minutes", () => {
  let state = folded(snapshot({ services: [{ name: "pay", status: "UP" }, { name: "web", status: "UP" }] }));
  for (let i = 0; i < 100; i++) state = store.fold(state, events(8 + i, ...["pay", "web"].map((service) => ({ kind: "health", data: { service, timestamp: T / 1000 + i } }))), T + 1000 * i).state;
  const seconds = (of, name) => of.health.get(name).map((record) => record.timestamp - T / 1000);
  assert.deepEqual(seconds(store.trim(state, ["pay"], T + 100e3), "web"), [97, 98, 99]);
  assert.equal(seconds(store.trim(state, ["pay"], T + 100e3), "pay").length, 100);
  assert.equal(seconds(store.trim(state, ["pay"], T + 200e3), "pay")[0], 21);
  assert.deepEqual(seconds(store.trim(state, ["pay"], T + 999e3), "pay"), [97, 98, 99], "the newest stay");
});

test("an answer of the API does not overtake the frames of an open incident", () => {
  const before = folded(snapshot({ incidents: [{ id: "a", service: "pay", state: "open", phase: "evidence" }] }));
  const state = store.learnIncidents(before, [{ id: "a", service: "pay", state: "open", phase: "action", cause: "killed" }, { id: "b", service: "stock", state: "open", phase: "action" }, { id: "c", service: "pay", state: "resolved" }]);
  assert.deepEqual([...state.incidents.values()], [{ id: "a", service: "pay", state: "open", phase: "evidence", cause: "killed" }, { id: "c", service: "pay", state: "resolved" }]);
  assert.equal(store.learnIncidents(state, [{ id: "c", state: "resolved", note: "seen" }]).incidents.get("c").note, "seen");
  const open = store.learnIncidents(store.empty(), [{ id: "a", state: "open" }]);
  assert.deepEqual([open, store.learnIncidents(open, [{ id: "a", state: "resolved" }])].map(({ incidents }) => incidents.get("a").state), ["open", "resolved"], "before the first frame there is only the answer");
});

test("records are kept for an hour", () => {
  let state = folded(snapshot());
  state = store.fold(state, events(8, { kind: "health", data: { service: "pay", timestamp: T / 1000 } }), T).state;
  state = store.fold(state, events(9, { kind: "health", data: { service: "pay", timestamp: T / 1000 + 3700 } }), T + 3700e3).state;
  assert.equal(state.health.get("pay").length, 1);
});

test("the server's clock counts only where it is far from ours, and no other instance can shift it", () => {
  const record = (instance, at) => ({ kind: "health", data: { service: "pay", instance, timestamp: at / 1000, latency_ms: 0 } });
  const near = folded(snapshot(), events(8, record("box", T - 300)));
  assert.equal(store.clock(near, T), T);
  const foreign = folded(snapshot(), events(8, record("someone", T + 240e3)));
  assert.equal(store.clock(foreign, T), T);
  const ahead = folded(snapshot(), events(8, record("box", T + 90e3), record("box", T + 80e3)));
  assert.equal(store.clock(ahead, T), T + 90e3);
  const again = store.fold(ahead, snapshot(), T).state;
  assert.equal(store.clock(again, T), T, "the clock may have been set since");
  assert.equal(store.clock(store.fold(again, events(8, record("box", T + 5e3)), T).state, T), T + 5e3);
});

test("a service's own check is its owner's; without one, the newest of any", () => {
  const record = (instance, latency_ms, check = "http") => ({ kind: "health", data: { service: "pay", instance, check, latency_ms, timestamp: T / 1000 } });
  const state = folded(snapshot(), events(8, record("box", 1), record("other", 2), record("box", 3, "container")));
  assert.equal(store.newestCheck(state, "pay").latency_ms, 1);
  const foreign = folded(snapshot(), events(8, record("other", 2)));
  assert.equal(store.newestCheck(foreign, "pay").latency_ms, 2);
});

test("observations stand in for what did not come live", () => {
  const state = store.learnService(folded(snapshot(), events(8, { kind: "health", data: { service: "pay", timestamp: 100 } })), { name: "pay", observations: [{ timestamp: 100 }, { timestamp: 98 }, { timestamp: 96 }] });
  assert.deepEqual(state.health.get("pay").map((record) => record.timestamp), [96, 98, 100]);
});

test("an answer of the API fills a gap between live records, each record once and at its time", () => {
  const record = (timestamp, more) => ({ service: "pay", check: "http", instance: "box", timestamp, ...more });
  const health = (list) => list.map((data) => ({ kind: "health", data }));
  const before = folded(snapshot(), events(8, ...health([record(100), record(101), record(106), record(106, { check: "container" })])));
  const answer = { name: "pay", observations: [record(107), record(106), record(106, { instance: "other" }), record(105), record(103), record(101)] };
  let state = store.learnService(before, answer);
  const seen = () => state.health.get("pay").map((one) => `${one.timestamp} ${one.check[0]} ${one.instance[0]}`);
  const whole = ["100 h b", "101 h b", "103 h b", "105 h b", "106 h b", "106 c b", "106 h o", "107 h b"];
  assert.deepEqual(seen(), whole);
  state = store.learnService(state, answer);
  assert.deepEqual(seen(), whole, "the same answer again brings nothing");
  state = store.fold(state, events(9, ...health([record(106, { instance: "other" }), record(107), record(108)])), T).state;
  assert.deepEqual(seen(), [...whole, "108 h b"], "the answer was ahead of the frames");
});

test("an answer adds no more records than are kept", () => {
  const live = Array.from({ length: 1990 }, (_, i) => ({ kind: "health", data: { service: "pay", timestamp: T / 1000 + 1000 + i } }));
  const state = store.learnService(folded(snapshot(), events(8, ...live)), { name: "pay", observations: Array.from({ length: 100 }, (_, i) => ({ timestamp: T / 1000 + i })) });
  assert.equal(state.health.get("pay").length, 2000);
  assert.equal(state.health.get("pay").at(-1).timestamp, T / 1000 + 2989);
});

test("the records of the service that the page is about stay in a large fleet", () => {
  let state = folded(snapshot());
  for (let i = 0; i < 100; i++) state = store.fold(state, events(8 + i, { kind: "health", data: { service: "pay", timestamp: T / 1000 + i } }), T + 1000 * i).state;
  const upkeep = (subject) => large.upkeep(store.trim)(state, ["pay"], T + 900e3, subject).state.health.get("pay").length;
  assert.deepEqual([upkeep("pay"), upkeep(undefined), upkeep("stock")], [100, 3, 3]);
});

test("faults are those whose services name it", () => {
  const state = store.learnChaos(store.empty(), [{ fault: "stop", services: ["pay"] }, { fault: "kill", services: [] }, { fault: "pause" }]);
  assert.deepEqual(store.faultsOf(state, "pay").map((entry) => entry.fault), ["stop"]);
  assert.deepEqual(store.faultsOf(store.learnChaos(state, null), "pay"), []);
});

test("services stand in the order of the configuration, others after them by name", () => {
  const list = [{ name: "b", order: 2 }, { name: "z", order: 0 }, { name: "c", order: 1 }, { name: "a" }];
  assert.deepEqual(store.inOrder(list).map((service) => service.name), ["c", "b", "a", "z"]);
});

const piece = (text, done = false, more = {}) => ({ kind: "thinking", data: { incident: "i1", service: "pay", text, done, time: "2026-11-24T14:00:01Z", ...more } });
const thinking = (...list) => folded(snapshot({ info: { instance: "box", llm: { model: "qwen3:4b", ready: true, timeout_s: 20 } } }), events(8, ...list)).thinking.get("i1");

test("a model's thinking grows piece by piece, and stays when it is done", () => {
  assert.deepEqual(thinking(piece("")), { text: "", done: false, since: T + 1000, model: "qwen3:4b", limit: 20_000 });
  assert.equal(thinking(piece(""), piece("Exit "), piece("code 0.")).text, "Exit code 0.");
  assert.deepEqual(thinking(piece(""), piece("Exit "), piece("code 0.", true)), { text: "Exit code 0.", done: true, since: T + 1000, model: "qwen3:4b", limit: 20_000 });
  assert.deepEqual([thinking(piece(""), piece("Exit"), piece("", true))].map((t) => [t.text, t.done]), [["Exit", true]]);
  assert.equal(thinking(piece("", false, { time: undefined })).since, T);
});

test("a first piece starts over, whether the question before was answered or not", () => {
  for (const done of [false, true]) assert.deepEqual([thinking(piece(""), piece("old", done), piece("", false, { time: "2026-11-24T14:00:09Z" }), piece("new"))].map((t) => [t.text, t.since]), [["new", T + 9000]]);
});

test("of a question whose beginning was missed the rest is shown, and not since when", () => {
  const late = thinking(piece("so it was stopped."));
  assert.equal(late.text, "so it was stopped.");
  assert.ok(Number.isNaN(late.since));
  assert.deepEqual([thinking(piece("", true))].map((t) => [t.text, t.done]), [["", true]]);
});

test("a snapshot says which models are queried at that moment", () => {
  const info = { instance: "box", llm: { model: "m", timeout_s: 20 } };
  const asked = new Date(T - 4000).toISOString();
  const incidents = [{ id: "i1" }, { id: "i2" }];
  const before = folded(snapshot({ info, incidents }), events(8, { kind: "thinking", data: { incident: "i1", text: "", done: false } }, { kind: "thinking", data: { incident: "i1", text: "hm", done: false } }));
  const state = store.fold(before, snapshot({ info, incidents, thinking: [{ incident: "i2", service: "pay", text: "It was", since: asked }] }), T).state;
  assert.equal(state.thinking.get("i1").done, true, "what the snapshot leaves out has ended");
  assert.equal(state.thinking.get("i1").text, "hm");
  assert.deepEqual(state.thinking.get("i2"), { text: "It was", done: false, since: T - 4000, model: "m", limit: 20_000 });
});

test("while Kafka is unreachable nothing more is known than before", () => {
  const since = new Date(T - 9000).toISOString();
  const stale = (more, services) => store.staleSince(folded(snapshot({ info: { instance: "box", bus: { ok: false }, troubles: [{ part: "bus", since }], ...more }, ...(services && { services }) })));
  assert.equal(stale({}), T - 9000);
  assert.equal(stale({ bus: { ok: true } }), 0, "Kafka is reachable");
  assert.equal(stale({ troubles: [] }), 0, "it is not said since when");
  assert.equal(stale({}, [service("pay", { status: "PENDING" })]), 0, "nothing was known before");
});

test("the connection is opened again after a silence of checks, and not because jobs report rarely", () => {
  assert.equal(store.silence([{ url: "http://a", interval_s: 10 }, { url: "", interval_s: 30 }, { url: "", interval_s: 0 }]), 30_000);
  assert.equal(store.silence([{ url: "http://a", interval_s: 30 }, { url: "push://job", interval_s: 1 }]), 90_000);
  assert.equal(store.silence([{ url: "push://job", interval_s: 1 }]), 60_000);
  assert.equal(store.silence([{ url: "http://a", interval_s: 0.5 }]), 12_000);
});
