// The words for the contract's names: one place for each, so that a state, an
// action or a gate is called the same on every page. A name that is not known
// here is shown as it came.

/** A word of our own, or of the contract, with a capital. Never for a sentence or for another's name. */
export function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** How each status is shown and called: shape, colour, word. */
const STATUS = {
  UP: { shape: "up", colour: "up", word: "Up" },
  DEGRADED: { shape: "warn", colour: "warn", word: "Degraded" },
  DOWN: { shape: "down", colour: "down", word: "Down" },
  PENDING: { shape: "none", colour: "quiet", word: "Awaiting first check" },
  UNKNOWN: { shape: "none", colour: "quiet", word: "No data" },
};

export function status(name) {
  return STATUS[name] ?? { shape: "none", colour: "quiet", word: String(name ?? "Unknown") };
}

/**
 * Each action as a label to come, under way and done, and as a phrase about its
 * target in the same tenses; `gentle` ones disturb nothing that runs.
 */
const ACTIONS = {
  start: { labels: ["Start", "Starting", "Started"], phrases: ["start {}", "starting {}", "started {}"], icon: "play", gentle: true },
  restart: { labels: ["Restart", "Restarting", "Restarted"], phrases: ["restart {}", "restarting {}", "restarted {}"], icon: "restart" },
  unpause: { labels: ["Unpause", "Unpausing", "Unpaused"], phrases: ["unpause {}", "unpausing {}", "unpaused {}"], icon: "play", gentle: true },
  kill_start: { labels: ["Kill and start", "Killing and starting", "Killed and started"], phrases: ["kill and start {}", "killing and starting {}", "killed and started {}"], icon: "restart" },
  connect: { labels: ["Reconnect", "Reconnecting", "Reconnected"], phrases: ["reconnect {} to its networks", "reconnecting {} to its networks", "reconnected {} to its networks"], icon: "link", gentle: true },
  recreate: { labels: ["Recreate", "Recreating", "Recreated"], phrases: ["recreate {}", "recreating {}", "recreated {}"], icon: "box" },
  raise_memory: { labels: ["Raise memory", "Raising memory", "Memory raised"], phrases: ["raise the memory limit of {}", "raising the memory limit of {}", "raised the memory limit of {}"], icon: "box" },
  rollback: { labels: ["Roll back", "Rolling back", "Rolled back"], phrases: ["roll {} back", "rolling {} back", "rolled {} back"], icon: "restart" },
  run: { labels: ["Run command", "Running command", "Command run"], phrases: ["run the command for {}", "running the command for {}", "ran the command for {}"], icon: "play" },
  none: { labels: ["Wait", "Waiting", "Waited"], phrases: ["wait", "waiting", "waited"], icon: "held" },
  escalate: { labels: ["Call a person", "Calling a person", "Called a person"], phrases: ["call a person", "calling a person", "called a person"], icon: "person" },
};

const TENSES = { todo: 0, doing: 1, did: 2 };

/** An action's labels {todo, doing, did}, its icon, and whether it is gentle. */
export function action(name) {
  const { labels, icon, gentle = false } = known(name);
  return { todo: labels[0], doing: labels[1], did: labels[2], icon, gentle };
}

/** Whether an action is none: a decision to wait. */
export const waits = (name) => name === "none";

/** An action about its target: "start payment-service"; tense is todo, doing or did. */
export function phrase(name, target, tense = "todo") {
  return known(name).phrases[TENSES[tense]].replace("{}", () => target);
}

function known(name) {
  if (Object.hasOwn(ACTIONS, name ?? "")) return ACTIONS[name];
  const word = String(name || "act").replaceAll("_", " ");
  return { labels: [capital(word), capital(word), capital(word)], phrases: Array(3).fill(`${word} {}`), icon: "work" };
}

/** Why a repair is held, by the gate's name, where no reason was given. */
const GATES = {
  approval: "The repair waits for approval.",
  blind: "Several services failed at once, so LogStream itself may be cut off from them.",
  budget: "The repair budget is spent for now.",
  cooldown: "The last repair failed, and its cooldown has not ended.",
  dependency: "A service that it depends on is down.",
  deploy: "A deployment is under way.",
  engine: "Docker is unreachable.",
  flapping: "The status changes too often, so the incident stays open until it is stable.",
  full: "A disk is full, and a restart would not fix that.",
  healthcheck: "The container’s HEALTHCHECK fails, but LogStream’s own check succeeds.",
  hold: "An operator has put repairs on hold.",
  log: "Kafka is unreachable, so the repair cannot be recorded.",
  maintenance: "Maintenance is under way.",
  none: "No repair applies until something changes.",
  observe: "Nothing is repaired in mode observe.",
  operator: "It was stopped on purpose.",
  policy: "Docker’s restart policy goes first.",
  rival: "An external change of the container is under way, by a person or another program.",
  self: "LogStream itself runs in this container.",
  silence: "The service is silenced.",
  starting: "The service is still starting.",
  unconfirmed: "Only an external source reports it down.",
};

/** Why a repair is held, as a sentence. */
export function gate(name) {
  return Object.hasOwn(GATES, name ?? "") ? GATES[name] : name ? `The repair is held by gate “${name}”.` : "";
}

