// The value of a day of a chart: said where one points, and as one goes along the line by the arrow keys.

const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 7, PageDown: -7 };

export function prepareCharts(part) {
  for (const group of part.querySelectorAll("[data-charts]")) {
    const days = group.dataset.charts.split("|");
    group.querySelectorAll(".plot").forEach((plot) => follow(plot, days));
  }
}

function follow(plot, days) {
  const values = plot.dataset.values.split(",").map(Number);
  const [said, picture] = [plot.closest("figure").querySelector("output"), plot.querySelector("svg")];
  const mark = document.createElement("i");
  mark.className = "mark";
  mark.hidden = true;
  plot.append(mark);
  let at = values.length - 1;
  // A line along which one goes is a slider in the words of ARIA.
  const role = { role: "slider", "aria-label": picture.getAttribute("aria-label"), "aria-valuemin": 0, "aria-valuemax": at };
  Object.entries(role).forEach(([name, value]) => plot.setAttribute(name, value));
  plot.tabIndex = 0;
  picture.setAttribute("aria-hidden", "true");

  const show = (day) => {
    at = Math.min(values.length - 1, Math.max(0, day));
    const text = `${days[at]}: ${values[at].toLocaleString("en")}`;
    said.textContent = text;
    plot.setAttribute("aria-valuenow", at);
    plot.setAttribute("aria-valuetext", text);
    mark.hidden = false;
    mark.style.insetInlineStart = `${(100 * at) / Math.max(1, values.length - 1)}%`;
    mark.style.bottom = `${(100 * values[at]) / Number(plot.dataset.top)}%`;
  };
  const hide = () => {
    mark.hidden = true;
    said.textContent = "";
  };

  plot.setAttribute("aria-valuenow", at);
  plot.setAttribute("aria-valuetext", `${days[at]}: ${values[at]}`);
  plot.addEventListener("focus", () => show(at));
  plot.addEventListener("blur", hide);
  plot.addEventListener("pointerleave", () => plot.contains(document.activeElement) || hide());
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    show(Math.round(((event.clientX - box.left) / box.width) * (values.length - 1)));
  });
  plot.addEventListener("keydown", (event) => {
    const ends = { Home: 0, End: values.length - 1 };
    const day = ends[event.key] ?? (event.key in STEPS ? at + STEPS[event.key] : null);
    if (day !== null && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      show(day);
    }
  });
}
