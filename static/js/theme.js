// Runs before the first paint and before the page's modules.

// No page flashes in the other theme: the one wanted for in the address
// (?theme=dark) or kept here, else the system's.
(() => {
  const wanted = new URLSearchParams(location.search).get("theme");
  let kept = null;
  try {
    kept = localStorage.getItem("theme");
  } catch {
    // a private window keeps nothing
  }
  const theme = wanted ?? kept;
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
})();

// A page whose code or style could not be fetched, because LogStream restarts or the
// network changes just then, tries again by itself: a few times, and slower.
(() => {
  let failed = false;
  addEventListener("error", ({ target }) => {
    if (target instanceof HTMLScriptElement ? target.async : target.rel !== "stylesheet") return; // the page works without early.js, which is async
    failed = true;
    let tries = 5;
    try {
      tries = Number(sessionStorage.getItem("tries") ?? 0);
      sessionStorage.setItem("tries", String(tries + 1));
    } catch {
      // nothing is kept here, so it is not tried for ever either
    }
    if (tries < 5) setTimeout(() => location.reload(), 500 * 2 ** tries);
  }, true);
  addEventListener("load", () => {
    if (failed) return; // what is loaded without its style, say, is loaded again, and that counts
    try {
      sessionStorage.removeItem("tries");
    } catch {
      // nothing is kept here
    }
  });
})();
