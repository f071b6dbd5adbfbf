// Webhooks in the console: the secret once, a test with its request and answer, and what each looks like.

import { createServer } from "node:http";
import { expect, test } from "./support.js";

const SCREENS = "../../target/screens";

/** A receiver that answers 500, and its address. */
async function receiver() {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(500, { "content-type": "text/plain" });
    response.end("out of order");
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, url: `http://127.0.0.1:${server.address().port}/hook` };
}

test("a webhook is added, tested, given a new secret and deleted", async ({ as }) => {
  const { server, url } = await receiver();
  const page = await as("admin");
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto("/admin/webhooks");
  await page.fill('[name="url"]', url);
  await page.locator("summary", { hasText: "イベントを選ぶ" }).click();
  await page.getByRole("checkbox", { name: "deal.won" }).check();
  await page.getByRole("button", { name: "作成" }).click();
  const secret = page.getByLabel("シークレット", { exact: true }).and(page.locator("input"));
  await expect(secret).toHaveValue(/^whsec_/);
  await page.getByRole("link", { name: "コピーしました" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(url);
  await page.getByRole("button", { name: "テスト送信" }).click();
  await expect(page.locator(".notice.done")).toBeVisible();
  await expect(async () => {
    await page.reload();
    await expect(page.locator("details[id^=delivery-]").first()).toContainText("500");
  }).toPass();
  const delivery = page.locator("details[id^=delivery-]").first();
  await delivery.locator("summary").click();
  await expect(delivery).toContainText("webhook-signature: v1,");
  await expect(delivery).toContainText("out of order");
  await expect(delivery).toContainText("webhook.pinged");
  for (const [lang, who] of [
    ["ja", "admin"],
    ["en", "adminEn"],
  ]) {
    const reader = await as(who);
    for (const width of [360, 1280]) {
      await reader.setViewportSize({ width, height: 900 });
      for (const [name, path] of [
        ["webhooks", "/admin/webhooks"],
        ["webhook", new URL(page.url()).pathname],
      ]) {
        await reader.goto(path);
        if (name === "webhook") {
          await reader.locator("details[id^=delivery-] > summary").first().click();
        }
        await reader.screenshot({ path: `${SCREENS}/${name}-${lang}-${width}.png`, fullPage: true });
        const wide = await reader.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, `${path} at ${width}`).toBeLessThanOrEqual(width);
      }
    }
  }
  await page.getByRole("button", { name: "新しいシークレット" }).click();
  await expect(page.locator("#webhook-secret")).toHaveValue(/^whsec_/);
  await page.goto("/admin/webhooks");
  await page.getByRole("link", { name: url }).click();
  await page.locator("summary", { hasText: "変更" }).click();
  await page.getByRole("button", { name: "削除" }).click();
  await expect(page.getByRole("link", { name: url })).toHaveCount(0);
  server.close();
});
