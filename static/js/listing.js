// The list of incidents: what the address wants of it, the calls that bring it page
// by page, and which of the known incidents it shows. Pure. The filters have the
// API's names, so that the address of a list is a list for everybody.

import { instant } from "./units.js";

/** How many incidents one call brings, and one more press of "Show older". */
export const PAGE = 100;
const PAGES = 50; // that one list may have

const NAMES = ["service", "cause", "state", "decided_by", "q"];

/** What the query of an address wants: {service, cause, state, decided_by, q, pages}. */
export function filters(query) {
  const wanted = Object.fromEntries(NAMES.map((name) => [name, (query.get(name) ?? "").slice(0, 200)]));
  const shown = Number.parseInt(query.get("shown") ?? "", 10);
  return { ...wanted, q: wanted.q.trim(), pages: Math.min(PAGES, Math.max(1, Math.ceil((shown || 0) / PAGE))) };
}

/** The address of a list: these filters, with what is said otherwise. Another filter begins at the newest again. */
export function address(of, more = {}) {
  const wanted = { ...of, pages: 1, ...more };
  const query = new URLSearchParams(NAMES.filter((name) => wanted[name]).map((name) => [name, wanted[name]]));
  if (wanted.pages > 1) query.set("shown", wanted.pages * PAGE);
  return `/incidents${query.size ? `?${query}` : ""}`;
}

/** Whether anything is filtered. */
export const narrowed = (of) => NAMES.some((name) => of[name]);

/**
 * The pages of a list, as far as they are known: {paths: to be loaded, more: whether
 * there are older ones, oldest: when the oldest that was brought was opened (-Infinity
 * where that is the last of all; null before the first answer), brought: the ids of
 * all, refusal}. While a page loads there may be more after it. `answers` are the loader's.
 */
export function paged(of, answers) {
  const query = new URLSearchParams([["limit", PAGE], ...NAMES.filter((name) => of[name]).map((name) => [name, of[name]])]);
  const paths = [];
  const brought = new Set();
  let oldest = null;
  for (let before = ""; paths.length < of.pages;) {
    const path = `/incidents?${query}${before && `&before=${encodeURIComponent(before)}`}`;
    paths.push(path);
    const known = answers.get(path);
    const list = Array.isArray(known?.value) ? known.value : null;
    if (!list) return { paths, more: oldest !== null && !known?.refusal, oldest, brought, refusal: known?.refusal ?? null };
    for (const row of list) brought.add(row.id);
    if (list.length < PAGE) return { paths, more: false, oldest: -Infinity, brought, refusal: null };
    oldest = instant(list.at(-1).opened);
    before = list.at(-1).id;
  }
  return { paths, more: of.pages < PAGES, oldest, brought, refusal: null };
}

/** Whether an incident is wanted: as the API decides it. */
export function matches(row, of) {
  const by = row.decided_by ?? "";
  const text = of.q.toLowerCase();
  return (!of.service || row.service === of.service) && (!of.state || row.state === of.state) && (!of.cause || row.cause_id === of.cause) &&
    (!of.decided_by || by === of.decided_by || by.split(":")[0] === of.decided_by) &&
    (!text || [row.service, row.cause, row.cause_past, row.cause_id, row.error, row.action, row.id].some((said) => String(said ?? "").toLowerCase().includes(text)));
}

/** The incidents of a list, the newest first, without a gap: of those that `paged` did not bring only newer ones. */
export function listed(rows, of, { oldest, brought }) {
  return [...rows].filter((row) => matches(row, of) && (oldest === null || brought.has(row.id) || instant(row.opened) > oldest)).sort((a, b) => instant(b.opened) - instant(a.opened));
}

/** What can be filtered by: {services, causes, deciders}, with what is chosen now. */
export function choices(rows, services, of) {
  const sorted = (values, chosen) => [...new Set([...values, chosen])].filter(Boolean).sort((a, b) => a.localeCompare(b));
  const list = [...rows];
  return {
    services: sorted([...services, ...list.map((row) => row.service)], of.service),
    causes: sorted(list.map((row) => row.cause_id), of.cause),
    deciders: sorted(["runbook", "llm", ...list.map((row) => (row.decided_by ?? "").split(":")[0])], of.decided_by),
  };
}
