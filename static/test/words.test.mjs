import assert from "node:assert/strict";
import { test } from "node:test";
import { deedSaid, entries } from "../js/feed.js";
import { rowAfter, story } from "../js/incident.js";
import { about, asking, callReason, decider, proof, release, restLine, sort, statusLine, statusThen, sure, title, told, uptime, views, whatCame, workLine, whyAndMend } from "../js/words.js";
import { byWeight, headline, pieces } from "../js/view/banners.js";
import { senses } from "../js/view/agent.js";
import { capital } from "../js/vocabulary.js";
import { yaml } from "../js/pages/service.js";
import { checks, consulted, diagnosed, evidence, finished, opened, opinion, resolved, started, T, tape, verified } from "./tape.mjs";

const fleet = (...list) => list.map(([name, status, more]) => ({ name, status, ...more }));
const of = (...list) => {
  const events = tape(...list);
  return story(events.reduce(rowAfter, {}), events, checks(2600, 4600));
};

test("the status line says what is broken now", () => {
  for (const [services, want] of [
    [[], "No services yet"],
    [fleet(["a", "UP"]), "a is up"],
    [fleet(["a", "UP"], ["b", "UP"]), "Both services are up"],
    [fleet(["a", "UP"], ["b", "UP"], ["c", "UP"]), "All 3 services are up"],
    [fleet(["a", "DOWN"], ["b", "UP"]), "a is down"],
    [fleet(["a", "DOWN"], ["b", "DOWN"]), "a and b are down"],
    [fleet(["a", "DOWN"], ["b", "DOWN"], ["c", "DOWN"], ["d", "DOWN"]), "a, b and 2 more are down"],
    [fleet(["db", "DOWN"], ["api", "DOWN", { held: "dependency" }], ["shop", "DOWN", { held: "dependency" }]), "db is down, and api and shop behind it"],
    [fleet(["api", "DOWN", { held: "dependency" }]), "api is down"],
    [fleet(["a", "DEGRADED"], ["b", "UP"]), "a is slow"],
    [fleet(["a", "UNKNOWN"], ["b", "UP"]), "Nothing is heard from a"],
    [fleet(["a", "PENDING"], ["b", "PENDING"]), "Looking at 2 services for the first time"],
    [fleet(["a", "PENDING"], ["b", "UP"]), "a is not looked at yet"],
    [fleet(["a", "LATER"], ["b", "UP"]), "Both services are up"],
  ]) assert.equal(statusLine(services).text, want);
});

test("a page that is cut off speaks of the past", () => {
  assert.match(statusThen(fleet(["a", "UP"], ["b", "DOWN"]), T), /^1 of 2 services were up at \d\d:\d\d:\d\d$/);
});

test("names keep their letters", () => {
  assert.equal(restLine(fleet(["payment-service", "UP"], ["b", "DOWN"])), "payment-service is up.");
  for (const [text, want] of [["the runbook", "The runbook"], ["payment-service cannot", "payment-service cannot"], ["config.yaml was", "config.yaml was"], ["mistral:7b", "mistral:7b"], ["start", "Start"], ["its container", "Its container"], ["ollama", "Ollama"], ["", ""]]) assert.equal(capital(text), want);
});

test("a cause has the service as its subject", () => {
  for (const [cause, want] of [
    ["Its container was stopped from outside.", "pay was stopped from outside"],
    ["Its container is paused.", "pay is paused"],
    ["Its process ended by itself.", "pay’s process ended by itself"],
    ["Its container pay does not exist.", "pay’s container pay does not exist"],
    ["It runs, and answers with server errors.", "pay runs, and answers with server errors"],
    ["No route to host", "pay: No route to host"],
    ["", "pay is down"],
  ]) assert.equal(about(cause, "pay"), want);
});

test("a title has an end, whatever a model says", () => {
  const title140 = title({ service: "pay", cause: `It ${"was ".repeat(80)}`, state: "open" });
  assert.ok(title140.length <= 141 && title140.startsWith("pay was was") && title140.endsWith("was…"), title140);
  assert.equal(title({ service: "pay", cause: `It${"x".repeat(300)}`, state: "open" }).length, 141);
});

