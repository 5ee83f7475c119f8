// Add a service: fill in what is known, have it checked once, and paste the lines
// into config.yaml. Nothing is saved here, so that the file stays the one place
// that says what is monitored.

import { h, icon } from "../dom.js";
import { blame, FIELDS } from "../trials.js";
import { latency } from "../units.js";
import { capital, status } from "../vocabulary.js";
import { reason } from "../words.js";
import { copy, crumbs, facts, loading, nothing } from "../view/bits.js";

export function needs() {
  return [];
}

export function title() {
  return "Add a service · LogStream";
}

export function view(ctx) {
  const { state, viewer, stale } = ctx;
  const trial = ctx.trial ?? {};
  const way = crumbs([["Overview", "/"]], "Add a service");
  const head = h("header", { class: "title" }, h("div", { class: "title-say" },
    h("h1", { tabindex: "-1" }, "Add a service"),
    h("p", {}, "Fill in what you know, test it, then paste the lines into config.yaml. LogStream reads the file as soon as it is saved.")));
  if (state.seq === null) return h("main", { id: "main", key: "add", class: "wrap page" }, way, head, loading());
  if (viewer) return h("main", { id: "main", key: "add", class: "wrap page" }, way, head, nothing("Only an operator can test a service", "A test connects from the machine that LogStream runs on."));
  const [wrong, why] = blame(trial.refusal || trial.linesRefusal);
  return h("main", { id: "main", key: "add", class: "wrap page" }, way, head,
    h("div", { class: "two" },
      h("form", { class: "panel pad add", "data-form": "add", novalidate: true },
        h("div", { class: "fields" }, FIELDS.map((of) => field(of, { wrong: wrong === of.name && why, taken: of.name === "name" && state.services.has(trial.name ?? "") }))),
        known(state),
        h("div", { class: "btns" },
          h("button", { class: "btn big primary", type: "submit", "aria-disabled": stale || trial.testing ? "true" : null }, icon("play"), trial.testing ? "Testing…" : "Test it now"),
          h("p", { class: "quiet small" }, "One check from this machine. Nothing is saved."))),
      h("div", { class: "stack" }, result(trial, wrong), lines(trial, wrong))));
}

function field({ name, label, optional, wide, list, mono, example, hint }, { wrong, taken }) {
  const id = `add-${name}`;
  const said = wrong ? reason(wrong) : taken ? "A service with this name exists already: choose another one." : "";
  return h("div", { key: name, class: `field${wide ? " wide" : ""}` },
    h("label", { for: id }, label, optional && h("span", { class: "quiet" }, " (optional)")),
    h("input", { id, name, type: "text", list, class: mono ? "mono" : null, placeholder: example, autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: !optional, maxlength: 2000, "aria-invalid": said ? "true" : null, "aria-describedby": [hint && `${id}-hint`, said && `${id}-wrong`].filter(Boolean).join(" ") || null }),
    said && h("p", { class: "field-wrong", id: `${id}-wrong`, role: "alert" }, icon("warn"), " ", said),
    hint && h("p", { class: "quiet small", id: `${id}-hint` }, hint));
}

// What other services have, to choose from.
function known(state) {
  const services = [...state.services.values()];
  const list = (id, values) => h("datalist", { id }, [...new Set(values.filter(Boolean))].sort().map((value) => h("option", { value })));
  return [list("known-containers", services.map((service) => service.container?.name)), list("known-groups", services.map((service) => service.group))];
}

function result({ probe, refusal, testing }, wrong) {
  return h("section", { class: "panel pad", "aria-labelledby": "h-test" }, h("h2", { id: "h-test" }, "The test"),
    h("div", { role: "status", class: "test" },
      testing ? h("p", { class: "ink2" }, "Checking. Waiting for the answer.")
        : refusal ? h("p", { class: "field-wrong" }, icon("warn"), " ", wrong ? "Not tested: a field is wrong." : reason(refusal))
          : probe ? shown(probe) : h("p", { class: "ink2" }, "Not tested yet.")));
}

function shown(probe) {
  const s = status(probe.status);
  const ms = latency(probe.latency_ms);
  const would = { UP: "It would be up", DEGRADED: "It would be degraded", DOWN: "It would be down", UNKNOWN: "The check could not be made" }[probe.status] ?? s.word;
  const took = ms ? `${probe.code ? `${probe.code} in ` : "Answered in "}${ms[0]} ${ms[1]}` : probe.code ? String(probe.code) : "";
  return [
    h("p", { class: "test-word", "data-probe": probe.status }, icon(s.shape, s.colour), " ", h("b", {}, [would, probe.status === "UP" && took].filter(Boolean).join(": "), ".")),
    probe.error && h("p", { class: "ink2" }, reason(probe.error)),
    facts([["Address", h("code", {}, probe.url)], ["Check", probe.check], ["Took", probe.status === "UP" ? "" : took], ...(probe.detail ?? []).map(({ key, value }) => [capital(key), String(value).replace(/\b(\d+(?:\.\d+)?)(µs|ms|s)\b/g, "$1 $2")])]),
  ];
}

function lines({ lines: text, linesRefusal }, wrong) {
  return h("section", { class: "panel pad", "aria-labelledby": "h-lines" },
    h("div", { class: "panel-head" }, h("h2", { id: "h-lines" }, "For config.yaml"), text && h("span", { class: "end" }, copy(text, "Copy"))),
    text ? h("pre", { class: "frame", tabindex: "0", role: "region", "aria-label": "Lines for config.yaml", "data-lines": "true" }, h("code", {}, text))
      : h("p", { class: "ink2 small", role: "status" }, linesRefusal ? (wrong ? "The lines appear once the field is right." : reason(linesRefusal)) : "The lines appear once a name and an address, or a container, are given."),
    text && h("p", { class: "quiet small taken" }, "Paste them below ", h("code", { class: "cmd" }, "services:"), ", two spaces deep. What is left out has its default."));
}
