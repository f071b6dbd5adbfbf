// Who adds a customer sees those that may be the one, while typing. Nothing is held up: the form can be sent all the same.

const WAIT = 300;
const FIELDS = ["name", "kana", "email", "phone"];

function values(form) {
  const said = new FormData(form);
  const pairs = FIELDS.map((name) => [name, String(said.get(name) ?? "").trim()]);
  return new URLSearchParams(pairs.filter(([, value]) => value));
}

function show(place, found) {
  place.replaceChildren();
  if (found.length === 0) {
    return;
  }
  const said = document.createElement("p");
  said.textContent = place.dataset.doubles;
  const list = document.createElement("ul");
  for (const { id, name, about, matches } of found) {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = `/customers/${id}`;
    link.target = "_blank";
    link.textContent = name;
    const meta = document.createElement("span");
    meta.className = "meta";
    meta.textContent = [matches, about].filter(Boolean).join(" · ");
    line.append(link, " ", meta);
    list.append(line);
  }
  place.append(said, list);
}

/** Looks for doubles of what the form of a new customer says. */
export function prepareDoubles() {
  const place = document.querySelector("[data-doubles]");
  const form = place?.closest("form");
  if (!form) {
    return;
  }
  let timer;
  let asked = "";
  // What is sent is decided: nothing comes up while one waits for the answer, which says itself if there is such a customer.
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    asked = "";
    show(place, []);
  });
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const query = values(form).toString();
      if (query === asked) {
        return;
      }
      asked = query;
      if (!query) {
        show(place, []);
        return;
      }
      const answer = await fetch(`/duplicates/of?${query}`, { headers: { accept: "application/json" } }).catch(() => null);
      // A later question has its own answer; without one, the form works as ever.
      const found = answer?.ok ? await answer.json() : [];
      if (query === asked) {
        show(place, found);
      }
    }, WAIT);
  });
}
