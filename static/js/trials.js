// What the forms for a trial send: the check of a service that is not saved, the
// lines for config.yaml, and a test message to each receiver.

import { post } from "./api.js";
import { definition } from "./pages/add.js";

const PAUSE = 400; // after the last key, before the lines are asked for

const PATIENCE = 30_000; // a check may take as long as its timeout, a message as long as its receiver

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
