// What an operator can do: what it says before, what it sends, what is said after.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, became, call, done, follows, refused, requested } from "../js/controls.js";
import { find, textOf } from "../js/dom.js";
import * as store from "../js/store.js";
import { titled, waiting, waits } from "../js/waiting.js";
import { dialog } from "../js/view/dialog.js";
import { holdBanner, isHeld } from "../js/view/hold.js";
import { T } from "./event_log.mjs";

const at = (ms) => new Date(T + ms).toISOString();
const state = (more = {}) => store.fold(store.empty(), { type: "snapshot", seq: 1, services: [{ name: "web", status: "UP", container: { name: "web-1" } }], incidents: [], info: { host: "box", mode: "auto", docker: { kind: "docker" } }, ...more }, T).state;
const row = (more) => ({ id: "i1", service: "web", state: "open", opened: at(0), ...more });

test("each control says what it will do, and sends that and no more", () => {
  const undoable = state({ incidents: [row({ undo: { attempt: 2, action: "raise_memory", command: "docker update web-1" } })] });
  for (const [chosen, values, want, says, then] of [
    [{ control: "hold", name: "*" }, { length: "30m", reason: "a move" }, ["POST", "/hold", { for: "30m", reason: "a move" }], "starts no repair on this host", "All repairs are on hold until"],
    [{ control: "hold", name: "*" }, { length: "", reason: "" }, ["POST", "/hold", { reason: "" }], "It goes on checking", "until the hold is released"],
    [{ control: "release", name: "*" }, {}, ["DELETE", "/hold"], "No repair waits for it now.", "LogStream repairs again."],
    [{ control: "silence", name: "web" }, { length: "8h", reason: "noisy" }, ["POST", "/services/web/silence", { for: "8h", reason: "noisy" }], "neither repairs web nor notifies", "web is silenced until"],
    [{ control: "unsilence", name: "web" }, {}, ["DELETE", "/services/web/silence"], "repairs web and notifies", "The silence of web has ended."],
    [{ control: "heal", name: "a/b c" }, {}, ["POST", "/services/a%2Fb%20c/heal", {}], "chooses a repair", "opened an incident for a/b c"],
    [{ control: "restart", name: "web" }, {}, ["POST", "/services/web/heal", { action: "restart" }], "Requests in flight are lost", "to restart web"],
    [{ control: "undo", name: "i1", attempt: "2" }, { reason: "too much" }, ["POST", "/incidents/i1/undo", { attempt: 2, reason: "too much" }], "takes back that it raised the memory limit of web", "The undo of attempt 2"],
    [{ control: "acknowledge", name: "i1" }, { reason: "" }, ["POST", "/incidents/i1/acknowledge", {}], "notifications stop", "is acknowledged"],
  ]) {
    const asked = ask(undoable, T, chosen);
    assert.ok(asked.says.join(" ").includes(says), `${chosen.control}: ${asked.says}`);
    assert.ok(asked.title.endsWith("?") && asked.go && asked.icon, chosen.control);
    assert.deepEqual(call(undoable, T, chosen, values), want);
    assert.ok(done(undoable, T, chosen, values).includes(then), done(undoable, T, chosen, values));
  }
  assert.equal(ask(undoable, T, { control: "restart", name: "web" }).command, "docker restart web-1");
});

test("an end that is not today is named with its day", () => {
  const now = new Date(2026, 10, 24, 22, 30).getTime();
  const says = (control, length) => done(state(), now, { control, name: "web" }, { length });
  assert.equal(says("silence", "10m"), "web is silenced until 22:40:00.");
  assert.equal(says("silence", "24h"), "web is silenced until 22:30 25 November.");
  assert.equal(says("silence", "168h"), "web is silenced until 22:30 1 December.");
  assert.equal(says("hold", "4h"), "All repairs are on hold until 02:30 25 November.");
});

test("where there is nothing to do any more nothing is offered", () => {
  const over = state({ incidents: [row({ state: "resolved", undo: null, acknowledged: null })] });
  for (const chosen of [{ control: "undo", name: "i1", attempt: "1" }, { control: "acknowledge", name: "i1" }, { control: "acknowledge", name: "gone" }, { control: "fault", name: "web", fault: "stop" }, { control: "unheard" }]) {
    assert.equal(ask(over, T, chosen), null);
    const shown = dialog({ dialog: { ...chosen, id: 1, step: "ask", said: "" }, state: over, now: T });
    assert.deepEqual(find(shown, (e) => e.tag === "button").map(textOf), ["Close"]);
  }
});

test("while repairs are on hold a repair by hand says that it waits", () => {
  const held = state({ info: { host: "box", mode: "auto", held: "a move" } });
  assert.match(ask(held, T, { control: "heal", name: "web" }).says.join(" "), /the repair waits until the hold ends/);
  const over = state({ info: { host: "box", mode: "observe", held: "a move", held_until: at(-1) } });
  assert.equal(ask(over, T, { control: "heal", name: "web" }).says.at(-1), "Mode observe does not stop a repair by hand.");
  const asked = state({ info: { host: "box", mode: "approve" } });
  const waits = (control) => ask(asked, T, { control, name: "web" }).says.includes("The repair waits for approval.");
  assert.deepEqual([waits("heal"), waits("restart")], [true, false], "what is asked for by name is approved with that");
});

