// Wires the page: frames into the store, the store into views, clicks into
// calls. Everything that has an effect is here or in the module it names;
// the views are pure.

import { acts } from "./acts.js";
import { announcer, icon, weight } from "./announce.js";
import { browse } from "./browse.js";
import { keepToken, token } from "./api.js";
import { inside, outside } from "./base.js";
import { draw } from "./dom.js";
import { injections, kept } from "./injections.js";
import * as large from "./large.js";
import { loader } from "./loader.js";
import { library, routed } from "./pages.js";
import { all, drawn, due, idle, push, take } from "./pace.js";
import { ends, focus, pictures } from "./pictures.js";
import { connect } from "./socket.js";
import * as store from "./store.js";
import { coming, missing } from "./pages/coming.js";
import * as overview from "./pages/overview.js";
import { dialog } from "./view/dialog.js";
import { holdBanner, isHeld } from "./view/hold.js";
import { cutoff, keys, top } from "./view/top.js";
import { titled, waiting } from "./waiting.js";

const GRACE = 1000; // a connection that is back within it counts as unbroken
const root = document.getElementById("app");
const voice = announcer(document.getElementById("announcement"), document.getElementById("question"));

let state = store.empty();
let pace = idle();
let frames = []; // that wait for the next render
let learning = 0; // a snapshot waits for a task of its own
let conn = { live: false, lostAt: 0, retryAt: 0, failures: 0 };
const ui = { person: null, denied: false, wrong: false, own: kept(), refusals: new Map(), sent: new Map(), sizes: new Map(), windows: new Map(), keys: false, dialog: null, trial: null, receivers: null };

const { schedule, soon } = pictures({ take: takeAll, render, apart: () => (large.isLarge(state) ? large.APART : 0) });
const browser = browse(schedule);
const code = library({ onChange: schedule });

// ---- what comes in

const data = loader({ onAnswer: learn, onRefusal: (_, refusal) => { if (refusal.status === 401) deny(refusal); soon(); } });

const socket = connect({
  onFrame(frame) {
    frames.push(frame);
    if (document.hidden) takeFrames();
    else if (frame?.type === "snapshot") learning ||= setTimeout(learnAll);
    else if (!large.isLarge(state) || !frame?.events?.every((event) => event?.kind === "health")) soon();
    // a frame with checks only, of a large fleet, is drawn when the clocks are
  },
  onMissed(missed) {
    for (const name of watching ?? state.services.keys()) if (missed(name)) large.paths(name).forEach(data.invalidate);
    soon();
  },
  onChange(change) {
    const lostAt = change.live ? 0 : conn.lostAt || Date.now();
    if (change.live && !conn.live) code.again();
    conn = { ...change, lostAt };
    if (!change.live && change.failures) data.want(["/info"], Date.now()); // a refused token closes the socket, too: perhaps only after the first answer
    schedule();
  },
  silence,
});

function silence() {
  return store.silence(state.services.values());
}

// A snapshot of a thousand services or open incidents is folded in a task of its own, and drawn in the next one.
function learnAll() {
  learning = 0;
  takeAll();
  schedule();
}

function takeAll() {
  takeFrames();
  if (large.isLarge(state)) incidentsWhole(state); // what is made here render() finds
}

function takeFrames() {
  if (learning) return;
  const now = Date.now();
  for (const frame of frames.splice(0)) {
    if (frame?.type === "events") pace = push(pace, frame, now);
    else if (!foldAll(all(pace), now) || !foldAll({ queue: idle(), frames: [frame] }, now)) return;
  }
  foldAll(document.hidden ? all(pace) : take(pace, now), now);
}

// Folds what is due; false where something was missed, and a new snapshot comes.
function foldAll(due, now) {
  pace = due.queue;
  for (const frame of due.frames) {
    const folded = store.fold(state, frame, now);
    if (folded.gap) {
      frames = [];
      pace = idle();
      socket.again();
      return false;
    }
    state = folded.state;
    for (const event of frame.events ?? []) if (event?.kind === "service" && event.data?.name) for (const more of ["", "/container"]) data.invalidate(`/services/${encodeURIComponent(event.data.name)}${more}`);
  }
  return true;
}

