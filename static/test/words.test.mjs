import assert from "node:assert/strict";
import { test } from "node:test";
import { certainty, decider, querying, views, whatCame } from "../js/diagnosis.js";
import { textOf } from "../js/dom.js";
import { entries } from "../js/feed.js";
import { incident } from "../js/incident.js";
import { ending, firstSeen, release, restLine, sentence, sort, statusLine, statusThen, subject, summary, title, uptime, uptimeOf, workLine } from "../js/words.js";
import { banner, byWeight } from "../js/view/banners.js";
import { evidence as panel } from "../js/view/evidence.js";
import { dependencies } from "../js/view/agent.js";
import { action, fault, gate, grouped, injected, phrase, whoFirst } from "../js/vocabulary.js";
import { consulted, diagnosed, evidence, finished, opened, opinion, resolved, row, started, T, eventLog, verified } from "./event_log.mjs";

const fleet = (...list) => list.map(([name, status, more]) => ({ name, status, ...more }));
const of = (...list) => {
  const events = eventLog(...list);
  return incident(row(events), events);
};

test("the status line says what is broken now", () => {
  for (const [services, want, waits = []] of [
    [[], "No services yet"],
    [fleet(["a", "UP"]), "a is up"],
    [fleet(["a", "UP"], ["b", "UP"]), "Both services are up"],
    [fleet(["a", "UP"], ["b", "UP"], ["c", "UP"]), "All 3 services are up"],
    [fleet(["a", "DOWN"], ["b", "UP"]), "a is down"],
    [fleet(["a", "DOWN"], ["b", "DOWN"]), "a and b are down"],
    [fleet(["a", "DOWN"], ["b", "DOWN"], ["c", "DOWN"], ["d", "DOWN"]), "a, b and 2 more are down"],
    [fleet(["db", "DOWN"], ["api", "DOWN", { held: "dependency" }], ["shop", "DOWN", { held: "dependency" }]), "db is down, and so are api and shop, which depend on it", ["api db", "shop db"]],
    [fleet(["mail", "DOWN"], ["api", "DOWN", { held: "dependency" }], ["db", "UP"]), "mail and api are down", ["api db"]], // db was repaired, and is not verified yet
    [fleet(["mail", "DOWN"], ["api", "DOWN", { held: "dependency" }]), "mail and api are down"],
    [fleet(["mail", "DOWN"], ["db", "DOWN"], ["api", "DOWN", { held: "dependency" }]), "mail and db are down, and so is api, which depends on db", ["api db"]],
    [fleet(["mail", "DOWN"], ["db", "DOWN"], ["api", "DOWN", { held: "dependency" }], ["shop", "DOWN", { held: "dependency" }]), "mail and db are down, and so are api and shop, which depend on db and mail", ["api db", "shop mail"]],
    [fleet(["api", "DOWN", { held: "dependency" }]), "api is down"],
    [fleet(["a", "DEGRADED"], ["b", "UP"]), "a is degraded"],
    [fleet(["a", "UNKNOWN"], ["b", "UP"]), "No data from a"],
    [fleet(["a", "PENDING"], ["b", "PENDING"]), "Awaiting the first check of 2 services"],
    [fleet(["a", "PENDING"], ["b", "UP"]), "Awaiting the first check of a"],
    [fleet(["a", "LATER"], ["b", "UP"]), "Both services are up"],
  ]) assert.equal(statusLine(services, new Map(waits.map((of) => of.split(" ")))).text, want);
});

test("a page that is cut off speaks of the past", () => {
  assert.match(statusThen(fleet(["a", "UP"], ["b", "DOWN"]), T), /^1 of 2 services were up at \d\d:\d\d:\d\d$/);
  assert.match(statusThen(Array(1200).fill({ name: "a", status: "UP" }), T), /^1,200 of 1,200 services/);
});

