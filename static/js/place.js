// Where the reader is, over a redraw: the focus, the end of what is scrolled.

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