function learn(path, value) {
  const [address] = path.split("?");
  const parts = address.split("/").slice(1).map(decodeURIComponent);
  if (path === "/chaos") state = store.learnChaos(state, value);
  else if (address === "/info") know(value);
  else if (address === "/commands") state = store.learnCommands(state, value);
  else if (address === "/incidents") state = store.learnIncidents(state, value ?? []);
  else if (parts[0] === "incidents" && typeof value === "object") state = store.learnIncident(state, value);
  else if (parts[0] === "services" && parts.length === 2) state = store.learnService(state, value);
  else if (path.endsWith("/history?window=1h")) state = store.learnHistory(state, parts[1], value);
  soon();
}

// Who asks is in no frame, for a frame is one for all. What a viewer may not do
// is not shown to one: style.css hides it.
function know(info) {
  state = { ...state, info: { ...state.info, ...info }, infoAt: Date.now() };
  ui.person = { role: info.role ?? "operator", name: info.person ?? "", loggedIn: info.logged_in === true };
  document.documentElement.dataset.role = ui.person.role;
}

function deny(refusal) {
  if (refusal?.login) { // a token that is kept here would hide the session
    keepToken("");
    socket.rest();
    location.replace(outside(`${refusal.login}?next=${encodeURIComponent(inside(location.pathname) + location.search)}`));
    return;
  }
  ui.wrong = ui.denied ? ui.wrong : token() !== "";
  ui.denied = true;
  socket.rest();
}

// ---- what is shown

// The page that is open: its name, its code or what stands in for it, and what it is about.
function opened() {
  const { page, subject } = routed(location.pathname);
  const name = ui.denied ? "access" : page;
  return { name, page: name === "overview" ? overview : standing(code.of(name)), subject };
}

const standing = (page) => (page === undefined ? missing : page ?? coming);

function connection(now) {
  if (ui.denied) return "denied";
  if (conn.live) return "live";
  if (conn.lostAt && now - conn.lostAt >= GRACE) return "down";
  return state.seq === null ? "loading" : "live";
}

// The services whose observations are sent to this page (null: all), and what is kept.
let watching = null;
const keepUp = large.upkeep(store.trim);
const incidentsWhole = large.whole();
function watch(page, of, ctx, summary, now) {
  const about = page === "overview" ? [summary.first, ...ctx.incidents.values()].filter((of) => of && of.stage !== "resolved").map((of) => of.row.service) : [];
  const subject = page === "incident" ? state.incidents.get(of)?.service : of;
  watching = large.needed(state, { name: subject, shown: page === "overview" ? browser.shown() : [], about });
  socket.watch(watching);
  const kept = keepUp(state, watching, now, subject);
  state = kept.state;
  for (const one of kept.old) data.invalidate(large.paths(one)[0]);
}

let lastPage = null; // the one that was rendered last
let ahead = null; // the code of the others is loaded, too
function render() {
  const now = Date.now();
  const shown = connection(now);
  const { name, page, subject } = opened();
  const cut = shown === "down";
  const since = store.staleSince(state);
  const stale = cut || since > 0; // what is shown was so then, and time stands still in it
  const then = Math.min(cut && state.at ? state.at : now, since || now);
  const viewer = ui.person?.role === "viewer"; // who may only look gets no control
  const rows = [...state.incidents.values()];
  const open = rows.filter((row) => row.state !== "resolved").length;
  const waits = waiting(rows).length;
  const at = store.clock(state, then);
  const ctx = { ...ui, look: browser.look, viewer, state: viewer ? { ...state, chaos: [] } : state, now: then, name: subject, stale, conn: shown, agent: state.agent, incidents: incidentsWhole(state), injections: injections(state.commands, { own: ui.own, person: ui.person?.name }), answers: data.answers, query: new URLSearchParams(location.search) };
  document.documentElement.dataset.conn = shown;
  root.classList.toggle("stale", cut);
  const summary = overview.summary(ctx);
  const follow = ends(root);
  const focused = document.activeElement;
  if (lastPage !== page) lastPage?.leave?.();
  lastPage = page;
  try {
    draw(root,
      top({ path: inside(location.pathname), open, waits, weight: weight(summary), control: !ui.denied && state.seq !== null && !viewer && !isHeld(state.info, at), stale, conn: shown, rate: store.rate(state, now), mode: state.info?.mode, lostAt: conn.lostAt, now }),
      shown === "down" && cutoff({ lostAt: conn.lostAt, at: state.at, retryAt: conn.retryAt, now }),
      !ui.denied && holdBanner({ info: state.info, rows, at, viewer, stale }),
      page.view(ctx),
      ui.keys && keys(),
      ui.dialog && dialog({ dialog: ui.dialog, state, now: then, stale }));
    page.drawn?.(root, ctx, schedule);
    follow();
    focus(root, focused);
    document.title = titled(page.title(ctx), ui.denied ? 0 : waits);
    voice.announce(rows, state.seq === null ? null : summary, now);
    icon(summary, waits > 0);
    measure();
    browser.measure(root);
    if (state.seq !== null) watch(name, subject, ctx, summary, now);
    if (!ahead && conn.live && !(name === "overview" && browser.look.first)) ahead = code.ahead(); // this page is whole
  } finally { // what a view lacked is loaded all the same
    if (!ui.denied) data.want([...new Set([...page.needs(ctx), "/info"])], state.since);
    pace = drawn(pace, Date.now()); // the browser shows the picture when all of this is done
    later(now);
  }
}