test("names keep their letters, and our own words begin a sentence with a capital", () => {
  assert.equal(restLine(fleet(["payment-service", "UP"], ["b", "DOWN"])), "payment-service is up.");
  for (const [by, want] of [["runbook", "The runbook"], ["guard", "LogStream’s gates"], ["operator", "An operator"], ["operator:anna", "anna"], ["llm:mistral:7b", "mistral:7b"], ["llm:", "The model"], ["logstream", "LogStream"], ["", ""]]) assert.equal(whoFirst(by), want);
});

test("a cause is shown as the record has it: in the past once it is repaired", () => {
  const causes = { service: "pay", state: "open", cause: "The container is paused.", cause_past: "The container was paused." };
  assert.equal(subject({ ...causes, phase: "action" }), "The container is paused.");
  assert.equal(subject({ ...causes, phase: "verification" }), "The container was paused.");
  assert.equal(subject({ ...causes, phase: "ended", state: "resolved" }), "The container was paused.");
  assert.equal(subject({ ...causes, phase: "ended", state: "escalated" }), "The container is paused.");
  assert.equal(title({ ...causes, phase: "action" }), "pay: The container is paused");
});

test("an old record's sentence is shown unchanged, whatever its tense", () => {
  for (const cause of ["Its container is paused.", "It runs, and does not answer in time.", "no route to host."]) {
    for (const state of ["open", "resolved"]) assert.equal(subject({ service: "pay", state, cause }), cause);
  }
});

test("without a cause the error stands, and without both the fact", () => {
  assert.equal(title({ service: "pay", state: "open", error: "Connection refused." }), "pay: Connection refused");
  assert.equal(title({ service: "pay", state: "open" }), "pay: It is down");
  assert.equal(title({ service: "logstream", kind: "fleet", state: "open" }), "Several services failed at once");
});

test("a sentence gets the full stop that it lacks, and nothing else", () => {
  assert.deepEqual(["refused", "It ended.", "Why?", " cut…", "", null].map(sentence), ["refused.", "It ended.", "Why?", "cut…", "", ""]);
});

test("a title has an end, whatever a model says", () => {
  const long = title({ service: "pay", cause: `It ${"was ".repeat(80)}`, state: "open" });
  assert.ok(long.length <= 146 && long.startsWith("pay: It was was") && long.endsWith("was…"), long);
  assert.equal(title({ service: "pay", cause: `It${"x".repeat(300)}`, state: "open" }), `pay: It${"x".repeat(138)}…`);
});

test("the work line is what is done, since when, and how far verified", () => {
  const now = T + 6500;
  const say = (...list) => workLine(of(...list), now).text;
  assert.equal(say(opened), "Collecting evidence.");
  assert.equal(say(opened, evidence), "Evidence collected. Diagnosing.");
  assert.equal(say(opened, evidence, diagnosed), "The container is stopped: the engine was asked to stop it. Next: start payment-service.");
  assert.equal(say(opened, evidence, [1014, "diagnosed", "runbook", { ...diagnosed[3], action: "none" }]), "The container is stopped: the engine was asked to stop it. No repair now: LogStream waits until a fact changes.");
  assert.equal(say(opened, evidence, diagnosed, started), "The container is stopped: the engine was asked to stop it. Starting, 4 s so far.");
  assert.equal(say(opened, evidence, diagnosed, started, finished), "LogStream started payment-service 4 s ago. Verifying: 0 of 5 good checks so far.");
  assert.equal(say(opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "operator", reason: "A person stopped it twice." }]), "On hold. A person stopped it twice.");
  const observed = of(opened, evidence, diagnosed, [2000, "suppressed", "guard", { gate: "observe", reason: "the mode is observe: LogStream would run start" }]);
  assert.deepEqual(workLine(observed, now), { kind: "calm", text: "Not repaired. The mode is observe: LogStream would run start.", still: "Not repaired. The mode is observe: LogStream would run start." });
  assert.equal(say(opened, evidence, diagnosed, [2000, "approval_requested", "guard", { reason: "A restart drops connections." }]), "Approval needed. A restart drops connections.");
  assert.equal(say(opened, evidence, diagnosed, [2000, "escalated", "guard", { reason: "The budget is spent." }]), "A person is needed. The budget is spent.");
  assert.equal(say(opened, [2000, "escalated", "guard", { reason: "the container was removed" }]), "A person is needed. The container was removed.");
});

