// The list of messages: newest first, refreshed without moving what is being read.

import { $, announce, badge, h, icon, timeAgo, typeName } from "./dom.js";
import { forget, get, Repeat } from "./server.js";
import { isRead, markAllRead, markRead, markUnread } from "./unread.js";

const PAGE = 50;
const MOST_REFRESHED = 200;
const LOOK_MS = 1000;
const MARK = "list";

const rows = $("rows");
const scroll = $("scroll");
const end = $("list-end");
const newer = $("newer");
const filters = $("filters");

/** The rows: each with its message, its elements, and the message as text, to detect changes. */
let entries = [];
let next = null;
let selected = null;
let loadingMore = false;
let arrivedAbove = 0;
let generation = 0;
let isOutdated = false;
let asked = query({});
let open = () => {};

const repeat = new Repeat(refresh);

export const list = {
  start(opened) {
    open = opened;
    filters.addEventListener("input", () => {
      clearTimeout(filters.waiting);
      filters.waiting = setTimeout(changeFilter, 150);
    });
    filters.addEventListener("submit", (event) => {
      event.preventDefault();
      changeFilter();
      filters.q.blur();
    });
    $("read-all").addEventListener("click", () => list.readAll());
    newer.addEventListener("click", () => {
      scroll.scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    });
    scroll.addEventListener("scroll", () => {
      if (scroll.scrollTop < 8) showArrived(0);
    }, { passive: true });
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && more(), { root: scroll, rootMargin: "600px" }).observe(end);
  },

  show: () => repeat.start(),
  hide: () => repeat.stop(),
  refresh: () => repeat.soon(),

  /** Marks a message as the one that is open. */
  select(id) {
    selected = id;
    if (id) markRead({ id });
    entries.forEach(mark);
    count();
    entries.find((one) => one.message.id === id)?.element.scrollIntoView({ block: "nearest" });
  },

  unread() {
    const entry = entries.find((one) => one.message.id === selected);
    if (!entry) return;
    markUnread(entry.message);
    mark(entry);
    count();
  },

  readAll() {
    if (entries.length) markAllRead(entries[0].message.created_at);
    entries.forEach(mark);
    count();
    announce("All messages are marked as read");
  },

  /** The message that many rows further; the first, if none is selected. */
  neighbour(step) {
    const at = entries.findIndex((one) => one.message.id === selected);
    const wanted = at < 0 ? (step > 0 ? 0 : entries.length - 1) : at + step;
    return entries[Math.max(0, Math.min(entries.length - 1, wanted))]?.message.id ?? null;
  },

  clearSearch() {
    if (!filters.q.value) return false;
    filters.q.value = "";
    changeFilter();
    return true;
  },
};

function query(extra) {
  const values = new URLSearchParams(extra);
  for (const [name, value] of new FormData(filters)) if (value) values.set(name, value);
  return `messages?${values}`;
}

const isFiltered = () => [...new FormData(filters).values()].some((value) => value);

/** Loads the list again if the filters have changed; the old list stays visible until the response arrives. */
function changeFilter() {
  clearTimeout(filters.waiting);
  if (query({}) === asked) return;
  asked = query({});
  generation += 1;
  forget(MARK);
  isOutdated = true;
  end.textContent = "Searching…";
  repeat.soon();
}

async function refresh() {
  const mine = generation;
  const limit = isOutdated ? PAGE : Math.min(Math.max(entries.length, PAGE), MOST_REFRESHED);
  const page = await get(query({ limit }), MARK);
  if (mine !== generation) return 0;
  if (page && isOutdated) {
    isOutdated = false;
    empty();
    scroll.scrollTop = 0;
    showArrived(0);
  }
  if (page) merge(page, limit);
  return LOOK_MS;
}

function empty() {
  entries = [];
  next = null;
  rows.replaceChildren();
}

function merge(page, limit) {
  const isFirst = entries.length === 0;
  const known = new Map(entries.map((entry) => [entry.message.id, entry]));
  const overlaps = page.messages.some((message) => known.has(message.id));
  if (!isFirst && !overlaps && page.messages.length >= limit) {
    // more messages arrived than fit on a page: those between would be missing
    empty();
    known.clear();
  }
  const anchor = firstVisible();
  const before = anchor?.element.getBoundingClientRect().top;
  const fresh = page.messages.map((message) => {
    const entry = known.get(message.id);
    return entry ? update(entry, message) : make(message, !isFirst);
  });
  const arrived = fresh.filter((entry) => !known.has(entry.message.id)).length;
  const isWhole = !page.next;
  const last = page.messages.at(-1)?.created_at ?? "";
  const inPage = new Set(page.messages.map((message) => message.id));
  // keep messages older than the page, and the open one; remove all others that are not on the page
  const kept = entries.filter(({ message }) => !inPage.has(message.id)
    && (message.id === selected || (!isWhole && message.created_at <= last)));
  entries = [...fresh, ...kept].sort(newestFirst);
  if (entries.length <= limit) next = page.next;
  place();
  if (anchor && scroll.scrollTop > 8 && anchor.element.isConnected) {
    scroll.scrollTop += anchor.element.getBoundingClientRect().top - before;
    if (!isFirst && arrived) showArrived(arrivedAbove + arrived);
  }
  if (!isFirst && arrived) announce(arrived === 1 ? "1 new message" : `${arrived} new messages`);
  finish();
}

