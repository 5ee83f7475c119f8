// The banner on every page while all repairs of the host are on hold.

import { isHeld } from "../controls.js";
import { h, icon } from "../dom.js";
import { instant, lasting, when } from "../units.js";
import { whoFirst } from "../vocabulary.js";
import { paragraph, reason } from "../words.js";
import { time } from "./bits.js";
import { control } from "./dialog.js";

export { isHeld };

/** model: {info, rows, at, viewer, stale} */
export function holdBanner({ info, rows, at, viewer, stale }) {
  if (!isHeld(info, at)) return null;
  const until = instant(info.held_until);
  const waits = rows.filter((row) => row.state === "open" && row.held === "hold").length;
  const why = info.held_reason ? `: ${info.held_reason}` : "";
  return h("section", { class: "holdbar", key: "holdbar", "aria-label": "Repairs are on hold" }, h("div", { class: "wrap" },
    icon("held", "warn"),
    h("div", { class: "holdbar-say" },
      h("p", {}, h("b", {}, `All repairs on host ${info.host || "local"} are on hold `, Number.isFinite(until) ? ["until ", time(until, when(until, at))] : "until they are released", "."),
        Number.isFinite(until) && h("span", { class: "quiet-on" }, ` ${lasting(until - at)} left.`)),
      h("p", { class: "holdbar-why" }, paragraph(info.held_by ? `${whoFirst(info.held_by)} put them on hold${why}` : reason(info.held_reason), waits ? `${waits === 1 ? "1 repair waits" : `${waits} repairs wait`}` : "", "Checks go on"))),
    !viewer && control("release", "*", { text: "Release", picture: "play", label: "Release the hold", stale })));
}
