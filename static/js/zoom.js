// The part of a chart that is looked at. Pure: a view is {from, to} in
// milliseconds within bounds {from, to}, and null is the whole of them.

import { WINDOWS } from "./windows.js";

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
