// Forms whose choices apply at once (`data-apply`). While one is being sent, whatever is done next waits for it: the next
// page would show what was before, and what is carried out would be another than the one that was chosen.

import { isChanged, leave } from "./unsaved.js";

/** Whether a choice was made that the sending under way does not hold. */
let isStale = false;
/** What was asked for meanwhile; of several, the last. */
let next = null;
/** The link that waits. Whoever follows it once more does not want to: what was sent arrives without the page. */
let waiting = null;

const APPLYING = "form[data-apply]";
const isApplying = () => document.querySelector(`${APPLYING}[data-busy]`) !== null;
const formAt = (action) => document.querySelector(`form[action="${CSS.escape(action)}"]`);

/** Whether a click means to leave this page for where a link leads. */
function isLeaving(event, link) {
  const keys = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.button === 0 && !keys && !event.defaultPrevented && link.target !== "_blank" && !link.download;
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
  // By then the page is another: what the form asks is of that one.
  const action = form.getAttribute("action");
  waiting = null;
  next = () => formAt(action)?.requestSubmit();
  return true;
}

/** Goes on after a choice was sent. One that was refused is to be looked at first. */
export function goOn(isApplied) {
  const [wasStale, act] = [isStale, next];
  isStale = false;
  waiting = null;
  if (!isApplied) {
    next = null;
  } else if (wasStale) {
    document.querySelector(APPLYING)?.requestSubmit();
  } else {
    next = null;
    act?.();
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
    if (link && isApplying() && isLeaving(event, link)) {
      if (waiting === link.href) {
        leave();
        return;
      }
      event.preventDefault();
      waiting = link.href;
      next = () => location.assign(link.href);
    }
  });
  // What was chosen while the scripts were on their way.
  for (const form of document.querySelectorAll(APPLYING)) {
    if ([...form.querySelectorAll("select, input:not([type=hidden])")].some(isChanged)) {
      form.requestSubmit();
    }
  }
}
