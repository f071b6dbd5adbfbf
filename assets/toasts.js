// What is said in the corner of the page, and goes away by itself.

const TOAST_LASTS = 8_000;
const TOASTS_MAX = 4;

/** Says something: a title, perhaps more, perhaps with a page to go to. */
export function toast({ title, body = "", href }) {
  const toasts = document.getElementById("toasts");
  const box = document.createElement("div");
  box.className = "toast";
  const text = document.createElement("div");
  const head = document.createElement("p");
  const name = document.createElement(href ? "a" : "strong");
  if (href) {
    name.href = href;
  }
  name.textContent = title;
  head.append(name);
  const about = document.createElement("p");
  about.textContent = body;
  text.append(head, about);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain small";
  close.setAttribute("aria-label", document.body.dataset.close);
  close.textContent = "×";
  close.addEventListener("click", () => box.remove());
  box.append(text, close);
  toasts.append(box);
  while (toasts.children.length > TOASTS_MAX) {
    toasts.firstElementChild.remove();
  }
  setTimeout(() => box.remove(), TOAST_LASTS);
}
