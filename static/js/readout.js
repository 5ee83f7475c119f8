// What a chart says of the instant under the pointer, or under the keyboard's
// mark: the same words for both.

import { dated, hhmm, hhmmss, took } from "./units.js";
import { status } from "./vocabulary.js";

const HOUR = 60 * 60 * 1000;
const NEAR = 7; // pixels to a mark

/** The lines about a point, or about a gap where it is null. */
export function lines(point, at, { view, outages }, slack = 0) {
  const stamp = view.to - view.from > 36 * HOUR ? dated : view.to - view.from > 2 * HOUR ? hhmm : hhmmss;
  const list = [[stamp(point?.t ?? at), "time"]];
  if (!point) list.push(["no data", ""]);
  else if (point.high === null) list.push([status(point.status).word, "state"]);
  else if (point.high > point.low) list.push([`${took(point.ms)} median`, "main"], [`${took(point.low)} to ${took(point.high)}${point.n > 1 ? `, ${point.n} checks` : ""}`, ""]);
  else list.push([took(point.ms), "main"], [point.status === "UP" || !point.status ? "" : status(point.status).word, "state"]);
  const o = outages.find((one) => at >= one.from - slack && at <= Math.max(one.back, one.acted) + slack);
  if (o) list.push([`Down ${stamp(o.from)}, ${took(o.back - o.from)}`, "state"], [o.repaired ? `${o.did || "repaired"} by LogStream at ${hhmmss(o.acted)}` : "", "work"]);
  return list.filter(([said]) => said);
}

/** A box over the plot of u. */
export function readout(u) {
  const box = document.createElement("div");
  box.className = "readout";
  box.hidden = true;
  u.over.append(box);
  let shown = [];
  return {
    show(of, { columns, model }) {
      const { left, idx } = u.cursor;
      box.hidden = !(left >= 0) || idx === null || !columns.t.length;
      if (box.hidden) return;
      const at = u.posToVal(left, "x") * 1000;
      const slack = (u.posToVal(NEAR, "x") - u.posToVal(0, "x")) * 1000;
      shown = lines(columns.of[idx], at, model, slack);
      box.replaceChildren(...shown.map(([said, kind]) => {
        const p = document.createElement("p");
        p.textContent = said;
        if (kind) p.className = `readout-${kind}`;
        return p;
      }));
      const width = box.offsetWidth;
      const x = left + 14 + width > u.over.clientWidth ? left - 14 - width : left + 14;
      box.style.transform = `translate(${Math.round(Math.max(0, x))}px, 10px)`;
    },
    said: () => shown.map(([said]) => said).join(", "),
  };
}
