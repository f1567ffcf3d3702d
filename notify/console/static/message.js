// One message: its content, its origin and its timeline.

import { $, announce, badge, clock, code, copyButton, exact, h, icon, lasting, longDay, nameWindow, segments, timeAgo, typeName } from "./dom.js";
import { callbackAgain } from "./again.js";
import { forget, get, Repeat, text } from "./server.js";

const WIDE = matchMedia("(min-width: 75rem)");
const MARK = "message";
const TABS = {
  email: [["email", "Email"], ["text", "Plain text"], ["source", "Source"]],
  sms: [["sms", "Text"]],
  letter: [["letter", "Letter"]],
};
const COMMON = [["timeline", "Timeline"], ["details", "Details"], ["api", "API"]];

const place = $("message");
let current = null;
let shown = null;
let parts = {};
let choices = { width: "desktop", theme: "auto", tab: {} };
try {
  choices = { ...choices, ...JSON.parse(sessionStorage.getItem("notify-console-view") ?? "{}") };
} catch {
  // invalid: another page of this origin stored it
}
const keepChoices = () => sessionStorage.setItem("notify-console-view", JSON.stringify(choices));

const repeat = new Repeat(look);
let close = () => {};

export const message = {
  start(closed) {
    close = closed;
    WIDE.addEventListener("change", () => shown && showTab(choices.tab[shown.type]));
    this.clear();
  },

  get id() {
    return current;
  },

  open(id) {
    if (id === current) return;
    // the previous message stays visible until the new one is loaded
    current = id;
    forget(MARK);
    repeat.start();
  },

  show() {
    if (current) repeat.start();
  },

  hide: () => repeat.stop(),

  clear() {
    current = null;
    repeat.stop();
    empty();
    document.body.classList.remove("has-message");
    place.replaceChildren(h("div", { class: "nothing" },
      h("p", { class: "big", "aria-hidden": "true" }, icon("email")),
      h("p", { class: "when-some" }, "Choose a message, or press ", h("kbd", {}, "j"), " and ", h("kbd", {}, "k"), "."),
      h("p", { class: "when-none" }, "Messages you send appear here. ", h("a", { href: "/console/send", "data-page": "send" }, "Send a message"), " to begin.")));
  },

  tab(number) {
    const button = parts.tabs?.filter((one) => one.offsetParent)[number];
    button?.click();
  },
};

async function look() {
  const id = current;
  let found;
  try {
    found = await get(`messages/${id}`, MARK);
  } catch (error) {
    if (error.status !== 404 || id !== current) throw error;
    empty();
    place.replaceChildren(h("div", { class: "nothing" }, backButton(), h("p", {}, "There is no message with this id. It may have been deleted after its retention period.")));
    document.body.classList.add("has-message");
    return 60000;
  }
  if (id !== current) return 0;
  if (found && shown?.id === found.id) update(found);
  else if (found) build(found);
  return shown && shown.timeline.some((step) => step.state === "waiting") ? 1000 : 5000;
}

function empty() {
  shown = null;
  parts = {};
}

// -- elements that stay while the message is open

function backButton() {
  return h("button", { type: "button", class: "quiet back", "aria-label": "Back to the list", onclick: close }, icon("back"));
}

function build(data) {
  const tabs = [...TABS[data.type], ...COMMON];
  parts = { panels: {}, built: {} };
  parts.status = h("span", { class: "how" });
  parts.tabs = tabs.map(([name, label]) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, "data-tab": name,
    onclick: () => {
      choices.tab[data.type] = name;
      keepChoices();
      showTab(name);
    },
  }, label));
  for (const [name, label] of tabs) {
    parts.panels[name] = h("div", {
      role: "tabpanel", tabindex: "0", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, "data-panel": name, class: `panel panel-${name}`, "aria-label": label,
    });
  }
  parts.tablist = h("div", { role: "tablist", "aria-label": "Views of the message", class: "tabs", onkeydown: moveTab }, parts.tabs);
  const title = data.content?.subject ?? (data.type === "sms" ? `Text message to ${data.to}` : typeName(data.type));
  place.replaceChildren(
    h("header", { class: "head" },
      h("div", { class: "head-line" }, backButton(), h("h2", { tabindex: "-1" }, title), parts.status),
      addressing(data)),
    parts.tablist,
    h("div", { class: "panels" }, Object.values(parts.panels)));
  document.body.classList.add("has-message");
  nameWindow(title);
  place.scrollTop = 0;
  update(data);
  showTab(choices.tab[data.type]);
}

