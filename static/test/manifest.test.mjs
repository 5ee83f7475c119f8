import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (name) => readFileSync(join(root, name));
const manifest = JSON.parse(read("manifest.webmanifest"));

test("the page can be installed wherever it is served", () => {
  for (const address of [manifest.id, manifest.start_url, manifest.scope, ...manifest.icons.map((one) => one.src)]) assert.ok(!/^\/|:\/\//.test(address), `${address} is not relative`);
  assert.equal(manifest.display, "standalone");
  assert.ok(manifest.name && manifest.short_name && manifest.short_name.length <= 12);
  assert.match(String(read("index.html")), /<link rel="manifest" href="[^"]*manifest\.webmanifest"/);
});

test("every icon is there, in the size that is named", () => {
  const sizes = (name) => {
    const png = read(name);
    assert.equal(png.toString("latin1", 1, 4), "PNG", name);
    return `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;
  };
  for (const { src, sizes: named, type } of manifest.icons) {
    if (type === "image/png") assert.equal(sizes(src), named);
    else assert.match(String(read(src)), /^<svg /);
  }
  for (const size of ["192x192", "512x512"]) assert.ok(manifest.icons.some((one) => one.sizes === size && one.type === "image/png" && !one.purpose), size);
  assert.ok(manifest.icons.some((one) => one.purpose === "maskable" && one.sizes === "512x512"));
  assert.equal(sizes("icons/app-touch-180.png"), "180x180");
});
