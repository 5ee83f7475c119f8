// When the page is drawn: at most once a frame of the browser. Where that draws none,
// because the tab is hidden, the title and what is known still follow, each second.

/**
 * `render` draws. `schedule` has it done with the next frame; `soon` as well, or where
 * apart() says so, at least so many milliseconds after the picture before: what a
 * person does never waits, what comes by itself may.
 */
export function pictures(render, apart) {
  let frame = 0;
  let instead = 0;
  let waits = 0;
  let drawn = 0;
  const draws = () => {
    cancelAnimationFrame(frame);
    clearTimeout(instead);
    clearTimeout(waits);
    frame = waits = 0;
    drawn = Date.now();
    render();
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
