// A card for each service: its state, its last hour, and where it may be
// broken on purpose the buttons for that.

import { h, icon } from "../dom.js";
import { trace } from "../chart.js";
import { figures } from "../series.js";
import { instant, join, lasting, latency, many, percent, took } from "../units.js";
import { action, fault, grouped, heldAs, status } from "../vocabulary.js";
import { heldLine, holdReason, latencyNow, paragraph, pauseLine, reason, stateFor, uptime, verifying, whereabouts } from "../words.js";
import { href, mark } from "./bits.js";
import { control } from "./dialog.js";

/**
 * model: {service, detail, check, list, reach, age, incident, outages, faults,
 * stale, width, now}: `list` are its points, `reach` is how far back every card
 * shows, `age` how long ago the service was sent
 */
export function card(model) {
  const { service } = model;
  const s = status(service.status);
  const name = service.name;
  return h("li", { class: `card is-${s.colour}${model.stale ? " is-stale" : ""}`, key: name, "data-service": name, "data-status": service.status, "data-held": service.held || null, "data-stage": model.incident?.stage ?? "" },
    h("div", { class: "card-head" },
      mark(service.status),
      h("h3", {}, h("a", { href: href.service(name) }, name)),
      h("p", { class: `card-now ${service.status === "DOWN" ? "down" : service.status === "DEGRADED" ? "warn" : ""}`.trim() }, present(model))),
    h("p", { class: "card-sub" }, address(model)),
    disasters(model), // over what comes and goes, so that a clicked button does not move
    said(model),
    service.note && service.status !== "UP" && h("p", { class: "card-note", key: "note" }, service.note),
    picture(model),
    foot(model));
}

/** Its state in the card's corner: a latency where it answers, else the state and since when. */
export function present({ service, check, now }) {
  const answers = service.status === "UP" || service.status === "DEGRADED";
  if (!answers) return stateFor(service, now);
  const parts = latency(latencyNow(service, check));
  if (!parts) return status(service.status).word;
  return [service.status === "DEGRADED" && "Degraded, ", parts[0], " ", h("small", {}, parts[1])];
}

function address({ detail, service }) {
  return whereabouts(service, detail?.config) || (service.configured === false ? "Unmanaged: not in the configuration" : "\u00a0");
}

/** One sentence where the state alone doesn't say it: what is done, why not, what is wrong. */
function said({ service, incident, now }) {
  const line = sentenceFor(service, incident, now);
  return line && h("p", { class: "card-say", key: "say" }, icon(line.icon, line.colour), h("span", {}, line.text));
}

/** The same as {icon, colour, text}, or null. What its incident says goes before what the service says: the lane shows the incident. */
export function sentenceFor(service, of, now) {
  const say = (icon, colour, text) => ({ icon, colour, text });
  const held = (row, text) => say(heldAs(row.held).icon, heldAs(row.held).colour, text);
  switch (of?.stage) {
    case "verification": return say("work", "work", paragraph(service.status === "DOWN" ? action(of.row.action).did : "Up", verifying(of.row.progress)));
    case "pause": return say("work", "work", pauseLine(of, now));
    case "action": return say("work", "work", `${action(of.row.action).doing}.`);
    case "approval": return say("person", "warn", paragraph("Approval needed", holdReason(of)));
    case "held": return held(of.row, heldLine(of, now));
    case "escalated": return say("person", "down", paragraph("A person is needed", reason(of.row.cause_id === "no_container" && service.error ? service.error : of.row.escalated_reason)));
  }
  if (service.held) return held(service, heldLine({ row: service }, now));
  const silenced = instant(service.silenced_until);
  if (silenced > now) return say("mute", "quiet", `Silenced for ${lasting(silenced - now)}.`);
  if (service.status !== "UP" && service.error) return say(status(service.status).shape, status(service.status).colour, reason(service.error));
  if (service.flapping) return say("held", "warn", "Flapping: the status changes too often.");
  if (service.status === "PENDING") return say("none", "quiet", "Its status is known after the first checks.");
  return null;
}

function picture(model) {
  const { service, list, reach, outages, now, width, detail } = model;
  const from = now - reach;
  const seen = figures(list, from, now);
  const limit = milliseconds(detail?.config?.expect?.latency);
  const label = [`${service.name} over the last ${lasting(reach)}`];
  label.push(seen ? `between ${took(seen.low)} and ${took(seen.high)}` : "no latency measured");
  const down = outages.filter((o) => o.to >= from).length;
  if (down) label.push(`${many(down, "incident")}`);
  return trace(list, { key: `card-${service.name}`, width, height: seen ? 104 : 22, from, to: now, now: service.status, ended: outages.filter((o) => o.repaired).map((o) => o.acted), outages, limit, label: label.join(", ") });
}

/** "800ms", "1s" of the configuration in milliseconds, or 0. */
export function milliseconds(duration) {
  const found = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(duration ?? "");
  return found ? Number(found[1]) * (found[2] === "s" ? 1000 : 1) : 0;
}

function foot({ service, detail, reach, age, now }) {
  const share = uptime(service, age);
  const needs = detail?.depends_on ?? [];
  const answers = service.status === "UP" || service.status === "DEGRADED";
  return h("p", { class: "card-foot" },
    h("span", {}, `Last ${lasting(reach)}`),
    answers && h("span", {}, stateFor(service, now)),
    share ? h("span", {}, "Uptime ", h("b", {}, percent(share.share)), ` over ${share.over}`) : h("span", {}, "Uptime: no data yet"),
    needs.length > 0 && h("span", { class: "card-needs" }, `Depends on ${join(needs)}`));
}

function disasters({ service, faults, stale }) {
  if (!faults.length) return null;
  const name = service.name;
  const head = [icon("bolt"), "Trigger disaster, for real"];
  const button = (entry, i) => control("fault", name, {
    text: fault(entry.fault), stale, "data-fault": entry.fault,
    "data-testid": i === 0 ? "trigger-disaster" : `disaster-${entry.fault}`,
    label: `Trigger disaster: ${fault(entry.fault).toLowerCase()} ${name}`,
  });
  const { usual, more } = grouped(faults);
  const buttons = [...usual.map(button), more.length > 0 && h("details", { class: "rest", key: "rest" }, h("summary", { "aria-label": `More faults for ${name}` }, "More", icon("right")), h("div", { class: "btns" }, more.map((entry) => button(entry))))];
  return h("div", { class: "break", key: "break" }, h("h4", {}, head), buttons);
}
