// An incident may go from its diagnosis to its verification within ten
// milliseconds; a person should still see each stage, and see the same stage in
// every place. So it is the frames that wait for their turn: all that the page
// shows is folded from one stream. Pure: the queue is a plain value, and the
// clock comes from the caller.

export const HOLD = 420; // each stage of an incident is shown at least as long: 400 ms, and the frame that draws it
const BEHIND = 2000; // nothing is shown later than this after it came

export function idle() {
  return { waiting: [], shown: new Map() }; // incident id → {stage, since, undrawn}
}

/** One more frame of events, as the steps that it is made of: each begins with an incident's event. */
export function push(queue, frame, now) {
  return { ...queue, waiting: [...queue.waiting, ...steps(frame, now)] };
}

function steps(frame, at) {
  const list = [{ events: [] }];
  for (const event of frame.events ?? []) {
    if (event?.kind === "incident" && event.data?.id) list.push({ ...stage(event.data), events: [] });
    list.at(-1).events.push(event);
  }
  const full = list.filter((step) => step.events.length);
  return (full.length ? full : list).map(({ events, ...step }, i) => ({ ...step, at, frame: { type: "events", seq: frame.seq, events, part: i > 0 || frame.part === true, left_out: i > 0 ? 0 : frame.left_out ?? 0 } }));
}

function stage({ id, state, incident: row }) {
  return { id, stage: [state, row?.phase, row?.held].join(" "), over: state === "resolved" };
}

/** What is to be folded by now: {queue, frames}, in the order in which it came. */
export function take(queue, now) {
  const shown = new Map(queue.shown);
  let n = 0;
  for (; n < queue.waiting.length && ready(queue.waiting[n], shown) <= now; n++) {
    const { id, stage, over } = queue.waiting[n];
    if (over) shown.delete(id);
    else if (id && shown.get(id)?.stage !== stage) shown.set(id, { stage, since: now, undrawn: true });
  }
  return { queue: { waiting: queue.waiting.slice(n), shown }, frames: joined(queue.waiting.slice(0, n)) };
}

/** After a picture was drawn: the stages that it shows first are shown from then on, and not since they were taken. */
export function drawn(queue, now) {
  if (![...queue.shown.values()].some((of) => of.undrawn)) return queue;
  return { ...queue, shown: new Map([...queue.shown].map(([id, of]) => [id, of.undrawn ? { stage: of.stage, since: now } : of])) };
}

/** All of it at once, for a tab that is hidden and before a snapshot. */
export function all(queue) {
  return { queue: idle(), frames: joined(queue.waiting) };
}

// Steps of one frame that are due together are one: each fold copies what it
// changes, and a thousand incidents may come in one frame.
function joined(steps) {
  const frames = [];
  for (const { frame } of steps) {
    const last = frames.at(-1);
    if (last?.seq !== frame.seq) frames.push({ ...frame, events: [...frame.events] });
    else for (const event of frame.events) last.events.push(event);
  }
  return frames;
}

// A stage waits until the one before it had its time, and what came after it waits, too.
function ready({ id, stage, at }, shown) {
  const before = shown.get(id);
  return before && before.stage !== stage ? Math.min(before.since + HOLD, at + BEHIND) : -Infinity;
}

/** When the next step is due, or null. */
export function due(queue) {
  return queue.waiting.length ? ready(queue.waiting[0], queue.shown) : null;
}
