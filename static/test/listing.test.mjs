// The list of incidents: its address, its pages and its rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { find, textOf } from "../js/dom.js";
import { address, choices, filters, listed, matches, PAGE, paged } from "../js/listing.js";
import * as page from "../js/pages/incidents.js";
import * as store from "../js/store.js";
import { at, T } from "./event_log.mjs";

const of = (query = "") => filters(new URLSearchParams(query));
const one = (id, ms, more = {}) => ({ id, service: "pay", state: "resolved", how: "healed", attempts: 1, opened: at(ms), first_bad: at(ms), cause_id: "killed", cause: "It is killed.", cause_past: "It was killed.", action: "start", decided_by: "runbook", down_ms: 1500, ttr_ms: 9000, error: "", ...more });
const answer = (list, refusal = null) => ({ value: list, refusal });
const full = (from, to) => Array.from({ length: PAGE }, (_, i) => one(`p${from - i}`, (from - i) * 1000)).slice(0, to);

test("an address keeps its filters, and another filter begins at the newest again", () => {
  const wanted = of("service=a%2Fb%20c&cause=oom&state=open&decided_by=llm&q=%3Cb%3E&shown=300&other=x");
  assert.deepEqual(wanted, { service: "a/b c", cause: "oom", state: "open", decided_by: "llm", q: "<b>", pages: 3 });
  assert.deepEqual(of(address(wanted).split("?")[1]), { ...wanted, pages: 1 });
  assert.deepEqual(of(address(wanted, { pages: 3 }).split("?")[1]), wanted);
  assert.equal(address(of()), "/incidents");
  assert.equal(of(`q=${"x".repeat(500)}`).q.length, 200, "as long as the API takes it");
  assert.deepEqual([of("shown=-5").pages, of("shown=1e9").pages, of("shown=x").pages], [1, 1, 1]);
});

test("pages follow each other by the last incident of the one before", () => {
  const wanted = of("state=resolved&shown=200");
  const first = "/incidents?limit=100&state=resolved";
  assert.deepEqual(paged(wanted, new Map()), { paths: [first], more: false, oldest: null, brought: new Set(), refusal: null });
  const answers = new Map([[first, answer(full(500))]]);
  assert.deepEqual(paged(wanted, answers).paths, [first, `${first}&before=p401`]);
  assert.equal(paged(wanted, answers).oldest, T + 401e3, "what was brought stands while the next page loads");
  assert.deepEqual([paged(of("state=resolved"), answers).more, paged(of("state=resolved"), answers).paths.length], [true, 1], "one page is shown, and there are more");
  assert.equal(paged(wanted, answers).more, true, "the button keeps its place, and the focus, meanwhile");
  answers.set(`${first}&before=p401`, answer(full(400, 3)));
  assert.deepEqual([paged(wanted, answers).more, paged(wanted, answers).oldest], [false, -Infinity]);
  const refusal = { status: 0, message: "LogStream did not answer." };
  assert.equal(paged(of(), new Map([["/incidents?limit=100", answer(undefined, refusal)]])).refusal, refusal);
});

test("a list has the incidents that match, newest first, and none older than the pages that were loaded", () => {
  const rows = [one("a", 1000), one("b", 3000, { service: "Orders", decided_by: "llm:qwen3:4b" }), one("c", 2000, { cause_id: "oom", cause: "It ran out of memory.", state: "open" })];
  const ids = (query, oldest = -Infinity) => listed(rows, of(query), { oldest, brought: new Set(["c"]) }).map((row) => row.id).join("");
  assert.deepEqual([ids(""), ids("service=pay"), ids("cause=oom"), ids("state=open"), ids("decided_by=llm"), ids("decided_by=llm%3Aqwen3%3A4b"), ids("q=ORDERS"), ids("q=memory"), ids("q=nowhere"), ids("", T + 2000), ids("", T + 3000), ids("", null)],
    ["bca", "ca", "c", "c", "b", "b", "b", "c", "", "bc", "c", "bca"]);
  assert.ok(matches({ service: "x" }, of()), "a row of which little is known");
  assert.deepEqual(choices(rows, ["stock"], of("cause=gone")), { services: ["Orders", "pay", "stock"], causes: ["gone", "killed", "oom"], deciders: ["llm", "runbook"] });
});

const shown = (rows, query = "", answers = new Map([["/incidents?limit=100", answer(rows)]]), services = []) => {
  const state = store.fold(store.empty(), { type: "snapshot", seq: 1, incidents: rows, services }, T).state;
  return page.view({ state, now: T + 60e3, query: new URLSearchParams(query), answers, incidents: new Map(), refusals: new Map(), sent: new Map() });
};

