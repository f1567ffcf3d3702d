// Jobs: their progress, and the rows that failed.

import { $, announce, badge, h, icon, timeAgo, typeName } from "./dom.js";
import { forget, get, Repeat } from "./server.js";

const STATES = {
  finished: "done",
  "finished all notifications created": "done",
  error: "failed",
  cancelled: "failed",
  "sending limits exceeded": "failed",
};
const NUMBER = new Intl.NumberFormat("en-GB");

const place = $("jobs-content");
let service = null;
const repeat = new Repeat(async () => {
  const data = await get(`jobs${service ? `?service=${service.id}` : ""}`, "jobs");
  if (data) show(data.jobs);
  return 2000;
});

export const jobs = { show: () => repeat.start(), hide: () => repeat.stop() };

function choose(chosen) {
  service = chosen;
  forget("jobs");
  announce(chosen ? `Jobs of ${chosen.name}` : "Jobs of all services");
  repeat.soon();
}

function show(entries) {
  // keep open details open
  const open = new Set([...place.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  const filter = service && h("p", {}, "Only those of ", h("b", {}, service.name), ". ",
    h("button", { type: "button", class: "quiet", onclick: () => choose(null) }, "Show all"));
  const none = !entries.length && h("p", { class: "soft" }, "None yet. A job begins with a spreadsheet in the admin app, or with ",
    h("code", {}, "POST /service/<id>/job"), " of the internal API.");
  place.replaceChildren(...[filter, none, ...entries.map((entry) => card(entry, open))].filter(Boolean));
}

function card(entry, open) {
  const words = Object.entries(entry.statuses).map(([status, count]) => `${NUMBER.format(count)} ${status}`).join(", ");
  return h("article", { class: "block job" },
    h("p", {}, icon(entry.type), " ", h("b", {}, entry.file), " ", badge(entry.status, STATES[entry.status] ?? "waiting"),
      h("span", { class: "soft" }, " ", timeAgo(entry.created_at))),
    progress(entry),
    h("p", { class: "soft" }, `${NUMBER.format(entry.saved)} of ${NUMBER.format(entry.rows)} rows`, words && `: ${words}`),
    h("p", { class: "soft" }, `${typeName(entry.type)} · ${entry.template} · `,
      h("button", { type: "button", class: "quiet", onclick: () => choose({ id: entry.service_id, name: entry.service }) }, entry.service)),
    entry.failed.length > 0 && failures(entry, open));
}

function progress(entry) {
  const share = (count) => `${entry.rows ? (100 * count) / entry.rows : 0}%`;
  const parts = ["done", "failed", "waiting"].filter((state) => entry.states[state]);
  return h("div", { class: "job-progress", role: "progressbar", "aria-label": `Rows of ${entry.file}`, "aria-valuemin": 0,
    "aria-valuemax": entry.rows, "aria-valuenow": entry.saved },
    parts.map((state) => {
      const part = h("span", { class: state });
      part.style.width = share(entry.states[state]);
      return part;
    }));
}

function failures(entry, open) {
  const all = entry.states.failed ?? entry.failed.length;
  const more = all > entry.failed.length && h("li", { class: "soft" }, `and ${NUMBER.format(all - entry.failed.length)} more`);
  return h("details", { "data-key": entry.id, open: open.has(entry.id) }, h("summary", {}, `${NUMBER.format(all)} failed`),
    h("ul", { class: "job-failed" }, entry.failed.map((one) => h("li", {},
      h("a", { href: `/console/messages/${one.id}`, "data-message": true }, `row ${NUMBER.format(one.row)}`), " ", badge(one.status, "failed"))), more));
}
