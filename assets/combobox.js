// The choice of a customer or a person as one types: WAI-ARIA's editable combobox with list autocomplete. The server
// searches; without this script the same field is a list of what is chosen and a line for a name.

import { make, Options } from "./listbox.js";

/** How long a pause in typing is, before the server is asked. */
const PAUSE = 150;

let count = 0;

class Combobox {
  #box;
  #input;
  #chosen;
  #list;
  #toggle;
  #status;
  #line;
  /** What is shown and chosen to begin with. */
  #first;
  #options;
  #timer = null;
  #asking = null;

  constructor(box) {
    count += 1;
    this.#box = box;
    const select = box.querySelector("select");
    this.#input = box.querySelector("input");
    this.#line = this.#input.name;
    const option = select.selectedOptions[0];
    this.#chosen = make("input", { type: "hidden", name: select.name });
    const found = [...select.options].slice(1).filter((it) => !it.selected);
    this.#list = make("ul", { role: "listbox", id: `combo-${count}`, class: "combo-list" });
    this.#list.hidden = true;
    this.#options = new Options(this.#input, this.#list);
    this.#toggle = make("button", { type: "button", tabindex: "-1", class: "plain combo-toggle" });
    this.#status = make("p", { role: "status", class: "combo-status hint" });
    this.#toggle.setAttribute("aria-label", box.dataset.toggle);
    this.#dress(select);
    if (option?.value) {
      this.#choose(option.value, option.textContent);
    } else if (found.length > 0 && this.#input.value) {
      this.#render(found.map((it) => ({ id: it.value, label: it.textContent })), false);
    } else {
      this.#input.name = this.#input.value ? this.#line : "";
    }
    this.#first = [this.#chosen.value, this.#input.value];
    select.replaceWith(this.#chosen);
    this.#input.after(this.#toggle, this.#list, this.#status);
    box.dataset.ready = "";
    this.#listen();
  }

  #dress(select) {
    const input = this.#input;
    input.id = select.id;
    input.removeAttribute("aria-label");
    input.placeholder = select.options[0].textContent;
    input.required = this.#box.dataset.required !== undefined;
    input.spellcheck = false;
    const name = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    this.#list.setAttribute("aria-label", name?.firstChild?.textContent.trim() ?? "");
    for (const [attribute, value] of [
      ["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", this.#list.id],
      ["aria-invalid", select.getAttribute("aria-invalid")], ["aria-describedby", select.getAttribute("aria-describedby")],
    ]) {
      if (value !== null) {
        input.setAttribute(attribute, value);
      }
    }
    this.#toggle.setAttribute("aria-expanded", "false");
    this.#toggle.setAttribute("aria-controls", this.#list.id);
  }

  #listen() {
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("click", () => this.#isOpen || this.#show());
    this.#input.addEventListener("blur", () => this.#close());
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) {
        this.#accept(option);
      }
    });
    this.#toggle.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#toggle.addEventListener("click", () => {
      this.#input.focus();
      this.#isOpen ? this.#close() : this.#show();
    });
    this.#input.form?.addEventListener("reset", () => setTimeout(() => {
      this.#choose(...this.#first);
      this.#close();
    }));
  }

  get #isOpen() {
    return !this.#list.hidden;
  }

  #choose(id, label) {
    this.#chosen.value = id;
    this.#input.value = label;
    // What was chosen needs no name; what was typed alone is looked for by the server.
    this.#input.name = id || !label ? "" : this.#line;
  }

  #typed() {
    this.#options.activate(-1);
    this.#chosen.value = "";
    this.#input.name = this.#input.value.trim() ? this.#line : "";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(this.#input.value), PAUSE);
  }

  /** Opens the list: with everybody, while somebody is chosen. */
  #show(then) {
    return this.#search(this.#chosen.value ? "" : this.#input.value, then);
  }

  async #search(text, then) {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const address = new URL(this.#box.dataset.combo, location.href);
      address.searchParams.set("q", text);
      const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(10_000)]);
      const answer = await fetch(address, { signal, cache: "no-store", headers: { accept: "application/json" } });
      if (answer.redirected) {
        this.#say(this.#box.dataset.ended);
      } else if (answer.ok) {
        const { choices, more } = await answer.json();
        if (document.activeElement === this.#input) {
          this.#render(choices, true);
          this.#say(choices.length === 0 ? this.#box.dataset.none : more ? this.#box.dataset.more : "", choices.length);
          then?.();
        }
      } else {
        this.#say(this.#box.dataset.failed);
      }
    } catch {
      if (!asking.signal.aborted) {
        this.#say(this.#box.dataset.failed);
      }
    }
  }

  /** Says what is seen, and to those who do not see the list how long it is. */
  #say(text, found = 0) {
    const heard = make("span", { class: "hidden" });
    heard.textContent = found > 0 ? this.#box.dataset.found.replace("{n}", found) : "";
    this.#status.replaceChildren(text, heard);
  }

  #render(choices, opens) {
    const options = choices.map(({ id, label }, place) => {
      const option = make("li", { role: "option", id: `${this.#list.id}-${place}`, "aria-selected": "false" });
      option.dataset.id = id;
      option.textContent = label;
      return option;
    });
    // An answer that comes after an arrow key leaves the active option, if it still has it.
    const active = choices.findIndex(({ id }) => id === this.#options.active?.dataset.id);
    this.#list.replaceChildren(...options);
    this.#options.activate(active);
    this.#open(opens && options.length > 0);
  }

  #open(isOpen) {
    this.#list.hidden = !isOpen;
    for (const part of [this.#input, this.#toggle]) {
      part.setAttribute("aria-expanded", String(isOpen));
    }
    if (isOpen) {
      this.#list.scrollIntoView({ block: "nearest" });
    }
  }

  #close() {
    this.#asking?.abort();
    clearTimeout(this.#timer);
    this.#options.activate(-1);
    this.#open(false);
    this.#say("");
  }

  #move(step) {
    if (!this.#isOpen) {
      this.#show(() => this.#options.move(step));
    } else {
      this.#options.move(step);
    }
  }

  #accept(option) {
    this.#choose(option.dataset.id, option.textContent);
    this.#close();
    this.#input.setAttribute("aria-invalid", "false");
    this.#input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #key(event) {
    if (event.isComposing) {
      return;
    }
    const active = this.#isOpen ? this.#options.active : undefined;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (event.altKey) {
          event.key === "ArrowUp" ? this.#close() : this.#isOpen || this.#show();
        } else {
          this.#move(event.key === "ArrowDown" ? 1 : -1);
        }
        break;
      case "Enter":
        if (!active) {
          this.#close();
          return;
        }
        this.#accept(active);
        break;
      case "Escape":
        if (!this.#isOpen) {
          return;
        }
        this.#close();
        event.stopPropagation();
        break;
      case "Tab":
        if (active) {
          this.#accept(active);
        }
        return;
      case "ArrowLeft":
      case "ArrowRight":
      case "Home":
      case "End":
        this.#options.activate(-1);
        return;
      default:
        return;
    }
    event.preventDefault();
  }
}

/** Makes comboboxes of the fields in a part of the page. */
export function prepareComboboxes(root) {
  root.querySelectorAll("[data-combo]:not([data-ready])").forEach((box) => new Combobox(box));
}
