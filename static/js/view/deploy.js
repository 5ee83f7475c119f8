// What became of a service's newest image, and what would have been repaired in
// mode observe: two lines of the service's page.

import { h } from "../dom.js";
import { instant, latency, lasting, when } from "../units.js";
import { time } from "./bits.js";

const because = {
  error_rate: ({ before, after }) => `${rate(after)} of its checks fail, before it ${rate(before)}`,
  latency: ({ before, after }) => `95 % of its checks take up to ${ms(after)}, before it ${ms(before)}`,
  exits: ({ before, after }) => `its container ended ${times(after.exits)} by itself, before it ${times(before.exits)}`,
  new_errors: ({ logs }) => `its log has ${messages(logs?.new)} that it did not have before${logs?.example ? `, such as “${logs.example}”` : ""}`,
  down: () => "the service is DOWN",
  rolled_back: () => "LogStream rolled the image back",
};

const rate = (figures) => `${figures.checks ? Math.round((100 * figures.bad) / figures.checks) : 0} %`;
const ms = (figures) => latency(figures.p95_ms)?.join(" ") ?? "no time";
const messages = (n) => (n === 1 ? "one error message" : `${n ?? "new"} error messages`);
const times = (n) => (n === 1 ? "once" : `${n} times`);

/** "Image web:2 since 14:02: bad, 40 % of its checks fail, before it 0 %." */
export function updateLine(update, container, at) {
  if (!update) return null;
  const since = instant(update.since);
  const gone = container?.image_id && container.image_id !== update.image_id;
  return h("p", { class: "small", "data-update": update.verdict }, gone ? "Last update: image " : "Image ", h("code", { class: "cmd" }, update.image), gone ? " at " : " since ", time(since, when(since, at)), `: ${verdict(update, at)}`);
}

function verdict(update, at) {
  switch (update.verdict) {
    case "watching": return `compared with the image before for ${lasting(Math.max(0, instant(update.until) - at))} more.`;
    case "good": return "as good as the image before.";
    default: {
      const why = (update.reasons ?? []).map((reason) => because[reason]?.(update)).filter(Boolean);
      return `bad: ${[...why, update.failing_before && "the service failed before its image changed already"].filter(Boolean).join("; ")}.`;
    }
  }
}

/** "LogStream would have acted 14 times, right 14 times. To let it: heal: {mode: auto}" */
export function trustLine(trust, mode) {
  if (!trust || mode !== "observe") return null;
  return h("p", { class: "small", "data-trust": `${trust.right}/${trust.would}` }, `LogStream would have acted ${times(trust.would)}, right ${times(trust.right)}. To let it repair this service, write in config.yaml: `, h("code", { class: "cmd nowrap" }, "heal: {mode: auto}"));
}
