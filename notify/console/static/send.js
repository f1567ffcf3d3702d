// Sends as the demo service through the public API, and shows the same request as code.

import { $, announce, code, copyButton, h } from "./dom.js";
import { get } from "./server.js";

const place = $("send-content");
const base = document.body.dataset.apiUrl;
const KINDS = { sms: "Text message", email: "Email", letter: "Letter" };
const FIELD = { sms: "phone_number", email: "email_address" };
const OUTCOMES = {
  sms: [["07700 900123", "delivered"], ["07700 900003", "temporary failure"], ["07700 900002", "permanent failure"]],
  email: [["amala@example.com", "delivered"], ["temp-fail@simulator.notify", "temporary failure"], ["perm-fail@simulator.notify", "permanent failure"]],
};
const EXAMPLES = { name: "Amala", date: "Monday 7 December", parking: "yes" };
const MOST_AT_ONCE = 4;

let demo = null;
let templates = [];
let built = false;
let form;
let fields;
let result;
let curl;
let python;

export const send = {
  async show() {
    if (built) return;
    try {
      demo = await get("demo");
      if (demo) templates = (await api("GET", "/v2/templates")).body.templates ?? [];
    } catch {
      place.replaceChildren(h("p", { class: "notice" }, "The server does not answer. Open this page again in a moment."));
      return;
    }
    built = true;
    if (demo) build();
    else {
      place.replaceChildren(h("p", { class: "notice" }, "There is no demo service here. ", h("code", {}, "notify create-service"), " and ",
        h("code", {}, "notify create-key"), " make one of your own; ", h("a", { href: "/docs" }, "the API's documentation"), " says what it can do."));
    }
  },
};

