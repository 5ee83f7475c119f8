// What was done about an incident: each attempt with the command that a person would
// type for it, its undo, its result and its verification.

import { h, icon } from "../dom.js";
import { failed, interrupted } from "../incident.js";
import { notDone } from "../lane.js";
import { hhmmss, instant, lasting, many, took } from "../units.js";
import { action, capital, heldAs, phrase, who } from "../vocabulary.js";
import { holdReason, keptContainer, paragraph, reason, target, verifying } from "../words.js";
import { command, copy, progress } from "./bits.js";

/** The repair of an incident: its attempts, or what is chosen and not begun; null where nothing is. */
export function repair(of, at) {
  if (!of.attempts.length) return planned(of);
  const many = of.attempts.length > 1;
  return h("section", { class: "panel pad repair", key: "repair", "aria-labelledby": "h-repair" },
    h("h2", { id: "h-repair" }, many ? "Actions and verification" : "Action and verification"),
    of.attempts.map((attempt, i) => attempted(attempt, { of, at, title: many ? `Attempt ${i + 1}: ` : "" })));
}

// What is decided and has not begun.
function planned(of) {
  const { action: chosen, command: line } = of.diagnosed?.data ?? {};
  if (!chosen || of.row.approval || of.row.state !== "open" || chosen === "none" || chosen === "escalate") return null;
  return h("section", { class: "panel pad repair", key: "repair", "aria-labelledby": "h-repair" },
    h("h2", { id: "h-repair" }, "Action"),
    terms([["Chosen", `${capital(phrase(chosen, target(of.row)))}. The repair has not started.`], ["Command line", typed(line)], [heldAs(of.row.held).first, of.row.held && holdReason(of)]]));
}

function attempted(attempt, { of, at, title }) {
  const a = action(attempt.action);
  const { data = {}, by, time } = attempt.started;
  const name = `${title}${data.undoes ? `undo of attempt ${data.undoes}` : phrase(attempt.action, target(of.row))}`;
  return h("article", { class: "attempt", key: `attempt-${attempt.started.seq}`, "data-attempt": data.attempt ?? "", "data-failed": String(failed(attempt)) },
    h("h3", { class: "attempt-head" }, icon(failed(attempt) ? "x" : a.icon, failed(attempt) ? "quiet" : "work"), capital(name)),
    terms([
      ["Command line", typed(attempt.command)],
      ["Undo", undo(attempt, of)],
      ["Began", `${hhmmss(instant(time))}, decided by ${who(by)}.`],
      ["Result", result(attempt, at)],
      ["Verification", verification(attempt, of)],
    ]));
}

const terms = (list) => h("dl", { class: "facts repair-facts" }, list.filter(([, dd]) => dd).map(([dt, dd]) => h("div", { key: dt }, h("dt", {}, dt), h("dd", {}, dd))));

// The command that a person would type. The demo's services are processes: there is none.
const typed = (line) => (line ? h("span", { class: "approval-cmd" }, command(line), copy(line)) : "");

function undo(attempt, of) {
  const { undoes, undo_command: line } = attempt.started.data ?? {};
  if (undoes) return "";
  const now = of.row.undo && of.row.undo.attempt === attempt.started.data?.attempt;
  if (line) return now ? ["Run ", typed(line), ", or use “Undo” at the top of this page."] : typed(line);
  return action(attempt.action).gentle ? "Nothing to undo: no configuration was changed." : "LogStream cannot undo it.";
}

function result(attempt, at) {
  const { finished, started } = attempt;
  if (!finished) return `Under way for ${lasting(at - instant(started.time))}.`;
  const { data = {} } = finished;
  if (data.ok === false) return paragraph(capital(notDone(data)), reason(data.error));
  const kept = keptContainer(data.kept_id);
  const remove = kept && `docker rm ${data.kept_id.slice(0, 12)}`;
  return [Number.isFinite(data.duration_ms) ? `Done, the call took ${took(data.duration_ms)}.` : "Done.", kept && [` ${kept} `, typed(remove)]];
}

function verification(attempt, of) {
  const { verified, finished } = attempt;
  if (finished?.data?.ok === false) return "";
  if (!verified) return finished ? [paragraph(verifying(of.row.progress)), progress(attempt.progress)] : "";
  const { data = {} } = verified;
  if (attempt.started.data?.undoes && data.ok) return "An inspection of the container verified the undo.";
  if (data.ok) return [`${many(attempt.progress?.good ?? data.observations ?? 0, "good check")} in a row since the repair, by ${hhmmss(instant(verified.time))}.`, progress(attempt.progress)];
  return [paragraph(interrupted(attempt) ? "Interrupted" : "Failed", reason(data.error)), progress(attempt.progress)];
}
