// The faults that were injected, from the records of their commands on Kafka: who
// did it and when stands in the record, for every page and after a reload. Which
// commands were sent from this browser is kept in it, only so that it says "You".

import { get } from "./api.js";
import { instant } from "./units.js";
import { repaired } from "./words.js";

const KEY = "logstream-commands";
const MOST = 100; // ids

/** The ids of commands that this browser sent, the oldest first. */
export function kept() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** Keeps the id of a command that was sent, and gives all of them. */
export function sent(id) {
  const newest = [...kept().filter((known) => known !== id), id].slice(-MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(newest));
  } catch {
    // without storage the page names the person, and does not say “You”
  }
  return newest;
}

/**
 * The faults that were injected, the oldest first: {id, at, service, fault, by, you,
 * error, undone}. `commands` are records by their id, `own` the ids that this browser
 * sent, `person` who is logged in; `error` is why LogStream did not inject it, `undone`
 * whether it was taken back.
 */
export function injections(commands, { own = [], person = "" } = {}) {
  const list = [];
  const undos = [...commands.values()].filter(({ command, args, result }) => command === "inject" && args?.undo && result?.ok === true);
  for (const { id, time, by, service, command, args, result } of commands.values()) {
    if (command !== "inject" || args?.undo || !args?.fault) continue;
    const error = result && result.ok === false ? String(result.error || "The command failed.") : "";
    const undone = undos.some((undo) => undo.service === service && undo.args.fault === args.fault && instant(undo.time) >= instant(time));
    list.push({ id, at: instant(time), service, fault: args.fault, by, you: own.includes(id) || Boolean(person && by === `operator:${person}`), error, undone });
  }
  return list.filter(({ at }) => Number.isFinite(at)).sort((a, b) => a.at - b.at);
}

const RECENT = 15 * 60e3; // for how long a fault that was injected can be taken back on the page

/**
 * The newest fault of a service that may still be there: it was injected a while ago at
 * most, was not taken back, and no incident that opened since ended by a repair. `list`
 * are injections, `rows` the service's incidents.
 */
export function activeFault(list, service, rows, at) {
  return list.findLast((one) => one.service === service && !one.error && !one.undone && at - one.at < RECENT && !rows.some((row) => instant(row.opened) >= one.at && repaired(row)));
}

/** The result of a command, {ok, error}; null where none came within some ten seconds. */
export async function settled(id, { tries = 50, pause = 200 } = {}) {
  for (let i = 0; i < tries; i++) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const record = await get(`/commands/${encodeURIComponent(id)}`).catch(() => null);
    if (record?.result) return record.result;
  }
  return null;
}
