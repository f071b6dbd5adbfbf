// What was typed and not sent: leaving it asks.

/** What each form said when it was made. `null`: it came back unsent. */
const made = new WeakMap();
let leaving = false;

const FORMS = "form[method=post]:not([data-native])";

function said(form) {
  const fields = new FormData(form);
  ["form_token", "form_key", "version"].forEach((name) => fields.delete(name));
  const texts = [...fields].map(([name, value]) => [name, value instanceof File ? value.name : value]);
  return new URLSearchParams(texts).toString();
}

/** Whether a field says something else than the server made it say. */
export function isChanged(field) {
  const chosen = (select) => [...select.options].find((it) => it.defaultSelected) ?? select.options[0];
  return field.matches("select") ? field.selectedOptions[0] !== chosen(field) : field.value !== field.defaultValue;
}

/** Whether a form holds what the server does not. */
export function isEdited(form) {
  return made.has(form) && made.get(form) !== said(form);
}

/** A form holds nothing worth keeping any more. */
export function forget(form) {
  made.set(form, said(form));
}

/** The page is being left on purpose. */
export function leave() {
  leaving = true;
}

/** Takes note of the forms in a part of the page that people type into. */
export function watchForms(root) {
  for (const form of root.matches?.(FORMS) ? [root] : root.querySelectorAll(FORMS)) {
    if (form.querySelector(".fields") && !made.has(form)) {
      made.set(form, form.querySelector("[role=alert], [aria-invalid=true]") ? null : said(form));
    }
  }
}

/** Whether any form of the page holds what the server does not. */
export function hasUnsaved() {
  return [...document.querySelectorAll(FORMS)].some(isEdited);
}

export function askBeforeLeaving() {
  addEventListener("beforeunload", (event) => {
    if (!leaving && hasUnsaved()) {
      event.preventDefault();
    }
  });
  addEventListener("pageshow", () => (leaving = false));
}
