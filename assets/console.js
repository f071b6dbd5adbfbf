// The console's scripts. Every page works without them but for dialogs and what is live.

import { prepareBoard } from "./board.js";
import { prepareBulk } from "./bulk.js";
import { prepareDoubles } from "./doubles.js";
import { prepareFilters } from "./filters.js";
import { prepareForms } from "./forms.js";
import { editInPlace } from "./in_place.js";
import { followEvents } from "./live.js";
import { prepare } from "./page.js";
import { preparePalette, rememberRecord } from "./palette.js";
import { sendForms } from "./send.js";
import { prepareShortcuts } from "./shortcuts.js";
import { askBeforeLeaving } from "./unsaved.js";

// What was done is said once, not again when the page is read anew.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(null, "", here);
}

prepare(document);
prepareForms();
prepareFilters();
prepareBulk();
prepareDoubles();
prepareBoard();
sendForms();
askBeforeLeaving();
editInPlace();

// On a telephone the navigation is longer than the screen: where one is should be seen.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// A link on another site comes here without the stricter of the two cookies. The session may be good all the same.
async function comeIn(next) {
  const answer = await fetch("/session", { cache: "no-store" });
  if (answer.status === 204) {
    location.replace(next);
  }
}

if (document.body.dataset.user) {
  // Without it the console works, but for its page without a connection.
  navigator.serviceWorker?.register("/sw.js").catch(() => {});
  preparePalette();
  prepareShortcuts();
  rememberRecord();
  followEvents(document.body.dataset.user);
} else if (document.getElementById("next")) {
  comeIn(document.getElementById("next").value);
}
