// What screen readers hear of the page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { announcer } from "../js/announce.js";

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
