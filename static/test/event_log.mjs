// Incidents as the API gives them, for the tests.

export const T = Date.UTC(2026, 10, 24, 14, 2, 51);
export const at = (ms) => new Date(T + ms).toISOString();

/** Events from [ms, type, by, data] of one incident of payment-service. */
export function eventLog(...list) {
  return list.map(([ms, type, by, data], i) => ({ id: "i1", seq: i + 1, time: at(ms), service: "payment-service", type, by, data, instance: "box" }));
}

export const opened = [1000, "opened", "logstream", { error: "Connection refused.", check: "http", instance: "box", first_bad: at(0), kind: "service" }];
export const evidence = [1010, "evidence", "logstream", { facts: [{ key: "state", value: "exited (0)", decisive: true, why: "It does not run." }, { key: "events", value: "kill(15) → die → stop", decisive: true }, { key: "image", value: "shop:1", decisive: false }], logs: [] }];
export const diagnosed = [1014, "diagnosed", "runbook", { cause_id: "stopped", cause: "The container is stopped: the engine was asked to stop it.", cause_past: "The container was stopped by a command such as docker stop.", action: "start", target: "payment-service", confidence: 0.97, command: "docker start payment-service", legal: [{ letter: "A", action: "start", why: "Starting it is non-disruptive." }, { letter: "B", action: "escalate", why: "A person looks at it." }], not_offered: [{ action: "restart", why: "It does not run, so starting it is enough." }], runbook: { cause: "The container is stopped: the engine was asked to stop it.", action: "start", confidence: 0.97, why: "Starting it is non-disruptive." } }];
/** A diagnosis before which a model was queried: by whom, and what differs from `diagnosed`. */
export const consulted = (by, more = {}) => [7114, "diagnosed", by, { ...diagnosed[3], prompt: "Service: payment-service", ...more }];
export const opinion = (action, more = {}) => ({ cause: "An operator stopped it.", action, confidence: 0.9, why: "The facts say so.", ...more });
export const started = [2000, "action_started", "runbook", { attempt: 1, action: "start", command: "docker start payment-service", expires: at(12000), verify: 5 }];
export const finished = [2500, "action_finished", "logstream", { attempt: 1, action: "start", ok: true, outcome: "ok", duration_ms: 480 }];
export const verified = [13000, "verified", "logstream", { ok: true, outcome: "verified", observations: 5, since: at(2600) }];
export const resolved = [13001, "resolved", "logstream", { how: "healed", attempts: 1, ttd_ms: 1000, ttr_ms: 13001, down_ms: 2600 }];

/** The row that the server gives for these events, with what a test says otherwise. */
export function row(events, more = {}) {
  const of = { id: "i1", service: "payment-service", state: "open", phase: "detected", progress: null, next: null, attempts: 0, held: "" };
  for (const { type, time, data } of events) Object.assign(of, ROWS[type]?.(data ?? {}, time, of));
  return { ...of, ...more };
}

const release = { held: "", held_reason: "", next: null, progress: null };
const ROWS = {
  opened: (data, time) => ({ opened: time, first_bad: data.first_bad, error: data.error, kind: data.kind }),
  evidence: () => ({ state: "open", phase: "evidence" }),
  diagnosed: ({ cause_id, cause, cause_past, action }) => ({ state: "open", phase: "diagnosis", cause_id, cause, cause_past, action }),
  approval_requested: ({ reason, expires, ...data }, time) => ({ held: "approval", held_reason: reason, phase: "approval", approval: { request: 4, ...data, reason, expires, requested: time } }),
  approved: () => ({ ...release, phase: "diagnosis", approval: null }),
  denied: () => ({ ...release, phase: "diagnosis", approval: null }),
  suppressed: ({ gate, reason, until }, _, { action }) => ({ state: "open", held: gate, held_reason: reason, next: until ? { action, at: until, gate } : null }),
  action_started: ({ action }, _, { attempts }) => ({ ...release, state: "open", phase: "action", action, attempts: attempts + 1 }),
  action_finished: ({ ok }) => ({ ...release, phase: ok ? "verification" : "diagnosis", progress: ok ? { good: 0, needed: 5 } : null }),
  verified: ({ ok }) => ({ ...release, phase: ok ? "verification" : "diagnosis", progress: ok ? { good: 5, needed: 5 } : null }),
  escalated: ({ reason }, time) => ({ ...release, state: "escalated", phase: "ended", escalated: time, escalated_reason: reason }),
  resolved: ({ how, ttd_ms, ttr_ms, down_ms }, time) => ({ ...release, state: "resolved", phase: "ended", resolved: time, how, ttd_ms, ttr_ms, down_ms }),
};
