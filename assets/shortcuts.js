// Keys without modifiers: listed by `?`, and off while somebody types, in a dialog, or if they were switched off (WCAG
// 2.1.4). The switch belongs to the browser, as its keyboard and its speech input do.

import { goTo, openPalette } from "./palette.js";
import { ANSWER_WITHIN, isLogin } from "./wait.js";

/** How long the letter after `g` may take. */
const SECOND_WITHIN = 1_500;
const OFF = "kizuna-shortcuts-off";

let since = -Infinity;
let listed = null;

function areOn() {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}

function turn(on) {
  try {
    on ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "");
  } catch {
    // They stay as they are where a browser keeps nothing.
  }
}

/** Makes the switch of the page, or of the dialog, work. */
function prepareSwitch(root) {
  const part = root.querySelector("[data-shortcuts-switch]");
  if (part) {
    const box = part.querySelector("input");
    part.hidden = false;
    box.checked = areOn();
    box.addEventListener("change", () => turn(box.checked));
  }
}

/** Whether a key is meant for a field. One in a dialog that was just closed still has the focus until the next frame. */
function isTyping(target) {
  const field = target?.closest?.("input, select, textarea, [contenteditable]");
  return field?.checkVisibility() === true;
}

/** The search of the page, if it has one that is seen. */
function focusSearch() {
  const field = document.querySelector("main form[role=search] input[type=search]");
  if (field?.checkVisibility() !== true) {
    return false;
  }
  field.focus();
  field.select();
  return true;
}

async function list() {
  if (!listed) {
    const answer = await fetch("/shortcuts", { signal: AbortSignal.timeout(ANSWER_WITHIN) });
    if (!answer.ok || isLogin(answer)) {
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = document.adoptNode(page.getElementById("shortcuts"));
    part.removeAttribute("id");
    listed = document.createElement("dialog");
    listed.setAttribute("aria-labelledby", "shortcuts-title");
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = document.body.dataset.close;
    close.addEventListener("click", () => listed.close());
    const buttons = document.createElement("div");
    buttons.className = "buttons";
    buttons.append(close);
    listed.append(part, buttons);
    document.body.append(listed);
    prepareSwitch(listed);
  }
  if (!document.querySelector("dialog[open]")) {
    listed.showModal();
    listed.querySelector("button").focus();
  }
}

/** Does what a key stands for; false if it stands for nothing here. */
function act(key) {
  if (performance.now() - since < SECOND_WITHIN) {
    since = -Infinity;
    const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (link) {
      goTo(link.getAttribute("href"));
      return true;
    }
  }
  switch (key) {
    case "g":
      since = performance.now();
      return true;
    case "/":
      return focusSearch() || openPalette();
    case "c": {
      const opener = document.querySelector("main .main[data-open]");
      opener?.click();
      return Boolean(opener);
    }
    case "?":
      // Without an answer the page of the shortcuts is still there.
      list().catch(() => {});
      return true;
    default:
      return false;
  }
}

export function prepareShortcuts() {
  prepareSwitch(document);
  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, shiftKey, isComposing, repeat, target } = event;
    const isSign = key === "?" || key === "/";
    if (ctrlKey || metaKey || altKey || isComposing || repeat || key.length !== 1 || (shiftKey && !isSign)) {
      return;
    }
    if (event.defaultPrevented || isTyping(target) || document.querySelector("dialog[open]") || !areOn()) {
      return;
    }
    if (act(key.toLowerCase())) {
      event.preventDefault();
    }
  });
}
