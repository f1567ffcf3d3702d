// The messages read in this browser: all up to a time, and single ones after it.

const KEY = "notify-console-read";
const MOST = 3000;

let upTo = "";
let ids = new Set();
try {
  const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
  upTo = kept.upTo ?? "";
  ids = new Set(kept.ids ?? []);
} catch {
  // invalid: another page of this origin stored it
}

function keep() {
  ids = new Set([...ids].slice(-MOST));
  try {
    localStorage.setItem(KEY, JSON.stringify({ upTo, ids: [...ids] }));
  } catch {
    // the storage is full: forgotten when the page is closed
  }
}

const unreadAgain = new Set();

export const isRead = (message) => !unreadAgain.has(message.id) && (message.created_at <= upTo || ids.has(message.id));

export function markRead(message) {
  unreadAgain.delete(message.id);
  if (ids.has(message.id)) return;
  ids.add(message.id);
  keep();
}

export function markUnread(message) {
  ids.delete(message.id);
  unreadAgain.add(message.id);
  keep();
}

export function markAllRead(time) {
  unreadAgain.clear();
  if (time > upTo) upTo = time;
  ids = new Set();
  keep();
}
