// What is done with every part of a page, when it is read first and when it is replaced.

import { prepareChoices } from "./apply.js";
import { prepareCharts } from "./chart.js";
import { prepareComboboxes } from "./combobox.js";
import { prepareMentions } from "./mentions.js";
import { watchForms } from "./unsaved.js";

/** Whether a click on a link means to follow it on this page: not into another tab, and nobody else has taken it. */
export function isPlainClick(event) {
  const keys = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.button === 0 && !keys && !event.defaultPrevented;
}

/** Makes a part of the page work. */
export function prepare(part) {
  prepareComboboxes(part);
  prepareMentions(part);
  prepareCharts(part);
  prepareChoices(part);
  watchForms(part);
}

/** Opens a dialog at what is wrong, or at its first field that is empty: the customer may be known already. */
export function open(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) {
    return;
  }
  dialog.showModal();
  const wrong = dialog.querySelector('[aria-invalid="true"]');
  const fields = [...dialog.querySelectorAll("input:not([type=hidden]), select, textarea")];
  (wrong ?? fields.find((it) => it.value === "") ?? fields[0])?.focus();
}