test("the sentence for screen readers has no part that counts", () => {
  for (const list of [[opened, evidence, diagnosed, started], [opened, evidence, diagnosed, started, finished]]) {
    const one = of(...list);
    assert.equal(workLine(one, T + 6000).still, workLine(one, T + 9000).still);
  }
});

test("who decided, how sure, and what the other one says", () => {
  assert.equal(decider(eventLog(diagnosed)[0]), "The runbook, cause proven.");
  const data = { ...diagnosed[3], model: { action: "start" } };
  assert.equal(decider({ by: "runbook", data }), "The runbook, cause proven. The model agrees.");
  assert.equal(decider({ by: "llm:qwen3:4b", data: { ...data, model: { action: "start", confidence: 0.9 }, runbook: { action: "restart" } } }), "qwen3:4b, confidence 90%. The runbook would restart it.");
  assert.equal(decider(null), "");
});

test("an incident in the feed: cause, repair, figures", () => {
  const healed = of(opened, evidence, diagnosed, started, finished, verified, resolved);
  assert.equal(subject(healed.row), "The container was stopped by a command such as docker stop.");
  assert.equal(ending(healed.row), "LogStream started it (non-disruptive).");
  assert.equal(summary(healed.row, T), "Down for 2.6 s, then verified for 10 s");
  const alone = { service: "pay", state: "resolved", how: "recovered", attempts: 0, down_ms: 2000 };
  assert.equal(ending(alone), "It recovered without a repair.");
  assert.equal(summary(alone, T), "Down for 2.0 s, before any action");
  assert.deepEqual(["operator", "recovered"].map((how) => summary({ ...alone, how, down_ms: 0 }, T)), ["", "Before any action"], "it was never down");
  assert.equal(ending({ state: "resolved", how: "healed", attempts: 1, action: "raise_memory" }), "LogStream raised the memory limit of it.");
});

test("the feed is the newest first", () => {
  const rows = [{ id: "1", state: "resolved", how: "healed", opened: "2026-11-24T13:00:00Z", resolved: "2026-11-24T14:00:00Z", attempts: 1 }, { id: "2", state: "open" }, { id: "3", state: "escalated", opened: "2026-11-24T13:20:00Z", escalated: "2026-11-24T13:30:00Z" }];
  const list = entries({ rows, injections: [{ id: "c1", at: Date.UTC(2026, 10, 24, 13, 25), service: "pay", fault: "hang" }], started: NaN });
  assert.deepEqual(list.map((entry) => entry.kind), ["injected", "escalated", "repaired"], "by when each incident was opened, as in the list");
});

test("faults are said with their verbs, unknown ones too", () => {
  for (const [name, want] of [["stop", "stopped pay"], ["hang", "made pay hang"], ["memory", "squeezed the memory of pay"], ["set_on_fire", "injected “set on fire” into pay"], ["constructor", "injected “constructor” into pay"]]) assert.equal(injected(name, "pay"), want);
  assert.deepEqual(["stop", "set_on_fire", undefined].map(fault), ["Stop", "Set on fire", ""]);
});

test("actions and gates have their words, unknown ones too", () => {
  assert.deepEqual(["todo", "doing", "did"].map((tense) => phrase("rollback", "pay", tense)), ["roll pay back", "rolling pay back", "rolled pay back"]);
  assert.equal(phrase("none", "pay"), "wait");
  assert.equal(phrase("start", "$&"), "start $&", "a name is no pattern");
  assert.deepEqual([action("scale_out").doing, phrase("scale_out", "pay")], ["Scale out", "scale out pay"]);
  assert.deepEqual(["engine", "later", undefined].map(gate), ["Docker is unreachable.", "The repair is held by gate “later”.", ""]);
});

