// Files on the pages of records.

import fs from "node:fs";
import { createRequire } from "node:module";
import { expect, fresh, test } from "./support.js";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = "../../target/screens";
const soon = () => new Date(Date.now() + 9 * 86_400_000).toISOString();

/** A record of each kind: its page. */
async function records(post) {
  const customer = await post("/customers", { name: fresh("書類の相手") });
  const of = { customer_id: customer.id, title: fresh("書類") };
  const meeting = await post("/meetings", { ...of, met_at: soon() });
  const task = await post("/tasks", { ...of, due_at: soon() });
  const approval = await post("/approvals", { ...of, amount: 1 });
  return [`/customers/${customer.id}`, `/meetings/${meeting.id}`, `/tasks/${task.id}`, `/approvals/${approval.id}`];
}

const file = (name, text) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });
const rows = (page) => page.locator("#attachment-list li");

test("every record's page takes a file, gives it back, and removes it", async ({ as, api, team }) => {
  const [page, manager, post] = [await as(team.sales), await as(team.manager), await api(team.sales)];
  page.on("dialog", (dialog) => dialog.accept());
  for (const address of await records(post)) {
    await page.goto(address);
    await manager.goto(address);
    await expect(page.locator("#attachment-list")).toContainText("添付ファイルはまだありません");
    await page.evaluate(() => (globalThis.isSame = true));
    await page.locator("#comment-form textarea").fill("書きかけ");
    await page.setInputFiles("#attachment-file", file("見積書 1.csv", "名前,金額\r\n佐藤,1\r\n"));
    await page.locator("#attachment-form button").click();
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page)).toContainText("見積書 1.csv");
    await expect(rows(page)).toContainText("25 B");
    await expect(page.locator("#attachment-file")).toHaveValue("");
    await expect(page.locator("#comment-form textarea")).toHaveValue("書きかけ");
    expect(await page.evaluate(() => globalThis.isSame), "the page was not left").toBe(true);
    await expect(rows(manager)).toHaveCount(1);
    await expect(rows(manager).getByRole("button")).toHaveCount(0);
    const downloading = manager.waitForEvent("download");
    await rows(manager).getByRole("link").click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("見積書 1.csv");
    expect(fs.readFileSync(await download.path(), "utf8")).toBe("名前,金額\r\n佐藤,1\r\n");
    await rows(page).getByRole("button", { name: "削除" }).click();
    await expect(rows(page)).toHaveCount(0);
    await expect(rows(manager)).toHaveCount(0);
    await page.locator("#comment-form textarea").fill("");
  }
});

test("a file that is refused says why, with scripts and without", async ({ as, api, team }, testInfo) => {
  const post = await api(team.sales);
  // Chromium reads it from the disk: as a text it would go through the browser's protocol.
  const large = testInfo.outputPath("b.pdf");
  fs.writeFileSync(large, `%PDF-${"x".repeat(10 * 1024 * 1024)}`);
  const address = (await records(post))[1];
  for (const javaScriptEnabled of [true, false]) {
    const page = await as(team.sales, { javaScriptEnabled, refused: true });
    const alert = page.locator("#attachment-form [role=alert]");
    await page.goto(address);
    await page.setInputFiles("#attachment-file", file("a.html", "<script>alert(1)</script>"));
    await page.locator("#attachment-form button").click();
    await expect(alert).toContainText("この種類のファイルは添付できません");
    await page.setInputFiles("#attachment-file", large);
    await page.locator("#attachment-form button").click();
    await expect(alert).toContainText("10 MiB まで");
    await page.setInputFiles("#attachment-file", file("c.pdf", "%PDF-1.7"));
    await page.locator("#attachment-form button").click();
    await expect(rows(page).first()).toContainText("c.pdf");
    expect(new URL(page.url()).pathname).toMatch(/\/meetings\/[^/]+(\/attachments)?$/);
    await page.goto(address);
    await expect(rows(page).first()).toContainText("c.pdf");
  }
});

test("a file that was chosen and not sent asks before the page is left", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  await page.goto((await records(post))[2]);
  await page.setInputFiles("#attachment-file", file("a.txt", "a"));
  const asked = page.waitForEvent("dialog");
  const leaving = page.getByRole("link", { name: "商談", exact: true }).first().click();
  await (await asked).dismiss();
  await leaving;
  await expect(page.locator("#attachment-file")).not.toHaveValue("");
});

for (const [language, who] of [["ja", "admin"], ["en", "adminEn"]]) {
  test(`attachments are sound and fit every screen in ${language}`, async ({ as, api }) => {
    const post = await api("admin");
    const [address] = await records(post);
    const first = await as(who);
    for (const [name, text] of [["見積書.pdf", "%PDF-1.7"], [`${"w".repeat(190)}.csv`, "a,b"], [`${"長".repeat(190)}.txt`, "x".repeat(200_000)]]) {
      await first.goto(address);
      await first.setInputFiles("#attachment-file", file(name, text));
      await first.locator("#attachment-form button").click();
      await expect(rows(first).filter({ hasText: name })).toHaveCount(1);
    }
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [360, 1280]) {
        const page = await as(who, { colorScheme, viewport: { width, height: 800 } });
        for (const [name, path] of [["attachments", address], ["attachments-all", `${address}/attachments`]]) {
          await page.goto(path);
          await expect(rows(page)).toHaveCount(3);
          await page.screenshot({ path: `${SCREENS}/${name}-${language}-${colorScheme}-${width}.png`, fullPage: true });
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          expect(wide, `${name} at ${width}`).toBeLessThanOrEqual(width);
          const session = await page.context().newCDPSession(page);
          await session.send("Runtime.evaluate", { expression: AXE });
          const { result } = await session.send("Runtime.evaluate", {
            expression: `axe.run(document, { resultTypes: ["violations"] }).then((found) => JSON.stringify(found.violations.map((one) => one.id + one.nodes.map((node) => node.html.slice(0, 160)))))`,
            awaitPromise: true, returnByValue: true,
          });
          expect(JSON.parse(result.value), `axe on ${name}`).toEqual([]);
        }
      }
    }
  });
}
