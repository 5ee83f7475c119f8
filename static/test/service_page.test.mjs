import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { layers } from "../js/graph.js";
import { chosen, evidenceKeeper, evidenceLines, level, message, pieces } from "../js/log.js";
import { lines as readout } from "../js/readout.js";
import { columns, points, reach, single, strip } from "../js/series.js";
import { emptyTail, read } from "../js/tail.js";
import { actual, expected, folded } from "../js/view/observations.js";
import { container } from "../js/view/container.js";
import { graph } from "../js/view/graph.js";
import { logPanel } from "../js/view/log.js";
import { would } from "../js/view/observemode.js";
import { finest, moved, scaled, WINDOWS, within } from "../js/zoom.js";

const T = 1_800_000_000_000;
const EVIL = `"><img src=x onerror=alert(1)>`;
const iso = (at) => new Date(at).toISOString();
const up = (s, ms = 10) => single({ t: T + s * 1000, status: "UP", ms });

test("a chart's columns have a gap where nothing was measured, and nowhere else", () => {
  const of = (list) => columns(list).ms;
  assert.deepEqual(of([up(0), up(1), up(2), up(3), up(4)]), [10, 10, 10, 10, 10]);
  assert.deepEqual(of([up(0), up(1), up(2), up(60), up(61)]), [10, 10, 10, null, 10, 10]);
  assert.deepEqual(of([up(0), single({ t: T + 1000, status: "DOWN", ms: 0 }), up(2)]), [10, null, 10]);
  const minute = points([{ t: iso(T), status: "UP", latency_ms: 20, min_ms: 10, max_ms: 90, checks: 30, up_s: 45, span_s: 60 }], [60, 61, 62, 63, 64, 65].map((s) => ({ timestamp: iso(T + s * 1000), status: "UP", latency_ms: 10, check: "http" })));
  assert.deepEqual(of(minute), [20, 20, 10, 10, 10, 10, 10, 10], "a minute speaks for all of it");
  assert.deepEqual(strip(minute, { from: T, to: T + 60e3, n: 4 }).map((bar) => bar.kind), ["up", "up", "up", "up"]);
  const down = points([{ t: iso(T), status: "DOWN", latency_ms: 20, min_ms: 10, max_ms: 90, checks: 30, up_s: 58, down_s: 2, span_s: 60 }], []);
  const bars = (outages) => strip(down, { from: T, to: T + 60e3, n: 4, outages }).map((bar) => bar.kind);
  assert.deepEqual(bars([{ from: T + 20e3, back: T + 22e3 }]), ["up", "past", "up", "up"], "what is known of a minute is where it was");
  assert.deepEqual(bars([]), ["past", "past", "past", "past"]);
  const { t } = columns(minute);
  assert.ok(t.every((at, i) => !i || at > t[i - 1]), "times go up");
  assert.deepEqual(columns([]), { t: [], ms: [], low: [], high: [], of: [] });
});

test("the limit is drawn where it was near or passed", () => {
  assert.equal(reach([up(0, 100)], 800).near, false);
  assert.equal(reach([up(0, 500)], 800).near, true);
  assert.ok(reach([up(0, 500)], 800).top > 800);
});

test("a view stays within its bounds, and is null where it covers them", () => {
  const bounds = { from: 0, to: 900e3 };
  const half = scaled(null, bounds, 2, NaN);
  assert.deepEqual(half, { from: 225e3, to: 675e3 });
  assert.deepEqual(scaled(half, bounds, 2, 225e3), { from: 225e3, to: 450e3 }, "what is looked at stays in its place");
  assert.equal(scaled(half, bounds, 0.5, NaN), null);
  assert.deepEqual(moved(half, bounds, -9), { from: 0, to: 450e3 });
  assert.deepEqual(moved(half, bounds, 9), { from: 450e3, to: 900e3 });
  assert.equal(moved(null, bounds, 1), null);
  const least = within({ from: 300e3, to: 300e3 }, bounds);
  assert.equal(least.to - least.from, 10e3);
  assert.equal(within({ from: -5, to: 5e6 }, bounds), null);
});