test("a row has its columns, and says what is now in words", () => {
  const rows = [one("a", 0), one("b", 1000, { state: "open", down_ms: null, attempts: 0, decided_by: "", held: "cooldown" }), one("c", 2000, { state: "escalated", down_ms: null }), one("d", 3000, { how: "recovered", attempts: 0 }), one("e", 4000, { how: "operator" }), one("f", 5000, { state: "open", held: "approval", approval: {}, down_ms: null }), one("g", 6000, { state: "open", phase: "verification", held: "", down_ms: null })];
  const cells = find(shown(rows), (e) => e.attrs["data-incident-row"]).map((row) => row.kids.slice(1).map(textOf).join("|"));
  assert.deepEqual(cells, ["pay|It was killed.|the runbook|1|54 s|Verifying", "pay|It is killed.|the runbook|1|55 s|Approval needed", "pay|It was killed.|the runbook|1|1.5 s|Closed", "pay|It was killed.|the runbook|0|1.5 s|Recovered", "pay|It is killed.|the runbook|1|58 s|A person is needed", "pay|It is killed.|–|0|59 s|On hold", "pay|It was killed.|the runbook|1|1.5 s|Repaired"]);
});

test("the time down stops where the service came back, and is not red then", () => {
  const rows = [one("g", 6000, { state: "open", phase: "verification", held: "", down_ms: null })];
  const down = (services) => find(shown(rows, "", undefined, services), (e) => e.attrs.class?.startsWith("i-down") && e.tag === "td").map((e) => [textOf(e), e.attrs.class]);
  assert.deepEqual(down([{ name: "pay", status: "DOWN", first_bad: at(6000) }]), [["54 s", "i-down num down"]]);
  assert.deepEqual(down([{ name: "pay", status: "UP", since: at(8000) }]), [["2.0 s", "i-down num"]]);
});

test("rows are grouped by day, and each state of the list has its words", () => {
  const days = find(shown([one("a", 0), one("b", -86400e3)]), (e) => e.attrs.scope === "rowgroup").map(textOf);
  assert.deepEqual(days, ["Today1 incident", "Yesterday1 incident"]);
  assert.match(textOf(shown([])), /No incidents recorded/);
  assert.match(textOf(shown([one("a", 0)], "q=nowhere", new Map([["/incidents?limit=100&q=nowhere", answer([])]]))), /No incident matches.*Clear the filters/);
  assert.match(textOf(shown([one("a", 0)], "q=kill", new Map([["/incidents?limit=100&q=kill", answer([one("a", 0)])]]))), /1 incident matches/);
  assert.ok(find(shown([], "", new Map()), (e) => e.attrs.class === "loading").length, "before the first answer");
  const refused = new Map([["/incidents?limit=100", answer(undefined, { message: "LogStream did not answer." })]]);
  assert.match(textOf(shown([], "", refused)), /cannot be loaded now.*LogStream did not answer/);
  assert.match(textOf(shown([one("a", 0)], "", refused)), /Older incidents cannot be loaded now/);
  const [older] = find(shown(full(500)), (e) => e.attrs["data-older"]);
  assert.equal(older.attrs.href, "/incidents?shown=200");
});

test("before the first frame nothing is said to be open or not, but what the API answers", () => {
  const says = (rows) => {
    const state = store.learnIncidents(store.empty(), rows ?? []);
    const view = page.view({ state, now: T + 60e3, query: new URLSearchParams(), answers: new Map(rows && [["/incidents?limit=100", answer(rows)]]), incidents: new Map(), refusals: new Map(), sent: new Map() });
    return [textOf(find(view, (e) => e.tag === "h1")[0]), find(view, (e) => e.attrs.class === "loading").length, find(view, (e) => e.attrs["data-incident-row"]).length];
  };
  assert.deepEqual(says(null), ["Incidents", 1, 0]);
  assert.deepEqual(says([one("a", 0, { state: "open", down_ms: null }), one("b", 1000)]), ["1 incident is open", 0, 2]);
  assert.equal(textOf(find(shown([]), (e) => e.tag === "h1")[0]), "No incident is open");
});

test("a filter with the name of a member of Object is drawn as any other", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    const options = find(shown([one("a", 0)], `decided_by=${name}&cause=${name}&service=${name}`), (e) => e.tag === "option" && e.attrs.selected).map(textOf);
    assert.equal(options.length, 3, name);
  }
});

test("a row of a long list is made once while it stays the same", () => {
  const rows = Array.from({ length: 3100 }, (_, i) => one(`long${i}`, i));
  const drawn = () => find(shown(rows), (e) => e.attrs["data-incident-row"] === "long7")[0];
  const first = drawn();
  assert.equal(drawn().props.view, first.props.view);
  assert.equal(drawn().props.view, first.props.view);
  assert.notEqual(drawn(), first, "a copy, which Preact may link to its picture");
});
