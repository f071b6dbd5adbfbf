// Dialogs, and keys in forms.

import { open } from "./page.js";
import { forget } from "./unsaved.js";

// Enter that ends the composition of an IME is no wish to send the form. Safari tells of it by the key code alone,
// after the composition has ended.
const IME_KEY = 229;

/** Closes a dialog, and gives up what was typed in it. */
function giveUp(dialog) {
  dialog.close();
  const form = dialog.querySelector("form");
  form?.reset();
  // Comboboxes take back their choices after the reset.
  setTimeout(() => form && forget(form));
}

export function prepareForms() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.isComposing || event.keyCode === IME_KEY)) {
      event.preventDefault();
    }
  }, { capture: true });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-open]");
    if (opener && document.getElementById(opener.dataset.open) && !(event.metaKey || event.ctrlKey || event.shiftKey)) {
      // A link leads to the form on its own page, for those without scripts.
      event.preventDefault();
      open(opener.dataset.open);
    }
    const dialog = event.target.closest?.("[data-close-dialog]")?.closest("dialog");
    if (dialog) {
      giveUp(dialog);
    }
  });
  // A form that was refused, or that a link asks for: the latter after the browser has moved the focus there by itself.
  const refused = document.querySelector("dialog[data-opened]")?.id;
  if (refused) {
    open(refused);
  } else if (location.hash) {
    addEventListener("load", () => setTimeout(open, 0, location.hash.slice(1)), { once: true });
  }
}
