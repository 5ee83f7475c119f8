import assert from "node:assert/strict";
import { test } from "node:test";
import { alike, behind, groupLine, isBehind, together, whose } from "../js/causes.js";
import { textOf } from "../js/dom.js";
import { entries } from "../js/feed.js";
import { incident } from "../js/incident.js";
import { lane, pick } from "../js/lane.js";
import { groupOf } from "../js/view/lane.js";
import { at, diagnosed, evidence, eventLog, finished, opened, resolved, row, started, T, verified } from "./event_log.mjs";

const one = (id, more = {}, list = [opened]) => {
  const events = eventLog(...list);
  return incident({ ...row(events), id, service: id, ...more }, events);
};
const many = (n, more, prefix = "s") => Array.from({ length: n }, (_, i) => one(`${prefix}${i}`, more));
const missing = { state: "escalated", phase: "ended", cause_id: "container_missing", cause: "The container x does not exist.", escalated_reason: "There is nothing to start." };

test("incidents of one cause are one group, and a few stand one by one", () => {
  const list = [...many(30, missing), one("web", { cause_id: "hang" }), ...many(3, { cause_id: "oom" }, "o")];
  const { groups, rest } = alike(list);
  assert.deepEqual(groups.map((of) => of.list.length), [30]);
  assert.deepEqual(rest.map((of) => of.row.id), ["web", "o0", "o1", "o2"]);
  assert.equal(together(groups[0].list), "30 containers do not exist");
  assert.equal(groupLine(groups[0].list), "30 containers do not exist. A person is needed.");
  assert.equal(whose(groups[0].list), "s0, s1, s10 and 27 more");
});

test("a group in verification, or over, is said in the past", () => {
  const hang = { phase: "verification", cause_id: "hang" };
  assert.equal(groupLine(many(5, hang)), "5 services did not answer. Verifying their repairs.");
  assert.equal(together(many(5, { state: "resolved", cause_id: "paused" })), "5 containers were paused");
  assert.equal(together(many(5, { state: "resolved", cause_id: "stopped" })), "5 containers were stopped by a command such as docker stop");
  assert.equal(together([...many(3, { ...hang, cause_id: "odd", cause_past: "It was odd." }), one("z", { ...hang, cause_id: "odd", cause_past: "z was odd." })]), "4 services were down for one cause (odd)");
});

test("a group in a moment's pause says what is next, and when the first of them is due", () => {
  const held = [1020, "suppressed", "guard", { gate: "deploy", reason: "s is being replaced.", until: at(4000) }];
  const list = [5, 3, 4, 5].map((s, i) => one(`s${i}`, { next: { action: "start", gate: "deploy", at: at(s * 1000) } }, [opened, evidence, diagnosed, held]));
  assert.deepEqual(list.map((of) => of.stage), Array(4).fill("pause"));
  const said = "4 containers were stopped by a command such as docker stop. Starting them";
  assert.equal(groupLine(list, T + 1000), `${said} in 2 s, unless the containers are replaced.`);
  assert.equal(groupLine(list), `${said}, unless the containers are replaced.`);
  assert.match(textOf(groupOf({ key: "k", list, now: T + 3000 })), /Starting them now, unless the containers are replaced\./);
});

test("one cause in two stages is two groups: what is done about them differs", () => {
  assert.equal(alike([...many(4, missing), ...many(4, { cause_id: "container_missing" }, "o")]).groups.length, 2);
});

test("a cause without words of its own is said as it came, where it is the same for all", () => {
  assert.equal(together(many(4, { cause_id: "odd", cause: "It is odd." })), "4 services: It is odd.");
  assert.equal(together([...many(3, { cause_id: "odd_one", cause: "It is odd." }), one("z", { cause_id: "odd_one", cause: "z is odd." })]), "4 services are down for one cause (odd one)");
  assert.equal(together(many(5, { error: "HTTP 500" })), "5 services: HTTP 500");
  assert.equal(together(many(1200, { error: "HTTP 500" })), "1,200 services: HTTP 500");
});

test("of a group at rest no single incident has the lane; one under repair has it", () => {
  const rest = pick(many(30, missing), T);
  assert.deepEqual([rest.lane, rest.groups.length, rest.lines.length, rest.first.row.id], [false, 1, 0, "s0"]);
  assert.equal(pick(many(30, { cause_id: "stopped", phase: "action" }), T).lane, true);
});

test("what waits for its root stands behind it, while that is open and a minute after", () => {
  const root = one("db", { phase: "action" });
  const api = one("api", { held: "dependency", root: "db" });
  const shop = one("shop", { held: "dependency", root: "api" });
  const other = one("mail", { held: "dependency", root: "dns" });
  const all = [shop, api, root, other];
  const picked = pick(all, T);
  assert.equal(picked.first.row.id, "db");
  assert.deepEqual(picked.behind.map(({ of, depth }) => [of.row.id, depth]), [["api", 0], ["shop", 1]]);
  assert.deepEqual(picked.lines.map((of) => of.row.id), ["mail"], "a root that has no incident is no root");
  const healed = one("db", {}, [opened, evidence, diagnosed, started, finished, verified, resolved]);
  assert.equal(pick([api, healed], T + 20e3).first.row.id, "db", "the repair that ended has the lane, and not what waits for it");
  assert.equal(pick([api, healed], T + 120e3).first.row.id, "api");
  assert.ok(!isBehind(one("api", { root: "db" }, [opened, started]), all, T, 0), "what was acted on stands for itself");
  assert.deepEqual(behind(one("alone"), all), []);
});

test("what is held with the fleet stands behind the fleet's incident", () => {
  const fleet = one("logstream", { kind: "fleet", held: "blind", opened: at(0) });
  const list = [...many(22, { held: "blind" }), fleet];
  const picked = pick(list, T);
  assert.deepEqual([picked.first.row.id, picked.lane, picked.behind.length, picked.groups.length], ["logstream", true, 22, 0]);
  assert.equal(pick(many(22, { held: "blind" }), T).groups.length, 1, "without it they are a group");
});

test("the lane shows one pair of figures for a repair: time down first, verification second", () => {
  const healed = one("payment-service", {}, [opened, evidence, diagnosed, started, finished, verified, resolved]);
  const model = lane(healed, { now: T + 20e3 });
  assert.deepEqual(model.clock, { head: "Down for", figure: "2.6 s", rest: ", then verified for 10 s" });
  assert.equal(model.steps.at(-1).lines[0], "Down for 2.6 s, then verified for 10 s");
});

test("what ended alike within a moment is one entry of what happened", () => {
  const over = (id, ms, more = {}) => ({ id, service: id, state: "resolved", how: "recovered", attempts: 0, opened: at(ms), resolved: at(ms), error: "HTTP 500", ...more });
  const rows = [...Array.from({ length: 20 }, (_, i) => over(`s${i}`, i * 500)), over("late", 600e3), over("other", 5000, { error: "refused" }), over("fixed", 5000, { how: "healed", attempts: 1, action: "start" })];
  const list = entries({ rows, injections: [], started: NaN });
  assert.deepEqual(list.map((entry) => [entry.row.id, entry.rows?.length]), [["late", undefined], ["s19", 20], ["other", undefined], ["fixed", undefined]]);
  assert.equal(entries({ rows: rows.slice(0, 3), injections: [], started: NaN }).length, 3, "a few stand one by one");
});
