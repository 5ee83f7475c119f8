// Incidents as the log tells them, for the tests.

export const T = Date.UTC(2026, 10, 24, 14, 2, 51);
export const at = (ms) => new Date(T + ms).toISOString();

/** Events from [ms, type, by, data] of one incident of payment-service. */
export function tape(...list) {
  return list.map(([ms, type, by, data], i) => ({ id: "i1", seq: i + 1, time: at(ms), service: "payment-service", type, by, data, instance: "box" }));
}

export const opened = [1000, "opened", "logstream", { error: "connection refused", check: "http", instance: "box", first_bad: at(0), kind: "service" }];
export const evidence = [1010, "evidence", "logstream", { facts: [{ key: "state", value: "exited (0)", decisive: true, why: "It does not run." }, { key: "events", value: "kill(15) → die → stop", decisive: true }, { key: "image", value: "shop:1", decisive: false }], logs: [] }];
export const diagnosed = [1014, "diagnosed", "runbook", { cause: "Its container was stopped from outside.", action: "start", target: "payment-service", confidence: 0.97, command: "docker start payment-service", legal: [{ letter: "A", action: "start", why: "starting it loses nothing" }, { letter: "B", action: "escalate", why: "a person looks at it" }], not_offered: [{ action: "restart", why: "it does not run: starting it is enough" }], runbook: { cause: "Its container was stopped from outside.", action: "start", confidence: 0.97, why: "starting it loses nothing" } }];
/** A diagnosis before which a model was asked: by whom, and what differs from `diagnosed`. */
export const consulted = (by, more = {}) => [7114, "diagnosed", by, { ...diagnosed[3], prompt: "Service: payment-service", ...more }];
export const opinion = (action, more = {}) => ({ cause: "Somebody stopped it.", action, confidence: 0.9, why: "the facts say so", ...more });
export const started = [2000, "action_started", "runbook", { attempt: 1, action: "start", command: "docker start payment-service", expires: at(12000), verify: 5 }];
export const finished = [2500, "action_finished", "logstream", { attempt: 1, action: "start", ok: true, duration_ms: 480 }];
export const verified = [13000, "verified", "logstream", { ok: true, observations: 5, since: at(2600) }];
export const resolved = [13001, "resolved", "logstream", { how: "healed", attempts: 1, ttd_ms: 1000, ttr_ms: 13001, down_ms: 2600 }];

/** Checks of payment-service at these milliseconds; a capital D is bad. */
export function checks(...list) {
  return list.map((ms) => (typeof ms === "string" ? { timestamp: (T + Number(ms.slice(1))) / 1000, status: "DOWN" } : { timestamp: (T + ms) / 1000, status: "UP" })).map((record) => ({ service: "payment-service", check: "http", instance: "box", ...record }));
}