test("what is mended is the past", () => {
  const row = (cause, more) => title({ service: "pay", cause, state: "open", attempts: 0, ...more });
  assert.equal(row("Its container is paused."), "pay is paused");
  assert.equal(row("Its container is paused.", { mended: true }), "pay was paused");
  assert.equal(row("It runs, and answers with server errors.", { state: "resolved" }), "pay ran, and answered with server errors");
  assert.equal(row("It runs, and does not answer in time.", { mended: true }), "pay ran, and did not answer in time");
  assert.equal(title({ service: "it is runs", cause: "Its container is paused.", mended: true }), "it is runs was paused");
});

test("the work line is deed, time, proof", () => {
  const now = T + 6500;
  const say = (...list) => workLine(of(...list), now).text;
  assert.equal(say(opened), "Finding out why.");
  assert.equal(say(opened, evidence, diagnosed), "It was stopped from outside. Start.");
  assert.equal(say(opened, evidence, diagnosed, started), "It was stopped from outside. Starting it, 4 s so far.");
  assert.equal(say(opened, evidence, diagnosed, started, finished), "LogStream started payment-service 4 s ago. 2 of 5 good checks so far.");
  assert.equal(say(opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "operator", reason: "a person stopped it twice." }]), "On hold: a person stopped it twice.");
  assert.equal(say(opened, evidence, diagnosed, [2000, "escalated", "guard", { reason: "the budget is spent" }]), "A person is needed. The budget is spent.");
});

test("what is said aloud has no counting part", () => {
  for (const list of [[opened, evidence, diagnosed, started], [opened, evidence, diagnosed, started, finished]]) {
    const one = of(...list);
    assert.equal(workLine(one, T + 6000).still, workLine(one, T + 9000).still);
  }
});

test("who decided, how sure, and what the other one says", () => {
  assert.equal(decider(tape(diagnosed)[0]), "The runbook, sure to 0.97.");
  const data = { ...diagnosed[3], model: { action: "start" } };
  assert.equal(decider({ by: "runbook", data }), "The runbook, sure to 0.97. The model agrees.");
  assert.equal(decider({ by: "llm:qwen3:4b", data: { ...data, confidence: 0.9, runbook: { action: "restart" } } }), "qwen3:4b, sure to 0.90. The runbook would restart.");
  assert.equal(decider(null), "");
});

test("an incident in the feed: cause, deed, proof", () => {
  const healed = of(opened, evidence, diagnosed, started, finished, verified, resolved);
  assert.deepEqual(told(healed.row), ["payment-service", " was stopped from outside. LogStream started it, nothing lost."]);
  assert.equal(proof(healed.row, healed, T), "Down 2.6 s, then 5 of 5 good checks");
  const alone = { service: "pay", state: "resolved", cause: "It runs.", attempts: 0, down_ms: 2000 };
  assert.deepEqual(told(alone), ["pay", " ran. It came back by itself."]);
  assert.equal(proof(alone, undefined, T), "Down 2.0 s, before any action");
});

test("the feed is the newest first", () => {
  const rows = [{ id: "1", state: "resolved", resolved: "2026-11-24T13:00:00Z", attempts: 1 }, { id: "2", state: "open" }, { id: "3", state: "escalated", opened: "2026-11-24T13:30:00Z" }];
  const list = entries({ rows, deeds: [{ id: "c1", at: Date.UTC(2026, 10, 24, 13, 10), service: "pay", fault: "hang" }], started: NaN });
  assert.deepEqual(list.map((entry) => entry.kind), ["called", "deed", "repaired"]);
});

test("deeds are said with their verbs, unknown ones too", () => {
  for (const [fault, want] of [["stop", "stopped pay"], ["hang", "made pay hang"], ["memory", "filled the memory of pay"], ["set_on_fire", "broke pay (set on fire)"], ["constructor", "broke pay (constructor)"]]) assert.equal(deedSaid({ service: "pay", fault }), want);
});

