// Numbers and times as a person reads them. Pure; times are milliseconds
// since the epoch, durations are milliseconds.

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** An instant of the contract (RFC 3339, or seconds since the epoch) in milliseconds, or NaN. */
export function instant(value) {
  if (typeof value === "number") return value < 1e11 ? value * SECOND : value;
  return typeof value === "string" ? Date.parse(value) : NaN;
}

/** A duration in a report: "4 ms", "6.8 s", "14 s", "3 min 12 s", "1 h 37 min", "19 d". */
export function took(ms) {
  if (!Number.isFinite(ms)) return "unknown";
  if (ms < 0) return "0 ms";
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / SECOND).toFixed(1)} s`;
  return lasting(Math.round(ms / SECOND) * SECOND);
}

/** The time between two events, which are known to the millisecond. */
export function gap(ms) {
  return ms < 1 ? "under 1 ms" : took(ms);
}

/** A duration that still counts: whole seconds, two parts at most. */
export function lasting(ms) {
  if (!Number.isFinite(ms)) return "unknown";
  const left = Math.max(0, Math.floor(ms / SECOND)) * SECOND;
  if (left < MINUTE) return `${left / SECOND} s`;
  if (left < HOUR) return parts(left, MINUTE, "min", SECOND, "s");
  if (left < DAY) return parts(left, HOUR, "h", MINUTE, "min");
  return left < 10 * DAY ? parts(left, DAY, "d", HOUR, "h") : `${Math.floor(left / DAY)} d`;
}

function parts(ms, big, bigName, small, smallName) {
  const rest = Math.floor((ms % big) / small);
  return `${Math.floor(ms / big)} ${bigName}${rest ? ` ${rest} ${smallName}` : ""}`;
}

/** A duration without its last part, for what changes slowly: "4 min", "1 h 37 min". */
export function roughly(ms) {
  if (!(ms >= MINUTE)) return lasting(ms);
  return ms < HOUR ? `${Math.floor(ms / MINUTE)} min` : lasting(ms);
}

/** The figure and the unit of a latency, apart. */
export function latency(ms) {
  if (!Number.isFinite(ms)) return null;
  if (ms >= 10 * SECOND) return [(ms / SECOND).toFixed(0), "s"];
  if (ms > 0 && ms < 1) return [ms.toFixed(1), "ms"];
  return [thousands(Math.round(ms)), "ms"];
}

/** A share as a percentage that is never rounded up to 100. */
export function percent(share, digits = 2) {
  const scale = 10 ** digits;
  return `${Number((Math.floor(share * 100 * scale + 1e-9) / scale).toFixed(digits))} %`;
}

/** 50,000. Without Intl, as the months are: its first format takes ten milliseconds and more, within the page's first picture. */
export function thousands(n) {
  return String(Math.round(n * 1000) / 1000).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** "1 service", "3 services" */
export function many(n, one, more = `${one}s`) {
  return `${thousands(n)} ${n === 1 ? one : more}`;
}

/** "a", "a and b", "a, b and c", "a, b and 3 more": one more is named as well. */
export function names(list, most = 2) {
  if (list.length <= most + 1) return join(list);
  return `${list.slice(0, most).join(", ")} and ${thousands(list.length - most)} more`;
}

/** "a", "a and b", "a, b and c" */
export function join(list) {
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}

const pad = (n, width = 2) => String(n).padStart(width, "0");

/** 14:02 */
export function hhmm(at) {
  const d = new Date(at);
  return `${pad(d.getHours())}:${pad(d.getMinutes())}`;
}

/** 14:02:51 */
export function hhmmss(at) {
  return `${hhmm(at)}:${pad(new Date(at).getSeconds())}`;
}

/** 14:02:51.4 */
export function tenths(at) {
  return `${hhmmss(at)}.${Math.floor(new Date(at).getMilliseconds() / 100)}`;
}

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** "today", "yesterday" or "24 November" */
export function day(at, now) {
  const start = (t) => new Date(t).setHours(0, 0, 0, 0);
  const days = Math.round((start(now) - start(at)) / DAY);
  if (days === 0) return "today";
  if (days === 1) return "yesterday";
  const d = new Date(at);
  return `${d.getDate()} ${MONTHS[d.getMonth()]}`;
}

/** 24 Nov */
export function shortDay(at) {
  const d = new Date(at);
  return `${d.getDate()} ${MONTHS[d.getMonth()].slice(0, 3)}`;
}

/** 24 Nov 14:02 */
export function dated(at) {
  return `${shortDay(at)} ${hhmm(at)}`;
}

/** 14:02:51, or with its day where that is not today. */
export function when(at, now) {
  const of = day(at, now);
  return of === "today" ? hhmmss(at) : `${hhmm(at)} ${of}`;
}

/** The instant with the reader's offset, for <time datetime> and hover. */
export function iso(at) {
  const d = new Date(at);
  const off = -d.getTimezoneOffset();
  const date = `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
  const zone = off === 0 ? "Z" : `${off < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(off) / 60))}:${pad(Math.abs(off) % 60)}`;
  return `${date}T${hhmmss(at)}.${pad(d.getMilliseconds(), 3)}${zone}`;
}

/** A size in bytes: "0 B", "12 KiB", "1.4 GiB". */
export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const i = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  const figure = n / 1024 ** i;
  return `${i === 0 || figure >= 9.95 ? Math.round(figure) : Number(figure.toFixed(1))} ${units[i]}`;
}
