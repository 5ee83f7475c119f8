// The form for the access token, where one is needed.

import { h } from "../dom.js";

export function needs() {
  return [];
}

export function title() {
  return "Access · LogStream";
}

export function view({ wrong }) {
  return h("main", { id: "main", key: "access", class: "wrap page" },
    h("form", { class: "panel pad access", "data-form": "token" },
      h("h1", { tabindex: "-1" }, "Enter the access token"),
      h("p", { class: "ink2" }, "It is ", h("code", { class: "cmd" }, "dashboard.token"), " in config.yaml. This tab keeps it until you close it."),
      h("label", {}, "Token", h("input", { type: "password", name: "token", required: true, autocomplete: "current-password", "aria-invalid": wrong ? "true" : null, "aria-describedby": wrong ? "token-wrong" : null })),
      wrong && h("p", { class: "down", id: "token-wrong", role: "alert" }, "This token was not accepted."),
      h("button", { class: "btn primary", type: "submit" }, "Open the dashboard")));
}
