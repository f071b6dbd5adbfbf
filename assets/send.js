// Forms are sent without leaving the page: one that could not be sent stays as it is, and says so.

import { applyChoices, goOn, isPutOff } from "./apply.js";
import { open, prepare } from "./page.js";
import { reread } from "./refresh.js";
import { forget, leave } from "./unsaved.js";
import { toast } from "./toasts.js";

/** How long an answer may take. Sending a form again is safe: it carries a key of its own. */
const ANSWER_WITHIN = 30_000;
/** How long a file may take. */
const FILE_WITHIN = 300_000;
/** How many bytes a form may have that is sent to its end when its page is left: browsers allow 64 KiB for all together. */
const KEPT_MAX = 16 * 1024;

/** Tells those who do not see the page. */
function announce(text) {
  const status = document.getElementById("sending");
  if (status) {
    status.textContent = text;
  }
}

function busy(form, button, isBusy) {
  form.toggleAttribute("data-busy", isBusy);
  form.setAttribute("aria-busy", String(isBusy));
  button?.toggleAttribute("data-busy", isBusy);
  announce(isBusy ? document.body.dataset.sending : "");
}

/** Says at a form what became of it; at a lone button, in the corner of the page. */
function say(form, text, link) {
  form.querySelectorAll("[data-said], .notice[role=alert]").forEach((it) => it.remove());
  const fields = form.querySelector(".fields");
  if (!fields) {
    toast({ title: text });
    return;
  }
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.dataset.said = "";
  notice.setAttribute("role", "alert");
  notice.append(text);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.target = "_blank";
    anchor.textContent = link.text;
    notice.append(" ", anchor);
  }
  const buttons = form.querySelector(".buttons");
  buttons ? buttons.before(notice) : fields.before(notice);
  notice.scrollIntoView({ block: "nearest" });
}

function goTo(address) {
  leave();
  const there = new URL(address, location.href);
  const isHere = there.pathname === location.pathname && there.search === location.search;
  location.assign(there);
  if (isHere && there.hash) {
    location.reload();
  }
}

/** Shows what a form has changed, on the page as it stands: the focus stays where it is. */
async function stay(address) {
  address.searchParams.delete("done");
  address.hash = "";
  history.replaceState(history.state, "", address);
  await reread();
}

/** The form of another page that stands where this one does here. */
function counterpart(form, page) {
  const action = form.getAttribute("action");
  const alike = (root) => [...root.querySelectorAll("form[method=post]")].filter((it) => it.getAttribute("action") === action);
  return alike(page)[alike(document).indexOf(form)];
}

/** Shows an answer that is a page: the form with what was wrong, or what stands in its place. */
function show(form, page) {
  const refused = page.querySelector("[data-why]");
  if (refused) {
    say(form, refused.textContent);
    return;
  }
  const fresh = counterpart(form, page);
  const isRefused = fresh?.querySelector("[role=alert], [aria-invalid=true]");
  const part = isRefused ? form : document.querySelector("main");
  const next = document.adoptNode(isRefused ? fresh : page.querySelector("main"));
  part.replaceWith(next);
  prepare(next);
  const opened = next.closest("dialog") ?? next.querySelector("dialog[data-opened]");
  if (opened && !opened.open) {
    open(opened.id);
  }
  const first = next.querySelector('[aria-invalid="true"]:not([type=hidden]), .collision input');
  const alert = next.querySelector("[role=alert]");
  if (first) {
    first.focus();
  } else if (alert) {
    alert.tabIndex = -1;
    alert.focus();
  }
}

/** True if what the form says is stored. */
async function send(form, button) {
  const fields = new FormData(form, button);
  const hasFile = form.enctype === "multipart/form-data";
  if (hasFile && [...fields.values()].some((it) => it instanceof File && it.size > Number(form.dataset.most))) {
    say(form, form.dataset.tooLarge);
    return false;
  }
  const isApplied = form.hasAttribute("data-apply");
  const body = hasFile ? fields : new URLSearchParams(fields);
  busy(form, button, true);
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      headers: { accept: "text/html", "kizuna-form": "fetch" },
      cache: "no-store",
      keepalive: !hasFile && body.toString().length < KEPT_MAX,
      signal: AbortSignal.timeout(hasFile || isApplied ? FILE_WITHIN : ANSWER_WITHIN),
    });
    const address = answer.headers.get("kizuna-location");
    if (address) {
      const there = new URL(address, location.href);
      if (form.dataset.stay === undefined || there.pathname !== location.pathname) {
        goTo(address);
        return true;
      }
      // What was typed is stored: the form is free for something new. What was chosen to apply stays chosen.
      if (!isApplied) {
        form.reset();
        form.querySelectorAll("textarea").forEach((it) => (it.value = ""));
      }
      forget(form);
      form.closest("details.menu")?.removeAttribute("open");
      await stay(there);
      busy(form, button, false);
      announce(form.dataset.stay);
      return true;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.status === 401) {
      say(form, document.body.dataset.endedForm, { href: "/login", text: document.body.dataset.login });
    } else if (page.querySelector("main")) {
      show(form, page);
    } else {
      say(form, document.body.dataset.unsent);
    }
  } catch {
    say(form, document.body.dataset.unsent);
  }
  busy(form, button, false);
  return false;
}

/** Sends a form of this page when it is submitted: once, however often its button is pressed. */
export function sendForms() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") {
      return;
    }
    if (!form.hasAttribute("data-apply") && isPutOff(form)) {
      event.preventDefault();
      return;
    }
    const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (form.hasAttribute("data-busy") || (question && !confirm(question))) {
      event.preventDefault();
      return;
    }
    if (form.hasAttribute("data-native")) {
      busy(form, event.submitter, true);
      return;
    }
    event.preventDefault();
    const isStored = await send(form, event.submitter);
    if (form.hasAttribute("data-apply")) {
      goOn(isStored);
    }
  });
  applyChoices();
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-busy]").forEach((form) => {
      busy(form, form.querySelector("button[data-busy]"), false);
    });
  });
}