test("troubles: the worst first, commands apart", () => {
  assert.deepEqual(byWeight([{ part: "llm" }, { part: "new" }, { part: "docker" }, { part: "bus" }]).map((t) => t.part), ["docker", "bus", "llm", "new"]);
  assert.deepEqual(headline({ what: "the container engine is away: connection refused" }), { head: "The container engine is away", rest: "Connection refused." });
  assert.deepEqual(headline({ part: "docker", what: "" }).rest, "");
  assert.deepEqual(pieces("start the engine (sudo systemctl start docker), or wait"), [{ text: "start the engine " }, { command: "sudo systemctl start docker" }, { text: ", or wait" }]);
  assert.deepEqual(pieces("ollama pull deepseek-r1:1.5b"), [{ command: "ollama pull deepseek-r1:1.5b" }]);
  assert.deepEqual(pieces("run `logstream check` first"), [{ text: "run " }, { command: "logstream check" }, { text: " first" }]);
  assert.deepEqual(pieces("free memory on this machine"), [{ text: "free memory on this machine" }]);
  assert.deepEqual(pieces(undefined), []);
});

test("senses are told whatever is missing", () => {
  for (const info of [null, {}, { docker: null, bus: null, llm: null }, { docker: { ok: false }, bus: { ok: false }, llm: { model: "x" } }]) assert.ok(senses(info).every((sense) => sense.text));
});

test("uptime is unknown until it is known, and says its time", () => {
  assert.equal(uptime({ uptime: { "24h": null } }), null);
  assert.equal(uptime({}), null);
  assert.deepEqual(uptime({ uptime: { "1h": 1, "24h": null } }), { share: 1, over: "1 h" });
  assert.equal(uptime({ uptime: { "1h": 1 }, watched_s: 0.2 }), null);
  assert.deepEqual(uptime({ uptime: { "1h": 0.5 }, watched_s: 40 }), { share: 0.5, over: "the 40 s watched" });
  assert.deepEqual(uptime({ uptime: { "1h": 0.5 }, watched_s: 3599 }), { share: 0.5, over: "1 h" });
});

test("uptime goes on with the state that holds since it was told", () => {
  const told = { uptime: { "1h": 0.5 }, watched_s: 20 };
  assert.deepEqual(uptime({ ...told, status: "UP" }, 20e3), { share: 0.75, over: "the 40 s watched" });
  assert.deepEqual(uptime({ ...told, status: "DOWN" }, 20e3), { share: 0.25, over: "the 40 s watched" });
  assert.deepEqual(uptime({ ...told, status: "UNKNOWN" }, 20e3), { share: 0.5, over: "the 20 s watched" });
  assert.deepEqual(uptime({ ...told, status: "UP" }, NaN), { share: 0.5, over: "the 20 s watched" });
});

test("a version is told where it is a release", () => {
  assert.deepEqual(["v1.2.0", "1.2.0", "v1.3.0-rc.1"].map(release), ["v1.2.0", "1.2.0", "v1.3.0-rc.1"]);
  for (const build of ["(devel)", "v0.0.0-20261124033258-280fc3d5a1b2", "v1.2.1-0.20261124033258-280fc3d5a1b2+dirty", undefined]) assert.equal(release(build), "", String(build));
});

test("sorting keeps every service", () => {
  const s = sort(fleet(["a", "UP"], ["b", "DOWN"]));
  assert.deepEqual([s.up, s.down], [["a"], ["b"]]);
});

test("a definition reads as YAML", () => {
  assert.equal(yaml({ name: "pay", url: "http://localhost:8080", group: "", expect: { status: "200-399", latency: "" }, heal: { never: [] }, depends_on: ["a", "b"], note: "- odd: #", chaos: true }), 'name: pay\nurl: http://localhost:8080\nexpect:\n  status: 200-399\ndepends_on: [a, b]\nnote: "- odd: #"\nchaos: true');
});

test("a call for a person doesn't say again what stands beside it", () => {
  const told = { row: {}, escalated: { data: { reason: "It fails its checks. Without a container there is nothing to repair." } } };
  assert.equal(callReason(told), "It fails its checks. Without a container there is nothing to repair.");
  assert.equal(callReason(told, "It fails its checks."), "Without a container there is nothing to repair.");
  assert.equal(callReason(told, "It fails its checks", "without a container there is nothing to repair"), "");
  assert.equal(callReason({ row: {} }, undefined), "The rules end here.");
});

