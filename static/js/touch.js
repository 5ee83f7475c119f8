// Zoom by a finger: a horizontal drag over the chart selects, a vertical one scrolls
// the page. That is decided by touch-action in style.css: the browser takes the
// vertical drag, and says so with pointercancel. The mouse and the pen are uPlot's.

/** Follows fingers on the plot of u. A selection wider than `least` pixels reaches u's hook setSelect, as that of a mouse does; a tap shows what stands there. */
export function touch(u, least) {
  let finger = null; // {id, from}
  let tapped = false; // what stands there is shown, and no pointer has come since
  const at = ({ clientX }) => {
    const { left, width } = u.over.getBoundingClientRect();
    return Math.min(width, Math.max(0, clientX - left));
  };
  const mark = (from, to, over = false) => u.setSelect({ left: Math.min(from, to), width: Math.abs(to - from), top: 0, height: u.over.clientHeight }, over);
  const follow = (kind, does) => u.over.addEventListener(kind, (event) => event.pointerId === finger?.id && does(event));
  const none = () => {
    finger = null;
    mark(0, 0);
  };
  u.over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    if (finger) none(); // a second finger
    else if (event.isPrimary) finger = { id: event.pointerId, from: at(event) };
  });
  follow("pointermove", (event) => mark(finger.from, at(event)));
  follow("pointercancel", none);
  follow("pointerup", (event) => {
    const { from } = finger;
    finger = null;
    const to = at(event);
    if (Math.abs(to - from) >= least) return mark(from, to, true);
    mark(0, 0);
    u.setCursor({ left: to, top: u.over.clientHeight / 2 }); // however long it stayed: a browser moves its mouse to a short tap alone
    tapped = true;
    document.addEventListener("pointerdown", ({ target }) => {
      tapped = false;
      if (!u.over.contains(target)) u.setCursor({ left: -1, top: -1 });
    }, { once: true, capture: true });
  });
  // A mouse that lies elsewhere takes nothing from the finger: a browser sends its mouse back there a moment after the tap.
  u.over.addEventListener("mouseleave", (event) => tapped && event.stopImmediatePropagation(), { capture: true });
  u.over.addEventListener("pointermove", (event) => { tapped &&= event.pointerType === "touch"; });
}
