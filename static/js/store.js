// What the page knows: a pure fold of the frames of /ws and the answers of
// the API. Every function takes a state and gives the next one; none reads a
// clock or touches the document.

import { insert, whole } from "./incident.js";
import { instant } from "./units.js";
import { isOfEngine } from "./vocabulary.js";

const KEPT = 60 * 60 * 1000; // how much of the live stream is kept, the span of the cards
const MOST = 2000; // records a service
const RATE = 10 * 1000; // over which checks a second are counted

export function empty() {
  return {
    seq: null, // of the newest frame; null before the first
    since: 0, // when the connection's snapshot came
    at: 0, // when the newest frame came
    services: new Map(), // name → an object of GET /services, and when it was `received`
    twice: new Map(), // name → another host that has a service of that name, which is not shown
    incidents: new Map(), // id → an object of GET /incidents
    events: new Map(), // incident id → its events, in order
    unsure: new Set(), // incidents of which events may have been missed
    agent: null,
    info: null,
    infoAt: 0, // when its uptime was sent
    health: new Map(), // service → its newest health records, the oldest first
    thinking: new Map(), // incident id → what a model writes about it: {text, done, since, model, limit}; since is NaN where its beginning was missed, limit is the milliseconds that it has
    details: new Map(), // service → an object of GET /services/{name}
    history: new Map(), // service → points of the last hour
    commands: new Map(), // id → a command of GET /commands, with its result once there is one
    chaos: [], // faults that may be injected: [{fault, undo, services}]
    arrivals: [], // when the latest checks came: [at, how many]
    skew: null, // how far the server's clock is ahead of ours, at least
  };
}

/**
 * Folds one frame, or the next part of one. `gap` says that something was missed,
 * and a new snapshot is needed.
 */
export function fold(state, frame, now) {
  if (frame?.type === "snapshot") return { state: snapshot(state, frame, now), gap: false };
  if (frame?.type !== "events") return { state, gap: false };
  if (state.seq === null || frame.seq !== (frame.part ? state.seq : state.seq + 1)) return { state, gap: true };
  const next = { ...state, seq: frame.seq, at: now };
  const own = copies(next);
  arrived(next, frame.left_out ?? 0, now);
  for (const event of frame.events ?? []) if (event?.data) apply(next, event, now, own);
  return { state: next, gap: false };
}

// own(name) is the map of that name in next, which may be changed: it is copied once a
// frame, however many events the frame has.
function copies(next) {
  const own = new Set();
  return (name) => {
    if (!own.has(name)) next[name] = new Map(next[name]);
    own.add(name);
    return next[name];
  };
}

function snapshot(state, frame, now) {
  const [services, twice, host] = [new Map(), new Map(), (frame.info ?? state.info)?.host];
  for (const service of frame.services ?? []) put(services, twice, service, host, now);
  const incidents = new Map((frame.incidents ?? []).map((row) => [row.id, { ...state.incidents.get(row.id), ...row }]));
  const known = (map, of) => new Map([...map].filter(([key]) => of.has(key)));
  return {
    ...state,
    seq: frame.seq, since: now, at: now, services, twice, incidents,
    events: new Map([...state.events].filter(([id]) => incidents.has(id))),
    unsure: new Set([...state.events.keys()].filter((id) => state.incidents.get(id)?.state !== "resolved")),
    agent: frame.agent ?? null, info: frame.info ?? state.info, infoAt: frame.info ? now : state.infoAt,
    health: known(state.health, services), thinking: thoughts(known(state.thinking, incidents), frame, now),
    details: known(state.details, services), history: known(state.history, services), arrivals: [],
    skew: null, // a clock that was set since is measured anew
  };
}

// Of services of one name on several hosts that of our own host is shown, else the first.
function put(services, twice, service, host, now) {
  const there = services.get(service.name);
  const other = there !== undefined && there.host !== service.host;
  if (other) twice.set(service.name, service.host === host ? there.host : service.host);
  if (!other || service.host === host) services.set(service.name, { ...service, received: now });
}

function apply(next, { kind, data }, now, own) {
  switch (kind) {
    case "health":
      return observed(next, data, now, own);
    case "service":
      if (data.removed || data.status === null) own("services").delete(data.name);
      else put(own("services"), own("twice"), data, next.info?.host, now);
      return;
    case "incident":
      return happened(next, data, own);
    case "incident_summary":
      own("incidents").set(data.id, { ...next.incidents.get(data.id), ...data });
      return;
    case "command":
      next.commands = commanded(next.commands, [data]);
      return;
    case "agent":
      next.agent = { ...next.agent, ...data };
      return;
    case "thinking":
      own("thinking").set(data.incident, thought(next.thinking.get(data.incident), data, next.info, now));
      return;
    case "info":
      next.info = { ...next.info, ...data };
      if (Number.isFinite(data.uptime_s)) next.infoAt = now;
      return;
    default:
  }
}