test("a zoomed chart loads the finest data that covers it", () => {
  const now = 40 * 86400e3;
  const chosen = WINDOWS.at(-1);
  const of = (hours) => finest({ from: now - hours * 3600e3, to: now - hours * 3600e3 + 60e3 }, now, chosen)[0];
  assert.deepEqual([0.1, 0.5, 3, 20, 100, 700].map(of), ["15m", "1h", "6h", "24h", "7d", "30d"]);
  assert.equal(finest(null, now, chosen), chosen);
  assert.equal(finest({ from: now - 60e3, to: now }, now, WINDOWS[0]), WINDOWS[0], "never beyond the window that was chosen");
});

test("the read-out says what was measured, and what happened there", () => {
  const model = { view: { from: T, to: T + 60e3 }, outages: [{ from: T + 20e3, back: T + 26e3, acted: T + 24e3, repaired: true, did: "started" }] };
  const said = (point, at) => readout(point, at, model).map(([text]) => text).join("; ");
  assert.match(said(up(1, 88), T + 1000), /88 ms$/);
  assert.match(said(null, T + 5000), /no data/);
  assert.match(said(single({ t: T + 21e3, status: "DOWN", ms: 0 }), T + 21e3), /Down; Down .*, 6\.0 s; started by LogStream at /);
  const several = { ...up(1, 20), low: 10, high: 90, n: 30 };
  assert.match(said(several, T + 1000), /20 ms median; 10 ms to 90 ms, 30 checks/);
});

test("a line's level is what it states itself", () => {
  const of = { error: ["2026-11-29T10:00:00.123Z ERROR cannot listen", '{"ts":1,"level":"error","msg":"x"}', "[error] 12#12: *1 open()", "E1129 10:00:00.1 1 x.go:3] boom", "panic: runtime error", "FATAL:  the database is starting"],
    warn: ["2026/11/29 10:00:00 [warn] x", "time=2026 level=warning msg=hi", "2026-11-29 10:00:00,123 - root - WARNING - x"],
    info: ["INFO payment listens"], debug: ["DEBUG: q"],
    "": ["GET /error 200", "something failed with an Error: x", "log cleared", "", `10.0.0.1 - - "GET / HTTP/1.1" 500`] };
  for (const [wanted, list] of Object.entries(of)) for (const text of list) assert.equal(level(text), wanted, text);
  assert.equal(message("2026-11-29T10:00:00.123Z ERROR cannot listen"), "cannot listen");
  assert.equal(message("  at pay.go:1"), "  at pay.go:1");
  assert.equal(message("INFO"), "INFO");
  const began = Date.now();
  for (const hostile of ["[".repeat(4000), "2026-".repeat(1000), "level=".repeat(800), "A".repeat(4000), " ".repeat(4000)]) level(hostile), message(hostile);
  assert.ok(Date.now() - began < 2000, "no line makes it slow");
});

test("a search finds and marks, and nothing in it is an expression", () => {
  assert.deepEqual(pieces("aXbxc", "x"), [["a", false], ["X", true], ["b", false], ["x", true], ["c", false]]);
  assert.deepEqual(pieces("a.b", ".*"), [["a.b", false]]);
  assert.deepEqual(pieces("a", ""), [["a", false]]);
  assert.equal(pieces("İx İ x", "x").map(([text]) => text).join(""), "İx İ x");
  const lines = ["ERROR a", "WARN b", "INFO c"].map((text, id) => read({ time: iso(T), text }, id));
  assert.deepEqual(["all", "warn", "error"].map((show) => chosen(lines, { show }).length), [3, 2, 1]);
  assert.equal(chosen(lines, { show: "all", text: "info" }).length, 1);
});

const logged = (...texts) => texts.map((text, id) => read({ time: iso(T + id * 1000), text }, id));
const evidenceOf = (at, logs) => [{ type: "opened" }, { type: "evidence", time: iso(T + at), data: { logs } }];

