// The live end of one container's output: read each second from where the last answer
// ended, and not while it is paused or its page is hidden. Only the newest lines are kept.

import { get } from "./api.js";
import { level, message } from "./log.js";
import { instant } from "./units.js";

const EACH = 1000;
const AFTER_REFUSAL = 5000;
const MOST = 500; // lines
const FIRST = 200;

/** `changed` is called when there is something new to show. */
export function tail(changed) {
  let state = emptyTail("");
  let timer = 0;
  let asking = 0; // the number of the newest request
  let running = false;

  const ask = async () => {
    const turn = ++asking;
    timer = 0; // the timer that called this is over
    running = true;
    const of = state;
    let rest = EACH;
    try {
      const answer = await get(`/services/${encodeURIComponent(of.name)}/logs?tail=${of.cursor ? 1000 : FIRST}${of.cursor ? `&after=${encodeURIComponent(of.cursor)}` : ""}`);
      if (turn !== asking) return;
      if (answer) take(answer);
    } catch (refusal) {
      if (turn !== asking) return;
      rest = AFTER_REFUSAL;
      state = { ...state, refusal };
      changed();
    }
    running = false;
    timer = setTimeout(ask, rest);
  };

  const take = (answer) => {
    const before = state;
    const fresh = (answer.lines ?? []).map((line, i) => read(line, before.next + i));
    if (fresh.length && answer.gap && before.lines.length) fresh[0] = { ...fresh[0], gap: true };
    if (before.loaded && !before.refusal && !fresh.length) return;
    state = { ...before, loaded: true, refusal: null, cursor: answer.cursor ?? before.cursor, next: before.next + fresh.length, lines: [...before.lines, ...fresh].slice(-MOST) };
    changed();
  };

  const stop = () => {
    clearTimeout(timer);
    asking++;
    running = false;
    timer = 0;
  };

  return {
    get state() {
      return state;
    },
    /** Follows the log of this service, or of none; called with each render. */
    follow(name) {
      if (name && name !== state.name) {
        stop();
        state = emptyTail(name);
      }
      if (!name || state.paused || document.hidden) return stop();
      if (running || timer) return;
      ask();
    },
    pause() {
      state = { ...state, paused: !state.paused };
    },
    show(what) {
      state = { ...state, show: what };
    },
    search(text) {
      state = { ...state, text };
    },
  };
}

/** The state of a log before the first answer. */
export function emptyTail(name) {
  return { name, lines: [], next: 0, cursor: "", loaded: false, refusal: null, paused: false, show: "all", text: "" };
}

/** A line of the API as it is shown. */
export function read({ time, text = "" }, id) {
  return { id, at: instant(time), text: String(text), level: level(String(text)), said: message(String(text)), gap: false };
}
