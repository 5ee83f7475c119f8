// What an operator can do, each in one place: what it says before it is done,
// what it asks for, the call that it makes and what is said when it was
// executed. Pure: the dialog shows it, acts.js sends it.

import { clock } from "./store.js";
import { instant, join, many, when } from "./units.js";
import { capital, fault as faultName, gate, phrase } from "./vocabulary.js";
import { paragraph, reason, sentence } from "./words.js";

const of = (name) => `/services/${encodeURIComponent(name)}`;
const HOLDS = [["15m", "15 min"], ["30m", "30 min"], ["1h", "1 h"], ["4h", "4 h"], ["", "until it is released"]];
const SILENCES = [["10m", "10 min"], ["1h", "1 h"], ["8h", "8 h"], ["24h", "1 d"], ["168h", "7 d"]];

/**
 * The controls by name. `ask(model)` gives {title, says, command, lengths, length,
 * reason, go, tone, icon, closes}: sentences of what it will do, the command line that
 * a person would type, the lengths of time to choose from, whether a reason is asked
 * for, the button, and whether the dialog closes once it was executed, because what
 * becomes of it is seen on the page; null where there is nothing to do any more. `call(model,
 * values)` gives [method, path, body]; `done(model, values)` what was achieved. A
 * model is {state, at, name, attempt, fault} with `name` a service or an incident.
 */
