// The board of deals: a card moves when it is dragged to another column, or by the choice on it.

import { reread } from "./refresh.js";

/** The card that is dragged. */
let dragged = null;

const column = (target) => target.closest?.("[data-board] [data-stage]");

/** The form of a card, if the card may go to the stage. */
function formTo(card, stage) {
  const form = card.querySelector("form.move");
  return [...form.elements.stage.options].some((it) => it.value === stage) ? form : null;
}

/** Asks why a deal was lost; the form goes on with the answer. */
function askWhy(form) {
  const dialog = document.getElementById("lost-why");
  const text = dialog.querySelector("textarea");
  dialog.querySelector("label").textContent = form.dataset.why;
  text.value = "";
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    // The page may have been read again meanwhile.
    const current = document.querySelector(`form.move[action="${form.getAttribute("action")}"]`);
    if (dialog.returnValue === "go" && current) {
      current.elements.stage.value = "LOST";
      current.elements.lost_reason.value = text.value;
      current.requestSubmit(current.querySelector("button"));
    }
  }, { once: true });
  dialog.showModal();
  text.focus();
}

/** While a card is held, the page is not read again: the card would be another one. */
function hold(card) {
  dragged = card;
  card.classList.add("dragged");
  card.querySelector("form.move").toggleAttribute("data-busy", true);
}

function release() {
  document.querySelectorAll("[data-stage].over").forEach((it) => it.classList.remove("over"));
  dragged?.classList.remove("dragged");
  dragged?.querySelector("form.move").toggleAttribute("data-busy", false);
  dragged = null;
}

/** Shows a card in the column to which it was dragged, at once; if the server refuses, where it belongs. */
function showMoved(card, form, stage) {
  document.querySelector(`[data-board] [data-stage="${stage}"] ul`).prepend(card);
  const watch = new MutationObserver(() => {
    if (!form.hasAttribute("data-busy")) {
      watch.disconnect();
      // After a move that was carried out the page has been read again: the card is another one.
      if (card.isConnected) {
        reread().catch(() => {});
      }
    }
  });
  form.requestSubmit(form.querySelector("button"));
  watch.observe(form, { attributes: true, attributeFilter: ["data-busy"] });
}

export function prepareBoard() {
  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest?.("[data-deal]");
    if (card) {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", card.dataset.deal);
      hold(card);
    }
  });
  document.addEventListener("dragover", (event) => {
    const over = dragged && column(event.target);
    document.querySelectorAll("[data-stage].over").forEach((it) => it !== over && it.classList.remove("over"));
    if (over && formTo(dragged, over.dataset.stage)) {
      event.preventDefault();
      over.classList.add("over");
    }
  });
  document.addEventListener("drop", (event) => {
    const stage = dragged && column(event.target)?.dataset.stage;
    const form = stage && formTo(dragged, stage);
    if (!form) {
      return;
    }
    event.preventDefault();
    const card = dragged;
    release();
    form.elements.stage.value = stage;
    if (stage === "LOST") {
      askWhy(form);
      return;
    }
    showMoved(card, form, stage);
  });
  document.addEventListener("dragend", release);
  // There are no such events while something is dragged: its end was missed.
  document.addEventListener("pointermove", () => dragged && release());
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const isLost = form.matches?.("[data-board] form.move") && form.elements.stage.value === "LOST";
    if (isLost && !form.elements.lost_reason.value) {
      event.preventDefault();
      event.stopImmediatePropagation();
      askWhy(form);
    }
  }, { capture: true });
}