// The first piece of a question is empty: from there on it is a new one. Some
// pieces may be all that a page receives that came later.
function thought(before, { text = "", done = false, time }, info, now) {
  const begun = { text: "", done: false, since: instant(time) || now, model: info?.llm?.model ?? "", limit: (info?.llm?.timeout_s ?? NaN) * 1000 };
  if (text === "" && done !== true) return begun;
  const going = before && !before.done ? before : { ...begun, since: NaN };
  return { ...going, text: going.text + text, done: done === true };
}

// Which models are queried at the moment of a snapshot: no other query goes on.
function thoughts(known, { thinking, info }, now) {
  if (!Array.isArray(thinking)) return known;
  const ended = [...known].map(([id, thought]) => [id, { ...thought, done: true }]);
  return new Map([...ended, ...thinking.map(({ incident, text, since }) => [incident, { ...thought(null, { time: since }, info, now), text }])]);
}

// Counts checks: those whose observation came, and those left out because no service in
// view has them.
function arrived(next, n, now) {
  if (!n) return;
  const kept = next.arrivals.filter(([at]) => now - at < RATE);
  const same = kept.at(-1)?.[0] === now ? kept.pop()[1] : 0;
  next.arrivals = [...kept, [now, same + n]];
}

function observed(next, record, now, own) {
  if (next.health.get(record.service)?.slice(-AHEAD).some((known) => same(known, record))) return; // known already: the service came into view again, or an answer of the API was ahead
  if (!isOfEngine(record)) arrived(next, 1, now);
  own("health").set(record.service, [...recent(next.health.get(record.service) ?? [], now), { ...record, received: now }]);
  if (record.instance && record.instance === next.info?.instance) {
    const ahead = instant(record.timestamp) + (record.latency_ms ?? 0) - now;
    if (next.skew === null || ahead > next.skew) next.skew = ahead;
  }
}

const AHEAD = 50; // records that are compared: an answer of the API may be so far ahead of the frames
const same = (a, b) => a.check === b.check && a.instance === b.instance && instant(a.timestamp) === instant(b.timestamp);

// The records of a service to keep when one more comes, in the order in which they came.
function recent(list, now) {
  let old = Math.max(0, list.length + 1 - MOST);
  while (old < list.length && now - list[old].received >= KEPT) old++;
  return old ? list.slice(old) : list;
}

// An event brings the incident's row as it is from then on. An answer of the API
// may have been ahead of it.
function happened(next, { incident: row, ...event }, own) {
  const before = next.events.get(event.id) ?? [];
  const known = next.incidents.get(event.id);
  const late = known && before.length > 0 && before.at(-1).seq >= event.seq;
  own("incidents").set(event.id, late ? { ...known } : { id: event.id, service: event.service, ...known, state: event.state, ...row });
  own("events").set(event.id, insert(before, event));
}

/** An answer of GET /incidents/{id}. */
export function learnIncident(state, detail) {
  const { events = [], ...row } = detail;
  const all = events.reduce(insert, state.events.get(detail.id) ?? []);
  const live = all.length > events.length ? state.incidents.get(detail.id) : null; // what came meanwhile is newer
  const unsure = new Set([...state.unsure].filter((id) => id !== detail.id));
  return { ...state, unsure, incidents: new Map(state.incidents).set(detail.id, { ...row, ...live }), events: new Map(state.events).set(detail.id, all) };
}

/**
 * An answer of GET /incidents. Of what is open it may be ahead of the frames, which show
 * each stage for a while: what they brought stays, and what they have not brought, they bring. Before the first frame there is only the answer.
 */
export function learnIncidents(state, rows) {
  const incidents = new Map(state.incidents);
  for (const row of rows) {
    const known = incidents.get(row.id);
    if (state.seq !== null && known && known.state !== "resolved") incidents.set(row.id, { ...row, ...known });
    else if (state.seq === null || row.state === "resolved") incidents.set(row.id, { ...known, ...row });
  }
  return { ...state, incidents };
}

/** An answer of GET /services/{name}: its last observations fill what the frames did not bring, each at its time. */
export function learnService(state, detail) {
  const live = state.health.get(detail.name) ?? [];
  const id = (record) => JSON.stringify([instant(record.timestamp), record.check, record.instance]);
  const came = new Set(live.map(id));
  const missed = (detail.observations ?? [])
    .filter((record) => !came.has(id(record)))
    .sort((a, b) => instant(a.timestamp) - instant(b.timestamp))
    .map((record) => ({ ...record, received: instant(record.timestamp) }));
  const all = [];
  for (const record of live) {
    while (missed.length && instant(missed[0].timestamp) < instant(record.timestamp)) all.push(missed.shift());
    all.push(record);
  }
  all.push(...missed);
  return { ...state, details: new Map(state.details).set(detail.name, detail), health: new Map(state.health).set(detail.name, all.slice(-MOST)) };
}

