// The filters of a list apply at once: the list is read anew, at the address that says what it shows. Without this script
// the form has a button.

import { takeOver } from "./refresh.js";
import { isChanged } from "./unsaved.js";
import { ANSWER_WITHIN, isLogin } from "./wait.js";

/** How long a pause in typing is, before the list is read. */
const PAUSE = 250;

let timer = null;
let asking = null;
/** What the page shows: its address without the part after `#`. */
let shown = location.pathname + location.search;

/** A name that is typed and not chosen: the server looks for it when the form is sent. */
const isLine = ([name, value]) => name.endsWith("_text") && value.trim() !== "";

function addressOf(form) {
  const address = new URL(form.getAttribute("action"), location.href);
  const given = [...new FormData(form)].filter(([, value]) => value !== "");
  address.search = new URLSearchParams(given).toString();
  return address;
}

/** Shows the list at an address, which replaces that of the page while somebody types. */
async function show(address, isTyping) {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const list = document.querySelector("main [data-said]");
  list?.setAttribute("aria-busy", "true");
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN)]);
    const answer = await fetch(address, { cache: "no-store", signal: within, headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || isLogin(answer)) {
      location.assign(address);
      return;
    }
    const there = new URL(answer.url);
    history[isTyping ? "replaceState" : "pushState"](null, "", there);
    shown = there.pathname + there.search;
    takeOver(page);
    document.getElementById("sending").textContent = document.querySelector("main [data-said]")?.dataset.said ?? "";
  } catch {
    // A later one goes on; a server that is away is for the browser to tell.
    if (!signal.aborted) {
      location.assign(address);
    }
  }
}

function apply(form, isTyping) {
  clearTimeout(timer);
  if ([...new FormData(form)].some(isLine)) {
    return false;
  }
  const address = addressOf(form);
  if (address.pathname + address.search !== shown) {
    show(address, isTyping);
  }
  return true;
}

/** Closes menus that are left, by the key or by a click elsewhere. */
function prepareMenus() {
  const opened = () => [...document.querySelectorAll("details.menu[open]")];
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) {
      for (const menu of opened().filter((it) => it.contains(document.activeElement))) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
  });
  document.addEventListener("click", (event) => {
    opened().filter((it) => !it.contains(event.target)).forEach((it) => (it.open = false));
  });
}

export function prepareFilters() {
  prepareMenus();
  const form = document.querySelector("form[data-filters]");
  if (!form) {
    return;
  }
  form.dataset.instant = "";
  // What was chosen while the scripts were on their way.
  if ([...form.querySelectorAll("select, input[type=search], input[type=date]")].some((it) => !it.closest(".combo") && isChanged(it))) {
    apply(form, false);
  }
  form.addEventListener("change", (event) => {
    if (event.target.type !== "search") {
      apply(form, false);
    }
  });
  const typed = (event) => {
    if (!event.isComposing && event.target.matches("input[type=search], .combo input")) {
      clearTimeout(timer);
      timer = setTimeout(() => apply(form, true), PAUSE);
    }
  };
  form.addEventListener("input", typed);
  form.addEventListener("compositionend", (event) => typed({ target: event.target, isComposing: false }));
  form.addEventListener("submit", (event) => {
    if (apply(form, false)) {
      event.preventDefault();
    }
  });
  addEventListener("popstate", () => {
    if (location.pathname + location.search !== shown) {
      location.reload();
    }
  });
}
