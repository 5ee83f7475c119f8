// Where LogStream itself is in trouble: what is wrong and since when, what
// still works, what is on hold, and what mends it. The worst stands first and
// whole, the others fold under it.

import { h, icon } from "../dom.js";
import { instant, when } from "../units.js";
import { capital, part, PART_ORDER } from "../vocabulary.js";
import { bare, sentence } from "../words.js";
import { copy, facts } from "./bits.js";

/** Troubles, the worst first. */
export function byWeight(troubles) {
  const weight = (t) => (PART_ORDER.indexOf(t.part) + PART_ORDER.length) % PART_ORDER.length;
  return [...troubles].sort((a, b) => weight(a) - weight(b));
}

/** "the container engine is away: connection refused" as a headline and the rest. */
export function headline(trouble) {
  const what = bare(trouble.what);
  if (!what) return { head: part(trouble.part).headline, rest: "" };
  const cut = what.indexOf(": ");
  return cut < 0 ? { head: capital(what), rest: "" } : { head: capital(what.slice(0, cut)), rest: sentence(what.slice(cut + 2)) };
}

/** A sentence in which commands stand apart: between backticks, or in brackets where they look like one. */
export function pieces(text) {
  const list = [];
  let from = 0;
  for (const found of String(text ?? "").matchAll(/`([^`]+)`|\(((?:sudo|docker|ollama|logstream|ulimit|kill|systemctl|make|go)\s[^()]+)\)/g)) {
    list.push({ text: text.slice(from, found.index) }, { command: found[1] ?? found[2] });
    from = found.index + found[0].length;
  }
  list.push({ text: String(text ?? "").slice(from) });
  const whole = list.length === 1 && /^(?:sudo|docker|ollama|logstream|ulimit|systemctl)\s\S[^,;]*[^.,;]$/.test(list[0].text);
  return whole ? [{ command: list[0].text }] : list.filter((piece) => piece.command || piece.text);
}

/** What mends something, its commands apart and to be copied. */
export function mends(text) {
  return pieces(text).map((piece) => (piece.command ? h("span", { class: "mends" }, h("code", { class: "cmd" }, piece.command), copy(piece.command)) : piece.text));
}

/** One trouble, whole. */
export function banner(trouble, now) {
  const { head, rest } = headline(trouble);
  const since = instant(trouble.since);
  const name = `${head}${Number.isFinite(since) ? ` since ${when(since, now)}` : ""}`;
  if (trouble.part === "llm") return calm(trouble, name, rest);
  return h("section", { class: "banner hold", key: `trouble-${trouble.part}`, "data-trouble": trouble.part, "aria-label": name },
    icon(part(trouble.part).icon),
    h("div", {}, h("h2", {}, name), rest && h("p", {}, rest)),
    facts([["Still works", capital(bare(trouble.works))], ["On hold", capital(bare(trouble.on_hold))], ["Mends it", mended(trouble)]], "banner-facts"));
}

// A model that is away stops nothing, and says nothing about the other parts.
function calm(trouble, name, rest) {
  return h("section", { class: "banner calm", key: `trouble-${trouble.part}`, "data-trouble": trouble.part, "aria-label": name },
    icon(part(trouble.part).icon),
    h("div", {}, h("h2", {}, name), h("p", {}, [rest, "The runbook decides in its place."].filter(Boolean).join(" "))),
    trouble.mend && h("p", { class: "banner-mend" }, h("span", { class: "vh" }, "Mends it: "), mended(trouble)));
}

const mended = (trouble) => (trouble.mend ? mends(capitalPiece(trouble.mend)) : "");

function capitalPiece(text) {
  return pieces(text)[0]?.command ? text : capital(text);
}

/** All of them, for the overview. */
export function banners(troubles, now) {
  const [worst, ...others] = byWeight(troubles ?? []);
  if (!worst) return null;
  return h("div", { class: "banners", key: "banners", role: "region", "aria-label": worst.part === "llm" ? "About LogStream’s model" : "LogStream itself is in trouble" },
    banner(worst, now),
    others.length > 0 && h("details", { class: "more-troubles" }, h("summary", {}, `And ${others.length} more: ${others.map((t) => headline(t).head).join("; ")}`), others.map((t) => banner(t, now))));
}
