// A view is a pure function from what is known to a tree of plain objects;
// draw() makes the document look like that tree and touches only what differs,
// so that focus, scroll and a running transition survive a new frame.
// Text becomes text nodes, never markup: whatever a service says stays words.

const SVG = "http://www.w3.org/2000/svg";
const drawn = new WeakMap(); // node → the tree that it shows

/**
 * One element of a view. Falsy children are left out, arrays are flattened;
 * an attribute that is null, undefined or false is left out, true is "".
 * `key` names an element among its siblings, so that it may move.
 */
export function h(tag, attrs, ...children) {
  const { key, ...rest } = attrs ?? {};
  return { tag, key, attrs: rest, kids: children.flat(Infinity).filter((kid) => kid !== null && kid !== undefined && kid !== false && kid !== "") };
}

/** A picture of the sprite in index.html; with a name it says something, without it is decoration. */
export function icon(name, cls = "", label = "") {
  const aria = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return h("svg", { class: `ic ${cls}`.trim(), viewBox: "0 0 16 16", ...aria }, h("use", { href: `#i-${name}` }));
}

/** All text of a view, for names and tests. */
export function textOf(view) {
  return typeof view === "object" ? view.kids.map(textOf).join("") : String(view);
}

/** Every element of a view for which test says yes. */
export function find(view, test) {
  if (typeof view !== "object") return [];
  return [...(test(view) ? [view] : []), ...view.kids.flatMap((kid) => find(kid, test))];
}

/** Makes parent's content look like the views. */
export function draw(parent, ...views) {
  children(parent, views.flat(Infinity).filter(Boolean));
}

function create(view, ns) {
  if (typeof view !== "object") return document.createTextNode(String(view));
  const node = document.createElementNS(view.tag === "svg" ? SVG : ns, view.tag);
  update(node, view, { attrs: {} });
  return node;
}

function update(node, view, old) {
  for (const name of Object.keys(old.attrs)) if (!present(view.attrs[name])) node.removeAttribute(name);
  for (const [name, value] of Object.entries(view.attrs)) {
    if (present(value) && value !== old.attrs[name]) node.setAttribute(name, value === true ? "" : String(value));
  }
  drawn.set(node, view);
  children(node, view.kids);
}

const present = (value) => value !== null && value !== undefined && value !== false;

function children(parent, kids) {
  const keyed = new Map();
  const loose = [];
  for (const node of parent.childNodes) {
    const key = drawn.get(node)?.key;
    if (key === undefined) loose.push(node);
    else keyed.set(key, node);
  }
  const ns = parent.namespaceURI;
  const spare = new Set(parent.childNodes);
  let next = 0; // loose nodes before it are taken, or have no place any more
  const reuse = (kid) => {
    if (typeof kid === "object" && kid.key !== undefined) {
      const node = keyed.get(kid.key);
      return node && drawn.get(node).tag === kid.tag ? node : null;
    }
    const i = loose.findIndex((node, n) => n >= next && fits(node, kid));
    if (i < 0) return null;
    next = i + 1;
    return loose[i];
  };
  const found = kids.map(reuse);
  for (const node of found) spare.delete(node);
  for (const node of spare) node.remove(); // first, so that what stays need not move: a move loses the focus
  let at = parent.firstChild;
  kids.forEach((kid, i) => {
    const node = found[i];
    if (node === null) parent.insertBefore(create(kid, ns), at);
    else if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
    if (node === null) return;
    if (typeof kid === "object") update(node, kid, drawn.get(node));
    else if (node.data !== String(kid)) node.data = String(kid);
  });
}

function fits(node, kid) {
  if (typeof kid !== "object") return node.nodeType === Node.TEXT_NODE;
  return drawn.get(node)?.tag === kid.tag;
}