const CONTROLS = {
  hold: {
    ask: ({ state }) => ({
      title: `Hold all repairs on host ${state.info?.host ?? "local"}?`,
      says: ["LogStream starts no repair on this host until the hold ends or is released.", "It goes on checking, opens incidents and collects evidence. A call to Docker that has begun is finished."],
      lengths: HOLDS, length: "30m", reason: true, go: "Hold repairs", icon: "held",
    }),
    call: (_, { length, reason }) => ["POST", "/hold", { ...(length && { for: length }), reason }],
    done: ({ at }, { length }) => `All repairs are on hold${length ? ` until ${when(at + span(length), at)}` : " until the hold is released"}.`,
  },
  release: {
    ask: ({ state }) => {
      const waits = [...state.incidents.values()].filter((row) => row.state === "open" && row.held === "hold").map((row) => row.service);
      return {
        title: "Release the hold?",
        says: ["LogStream repairs again, as its mode and its gates allow.", waits.length ? `It decides again about ${waits.length > 3 ? many(waits.length, "incident") : join(waits)} at once.` : "No repair waits for it now."],
        go: "Release the hold", icon: "play",
      };
    },
    call: () => ["DELETE", "/hold"],
    done: () => "The hold is released. LogStream repairs again.",
  },
  silence: {
    ask: ({ name }) => ({
      title: `Silence ${name}?`,
      says: [`LogStream neither repairs ${name} nor notifies about it until the silence ends.`, "Checks go on, and an incident is opened and held. A repair that you request by hand still runs."],
      lengths: SILENCES, length: "1h", reason: true, go: "Silence", icon: "mute",
    }),
    call: ({ name }, { length, reason }) => ["POST", `${of(name)}/silence`, { for: length, reason }],
    done: ({ name, at }, { length }) => `${name} is silenced until ${when(at + span(length), at)}.`,
  },
  unsilence: {
    ask: ({ name }) => ({ title: `End the silence of ${name}?`, says: [`LogStream repairs ${name} and notifies about it again. If it is down, it decides at once.`], go: "End the silence", icon: "play" }),
    call: ({ name }) => ["DELETE", `${of(name)}/silence`],
    done: ({ name }) => `The silence of ${name} has ended.`,
  },
  heal: {
    ask: ({ name, state, at }) => ({
      title: `Heal ${name} now?`,
      says: ["LogStream ends the open incident, opens a new one by hand, collects evidence and chooses a repair.", onItsWay({ ...BY_HAND, approve: gate("approval") }, { name, state, at })],
      command: `logstream heal ${name}`, go: "Heal now", icon: "work", tone: "go",
    }),
    call: ({ name }) => ["POST", `${of(name)}/heal`, {}],
    done: ({ name }) => `LogStream opened an incident for ${name}.`,
  },
  restart: {
    ask: ({ name, state, at, container }) => ({
      title: `Restart ${name}?`,
      says: [`LogStream opens an incident by hand and restarts ${container ? `the container ${container}` : name}.`, "Requests in flight are lost, and the service is down until it answers again. Then its checks verify the restart.", onItsWay(BY_HAND, { name, state, at })],
      command: container && state.info?.docker?.kind !== "process" ? `docker restart ${container}` : `logstream heal ${name} restart`, go: "Restart", icon: "restart", tone: "danger",
    }),
    call: ({ name }) => ["POST", `${of(name)}/heal`, { action: "restart" }],
    done: ({ name }) => `LogStream opened an incident to restart ${name}.`,
  },
  fault: {
    ask: ({ name, fault, state, at }) => {
      const entry = state.chaos.find((one) => one.fault === fault);
      if (!entry) return null;
      const waits = onItsWay(BY_ITSELF, { name, state, at });
      return {
        title: `${faultName(fault)}: break ${name} for real?`,
        says: [capital(entry.does || `injects “${fault}” into ${name}.`), !entry.repairable ? "LogStream cannot repair this without a person." : waits ? paragraph("LogStream should notice it", waits) : "LogStream should notice and repair it.", entry.undo ? "It can be taken back by hand." : "It cannot be taken back by hand."],
        command: `logstream chaos ${name} ${fault}`, go: faultName(fault), icon: "bolt", tone: "danger", closes: true,
      };
    },
    call: ({ name, fault }) => ["POST", `${of(name)}/chaos`, { fault }],
    done: ({ name, fault }) => `${faultName(fault)}: injected into ${name}.`,
  },
  recall: {
    ask: ({ name, fault }) => ({ title: `Take back “${faultName(fault)}”?`, says: [`The fault that was injected into ${name} is taken back by hand.`], command: `logstream chaos ${name} ${fault} --undo`, go: "Take it back", icon: "undo" }),
    call: ({ name, fault }) => ["POST", `${of(name)}/chaos`, { fault, undo: true }],
    done: ({ name }) => `The fault in ${name} was taken back.`,
  },
  undo: {
    ask: ({ row, attempt }) => {
      const undo = row?.undo;
      if (!undo || String(undo.attempt) !== String(attempt)) return null;
      return {
        title: `Undo attempt ${undo.attempt} on ${row.service}?`,
        says: [`LogStream takes back that it ${phrase(undo.action, row.service, "did")}. This is a new action: it is recorded, and verified by inspecting the container.`, "It is refused if the container has changed since."],
        command: undo.command, reason: true, go: `Undo attempt ${undo.attempt}`, icon: "undo", tone: "go",
      };
    },
    call: ({ name, attempt }, { reason }) => ["POST", `/incidents/${encodeURIComponent(name)}/undo`, { attempt: Number(attempt), ...(reason && { reason }) }],
    done: ({ attempt }) => `The undo of attempt ${attempt} has begun.`,
  },
  acknowledge: {
    ask: ({ row }) => {
      if (!row || row.state === "resolved" || row.acknowledged) return null;
      return {
        title: `Acknowledge the incident of ${row.service}?`,
        says: ["The incident records who acknowledged it, and its repeated notifications stop.", row.state === "escalated" ? "LogStream does nothing more by itself until the facts change." : "A repair that is held because the same failure came back too often is allowed again."],
        reason: true, go: "Acknowledge", icon: "check",
      };
    },
    call: ({ name }, { reason }) => ["POST", `/incidents/${encodeURIComponent(name)}/acknowledge`, reason ? { reason } : {}],
    done: ({ row }) => `The incident of ${row?.service ?? "the service"} is acknowledged.`,
  },
};

/** Whether repairs are on hold at an instant of the server's clock. */
export function isHeld(info, at) {
  if (!info?.held) return false;
  const until = instant(info.held_until);
  return !Number.isFinite(until) || until > at;
}

