// Loads from the API what the page that is shown needs, a few calls at a time,
// and again when what is known may be older than the live connection.

import { get } from "./api.js";

const AT_ONCE = 4;
const REST = 1000; // between two calls of the same path
const RETRY = 5000; // after a refusal

// What no frame brings is loaded again after a while: long histories, in which
// a point stands for minutes or more.
const AGES = [["?window=6h", 60e3], ["?window=24h", 60e3], ["?window=7d", 600e3], ["?window=30d", 600e3]];
const fresh = (path) => AGES.find(([end]) => path.endsWith(end))?.[1] ?? Infinity;

/** `onAnswer(path, value)` and `onRefusal(path, refusal)` get what came. */
export function loader({ onAnswer, onRefusal }) {
  const answers = new Map(); // path → {value, refusal, at}
  const running = new Set();
  let wanted = [];
  let since = 0;

  const due = (path, now) => {
    const known = answers.get(path);
    if (!known) return true;
    if (known.refusal) return now - known.at > RETRY && known.refusal.status !== 404;
    return (known.at < since || now - known.at > fresh(path)) && now - known.at > REST;
  };

  const next = () => {
    const now = Date.now();
    for (const path of wanted) {
      if (running.size >= AT_ONCE) return;
      if (running.has(path) || !due(path, now)) continue;
      running.add(path);
      load(path);
    }
  };

  const load = async (path) => {
    const before = answers.get(path)?.value;
    const at = Date.now();
    try {
      const value = await get(path);
      answers.set(path, { value, refusal: null, at });
      onAnswer(path, value);
    } catch (refusal) {
      answers.set(path, { value: before, refusal, at: Date.now() });
      onRefusal(path, refusal);
    } finally {
      running.delete(path);
      next();
    }
  };

  return {
    answers,
    /** These paths are needed now; what was learned before `from` is old. */
    want(paths, from) {
      wanted = paths;
      since = from;
      next();
    },
    /** What is known of a path may have changed. */
    touch(path) {
      const known = answers.get(path);
      if (known) answers.set(path, { ...known, at: Math.min(known.at, since - 1) });
    },
    forget() {
      answers.clear();
    },
  };
}