async function api(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { Authorization: `ApiKey-v1 ${demo.api_keys[form?.key.value ?? "normal"]}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  return { ok: answer.ok, status: answer.status, body: await answer.json() };
}

function build() {
  fields = h("div", { class: "fields" });
  result = h("div", { role: "status", class: "result" });
  form = h("form", { class: "send-form", onsubmit: submit },
    h("fieldset", { class: "segments" }, h("legend", { class: "unseen" }, "Type of message"), Object.entries(KINDS).map(([kind, label]) => h("label", {},
      h("input", { type: "radio", name: "kind", value: kind, checked: kind === "sms" }), h("span", {}, label)))),
    h("label", { class: "field" }, h("span", {}, "Template"), h("select", { name: "template" })),
    fields,
    h("div", { class: "pair" },
      h("label", { class: "field" }, h("span", {}, "Reference"), h("input", { name: "reference", autocomplete: "off", placeholder: "optional" })),
      h("label", { class: "field" }, h("span", {}, "Key"), h("select", { name: "key" }, Object.keys(demo.api_keys).map((kind) => h("option", {}, kind)))),
      h("label", { class: "field" }, h("span", {}, "How many"), h("input", { name: "number", type: "number", min: 1, max: 1000, value: 1, required: true }))),
    h("p", {}, h("button", { class: "button" }, "Send")),
    result);
  curl = code("", "In a terminal");
  python = code("", "In Python, with the official client");
  place.replaceChildren(h("div", { class: "columns" }, form, h("div", {},
    h("h2", {}, "From your program"), curl, python,
    h("h2", {}, "Keys of the demo service"),
    h("dl", { class: "facts" },
      fact("Address", base),
      Object.entries(demo.api_keys).map(([kind, key]) => fact(`Key: ${kind}`, key)),
      fact("Service id", demo.service_id)),
    h("p", { class: "soft" }, "A normal key sends, a team key sends to the team and its guests only, a test key pretends. The sandbox sends to nobody either way."))));
  form.addEventListener("input", (event) => {
    if (event.target.name === "kind") chooseKind();
    else if (event.target.name === "template") chooseTemplate();
    else snippets();
  });
  chooseKind();
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, h("code", {}, value), copyButton(() => value)));

function chooseKind() {
  const usable = templates.filter((template) => template.type === form.kind.value);
  form.template.replaceChildren(...usable.map((template) => h("option", { value: template.id }, template.name)));
  chooseTemplate();
}

function chooseTemplate() {
  const kind = form.kind.value;
  const template = templates.find((one) => one.id === form.template.value);
  const names = Object.keys(template?.personalisation ?? {}).filter((name) => !/^address.?line.?\d$|^postcode$/i.test(name));
  const recipient = kind === "letter"
    ? h("label", { class: "field" }, h("span", {}, "Address"), h("textarea", { name: "recipient", rows: 4, required: true }, "Amala Bird\n1 High Street\nBristol\nSW1A 1AA"))
    : h("label", { class: "field" }, h("span", {}, kind === "sms" ? "Phone number" : "Email address"),
      h("input", { name: "recipient", value: OUTCOMES[kind][0][0], list: "outcomes", required: true, autocomplete: "off" }),
      h("datalist", { id: "outcomes" }, OUTCOMES[kind].map(([value, outcome]) => h("option", { value }, outcome))));
  fields.replaceChildren(recipient,
    kind === "letter" ? "" : h("p", { class: "hint" }, OUTCOMES[kind].slice(1).map(([value, outcome], at) => [at ? ", " : "", h("button", {
      type: "button", class: "as-link", onclick: () => {
        form.recipient.value = value;
        snippets();
      },
    }, value), ` is a ${outcome}`]).flat(2), "."),
    ...names.map((name) => h("label", { class: "field" }, h("span", {}, name),
      h("textarea", { "data-name": name, rows: 1, required: true }, EXAMPLES[name] ?? name))));
  snippets();
}

function body() {
  const kind = form.kind.value;
  const personalisation = Object.fromEntries([...fields.querySelectorAll("[data-name]")].map((one) => [one.dataset.name, one.value]));
  if (kind === "letter") {
    form.recipient.value.split("\n").map((line) => line.trim()).filter(Boolean).slice(0, 7)
      .forEach((line, at) => (personalisation[`address_line_${at + 1}`] = line));
  }
  return {
    ...(kind === "letter" ? {} : { [FIELD[kind]]: form.recipient.value }),
    template_id: form.template.value,
    personalisation,
    ...(form.reference.value ? { reference: form.reference.value } : {}),
  };
}

function snippets() {
  const kind = form.kind.value;
  const given = body();
  const quoted = JSON.stringify(given, null, 2).replaceAll("'", "'\\''");
  const key = demo.api_keys[form.key.value];
  curl.setText(`curl ${base}/v2/notifications/${kind} \\\n  -H 'Authorization: ApiKey-v1 ${key}' \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'`);
  const values = Object.entries(given).map(([name, value]) => `    ${name}=${literal(value)},\n`).join("");
  python.setText("# pip install notifications-python-client\nfrom notifications_python_client.notifications import NotificationsAPIClient\n\n"
    + `client = NotificationsAPIClient(\n    ${literal(key)},\n    base_url=${literal(base)},\n)\nsent = client.send_${kind}_notification(\n${values})\nprint(sent["id"])`);
}

/** A value as a Python literal: strings and objects of strings look the same in JSON. */
const literal = (value) => JSON.stringify(value, null, 4).replaceAll("\n", "\n    ");

async function submit(event) {
  event.preventDefault();
  const button = form.querySelector(".button");
  const number = Math.max(1, Number(form.number.value));
  const kind = form.kind.value;
  const given = body();
  button.disabled = true;
  result.replaceChildren(number > 1 ? "Sending…" : "");
  let left = number;
  let accepted = 0;
  let last = null;
  let refused = null;
  const one = async () => {
    while (left > 0 && !refused) {
      left -= 1;
      const answer = await api("POST", `/v2/notifications/${kind}`, given);
      if (answer.ok) {
        accepted += 1;
        last = answer.body;
      } else refused = answer.body;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, number) }, one));
  } catch {
    refused = { errors: [{ error: "No answer", message: "the server did not answer" }] };
  }
  button.disabled = false;
  result.replaceChildren(
    refused ? h("div", { class: "notice bad" }, (refused.errors ?? [{ error: "Refused", message: refused.message }]).map((fault) =>
      h("p", {}, h("b", {}, fault.error), `: ${fault.message}`))) : "",
    accepted ? h("p", { class: "notice good" }, accepted > 1 ? `${accepted} were accepted. ` : "Accepted. ",
      h("a", { href: `/console/messages/${last.id}`, "data-message": last.id }, accepted > 1 ? "Open the last" : "Open it")) : "");
  announce(refused ? "The message was refused" : "Accepted");
}
