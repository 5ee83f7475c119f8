// Incidents that are open for one and the same cause are one thing to read: "30
// containers do not exist". And what is down only because its root is stands
// behind that root. Pure.

import { instant, many, names, thousands } from "./units.js";
import { capital, gate, heldAs } from "./vocabulary.js";
import { cause, clip, isPast, paragraph, pauseLine, sentence } from "./words.js";

const FEW = 3; // up to so many stand one by one

// What several incidents of one cause have in common, by the cause, and the same in the
// past where it reads otherwise; {} is their number.
const TOGETHER = {
  container_missing: ["{} containers do not exist", "{} containers did not exist"],
  container_unknown: ["{} containers do not exist, but their services answer", "{} containers did not exist, but their services answered"],
  no_container: ["{} services fail their checks, and have no container that could be repaired", "{} services failed their checks, and had no container that could be repaired"],
  stopped: ["{} containers were stopped by a command such as docker stop"],
  killed: ["{} containers were killed by a command such as docker kill"],
  paused: ["{} containers are paused", "{} containers were paused"],
  exited: ["{} containers ended by themselves"],
  oom: ["{} containers ran out of memory"],
  hang: ["{} services do not answer", "{} services did not answer"],
  unreachable: ["{} services cannot be reached", "{} services could not be reached"],
  dependency_down: ["{} services wait for one that they depend on", "{} services waited for one that they depend on"],
};

/** Incidents of one cause and stage, where those are more than a few: {groups, rest}, each in its order. */
export function alike(incidents) {
  const by = new Map();
  for (const of of incidents) {
    const key = [of.stage, of.row.held, of.row.cause_id || of.row.error].join(" ");
    if (by.has(key)) by.get(key).push(of);
    else by.set(key, [of]);
  }
  const groups = [...by].filter(([, list]) => list.length > FEW).map(([key, list]) => ({ key, list }));
  const grouped = new Set(groups.flatMap(({ list }) => list));
  return { groups, rest: incidents.filter((of) => !grouped.has(of)) };
}

/** A group in one sentence: "30 containers do not exist", in the past once they are repaired, or over. */
export function together(list) {
  const [{ row }] = list;
  const past = isPast(row);
  const [now, then = now] = Object.hasOwn(TOGETHER, row.cause_id ?? "") ? TOGETHER[row.cause_id] : [];
  if (now) return (past ? then : now).replace("{}", thousands(list.length));
  const texts = new Set(list.map((of) => cause(of.row) || of.row.error || ""));
  return `${thousands(list.length)} services${texts.size === 1 ? `: ${clip([...texts][0])}` : ` ${past ? "were" : "are"} down for one cause${row.cause_id ? ` (${row.cause_id.replaceAll("_", " ")})` : ""}`}`;
}

/** What is done about a group, in one sentence; of pauses that end at different times the first one counts. */
export function doneAbout(list, now) {
  const [{ stage, row }] = list;
  switch (stage) {
    case "escalated": return "A person is needed.";
    case "approval": return "Approval needed for each.";
    case "held": return row.held === "observe" ? sentence(heldAs(row.held).word) : paragraph(heldAs(row.held).first, gate(row.held)); // the gate alone says the same again
    case "verification": return "Verifying their repairs.";
    case "action": return "Repairing them.";
    case "pause": return pauseLine(list.reduce((first, of) => (instant(of.row.next?.at) < instant(first.row.next?.at) ? of : first)), now, true);
    default: return "Diagnosing them.";
  }
}

/** Of whom a group is, by name: the first few. */
export const whose = (list, most = 3) => names(list.map((of) => of.row.service).sort((a, b) => a.localeCompare(b)), most);

/** A group as a whole sentence, for the headline; without `now` it does not count. */
export const groupLine = (list, now = NaN) => paragraph(capital(together(list)), doneAbout(list, now));

// A fleet's incident is the root of what is held because of it.
const isOfFleet = (of, root) => root.row.kind === "fleet" && root.stage !== "resolved" && of.row.kind !== "fleet" && of.row.held === "blind";

/** Those incidents that others may stand behind: of a thousand a few, so that isBehind() of each is quick. */
export function roots(incidents) {
  const named = new Set(incidents.map((of) => of.row.root).filter(Boolean));
  return incidents.filter((of) => of.row.kind === "fleet" || named.has(of.row.service));
}

/** Whether an incident only waits for its root's, among roots(): that one is open, or ended within `stays`. */
export function isBehind(of, incidents, now, stays) {
  if (of.row.held === "blind") return incidents.some((root) => isOfFleet(of, root));
  if (!of.row.root || (of.row.held && of.row.held !== "dependency") || of.attempts?.length) return false;
  return incidents.some((root) => root !== of && root.row.service === of.row.root && (root.stage !== "resolved" || now - instant(root.row.resolved) < stays));
}

/** The incidents behind a root, those behind them included. */
export function behind(root, incidents) {
  if (root.row.kind === "fleet") return incidents.filter((of) => isOfFleet(of, root)).map((of) => ({ of, depth: 0 }));
  const found = [];
  const look = (name, depth) => {
    for (const of of incidents) {
      if (of === root || of.stage === "resolved" || of.row.root !== name || of.attempts?.length || found.some((known) => known.of === of)) continue;
      found.push({ of, depth });
      look(of.row.service, depth + 1);
    }
  };
  look(root.row.service, 0);
  return found;
}

/** Why those stand behind their root. */
export const whyBehind = (root, n) => (root.row.kind === "fleet" ? `${many(n, "repair is", "repairs are")} on hold with it, so that nothing healthy is restarted.` : sentence(`Down because of ${root.row.service}. Their repairs are on hold, so that nothing healthy is restarted`));