// What may stand between a failure, or a request by hand, and its repair: the first that does is said.
const ON_HOLD = "All repairs are on hold on this host: the repair waits until the hold ends.";
const BY_ITSELF = { observe: gate("observe"), hold: ON_HOLD, silence: "The service is silenced: the repair waits until the silence ends.", approve: gate("approval") };
const BY_HAND = { hold: ON_HOLD, observe: "Mode observe does not stop a repair by hand.", silence: "The silence of the service does not stop a repair by hand." };

function onItsWay(sentences, { name, state, at }) {
  const mode = state.details.get(name)?.config?.heal?.mode || state.info?.mode;
  const stands = { [mode]: true, hold: isHeld(state.info, at), silence: instant(state.services.get(name)?.silenced_until) > at };
  return sentences[Object.keys(sentences).find((what) => stands[what])] ?? "";
}

/** "30m" in milliseconds. */
export const span = (length) => Number.parseInt(length, 10) * (length.endsWith("h") ? 3600e3 : 60e3);

/** Everything that a control looks at. `chosen` is {control, name, attempt, fault}. */
export function modelOf(state, now, { name, attempt, fault }) {
  const service = state.services.get(name);
  return { state, at: clock(state, now), name, attempt, fault, row: state.incidents.get(name), container: service?.container?.name ?? "" };
}

/** What a control says before it is done; null where there is nothing to do. */
export function ask(state, now, chosen) {
  const asked = CONTROLS[chosen.control]?.ask(modelOf(state, now, chosen));
  return asked ? { ...asked, says: asked.says.filter(Boolean).map(sentence) } : null;
}

/** The call that a control makes: [method, path, body]. */
export function call(state, now, chosen, values) {
  return CONTROLS[chosen.control].call(modelOf(state, now, chosen), values);
}

/** What is said when it was executed. */
export function done(state, now, chosen, values) {
  return CONTROLS[chosen.control].done(modelOf(state, now, chosen), values);
}

/** The open incident in which a repair by hand can be followed, or null. */
export function follows(state, { control, name }) {
  if (control !== "heal" && control !== "restart" && control !== "undo") return null;
  const service = control === "undo" ? state.incidents.get(name)?.service : name;
  const open = [...state.incidents.values()].filter((row) => row.service === service && row.state === "open");
  return open.sort((a, b) => instant(b.opened) - instant(a.opened))[0] ?? null;
}

const ASKED = {
  approve: ["approved the repair of {}"], deny: ["denied the repair of {}"], silence: ["silenced {}", true], unsilence: ["ended the silence of {}"],
  heal: ["requested a repair of {}"], inject: ["injected a fault into {}"], hold: ["put all repairs on hold", true], release: ["released the hold"],
  undo: ["requested an undo for {}"], acknowledge: ["acknowledged the incident of {}"],
};

/** What a command asked for, after the name of the person: "silenced web for 1 h: a migration". */
export function requested({ command, service, args = {} }) {
  if (command === "heal" && args.action) return `requested: ${phrase(args.action, service)}`;
  if (command === "inject") return `${args.undo ? "took back" : "injected"} “${faultName(args.fault)}” ${args.undo ? "in" : "into"} ${service}`;
  const [words, timed] = ASKED[command] ?? [`sent “${command}” to {}`];
  const length = [...HOLDS, ...SILENCES].find(([value]) => value && value === args.for)?.[1] ?? args.for;
  return [words.replace("{}", () => (service === "*" ? "the host" : service)), timed && length ? ` for ${length}` : "", args.reason ? `: ${args.reason}` : ""].join("");
}

/** Why a command was not executed, as a sentence without the command's own name. */
export function refused(error) {
  const said = String(error ?? "");
  const named = [...Object.keys(ASKED)].some((name) => said.startsWith(`${name}:`) || said.startsWith(`${name} `));
  return reason(named ? said.slice(said.indexOf(": ") + 1) : said) || "LogStream refused it.";
}

/** What became of a command: {text, ok}; ok is null while there is no result. */
export function became({ time, result }, at) {
  if (!result) return at - instant(time) > 60e3 ? { text: "LogStream did not execute it within a minute.", ok: false } : { text: "Waiting for LogStream", ok: null };
  return result.ok ? { text: "Executed", ok: true } : { text: paragraph("Refused", refused(result.error)), ok: false };
}
