// What is spared where a fleet is large: observations that no place shows,
// pictures that follow each other faster than they are read, and memory.

import { DENSE } from "./fleet.js";
import { incident } from "./incident.js";
import { MOST } from "./socket.js";
import { ownInstance, ownRecords } from "./store.js";

export const APART = 250; // pictures are at least so far apart where no person acts (ms)
const AGAIN = 60_000; // histories of what is in view are loaded again after that
const TIDY = 10_000; // records that nothing needs are forgotten so often

export const isLarge = (state) => state.services.size >= DENSE;

/**
 * The services whose observations a page needs, or null for all: of a large fleet
 * those in view, and those of open incidents. `name` is a service that the page is
 * about, `shown` are the rows in view, `about` the open incidents' services, the
 * most important first.
 */
export function needed(state, { name = "", shown = [], about = [] }) {
  if (!isLarge(state)) return null;
  return [...new Set([name, ...shown, ...about].filter((one) => state.services.has(one)))].slice(0, MOST);
}

/** The address of a service's last hour, and of the service. */
export const paths = (name) => [`/services/${encodeURIComponent(name)}/history?window=1h`, `/services/${encodeURIComponent(name)}`];

/**
 * Forgets with `trim`, now and then, what a large fleet's page does not need: gives the
 * state, and which services' history is to be loaded again. `subject` is the service that
 * the page is about.
 */
export function upkeep(trim) {
  let loaded = 0;
  let tidied = 0;
  return (state, names, now, subject) => {
    if (!names) return { state, old: [] };
    const again = now - loaded >= AGAIN;
    if (again) loaded = now;
    const tidy = now - tidied >= TIDY;
    if (tidy) tidied = now;
    return { state: tidy ? trim(state, names, now, subject) : state, old: again ? names : [] };
  };
}

/**
 * The incidents that are drawn whole, by id: the open ones, and those whose events are
 * known. One is made anew only where something of it changed.
 */
export function whole() {
  let made = new Map();
  return (state) => {
    const next = new Map();
    for (const row of state.incidents.values()) {
      const events = state.events.get(row.id) ?? [];
      if (!events.length && row.state === "resolved") continue;
      const of = [row, events.length && events, state.thinking.get(row.id), ...(row.attempts === 0 ? [] : [state.health.get(row.service), ownInstance(state, row.service)])]; // checks say when a service was back after an attempt
      const known = made.get(row.id);
      const same = known?.of.length === of.length && of.every((part, i) => part === known.of[i]);
      next.set(row.id, same ? known : { of, one: incident(row, events, of[2], row.attempts === 0 ? [] : ownRecords(state, row.service)) });
    }
    made = next;
    return new Map([...next].map(([id, { one }]) => [id, one]));
  };
}
