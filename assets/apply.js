// Forms whose choices apply at once (`data-apply`). While one is being sent, whatever is done next waits for it: the next
// page would show what was before, and what is carried out would be another than the one that was chosen.

import { isPlainClick } from "./page.js";
import { isChanged, leave } from "./unsaved.js";

/** Whether a choice was made that the sending under way does not hold. */
let isStale = false;
/** What was asked for meanwhile: the address of a link, or the action of a form. Of several, the last. */
let next = null;

const APPLYING = "form[data-apply]";
const isApplying = () => document.querySelector(`${APPLYING}[data-busy]`) !== null;

/** Goes where a link leads, or sends a form as it stands by then: what it asks is of the page that was read since. */
function carryOut({ href, action }) {
  if (href) {
    location.assign(href);
  } else {
    document.querySelector(`form[action="${CSS.escape(action)}"]`)?.requestSubmit();
  }
}

/** Makes the forms in a part of the page apply at once: their buttons are for pages without scripts. */
export function prepareChoices(part) {
  for (const form of part.matches?.(APPLYING) ? [part] : part.querySelectorAll(APPLYING)) {
    form.dataset.instant = "";
  }
}

/** Puts off a form that is sent while a choice is being applied; false if none is. */
export function isPutOff(form) {
  if (!isApplying()) {
    return false;
  }
  next = { action: form.getAttribute("action") };
  return true;
}

/** Goes on after a choice was sent. One that was refused is to be looked at first. */
export function goOn(isApplied) {
  const wasStale = isStale;
  isStale = false;
  if (isApplied && wasStale) {
    document.querySelector(APPLYING)?.requestSubmit();
    return;
  }
  const asked = next;
  next = null;
  if (isApplied && asked) {
    carryOut(asked);
  }
}

export function applyChoices() {
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form?.hasAttribute("data-apply")) {
      return;
    }
    if (form.hasAttribute("data-busy")) {
      isStale = true;
    } else {
      form.requestSubmit();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || !isApplying() || !isPlainClick(event) || link.target === "_blank" || link.download) {
      return;
    }
    // Whoever follows it once more does not want to wait: what was sent arrives without the page.
    if (next?.href === link.href) {
      leave();
      return;
    }
    event.preventDefault();
    next = { href: link.href };
  });
  // What was chosen while the scripts were on their way.
  for (const form of document.querySelectorAll(APPLYING)) {
    if ([...form.querySelectorAll("select, input:not([type=hidden])")].some(isChanged)) {
      form.requestSubmit();
    }
  }
}
