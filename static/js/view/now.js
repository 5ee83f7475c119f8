// Is anything broken now, and what is done about it: the first two sentences.

import { h, icon } from "../dom.js";
import { status } from "../vocabulary.js";

const GLYPH = { work: ["work", "work"], hold: ["held", "warn"], wait: ["person", "warn"], call: ["person", "down"], calm: ["work", "quiet"] };

/** model: {line: {text, status}, work: {kind, text}, rest, stage, stale, map} */
export function now({ line, work, rest, stage, stale, map = null }) {
  const s = status(line.status);
  const [glyph, colour] = GLYPH[work?.kind] ?? GLYPH.calm;
  return h("section", { class: `now${stale ? " is-stale" : ""}`, key: "now", "aria-label": "Now" },
    h("div", { class: "now-say" },
      icon(stale ? "none" : s.shape, `now-glyph ${stale ? "" : s.colour}`),
      h("h1", { tabindex: "-1" }, line.text),
      work && icon(glyph, `glyph2 ${stale ? "" : colour}`),
      work && h("p", { class: `now-work ${work.kind}`, "data-stage": stage }, work.text),
      rest && h("p", { class: "now-rest" }, rest)),
    map);
}