test("problems: the worst first, each with its remedy's command apart", () => {
  assert.deepEqual(byWeight([{ part: "llm" }, { part: "new" }, { part: "docker" }, { part: "bus" }]).map((p) => p.part), ["docker", "bus", "llm", "new"]);
  const shown = (remedy) => textOf(banner({ part: "docker", since: new Date(T).toISOString(), what: "Docker is unreachable: connection refused.", works: "Checks.", on_hold: "Repairs.", remedy }, T));
  assert.match(shown({ text: "Start Docker.", command: "sudo systemctl start docker" }), /^Problem with Docker since \d\d:\d\d:\d\dDocker is unreachable: connection refused\.Still worksChecks\.On holdRepairs\.How to fixStart Docker\. sudo systemctl start docker$/);
  assert.match(shown({ text: "Start Docker (docker rm -f db)." }), /How to fixStart Docker \(docker rm -f db\)\.$/);
  assert.ok(!shown(undefined).includes("How to fix"));
});

test("dependencies have words whatever is missing", () => {
  const [asked] = dependencies({ docker: { ok: false, pending: true, error: "it has not answered yet" } });
  assert.deepEqual([asked.colour, asked.text], ["quiet", "Not known yet: it has not answered since LogStream started."], "that it is unreachable is not known yet");
  for (const info of [null, {}, { docker: null, bus: null, llm: null }, { docker: { ok: false }, bus: { ok: false }, llm: { model: "x" } }]) assert.ok(dependencies(info).every(({ text }) => text));
});

test("uptime is unknown until it is known, and says its time", () => {
  assert.equal(uptime({ uptime: { "24h": null } }), null);
  assert.equal(uptime({}), null);
  assert.deepEqual(uptime({ uptime: { "1h": 1, "24h": null } }), { share: 1, over: "1 h", down: 0 });
  assert.equal(uptime({ uptime: { "1h": 1 }, watched_s: 0.2 }), null);
  assert.deepEqual(uptime({ uptime: { "1h": 0.5 }, watched_s: 40 }), { share: 0.5, over: "40 s", down: 20e3 });
  assert.deepEqual(uptime({ uptime: { "1h": 0.5 }, watched_s: 3599 }), { share: 0.5, over: "1 h", down: 1799500 });
  assert.deepEqual(uptime({ uptime: { "1h": 1, "24h": 0.9 }, known_s: { "1h": 3600, "24h": 7200 } }), { share: 0.9, over: "2 h", down: 720000 });
});

test("uptime goes on with the state that holds since it was sent", () => {
  const sent = { uptime: { "1h": 0.5 }, watched_s: 20 };
  assert.deepEqual(uptime({ ...sent, status: "UP" }, 20e3), { share: 0.75, over: "40 s", down: 10e3 });
  assert.deepEqual(uptime({ ...sent, status: "DOWN" }, 20e3), { share: 0.25, over: "40 s", down: 30e3 });
  assert.deepEqual(uptime({ ...sent, status: "UNKNOWN" }, 20e3), { share: 0.5, over: "20 s", down: 10e3 });
  assert.deepEqual(uptime({ ...sent, status: "UP" }, NaN), { share: 0.5, over: "20 s", down: 10e3 });
});

test("each window has its own uptime, of the part of it that is known", () => {
  const service = { status: "UP", uptime: { "24h": 0.5, "7d": 0.75, "30d": null }, known_s: { "24h": 86400, "7d": 86400 * 2, "30d": 0 } };
  assert.deepEqual(uptimeOf(service, "24h"), { share: 0.5, over: "24 h", down: 43200e3 });
  assert.deepEqual(uptimeOf(service, "7d"), { share: 0.75, over: "2 d", down: 43200e3 });
  assert.equal(uptimeOf(service, "30d"), null);
  const later = uptimeOf(service, "24h", 86400e3);
  assert.equal(later.share, 0.75);
  assert.ok(later.down <= 86400e3 / 2, "what was known is no longer than the window");
});

test("a version is shown where it is a release", () => {
  assert.deepEqual(["v1.2.0", "1.2.0", "v1.3.0-rc.1"].map(release), ["v1.2.0", "1.2.0", "v1.3.0-rc.1"]);
  for (const build of ["(devel)", "v0.0.0-20261124033258-280fc3d5a1b2", "v1.2.1-0.20261124033258-280fc3d5a1b2+dirty", undefined]) assert.equal(release(build), "", String(build));
});

