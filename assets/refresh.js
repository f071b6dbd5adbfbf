// The page is read again, and its live parts are taken over.

import { ANSWER_WITHIN, isLogin, spread, WAIT_FIRST, WAIT_MAX } from "./wait.js";
import { tick, ticked } from "./bulk.js";
import { prepare } from "./page.js";
import { isChanged, isEdited } from "./unsaved.js";

// Events come in bursts (a deletion touches many records): the page is read again after a burst, and also within one
// that does not end (an import), so often that what is shown is never a second old.
const GATHER = 150;
const GATHER_MAX = 250;

/** Reads the page again and takes over its live parts. One reading at a time; one that fails is repeated. */
export class Refresher {
  #timer = null;
  /** When the first event came that no reading covers. */
  #since = null;
  #busy = false;
  #wait = WAIT_FIRST;

  soon() {
    this.#since ??= performance.now();
    if (!this.#busy) {
      this.#in(Math.min(GATHER, Math.max(0, this.#since + GATHER_MAX - performance.now())));
    }
  }

  #in(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), delay);
  }

  async #run() {
    if (isUnderWay()) {
      this.#in(GATHER);
      return;
    }
    this.#busy = true;
    this.#since = null;
    const isRead = await this.#read();
    this.#busy = false;
    if (!isRead) {
      this.#in(spread(this.#wait));
      this.#wait = Math.min(this.#wait * 2, WAIT_MAX);
      return;
    }
    this.#wait = WAIT_FIRST;
    if (this.#since !== null) {
      this.soon();
    }
  }

  /** False if it failed and another reading may succeed. */
  async #read() {
    try {
      const status = await reread(isUnderWay);
      if (status === null) {
        this.#since ??= performance.now();
        return true;
      }
      return status < 500 && status !== 429;
    } catch {
      return false;
    }
  }
}

/** A form that is under way may change this very page, or leave it; a card that is dragged must stay the same. */
const isUnderWay = () => document.querySelector("form[data-busy]") !== null;

/**
 * Reads the page once more and takes over its live parts; answers with the status, or with null if by then it is not
 * wanted.
 */
export async function reread(isUnwanted = () => false) {
  const address = location.href;
  const signal = AbortSignal.timeout(ANSWER_WITHIN);
  const answer = await fetch(address, { cache: "no-store", signal, headers: { accept: "text/html" } });
  const text = await answer.text();
  if (isUnwanted()) {
    return null;
  }
  // A page that was left meanwhile is of no use, also one whose filters have changed.
  if (answer.ok && !isLogin(answer) && address === location.href) {
    takeOver(new DOMParser().parseFromString(text, "text/html"));
  }
  return answer.status;
}

/** Replaces the bell and every live part; the focus stays on the same link or button. */
export function takeOver(page) {
  for (const part of document.querySelectorAll("#bell, [data-live]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh || fresh.isEqualNode(part) || staysAsItIs(part, fresh)) {
      continue;
    }
    const focused = part.contains(document.activeElement) ? trail(part) : null;
    const kept = ticked(part);
    const open = [...part.querySelectorAll("details[open]")].map(nameOf);
    const picks = picked(part);
    part.replaceWith(document.adoptNode(fresh));
    prepare(fresh);
    tick(fresh, kept);
    pick(picks);
    fresh.querySelectorAll("details").forEach((it) => (it.open ||= open.includes(nameOf(it))));
    if (focused) {
      (focused.length ? fresh.querySelector(focused.join(",")) : fresh)?.focus();
    }
  }
}

/** What tells a menu, or another part that opens, from the others. */
const nameOf = (details) =>
  details.querySelector("form")?.getAttribute("action") ?? details.querySelector("summary").textContent;

/**
 * A part with forms says by its state what it offers: while that is the same, its forms stay, of the record as it is. A
 * record's own form follows until it is edited; then the server merges.
 */
function staysAsItIs(part, fresh) {
  const { state, follow } = part.dataset;
  if (state === undefined) {
    return false;
  }
  if (follow !== undefined) {
    return state === fresh.dataset.state || isEdited(part);
  }
  const edited = [...part.querySelectorAll("form")].filter(isEdited);
  if (state === fresh.dataset.state) {
    const versions = [...fresh.querySelectorAll("[name=version]")].map((it) => it.value);
    part.querySelectorAll("[name=version]").forEach((it, place) => (it.value = versions[place] ?? it.value));
    return true;
  }
  // What was typed goes over where there is still something to type into.
  for (const form of edited) {
    for (const area of form.querySelectorAll("textarea")) {
      const other = fresh.querySelector(`textarea[name="${area.name}"]`);
      if (other) {
        other.value = area.value;
      }
    }
  }
  return false;
}

/** What is chosen on a part and not sent yet, by the id of its field. */
function picked(part) {
  return [...part.querySelectorAll("select[id]")].filter(isChanged).map((it) => [it.id, it.value]);
}

/** Chooses it again where it is still there to choose. */
function pick(picks) {
  for (const [id, value] of picks) {
    const select = document.getElementById(id);
    if (select && [...select.options].some((it) => it.value === value)) {
      select.value = value;
    }
  }
}

/** How to find the focused link, button or field again. */
function trail(part) {
  const element = document.activeElement;
  if (part.isSameNode(element)) {
    return [];
  }
  if (element.id) {
    return [`#${CSS.escape(element.id)}`];
  }
  const href = element.getAttribute("href");
  if (href) {
    return [`a[href="${CSS.escape(href)}"]`];
  }
  if (element.matches("summary")) {
    const form = element.parentElement.querySelector("form");
    return form ? [`details:has(form[action="${CSS.escape(form.getAttribute("action"))}"]) > summary`] : [];
  }
  const action = element.closest("form")?.getAttribute("action");
  return action ? [`form[action="${CSS.escape(action)}"] button`] : [];
}
