// Mentions in a text: `@` and the beginning of a name offers people. The list is a listbox whose active option the text field
// names (aria-activedescendant); a text field of several lines has no other role by HTML's rules. Without this script one types
// `@` and an address.

import { make, Options } from "./listbox.js";

/** How long a pause in typing is, before the server is asked. */
const PAUSE = 150;
/** So many people are offered: a list that scrolls would need the focus. */
const OFFERED = 6;
/** An `@` that begins a word, and what was typed after it, up to the cursor. */
const TYPED = /(?:^|[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~@-])@([^\s@[\]、。]{0,40})$/u;

let count = 0;

class Mentions {
  #area;
  #list;
  #status;
  #options;
  #timer = null;
  #asking = null;

  constructor(area) {
    count += 1;
    this.#area = area;
    const label = area.dataset.label;
    this.#list = make("ul", { role: "listbox", id: `mentions-${count}`, class: "combo-list mention-list", "aria-label": label });
    this.#list.hidden = true;
    this.#status = make("p", { role: "status", class: "combo-status hint" });
    this.#options = new Options(area, this.#list);
    area.after(this.#list, this.#status);
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-haspopup", "listbox");
    area.setAttribute("aria-controls", this.#list.id);
    area.addEventListener("input", (event) => event.isComposing || this.#typed());
    area.addEventListener("compositionend", () => this.#typed());
    area.addEventListener("keydown", (event) => this.#key(event));
    area.addEventListener("blur", () => this.#close());
    area.addEventListener("click", () => this.#close());
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) {
        this.#accept(option);
      }
    });
    area.form?.addEventListener("reset", () => {
      this.#close();
      area.form.querySelectorAll("input[name=mention]").forEach((it) => it.remove());
    });
  }

  get #isOpen() {
    return !this.#list.hidden;
  }

  /** What was typed after an `@` before the cursor, if that may become a mention. */
  get #word() {
    const { selectionStart, selectionEnd, value } = this.#area;
    return selectionStart === selectionEnd ? TYPED.exec(value.slice(0, selectionStart))?.[1] : undefined;
  }

  #typed() {
    clearTimeout(this.#timer);
    if (this.#word === undefined) {
      this.#close();
      return;
    }
    this.#timer = setTimeout(() => this.#search(), PAUSE);
  }

  async #search() {
    const word = this.#word;
    if (word === undefined) {
      return;
    }
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const address = new URL(this.#area.dataset.mentions, location.href);
      address.searchParams.set("q", word);
      const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(10_000)]);
      const answer = await fetch(address, { signal, cache: "no-store", headers: { accept: "application/json" } });
      if (!answer.ok || answer.redirected) {
        throw new Error(answer.status);
      }
      const { choices } = await answer.json();
      if (document.activeElement === this.#area && this.#word === word) {
        this.#show(choices);
      }
    } catch {
      if (!asking.signal.aborted) {
        this.#close();
        this.#status.textContent = this.#area.dataset.failed;
      }
    }
  }

  #show(choices) {
    const options = choices.slice(0, OFFERED).map(({ id, label }, place) => {
      const option = make("li", { role: "option", id: `${this.#list.id}-${place}`, "aria-selected": "false" });
      option.dataset.id = id;
      option.textContent = label;
      return option;
    });
    this.#list.replaceChildren(...options);
    this.#list.hidden = options.length === 0;
    this.#options.activate(options.length === 0 ? -1 : 0);
    const { none, found } = this.#area.dataset;
    const heard = make("span", { class: "hidden" }, found.replace("{n}", options.length));
    this.#status.replaceChildren(options.length === 0 ? none : heard);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#options.activate(-1);
    this.#list.hidden = true;
    this.#status.replaceChildren();
  }

  #key(event) {
    if (!this.#isOpen || event.isComposing) {
      return;
    }
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        this.#options.move(event.key === "ArrowDown" ? 1 : -1);
        break;
      case "Enter":
      case "Tab":
        if (!this.#options.active || event.shiftKey) {
          return;
        }
        this.#accept(this.#options.active);
        break;
      case "Escape":
        this.#close();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Writes the name, and tells the server who is meant: of two people of one name, the second by their id. */
  #accept(option) {
    const { id } = option.dataset;
    const name = option.textContent;
    const area = this.#area;
    const people = [...area.form.querySelectorAll("input[name=mention]")].map((it) => it.value);
    const other = people.some((it) => it.slice(it.indexOf(" ") + 1) === name && !it.startsWith(`${id} `));
    const end = area.selectionStart;
    area.setRangeText(other ? `[${id}] ` : `${name} `, end - this.#word.length, end, "end");
    if (!other && !people.includes(`${id} ${name}`)) {
      area.form.append(make("input", { type: "hidden", name: "mention", value: `${id} ${name}` }));
    }
    this.#close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Makes the text fields in a part of the page offer people. */
export function prepareMentions(root) {
  for (const area of root.querySelectorAll("textarea[data-mentions]")) {
    new Mentions(area);
  }
}
