// The dialog of a control: what it will do, how long and why, the button that
// does it, and then what became of it. The browser keeps the focus inside, closes
// it on Escape and gives the focus back to the button that opened it.

import { ask, follows } from "../controls.js";
import { h, icon } from "../dom.js";
import { command, copy, href } from "./bits.js";

/** model: {dialog, state, now, stale}; dialog is {control, name, attempt, fault, id, step, said}. */
export function dialog({ dialog: of, state, now, stale }) {
  const asked = of.asked ?? ask(state, now, of);
  const waits = of.step === "sent";
  const over = of.step === "done" || of.step === "failed" || !asked;
  return h("dialog", { key: `dialog-${of.id}`, class: "dialog", "aria-labelledby": "dialog-title", "aria-describedby": "dialog-says", "data-control": of.control, "data-step": of.step },
    h("form", { method: "dialog", "data-form": "control" },
      h("h2", { id: "dialog-title" }, asked?.title ?? "Nothing is left to do"),
      h("div", { id: "dialog-says", class: "dialog-says" }, over && asked ? null : asked ? asked.says.map((text) => h("p", {}, text)) : h("p", {}, "The state changed while this was open.")),
      !over && asked.command && h("p", { class: "cmdline" }, command(asked.command), copy(asked.command)),
      !over && asked.lengths && lengths(asked, waits),
      !over && asked.reason && h("label", { class: "field" }, h("span", {}, "Reason ", h("span", { class: "quiet" }, "(optional, recorded with it)")), h("input", { type: "text", name: "reason", maxlength: 500, autocomplete: "off", readonly: waits })),
      h("p", { class: `dialog-outcome ${of.step}`, role: "status" }, said(of, waits)),
      over && followed(of, state),
      h("div", { class: "btns" }, over ? null : h("button", { key: "go", class: `btn big ${asked.tone ?? "primary"}`, type: "submit", autofocus: !asked.lengths, "aria-disabled": stale || waits ? "true" : null }, icon(asked.icon), waits ? "Waiting for LogStream…" : asked.go),
        h("button", { key: "close", class: "btn big", type: "button", "data-act": "close" }, over ? "Close" : waits ? "Close, the command goes on" : "Cancel"))));
}

function said(of, waits) {
  if (waits) return "Sent. Waiting for LogStream to execute it.";
  if (of.step === "done") return [icon("check", "up"), " ", of.said];
  if (of.step === "failed") return [icon("warn", "warn"), " ", of.said];
  return "";
}

function followed(of, state) {
  const row = of.step === "done" && follows(state, of);
  return row && h("p", {}, h("a", { href: href.incident(row.id) }, "Follow its incident"));
}

function lengths({ lengths: list, length }, waits) {
  return h("fieldset", { class: "lengths", disabled: waits }, h("legend", {}, "For how long"),
    list.map(([value, text]) => h("label", { key: value }, h("input", { type: "radio", name: "length", value, checked: value === length, autofocus: value === length }), h("span", {}, text))));
}

/** A button that opens the dialog of a control. */
export function control(name, of, { text, picture, tone = "", label, stale = false, ...more }) {
  return h("button", { key: `control-${name}-${more["data-fault"] ?? ""}`, class: `btn ${tone}`.trim(), type: "button", disabled: stale, "data-act": "ask", "data-control": name, "data-of": of, "aria-haspopup": "dialog", "aria-label": label, ...more }, picture && icon(picture), h("span", {}, text));
}