test("sorting keeps every service", () => {
  const s = sort(fleet(["a", "UP"], ["b", "DOWN"]));
  assert.deepEqual([s.up, s.down], [["a"], ["b"]]);
});

// What can come of a model's view: [by, the diagnosis's other data, in one line, who decided, how it failed, was it queried].
const LLM = "llm:mistral:7b";
const SURE = "The runbook, cause proven.";
const CAME = [
  ["runbook", { prompt: "" }, "No model was queried.", SURE, "", false],
  [LLM, { model: opinion("start"), confidence: 0.9 }, "The model agrees with the runbook: start payment-service.", "mistral:7b, confidence 90%. The runbook agrees.", "", true],
  [LLM, { model: opinion("restart"), action: "restart", confidence: 0.8 }, "The model’s choice was used: restart payment-service. The runbook would start payment-service.", "mistral:7b, confidence 90%. The runbook would start it.", "", true],
  [LLM, { model: opinion("restart", { confidence: 0 }), action: "restart", confidence: 0, runbook: undefined }, "The model’s choice was used: restart payment-service.", "mistral:7b.", "", true],
  [LLM, { action: "raise_memory", runbook: undefined, confidence: 0.5 }, "The model’s choice was used: raise the memory limit of payment-service.", "mistral:7b, confidence 50%.", "", true],
  ["runbook", { model: opinion("none"), invalid_code: "no_opinion", invalid: "The model would wait." }, "The model would wait, but a repair is available: start payment-service. The runbook decided.", `${SURE} The model would wait.`, "", true],
  ["runbook", { model: opinion("none"), action: "escalate", invalid_code: "no_opinion", invalid: "The model would wait." }, "The model would wait. The runbook decided.", `${SURE} The model would wait.`, "", true],
  ["runbook", { model: opinion("restart"), invalid_code: "overruled", invalid: "The facts prove another cause." }, "The model would restart payment-service, but the facts prove another cause. The runbook decided.", `${SURE} The model would restart it.`, "", true],
  ["runbook", { model: opinion("none") }, "The model would wait. The runbook decided.", `${SURE} The model would wait.`, "", true],
  ["runbook", { model: opinion("start") }, "The model agrees with the runbook: start payment-service.", `${SURE} The model agrees.`, "", true],
  ["operator:anna", { model: opinion("restart") }, "The model would restart payment-service. anna decided.", "anna. The model would restart it.", "", true],
  ["runbook", { prompt: "", invalid_code: "late" }, "The model did not answer in time. The runbook decided.", `${SURE} The model did not answer in time.`, "late", true],
  ["runbook", { prompt: "", invalid_code: "missing_model" }, "The model was unavailable. The runbook decided.", `${SURE} The model was unavailable.`, "unavailable", false],
  ["runbook", { prompt: "", invalid_code: "unreachable" }, "The model was unavailable. The runbook decided.", `${SURE} The model was unavailable.`, "unavailable", false],
  ["runbook", { asked: "mistral:7b", invalid_code: "unreachable" }, "The model was unavailable. The runbook decided.", `${SURE} The model was unavailable.`, "unavailable", true],
  ["runbook", { raw: "Sure!", invalid_code: "garbage" }, "The model’s answer could not be used. The runbook decided.", `${SURE} The model’s answer could not be used.`, "unusable", true],
  ["runbook", { raw: "{}", model: opinion("rm"), invalid_code: "illegal" }, "The model’s answer could not be used. The runbook decided.", `${SURE} The model’s answer could not be used.`, "unusable", true],
  ["runbook", {}, "The model’s view was not used. The runbook decided.", `${SURE} The model’s view was not used.`, "unused", true],
];

test("what came of a model's view, in every case", () => {
  for (const [by, more, came, who, failed, queried] of CAME) {
    const [event] = eventLog(consulted(by, more));
    assert.equal(whatCame(event), came);
    assert.equal(decider(event), who);
    assert.deepEqual([views(event).failed, views(event).queried], [failed, queried], came);
  }
});

