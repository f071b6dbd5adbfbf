// The TypeScript client in a browser, as its build leaves it: no bundler, two libraries by an import map.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { expect, fresh, PASSWORD, test } from "./support.js";

const CLIENT = new URL("../../clients/typescript/", import.meta.url);
const PAGE = `<!doctype html><title>client</title><script type="importmap">${JSON.stringify({
  imports: {
    "openapi-fetch": "./node_modules/openapi-fetch/dist/index.mjs",
    "eventsource-parser/stream": "./node_modules/eventsource-parser/dist/stream.js",
  },
})}</script>`;

/** Serves the client's files beside the server's own pages. */
async function open(page) {
  await page.route("**/client-test/**", async (route) => {
    const path = new URL(route.request().url()).pathname.slice("/client-test/".length);
    if (path === "") {
      await route.fulfill({ contentType: "text/html", body: PAGE });
    } else {
      await route.fulfill({ contentType: "text/javascript", body: await readFile(fileURLToPath(new URL(path, CLIENT))) });
    }
  });
  await page.goto("/client-test/");
}

test("the TypeScript client works in a browser: records, problems and the live feed", async ({ page, hire }) => {
  const who = await hire("SALES");
  await open(page);
  const name = fresh("客");
  const seen = await page.evaluate(async ([email, password, name]) => {
    const { Kizuna } = await import("./dist/index.js");
    const kizuna = await Kizuna.login({ baseUrl: location.origin }, email, password);
    const feed = kizuna.live({ topics: ["customers"] });
    const hello = (await feed.next()).value;
    const made = await kizuna.customers.create({ name });
    const heard = (await feed.next()).value;
    const refused = await kizuna.customers.update({ ...made, version: 7 }, { name: "他" }).catch((error) => error);
    await feed.return();
    const listed = [];
    for await (const customer of kizuna.customers.all({ limit: 1 })) {
      listed.push(customer.name);
    }
    return { hello: hello.type, heard: heard.event.subject === made.id, code: refused.code, listed };
  }, [who.email, PASSWORD, name]);
  expect(seen).toEqual({ hello: "hello", heard: true, code: "stale_version", listed: [name] });
});
