// What is said of the page outside of it: to screen readers, and by its icon.

import { outside } from "./base.js";
import { names } from "./units.js";
import { phrase, status } from "./vocabulary.js";

const PAUSE = 5000; // between two sentences
const NAMED = 5; // requests that come at once; of more their number is said

/**
 * One sentence at a time for screen readers, with pauses between them; a request
 * for approval at once, and once. `status` and `alert` are the live regions.
 */
export function announcer(status, alert) {
  const announced = new Set();
  let saidAt = 0;
  const say = (what) => {
    status.textContent = what;
    saidAt = Date.now();
  };
  return {
    say,
    /** `summary` is the headline with what is done about it; null before anything is known. */
    announce(rows, summary, now) {
      const key = ({ id, approval }) => `${id} ${approval.request}`;
      const asked = rows.filter((row) => row.approval && !announced.has(key(row)));
      for (const row of asked) announced.add(key(row));
      if (asked.length) alert.textContent = `Approval needed: ${names(asked.map(({ service, approval }) => phrase(approval.action, service)), NAMED)}.`; // in one sentence: a second one would overwrite the first
      const spoken = [summary?.line.text, summary?.work?.still].filter(Boolean).join(". ");
      if (summary && now - saidAt >= PAUSE && spoken !== status.textContent) say(spoken);
    },
  };
}

/** Shows the page's icon: what waits for a person first, then what is done, then how the services are, as the headline's mark has it. */
export function icon({ line, work, first }, waits) {
  const open = first && first.stage !== "resolved";
  const name = waits || work?.kind === "wait" ? "wait" : open && work?.kind === "work" ? "work" : status(line.status).shape;
  const link = document.querySelector("link[rel=icon]");
  const address = outside(`/icons/${name}.svg`);
  if (link.getAttribute("href") !== address) link.setAttribute("href", address);
}

/** The colour of the number of open incidents is the headline's: no red under a green one. */
export function weight({ line, work }) {
  return line.status === "DOWN" ? "down" : ["wait", "hold", "call"].includes(work?.kind) ? "warn" : "work";
}
