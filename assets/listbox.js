// The options of a listbox, one of which is active while the focus stays in a text field (WAI-ARIA's combobox pattern).

export class Options {
  #input;
  #list;
  #active = -1;

  constructor(input, list) {
    this.#input = input;
    this.#list = list;
  }

  get all() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  get active() {
    return this.all[this.#active];
  }

  /** Makes the option at this place the active one; -1 for none. */
  activate(place) {
    this.active?.setAttribute("aria-selected", "false");
    this.#active = place;
    const option = this.active;
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.#input.setAttribute("aria-activedescendant", option.id);
    } else {
      this.#input.removeAttribute("aria-activedescendant");
    }
  }

  /** To the next option (1) or the one before (-1), around the ends. */
  move(step) {
    const { length } = this.all;
    if (length > 0) {
      const first = step > 0 ? 0 : length - 1;
      this.activate(this.#active < 0 ? first : (this.#active + step + length) % length);
    }
  }
}

export function make(tag, attributes = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...content);
  return element;
}