function addressing(data) {
  const { content, details } = data;
  const lines = [];
  if (data.type !== "letter" && content) lines.push(["From", content.from]);
  lines.push(["To", data.to.replaceAll("\n", ", ")]);
  if (content?.reply_to) lines.push(["Reply to", content.reply_to]);
  lines.push(["Accepted", h("span", {}, exact(data.created_at), " (", timeAgo(data.created_at), ")")]);
  if (details.reference) lines.push(["Reference", details.reference]);
  return h("dl", { class: "addressing" }, lines.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function moveTab(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const visible = parts.tabs.filter((one) => one.offsetParent);
  const at = visible.indexOf(document.activeElement);
  const wanted = visible[(at + step + visible.length) % visible.length];
  wanted.focus();
  wanted.click();
  event.preventDefault();
}

function showTab(wanted) {
  const names = Object.keys(parts.panels);
  // on a wide screen the timeline has a separate place
  const usable = names.filter((name) => !(WIDE.matches && name === "timeline"));
  const chosen = usable.includes(wanted) ? wanted : usable[0];
  for (const tab of parts.tabs) {
    const isChosen = tab.dataset.tab === chosen;
    tab.setAttribute("aria-selected", isChosen);
    tab.tabIndex = isChosen ? 0 : -1;
  }
  for (const name of names) {
    parts.panels[name].hidden = name !== chosen && !(WIDE.matches && name === "timeline");
  }
  fillPanel(chosen);
}

// -- elements that change

function update(data) {
  const before = shown;
  shown = data;
  const took = data.ended_at ? ` after ${lasting((new Date(data.ended_at) - new Date(data.created_at)) / 1000)}` : "";
  parts.status.replaceChildren(badge(data.status, data.state), took);
  if (before && before.status !== data.status) announce(`The message is ${data.status}`);
  const has = (name) => JSON.stringify(before?.[name]) !== JSON.stringify(data[name]);
  if (has("timeline")) {
    const focused = document.activeElement;
    parts.panels.timeline.replaceChildren(...timeline(data));
    if (focused?.isConnected) focused.focus();
  }
  if (!before || seen(before) !== seen(data)) for (const [name] of TABS[data.type]) parts.built[name] = false;
  if (data.content && !notSent(data)) parts.tablist.parentElement.querySelectorAll(".not-sent").forEach((one) => one.remove());
  if (has("details")) parts.built.details = false;
  if (has("api")) parts.built.api = false;
  const chosen = parts.tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
  if (chosen) fillPanel(chosen.dataset.tab);
}

/** The content of a message: it does not change when the message is sent, and is not rendered again then. */
const seen = ({ content }) => JSON.stringify({ ...content, was_sent: null });

const FILL = { email, text: plainText, source, sms, letter, details, api };

function fillPanel(name) {
  if (parts.built[name] || !FILL[name]) return;
  parts.built[name] = true;
  const panel = parts.panels[name];
  if (!shown.content && !["details", "api"].includes(name)) {
    panel.replaceChildren(h("p", { class: "soft" }, "Its template or its service no longer exists."));
    return;
  }
  panel.replaceChildren(...[FILL[name](shown)].flat().filter(Boolean));
}

/** A note for messages that never reached the sandbox. */
function notSent(data) {
  if (data.content.was_sent || (data.details.provider && data.details.key_type !== "test")) return null;
  const why = data.details.key_type === "test" ? "A test key sends nothing: this is what would have been sent."
    : "It has not been sent to a provider yet: this is what would be sent.";
  return h("p", { class: "notice not-sent" }, why);
}

// -- email

function email(data) {
  const frame = h("iframe", {
    // no script, no origin, no form: links may open a tab
    sandbox: "allow-popups allow-popups-to-escape-sandbox", referrerpolicy: "no-referrer", title: `Email: ${data.content.subject}`,
  });
  const stage = h("div", { class: "stage" }, frame);
  const address = () => `/console/data/messages/${data.id}/email?theme=${choices.theme}`;
  const dress = () => {
    stage.dataset.width = choices.width;
    stage.dataset.theme = choices.theme;
    if (frame.getAttribute("src") !== address()) frame.src = address();
    alone.href = address();
    keepChoices();
  };
  const alone = h("a", { target: "_blank", rel: "noopener" }, "Open in a new tab", h("span", { "aria-hidden": "true" }, " ↗"));
  const tools = h("div", { class: "tools" },
    segments("Width", { desktop: "Desktop", phone: "Phone" }, choices.width, (value) => {
      choices.width = value;
      dress();
    }),
    segments("Colours", { auto: "Auto", light: "Light", dark: "Dark" }, choices.theme, (value) => {
      choices.theme = value;
      dress();
    }), alone);
  dress();
  return [notSent(data), tools, stage];
}

const ADDRESS = /(https?:\/\/[^\s<>"]*[^\s<>".,:;)\]'])/;

function linked(value) {
  return value.split(ADDRESS).map((piece, at) => at % 2
    ? h("a", { href: piece, target: "_blank", rel: "noopener noreferrer" }, piece) : piece);
}

function plainText(data) {
  return [notSent(data), h("pre", { class: "prose", tabindex: "0", "aria-label": "Plain text" }, linked(data.content.text))];
}

function source(data) {
  const block = code("Loading…", "Headers and parts, as sent");
  text(`messages/${data.id}/source`).then(block.setText, () => block.setText("The server did not answer."));
  block.querySelector("figcaption").append(h("a", { href: `/console/data/messages/${data.id}/source?download` }, "Download .eml"));
  return [notSent(data), block];
}

// -- text message

const KINDS = {
  extension: "Counts as two characters",
  unicode: "Makes the whole message Unicode: 70 characters in one fragment, not 160",
  replaced: "Replaced before sending: phones' alphabet lacks it",
  unsendable: "Cannot be sent at all",
};
const INVISIBLE = /^[\s\u00ad\u180e\u200b-\u200f\u2028-\u202f\u2060\ufeff]+$/;

function shownCharacter(character) {
  const number = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  return INVISIBLE.test(character) ? number : character;
}

function sms(data) {
  const { content } = data;
  const bubble = h("p", { class: "bubble" });
  let fragment = 0;
  for (const piece of content.pieces) {
    if (piece.fragment !== fragment) {
      fragment = piece.fragment;
      bubble.append(h("span", { class: "break", title: `Fragment ${fragment + 1} begins here` }, h("span", { class: "unseen" }, "Fragment "), `${fragment + 1}`));
    }
    bubble.append(piece.kind === "plain" ? piece.text
      : h("mark", { class: piece.kind, title: why(piece) }, piece.text || "·"));
  }
  const one = content.fragments === 1;
  const alphabet = content.is_unicode ? "Unicode" : "GSM alphabet";
  const meters = content.units.map((units, at) => h("li", {},
    h("span", {}, content.units.length > 1 ? `Fragment ${at + 1}` : "Used"),
    h("meter", { min: 0, max: content.capacity, value: units, "aria-label": `Fragment ${at + 1}` }),
    h("span", { class: "number" }, `${units} of ${content.capacity}`)));
  const multiplied = content.rate_multiplier > 1 ? ` × ${content.rate_multiplier} (international)` : "";
  return [notSent(data),
    h("div", { class: "phone" }, h("p", { class: "phone-bar" }, content.from), h("div", { class: "phone-body" },
      h("p", { class: "phone-day" }, clock(data.created_at)), bubble)),
    h("section", { class: "anatomy", "aria-label": "Cost of the characters" },
      h("h3", {}, `${content.fragments} ${one ? "fragment" : "fragments"}${multiplied}`),
      h("p", { class: "soft" }, `${content.characters} characters in ${alphabet}`,
        data.details.cost_in_pounds ? `, £${data.details.cost_in_pounds.toFixed(3)}` : ""),
      h("ul", { class: "meters" }, meters),
      content.units.length > content.fragments
        ? h("p", { class: "soft" }, "Networks do not split a character between two fragments, so they use one fragment more than is charged.") : null,
      costly(content))];
}

function why(piece) {
  const words = KINDS[piece.kind];
  return piece.original === null ? words : `${shownCharacter(piece.original)}: ${words}`;
}

/** The characters that cost extra or were changed, each once, grouped by the reason. */
function costly(content) {
  const found = {};
  for (const { kind, text: sent, original } of content.pieces) {
    if (kind === "plain") continue;
    const characters = (found[kind] ??= new Map());
    for (const character of original === null ? sent : [original]) {
      const entry = characters.get(character) ?? { becomes: original === null ? null : sent, number: 0 };
      entry.number += 1;
      characters.set(character, entry);
    }
  }
  const kinds = Object.keys(KINDS).filter((kind) => found[kind]);
  if (!kinds.length) return h("p", { class: "soft" }, "No character costs extra.");
  return h("dl", { class: "costly" }, kinds.map((kind) => h("div", {}, h("dt", {}, KINDS[kind]),
    h("dd", {}, [...found[kind]].map(([character, { becomes, number }]) => h("span", {},
      h("mark", { class: kind }, shownCharacter(character)),
      becomes === null ? (number > 1 ? ` × ${number}` : "") : [" → ", becomes ? h("mark", { class: kind }, becomes) : "nothing"]))))));
}

// -- letter

function letter(data) {
  const { content } = data;
  const failure = content.failure && h("p", { class: "notice bad" }, h("strong", {}, content.failure.title), ` ${content.failure.detail}`);
  if (content.pages) return [failure, ...letterPages(data)];
  if (content.has_pdf) return [failure, h("div", { class: "tools" }, h("span", { class: "soft" }, "It cannot be shown."), download(data))];
  const why = data.state === "waiting" ? "Its pages have not been created yet: this is its text." : "It has no PDF: this is its text.";
  return [failure, h("p", { class: "notice" }, why), h("div", { class: "paper" },
    h("address", { class: "sender" }, lines(content.sender)),
    h("address", {}, lines(content.address)),
    h("p", { class: "date" }, longDay(content.date)),
    h("h3", {}, content.subject),
    h("div", { class: "prose" }, content.body.split(/\n{2,}/).map(paragraph)))];
}

/** The pages as they are printed. */
function letterPages(data) {
  const { pages } = data.content;
  const number = Array.from({ length: pages }, (_, at) => at + 1);
  return [
    h("div", { class: "tools" },
      h("span", { class: "soft" }, `${pages} ${pages === 1 ? "page" : "pages"}, ${Math.ceil(pages / 2)} ${pages > 2 ? "sheets" : "sheet"}`),
      download(data)),
    h("ol", { class: "pages" }, number.map((page) => h("li", {}, h("img", {
      src: `/console/data/messages/${data.id}/pages/${page}.png`, alt: `Page ${page} of ${pages}`, loading: page > 2 ? "lazy" : "eager",
    })))),
  ];
}

const download = (data) => h("a", { href: `/console/data/messages/${data.id}/pdf` }, "Download PDF");

const lines = (texts) => texts.flatMap((line, at) => (at ? [h("br"), line] : [line]));

function paragraph(value) {
  const heading = value.match(/^#{1,2} +(.*)$/);
  if (heading) return h("h4", {}, heading[1]);
  if (/^[*•-] /.test(value)) return h("ul", {}, value.split("\n").map((line) => h("li", {}, line.replace(/^[*•-] /, ""))));
  return h("p", {}, lines(value.split("\n")));
}

// -- timeline

function timeline(data) {
  const began = new Date(data.timeline[0].at);
  return [h("h3", {}, "Timeline"), h("ol", { class: "timeline" }, data.timeline.map((step, at) => {
    const when = step.at && h("time", { datetime: step.at, title: exact(step.at) },
      step.state === "waiting" ? `by ${exact(step.at)}` : at === 0 ? clock(step.at) : `+${lasting((new Date(step.at) - began) / 1000)}`);
    return h("li", { class: step.state },
      h("span", { class: "step" }, step.title, step.state === "waiting" ? h("span", { class: "unseen" }, " (waited for)") : null), when,
      step.detail ? h("span", { class: "soft" }, step.detail) : null);
  })), ...(data.can_call_back_again ? [callbackAgain(data.id)] : [])];
}

function details(data) {
  const { details: all } = data;
  const values = [
    ["Id", data.id, true],
    ["Reference", all.reference, true],
    ["Service", all.service],
    ["Service id", all.service_id, true],
    ["Template", all.template && `${all.template}, version ${all.template_version}`],
    ["Template id", all.template_id, true],
    ["Key", all.key ? `${all.key} (${all.key_type})` : all.key_type],
    ["Made by", all.created_by],
    ["Provider", all.provider],
    ["Provider's reference", all.provider_reference, true],
    ["Postage", all.postage],
    ["Cost", all.cost_in_pounds ? `£${all.cost_in_pounds.toFixed(4)}` : null],
    ...Object.entries(data.content?.headers ?? {}).map(([name, value]) => [`Header ${name}`, value]),
  ];
  const given = Object.entries(all.personalisation);
  return [
    table("About the message", values.filter(([, value]) => value !== null && value !== undefined && value !== "")),
    given.length ? table("Personalisation", given.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)])) : null,
  ];
}

function table(caption, entries) {
  return h("section", {}, h("h3", {}, caption), h("dl", { class: "facts" }, entries.map(([name, value, isCopied]) => h("div", {},
    h("dt", {}, name), h("dd", {}, h("span", {}, value), isCopied ? copyButton(() => value, "Copy") : null)))));
}

function api(data) {
  return code(JSON.stringify(data.api, null, 2), `GET /v2/notifications/${data.id}`);
}
