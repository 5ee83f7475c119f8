// What the visitor does: each button's name in data-act, and what it does.

import { post, send, text } from "./api.js";
import { ask, call, done, refused } from "./controls.js";
import { sent, settled } from "./injections.js";
import { trials } from "./trials.js";
import { reason } from "./words.js";

/**
 * The acts by name; each gets its button. `ui` is what only this page knows,
 * `state` gives what is known, `say` reaches screen readers, `invalidate` has
 * the commands loaded again.
 */
export function acts({ ui, state, reconnect, deny, schedule, say, invalidate }) {
  const failed = (of, refusal) => {
    if (refusal.status === 401) deny(refusal);
    ui.refusals.set(of, reason(refusal.message) || "LogStream did not answer. Check whether it is running, then try again.");
  };
  const remember = (id) => {
    ui.own = sent(id);
    invalidate();
    schedule();
  };
  // A result that takes longer than usual, up to a minute in all: until there is one, that is said. After that LogStream does not execute the command any more.
  const late = async (of, id) => {
    ui.refusals.set(of, RECORDED);
    schedule();
    const result = await settled(id, { pause: 1000 });
    if (result) ui.refusals.delete(of);
    else ui.refusals.set(of, NO_RESULT);
    return result;
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
    // The dialog that says what a control does, before it is done.
    ask(button) {
      const { control, of, attempt, fault } = button.dataset;
      ui.dialog = { control, name: of, attempt, fault, id: (ui.dialogs = (ui.dialogs ?? 0) + 1), step: "ask", said: "" };
    },
    close() {
      document.querySelector("dialog[open]")?.close();
    },
    // What the dialog's button does. A dialog that was closed meanwhile changes nothing.
    async control(form) {
      const of = ui.dialog;
      const asked = of?.step === "ask" && ask(state(), Date.now(), of);
      if (!asked) return;
      const given = new FormData(form);
      const values = { length: given.get("length") ?? "", reason: String(given.get("reason") ?? "").trim() };
      const show = (more) => {
        if (ui.dialog?.id === of.id) ui.dialog = { ...ui.dialog, ...more };
        invalidate();
        schedule();
      };
      show({ step: "sent", asked });
      try {
        const answer = await send(...call(state(), Date.now(), of, values));
        if (of.control === "fault") remember(String(answer?.command));
        const result = await settled(answer.command);
        if (!result) return show({ step: "failed", said: RECORDED });
        if (!result.ok) return show({ step: "failed", said: refused(result.error) });
        const said = done(state(), Date.now(), of, values);
        show({ step: "done", said });
        if (!asked.closes) return;
        say(said);
        if (ui.dialog?.id === of.id) document.querySelector("dialog[open]")?.close();
      } catch (refusal) {
        if (refusal.status === 401) deny();
        show({ step: "failed", said: reason(refusal.message) || "LogStream did not answer." });
      }
    },
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
    ...trials({ ui, deny, schedule }),
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
        const result = await settled(answer.command) ?? await late(of, answer.command);
        if (result?.ok === false) ui.refusals.set(of, refused(result.error));
        else if (result) say(DONE[command] ?? "");
      } catch (refusal) {
        failed(of, refusal);
      }
      ui.sent.delete(of);
      invalidate();
      schedule();
    },
  };
}

const RECORDED = "LogStream recorded the command but has not executed it yet. See the last commands on the page Approvals.";
const NO_RESULT = "LogStream gave no result within a minute. See the last commands on the page Approvals before you try again.";
const DONE = { approve: "Approved", deny: "Denied", undo: "Undo begun", acknowledge: "Acknowledged" };

// Copies a text, and says whether that worked. Beyond loopback and without TLS a page has no clipboard of its own.
async function clipboard(written) {
  try {
    await navigator.clipboard.writeText(written);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = written;
    (document.querySelector("dialog[open]") ?? document.body).append(field); // what is beside an open dialog cannot be selected
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

// Saves a text as a file.
function download(name, type, written) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([written], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