test("a line is marked as evidence only if it was written before the evidence was collected", () => {
  const lines = logged("ERROR pool is exhausted", "GET / 200", "ERROR  pool is   exhausted", "GET / 200", "ERROR pool is exhausted", `ERROR ${"x".repeat(600)}`);
  const of = (at, ...logs) => [...evidenceLines(lines, [{ id: "i1" }], () => evidenceOf(at, logs)).keys()].sort();
  assert.deepEqual(of(2100, "ERROR pool is exhausted"), [2], "the newest before it was collected");
  assert.deepEqual(of(9000, "ERROR pool is exhausted", "ERROR pool is exhausted"), [2, 4]);
  assert.deepEqual(of(9000, `ERROR ${"x".repeat(480)}…`), [5], "a line that was cut");
  assert.deepEqual(of(9000, "ERROR pool", ""), []);
  assert.deepEqual([...evidenceLines(lines, [{ id: "i1" }], () => undefined)], []);
});

test("the lines of each incident are marked with it, not only those of the newest", () => {
  const lines = logged("ERROR pool is exhausted", "GET / 200", "ERROR out of handles", "GET / 200");
  const rows = [{ id: "stop", opened: iso(T + 5000) }, { id: "second", opened: iso(T + 2500) }, { id: "first", opened: iso(T + 500) }];
  const events = { stop: evidenceOf(5000, []), second: evidenceOf(2500, ["ERROR out of handles"]), first: evidenceOf(500, ["ERROR pool is exhausted"]) };
  const found = evidenceLines(lines, rows, (id) => events[id]);
  assert.deepEqual([...found].map(([line, row]) => [line, row.id]).sort(), [[0, "first"], [2, "second"]]);
  const view = logPanel({ log: { ...emptyTail("web"), lines, loaded: true, show: "evidence" }, rows, events: (id) => events[id] });
  assert.deepEqual(find(view, (e) => e.tag === "li").map((e) => e.attrs["data-evidence"]), ["first", "second"]);
  assert.match(textOf(view), /2 lines marked as evidence/);
});

test("of a service that flaps the evidence of the newest incidents is marked, and compared again only where something changed", () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({ id: `i${i}` })); // the newest first
  const all = new Map(rows.map(({ id }, i) => [id, evidenceOf(90e3, [`ERROR ${i}`])]));
  const events = (id) => all.get(id) ?? [];
  let compared = 0;
  const lines = rows.map((_, i) => ({ id: i, at: T, get text() { return compared++, `ERROR ${i}`; } }));
  const marked = evidenceKeeper();
  const found = marked(lines, [{ id: "without evidence" }, ...rows], events);
  assert.deepEqual([...found.keys()].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(compared, 30);
  assert.equal(marked(lines, rows.map((row) => ({ ...row })), events), found);
  assert.equal(compared, 30, "in the next picture nothing is compared");
  all.set("i3", [...all.get("i3"), ...evidenceOf(95e3, ["ERROR 20"])]);
  assert.equal(marked(lines, rows, events).get(20)?.id, "i3");
  assert.deepEqual([...marked([...lines.slice(0, 5)], rows, events).keys()], [0, 1, 2, 3, 4]);
  assert.equal(marked(lines, [], events).size, 0);
});

test("once no line of the evidence is left, all lines are shown again", () => {
  const log = { ...emptyTail("web"), lines: logged("GET / 200"), loaded: true, show: "evidence" };
  const view = logPanel({ log, rows: [], events: () => [] });
  assert.equal(find(view, (e) => e.tag === "li").length, 1);
  assert.equal(find(view, (e) => e.attrs["data-show"] === "all")[0].attrs["aria-pressed"], "true");
});

