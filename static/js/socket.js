// The live connection: frames in, and a new connection by itself when one
// ends, is silent for too long, or missed something.

import { protocols } from "./api.js";

const FIRST = 500;
const LONGEST = 15_000;

/** How long to wait before the nth attempt in a row: doubling, bounded, a half of it by chance. */
export function backoff(failures, random = Math.random) {
  const most = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 10));
  return Math.round(most / 2 + (most / 2) * random());
}

/**
 * Keeps a connection to /ws. `onFrame(frame)` gives every frame in order;
 * `onChange({live, retryAt, failures})` says what became of the connection;
 * `silence()` is how long nothing may be heard (ms).
 */
export function connect({ onFrame, onChange, silence = () => 60_000 }) {
  let socket = null;
  let failures = 0;
  let timer = 0;
  let heard = 0;
  let renewed = 0;

  const open = () => {
    clearTimeout(timer);
    const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, protocols());
    socket = mine;
    heard = Date.now();
    mine.onmessage = (message) => {
      if (socket !== mine) return;
      heard = Date.now();
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

  // Drops the connection, if there is one, and makes a new one: at once, but
  // never twice within a second.
  const again = () => {
    const old = socket;
    socket = null;
    old?.close();
    const soon = Date.now() - renewed < 1000;
    renewed = Date.now();
    if (soon) lost();
    else open();
  };

  setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN && Date.now() - heard > silence()) again();
  }, 5000);
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