// What can come of a model's view: [by, the diagnosis's other data, in one line, who decided, how it failed, was it asked].
const LLM = "llm:mistral:7b";
const CAME = [
  ["runbook", { prompt: "" }, "No model was asked.", "The runbook, sure to 0.97.", "", false],
  [LLM, { model: opinion("start"), confidence: 0.9 }, "The model agrees with the runbook: start payment-service.", "mistral:7b, sure to 0.90. The runbook agrees.", "", true],
  [LLM, { model: opinion("restart"), action: "restart", confidence: 0.8 }, "The model’s choice stands: restart payment-service. The runbook would start payment-service.", "mistral:7b, sure to 0.80. The runbook would start.", "", true],
  [LLM, { model: opinion("restart", { confidence: 0 }), action: "restart", confidence: 0, runbook: undefined }, "The model’s choice stands: restart payment-service.", "mistral:7b.", "", true],
  [LLM, { action: "raise_memory", runbook: undefined, confidence: 0.5 }, "The model’s choice stands: raise the memory of payment-service.", "mistral:7b, sure to 0.50.", "", true],
  ["runbook", { model: opinion("none") }, "The model chose to wait, which is no opinion while starting payment-service is possible: the runbook’s choice stands.", "The runbook, sure to 0.97. The model would wait.", "", true],
  ["runbook", { model: opinion("escalate"), action: "raise_memory" }, "The model chose to call a person, which is no opinion while raising the memory of payment-service is possible: the runbook’s choice stands.", "The runbook, sure to 0.97. The model would call a person.", "", true],
  ["runbook", { model: opinion("none"), action: "escalate" }, "The model chose to wait, which is no opinion where the runbook would call a person: the runbook’s choice stands.", "The runbook, sure to 0.97. The model would wait.", "", true],
  ["runbook", { model: opinion("start") }, "The model agrees with the runbook: start payment-service.", "The runbook, sure to 0.97. The model agrees.", "", true],
  ["operator:anna", { model: opinion("restart") }, "The model would restart payment-service: anna’s choice stands.", "Anna, sure to 0.97. The model would restart.", "", true],
  ["runbook", { invalid: "it did not answer within 20s" }, "The model did not answer within 20 s: the runbook’s choice stands.", "The runbook, sure to 0.97. The model did not answer in time.", "late", true],
  ["runbook", { invalid: "it did not answer within 1m30s" }, "The model did not answer within 1 min 30 s: the runbook’s choice stands.", "The runbook, sure to 0.97. The model did not answer in time.", "late", true],
  ["runbook", { prompt: "", invalid: "nothing was heard of it within 1.5s" }, "Nothing was heard of the model within 1.5 s: the runbook’s choice stands.", "The runbook, sure to 0.97. The model did not answer in time.", "late", true],
  ["runbook", { prompt: "", invalid: "Ollama has no model deepseek-r1:1.5b: ollama pull deepseek-r1:1.5b" }, "The model could not be asked: Ollama has no model deepseek-r1:1.5b. The runbook’s choice stands.", "The runbook, sure to 0.97. The model could not be asked.", "away", false],
  ["runbook", { prompt: "", invalid: "nothing listens at http://localhost:11434: start Ollama (ollama serve), or set healer.decide: runbook" }, "The model could not be asked: nothing listens at http://localhost:11434. The runbook’s choice stands.", "The runbook, sure to 0.97. The model could not be asked.", "away", false],
  ["runbook", { prompt: "", invalid: "it was not looked for yet" }, "The model could not be asked: it was not looked for yet. The runbook’s choice stands.", "The runbook, sure to 0.97. The model could not be asked.", "away", false],
  ["runbook", { invalid: "Ollama answered 500: out of memory: look at Ollama's own log" }, "The model could not be asked: Ollama answered 500: out of memory. The runbook’s choice stands.", "The runbook, sure to 0.97. The model could not be asked.", "away", true],
  ["runbook", { raw: "Sure!", invalid: 'its answer is no JSON object: "Sure!"' }, "The model’s answer is no JSON object: the runbook’s choice stands.", "The runbook, sure to 0.97. The model’s answer could not be used.", "unusable", true],
  ["runbook", { raw: "{}", invalid: 'it chose "rm", which is not one of start, escalate' }, "The model chose \"rm\", which is not one of start, escalate: the runbook’s choice stands.", "The runbook, sure to 0.97. The model’s answer could not be used.", "unusable", true],
  ["runbook", { model: opinion("start"), invalid: "its answer is empty" }, "The model’s answer is empty: the runbook’s choice stands.", "The runbook, sure to 0.97. The model’s answer could not be used.", "unusable", true],
  ["runbook", { invalid: "the question was withdrawn" }, "The question was withdrawn: the runbook’s choice stands.", "The runbook, sure to 0.97. The model’s answer could not be used.", "unusable", true],
  ["runbook", {}, "The model gave no answer: the runbook’s choice stands.", "The runbook, sure to 0.97. The model’s answer could not be used.", "unusable", true],
];

