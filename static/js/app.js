// Wires the page: frames into the store, the store into views, clicks into
// calls. Everything that has an effect is here or in the module it names;
// the views are pure.

import { acts } from "./acts.js";
import { keepToken, token } from "./api.js";
import { draw } from "./dom.js";
import { incident as incidentOf } from "./incident.js";
import { kept } from "./injections.js";
import { loader } from "./loader.js";
import { advance, due, idle, push } from "./pace.js";
import { connect } from "./socket.js";
import * as store from "./store.js";
import * as incident from "./pages/incident.js";
import * as incidents from "./pages/incidents.js";
import * as overview from "./pages/overview.js";
import * as service from "./pages/service.js";
import * as system from "./pages/system.js";
import * as access from "./pages/access.js";
import * as keys from "./view/keys.js";
import { cutoff, top } from "./view/top.js";
import { phrase } from "./vocabulary.js";

const GRACE = 1000; // a connection that is back within it counts as unbroken
const root = document.getElementById("app");
const announcement = document.getElementById("announcement");
const question = document.getElementById("question");

let state = store.empty();
let pace = idle();
let frames = []; // that wait for the next picture
let conn = { live: false, lostAt: 0, retryAt: 0, failures: 0 };
const ui = { denied: false, wrong: false, injections: kept(), refusals: new Map(), sent: new Map(), sizes: new Map(), windows: new Map(), keys: false };

// ---- what comes in

const data = loader({ onAnswer: learn, onRefusal: (_, refusal) => { if (refusal.status === 401) deny(); schedule(); } });

const socket = connect({
  onFrame(frame) {
    frames.push(frame);
    if (document.hidden) takeFrames();
    else schedule();
  },
  onChange(change) {
    const lostAt = change.live ? 0 : conn.lostAt || Date.now();
    conn = { ...change, lostAt };
    if (!change.live && change.failures === 1) data.want(["/info"], Date.now()); // a refused token closes the socket, too
    schedule();
  },
  silence,
});

function silence() {
  return store.silence(state.services.values());
}

function takeFrames() {
  const now = Date.now();
  for (const frame of frames.splice(0)) {
    const folded = store.fold(state, frame, now);
    if (folded.gap) {
      frames = [];
      socket.again();
      return;
    }
    state = folded.state;
    for (const agent of folded.agents) pace = push(pace, agent, now);
    for (const event of frame.events ?? []) if (event.kind === "service" && event.data?.name) data.touch(`/services/${encodeURIComponent(event.data.name)}`);
  }
  pace = advance(pace, now);
}

function learn(path, value) {
  const [address] = path.split("?");
  const parts = address.split("/").slice(1).map(decodeURIComponent);
  if (path === "/chaos") state = store.learnChaos(state, value);
  else if (path === "/info") state = { ...state, info: { ...state.info, ...value }, infoAt: Date.now() };
  else if (address === "/incidents") state = store.learnIncidents(state, value ?? []);
  else if (parts[0] === "incidents") state = store.learnIncident(state, value);
  else if (parts[0] === "services" && parts.length === 2) state = store.learnService(state, value);
  else if (path.endsWith("/history?window=1h")) state = store.learnHistory(state, parts[1], value);
  schedule();
}

function deny() {
  ui.wrong = ui.denied ? ui.wrong : token() !== "";
  ui.denied = true;
  socket.rest();
}

// ---- what is shown

const PAGES = [[/^\/incidents\/?$/, incidents], [/^\/incidents\/([^/]+)\/?$/, incident], [/^\/services\/([^/]+)\/?$/, service], [/^\/system\/?$/, system]];

