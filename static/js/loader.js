// Loads from the API what the page that is shown needs, a few calls at a time,
// and again when what is known may be older than the live connection.

import { get, text } from "./api.js";

const AT_ONCE = 4;
const REST = 1000; // between two calls of the same path
const RETRY = 5000; // after a refusal

// What no frame brings is loaded again after a while, while the page is seen:
// long histories, in which a point stands for minutes or more.
const AGES = [["/commands?limit=20", 5e3], ["/info?live", 5e3], ["/container", 5e3], ["?window=6h", 60e3], ["?window=24h", 60e3], ["?window=7d", 600e3], ["?window=30d", 600e3]];
const fresh = (path) => AGES.find(([end]) => path.endsWith(end))?.[1] ?? Infinity;

const isText = (path) => path.split("?")[0].endsWith(".md");

/** `onAnswer(path, value)` and `onRefusal(path, refusal)` get what came. */
export function loader({ onAnswer, onRefusal }) {
  const answers = new Map(); // path → {value, refusal, at}
  const running = new Set();
  const meanwhile = new Set(); // invalidated while they were loaded: the answer may be older than the change
  let wanted = [];
  let since = 0;

  const due = (path, now) => {
    const known = answers.get(path);
    if (!known) return true;
    if (known.refusal) return now - known.at > RETRY && (known.refusal.status !== 404 || known.at < since);
    const aged = !globalThis.document?.hidden && now - known.at > fresh(path);
    return (known.at < since || aged) && now - known.at > REST;
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
      const value = await (isText(path) ? text : get)(path);
      answers.set(path, { value, refusal: null, at });
      onAnswer(path, value);
    } catch (refusal) {
      answers.set(path, { value: refusal.status === 404 ? undefined : before, refusal, at: Date.now() }); // what is gone is not shown as it was
      onRefusal(path, refusal);
    } finally {
      running.delete(path);
      if (meanwhile.delete(path)) invalidate(path);
      next();
    }
  };

  /** What is known of a path may have changed, so it is loaded again; what did not exist may exist now. */
  const invalidate = (path) => {
    if (running.has(path)) meanwhile.add(path);
    const known = answers.get(path);
    if (known?.refusal?.status === 404) answers.delete(path);
    else if (known) answers.set(path, { ...known, at: Math.min(known.at, since - 1) });
  };

  return {
    answers,
    /** These paths are needed now; what was learned before `from` is old. */
    want(paths, from) {
      wanted = paths;
      since = from;
      next();
    },
    invalidate,
    forget() {
      answers.clear();
    },
  };
}
