// The dialog of Ctrl-K: records, pages and actions as one types. The server finds and names them, so that nobody is shown
// what they may not see (any more); the browser keeps only which records were opened last.

import { make, Options } from "./listbox.js";
import { ANSWER_WITHIN, isLogin } from "./wait.js";

/** How long a pause in typing is, before the server is asked. */
const PAUSE = 80;
const RECENT_MAX = 8;
const RECORD = /^\/(customer|meeting|task|approval|deal)s\/([0-9a-f]{8}-[0-9a-f-]{27})(\/edit)?$/;

const recentKey = () => `kizuna-recent-${document.body.dataset.user}`;

function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(recentKey()) ?? "[]");
    return Array.isArray(kept) ? kept.filter((it) => typeof it === "string") : [];
  } catch {
    return [];
  }
}

/** Remembers that the record of this page was opened. */
export function rememberRecord() {
  const [, type, id] = RECORD.exec(location.pathname) ?? [];
  if (type) {
    const opened = `${type}:${id}`;
    const kept = [opened, ...recent().filter((it) => it !== opened)].slice(0, RECENT_MAX);
    try {
      localStorage.setItem(recentKey(), JSON.stringify(kept));
    } catch {
      // A browser that keeps nothing has no recent records.
    }
  }
}

class Palette {
  #texts;
  #dialog;
  #input;
  #list;
  #options;
  #status;
  #timer = null;
  #asking = null;
  /** Where the option leads that an arrow key has chosen; null after typing. */
  #chosen = null;
  /** Enter was pressed before the answer came. */
  #waiting = false;

