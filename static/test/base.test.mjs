import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

import { inside, outside } from "../js/base.js";

test("addresses of ours get the base path, others stay", () => {
  for (const [address, want] of [["/", "/ls/"], ["/incidents?state=open", "/ls/incidents?state=open"], ["#main", "#main"], ["https://example.com/x", "https://example.com/x"], ["//example.com/x", "//example.com/x"], ["#i-up", "#i-up"]]) {
    assert.equal(outside(address, "/ls"), want);
    assert.equal(outside(address, ""), address);
  }
});

test("a page is the same one with the base path and without", () => {
  for (const [path, want] of [["/ls/", "/"], ["/ls", "/"], ["/ls/incidents/x", "/incidents/x"], ["/incidents/x", "/incidents/x"], ["/lsx/y", "/lsx/y"], ["/", "/"]]) {
    assert.equal(inside(path, "/ls"), want);
    assert.equal(inside(path, ""), path);
  }
});

// What the server does not rewrite names its own files from where it stands itself.
test("no style sheet has an address from the root", () => {
  const root = new URL("../", import.meta.url);
  const sheets = readdirSync(root).filter((name) => name.endsWith(".css"));
  assert.ok(sheets.includes("style.css"));
  for (const name of sheets) assert.deepEqual(readFileSync(new URL(name, root), "utf8").match(/url\(\s*["']?\/[^)]*\)/g), null, name);
});
