// Search and filters of the list of incidents: what is typed and chosen goes to the
// address, so that it can be shared and Back leads to it. Keys: "/" searches, the
// arrows move through the rows, Enter opens one, Esc clears.

import { inside, outside } from "./base.js";
import { address, filters, narrowed } from "./listing.js";

const PAUSE = 150; // after the last key, before the list is requested (ms)

/** `schedule` draws anew. `measure` brings the fields in line with the address; it is called after each render. */
export function find(schedule) {
  const field = () => document.getElementById("find");
  const listed = () => Boolean(field());
  const here = () => inside(location.pathname).replace(/\/$/, "") === "/incidents";
  const wanted = () => filters(new URLSearchParams(location.search));
  const rows = () => [...document.querySelectorAll(".incident-row a")];
  let timer = 0; // what was typed waits to be asked for; 0: nothing does
  let toFirst = false; // the first row gets the focus after the next picture
  let stepped = false; // the address came from the browser's history: the field follows it

  // Each filter is a step of the browser's history, and so is a search: its letters
  // replace each other.
  const show = (more, typed = false) => {
    const to = outside(address(wanted(), more));
    if (to !== location.pathname + location.search) {
      if (typed && history.state?.typed) history.replaceState(history.state, "", to);
      else history.pushState(typed ? { typed } : null, "", to);
    }
    schedule();
  };
  // Applies what was typed at once; false where nothing waits.
  const apply = () => {
    if (!timer) return false;
    clearTimeout(timer);
    timer = 0;
    if (!listed() || !here()) return false;
    show({ q: field().value.trim() }, true);
    return true;
  };
  const clear = () => {
    clearTimeout(timer);
    timer = 0;
    field().value = "";
    if (narrowed(wanted())) show({ service: "", cause: "", state: "", decided_by: "", q: "" });
  };

  addEventListener("input", (event) => {
    if (!field() || event.target !== field()) return;
    clearTimeout(timer);
    timer = setTimeout(apply, PAUSE);
  });
  addEventListener("focusout", (event) => {
    if (timer && event.target === field()) apply();
  });
  addEventListener("change", (event) => {
    const name = event.target?.dataset?.filter;
    if (name) show({ [name]: event.target.value });
  });
  addEventListener("popstate", () => {
    clearTimeout(timer);
    timer = 0;
    stepped = true;
  });
  addEventListener("keydown", (event) => {
    if (!listed() || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const inField = event.target === field();
    const typing = !inField && event.target.closest?.("input, textarea, select");
    if (typing) return;
    if (event.key === "/" && !inField) {
      event.preventDefault();
      field().focus();
      field().select();
    } else if (event.key === "Escape") {
      clear();
      if (inField) field().blur();
    } else if (inField && (event.key === "Enter" || event.key === "ArrowDown") && apply()) {
      event.preventDefault();
      toFirst = true;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event, inField);
    else if (event.key === "Enter" && inField) rows()[0]?.focus();
  });
  // From the field ↓ leads to the first row, and from the first row ↑ back to the field. Without focus on either the page scrolls.
  const step = (event, inField) => {
    const all = rows();
    const place = all.indexOf(document.activeElement);
    const down = event.key === "ArrowDown";
    if (place < 0 && !inField) return;
    const next = place < 0 ? (down ? all[0] : null) : down ? all[place + 1] : all[place - 1] ?? field();
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  return {
    measure() {
      const [first, follow] = [toFirst, stepped];
      toFirst = stepped = false;
      if (!listed() || !here()) return;
      const of = wanted();
      if (first) rows()[0]?.focus();
      if ((follow || document.activeElement !== field()) && field().value.trim() !== of.q) field().value = of.q;
      for (const select of document.querySelectorAll("select[data-filter]")) if (select.value !== of[select.dataset.filter]) select.value = of[select.dataset.filter];
    },
  };
}