test("of a record without a code no word is guessed from its sentence, which is shown unchanged", () => {
  for (const invalid of ["it did not answer within 20s", "Ollama has no model x: ollama pull x", "its answer is empty", "it did not answer within 1.5s"]) {
    const [event] = eventLog(consulted("runbook", { prompt: "", invalid }));
    assert.deepEqual([views(event).failed, views(event).why, whatCame(event)], ["unused", invalid, "The model’s view was not used. The runbook decided."]);
  }
});

test("only a model's confidence is a number, and the runbook says whether the facts prove the cause", () => {
  assert.deepEqual([0.97, 1, 0, null, undefined, NaN].map((share) => certainty(share, "llm:qwen3:4b")), ["confidence 97%", "confidence 100%", "", "", "", ""]);
  assert.deepEqual([0.97, 0.9, 0.8, 0, undefined].map((share) => certainty(share, "runbook")), ["cause proven", "cause proven", "cause not proven", "", ""]);
  assert.equal(certainty(0.97, "operator:anna"), "");
});

test("while the model is queried the page says so, and since when", () => {
  const one = { ...of(opened, evidence), query: { text: "", since: T + 1000, model: "qwen3:4b" } };
  assert.equal(querying(one, T + 5400), "Querying qwen3:4b, 4 s so far.");
  assert.equal(querying({ query: { ...one.query, limit: 20_000 } }, T + 5400), "Querying qwen3:4b, 4 s of 20 s.");
  assert.equal(querying({ query: { ...one.query, limit: 3000 } }, T + 5400), "Querying qwen3:4b, 3 s of 3 s.");
  assert.equal(workLine(one, T + 5400).text, "Evidence collected. Querying qwen3:4b, 4 s so far.");
  assert.equal(workLine(one, T + 5400).still, "Evidence collected. Querying qwen3:4b.");
  assert.equal(querying({ query: { text: "x", since: NaN, model: "" } }, T), "Querying the model.");
});

test("the usual faults stand first, and the others behind More", () => {
  const of = (...names) => names.map((name) => ({ fault: name }));
  const both = grouped(of("stop", "kill", "crash", "hang", "fds"));
  assert.deepEqual([both.usual.map((f) => f.fault), both.more.map((f) => f.fault)], [["stop", "kill", "hang"], ["crash", "fds"]]);
  assert.deepEqual(grouped(of("crash", "fds")).more, [], "where there is no usual one, all are shown");
  assert.deepEqual(grouped(of("stop", "crash")).more, [], "one button is not worth a fold");
  assert.deepEqual(grouped([]), { usual: [], more: [] });
});

test("a log line that is new says how far back that is known", () => {
  assert.equal(firstSeen(0), "new: not seen before in this log");
  assert.equal(firstSeen(1), "new: not seen in the last day");
  assert.equal(firstSeen(12), "new: not seen in the last 12 days");
});

test("the new ones among the log lines of the evidence are marked", () => {
  const found = [1010, "evidence", "logstream", { facts: [], logs: ["tick", "boom", "tick"], truncated: true, first_seen: [{ line: 1, days: 3 }, { line: 9, days: 3 }] }];
  const text = textOf(panel(of(opened, found)));
  assert.match(text, /3 log lines, 1 not seen before/);
  assert.match(text, /boom\s*new: not seen in the last 3 days/);
  assert.match(text, /left out/);
});

test("where very many are down their number is said, and not two of their names", () => {
  const of = (down, up) => statusLine([...Array.from({ length: down }, (_, i) => ({ name: `d${i}`, status: "DOWN" })), ...Array.from({ length: up }, (_, i) => ({ name: `u${i}`, status: "UP" }))]).text;
  assert.equal(of(3, 27), "d0, d1 and d2 are down");
  assert.equal(of(22, 8), "22 of 30 services are down");
  assert.equal(of(300, 0), "All 300 services are down");
});
