// The agent may go from DIAGNOSING to VERIFYING within ten milliseconds; a
// person should still see each state. Pure: the queue is a plain value, and
// the clock comes from the caller.

export const HOLD = 400; // each state is shown at least as long
const BEHIND = 2000; // no state is shown later than this after it came
const MOST = BEHIND / HOLD; // so many may wait for their turn

export function idle() {
  return { shown: null, since: 0, waiting: [] };
}

/** One more state of the agent. Other details of the same state need no turn of their own. */
export function push(queue, agent, now) {
  const last = queue.waiting.at(-1);
  if (queue.shown === null) return { shown: agent, since: now, waiting: [] };
  if (last?.agent.state === agent.state) return { ...queue, waiting: queue.waiting.with(-1, { agent, at: last.at }) };
  if (!last && queue.shown.state === agent.state) return { ...queue, shown: agent };
  return { ...queue, waiting: [...queue.waiting, { agent, at: now }].slice(-MOST) };
}

/** The queue at a later instant: the next state, if the one that is shown had its time. */
export function advance(queue, now) {
  if (!queue.waiting.length || now - queue.since < HOLD) return queue;
  const late = queue.waiting.findIndex(({ at }) => now - at <= BEHIND);
  const [next, ...waiting] = queue.waiting.slice(late); // all late: the newest stands
  return { shown: next.agent, since: now, waiting };
}

/** When the next state is due, or null. */
export function due(queue) {
  return queue.waiting.length ? queue.since + HOLD : null;
}
