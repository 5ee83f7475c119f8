// When the page is drawn, and what of the reader's place stays over that. It is drawn at
// most once a frame of the browser. Where that draws none, because the tab is hidden, the
// title and what is known still follow, each second.

/**
 * `take` takes in what came, `render` draws. `schedule` has both done with the next
 * frame; `soon` as well, or where apart() says so, at least so many milliseconds after
 * the picture before: what a person does never waits, what comes by itself may. Where
 * pictures are apart, for there is much to draw, each of the two is a task of its own.
 */
export function pictures({ take, render, apart }) {
  let frame = 0;
  let drawing = 0;
  let instead = 0;
  let waits = 0;
  let drawn = 0;
  const draws = () => {
    cancelAnimationFrame(frame);
    clearTimeout(instead);
    clearTimeout(waits);
    frame = waits = 0;
    drawn = Date.now();
    take();
    if (!apart() || globalThis.document?.hidden) render(); // a hidden tab's timers are slow enough
    else drawing ||= setTimeout(() => {
      drawing = 0;
      render();
      drawn = Date.now(); // what follows is apart from the end of it
    });
  };
  const schedule = () => {
    if (frame) return;
    frame = requestAnimationFrame(draws);
    instead = setTimeout(draws, 1000);
  };
  return {
    schedule,
    soon() {
      const left = drawn + apart() - Date.now();
      if (left <= 0) schedule();
      else waits ||= setTimeout(schedule, left);
    },
  };
}

/** What grows at its end scrolls with it, where the reader is at its end. Call what it gives after the redraw. */
export function ends(root) {
  const atEnd = new Set([...root.querySelectorAll("[data-follow]")].filter((node) => node.scrollHeight - node.scrollTop - node.clientHeight < 8));
  return () => {
    for (const node of atEnd) if (node.isConnected && node.dataset.follow !== undefined) node.scrollTop = node.scrollHeight;
  };
}

/**
 * Opens a new dialog. What had the focus before the redraw and is gone leaves it
 * to what takes its place: what it names itself in data-focus-next, the dialog's
 * last button, or the page's heading. What only was moved has it again.
 */
export function focus(root, before) {
  const open = root.querySelector("dialog");
  if (open && !open.open) open.showModal();
  if (!before || before === document.body) return;
  if (before.isConnected) {
    if (document.activeElement === document.body) before.focus({ preventScroll: true });
    return;
  }
  const next = !open && before.dataset?.focusNext;
  ((next && root.querySelector(next)) || (open?.querySelector("[data-act=close]") ?? root.querySelector("h1[tabindex]")))?.focus({ preventScroll: true });
}
