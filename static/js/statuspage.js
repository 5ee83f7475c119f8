// The script of the public status page, which is complete without it: it shows times in
// the reader's zone, and loads the newest state each minute; where that fails, it says so.

import { dated, day, hhmm, hhmmss, iso } from "./units.js";

const EVERY = 60 * 1000;

function local(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = Date.parse(time.dateTime);
    if (!Number.isFinite(at)) continue;
    time.textContent = time.closest("[data-as-of]") ? hhmmss(at) : day(at, Date.now()) === "today" ? hhmm(at) : dated(at);
    time.title = iso(at);
  }
}

async function newest() {
  const answer = await fetch(location.href, { cache: "no-cache", signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function renew() {
  if (document.hidden) return;
  try {
    const next = await newest();
    const verdict = next.querySelector("h1")?.textContent ?? "";
    const before = document.querySelector("h1")?.textContent;
    local(next);
    document.querySelector("main").replaceWith(document.adoptNode(next.querySelector("main")));
    document.title = next.title;
    document.querySelector("link[rel=icon]").setAttribute("href", next.querySelector("link[rel=icon]").getAttribute("href"));
    if (verdict !== before) document.getElementById("changed").textContent = verdict;
  } catch {
    const said = document.querySelector("[data-as-of]");
    if (said?.classList.contains("lost")) return;
    said?.classList.add("lost");
    said?.append(". Newer data could not be fetched.");
  }
}

local(document);
setInterval(renew, EVERY);
addEventListener("online", renew);
document.addEventListener("visibilitychange", renew);