  constructor(texts) {
    this.#texts = texts;
    this.#input = make("input", {
      type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: "200", enterkeyhint: "go",
      placeholder: texts.placeholder, "aria-label": texts.label, "aria-autocomplete": "list",
      "aria-expanded": "true", "aria-controls": "palette-list",
    });
    const close = make("button", { type: "button", class: "plain small", "aria-label": texts.close }, "×");
    this.#list = make("div", { role: "listbox", id: "palette-list", "aria-label": texts.label });
    this.#status = make("p", { role: "status", class: "hint" });
    const head = make("div", { class: "palette-head" }, this.#input, close);
    this.#dialog = make("dialog", { id: "palette", class: "palette", "aria-label": texts.label });
    this.#dialog.append(head, this.#list, this.#status);
    this.#options = new Options(this.#input, this.#list);
    document.body.append(this.#dialog);
    close.addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("click", (event) => this.#clicked(event));
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
  }

  get isOpen() {
    return this.#dialog.open;
  }

  open() {
    if (!this.isOpen) {
      this.#input.value = "";
      this.#chosen = null;
      this.#list.replaceChildren();
      this.#dialog.showModal();
      this.#input.focus();
      this.#search();
    }
  }

  close() {
    this.#dialog.close();
  }

  #closed() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#waiting = false;
    this.#status.replaceChildren();
  }

  #clicked(event) {
    const option = event.target.closest("[role=option]");
    if (option) {
      this.#go(option, event.ctrlKey || event.metaKey);
    } else if (event.target === this.#dialog) {
      // What is around the dialog belongs to it, too.
      this.#dialog.close();
    }
  }

  #typed() {
    this.#chosen = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), PAUSE);
  }

  async #search() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const address = new URL("/palette", location.href);
    const q = this.#input.value.trim();
    address.searchParams.set(q ? "q" : "recent", q || recent().join(" "));
    try {
      const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(ANSWER_WITHIN)]);
      const answer = await fetch(address, { signal, cache: "no-store", headers: { accept: "application/json" } });
      if (answer.ok && !isLogin(answer)) {
        const found = await answer.json();
        this.#asking = null;
        this.#show(found);
      } else {
        this.#fail(isLogin(answer) ? document.body.dataset.ended : this.#texts.failed);
      }
    } catch {
      if (!asking.signal.aborted) {
        this.#fail(this.#texts.failed);
      }
    }
  }

  /** By an arrow key. A later answer to what was typed leaves the active option, if it still has it. */
  #move(step) {
    this.#options.move(step);
    this.#chosen = this.#options.active?.dataset.href ?? null;
  }

  #fail(text) {
    this.#asking = null;
    this.#waiting = false;
    this.#status.replaceChildren(text);
  }

  #show({ groups, missing }) {
    let count = 0;
    const parts = groups.map(({ label, entries }, place) => {
      const heading = make("div", { class: "palette-label", id: `palette-group-${place}`, role: "presentation" }, label);
      const group = make("div", { role: "group", "aria-labelledby": heading.id }, heading);
      for (const entry of entries) {
        group.append(this.#option(entry, count));
        count += 1;
      }
      return group;
    });
    this.#list.replaceChildren(...parts);
    this.#list.scrollTop = 0;
    const chosen = this.#options.all.findIndex((option) => option.dataset.href === this.#chosen);
    this.#options.activate(count > 0 ? Math.max(chosen, 0) : -1);
    this.#say(count, missing);
    if (this.#waiting) {
      this.#waiting = false;
      this.#accept(false);
    }
  }

  #option({ title, detail, href, form }, place) {
    const option = make("div", { role: "option", id: `palette-${place}`, "aria-selected": "false" });
    option.append(make("span", { class: "palette-title" }, title), make("span", { class: "meta" }, detail));
    Object.assign(option.dataset, href ? { href } : { form });
    return option;
  }

  /** Says what is seen, and to those who do not see the list how long it is. */
  #say(count, missing) {
    const seen = [missing, count === 0 ? this.#texts.none : ""].filter(Boolean).join(" ");
    const heard = count > 0 ? this.#texts.found.replace("{n}", count) : "";
    this.#status.replaceChildren(seen, make("span", { class: "hidden" }, heard));
  }

  #key(event) {
    if (event.isComposing) {
      return;
    }
    switch (event.key) {
      case "ArrowDown":
        this.#move(1);
        break;
      case "ArrowUp":
        this.#move(-1);
        break;
      case "Enter":
        this.#accept(event.ctrlKey || event.metaKey);
        break;
      case "Escape":
        // Chromium lets a search be emptied first; here it closes at once.
        this.#dialog.close();
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #accept(apart) {
    // What is shown is not yet what was typed: what comes first then is meant.
    if (this.#timer !== null || this.#asking !== null) {
      this.#waiting = true;
      if (this.#timer !== null) {
        this.#search();
      }
      return;
    }
    const option = this.#options.active;
    if (option) {
      this.#go(option, apart);
    }
  }

  #go(option, apart) {
    const { href, form } = option.dataset;
    this.#dialog.close();
    if (form) {
      document.querySelector(`form[action="${CSS.escape(form)}"]`)?.requestSubmit();
    } else if (apart) {
      open(href, "_blank");
    } else {
      goTo(href);
    }
  }
}

/** Goes to a page; a fragment of this very page is one to open. */
export function goTo(href) {
  const there = new URL(href, location.href);
  const isHere = there.pathname === location.pathname && there.search === location.search;
  const opener = document.querySelector(`[data-open="${CSS.escape(there.hash.slice(1))}"]`);
  if (isHere && there.hash && opener) {
    opener.click();
  } else {
    location.assign(there);
  }
}

let palette = null;

/** Opens the dialog; false if the page has no search. */
export function openPalette() {
  const button = document.querySelector("[data-palette]");
  if (!button) {
    return false;
  }
  palette ??= new Palette({ ...button.dataset, close: document.body.dataset.close });
  palette.open();
  return true;
}

/** Makes the frame's search open the dialog, and so does Ctrl-K, wherever the focus is. */
export function preparePalette() {
  const keys = document.querySelector("[data-palette] kbd");
  if (keys && /Mac|iPhone|iPad/.test(navigator.platform)) {
    keys.textContent = "⌘K";
  }
  document.addEventListener("click", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (isPlain && event.target.closest?.("[data-palette]") && openPalette()) {
      event.preventDefault();
    }
  });
  document.addEventListener("keydown", (event) => {
    const isIt = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (isIt && event.key.toLowerCase() === "k" && !event.isComposing) {
      event.preventDefault();
      palette?.isOpen ? palette.close() : openPalette();
    }
  });
}
