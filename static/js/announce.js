// What is said of the page outside of it: to screen readers, and by its icon.

import { outside } from "./base.js";
import { phrase } from "./vocabulary.js";

const PAUSE = 5000; // between two sentences

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
      for (const { id, service, approval } of rows) {
        if (!approval || announced.has(`${id} ${approval.request}`)) continue;
        announced.add(`${id} ${approval.request}`);
        alert.textContent = `Approval needed: ${phrase(approval.action, service)}.`;
      }
      const spoken = [summary?.line.text, summary?.work?.still].filter(Boolean).join(". ");
      if (summary && now - saidAt >= PAUSE && spoken !== status.textContent) say(spoken);
    },
  };
}

/** Shows the page's icon: what waits for a person first, then what is done, then what is down. */
export function icon({ line, work, first }, waits) {
  const open = first && first.stage !== "resolved";
  const name = waits || work?.kind === "wait" ? "wait" : open && work?.kind === "work" ? "work" : line.status === "DOWN" ? "down" : "up";
  const link = document.querySelector("link[rel=icon]");
  const address = outside(`/icons/${name}.svg`);
  if (link.getAttribute("href") !== address) link.setAttribute("href", address);
}

/** The colour of the number of open incidents is the headline's: no red under a green one. */
export function weight({ line, work }) {
  return line.status === "DOWN" ? "down" : ["wait", "hold", "call"].includes(work?.kind) ? "warn" : "work";
}
