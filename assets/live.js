// What happens elsewhere, shown here: the feed of SPEC §6 moves the bell, the open list, and says what is new.

const TOPICS = ["customers", "meetings", "tasks", "approvals", "sagas"];
const WAIT_FIRST = 500;
const WAIT_MAX = 15_000;
// Events come in bursts (a deletion touches many records): the page is read again after a burst, and also within one
// that does not end (an import).
const GATHER = 150;
const GATHER_MAX = 1_000;
// How long an answer may take. A request that is lost with the network must not hold up those after it.
const ANSWER_WITHIN = 10_000;
const TOAST_LASTS = 8_000;
// Access tokens run out, and the socket with them: that takes a moment and nobody's attention.
const LOST_AFTER = 1_500;
const BACK_LASTS = 4_000;
const TOASTS_MAX = 4;

// Where a notification leads, by the type of its subject.
const PAGES = { customer: "/customers/", meeting: "/meetings/", task: "/tasks/", approval: "/approvals/" };

/** Remembers where this tab is in the feed, so that the next page goes on from there. */
class Place {
  constructor(user) {
    this.key = `kizuna-cursor-${user}`;
  }

  get cursor() {
    return sessionStorage.getItem(this.key);
  }

  set cursor(cursor) {
    if (cursor === null) {
      sessionStorage.removeItem(this.key);
    } else if (cursor !== undefined) {
      sessionStorage.setItem(this.key, cursor);
    }
  }
}

/** Reads the page again and takes over its live parts. One reading at a time; one that fails is repeated. */
class Refresher {
  #timer = null;
  /** When the first event came that no reading covers. */
  #since = null;
  #busy = false;
  #again = false;
  #wait = WAIT_FIRST;

  soon() {
    const now = performance.now();
    this.#since ??= now;
    this.#in(Math.min(GATHER, Math.max(0, this.#since + GATHER_MAX - now)));
  }

  #in(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), delay);
  }

  async #run() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#since = null;
    const isRead = await this.#read();
    this.#busy = false;
    if (isRead) {
      this.#wait = WAIT_FIRST;
    }
    if (this.#again) {
      this.#again = false;
      this.#since = null;
      this.soon();
    } else if (!isRead && this.#since === null) {
      this.#in(spread(this.#wait));
      this.#wait = Math.min(this.#wait * 2, WAIT_MAX);
    }
  }

  /** False if it failed and another reading may succeed. */
  async #read() {
    try {
      const answer = await ask(location.href, { headers: { accept: "text/html" } });
      if (answer.ok && !isLogin(answer)) {
        takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
      return answer.status < 500 && answer.status !== 429;
    } catch {
      return false;
    }
  }
}

/** Not everybody should come back at the same moment. */
function spread(wait) {
  return wait * (0.5 + Math.random() / 2);
}

function ask(address, options) {
  return fetch(address, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN), ...options });
}

function isLogin(answer) {
  return new URL(answer.url).pathname === "/login";
}

/** Replaces the bell and every live part; the focus stays on the same link or button. */
function takeOver(page) {
  for (const part of document.querySelectorAll("#bell, [data-live]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh || fresh.isEqualNode(part)) {
      continue;
    }
    const focused = part.contains(document.activeElement) ? part.isSameNode(document.activeElement) ? [] : trail(part) : null;
    part.replaceWith(document.adoptNode(fresh));
    if (focused) {
      (focused.length ? fresh.querySelector(focused.join(",")) : fresh)?.focus();
    }
  }
}

/** How to find the focused link, button or field again. */
function trail(part) {
  const element = document.activeElement;
  const href = element.getAttribute("href");
  if (href) {
    return [`a[href="${CSS.escape(href)}"]`];
  }
  const action = element.closest("form")?.getAttribute("action");
  return action && part.contains(element) ? [`form[action="${CSS.escape(action)}"] button`] : [];
}

function toast({ title, body, subject }) {
  const toasts = document.getElementById("toasts");
  const box = document.createElement("div");
  box.className = "toast";
  const text = document.createElement("div");
  const head = document.createElement("p");
  const page = PAGES[subject?.type];
  const name = page ? document.createElement("a") : document.createElement("strong");
  if (page) {
    name.href = page + subject.id;
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

/** Says that the connection is lost, and that it is back. One that comes back at once is not worth a word. */
class Line {
  #timer = null;
  #silence = null;
  #said = false;

  lost() {
    this.#timer ??= setTimeout(() => {
      this.#said = true;
      this.#say(document.body.dataset.lost, "connection");
    }, LOST_AFTER);
  }

  back() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#said) {
      this.#said = false;
      this.#say(document.body.dataset.back, "connection back");
      clearTimeout(this.#silence);
      this.#silence = setTimeout(() => this.#said || this.#say("", "connection"), BACK_LASTS);
    }
  }

  #say(text, style) {
    const line = document.getElementById("connection");
    line.className = style;
    line.textContent = text;
  }
}

export function followEvents(user) {
  const place = new Place(user);
  const page = new Refresher();
  const line = new Line();
  let wait = WAIT_FIRST;
  let leaving = false;

  function hear(socket, frame) {
    switch (frame.type) {
      case "hello":
        wait = WAIT_FIRST;
        line.back();
        socket.send(JSON.stringify({ type: "subscribe", topics: TOPICS }));
        place.cursor ??= frame.cursor;
        // What happened between the making of the page, or the last frame, and now.
        page.soon();
        return;
      case "notification":
        toast(frame.notification);
        break;
      case "reset":
        place.cursor = frame.cursor ?? null;
        page.soon();
        return;
      case "event":
        break;
      default:
        return;
    }
    place.cursor = frame.cursor;
    page.soon();
  }

  // The tokens may have run out, or the session ended: a page tells, and has them renewed on the way.
  async function isSignedIn() {
    const answer = await ask("/session");
    if (isLogin(answer)) {
      location.assign("/login");
      return false;
    }
    return true;
  }

  function connect() {
    const address = new URL("/api/ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (place.cursor) {
      address.searchParams.set("cursor", place.cursor);
    }
    const socket = new WebSocket(address);
    socket.addEventListener("message", (message) => hear(socket, JSON.parse(message.data)));
    socket.addEventListener("close", () => {
      if (!leaving) {
        line.lost();
        setTimeout(again, spread(wait));
        wait = Math.min(wait * 2, WAIT_MAX);
      }
    });
  }

  async function again() {
    try {
      if (await isSignedIn()) {
        connect();
      }
    } catch {
      setTimeout(again, spread(wait));
      wait = Math.min(wait * 2, WAIT_MAX);
    }
  }

  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      leaving = false;
      again();
    }
  });
  connect();
}