function newestFirst({ message: one }, { message: other }) {
  if (one.created_at !== other.created_at) return one.created_at < other.created_at ? 1 : -1;
  return one.id < other.id ? 1 : -1;
}

/** Sorts the rows without moving those in their place, so that a selection in them is kept. */
function place() {
  let at = rows.firstElementChild;
  for (const entry of entries) {
    if (entry.element === at) at = at.nextElementSibling;
    else rows.insertBefore(entry.element, at);
  }
  while (at) {
    const gone = at;
    at = at.nextElementSibling;
    gone.remove();
  }
}

function firstVisible() {
  const top = scroll.getBoundingClientRect().top;
  return entries.find((entry) => entry.element.getBoundingClientRect().bottom > top) ?? null;
}

async function more() {
  if (loadingMore || isOutdated || !next) return;
  loadingMore = true;
  const mine = generation;
  try {
    const page = await get(query({ limit: PAGE, older_than: next }));
    if (mine === generation) {
      const known = new Set(entries.map((entry) => entry.message.id));
      const added = page.messages.filter((message) => !known.has(message.id)).map((message) => make(message, false));
      entries.push(...added);
      rows.append(...added.map((entry) => entry.element));
      next = page.next;
      finish();
    }
  } catch {
    // the next scrolling tries again
  }
  loadingMore = false;
}

function finish() {
  if (entries.length === 0) {
    end.textContent = isFiltered() ? "Nothing is like that." : "No messages yet. New ones appear here automatically.";
  } else {
    end.textContent = next ? "Loading…" : "End of the list.";
  }
  document.body.classList.toggle("is-empty", entries.length === 0 && !isFiltered());
  count();
  // the end may still be visible, and would then not trigger the observer again
  if (next && end.getBoundingClientRect().top < scroll.getBoundingClientRect().bottom + 600) more();
}

function count() {
  const unread = entries.filter((entry) => !isRead(entry.message)).length;
  list.unreadCount = unread;
  document.title = document.title.replace(/^(\(\d+\+?\) )?/, unread ? `(${unread}${next ? "+" : ""}) ` : "");
  $("read-all").hidden = unread === 0;
}

function showArrived(number) {
  arrivedAbove = number;
  newer.hidden = number === 0;
  newer.textContent = `↑ ${number} new`;
}

function make(message, isNew) {
  const words = { to: h("span", { class: "to" }), subject: h("span", { class: "subject" }), preview: h("span", { class: "preview" }) };
  const marks = h("span", { class: "marks" });
  const unread = h("span", { class: "unseen" });
  const link = h("a", { class: "row", href: `/console/messages/${message.id}` },
    h("span", { class: `kind ${message.type}` }, icon(message.type), h("span", { class: "unseen" }, typeName(message.type))),
    h("span", { class: "pair-line" }, words.to, timeAgo(message.created_at)), words.subject,
    h("span", { class: "pair-line" }, words.preview, marks), unread);
  const element = h("li", { class: isNew ? "arrives" : null }, link);
  element.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(message.id);
  });
  return update({ message, element, link, words, marks, unread, text: "" }, message);
}

/** Updates only what has changed: the user may be selecting the rest. */
function update(entry, message) {
  const text = JSON.stringify(message);
  if (entry.text !== text) {
    entry.text = text;
    entry.message = message;
    const isTitled = message.subject !== null;
    const words = {
      to: message.to,
      subject: isTitled ? message.subject : message.preview,
      preview: isTitled ? message.preview : (message.reference ?? ""),
    };
    for (const [name, value] of Object.entries(words)) {
      if (entry.words[name].textContent !== value) entry.words[name].textContent = value;
    }
    entry.marks.replaceChildren(...[
      message.key_type === "normal" ? null : h("span", { class: "badge" }, `${message.key_type} key`),
      message.copies > 1 ? h("span", { class: "badge waiting" }, `sent ${message.copies} times`) : null,
      badge(message.status, message.state)].filter(Boolean));
  }
  mark(entry);
  return entry;
}

function mark(entry) {
  const isUnread = !isRead(entry.message);
  entry.link.classList.toggle("unread", isUnread);
  entry.unread.textContent = isUnread ? "unread" : "";
  if (entry.message.id === selected) entry.link.setAttribute("aria-current", "true");
  else entry.link.removeAttribute("aria-current");
}