function route() {
  for (const [pattern, page] of PAGES) {
    const found = pattern.exec(location.pathname);
    if (found) return { page, name: found[1] ? safeDecode(found[1]) : "" };
  }
  return { page: overview, name: "" };
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function connection(now) {
  if (ui.denied) return "denied";
  if (conn.live) return "live";
  if (conn.lostAt && now - conn.lostAt >= GRACE) return "down";
  return state.seq === null ? "loading" : "live";
}

// The incidents that are drawn whole: the open ones, and those whose events are known.
function incidentsWhole() {
  const whole = new Map();
  for (const row of state.incidents.values()) {
    const events = state.events.get(row.id) ?? [];
    if (events.length || row.state !== "resolved") whole.set(row.id, incidentOf(row, events, state.thinking.get(row.id)));
  }
  return whole;
}

function render() {
  takeFrames();
  const now = Date.now();
  pace = advance(pace, now);
  const shown = connection(now);
  const { page, name } = route();
  const cut = shown === "down";
  const since = store.staleSince(state);
  const stale = cut || since > 0; // what is shown was so then, and time stands still in it
  const then = Math.min(cut && state.at ? state.at : now, since || now);
  const ctx = { ...ui, state, now: then, name, stale, conn: shown, agent: pace.shown ?? state.agent, incidents: incidentsWhole(), answers: data.answers, query: new URLSearchParams(location.search) };
  document.documentElement.dataset.conn = shown;
  root.classList.toggle("stale", cut);
  const follow = ends();
  draw(root,
    top({ path: location.pathname, open: [...state.incidents.values()].filter((row) => row.state !== "resolved").length, conn: shown, rate: store.rate(state, now), mode: state.info?.mode, lostAt: conn.lostAt, now }),
    shown === "down" && cutoff({ lostAt: conn.lostAt, at: state.at, retryAt: conn.retryAt, now }),
    ui.denied ? access.view(ctx) : page.view(ctx),
    ui.keys && keys.view());
  follow();
  document.title = ui.denied ? "Access · LogStream" : page.title(ctx);
  announce(ctx, now);
  measure();
  if (!ui.denied) data.want(page.needs(ctx), state.since);
  later(now);
}

// What grows at its end scrolls with it, where the reader is at its end.
function ends() {
  const atEnd = new Set([...root.querySelectorAll("[data-follow]")].filter((node) => node.scrollHeight - node.scrollTop - node.clientHeight < 8));
  return () => {
    for (const node of atEnd) if (node.isConnected && node.dataset.follow !== undefined) node.scrollTop = node.scrollHeight;
  };
}

// At most one picture a frame; where the browser draws none, because the tab is
// hidden, the title and what is known still follow, each second.
let picture = 0;
let instead = 0;
function schedule() {
  if (picture) return;
  picture = requestAnimationFrame(draws);
  instead = setTimeout(draws, 1000);
}

function draws() {
  cancelAnimationFrame(picture);
  clearTimeout(instead);
  picture = 0;
  render();
}

// Between frames the clocks go on: each second, four times while something is done.
let timer = 0;
function later(now) {
  clearTimeout(timer);
  const busy = [...state.incidents.values()].some((row) => row.state === "open" && !row.held);
  const next = Math.min(due(pace) ?? Infinity, now + (busy ? 250 : 1000 - (now % 1000)));
  timer = setTimeout(schedule, Math.max(16, next - now));
}

// One sentence at a time for screen readers, five seconds apart; a
// request for approval at once, and once.
let saidAt = 0;
const announced = new Set();
function announce(ctx, now) {
  for (const { id, service, approval } of state.incidents.values()) {
    if (!approval || announced.has(`${id} ${approval.request}`)) continue;
    announced.add(`${id} ${approval.request}`);
    question.textContent = `Approval needed: ${phrase(approval.action, service)}.`;
  }
  const { line, first, work } = overview.summary(ctx);
  icon(line, work, first);
  if (state.seq === null || now - saidAt < 5000) return;
  const spoken = [line.text, work?.still].filter(Boolean).join(". ");
  if (spoken === announcement.textContent) return;
  announcement.textContent = spoken;
  saidAt = now;
}

function icon(line, work, first) {
  const open = first && first.stage !== "resolved";
  const name = work?.kind === "wait" ? "wait" : open && work?.kind === "work" ? "work" : line.status === "DOWN" ? "down" : "up";
  const link = document.querySelector("link[rel=icon]");
  if (link.getAttribute("href") !== `/icons/${name}.svg`) link.setAttribute("href", `/icons/${name}.svg`);
}

// Charts are drawn to the size of their place.
const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const width = Math.round(contentRect.width);
    if (!width || ui.sizes.get(target.dataset.size) === width) continue;
    ui.sizes.set(target.dataset.size, width);
    schedule();
  }
});
const watched = new WeakSet();
function measure() {
  for (const svg of root.querySelectorAll("svg[data-size]")) {
    if (watched.has(svg)) continue;
    watched.add(svg);
    resized.observe(svg);
  }
}

// ---- what the visitor does

const ACTS = acts({
  ui, deny, schedule,
  now: () => store.clock(state, Date.now()),
  reconnect: () => socket.again(),
  say(what) {
    announcement.textContent = what;
    saidAt = Date.now();
  },
});

addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest("[data-act]");
  if (button) {
    ACTS[button.dataset.act]?.(button);
    schedule();
    return;
  }
  const link = target?.closest("a[href]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || link.getAttribute("href").startsWith("#") || link.protocol === "blob:") return;
  event.preventDefault();
  go(link.pathname + link.search);
});

addEventListener("submit", (event) => {
  if (!(event.target instanceof HTMLFormElement) || event.target.dataset.act !== "token") return;
  event.preventDefault();
  keepToken(new FormData(event.target).get("token")?.trim());
  ui.denied = false;
  ui.wrong = false;
  data.forget();
  socket.again();
  schedule();
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select")) return;
  if (event.key === "?") ACTS.keys();
  else if (event.key === "Escape" && ui.keys) ui.keys = false;
  else return;
  schedule();
});

function go(to) {
  history.pushState(null, "", to);
  render();
  scrollTo(0, 0);
  root.querySelector("h1")?.focus({ preventScroll: true });
}

try {
  sessionStorage.removeItem("tries"); // theme.js counts loads of this code that failed
} catch {
  // nothing is kept here
}
addEventListener("popstate", schedule);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !conn.live && conn.lostAt) socket.again();
  schedule();
});
render();