test("what came of a model's view, in every case", () => {
  for (const [by, more, came, who, failed, asked] of CAME) {
    const [event] = tape(consulted(by, more));
    assert.equal(whatCame(event), came);
    assert.equal(decider(event), who);
    assert.deepEqual([views(event).failed, views(event).asked], [failed, asked], came);
  }
});

test("what mends a model that cannot be asked stands apart", () => {
  const of = (invalid) => views({ by: "runbook", data: { invalid } });
  assert.equal(of("Ollama has no model x: ollama pull x").mend, "ollama pull x");
  assert.equal(of("nothing listens at http://localhost:1: start Ollama (ollama serve), or set healer.decide: runbook").mend, "start Ollama (ollama serve), or set healer.decide: runbook");
  assert.equal(of("it did not answer within 2s").mend, "");
});

test("nothing but a number above 0 is a certainty", () => {
  assert.deepEqual([0.97, 1, 0, null, undefined, NaN].map(sure), ["sure to 0.97", "sure to 1.00", "", "", "", ""]);
});

test("while the model is asked it says so, and since when", () => {
  const told = { ...of(opened, evidence), asking: { text: "", since: T + 1000, model: "qwen3:4b" } };
  assert.equal(asking(told, T + 5400), "Asking qwen3:4b, 4 s so far.");
  assert.equal(asking({ asking: { ...told.asking, limit: 20_000 } }, T + 5400), "Asking qwen3:4b, 4 s of 20 s.");
  assert.equal(asking({ asking: { ...told.asking, limit: 3000 } }, T + 5400), "Asking qwen3:4b, 3 s of 3 s.");
  assert.equal(workLine(told, T + 5400).text, "The evidence is taken. Asking qwen3:4b, 4 s so far.");
  assert.equal(workLine(told, T + 5400).still, "The evidence is taken. Asking qwen3:4b.");
  assert.equal(asking({ asking: { text: "x", since: NaN, model: "" } }, T), "Asking the model.");
});

test("what mends a model is taken from our own words at the end, and from nowhere else", () => {
  const of = (text) => Object.values(whyAndMend(text));
  assert.deepEqual(of("Ollama has no model qwen3:4b: ollama pull qwen3:4b"), ["Ollama has no model qwen3:4b", "ollama pull qwen3:4b"]);
  assert.deepEqual(of("nothing listens at http://localhost:11434: start Ollama (ollama serve), or set healer.decide: runbook"), ["nothing listens at http://localhost:11434", "start Ollama (ollama serve), or set healer.decide: runbook"]);
  const hostile = "Ollama answered 503: busy: start Ollama (docker rm -f db), or set healer.decide: runbook";
  assert.deepEqual(of(hostile), [hostile, ""]);
  assert.deepEqual(of("Ollama answered 503: x: ollama pull evil: look at Ollama's own log"), ["Ollama answered 503: x: ollama pull evil", "look at Ollama's own log"]);
});
