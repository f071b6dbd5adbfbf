// Rows of a list that are ticked: how many, all of them at once, and kept when the list is read anew.

const BOXES = "input[type=checkbox][form=bulk]";

const boxes = () => [...document.querySelectorAll(BOXES)];

function count() {
  const bar = document.querySelector("[data-bulk]");
  if (!bar) {
    return;
  }
  const all = boxes();
  const ticked = all.filter((box) => box.checked).length;
  const text = ticked > 0 ? bar.dataset.bulk.replace("{n}", ticked) : "";
  const status = bar.querySelector(".bulk-count");
  if (status.textContent !== text) {
    status.textContent = text;
  }
  bar.toggleAttribute("data-ticked", ticked > 0);
  bar.querySelector("[value=ids]").disabled = ticked === 0;
  const whole = document.querySelector("[data-tick-all]");
  if (whole) {
    whole.checked = all.length > 0 && ticked === all.length;
    whole.indeterminate = ticked > 0 && ticked < all.length;
  }
}

/** What is ticked in a part of the page, to be ticked in the part that takes its place. */
export function ticked(part) {
  return [...part.querySelectorAll(`${BOXES}:checked`)].map((box) => box.value);
}

export function tick(part, values) {
  part.querySelectorAll(BOXES).forEach((box) => (box.checked = values.includes(box.value)));
  count();
}

export function prepareBulk() {
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-tick-all]")) {
      boxes().forEach((box) => (box.checked = event.target.checked));
    }
    if (event.target.matches?.(`${BOXES}, [data-tick-all]`)) {
      count();
    }
  });
  count();
}