/** An answer of GET /services/{name}/history?window=1h. */
export function learnHistory(state, name, answer) {
  return { ...state, history: new Map(state.history).set(name, answer?.points ?? []) };
}

const SHORT = 3 * 60 * 1000; // how long records of a large fleet are kept: its histories are loaded again each minute

/**
 * Forgets records of a large fleet: old ones, and of services that are not in `names` all
 * but the newest. Those of the service that the page is about, `subject`, stay.
 */
export function trim(state, names, now, subject = "") {
  const needed = new Set(names);
  const health = new Map();
  for (const [name, list] of state.health) health.set(name, name === subject ? list : needed.has(name) ? list.filter((record, i) => i + 3 >= list.length || now - record.received < SHORT) : list.slice(-3));
  return { ...state, health };
}

const COMMANDS = 200; // at most

// Adds records of commands, and keeps the newest. A result that is known stays.
function commanded(known, records) {
  const all = new Map(known);
  for (const record of records) if (record?.id) all.set(record.id, { ...record, result: record.result ?? all.get(record.id)?.result ?? null });
  return new Map([...all].sort(([, a], [, b]) => instant(a.time) - instant(b.time)).slice(-COMMANDS));
}

/** An answer of GET /commands. */
export function learnCommands(state, list) {
  return Array.isArray(list) ? { ...state, commands: commanded(state.commands, list) } : state;
}

/** An answer of GET /chaos: faults that may be injected. */
export function learnChaos(state, list) {
  return { ...state, chaos: Array.isArray(list) ? list : [] };
}

/** The faults that a service allows, in the order of the API. */
export function faultsOf(state, service) {
  return state.chaos.filter((entry) => (entry.services ?? []).includes(service));
}

/** The server's clock, by ours: clocks within two seconds count as one. */
export function clock(state, now) {
  return state.skew !== null && Math.abs(state.skew) > 2000 ? now + state.skew : now;
}

/**
 * Since when nothing more is known because Kafka is unreachable, by our clock;
 * 0 while it is reachable, and where nothing was known before.
 */
export function staleSince(state) {
  const problem = state.info?.bus?.ok === false && (state.info.troubles ?? []).find(({ part }) => part === "bus");
  const known = [...state.services.values()].some((service) => service.status !== "PENDING");
  const since = problem && known ? instant(problem.since) : NaN;
  return Number.isFinite(since) ? since - clock(state, 0) : 0;
}

/** The services, in the order of the configuration; those of other ones after them, by name. */
export function inOrder(services) {
  const place = (service) => service.order || Infinity;
  return [...services].sort((a, b) => (place(a) === place(b) ? a.name.localeCompare(b.name) : place(a) - place(b)));
}

/**
 * How long a page may receive nothing (ms). Any check is a frame, so it is three
 * intervals of the busiest service; a job that reports by itself promises none.
 */
export function silence(services) {
  const seconds = [...services].filter((service) => service.interval_s > 0 && !service.url?.startsWith("push:")).map((service) => service.interval_s);
  return 3000 * Math.max(4, seconds.length ? Math.min(...seconds) : 20);
}

/**
 * Checks a second over the last ten seconds, or null while that is not known: in the
 * first seconds, and where checks are rarer than that. 0 says that none come.
 */
export function rate(state, now) {
  const span = Math.min(now - state.since, RATE);
  if (span < 3000) return null;
  const seen = state.arrivals.reduce((all, [at, n]) => all + (now - at < span ? n : 0), 0) / (span / 1000);
  return seen > 0 || now - Math.max(state.since, state.arrivals.at(-1)?.[0] ?? 0) > silence(state.services.values()) ? seen : null;
}

/** Incidents whose events are needed and not known: open, or ended a moment ago. */
export function missingEvents(state, now, moment = 60 * 1000) {
  return [...state.incidents.values()]
    .filter((row) => row.state !== "resolved" || now - instant(row.resolved) < moment || state.unsure.has(row.id))
    .filter((row) => state.unsure.has(row.id) || !whole(state.events.get(row.id) ?? []))
    .map((row) => row.id);
}

/** Whose checks are a service's own: its owner's, ours, or undefined where there are none of either. */
export function ownInstance(state, name) {
  const records = state.health.get(name) ?? [];
  return [state.services.get(name)?.owner, state.info?.instance].find((instance) => instance && records.some((record) => record.instance === instance));
}

/** The records of a service's own check, and of its container, the oldest first. */
export function ownRecords(state, name) {
  const instance = ownInstance(state, name);
  return (state.health.get(name) ?? []).filter((record) => !instance || !record.instance || record.instance === instance);
}

/** The newest record of a service's own check. */
export function newestCheck(state, name) {
  const instance = ownInstance(state, name);
  return (state.health.get(name) ?? []).findLast((record) => !isOfEngine(record) && (!instance || record.instance === instance)) ?? null;
}
