// What is said of the page outside of it: to screen readers, and by its icon.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { announcer, icon } from "../js/announce.js";

const asks = (id, service, request = 1) => ({ id, service, approval: { request, action: "start" } });

test("requests that come at once are said in one sentence, each once", () => {
  const alert = { textContent: "" };
  const { announce } = announcer({ textContent: "" }, alert);
  const said = (...rows) => {
    alert.textContent = "";
    announce(rows, null, 0);
    return alert.textContent;
  };
  const both = [asks("a", "web"), asks("b", "db"), { id: "c", service: "mail", approval: null }];
  assert.equal(said(...both), "Approval needed: start web and start db.");
  assert.equal(said(...both), "");
  assert.equal(said(...both, asks("a", "web", 2)), "Approval needed: start web.", "a new request of the same incident");
  assert.match(said(...Array.from({ length: 9 }, (_, i) => asks(`n${i}`, `s${i}`))), /start s4 and 4 more\.$/);
});

afterEach(() => delete globalThis.document);

test("the icon is green only where the services are up", () => {
  const link = { href: "", getAttribute: () => link.href, setAttribute: (_, href) => { link.href = href; } };
  globalThis.document = { querySelector: () => link };
  const shown = (status, work = null, waits = false) => {
    icon({ line: { status }, work, first: work && { stage: "action" } }, waits);
    return link.href.match(/^\/icons\/(.*)\.svg$/)[1];
  };
  assert.deepEqual(["UP", "DEGRADED", "DOWN", "PENDING", "UNKNOWN"].map((status) => shown(status)), ["up", "warn", "down", "none", "none"]);
  assert.deepEqual([shown("DOWN", { kind: "work" }), shown("DOWN", { kind: "work" }, true), shown("PENDING", { kind: "calm" })], ["work", "wait", "none"], "a page that is cut off does not know");
  const there = readdirSync(new URL("../icons", import.meta.url));
  for (const name of ["up", "warn", "down", "none", "work", "wait"]) assert.ok(there.includes(`${name}.svg`), name);
  assert.match(String(readFileSync(new URL("../index.html", import.meta.url))), /<link rel="icon" href="\/icons\/none\.svg"/, "before anything is known");
});
