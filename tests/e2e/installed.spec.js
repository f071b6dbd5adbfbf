// The console as an installed app on a telephone.

import { expect, fresh, test } from "./support.js";

const TELEPHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

test("a browser finds what it needs to install the console", async ({ as, request, team }) => {
  const page = await as(team.sales);
  await page.goto("/tasks");
  const address = await page.locator('link[rel="manifest"]').getAttribute("href");
  const answer = await request.get(address);
  expect(answer.headers()["content-type"]).toBe("application/manifest+json");
  const manifest = await answer.json();
  expect(manifest).toMatchObject({ name: "Kizuna", start_url: "/", display: "standalone" });
  expect(manifest.icons.map((icon) => icon.purpose)).toContain("maskable");
  for (const { src, sizes, type } of manifest.icons) {
    const icon = await request.get(src);
    expect([icon.status(), icon.headers()["content-type"]], src).toEqual([200, type]);
    if (type === "image/png") {
      const bytes = await icon.body();
      expect(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, src).toBe(sizes);
    }
  }
});

test("without a connection a page says so, and nothing of anybody's is kept", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales, { ...TELEPHONE, serviceWorkers: "allow", refused: true }), await api(team.sales)];
  const name = fresh("圏外");
  await post("/customers", { name });
  await page.goto("/customers");
  await expect(page.locator("main")).toContainText(name);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    await new Promise((done) => {
      const look = () => (navigator.serviceWorker.controller ? done() : setTimeout(look, 50));
      look();
    });
  });
  await page.context().setOffline(true);
  await page.goto("/tasks");
  await expect(page.locator("h1")).toHaveText("サーバーに接続できません");
  await expect(page.locator("body")).toContainText("The server is out of reach");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.context().setOffline(false);
  await page.getByRole("link", { name: "もう一度試す" }).click();
  await expect(page).toHaveURL("/tasks");
  await expect(page.locator("h1")).toContainText("タスク");

  const kept = await page.evaluate(async () => {
    const texts = [];
    for (const cache of await caches.keys()) {
      for (const request of await (await caches.open(cache)).keys()) {
        texts.push(new URL(request.url).pathname);
      }
    }
    return texts;
  });
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.filter((path) => path !== "/offline" && !path.startsWith("/assets/"))).toEqual([]);
});

test("on a telephone the navigation is where the thumb is", async ({ as, team }) => {
  const page = await as(team.sales, TELEPHONE);
  await page.goto("/reports");
  const nav = page.locator(".nav");
  for (const scrolled of [0, 10_000]) {
    await page.evaluate((top) => scrollTo(0, top), scrolled);
    const box = await nav.boundingBox();
    expect(Math.round(box.y + box.height)).toBe(740);
    expect(box.height).toBeLessThan(80);
  }
  const link = nav.getByRole("link", { name: "ホーム" });
  expect((await link.boundingBox()).height).toBeGreaterThanOrEqual(44);
  await link.tap();
  await expect(page).toHaveURL("/");
});