test("a log is shown as text, with levels in words, what LogStream did, and the evidence", () => {
  const lines = logged(`INFO ${EVIL}`, "ERROR pool is exhausted", "INFO up again");
  const row = { id: "i1", service: "web", state: "resolved", how: "healed", attempts: 1, action: "restart", acted: iso(T + 1500) };
  const log = { ...emptyTail("web"), lines, loaded: true };
  const view = logPanel({ log, rows: [row], events: () => evidenceOf(1400, ["ERROR pool is exhausted"]) });
  const list = find(view, (e) => e.tag === "li");
  assert.equal(list.length, 4);
  assert.ok(textOf(list[0]).includes(EVIL));
  assert.equal(list[1].attrs["data-evidence"], "i1");
  assert.match(textOf(list[1]), /ERRORpool is exhaustedevidence/);
  assert.match(textOf(list[2]), /LogStream restarted the container/);
  assert.match(textOf(view), /Evidence \(1\)/);
  const searched = logPanel({ log: { ...log, text: "POOL" }, rows: [row], events: () => [] });
  assert.deepEqual(find(searched, (e) => e.tag === "mark").map(textOf), ["pool"]);
  assert.match(textOf(searched), /1 of the last 3 lines match/);
  const refused = logPanel({ log: { ...emptyTail("web"), refusal: { status: 503, message: "the engine did not answer" } }, rows: [], events: () => [] });
  assert.match(textOf(refused), /InterruptedSearch|Interrupted/);
  assert.match(textOf(refused), /The engine did not answer\./);
});

test("dependencies are layers: what is needed above, what needs it below, trouble first", () => {
  const services = new Map(Object.entries({ pay: ["db", "queue"], db: ["disk"], queue: [], disk: [], shop: ["pay"], web: ["shop", "pay"], a: ["pay"], b: ["pay"], z: ["pay"], loop: ["loop"] })
    .map(([name, needs]) => [name, { name, status: name === "z" ? "DOWN" : "UP", needs: needs.map((service) => ({ service, from: "config" })) }]));
  const { rows, edges } = layers(services, services.get("pay"));
  assert.deepEqual(rows.map((row) => [row.level, ...row.names]), [[-2, "disk"], [-1, "db", "queue"], [0, "pay"], [1, "z", "a", "b"]]);
  assert.deepEqual(rows.at(-1).more, ["shop", "web"]);
  assert.ok(edges.some(([from, to]) => from === "pay" && to === "db") && edges.some(([from, to]) => from === "db" && to === "disk"));
  assert.deepEqual(layers(services, services.get("loop")).rows, [{ level: 0, names: ["loop"], more: [] }]);
  const view = graph({ own: services.get("pay"), services });
  assert.deepEqual(find(view, (e) => e.tag === "ul").map((e) => e.attrs["aria-label"]).filter(Boolean), ["What these depend on", "Depends on", "Needed by"]);
  assert.deepEqual(find(view, (e) => e.tag === "a").map((e) => e.attrs.href), ["/services/disk", "/services/db", "/services/queue", "/services/z", "/services/a", "/services/b", "/services/shop", "/services/web"]);
  assert.equal(find(view, (e) => e.tag === "path").length, edges.length);
  const cycle = new Map([["x", { name: "x", needs: [{ service: "y" }] }], ["y", { name: "y", needs: [{ service: "x" }] }]]);
  assert.equal(layers(cycle, cycle.get("x")).rows.length, 2);
});

test("how a dependency is known is said in words, where no configuration says so", () => {
  const need = (service, from) => ({ service, from });
  const text = (...needs) => textOf(graph({ own: { name: "pay", status: "UP", needs }, services: new Map(needs.map(({ service }) => [service, { name: service, status: "UP" }])) }));
  assert.match(text(need("db", "labels"), need("queue", "labels"), need("shop", "network"), need("web", "config"), need("web", "labels"), need("x", "constructor")), /Dependency on db and queue: found in a label\. Dependency on shop: found in network_mode\./);
  assert.doesNotMatch(text(need("web", "config"), need("web", "labels")), /found in/);
});

