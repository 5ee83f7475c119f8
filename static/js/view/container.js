// The container of a service: its state, and how much of its limits it uses.

import { h } from "../dom.js";
import { bytes, instant, many, percent, when } from "../units.js";
import { capital } from "../vocabulary.js";
import { paragraph, reason, repaired } from "../words.js";
import { facts, time } from "./bits.js";

/** `answer` is that of GET …/container, `rows` are the service's incidents. */
export function container({ detail, answer, mode, rows, at }) {
  const c = detail.container;
  if (!c) return h("section", { class: "panel pad", "aria-labelledby": "h-container" }, h("h2", { id: "h-container" }, "Container"), h("p", { class: "ink2 small" }, "No container is configured: LogStream cannot repair this service or show its log."));
  const is = answer?.value;
  const heal = detail.config?.heal?.mode || mode;
  return h("section", { class: "panel pad", "aria-labelledby": "h-container" }, h("h2", { id: "h-container" }, "Container"),
    answer?.refusal && h("p", { class: "ink2 small" }, reason(answer.refusal.message)),
    facts([
      ["State", is && state(is, at)],
      ["Name", c.name],
      ["Image", is?.image || c.image],
      ["Id", c.id && h("code", {}, String(c.id).slice(0, 12))],
      ["Memory", is?.use ? memory(is) : is?.memory_limit ? `limit ${bytes(is.memory_limit)}` : ""],
      ["CPU", is?.use ? cpu(is) : is?.cpu_limit ? `limit ${cores(is.cpu_limit)}` : ""],
      ["Processes", is?.use?.pid_limit ? `${is.use.pids} of ${is.use.pid_limit}` : ""],
      ["Restarts", is && restarts(is, rows)],
      ["Networks", is?.networks?.length > 0 && is.networks.map((network, i) => [i ? ", " : "", network.name, network.address && `, ${network.address}`])],
      ["Seen running", c.ran === undefined ? "" : c.ran ? "yes" : "no: LogStream has not seen this container running"],
      ["Repair mode", heal],
      ["Defined by", detail.discovered ? "discovery" : ""],
    ]),
    detail.discovered && detail.config?.heal?.mode === "observe" && h("p", { class: "ink2 small" }, "Not repaired. To allow repairs, recreate the container with the label ", h("code", { class: "cmd nowrap" }, "logstream.heal: auto"), "."));
}

function state(is, at) {
  const since = instant(is.state === "running" || is.state === "paused" ? is.started_at : is.finished_at);
  const ended = is.state === "exited" || is.state === "dead";
  const more = [is.health && `HEALTHCHECK ${is.health}`, ended && `exit code ${is.exit_code}`, ended && is.oom_killed && "killed: out of memory (OOM)"].filter(Boolean).join(", ");
  return [capital(is.state), since > 0 && [" since ", time(since, when(since, at))], more && `, ${more}`, is.error && h("p", { class: "ink2" }, reason(is.error))];
}

function memory({ use, memory_limit: limit }) {
  return limit ? [`${bytes(use.memory)} of ${bytes(limit)} (${percent(use.memory / limit, 0)})`, bar(use.memory / limit)] : `${bytes(use.memory)}, no limit`;
}

const figure = (n) => (n < 0.995 ? n.toFixed(2) : String(Number(n.toFixed(1))));
const cores = (n) => `${figure(n)} ${n === 1 ? "core" : "cores"}`;

function cpu({ use, cpu_limit: limit }) {
  const held = use.throttled >= 0.01 ? `, throttled in ${percent(use.throttled, 0)} of the periods` : "";
  return limit ? [`${figure(use.cpus)} of ${cores(limit)}${held}`, bar(use.cpus / limit)] : `${cores(use.cpus)}, no limit`;
}

function restarts(is, rows) {
  const ours = rows.filter((row) => repaired(row) && RESTARTS.has(row.action)).length;
  const policy = is.restart_policy === "no" ? "none" : `${is.restart_policy}${is.restart_limit ? `, at most ${many(is.restart_limit, "try", "tries")}` : ""}`;
  return `${ours} by LogStream, ${is.restart_count} by Docker’s restart policy (${policy})`;
}

const RESTARTS = new Set(["start", "restart", "kill_start", "recreate"]);

const bar = (share) => h("svg", { class: `use${share > 0.9 ? " is-high" : ""}`, viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" }, h("rect", { class: "use-all", width: 100, height: 4 }), h("rect", { class: "use-part", width: Math.min(100, Math.max(0, share * 100)).toFixed(1), height: 4 }));
