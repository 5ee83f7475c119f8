// The words for the contract's names: one place for each, so that a state, an
// action or a gate is called the same on every page. A name that is not known
// here is shown as it came.

/** How each status looks and is called: shape, colour, word, name for the ear. */
const STATUS = {
  UP: { shape: "up", colour: "up", word: "Up", name: "Up" },
  DEGRADED: { shape: "warn", colour: "warn", word: "Slow", name: "Degraded" },
  DOWN: { shape: "down", colour: "down", word: "Down", name: "Down" },
  PENDING: { shape: "none", colour: "quiet", word: "Not looked at yet", name: "Pending: not looked at yet" },
  UNKNOWN: { shape: "none", colour: "quiet", word: "Not heard", name: "Unknown: nothing was heard" },
};

export function status(name) {
  return STATUS[name] ?? { shape: "none", colour: "quiet", word: String(name ?? "Unknown"), name: String(name ?? "Unknown") };
}

/** Each action in its three tenses, as a choice, and whether it loses nothing. */
const ACTIONS = {
  start: { did: "Started", doing: "Starting", todo: "Start", choice: "start", icon: "play", lossless: true },
  restart: { did: "Restarted", doing: "Restarting", todo: "Restart", choice: "restart", icon: "restart" },
  unpause: { did: "Unpaused", doing: "Unpausing", todo: "Unpause", choice: "unpause", icon: "play", lossless: true },
  kill_start: { did: "Killed and started", doing: "Killing and starting", todo: "Kill and start", choice: "kill and start", icon: "restart" },
  connect: { did: "Connected", doing: "Connecting", todo: "Connect", choice: "connect", icon: "link", lossless: true },
  recreate: { did: "Recreated", doing: "Recreating", todo: "Recreate", choice: "recreate", icon: "box" },
  raise_memory: { did: "Memory raised", doing: "Raising the memory", todo: "Raise the memory", choice: "raise the memory of", icon: "box" },
  rollback: { did: "Rolled back", doing: "Rolling back", todo: "Roll back", choice: "roll back", icon: "restart" },
  run: { did: "Command run", doing: "Running the command", todo: "Run the command", choice: "run the command of", icon: "play" },
  none: { did: "Waited", doing: "Waiting", todo: "Wait", choice: "wait", icon: "held", bare: true },
  escalate: { did: "Called a person", doing: "Calling a person", todo: "Call a person", choice: "call a person", icon: "person", bare: true },
};

export function action(name) {
  const known = Object.hasOwn(ACTIONS, name ?? "") ? ACTIONS[name] : null;
  const word = String(name || "act").replaceAll("_", " ");
  return known ?? { did: word, doing: word, todo: word, choice: word, icon: "work" };
}

/** "start payment-service", "call a person" */
export function choice(name, service) {
  const a = action(name);
  return a.bare ? a.choice : `${a.choice} ${service}`;
}

/** "starting payment-service", "raising the memory of payment-service" */
export function deed(name, service) {
  const a = action(name);
  const doing = a.doing.charAt(0).toLowerCase() + a.doing.slice(1);
  return a.bare ? doing : `${doing}${a.choice.endsWith(" of") ? " of" : ""} ${service}`;
}

/** Why healing waits, by the gate's name, as the end of "On hold: …". */
const GATES = {
  approval: "it waits for a person's yes",
  blind: "too many turned red at once, so the fault may lie with the observer",
  budget: "its budget of repairs is spent for now",
  cooldown: "the last repair did not hold, so the next one waits",
  dependency: "it is down only because a service that it needs is down",
  deploy: "a deployment is under way",
  engine: "Docker does not answer",
  full: "a disk is full, and a restart would not mend that",
  healthcheck: "its health check fails while the service answers",
  hold: "an operator put repairs on hold",
  log: "the repair cannot be written to the log",
  maintenance: "maintenance is under way",
  none: "there is nothing to do until a fact changes",
  observe: "the mode is observe: nothing is repaired",
  operator: "a person stopped it, and that stands",
  policy: "its own restart policy goes first",
  rival: "somebody else is repairing it, and its checks decide",
  self: "LogStream itself runs in that container",
  silence: "it is silenced",
  starting: "it is still starting",
  unconfirmed: "only somebody else sees it down",
};

/** Why healing waits, as the end of a sentence: the gate's name becomes words, a sentence stays. */
export function gate(name) {
  return Object.hasOwn(GATES, name ?? "") ? GATES[name] : String(name ?? "");
}

/** Each fault as a button, and as the deed of a visitor. */
const FAULTS = {
  stop: ["Stop", "stopped", ""],
  kill: ["Kill", "killed", ""],
  pause: ["Pause", "paused", ""],
  crash: ["Crash", "crashed", ""],
  disconnect: ["Disconnect", "disconnected", ""],
  remove: ["Remove", "removed", ""],
  memory: ["Fill memory", "filled the memory of", ""],
  cpu: ["Burn CPU", "burned the CPU of", ""],
  exit: ["Exit", "made", "exit"],
  fail: ["Answer 500", "made", "answer 500"],
  hang: ["Hang", "made", "hang"],
  busy: ["Busy loop", "made", "spin"],
  slow: ["Slow down", "slowed", "down"],
  leak: ["Leak memory", "made", "leak memory"],
  disk: ["Fill disk", "filled the disk of", ""],
  fds: ["Use up files", "used up the files of", ""],
};

/** A fault's label, and [verb, rest] of "You verb SERVICE rest". */
export function fault(name) {
  const known = Object.hasOwn(FAULTS, name ?? "") ? FAULTS[name] : null;
  if (known) return { label: known[0], verb: known[1], rest: known[2] };
  const word = String(name ?? "").replaceAll("_", " ");
  return { label: word.charAt(0).toUpperCase() + word.slice(1), verb: "broke", rest: word ? `(${word})` : "" };
}

/** Who decided or did it. */
export function who(by) {
  const [kind, ...rest] = String(by ?? "").split(":");
  const name = rest.join(":");
  if (kind === "llm") return name || "the model";
  if (kind === "operator") return name || "an operator";
  if (kind === "runbook") return "the runbook";
  if (kind === "guard") return "the guard";
  return kind === "logstream" ? "LogStream" : String(by ?? "");
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

/** A part of LogStream that is in trouble: its picture and its headline. */
const PARTS = {
  monitor: ["blind", "The observer is in trouble"],
  healer: ["work", "The healer is in trouble"],
  docker: ["box", "Docker does not answer"],
  bus: ["plug", "The log is away"],
  config: ["file", "The edit of the configuration was not taken"],
  llm: ["fork", "The model is not there, the runbook decides"],
  chaos: ["bolt", "Disasters cannot be triggered"],
  dashboard: ["away", "This page's server is in trouble"],
};

/** Parts in trouble, the worst first. */
export const PART_ORDER = Object.keys(PARTS);

export function part(name) {
  const [picture, headline] = Object.hasOwn(PARTS, name ?? "") ? PARTS[name] : ["warn", `${name ?? "A part"} is in trouble`];
  return { icon: picture, headline };
}

/** "The runbook" from "the runbook"; a name such as payment-service, config.yaml or mistral:7b stays. */
export function capital(text) {
  const first = /^[a-zé]+(?=[\s,;:.’']|$)(?![.:]\S)/.test(text);
  return first ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
