// The console's pages, keyboard shortcuts and colours.

import { alerts } from "./alerts.js";
import { $, announce, nameWindow } from "./dom.js";
import { jobs } from "./jobs.js";
import { list } from "./list.js";
import { message } from "./message.js";
import { now } from "./now.js";
import { send } from "./send.js";

const TITLES = { messages: "Messages", now: "Now", send: "Send", jobs: "Jobs", alerts: "Alerts" };
const pages = {
  messages: {
    show: () => (list.show(), message.show()),
    hide: () => (list.hide(), message.hide()),
  },
  now,
  send: { show: () => send.show(), hide() {} },
  jobs,
  alerts,
};
let shown = null;

// -- the current page

function route() {
  const [, , first, id] = location.pathname.split("/");
  const page = ["now", "send", "jobs", "alerts"].includes(first) ? first : "messages";
  if (page !== shown) {
    pages[shown]?.hide();
    for (const name of Object.keys(pages)) $(name).hidden = name !== page;
    for (const link of document.querySelectorAll("nav [data-page]")) {
      if (link.dataset.page === page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    shown = page;
    document.body.dataset.page = page;
    nameWindow(TITLES[page]);
    pages[page].show();
  }
  if (page === "messages") {
    if (id) message.open(id);
    else if (message.id) (message.clear(), nameWindow(TITLES.messages));
    list.select(id ?? null);
  }
}

function go(path) {
  if (path !== location.pathname) history.pushState(null, "", path);
  route();
}

function open(id) {
  go(`/console/messages/${id}`);
}

addEventListener("popstate", route);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-page], a[data-message]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

// -- keys

const isTyping = (element) => element.matches("input:not([type=radio]), textarea, select");
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  "/": () => (go(shown === "messages" ? location.pathname : "/console"), $("search").focus(), $("search").select()),
  m: () => go("/console"),
  n: () => go("/console/now"),
  s: () => go("/console/send"),
  o: () => go("/console/jobs"),
  a: () => go("/console/alerts"),
  u: () => list.unread(),
  R: () => list.readAll(),
  "?": () => $("help").showModal(),
};

function move(step) {
  if (shown !== "messages") return;
  const id = list.neighbour(step);
  if (id && id !== message.id) open(id);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || $("help").open) return;
  if (event.key === "Escape") {
    if (isTyping(document.activeElement)) {
      if (document.activeElement === $("search") && list.clearSearch()) return;
      document.activeElement.blur();
    } else if (shown === "messages" && !list.clearSearch() && message.id) go("/console");
    return;
  }
  const focused = document.activeElement ?? document.body;
  if (isTyping(focused)) return;
  // arrows scroll the focused element, and select tabs and radio buttons
  if (event.key.startsWith("Arrow") && !(focused === document.body || focused.closest("#rows, #scroll"))) return;
  if (/^[1-9]$/.test(event.key) && shown === "messages") message.tab(Number(event.key) - 1);
  else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
  else return;
  event.preventDefault();
});

// -- colours

const THEMES = { auto: "light", light: "dark", dark: "auto" };
const LABELS = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = LABELS[theme];
  $("theme").setAttribute("aria-label", `Colours: ${theme}. Change to ${THEMES[theme]}`);
}

function keptTheme() {
  try {
    const kept = localStorage.getItem("notify-console-theme");
    return kept in THEMES ? kept : "auto";
  } catch {
    return "auto";
  }
}

$("theme").addEventListener("click", () => {
  const theme = THEMES[document.documentElement.dataset.theme];
  dress(theme);
  announce(`Colours: ${theme}`);
  try {
    localStorage.setItem("notify-console-theme", theme);
  } catch {
    // then the choice lasts for this page only
  }
});
$("show-help").addEventListener("click", () => $("help").showModal());

dress(keptTheme());
message.start(() => go("/console"));
list.start(open);
route();
