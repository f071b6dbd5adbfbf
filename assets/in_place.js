// A record is edited where it stands: its form is shown in the place of its fields, without leaving the page.

import { isPlainClick, prepare } from "./page.js";
import { hasUnsaved } from "./unsaved.js";
import { ANSWER_WITHIN, isLogin } from "./wait.js";

/** The page that the address is of; elsewhere the browser has gone back or forward. */
let shown = location.pathname;

/** Shows the main part of another page here. */
async function show(address) {
  const signal = AbortSignal.timeout(ANSWER_WITHIN);
  const answer = await fetch(address, { cache: "no-store", signal, headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  if (!answer.ok || isLogin(answer) || !main) {
    throw new Error("no such page");
  }
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(main));
  prepare(main);
  history.pushState(null, "", address);
  shown = location.pathname;
  return main;
}

/** The form's first field, or the link that opens the form. */
const start = (main) =>
  main.querySelector("#record-form :is(input:not([type=hidden]), select, textarea)") ??
  main.querySelector("a[data-in-place]");

export function editInPlace() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-in-place]");
    // With a text that was not sent the browser follows the link by itself, and asks.
    if (!link || !isPlainClick(event) || hasUnsaved()) {
      return;
    }
    event.preventDefault();
    try {
      start(await show(link.href))?.focus();
    } catch {
      // The browser says better what is wrong.
      location.assign(link.href);
    }
  });
  addEventListener("popstate", () => {
    if (location.pathname !== shown) {
      location.reload();
    }
  });
}
