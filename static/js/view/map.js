// One mark for each service, in its groups: tall and red where it is down. A
// link for each group goes to its services; the table and the cells have the same.

import { h, keep } from "../dom.js";
import { counted, weight } from "../fleet.js";
import { many } from "../units.js";
import { status } from "../vocabulary.js";

const BIG = { step: 14, size: 11, cols: 18, rise: { DOWN: 12, DEGRADED: 6 } };
const SMALL = { step: 9, size: 7, cols: 18, rise: {} };
const MANY = 120; // from here on marks are small squares in blocks
const NAMED = 40; // so many of a group have a name on hover: those with trouble
const kept = new Map();

/** model: {groups, repairing: the names under repair} */
export function map({ groups, repairing }) {
  const n = groups.reduce((all, of) => all + of.services.length, 0);
  const form = n < MANY ? BIG : SMALL;
  return h("nav", { class: `map${n < MANY ? "" : " map-dense"}`, key: "map", "aria-label": "Services at a glance" },
    h("ul", {}, groups.map((of) => {
      const marks = n < MANY ? of.services : [...of.services].sort((a, b) => weight(a) - weight(b));
      const reads = marks.map((service) => `${service.name} ${service.status} ${service.held ?? ""} ${repairing.has(service.name)}`).join();
      return keep(kept, of.group, [form, reads, groups.length > 1], () => h("li", { key: of.group },
        h("a", { href: `#${anchor(of.group)}` },
          (n < MANY ? block : dense)(marks, form, repairing),
          h("span", { class: of.group || groups.length > 1 ? null : "vh" }, of.group || groups.length > 1 ? groupName(of.group) : "Services"),
          h("span", { class: "vh" }, `. ${counted(of.services)}`))));
    })));
}

/** A group's name where there are groups; for screen readers a word before it says what the name is of. */
export const groupName = (group) => (group ? [h("span", { class: "vh" }, "Group "), group] : "No group");

/** The id of a group's heading. */
export const anchor = (group) => `group-${encodeURIComponent(group)}`;

function block(services, { step, size, cols, rise }, repairing) {
  const wide = Math.min(cols, services.length);
  const top = 14; // room above, for tall marks
  const line = step + 16;
  const rows = Math.ceil(services.length / cols);
  const height = top + (rows - 1) * line + size;
  return h("svg", { viewBox: `0 0 ${wide * step} ${height}`, width: wide * step, height, "aria-hidden": "true" },
    services.map((service, i) => {
      const x = (i % cols) * step;
      const y = top + Math.floor(i / cols) * line;
      const up = rise[service.status] ?? 0;
      return [
        h("rect", { key: service.name, class: look(service), x: x + 0.5, y: y - up + 0.5, width: size - 1, height: size + up - 1, rx: 1.5 }, h("title", {}, named(service))),
        repairing.has(service.name) && h("path", { key: `work ${service.name}`, class: "k-mark", d: `M${x + size / 2} ${y - up - 9}l4 4l-4 4l-4 -4z` }),
      ];
    }));
}

// Small squares: all services of one state are one path, so that a thousand services are
// a few nodes. Only those with trouble are a square each, with a name.
function dense(services, { step, size, cols: least }, repairing) {
  const cols = Math.max(least, Math.ceil(Math.sqrt(4 * services.length))); // a block is wider than high
  const wide = Math.min(cols, services.length);
  const height = 2 + (Math.ceil(services.length / cols) - 1) * step + size;
  const paths = new Map();
  const single = [];
  services.forEach((service, i) => {
    const x = (i % cols) * step;
    const y = 2 + Math.floor(i / cols) * step;
    const works = repairing.has(service.name);
    const more = service.status === "DOWN" && service.held !== "dependency" ? 1.5 : works ? 1 : 0; // larger: what is broken stands out, and is seen around a diamond
    if (single.length < NAMED && (works || service.status !== "UP")) {
      single.push([
        h("rect", { key: service.name, class: look(service), x: x + 0.5 - more, y: y + 0.5 - more, width: size - 1 + 2 * more, height: size - 1 + 2 * more, rx: 1.5 }, h("title", {}, named(service))),
        works && h("path", { key: `work ${service.name}`, class: "m-work", d: `M${x + size / 2} ${y + 0.5}l3 3l-3 3l-3 -3z` }),
      ]);
      return;
    }
    const of = paths.get(look(service)) ?? { n: 0, d: "", status: service.status };
    paths.set(look(service), { ...of, n: of.n + 1, d: `${of.d}M${x + 0.5} ${y + 0.5}h${size - 1}v${size - 1}h-${size - 1}z` });
  });
  return h("svg", { viewBox: `0 0 ${wide * step} ${height}`, width: wide * step, height, "aria-hidden": "true" },
    [...paths].map(([cls, of]) => h("path", { key: cls, class: cls, d: of.d }, h("title", {}, `${many(of.n, "service")}: ${status(of.status).word}`))), single);
}

const look = (service) => `m-${service.status}${service.held === "dependency" ? " m-held" : ""}`;
const named = (service) => `${service.name}: ${status(service.status).word}`;