/**
 * How an open incident is shown that a gate holds: icon, colour, and what is said
 * before a reason (`first`) or alone (`word`). Mode observe is no hold: there is nothing to release.
 */
export const heldAs = (gate) => (gate === "observe"
  ? { icon: "blind", colour: "quiet", first: "Not repaired", word: "Not repaired (mode observe)" }
  : { icon: "held", colour: "warn", first: "On hold", word: "On hold" });

// What would keep a repair that only waits a moment from being run, by the gate; the same of several.
const UNLESS = {
  deploy: ["unless the container is replaced", "unless the containers are replaced"],
  operator: ["unless it is started first", "unless they are started first"],
  policy: ["unless Docker restarts it first", "unless Docker restarts them first"],
  rival: ["unless the external change goes on", "unless the external changes go on"],
  starting: ["unless it is up first", "unless they are up first"],
};

/** "unless the container is replaced", or nothing. */
export const unless = (gate, several = false) => (Object.hasOwn(UNLESS, gate ?? "") ? UNLESS[gate][several ? 1 : 0] : "");

/** Each fault as a button, and what a visitor did with it. */
const FAULTS = {
  stop: ["Stop", "stopped {}"],
  kill: ["Kill", "killed {}"],
  pause: ["Pause", "paused {}"],
  crash: ["Crash", "crashed {}"],
  disconnect: ["Disconnect", "disconnected {}"],
  remove: ["Remove", "removed {}"],
  memory: ["Squeeze memory", "squeezed the memory of {}"],
  cpu: ["Starve of CPU", "starved {} of CPU"],
  exit: ["Exit", "made {} exit"],
  fail: ["Answer 500", "made {} answer 500"],
  hang: ["Hang", "made {} hang"],
  busy: ["Busy loop", "put {} into a busy loop"],
  slow: ["Slow down", "slowed {} down"],
  leak: ["Leak memory", "made {} leak memory"],
  disk: ["Fill disk", "filled the disk of {}"],
  fds: ["Exhaust files", "used up the file descriptors of {}"],
};

// The faults that are tried first; the others stand behind "More".
const USUAL = ["stop", "kill", "pause", "exit", "fail", "hang", "leak"];

/** The faults that are shown at once, and the others. Few enough are all shown. */
export function grouped(faults) {
  const usual = faults.filter((entry) => USUAL.includes(entry.fault));
  const more = faults.filter((entry) => !USUAL.includes(entry.fault));
  return more.length > 1 && usual.length ? { usual, more } : { usual: faults, more: [] };
}

/** A fault's label. */
export function fault(name) {
  return Object.hasOwn(FAULTS, name ?? "") ? FAULTS[name][0] : capital(String(name ?? "").replaceAll("_", " "));
}

/** What a fault did to a service: "stopped payment-service". */
export function injected(name, service) {
  const did = Object.hasOwn(FAULTS, name ?? "") ? FAULTS[name][1] : `injected “${String(name ?? "").replaceAll("_", " ")}” into {}`;
  return did.replace("{}", () => service);
}

/** Who decided or did it, within a sentence. */
export function who(by) {
  const [kind, ...rest] = String(by ?? "").split(":");
  const name = rest.join(":");
  switch (kind) {
    case "llm": return name || "the model";
    case "operator": return operator(name);
    case "mcp": return name || "a program"; // that proposed it
    case "runbook": return "the runbook";
    case "guard": return "LogStream’s gates"; // docs/gates.md
    case "logstream": return "LogStream";
    default: return String(by ?? "");
  }
}

// The dashboard and the API name no person.
function operator(name) {
  switch (name) {
    case "": return "an operator";
    case "dashboard": return "an operator on the dashboard";
    case "api": return "an operator through the API";
    case "phone-link": return "an operator through a phone link";
    default: return name;
  }
}

/** The same at the beginning of a sentence; a name stays as it is. */
export function whoFirst(by) {
  const said = who(by);
  return String(by ?? "").endsWith(`:${said}`) ? said : capital(said);
}

/** The mark of each state of the agent. */
export function agentState(name) {
  switch (name) {
    case "WATCHING": return { colour: "up", shape: "up" };
    case "ESCALATED": return { colour: "down", shape: "person" };
    case "WAITING_APPROVAL": return { colour: "warn", shape: "person" };
    default: return { colour: "work", shape: "work" };
  }
}

/** Each component that can have a problem: its picture, and its name within a sentence. */
const PARTS = {
  monitor: ["blind", "the monitor"],
  healer: ["work", "the healer"],
  docker: ["box", "Docker"],
  bus: ["plug", "Kafka"],
  config: ["file", "the configuration"],
  names: ["file", "the names of services"],
  llm: ["fork", "the model"],
  discovery: ["box", "discovery"],
  chaos: ["bolt", "fault injection"],
  notify: ["warn", "notifications"],
  dashboard: ["offline", "the dashboard"],
};

/** Components with a problem, the worst first. */
export const PART_ORDER = Object.keys(PARTS);

export function part(id) {
  const [icon, name] = Object.hasOwn(PARTS, id ?? "") ? PARTS[id] : ["warn", String(id ?? "LogStream")];
  return { icon, name };
}

/** Whether a record is what the container engine says, and no check that took time. */
export const isOfEngine = (record) => record.check === "container" || record.check === "health";
