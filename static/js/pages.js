// Which page is at an address, and the code of each. That of the overview is there from
// the start; that of another page is loaded when it is opened, or before, while the
// browser has nothing else to do.

import { inside } from "./base.js";

/** The pages whose code is loaded on its own, by name. */
export const CODE = {
  access: () => import("./pages/access.js"),
  add: () => import("./pages/add.js"),
  approvals: () => import("./pages/approvals.js"),
  incident: () => import("./pages/incident.js"),
  incidents: () => import("./pages/incidents.js"),
  service: () => import("./pages/service.js"),
  system: () => import("./pages/system.js"),
};

const ADDRESSES = [["approvals", /^\/approvals\/?$/], ["add", /^\/add\/?$/], ["incidents", /^\/incidents\/?$/], ["incident", /^\/incidents\/([^/]+)\/?$/], ["service", /^\/services\/([^/]+)\/?$/], ["system", /^\/system\/?$/]];

/** The page at a path, and the incident or service that it is about: {page, subject}. */
export function routed(path) {
  for (const [page, pattern] of ADDRESSES) {
    const found = pattern.exec(inside(path));
    if (found) return { page, subject: found[1] ? safeDecode(found[1]) : "" };
  }
  return { page: "overview", subject: "" };
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Has the code of the page at a path requested, before there is anything to draw it. */
export function request(path) {
  CODE[routed(path).page]?.().catch(() => {}); // library() says so, where it fails
}

const quiet = () => new Promise((resolve) => (globalThis.requestIdleCallback ? requestIdleCallback(resolve, { timeout: 2000 }) : setTimeout(resolve, 200)));

/**
 * The code of the pages. `onChange` is called when that of a page came, or could not be
 * loaded. `answers` says whether LogStream itself answers, and `reload` loads the whole
 * page again: a browser does not request code again that it could not load, and after an
 * update of LogStream what is requested is the code of another version.
 */
export function library({ code = CODE, onChange, answers = served, reload = reloaded, idle = quiet }) {
  const known = new Map(); // page → {code}, {failed}, or {} while it is loaded

  const load = async (page, wanted) => {
    known.set(page, {});
    try {
      known.set(page, { code: await code[page]() });
    } catch {
      if (await answers() && reload(wanted)) return;
      known.set(page, { failed: true });
    }
    onChange();
  };

  return {
    /** The code of a page, null while it is loaded, undefined where it could not be. */
    of(page) {
      if (!known.has(page)) load(page);
      const { code, failed } = known.get(page);
      return failed ? undefined : code ?? null;
    },
    /** What could not be loaded is tried again; `wanted` says that a person wants that. */
    again(wanted = false) {
      for (const [page, { failed }] of known) if (failed) load(page, wanted);
    },
    /** Loads what is not there yet, one page after the other. One that fails is loaded when it is opened. */
    async ahead() {
      for (const page of Object.keys(code)) {
        await idle();
        if (known.has(page)) continue;
        await code[page]().then((loaded) => known.has(page) || known.set(page, { code: loaded }), () => {});
      }
    },
  };
}

/**
 * Whether the page that is open would be served now. A proxy answers for a LogStream that
 * restarts: 502, or 404 where it finds it by its container. A browser would show that.
 */
export async function served() {
  try {
    return (await fetch(location.href, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}

const KEY = "reloaded";
const SOON = 30_000; // ms: code that could not be loaded so short a time ago either is not there

function reloaded(wanted) {
  try {
    if (!wanted && Date.now() - Number(sessionStorage.getItem(KEY) ?? 0) < SOON) return false;
    sessionStorage.setItem(KEY, String(Date.now()));
  } catch {
    if (!wanted) return false; // nothing is kept here, so it would be tried for ever
  }
  location.reload();
  return true;
}
