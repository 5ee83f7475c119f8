// The way to /api/v1. A token, where one is needed, is kept for this tab only.

import { outside } from "./base.js";

const KEY = "logstream-token";

export function token() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export function keepToken(value) {
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // a window that keeps nothing needs the token again at the next load
  }
}

/**
 * An answer that is not a good one: its status (0: none came) and the sentence of
 * the API. `login` is the page where people log in, where there is one.
 */
export class Refusal extends Error {
  constructor(status, message, login = "") {
    super(message);
    this.status = status;
    this.login = login;
  }
}

export function get(path) {
  return call(path, {});
}

/** An answer that is text, not JSON. */
export function text(path) {
  return call(path, {}, (answer) => answer.text());
}

/** `patience` is how long the answer may take (ms). */
export function post(path, body, patience) {
  return call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), patience });
}

export function remove(path) {
  return call(path, { method: "DELETE", headers: { "Content-Type": "application/json" } });
}

/** Any call that changes something: method, path and body. */
export function send(method, path, body) {
  return method === "DELETE" ? remove(path) : post(path, body);
}

async function call(path, { patience = 10_000, ...options }, read = (answer) => answer.json()) {
  const key = token();
  const headers = key ? { ...options.headers, Authorization: `Bearer ${key}` } : options.headers;
  let answer;
  try {
    answer = await fetch(outside(`/api/v1${path}`), { ...options, headers, cache: "no-store", signal: AbortSignal.timeout(patience) });
  } catch {
    throw new Refusal(0, "LogStream did not answer.");
  }
  if (answer.ok) return read(answer).catch(() => null);
  const body = await answer.json().catch(() => null);
  throw new Refusal(answer.status, typeof body?.error === "string" ? body.error : `It answered ${answer.status}.`, typeof body?.login === "string" ? body.login : "");
}

/** The protocols of /ws: a browser can send a token no other way. */
export function protocols() {
  const key = token();
  if (!key) return undefined;
  const bytes = String.fromCharCode(...new TextEncoder().encode(key));
  return ["logstream", `token.${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`];
}
