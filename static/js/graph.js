// What a service depends on, and what depends on it, in layers. Pure.

const MOST = 3; // services of a layer; the others are listed below the graph
const DEEP = 2; // layers to each side
const ORDER = ["DOWN", "DEGRADED", "UNKNOWN", "PENDING", "UP"];

const needsOf = (service) => [...new Set([...(service?.needs ?? []).map((need) => need.service), ...(service?.depends_on ?? [])])];

/**
 * {rows, edges}. A row is {level, names, more}: the level is negative for what the
 * service depends on, 0 for itself, positive for what depends on it; the worst
 * status stands first, and `more` are those beyond MOST. An edge [from, to] says that `from`
 * depends on `to`; both are in rows. `services` is a Map by name, `own` what is
 * known of the service itself.
 */
export function layers(services, own) {
  const of = (name) => (name === own.name ? own : services.get(name));
  const needed = new Map(); // name → those that depend on it
  for (const service of [...services.values(), own]) for (const name of needsOf(service)) needed.set(name, (needed.get(name) ?? new Set()).add(service.name));
  for (const name of own.needed_by ?? []) needed.set(own.name, (needed.get(own.name) ?? new Set()).add(name));
  const placed = new Map([[own.name, 0]]);
  const rows = [{ level: 0, names: [own.name], more: [] }];
  const spread = (next, step) => {
    let from = [own.name];
    for (let level = step; Math.abs(level) <= DEEP && from.length; level += step) {
      const found = [...new Set(from.flatMap((name) => [...next(name)]))].filter((name) => !placed.has(name)).sort(worst(of));
      for (const name of found) placed.set(name, level);
      if (found.length) rows.push({ level, names: found.slice(0, MOST), more: found.slice(MOST) });
      from = found.slice(0, MOST);
    }
  };
  spread((name) => needsOf(of(name)), -1);
  spread((name) => needed.get(name) ?? [], 1);
  rows.sort((a, b) => a.level - b.level);
  const shown = new Set(rows.flatMap((row) => row.names));
  const edges = [...shown].flatMap((name) => needsOf(of(name)).filter((other) => shown.has(other) && other !== name).map((other) => [name, other]));
  for (const name of own.needed_by ?? []) if (shown.has(name) && !edges.some(([from, to]) => from === name && to === own.name)) edges.push([name, own.name]);
  return { rows, edges };
}

const worst = (of) => (a, b) => place(of(a)) - place(of(b)) || a.localeCompare(b);
const place = (service) => (ORDER.indexOf(service?.status) + ORDER.length) % ORDER.length;
