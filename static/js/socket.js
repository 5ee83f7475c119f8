// The live connection: frames in, and a new connection by itself when one
// ends, sends nothing for too long, or missed something.

import { protocols } from "./api.js";

const FIRST = 500;
const LONGEST = 15_000;
const ANSWER = 5000; // how long an attempt may take
const LOOK = 1000;

/** How long to wait before the nth attempt in a row: doubling, bounded, a half of it by chance. */
export function backoff(failures, random = Math.random) {
  const most = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 10));
  return Math.round(most / 2 + (most / 2) * random());
}

/**
 * Keeps a connection to /ws. `onFrame(frame)` gives every frame in order;
 * `onChange({live, retryAt, failures})` says what became of the connection;
 * `silence()` is how long nothing may arrive (ms).
 */
export function connect({ onFrame, onChange, silence = () => 60_000 }) {
  let socket = null;
  let failures = 0;
  let timer = 0;
  let arrived = 0;
  let renewed = 0;

  const open = () => {
    clearTimeout(timer);
    const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, protocols());
    socket = mine;
    arrived = Date.now();
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
      }
      onFrame(frame);
    };
    mine.onclose = () => {
      if (socket === mine) lost();
    };
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
    /** No more attempts until again() is called. */
    rest() {
      const old = socket;
      socket = null;
      clearTimeout(timer);
      old?.close();
    },
  };
}
