// Silence: a service is left alone for a while, and observed all the same.

import { post, remove } from "./api.js";
import { h, icon } from "./dom.js";
import { outcome } from "./injections.js";
import { instant, lasting, when } from "./units.js";
import { who } from "./vocabulary.js";
import { paragraph, reason } from "./words.js";

const LENGTHS = [["10m", "10 min"], ["1h", "1 h"], ["8h", "8 h"]]; // for the API, and for people
const OURS = "from the dashboard";
const key = (name) => `silence ${name}`;

/** What the buttons do. Errors stand beside them. */
export function acts(refusals, deny, schedule) {
  const send = async (name, call) => {
    refusals.delete(key(name));
    try {
      const answer = await call(`/services/${encodeURIComponent(name)}/silence`);
      const error = answer?.command ? await outcome(answer.command) : "";
      if (error) refusals.set(key(name), reason(error));
    } catch (refusal) {
      if (refusal.status === 401) deny();
      refusals.set(key(name), reason(refusal.message));
    }
    schedule();
  };
  return {
    silence: (button) => send(button.dataset.of, (path) => post(path, { for: button.dataset.for, reason: OURS })),
    unsilence: (button) => send(button.dataset.of, remove),
  };
}

/** The panel of one service: until when it is silenced, by whom, and the buttons. */
export function panel({ ctx, service, at }) {
  if (service.managed === false || !service.container) return null;
  const until = instant(service.silenced_until);
  const silenced = until > at;
  const refusal = ctx.refusals.get(key(service.name));
  const button = (act, text, label, length) => h("button", { class: "btn", type: "button", disabled: ctx.stale, "data-act": act, "data-of": service.name, "data-for": length, "aria-label": label }, text);
  return h("section", { class: "panel pad", "aria-labelledby": "h-silence" },
    h("h2", { id: "h-silence" }, "Silence"),
    h("p", { class: "ink2 small" }, silenced
      ? [icon("mute", "quiet"), " ", paragraph(`Not repaired until ${when(until, at)}`, silencedBy(service))]
      : "LogStream goes on checking a silenced service, but does not repair it."),
    h("div", { class: "btns spaced" }, silenced
      ? button("unsilence", "End silence", `End the silence of ${service.name}`)
      : LENGTHS.map(([length, text]) => button("silence", `Silence ${text}`, `Silence ${service.name} for ${lasting(span(length))}`, length))),
    refusal && h("p", { class: "refusal", role: "alert" }, refusal));
}

const span = (length) => Number.parseInt(length, 10) * (length.endsWith("h") ? 3600e3 : 60e3);

// "Silenced by ada: a migration"; one from this page has no name and no reason.
function silencedBy({ silenced_by: by, silence_reason: why }) {
  const from = who(by);
  return from ? `Silenced by ${from}${why && why !== OURS ? `: ${why}` : ""}` : reason(why);
}
