// Below which path the page is served: dashboard.base_path, which the server
// writes into the page. Inside of it an address begins with a single slash.

const BASE = globalThis.document?.documentElement?.dataset?.base ?? "";

/** An address of ours as the browser has to request it; any other stays as it is. */
export function outside(address, base = BASE) {
  return /^\/(?!\/)/.test(address) ? base + address : address;
}

/** The path of a page of ours, whether the browser has it with the base path or without. */
export function inside(path, base = BASE) {
  return base && (path === base || path.startsWith(`${base}/`)) ? path.slice(base.length) || "/" : path;
}
