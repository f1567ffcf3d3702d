// The button that sends a callback again.

import { announce, h } from "./dom.js";
import { act } from "./server.js";

let last = {};

/** The button for a message, and its result; it survives when the timeline is rendered again. */
export function callbackAgain(id) {
  if (last.id !== id) last = { id, element: make(id) };
  return last.element;
}

function make(id) {
  const said = h("span", { class: "soft", role: "status" });
  const button = h("button", { type: "button", class: "quiet" }, "Send the callback again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    let problem = "The API did not answer.";
    try {
      problem = await act(`messages/${id}/callback`);
    } catch {
      // no response
    }
    said.textContent = problem ?? "Sent again";
    announce(said.textContent);
    setTimeout(() => (button.disabled = false), 1000);
  });
  return h("p", { class: "again" }, button, " ", said);
}