test("a fault says what it does and whether it can be taken back", () => {
  const breakable = store.learnChaos(state(), [{ fault: "stop", does: "stops the container.", undo: true, repairable: true, services: ["web"] }]);
  const { title, says } = ask(breakable, T, { control: "fault", name: "web", fault: "stop" });
  assert.deepEqual([title, says], ["Stop: break web for real?", ["Stops the container.", "LogStream should notice and repair it.", "It can be taken back by hand."]]);
  const repair = (info, service) => ask(store.learnChaos(state({ info: { mode: "auto", ...info }, services: [{ name: "web", status: "UP", ...service }] }), [...breakable.chaos]), T, { control: "fault", name: "web", fault: "stop" }).says[1];
  assert.equal(repair({ held: true, held_until: at(60e3) }), "LogStream should notice it. All repairs are on hold on this host: the repair waits until the hold ends.");
  assert.equal(repair({}, { silenced_until: at(60e3) }), "LogStream should notice it. The service is silenced: the repair waits until the silence ends.");
  for (const held of [false, true]) assert.equal(repair({ mode: "observe", held }), "LogStream should notice it. Nothing is repaired in mode observe.", "also once a hold has ended");
  assert.equal(repair({ mode: "approve" }), "LogStream should notice it. The repair waits for approval.");
  assert.equal(repair({ held: true, held_until: at(-1) }, { silenced_until: at(-1) }), "LogStream should notice and repair it.");
  assert.deepEqual(call(breakable, T, { control: "recall", name: "web", fault: "stop" }, {}), ["POST", "/services/web/chaos", { fault: "stop", undo: true }]);
});

test("a dialog asks, waits and says what became of it", () => {
  const of = { control: "hold", name: "*", id: 1, said: "" };
  const shown = (more) => dialog({ dialog: { ...of, ...more }, state: state(), now: T, stale: false });
  const buttons = (view) => find(view, (e) => e.tag === "button").map((e) => [textOf(e), e.attrs["aria-disabled"] ?? ""]);
  assert.deepEqual(buttons(shown({ step: "ask" })), [["Hold repairs", ""], ["Cancel", ""]]);
  assert.equal(find(shown({ step: "ask" }), (e) => e.attrs.type === "radio" && e.attrs.checked).map((e) => e.attrs.value).join(), "30m");
  assert.deepEqual(buttons(shown({ step: "sent" })), [["Waiting for LogStream…", "true"], ["Close, the command goes on", ""]]);
  const over = shown({ step: "failed", said: "No hold is active." });
  assert.deepEqual(buttons(over), [["Close", ""]]);
  assert.match(textOf(find(over, (e) => e.attrs.role === "status")[0]), /No hold is active\./);
  assert.equal(over.attrs["aria-labelledby"], find(over, (e) => e.tag === "h2")[0].attrs.id);
});

test("what was begun by hand can be followed", () => {
  const going = state({ incidents: [row({ id: "old", state: "resolved" }), row({ id: "new" })] });
  assert.equal(follows(going, { control: "restart", name: "web" }).id, "new");
  assert.equal(follows(going, { control: "silence", name: "web" }), null);
});

test("the banner says who holds repairs, until when and why, and lets an operator release them", () => {
  const info = { host: "box", held: "a move", held_by: "operator:ada", held_reason: "a move", held_until: at(90_000) };
  const shown = holdBanner({ info, rows: [row({ held: "hold" })], at: T, viewer: false, stale: false });
  for (const part of ["All repairs on host box are on hold until", "1 min 30 s left.", "ada put them on hold: a move.", "1 repair waits."]) assert.ok(textOf(shown).includes(part), `${part} is missing in: ${textOf(shown)}`);
  assert.equal(find(shown, (e) => e.attrs["data-control"] === "release").length, 1);
  assert.equal(find(holdBanner({ info, rows: [], at: T, viewer: true }), (e) => e.tag === "button").length, 0);
  assert.match(textOf(holdBanner({ info: { held: "held by an operator", held_until: null }, rows: [], at: T })), /until they are released/);
  for (const none of [undefined, {}, { held: "" }, { ...info, held_until: at(-1) }]) assert.equal(isHeld(none, T), false);
});

test("what waits for a person stands in order, and first in the title", () => {
  const rows = [row({ id: "given", state: "escalated", escalated: at(0) }), row({ id: "late", approval: { expires: at(9000) } }), row({ id: "soon", approval: { expires: at(5000) } }),
    row({ id: "seen", state: "escalated", acknowledged: { by: "operator:ada" } }), row({ id: "over", state: "resolved" }), row({ id: "open" })];
  assert.deepEqual(waiting(rows).map((one) => one.id), ["soon", "late", "given"]);
  assert.equal(waits(rows[3]), false);
  assert.equal(titled("(2 open) Incidents · LogStream", 1), "(1 waits for you) Incidents · LogStream");
  assert.equal(titled("(2 open) Incidents · LogStream", 0), "(2 open) Incidents · LogStream");
});

test("a command says what it asked for and what became of it", () => {
  assert.equal(requested({ command: "silence", service: "web", args: { for: "1h", reason: "a migration" } }), "silenced web for 1 h: a migration");
  assert.equal(requested({ command: "heal", service: "web", args: { action: "restart" } }), "requested: restart web");
  assert.equal(requested({ command: "hold", service: "*", args: {} }), "put all repairs on hold");
  assert.equal(requested({ command: "inject", service: "web", args: { fault: "stop", undo: true } }), "took back “Stop” in web");
  assert.equal(requested({ command: "later", service: "web" }), "sent “later” to web");
  assert.deepEqual(became({ time: at(0), result: null }, T + 1000), { text: "Waiting for LogStream", ok: null });
  assert.equal(became({ time: at(0), result: null }, T + 61_000).ok, false);
  assert.deepEqual(became({ time: at(0), result: { ok: true } }, T), { text: "Executed", ok: true });
  assert.equal(became({ time: at(0), result: { ok: false, error: "heal web: it is UP; name an action to run it anyway" } }, T).text, "Refused. It is UP; name an action to run it anyway.");
  assert.equal(refused("approve: the request expired"), "The request expired.");
  assert.equal(refused(""), "LogStream refused it.");
});