// Between frames the clocks go on: each second, four times while something is done.
let timer = 0;
function later(now) {
  clearTimeout(timer);
  const busy = [...state.incidents.values()].some((row) => row.state === "open" && !row.held);
  const next = Math.min(due(pace) ?? Infinity, now + (busy ? 250 : 1000 - (now % 1000)));
  timer = setTimeout(schedule, Math.max(16, next - now));
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

const ACTS = { load: () => code.again(true), ...acts({
  ui, deny, schedule,
  state: () => state,
  invalidate: () => data.invalidate("/commands?limit=20"),
  reconnect: () => socket.again(),
  say: voice.say,
}) };

addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest("[data-act]");
  if (button) {
    (browser.acts[button.dataset.act] ?? ACTS[button.dataset.act] ?? opened().page.acts?.[button.dataset.act])?.(button);
    schedule();
    return;
  }
  const link = target?.closest("a[href]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || link.getAttribute("href").startsWith("#") || link.protocol === "blob:") return;
  event.preventDefault();
  if (link.pathname === location.pathname && link.closest("main")) turn(link);
  else go(link.pathname + link.search);
});

addEventListener("submit", (event) => {
  if (!(event.target instanceof HTMLFormElement) || !event.target.dataset.form) return;
  event.preventDefault();
  if (event.target.dataset.form !== "token") {
    ACTS[event.target.dataset.form]?.(event.target, event.submitter);
    schedule();
    return;
  }
  keepToken(new FormData(event.target).get("token")?.trim());
  ui.denied = false;
  ui.wrong = false;
  data.forget();
  socket.again();
  schedule();
});

addEventListener("close", (event) => {
  if (!(event.target instanceof HTMLDialogElement)) return;
  ui.dialog = null;
  schedule();
}, true);

addEventListener("input", (event) => {
  const form = event.target instanceof Element ? event.target.closest("form[data-form]") : null;
  if (form) ACTS[`${form.dataset.form}Changed`]?.(form);
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select")) return;
  if (event.key === "?") ACTS.keys();
  else if (event.key === "Escape" && ui.keys) ui.keys = false;
  else return;
  schedule();
});

// A link of a list to another part of it: scroll and focus stay. Each filter is a step
// of the browser's history; how far back the list goes is none.
function turn(link) {
  const to = link.pathname + link.search;
  const same = link.dataset.older || to === location.pathname + location.search;
  history[same ? "replaceState" : "pushState"](null, "", to);
  render();
}

function go(to) {
  ACTS.close();
  ui.dialog = null;
  history.pushState(null, "", to);
  render();
  scrollTo(0, 0);
  root.querySelector("h1")?.focus({ preventScroll: true });
}

addEventListener("popstate", schedule);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !conn.live && conn.lostAt) socket.again();
  schedule();
});
schedule();
