// What runs before the page's modules: the page is loaded again where a part of it could
// not be fetched, and not for ever.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";

const code = readFileSync(fileURLToPath(new URL("../js/theme.js", import.meta.url)), "utf8");
class Script {}
const script = (more) => Object.assign(new Script(), { async: false, ...more });
const sheet = { rel: "stylesheet" };

// A tab in which the page is loaded, with these elements that could not be fetched, again and again until it stays.
function tab(...broken) {
  const kept = new Map();
  let loads = 0;
  for (let again = true; again && loads < 20; loads++) {
    again = false;
    const listeners = {};
    const sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
    runInNewContext(code, {
      HTMLScriptElement: Script, URLSearchParams, sessionStorage, localStorage: { getItem: () => null }, document: { documentElement: { dataset: {} } },
      location: { search: "", reload: () => (again = true) }, setTimeout: (then) => then(), addEventListener: (name, then) => (listeners[name] = then),
    });
    for (const target of typeof broken[0] === "function" ? broken[0](loads) : broken) listeners.error({ target });
    listeners.load?.({});
  }
  return { loads, tries: kept.get("tries") };
}

test("the page is loaded again where its code or its style could not be fetched, five times at most", () => {
  assert.deepEqual(tab(script()), { loads: 6, tries: "6" });
  assert.deepEqual(tab(sheet), { loads: 6, tries: "6" }, "its code came, and that does not count as a page that is whole");
  assert.deepEqual(tab((loads) => (loads < 2 ? [script()] : [])), { loads: 3, tries: undefined }, "once it is whole, none of that counts any more");
});

test("it is not loaded again for what it works without", () => {
  for (const target of [script({ async: true }), { rel: "modulepreload" }, { rel: "icon" }, {}]) assert.equal(tab(target).loads, 1);
});

test("the scripts that the page works without are those that are async", () => {
  const html = readFileSync(fileURLToPath(new URL("../index.html", import.meta.url)), "utf8");
  assert.deepEqual([...html.matchAll(/<script\b[^>]*\basync\b[^>]*src="([^"]+)"/g)].map((m) => m[1]), ["/js/early.js"]);
});
