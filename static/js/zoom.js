// How far back a chart can go, and the part of it that is looked at. Pure: a view is {from, to} in
// milliseconds within bounds {from, to}, and null is the whole of them.

/** The API's name, the button's text, and milliseconds. */
export const WINDOWS = [["15m", "15 min", 15], ["1h", "1 h", 60], ["6h", "6 h", 360], ["24h", "24 h", 1440], ["7d", "7 d", 10080], ["30d", "30 d", 43200]].map(([id, text, minutes]) => [id, text, minutes * 60e3]);

const LEAST = 10e3; // below it a chart of single checks says no more

/** A view within its bounds, as long as it was where that is possible; null where it is the whole. */
export function within({ from, to }, bounds) {
  const whole = bounds.to - bounds.from;
  const length = Math.min(whole, Math.max(Math.min(LEAST, whole), to - from));
  if (length >= whole * 0.995) return null;
  const begin = Math.min(Math.max(from - Math.max(0, (length - (to - from)) / 2), bounds.from), bounds.to - length);
  return { from: begin, to: begin + length };
}

/** Twice as near, or half; what is at `around` stays where it is. */
export function scaled(view, bounds, factor, around) {
  const { from, to } = view ?? bounds;
  const at = around >= from && around <= to ? around : (from + to) / 2;
  return within({ from: at - (at - from) / factor, to: at + (to - at) / factor }, bounds);
}

/** Moved by a share of its length. */
export function moved(view, bounds, share) {
  if (!view) return null;
  const by = (view.to - view.from) * share;
  return within({ from: view.from + by, to: view.to + by }, bounds);
}

/** The shortest window that has a view whole, for there a point stands for the least time. */
export function finest(view, now, chosen) {
  if (!view) return chosen;
  return WINDOWS.find(([, , length]) => length <= chosen[2] && now - view.from <= length) ?? chosen;
}
