// What the visitor does: each button's name in data-act, and what it does.

import { post, text } from "./api.js";
import { clipboard, download } from "./carry.js";
import { inject, keep, outcome } from "./injections.js";
import * as silences from "./silence.js";
import { reason } from "./words.js";

/**
 * The acts by name; each gets its button. `ui` is what only this page knows,
 * `now` the time by the server's clock, `say` reaches screen readers.
 */
export function acts({ ui, now, reconnect, deny, schedule, say }) {
  const failed = (of, refusal) => {
    if (refusal.status === 401) deny();
    ui.refusals.set(of, reason(refusal.message) || "LogStream did not answer. Check whether it is running, then try again.");
  };
  const remember = (injections) => {
    ui.injections = keep(injections);
    schedule();
  };
  return {
    theme() {
      const set = document.documentElement.dataset;
      const dark = set.theme ? set.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      set.theme = dark ? "light" : "dark";
      try {
        localStorage.setItem("theme", set.theme);
      } catch {
        // a private window forgets it
      }
    },
    reconnect,
    ...silences.acts(ui.refusals, deny, schedule),
    async copy(button) {
      if (!await clipboard(button.dataset.text)) return;
      button.dataset.done = "true";
      say("Copied");
      setTimeout(() => delete button.dataset.done, 1500);
    },
    // A link could not send the token.
    async report(button) {
      const id = button.dataset.of;
      const written = await text(`/incidents/${encodeURIComponent(id)}.md`).catch(() => "");
      if (written) download(`incident-${id}.md`, "text/markdown", written);
    },
    window(button) {
      ui.windows.set(button.dataset.of, button.dataset.window);
    },
    keys() {
      ui.keys = !ui.keys;
    },
    // An operator's answer about an incident; what is sent names what was shown.
    async operate(button) {
      const { of, command, request, attempt } = button.dataset;
      const why = command === "approve" || command === "deny" ? document.getElementById(`why-${of}`)?.value.trim() : "";
      const body = { ...(why && { reason: why }), ...(request && { request: Number(request) }), ...(attempt && { attempt: Number(attempt) }) };
      ui.refusals.delete(of);
      ui.sent.set(of, { command });
      try {
        const answer = await post(`/incidents/${encodeURIComponent(of)}/${command}`, body);
        const error = await outcome(answer.command, { pause: 200, tries: 50 });
        if (error) ui.refusals.set(of, reason(error.replace(`${command}: `, "")));
        else say(DONE[command] ?? "");
      } catch (refusal) {
        failed(of, refusal);
      }
      ui.sent.delete(of);
      schedule();
    },
    async chaos(button) {
      const { of, fault } = button.dataset;
      ui.refusals.delete(of);
      try {
        const injection = await inject(of, fault, now());
        remember([...ui.injections, injection]);
        const error = await outcome(injection.id);
        if (error) remember(ui.injections.map((known) => (known.id === injection.id ? { ...known, error } : known)));
      } catch (refusal) {
        failed(of, refusal);
      }
      schedule();
    },
  };
}

const DONE = { approve: "Approved", deny: "Denied", undo: "Undo begun", acknowledge: "Acknowledged" };
