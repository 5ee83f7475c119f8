import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (name) => readFileSync(join(root, name), "utf8");
const code = readdirSync(join(root, "js"), { recursive: true }).filter((name) => name.endsWith(".js")).map((name) => [name, read(join("js", name))]);
const html = read("index.html");
const css = read("style.css");

test("the page keeps to its content security policy", () => {
  assert.ok(!/\sstyle=|\son\w+=|<style|javascript:/i.test(html));
  for (const script of html.matchAll(/<script\b([^>]*)>([^<]*)/g)) {
    assert.match(script[1], /src="\//);
    assert.equal(script[2], "");
  }
  for (const [name, text] of code) assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style:/.test(text), name);
});

test("nothing is fetched from anywhere else", () => {
  for (const [name, text] of [["index.html", html], ["style.css", css], ...code]) {
    for (const [address] of text.matchAll(/\b(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/gi)) assert.equal(address, "http://www.w3.org", `${name}: ${address}`);
  }
});

test("every picture that is used is in the sprite, and none is there for nothing", () => {
  const drawn = new Set([...html.matchAll(/id="i-([a-z]+)"/g)].map((m) => m[1]));
  const all = code.map(([, text]) => text).join("\n");
  for (const [, name] of all.matchAll(/icon\("([a-z]+)"/g)) assert.ok(drawn.has(name), name);
  for (const name of drawn) assert.ok(all.includes(`"${name}"`), `${name} is never used`);
});

test("every file that the page names is there", () => {
  for (const [, name] of [...html.matchAll(/(?:src|href)="(\/[^"#]+)"/g), ...css.matchAll(/url\("(\/[^"]+)"\)/g)]) if (name !== "/" && !name.startsWith("/api/")) read(name);
});

test("without JavaScript the page names the API, and no command", () => {
  const [, text] = /<noscript>(.*)<\/noscript>/.exec(html);
  assert.deepEqual([...text.matchAll(/href="([^"]+)"/g)].map((m) => m[1]), ["/api/v1/services", "/api/v1/incidents"]);
  assert.ok(!text.includes("<code>"), text);
});

// A regular expression stands where a value may: after a bracket, an operator or return.
const EXPRESSION = /(?<=[([=,:?&|!]\s?|return )\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+)\//g;

test("no regular expression matches words", () => {
  for (const [name, text] of code) {
    for (const [, expression] of text.matchAll(EXPRESSION)) {
      const words = expression.replace(/\\.|\[(?:\\.|[^\]\\])*\]/g, " ").match(/[A-Za-z]{4,}/g) ?? [];
      assert.deepEqual(words.filter((word) => !FORMATS.has(word)), [], `${name}: /${expression}/`);
    }
  }
});

// What expressions over addresses and versions may spell out.
const FORMATS = new Set(["approvals", "devel", "dirty", "incidents", "services", "system"]);

// What a module imports, and what these import, by its path below static/; what is imported when it is needed is not among it.
function graph(path, known = new Set()) {
  if (known.has(path)) return known;
  known.add(path);
  if (path.startsWith("js/")) for (const [, to] of read(path).matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";$/gm)) graph(join(dirname(path), to), known);
  return known;
}

const scripts = [...html.matchAll(/<script type="module"[^>]* src="\/([^"]+)"/g)].map((m) => m[1]);

test("every module of the first picture is requested at once, and no other", () => {
  const named = [...html.matchAll(/rel="modulepreload" href="\/([^"]+)"/g)].map((m) => m[1]);
  const needed = new Set(scripts.flatMap((script) => [...graph(script)]));
  for (const script of scripts) needed.delete(script);
  assert.deepEqual(named.sort(), [...needed].sort());
});

test("the code of a page other than the overview is loaded when it is opened", () => {
  const first = new Set(scripts.flatMap((script) => [...graph(script)]));
  const pages = readdirSync(join(root, "js/pages")).map((name) => `js/pages/${name}`);
  assert.deepEqual(pages.filter((page) => first.has(page)).sort(), ["js/pages/coming.js", "js/pages/overview.js"]);
  const later = [...read("js/pages.js").matchAll(/import\("\.\/([^"]+)"\)/g)].map((m) => `js/${m[1]}`);
  assert.deepEqual(later.sort(), pages.filter((page) => !first.has(page)).sort());
  for (const module of graph("js/early.js")) assert.ok(!module.startsWith("js/view/") && !module.startsWith("vendor/"), `the connection waits for ${module}`);
});

test("every module is part of a page", () => {
  const used = new Set(["js/theme.js", "js/statuspage.js", "js/app.js", "js/early.js", ...readdirSync(join(root, "js/pages")).map((name) => `js/pages/${name}`)].flatMap((one) => [...graph(one)]));
  assert.deepEqual(code.map(([name]) => `js/${name}`).filter((name) => !used.has(name)), []);
});

// ---- contrast

const tokens = Object.fromEntries([...css.matchAll(/--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [name, { light, dark }]));

const luminance = (hex) => {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};

const STATES = ["up", "warn", "down", "work"];
const PAIRS = [
  ...["bg", "surface", "sunken"].flatMap((ground) => [["ink", ground, 7], ["ink-2", ground, 7], ["ink-3", ground, 4.5], ["focus", ground, 3], ...STATES.map((s) => [`${s}-ink`, ground, 4.5])]),
  ...STATES.flatMap((s) => [[`${s}-ink`, `${s}-bg`, 4.5], ["ink", `${s}-bg`, 7], ["ink-2", `${s}-bg`, 4.5], ["ink-3", `${s}-bg`, 4.5], ["on-fill", `${s}-fill`, 4.5], [`${s}-tick`, "surface", 3], [`${s}-fill`, "surface", 3]]),
  ["past", "surface", 3], ["past", "down-bg", 3], ["line-strong", "surface", 3], ["line-strong", "bg", 3], ["work-tick", "down-bg", 3], ["warn-ink", "down-bg", 4.5], ["work-ink", "down-bg", 4.5], ["down-ink", "warn-bg", 4.5], ["up-tick", "down-bg", 3], ["up-tick", "warn-bg", 3], ["surface", "ink", 7],
];

for (const theme of ["light", "dark"]) {
  test(`texts and marks stand out from their grounds, ${theme}`, () => {
    for (const [text, ground, least] of PAIRS) {
      const found = ratio(tokens[text][theme], tokens[ground][theme]);
      assert.ok(found >= least, `--${text} on --${ground} is ${found.toFixed(2)}, needs ${least}`);
    }
  });
}
