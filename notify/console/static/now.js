// The current state: rates, waiting messages, queues, providers.

import { $, clock, h, lasting, s, timeAgo, typeName } from "./dom.js";
import { get, Repeat } from "./server.js";

const place = $("now-content");
const EVENTS = { accepted: "Accepted", sent: "Sent", delivered: "Delivered", failed: "Failed" };
const WIDTH = 300;
const HEIGHT = 72;

const charts = {};
let sections = null;
const repeat = new Repeat(async () => {
  const began = performance.now();
  const data = await get("now", "now");
  if (data) show(data);
  // a busy database is not queried more often
  return Math.max(2000, (performance.now() - began) * 5);
});

export const now = { show: () => repeat.start(), hide: () => repeat.stop() };

function build() {
  for (const [event, label] of Object.entries(EVENTS)) charts[event] = chart(event, label);
  sections = { waiting: h("div"), queues: h("div"), providers: h("div"), changes: h("div") };
  place.replaceChildren(
    h("p", { class: "soft" }, "Of messages accepted in the last ten minutes; the charts show the last five."),
    h("div", { class: "cards" }, Object.values(charts).map((one) => one.element)),
    h("div", { class: "columns" },
      block("In progress", sections.waiting), block("Task queues", sections.queues),
      block("Providers", sections.providers), block("Changes of providers", sections.changes)));
}

const block = (title, content) => h("section", { class: "block" }, h("h2", {}, title), content);

function show(data) {
  if (!sections) build();
  for (const event of Object.keys(EVENTS)) charts[event].update(data.rates[event], data.seconds, data.until);
  sections.waiting.replaceChildren(waiting(data.waiting));
  sections.queues.replaceChildren(queues(data.queues));
  sections.providers.replaceChildren(providers(data.providers));
  sections.changes.replaceChildren(changes(data.changes));
}

// -- rates

const rate = (number) => (number === 0 ? "0" : number < 10 ? number.toFixed(1) : Math.round(number).toString());

function chart(event, label) {
  const value = h("span", { class: "value" });
  const note = h("span", { class: "soft" });
  const area = s("path", { class: "area" });
  const line = s("path", { class: "line" });
  const cross = s("line", { class: "cross", y1: 0, y2: HEIGHT, visibility: "hidden" });
  const drawing = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    s("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }), area, line, cross);
  const state = { numbers: [], seconds: 1, until: 0, at: null };
  const say = () => {
    const { numbers, seconds, at, until } = state;
    if (at === null) {
      value.textContent = rate(mean(numbers.slice(-2)) / seconds);
      note.textContent = `peak ${rate(Math.max(...numbers) / seconds)}`;
      cross.setAttribute("visibility", "hidden");
    } else {
      value.textContent = rate(numbers[at] / seconds);
      note.textContent = clock(new Date((until - (numbers.length - at) * seconds) * 1000));
      const x = (at / (numbers.length - 1)) * WIDTH;
      cross.setAttribute("x1", x);
      cross.setAttribute("x2", x);
      cross.setAttribute("visibility", "visible");
    }
  };
  drawing.addEventListener("pointermove", (moved) => {
    const box = drawing.getBoundingClientRect();
    state.at = Math.max(0, Math.min(state.numbers.length - 1, Math.round(((moved.clientX - box.left) / box.width) * (state.numbers.length - 1))));
    say();
  });
  drawing.addEventListener("pointerleave", () => {
    state.at = null;
    say();
  });
  return {
    element: h("figure", { class: `card ${event}` },
      h("figcaption", {}, h("span", { class: "name" }, label), h("span", { class: "reading" }, value, h("span", { class: "unit" }, "a second")), note), drawing),
    update(numbers, seconds, until) {
      Object.assign(state, { numbers, seconds, until });
      const most = Math.max(...numbers, 1);
      const points = numbers.map((number, at) =>
        `${((at / (numbers.length - 1)) * WIDTH).toFixed(1)},${(HEIGHT - 2 - (number / most) * (HEIGHT - 8)).toFixed(1)}`);
      line.setAttribute("d", `M${points.join("L")}`);
      area.setAttribute("d", `M0,${HEIGHT}L${points.join("L")}L${WIDTH},${HEIGHT}Z`);
      drawing.setAttribute("aria-label", `${label}: ${rate(mean(numbers.slice(-2)) / seconds)} a second now, at most ${rate(most / seconds)} in the last five minutes`);
      say();
    },
  };
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

// -- waiting messages

function waiting(entries) {
  if (!entries.length) return h("p", { class: "soft" }, "None: every message has a final status.");
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Type"), h("th", { scope: "col" }, "Status"), h("th", { scope: "col", class: "number" }, "Number"), h("th", { scope: "col", class: "number" }, "Oldest"))),
    h("tbody", {}, entries.map((entry) => h("tr", {},
      h("td", {}, typeName(entry.type)), h("td", {}, entry.status), h("td", { class: "number" }, entry.number.toLocaleString("en-GB")),
      h("td", { class: "number" }, timeAgo(entry.oldest))))));
}

function queues(entries) {
  if (!entries) return h("p", { class: "notice" }, "The broker does not answer.");
  const full = entries.filter((entry) => entry.depth).sort((one, other) => other.depth - one.depth);
  if (!full.length) return h("p", { class: "soft" }, `Nothing waits in any of ${entries.length} queues.`);
  const most = Math.max(full[0].depth, 10);
  return h("div", {},
    h("ul", { class: "bars" }, full.map((entry) => h("li", {},
      h("span", {}, entry.name), bar(entry.depth / most), h("span", { class: "number" }, entry.depth.toLocaleString("en-GB"))))),
    h("p", { class: "soft" }, `Nothing waits in ${entries.length - full.length} others.`));
}

function bar(part) {
  return s("svg", { class: "bar-drawing", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "track", width: 100, height: 8, rx: 1 }), s("rect", { class: "filled", width: (part * 100).toFixed(2), height: 8, rx: 1 }));
}

function providers(entries) {
  if (!entries.length) return h("p", { class: "notice" }, "No provider is configured.");
  return h("ul", { class: "providers" }, entries.map((entry) => {
    const ended = entry.sent ? ` · ${Math.round((entry.delivered / entry.sent) * 100)}% delivered` : "";
    const failed = entry.failed ? ` · ${entry.failed} failed` : "";
    const speed = entry.median_seconds === null ? "" : ` · sent in ${lasting(entry.median_seconds)}, 95% in ${lasting(entry.slow_seconds)}`;
    return h("li", { class: entry.active ? null : "off" },
      h("span", { class: "name" }, entry.name, h("span", { class: "soft" }, ` ${typeName(entry.type).toLowerCase()}`)),
      bar(entry.share), h("span", { class: "number" }, entry.active ? `${Math.round(entry.share * 100)}%` : "off"),
      h("span", { class: "soft" }, `priority ${entry.priority} · ${entry.sent.toLocaleString("en-GB")} given${ended}${failed}${speed}`));
  }));
}

function changes(entries) {
  if (!entries.length) return h("p", { class: "soft" }, "None. The weight of a provider that fails or is slow is reduced automatically, and this list shows such changes.");
  return h("ul", { class: "changes" }, entries.map((entry) => {
    const [before, after] = entry.priority;
    const [was, is] = entry.active;
    const words = was === is ? `${before} → ${after}` : is ? "switched on" : "switched off";
    return h("li", {}, h("span", {}, h("b", {}, entry.provider), ` ${words}`), timeAgo(entry.at), h("span", { class: "soft" }, entry.reason ?? ""));
  }));
}
