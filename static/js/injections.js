// The faults that the visitor injected on this page, kept for this tab: so that
// "You stopped payment-service" stands beside what the healer did.

import { get, post } from "./api.js";

const KEY = "logstream-injections";
const MOST = 20;

export function kept() {
  try {
    const list = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/** Keeps the newest of them, and gives those. */
export function keep(injections) {
  const newest = injections.slice(-MOST);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(newest));
  } catch {
    // a window that keeps nothing forgets at the next load
  }
  return newest;
}

/** Requests a fault; gives the injection once the command is on Kafka. */
export async function inject(service, fault, at) {
  const answer = await post(`/services/${encodeURIComponent(service)}/chaos`, { fault });
  return { id: String(answer?.command ?? `${service}-${fault}-${at}`), at, service, fault, error: "" };
}

/** What became of a command: the error of its result, or "" where it was carried out or no result came. */
export async function outcome(id, { tries = 20, pause = 500 } = {}) {
  for (let i = 0; i < tries; i++) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const record = await get(`/commands/${encodeURIComponent(id)}`).catch(() => null);
    if (record?.result) return record.result.ok === false ? String(record.result.error || "The command failed.") : "";
  }
  return "";
}
