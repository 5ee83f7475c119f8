// What the forms for a trial ask and send: the check of a service that is not saved, the
// lines for config.yaml, and a test message to each receiver.

import { post } from "./api.js";

const PAUSE = 400; // after the last key, before the lines are asked for

const PATIENCE = 30_000; // a check may take as long as its timeout, a message as long as its receiver

/** What the form for another service asks. */
export const FIELDS = [
  { name: "name", label: "Name", example: "stock-api", hint: "It is shown on every page." },
  { name: "group", label: "Group", optional: true, list: "known-groups", example: "shop" },
  { name: "url", label: "Address", wide: true, mono: true, example: "http://localhost:8090/health", hint: "The part before :// chooses the check: http, https, tcp, tls, icmp, dns, grpc, ws, postgres, mysql, redis, kafka, push." },
  { name: "container", label: "Container", optional: true, wide: true, list: "known-containers", mono: true, example: "stock-api", hint: "Its exact name, or project/service of Compose. Without one LogStream cannot repair it." },
  { name: "interval", label: "Interval", optional: true, mono: true, example: "10s", hint: "Time between two checks." },
  { name: "timeout", label: "Timeout", optional: true, mono: true, example: "5s", hint: "Longer than this is a failed check." },
  { name: "expect.status", label: "Expected status", optional: true, mono: true, example: "200-399", hint: "The status codes of HTTP that are good." },
  { name: "expect.body", label: "Expected body", optional: true, mono: true, example: "ok|ready", hint: "A regular expression that the answer must match." },
];

/** The definition that a form describes: keys of config.yaml, in the order in which a person writes them; what is empty is left out. */
export function definition(value) {
  const made = {};
  for (const { name } of FIELDS) {
    const given = String(value(name) ?? "").trim();
    if (!given) continue;
    const [key, inner] = name.split(".");
    if (inner) made[key] = { ...made[key], [inner]: given };
    else made[key] = given;
  }
  return made;
}

/** The field that a refusal of the API is about, and what it says of it: ["interval", "must be …"]. */
export function blame(refusal = "") {
  const found = FIELDS.find(({ name }) => refusal.startsWith(`service.${name}: `));
  return found ? [found.name, refusal.slice(refusal.indexOf(": ") + 2)] : ["", refusal];
}

/** The acts, by name. */
export function trials({ ui, deny, schedule }) {
  let timer = 0;
  let newest = 0;
  const given = (form) => {
    const data = new FormData(form);
    return definition((name) => data.get(name));
  };
  const change = (more) => {
    ui.trial = { ...ui.trial, ...more };
    schedule();
  };
  // The answer, or why there is none.
  const ask = async (path, body) => {
    try {
      return [await post(path, body, PATIENCE), ""];
    } catch (refusal) {
      if (refusal.status === 401) deny();
      return [null, refusal.message];
    }
  };
  const write = async (service) => {
    const turn = ++newest;
    const [answer, refusal] = service.name && (service.url || service.container) ? await ask("/definition", { service }) : [null, ""];
    if (turn === newest) change({ lines: answer?.yaml ?? "", linesRefusal: refusal });
  };
  return {
    addChanged(form) {
      const service = given(form);
      change({ name: service.name, refusal: "" });
      clearTimeout(timer);
      timer = setTimeout(() => write(service), PAUSE);
    },
    async add(form) {
      if (ui.trial?.testing) return;
      const service = given(form);
      change({ testing: true, refusal: "" });
      write(service);
      const [probe, refusal] = await ask("/probe", { service });
      change({ testing: false, probe, refusal });
    },
    async notify() {
      if (ui.receivers?.testing) return;
      ui.receivers = { testing: true };
      schedule();
      const [list, refusal] = await ask("/notify/test", {});
      ui.receivers = { list: Array.isArray(list) ? list : [], refusal };
      schedule();
    },
  };
}
