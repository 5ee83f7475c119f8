// The live connection: frames in, and a new connection by itself when one
// ends, sends nothing for too long, or missed something.

import { protocols } from "./api.js";
import { outside } from "./base.js";

const FIRST = 500;
const LONGEST = 15_000;
const ANSWER = 5000; // how long an attempt may take
const LOOK = 1000;
const SETTLE = 250; // a change of what is watched is sent no sooner after the last one (ms)
export const MOST = 200; // names that the server takes

/** How long to wait before the nth attempt in a row: doubling, bounded, a half of it by chance. */
export function backoff(failures, random = Math.random) {
  const most = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 10));
  return Math.round(most / 2 + (most / 2) * random());
}

/**
 * What a page watches: names, or null for all, which is what a new connection begins
 * with. One change at a time is sent with `send(text)`, which says whether it was; the
 * next one follows its answer. `onMissed` is as in connect().
 */
export function watcher({ send, onMissed }) {
  let wanted = null; // a Set, or null: all
  let inForce = null;
  let asked; // what the server has not answered yet; undefined: nothing
  const ask = () => {
    if (asked !== undefined || same(wanted, inForce)) return;
    if (send(JSON.stringify({ type: "watch", services: wanted && [...wanted] }))) asked = wanted;
  };
  return {
    ask,
    want(names) {
      wanted = names && names.length <= MOST ? new Set(names) : null;
    },
    begin() {
      inForce = null;
      asked = undefined;
      ask();
    },
    answered() {
      if (asked === undefined) return;
      const before = inForce;
      const now = asked;
      inForce = asked;
      asked = undefined;
      if (before) onMissed((name) => !before.has(name) && (!now || now.has(name)));
    },
  };
}

function same(a, b) {
  return a === b || Boolean(a && b && a.size === b.size && [...a].every((name) => b.has(name)));
}

const dial = () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${outside("/ws")}`, protocols());

let early = null; // {socket, came: what it received}: made before there was anything to take its frames

/** Makes the first connection, whose frames wait for connect(). */
export function begin() {
  const socket = dial();
  early = { socket, came: [] };
  socket.onmessage = (message) => early.came.push(message);
}

// The connection that begin() made, which may have ended since, and what it received; after that a new one.
function begun() {
  const of = early ?? { socket: dial(), came: [] };
  early = null;
  return of;
}

/**
 * Keeps a connection to /ws. `onFrame(frame)` gives every frame in order;
 * `onChange({live, retryAt, failures})` says what became of the connection;
 * `silence()` is how long nothing may arrive (ms).
 *
 * `watch(names)` says which services' observations are needed: those in view, of which
 * others are left out where there are more services than fit on a screen. With null, or
 * more than MOST names, all come. It may be called with every render. Once what is
 * watched is in force, `onMissed(missed)` gets a function: missed(name) says whether
 * observations of a service that is watched now may have been missed, so that
 * its history is to be loaded again; the newest one has come.
 */
export function connect({ onFrame, onChange, silence = () => 60_000, onMissed = () => {} }) {
  let socket = null;
  let failures = 0;
  let timer = 0;
  let arrived = 0;
  let renewed = 0;
  let settling = 0;
  let whole = false; // this connection's first snapshot came
  const watched = watcher({
    onMissed,
    send(text) {
      if (!whole || socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(text);
      return true;
    },
  });

  const open = () => {
    clearTimeout(timer);
    const { socket: mine, came } = begun();
    socket = mine;
    arrived = Date.now();
    whole = false;
    if (mine.readyState > WebSocket.OPEN) return lost(); // refused before this code ran: another attempt at once would count, too
    mine.onmessage = (message) => {
      if (socket !== mine) return;
      arrived = Date.now();
      let frame;
      try {
        frame = JSON.parse(message.data);
      } catch {
        return again();
      }
      if (frame?.type === "snapshot") {
        failures = 0;
        onChange({ live: true, retryAt: 0, failures });
        const first = !whole; // a later snapshot does not change what is watched
        whole = true;
        if (first) watched.begin();
      }
      onFrame(frame);
      if (frame?.watching !== undefined) watched.answered();
    };
    mine.onclose = () => {
      if (socket === mine) lost();
    };
    if (came.length) queueMicrotask(() => came.forEach((message) => mine.onmessage(message))); // once the page is ready for them
  };

  const lost = () => {
    socket = null;
    const wait = backoff(failures++);
    onChange({ live: false, retryAt: Date.now() + wait, failures });
    timer = setTimeout(open, wait);
  };

  const drop = () => {
    const old = socket;
    socket = null;
    old.close();
    lost();
  };

  // Drops the connection, if there is one, and makes a new one: at once, but
  // never twice within a second.
  const again = () => {
    const old = socket;
    socket = null;
    old?.close();
    const soon = Date.now() - renewed < 1000;
    renewed = Date.now();
    if (soon) return lost();
    onChange({ live: false, retryAt: renewed, failures });
    open();
  };

  // A frozen server keeps its connections, and takes new ones that it never answers.
  setInterval(() => {
    const quiet = Date.now() - arrived;
    if (socket?.readyState === WebSocket.OPEN && quiet > silence()) again();
    else if (socket?.readyState === WebSocket.CONNECTING && quiet > ANSWER) drop();
  }, LOOK);
  open();
  return {
    again,
    watch(names) {
      watched.want(names);
      if (settling) return;
      watched.ask();
      settling = setTimeout(() => {
        settling = 0;
        watched.ask();
      }, SETTLE);
    },
    /** No more attempts until again() is called. */
    rest() {
      const old = socket;
      socket = null;
      clearTimeout(timer);
      old?.close();
    },
  };
}
