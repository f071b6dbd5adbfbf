// What happens elsewhere, shown here: the feed of SPEC §6 moves the bell, the open page, and says what is new.

import { Refresher } from "./refresh.js";
import { toast } from "./toasts.js";
import { ANSWER_WITHIN, isLogin, spread, WAIT_FIRST, WAIT_MAX } from "./wait.js";

const TOPICS = ["customers", "meetings", "tasks", "approvals", "deals", "comments", "attachments", "sagas"];
// Access tokens run out, and the socket with them: that takes a moment and nobody's attention.
const LOST_AFTER = 1_500;
const BACK_LASTS = 4_000;

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

  /** The session has ended. The page stays, with what is typed on it: one signs in beside it. */
  ended() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#said = true;
    const { ended, login } = document.body.dataset;
    const link = document.createElement("a");
    link.href = `/login?ended=1&next=${encodeURIComponent(location.pathname + location.search)}`;
    link.target = "_blank";
    link.textContent = login;
    this.#say(ended, "connection", link);
  }

  #say(text, style, link = "") {
    const line = document.getElementById("connection");
    if (line.className !== style || line.firstChild?.textContent !== text) {
      line.className = style;
      line.replaceChildren(...(text ? [text, " ", link] : []));
    }
  }
}

/** Says what a notification says; opening it marks it as read. */
function tell({ id, title, body }) {
  toast({ title, body, href: `/notifications/${id}` });
}

export function followEvents(user) {
  const place = new Place(user);
  const page = new Refresher();
  const line = new Line();
  let wait = WAIT_FIRST;
  let leaving = false;
  let hasEnded = false;
  /** Where the feed was before this page was made. */
  let made = document.body.dataset.cursor;

  function hear(socket, frame) {
    switch (frame.type) {
      case "hello":
        wait = WAIT_FIRST;
        line.back();
        // What the page before has missed: the notifications to tell. The feed waits for this.
        socket.send(JSON.stringify({ type: "resume", cursor: place.cursor ?? frame.cursor }));
        place.cursor ??= frame.cursor;
        // Something happened between the making of the page, or the last frame, and now.
        if (made !== frame.cursor) {
          page.soon();
        }
        made = null;
        return;
      case "notification":
        tell(frame.notification);
        break;
      case "notification_state":
        page.soon();
        return;
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
    const answer = await fetch("/session", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) });
    return !isLogin(answer) && answer.headers.get("kizuna-user") === user;
  }

  function connect() {
    const address = new URL("/api/ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.searchParams.set("topics", TOPICS.join(","));
    const socket = new WebSocket(address);
    socket.addEventListener("message", (message) => hear(socket, JSON.parse(message.data)));
    socket.addEventListener("close", () => {
      if (!leaving) {
        line.lost();
        later();
      }
    });
  }

  let timer = null;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(again, spread(wait));
    wait = Math.min(wait * 2, WAIT_MAX);
  }

  async function again() {
    try {
      if (await isSignedIn()) {
        hasEnded = false;
        connect();
        return;
      }
      hasEnded = true;
      line.ended();
    } catch {
      // The server is away; the line has said so.
    }
    later();
  }

  // Whoever comes back from the sign-in in another tab should not have to wait.
  addEventListener("focus", () => {
    if (hasEnded) {
      wait = WAIT_FIRST;
      again();
    }
  });

  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      leaving = false;
      again();
    }
  });
  connect();
}
