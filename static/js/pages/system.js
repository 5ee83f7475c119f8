// LogStream itself: what it is, what it senses with, and what it is missing.

import { h, icon } from "../dom.js";
import { clock } from "../store.js";
import { lasting, many } from "../units.js";
import { modeLine, release } from "../words.js";
import { senses } from "../view/agent.js";
import { banner, byWeight } from "../view/banners.js";
import { copy, facts, loading } from "../view/bits.js";

export function needs() {
  return ["/info"];
}

export function title({ state }) {
  const n = state.info?.troubles?.length ?? 0;
  return `${n ? `(${n}) ` : ""}System · LogStream`;
}

export function view({ state, now }) {
  const { info } = state;
  if (!info) return h("main", { id: "main", key: "system", class: "wrap page" }, h("h1", { class: "vh", tabindex: "-1" }, "System"), loading());
  const at = clock(state, now);
  const troubles = byWeight(info.troubles ?? []);
  const grave = troubles.filter((trouble) => trouble.part !== "llm").length; // a model that is away stops nothing
  return h("main", { id: "main", key: "system", class: "wrap page" },
    h("header", { class: "title" }, h("div", { class: "title-say" },
      h("h1", { tabindex: "-1" }, grave ? `${many(grave, "part")} of LogStream ${grave === 1 ? "is" : "are"} in trouble` : troubles.length ? "LogStream has all that it needs but its model" : "LogStream has all that it needs"),
      h("p", {}, [modeLine(info.mode), info.held ? "Repairs are on hold on this host." : ""].filter(Boolean).join(" ")))),
    troubles.length > 0 && h("div", { class: "banners" }, troubles.map((trouble) => banner(trouble, at))),
    info.config_error && h("section", { class: "panel pad", "aria-labelledby": "h-config" }, h("h2", { id: "h-config" }, "The last edit of the configuration"), h("p", { class: "ink2 small" }, "It was not taken, nothing changed:"), h("pre", { class: "frame", tabindex: "0" }, h("code", {}, typeof info.config_error === "string" ? info.config_error : JSON.stringify(info.config_error, null, 2)))),
    h("div", { class: "two even" },
      h("section", { class: "panel pad", "aria-labelledby": "h-senses" }, h("h2", { id: "h-senses" }, "What it senses with"),
        h("dl", { class: "senses" }, senses(info).map((sense) => h("div", {}, h("dt", {}, icon(sense.icon, sense.colour, sense.ear), sense.name), h("dd", {}, sense.text, sense.code && [" ", h("code", { class: "cmd" }, sense.code), copy(sense.code)]))))),
      h("section", { class: "panel pad", "aria-labelledby": "h-self" }, h("h2", { id: "h-self" }, "This instance"),
        facts([["Version", release(info.version) || "a development build"], ["Instance", info.instance && h("code", {}, info.instance)], ["Docker host", info.host], ["Active", info.active === undefined ? "" : info.active ? "yes: it may act on this host" : "no: another instance holds this host"], ["Mode", info.mode], ["Runs for", Number.isFinite(info.uptime_s) ? lasting(info.uptime_s * 1000 + (now - state.infoAt)) : ""], ["Services", String(state.services.size)]]))));
}