test("an observation says what was expected, with units", () => {
  const config = { url: "http://x", expect: { status: "200-299,301", body: "ok|fine", latency: "800ms", certificate_days: 14 } };
  assert.equal(expected({ check: "http" }, config), "status 200 to 299,301, a body that matches ok|fine, under 800 ms, a certificate for 14 d more");
  assert.equal(expected({ check: "container" }, config), "running");
  assert.equal(expected({ check: "tcp" }, { url: "tcp://x:1", expect: { status: "200-399", latency: "1s" } }), "a connection, under 1 s");
  assert.equal(actual({ check: "http", code: 503, status: "DOWN", error: "the status is 503" }), "status 503, the status is 503");
  assert.equal(actual({ check: "http", code: 503, status: "DOWN", error: "HTTP 503, expected 200-399" }), "status 503");
  assert.equal(actual({ check: "container", code: 137, status: "DOWN", error: "exited" }), "exit code 137, exited");
});

test("a container is shown with what it uses of its limits", () => {
  const detail = { container: { name: "web", id: "1234567890abcdef" }, config: {} };
  const value = { state: "running", started_at: iso(T), image: "web:2", memory_limit: 512 * 2 ** 20, cpu_limit: 1, restart_policy: "on-failure", restart_limit: 3, restart_count: 2, networks: [{ name: "shop", address: "172.20.0.7" }], use: { memory: 212 * 2 ** 20, cpus: 0.18, throttled: 0.03, pids: 7, pid_limit: 100 } };
  const text = textOf(container({ detail, answer: { value }, mode: "auto", rows: [], at: T + 1000 }));
  for (const part of ["212 MiB of 512 MiB (41 %)", "0.18 of 1 core, throttled in 3 % of the periods", "0 by LogStream, 2 by Docker’s restart policy (on-failure, at most 3 tries)", "shop, 172.20.0.7", "7 of 100"]) assert.ok(text.includes(part), `${part} in ${text}`);
  const ended = textOf(container({ detail, answer: { value: { ...value, state: "exited", use: null, exit_code: 137, oom_killed: true, finished_at: iso(T) } }, mode: "auto", rows: [], at: T + 1000 }));
  assert.match(ended, /Exited since .*, exit code 137, killed: out of memory \(OOM\)/);
  assert.ok(!/undefined|NaN/.test(textOf(container({ detail, answer: undefined, rows: [], at: T }))));
});

test("in mode observe each incident says what would have been done, and by which gate it was not", () => {
  const row = { id: "i1", service: "web", state: "resolved", how: "recovered", opened: iso(T), resolved: iso(T + 60e3), down_ms: 12e3, cause: "It was stopped." };
  const events = [{ type: "diagnosed", data: { action: "start", command: "docker start web" } }, { type: "suppressed", time: iso(T + 1000), data: { gate: "observe", reason: "the mode is observe: LogStream would run start" } }];
  const text = textOf(would({ rows: [row], events: () => events, mode: "observe", at: T + 90e3 }));
  assert.match(text, /LogStream would have started it\. docker start webNot done: gate “observe”\. Nothing is repaired in mode observe\. It recovered without a repair, after 12 s\./);
  assert.equal(would({ rows: [row], events: () => events, mode: "auto", at: T }), null);
  assert.match(textOf(would({ rows: [], events: () => [], mode: "observe", at: T })), /No incident of this service was decided yet/);
  assert.match(textOf(would({ rows: [{ ...row, state: "open", resolved: null }], events: () => events, mode: "observe", at: T })), /It is not repaired yet\./);
});

test("good observations before the newest are one row, and bad ones stay", () => {
  const list = Array.from({ length: 40 }, (_, i) => ({ timestamp: T / 1000 - i, status: i === 20 ? "DOWN" : "UP" }));
  assert.deepEqual(folded(list).map((row) => (Array.isArray(row) ? row.length : row.status)), [...Array(12).fill("UP"), 8, "DOWN", 19]);
  assert.equal(folded(Array.from({ length: 2000 }, () => ({ status: "DOWN" }))).length, 50);
  assert.deepEqual(folded([]), []);
});
