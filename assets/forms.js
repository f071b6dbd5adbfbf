// Dialogs and forms.

// Enter that ends the composition of an IME is no wish to send the form. Safari tells of it by the key code alone,
// after the composition has ended.
const IME_KEY = 229;

function open(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) {
    return;
  }
  dialog.showModal();
  const first = dialog.querySelector('[aria-invalid="true"]') ?? dialog.querySelector("input:not([type=hidden]), select, textarea");
  first?.focus();
}

// A form is sent once, however often its button is pressed. What a browser brings back from its memory can be sent again.
function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post") {
    return;
  }
  if (form.dataset.sent || (form.dataset.confirm && !confirm(form.dataset.confirm))) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
}

export function prepareForms() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.isComposing || event.keyCode === IME_KEY)) {
      event.preventDefault();
    }
  }, { capture: true });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-open]");
    if (opener) {
      open(opener.dataset.open);
    }
    if (event.target.closest?.("[data-close-dialog]")) {
      event.target.closest("dialog")?.close();
    }
  });
  document.addEventListener("submit", sendOnce);
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });
  // A form that was refused, or that a link asks for: the latter after the browser has moved the focus there by itself.
  const refused = document.querySelector("dialog[data-opened]")?.id;
  if (refused) {
    open(refused);
  } else if (location.hash) {
    addEventListener("load", () => setTimeout(open, 0, location.hash.slice(1)), { once: true });
  }
}
