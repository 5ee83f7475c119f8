// What stands in for a page whose code is not there yet, or could not be loaded.

import { h } from "../dom.js";
import { loading } from "../view/bits.js";

const needs = () => [];
const title = () => "LogStream";

/** While its code is loaded. */
export const coming = {
  needs, title,
  view: () => h("main", { id: "main", key: "coming", class: "wrap page" }, h("h1", { class: "vh", tabindex: "-1" }, "Loading the page"), loading("Loading the page")),
};

/** Where its code could not be loaded. */
export const missing = {
  needs, title,
  view: () => h("main", { id: "main", key: "missing", class: "wrap page" },
    h("div", { class: "panel empty", role: "alert" },
      h("h1", { tabindex: "-1" }, "This page could not be loaded"),
      h("p", {}, "The code of this page could not be loaded. Press “Try again”. The page also tries again by itself when a lost connection is back."),
      h("button", { class: "btn", type: "button", "data-act": "load" }, "Try again"))),
};
