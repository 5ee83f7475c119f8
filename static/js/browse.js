// How the visitor looks through the services: what is typed, shown, sorted and
// in view. View and order are remembered by the browser.

import { isGrouped, SHOWS, SORTS } from "./fleet.js";

const KEY = "services";

function kept() {
  try {
    const { view = "", sort = "trouble" } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { view: view === "grid" || view === "table" ? view : "", sort: SORTS.some(([name]) => name === sort) ? sort : "trouble" };
  } catch {
    return { view: "", sort: "trouble" };
  }
}

/** `schedule` draws anew. `look` is what the visitor chose, `acts` are the buttons, `measure` is called after each render. */
export function browse(schedule) {
  const look = { text: "", show: "all", whole: false, ...kept(), order: null, busy: false, focused: "", to: "", first: 2, short: false, visible: new Set(), window: { top: 0, height: 0, width: Infinity, row: 0 } }; // its width is read with the first picture: here it would cost a layout
  const keep = () => {
    try {
      localStorage.setItem(KEY, JSON.stringify({ view: look.view, sort: look.sort }));
    } catch {
      // a private window forgets it
    }
  };
  const field = () => document.getElementById("search");
  const services = (node) => node instanceof Element && node.closest(".services");

  const clear = () => {
    const input = field();
    if (input) input.value = "";
    look.text = "";
    look.show = "all";
  };

  const sortBy = (name) => {
    look.sort = name;
    const chosen = document.getElementById("sort");
    if (chosen) chosen.value = name;
  };

  addEventListener("input", (event) => {
    if (event.target !== field()) return;
    look.text = event.target.value;
    schedule();
  });
  addEventListener("change", (event) => {
    if (event.target?.id !== "sort") return;
    look.sort = event.target.value;
    keep();
    schedule();
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "/" && !typing && field()) {
      event.preventDefault();
      field().focus();
      field().select();
    } else if (event.key === "Escape" && (event.target === field() || (!typing && services(event.target)))) {
      clear();
      if (event.target === field()) field().blur();
      schedule();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !typing && services(event.target)) step(event);
  });
  // A link of the map may lead to a group that is out of view or filtered out: it is
  // followed once the group is there, whose row stays in the document until the focus goes on.
  let waits = null;
  const leadsTo = (link) => link.getAttribute("href").slice(1);
  const isThere = (link) => document.getElementById(leadsTo(link))?.getClientRects().length > 0;
  addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest(".map a");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || isThere(link)) return;
    event.preventDefault();
    clear();
    if (!isGrouped(look.sort)) sortBy("trouble"); // for now: the browser remembers what was chosen
    look.whole = true;
    look.to = leadsTo(link);
    waits = link;
    schedule();
  });
  const step = (event) => {
    const links = [...document.querySelectorAll(".services [data-service] a")];
    const next = links[links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next || !links.includes(document.activeElement)) return;
    event.preventDefault();
    next.focus();
  };

  // Cells keep their places while a pointer or the focus is among them.
  for (const [name, inside] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]]) {
    addEventListener(name, (event) => {
      look.busy = Boolean(inside ? services(event.target) : services(event.relatedTarget) && services(event.target));
      if (name === "focusin") look.to = "";
      if (name === "focusin") look.focused = (services(event.target) && event.target.closest("[data-service]")?.dataset.service) || ""; // it stays in the document
      if (name === "focusout" && document.activeElement !== event.target) look.focused = ""; // a window without the focus keeps its active element
    }, { passive: true });
  }

  // Only what is in view needs its history.
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) look.visible.add(target.dataset.service);
      else look.visible.delete(target.dataset.service);
    }
    schedule();
  }, { rootMargin: "200px" });
  const watched = new Map();

  // Where the rows of a large fleet are: the table's, or the cells' by group.
  const place = () => {
    const before = look.window;
    const body = document.querySelector(".fleet-table tbody");
    const groups = document.querySelectorAll(".cells-of");
    if (!body && !groups.length) return false;
    const top = (node) => Math.round(node.getBoundingClientRect().top);
    const row = body ? body.querySelector("tr[data-service]")?.offsetHeight : Math.round(8 * document.querySelector(".windowed .cell")?.getBoundingClientRect().height) / 8 + 1; // zoomed, the last digits differ with the place
    const size = { height: innerHeight, width: innerWidth, row: row || before.row, columns: body ? 0 : getComputedStyle(groups[0].querySelector(".cells")).gridTemplateColumns.split(" ").length };
    look.window = { ...size, top: body ? top(body) : 0, tops: new Map([...groups].map((of) => [of.dataset.group, top(of)])) };
    const far = (at, was) => !(Math.abs(at - was) <= size.row * (body ? 2 : 1)); // or not known before
    return Object.keys(size).some((name) => size[name] !== before[name]) || far(look.window.top, before.top) || [...look.window.tops].some(([group, at]) => far(at, before.tops?.get(group)));
  };
  const moved = () => {
    if (place()) schedule();
  };
  let placing = false;
  const placed = () => { // once the browser has laid out the picture: asked for at once it would be a part of the task that drew
    if (placing) return;
    placing = true;
    requestAnimationFrame(() => setTimeout(() => {
      placing = false;
      moved();
    }));
  };
  addEventListener("scroll", moved, { passive: true });
  addEventListener("resize", moved, { passive: true });

  return {
    look,
    acts: {
      show(button) {
        look.show = SHOWS.some(([name]) => name === button.dataset.show) ? button.dataset.show : "all";
      },
      view(button) {
        look.view = button.dataset.view;
        keep();
      },
      whole() {
        look.whole = !look.whole;
      },
      clear,
    },
    /** The services in view; of a table all rows that are in the document, which are a few more. */
    shown: () => (document.querySelector(".fleet-table") ? [...watched.values()] : [...look.visible]),
    /** After a picture: what is new in it is observed, and the place of the table is known. */
    measure(root) {
      if (look.first && root.querySelector(".overview")) {
        look.first--; // of very many services the overview's first pictures are parts of it
        schedule();
      }
      if (waits && isThere(waits)) waits.click();
      waits = null;
      const now = new Set(root.querySelectorAll(".services [data-service]"));
      for (const [node, name] of watched) {
        if (now.has(node)) continue;
        seen.unobserve(node);
        watched.delete(node);
        look.visible.delete(name);
      }
      for (const node of now) {
        if (watched.has(node)) continue;
        watched.set(node, node.dataset.service);
        seen.observe(node);
      }
      placed(); // before another picture is begun
      if (look.short) schedule();
      look.short = false;
    },
  };
}
