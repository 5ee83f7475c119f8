// What was found about a failure: what decided first, then the rest, then the
// log lines with what is unusual about them.

import { h } from "../dom.js";
import { instant, many, tenths, took } from "../units.js";
import { firstSeen, sentence } from "../words.js";
import { facts } from "./bits.js";

/** The newest evidence of an incident, or why there is none. */
export function evidence(of) {
  if (!of.evidence) return h("section", { class: "panel pad", "aria-labelledby": "h-evidence" }, h("h2", { id: "h-evidence" }, "Evidence"), h("p", { class: "ink2" }, none(of)));
  const data = of.evidence.data ?? {};
  const all = data.facts ?? [];
  const decisive = all.filter((fact) => fact.decisive);
  const others = all.filter((fact) => !fact.decisive);
  const logs = data.logs ?? [];
  return h("section", { class: "panel pad", "aria-labelledby": "h-evidence" },
    h("div", { class: "panel-head" }, h("h2", { id: "h-evidence" }, "Evidence"), h("p", { class: "end quiet small" }, collected(of))),
    decisive.length > 0 && [h("h3", { class: "sub" }, "Decisive facts"), h("ol", { class: "facts-hard" }, decisive.map(reasoned))],
    others.length > 0 && h("details", { class: "more", open: decisive.length === 0 },
      h("summary", {}, decisive.length ? many(others.length, "other fact") : many(others.length, "fact")),
      h("ol", { class: "facts-hard" }, others.filter((fact) => fact.why).map(reasoned)),
      facts(others.filter((fact) => !fact.why).map((fact) => [fact.key, String(fact.value)]), "facts two-col")),
    logs.length > 0 && lines(logs, data.first_seen ?? []),
    data.truncated && h("p", { class: "quiet small" }, logs.length ? "The other log lines were left out." : "Truncated to the size limit of a record."));
}

// Only one held before its diagnosis has none for long.
function none({ stage, row }) {
  if (stage === "held" && row.root) return `Not collected: what ${row.service} shows now is the failure of ${row.root}.`;
  if (stage === "held") return "Not collected while the repair is on hold.";
  return stage === "resolved" || stage === "escalated" ? "None was collected." : "Not collected yet.";
}

function collected(of) {
  const times = of.events.filter((event) => event.type === "evidence").length;
  const delay = instant(of.evidence.time) - instant(of.opened?.time);
  return `collected at ${tenths(instant(of.evidence.time))}${times > 1 ? `, the newest of ${times}` : delay >= 0 ? `, ${took(delay)} after detection` : ""}`;
}

const reasoned = (fact) => h("li", {}, h("code", {}, `${fact.key}: ${fact.value}`), fact.why && h("p", {}, sentence(fact.why)));

// `seen` is [{line, days}]: the places of the lines that are new, and in how many
// days none was like them; 0: it is not known for a whole day.
function lines(logs, seen) {
  const unusual = new Map(seen.filter((one) => one?.line in logs).map(({ line, days }) => [line, days]));
  return [
    h("h3", { class: "sub" }, unusual.size ? `${many(logs.length, "log line")}, ${unusual.size} not seen before` : many(logs.length, "log line")),
    h("ol", { class: "log", tabindex: "0", "aria-label": "Log lines chosen by rules" }, logs.map((text, i) =>
      h("li", { class: unusual.has(i) ? "unusual" : null }, String(text), unusual.has(i) && h("span", { class: "log-mark" }, firstSeen(unusual.get(i))))))];
}
