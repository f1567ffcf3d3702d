// Elements, times and copying. Text goes into the page as text only, never as markup.

export const $ = (id) => document.getElementById(id);

/** An element. `on…` properties are listeners; false, null and undefined leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const ICONS = {
  email: ["M3 6.500h18v11H3z", "m3 7 9 6.500L21 7"],
  sms: ["M4 5h16v11H11l-4.500 4V16H4z", "M8 9h8M8 12h5"],
  letter: ["M5 3h14v18H5z", "M8.500 8h7M8.500 11.500h7M8.500 15h4"],
  copy: ["M9 9h10v11H9z", "M6 15H5V4h10v2"],
  back: ["M14.500 5 8 12l6.500 7"],
};
const TYPES = { email: "Email", sms: "Text message", letter: "Letter" };

export function icon(name) {
  const paths = ICONS[name].map((d) => s("path", { d }));
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, paths);
}

export const typeName = (type) => TYPES[type] ?? type;

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const CLOCK_SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const LONG_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

export const exact = (at) => EXACT.format(new Date(at));
export const clock = (at) => CLOCK_SECONDS.format(new Date(at));
export const longDay = (at) => LONG_DAY.format(new Date(at));

/** A duration in words. */
export function lasting(seconds) {
  if (seconds < 0.0995) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function ago(at) {
  const then = new Date(at);
  const seconds = (Date.now() - then) / 1000;
  if (seconds < 5) return "now";
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return then.toDateString() === new Date().toDateString() ? CLOCK.format(then) : DAY.format(then);
}

/** A time in the past as "... ago", which is updated automatically. */
export function timeAgo(at) {
  return h("time", { datetime: at, title: exact(at), "data-ago": true }, ago(at));
}

setInterval(() => {
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const text = ago(element.dateTime);
    if (element.textContent !== text) element.textContent = text;
  }
}, 5000);

/** Announce a text to screen readers. */
export function announce(text) {
  $("announcer").textContent = text;
}

export function copyButton(text, label = "Copy") {
  const button = h("button", { type: "button", class: "quiet copy", "aria-label": `${label}: ${text().slice(0, 60)}` }, icon("copy"));
  const word = h("span", {}, label);
  button.append(word);
  button.addEventListener("click", async () => {
    await copy(text());
    word.textContent = "Copied";
    announce("Copied");
    setTimeout(() => (word.textContent = label), 1500);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // no permission, or the page was opened under another host name
    const area = h("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** A block of code with a button that copies it. */
export function code(text, label) {
  const shown = h("code", {}, text);
  const block = h("figure", { class: "code" }, h("figcaption", {}, h("span", {}, label), copyButton(() => shown.textContent)),
    h("pre", { tabindex: "0", "aria-label": label }, shown));
  block.setText = (value) => (shown.textContent = value);
  return block;
}

/** A choice as a row of buttons; `changed` is called with the value. */
export function segments(legend, options, value, changed) {
  const name = `segments-${legend}`;
  return h("fieldset", { class: "segments" }, h("legend", { class: "unseen" }, legend),
    Object.entries(options).map(([key, label]) => h("label", {},
      h("input", { type: "radio", name, value: key, checked: key === value, onchange: () => changed(key) }), h("span", {}, label))));
}

/** A badge with the status of a message. */
export const badge = (status, state) => h("span", { class: `badge ${state}` }, status);

/** The title of the window; the number of unread messages before it stays. */
export function nameWindow(title) {
  const unread = document.title.match(/^\(\d+\+?\) /)?.[0] ?? "";
  document.title = `${unread}${title} – notify console`;
}
