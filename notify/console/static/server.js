// Polls the server, and shows when it does not respond.

import { $ } from "./dom.js";

const tags = new Map();

/** The JSON at an address below /console/data; null if it is unchanged since the last call with the same `again` mark. */
export async function get(path, again = null) {
  const headers = {};
  const known = again && tags.get(again);
  if (known && known.path === path) headers["If-None-Match"] = known.tag;
  const answer = await fetch(`/console/data/${path}`, { headers, cache: "no-store" });
  if (answer.status === 304) return null;
  if (!answer.ok) throw Object.assign(new Error(`status ${answer.status}`), { status: answer.status });
  if (again) tags.set(again, { path, tag: answer.headers.get("ETag") });
  return answer.json();
}

/** Forget the ETag of a mark: the next response is complete. */
export const forget = (again) => tags.delete(again);

export async function text(path) {
  const answer = await fetch(`/console/data/${path}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.text();
}

/** POST a command; throws the server's error text if it refuses. */
export async function act(path) {
  const answer = await fetch(`/console/data/${path}`, { method: "POST", headers: { "X-Console": "1" }, cache: "no-store" });
  if (answer.ok) return null;
  const said = await answer.json().catch(() => ({}));
  return said.message ?? `It was refused with ${answer.status}.`;
}

function told(isThere) {
  const place = $("connection");
  const words = isThere ? "" : "No answer; trying again";
  if (place.textContent !== words) place.textContent = words;
}

/** Repeats `work` while the page is visible; it returns the milliseconds until the next run. */
export class Repeat {
  #work;
  #timer = null;
  #runs = false;
  #busy = false;
  #failures = 0;

  constructor(work) {
    this.#work = work;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#runs) this.soon();
    });
  }

  start() {
    this.#runs = true;
    this.soon();
  }

  stop() {
    this.#runs = false;
    clearTimeout(this.#timer);
  }

  soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#once(), 0);
  }

  async #once() {
    if (!this.#runs || this.#busy) return;
    this.#busy = true;
    let pause = 1000;
    try {
      pause = (await this.#work()) ?? pause;
      this.#failures = 0;
      told(true);
    } catch (error) {
      if (error.status === undefined && !(error instanceof TypeError)) console.error(error);
      this.#failures += 1;
      pause = Math.min(1000 * 2 ** this.#failures, 15000);
      if (this.#failures > 1) told(false);
    }
    this.#busy = false;
    // poll less often while the page is hidden
    if (this.#runs) this.#timer = setTimeout(() => this.#once(), document.hidden ? 15000 : pause);
  }
}
