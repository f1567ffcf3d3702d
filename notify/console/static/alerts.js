// Emergency alerts: their text, their areas, and which networks accepted them.

import { $, announce, badge, h, s, timeAgo } from "./dom.js";
import { forget, get, Repeat } from "./server.js";

const STATES = {
  draft: "waiting",
  "pending-approval": "waiting",
  broadcasting: "done",
  completed: "done",
  rejected: "failed",
  cancelled: "failed",
  "technical-failure": "failed",
};
const NETWORK_STATES = { sending: "waiting", "returned-ack": "done" };

const place = $("alerts-content");
let service = null;
const repeat = new Repeat(async () => {
  const data = await get(`alerts${service ? `?service=${service.id}` : ""}`, "alerts");
  if (data) show(data.alerts);
  return 2000;
});

export const alerts = { show: () => repeat.start(), hide: () => repeat.stop() };

function choose(chosen) {
  service = chosen;
  forget("alerts");
  announce(chosen ? `Alerts of ${chosen.name}` : "Alerts of all services");
  repeat.soon();
}

function show(entries) {
  // keep open details open
  const open = new Set([...place.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  const filter = service && h("p", {}, "Only those of ", h("b", {}, service.name), ". ",
    h("button", { type: "button", class: "quiet", onclick: () => choose(null) }, "Show all"));
  const none = !entries.length && h("p", { class: "soft" }, "None yet. Services with the permission for emergency alerts draft them in the admin app, or send CAP to ",
    h("code", {}, "POST /v2/broadcast"), ".");
  place.replaceChildren(...[filter, none, ...entries.map((entry) => card(entry, open))].filter(Boolean));
}

function card(entry, open) {
  const areas = entry.areas.length ? entry.areas.join(", ") : "no areas";
  return h("article", { class: "block alert" },
    h("div", { class: "alert-map" }, drawing(entry, areas)),
    h("div", { class: "alert-text" },
      h("p", {}, badge(entry.status, STATES[entry.status] ?? "waiting"), entry.training && h("span", { class: "badge waiting" }, "training"),
        h("span", { class: "soft" }, " ", timeAgo(entry.created_at))),
      h("p", { class: "alert-words" }, entry.content),
      h("p", { class: "soft" }, areas, entry.reference && ` · ${entry.reference}`),
      h("p", { class: "soft" },
        h("button", { type: "button", class: "quiet", onclick: () => choose({ id: entry.service_id, name: entry.service }) }, entry.service)),
      entry.networks.length > 0 && h("ul", { class: "alert-networks" }, entry.networks.map((one) => network(entry, one, open)))));
}

function network(entry, one, open) {
  const key = `${entry.id}-${one.kind}-${one.network}`;
  const words = [h("b", {}, one.network), ` ${one.kind} `, badge(one.status, NETWORK_STATES[one.status] ?? "failed")];
  if (!one.document) return h("li", {}, words);
  return h("li", {}, h("details", { "data-key": key, open: open.has(key) }, h("summary", {}, words),
    h("pre", { tabindex: "0", "aria-label": `Message to ${one.network}` }, one.document)));
}

function drawing(entry, areas) {
  if (!entry.drawing) return h("p", { class: "soft" }, "Nothing to draw");
  const { path, width, height } = entry.drawing;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Map of ${areas}` },
    s("path", { d: path, "fill-rule": "evenodd", class: "alert-area" }));
}
