// Comments on the pages of records, and mentions in them.

import fs from "node:fs";
import { createRequire } from "node:module";
import { expect, fresh, test } from "./support.js";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = "../../target/screens";
const soon = () => new Date(Date.now() + 9 * 86_400_000).toISOString();

/** A record of each kind: its page. */
async function records(post) {
  const customer = await post("/customers", { name: fresh("話の相手") });
  const of = { customer_id: customer.id, title: fresh("話") };
  const meeting = await post("/meetings", { ...of, met_at: soon() });
  const task = await post("/tasks", { ...of, due_at: soon() });
  const approval = await post("/approvals", { ...of, amount: 1 });
  return [`/customers/${customer.id}`, `/meetings/${meeting.id}`, `/tasks/${task.id}`, `/approvals/${approval.id}`];
}

const field = (page) => page.locator("#comment-form textarea");
const said = (page) => page.locator("#comment-list .said");

test("every record's page takes comments, and keeps what is typed elsewhere on it", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  for (const address of await records(post)) {
    await page.goto(address);
    await expect(page.locator("#comment-list")).toContainText("コメントはまだありません");
    await page.evaluate(() => (globalThis.isSame = true));
    await field(page).fill("一行目\n二行目 https://example.com/a?b=c#d.");
    await page.getByRole("button", { name: "コメントを投稿" }).click();
    await expect(said(page)).toHaveText(["一行目\n二行目 https://example.com/a?b=c#d."]);
    await expect(said(page).getByRole("link")).toHaveAttribute("href", "https://example.com/a?b=c#d");
    await expect(field(page)).toHaveValue("");
    // The same words again are another comment.
    await field(page).fill("<b>賛成</b>");
    await page.getByRole("button", { name: "コメントを投稿" }).click();
    await expect(said(page)).toHaveCount(2);
    await field(page).fill("<b>賛成</b>");
    await page.getByRole("button", { name: "コメントを投稿" }).click();
    await expect(said(page)).toHaveCount(3);
    await expect(said(page).first()).toHaveText("<b>賛成</b>");
    expect(await page.evaluate(() => globalThis.isSame), "the page was not left").toBe(true);
  }
});

test("typing @ offers people by keyboard, who are notified and led to the comment", async ({ as, api, hire, team }) => {
  const [page, manager, post] = [await as(team.sales), await as(team.manager), await api(team.sales)];
  const stranger = await hire("SALES", { name: fresh("無縁") });
  const [, address] = await records(post);
  await page.goto(address);
  await field(page).click();
  await page.keyboard.type(`見て @${stranger.name.split(" ").at(-1)}`);
  await expect(page.locator("#comment-form [role=status]")).toHaveText("該当する候補はありません。");
  await field(page).fill("");
  // A name that has a blank is found by its last word.
  await page.keyboard.type(`見て @${team.manager.name.split(" ").at(-1)}`);
  const option = page.getByRole("option", { name: team.manager.name });
  await expect(option).toBeVisible();
  while ((await option.getAttribute("aria-selected")) !== "true") {
    await page.keyboard.press("ArrowDown");
  }
  await expect(field(page)).toHaveAttribute("aria-activedescendant", await option.getAttribute("id"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("listbox")).toBeHidden();
  await page.keyboard.type("お願いします");
  await page.getByRole("button", { name: "コメントを投稿" }).click();
  await expect(said(page)).toHaveText([`見て @${team.manager.name} お願いします`]);
  await manager.goto("/notifications");
  const note = manager.locator(".notes li", { hasText: "お願いします" });
  await expect(note).toContainText(`${team.sales.name} さんが`);
  await note.getByRole("link", { name: "コメント" }).click();
  await expect(manager).toHaveURL(/\/meetings\/[^/?]*\?comment=.*#comment-/);
  await expect(manager.locator("#comment-list li:target .said")).toContainText("お願いします");
});

test("one's own comment is edited and deleted, and the others' pages follow", async ({ as, api, team }) => {
  const [sales, manager, post] = [await as(team.sales), await as(team.manager), await api(team.sales)];
  const address = (await records(post))[2];
  await sales.goto(address);
  await manager.goto(address);
  await field(sales).fill("書きかけ");
  await field(manager).fill(`@${team.sales.email} 先に`);
  await manager.getByRole("button", { name: "コメントを投稿" }).click();
  await expect(said(sales)).toHaveText([`@${team.sales.name} 先に`]);
  await expect(field(sales), "what is being typed stays").toHaveValue("書きかけ");
  const row = sales.locator("#comment-list li");
  await expect(row.getByRole("link", { name: "編集" })).toHaveCount(0);
  await manager.locator("#comment-list").getByRole("link", { name: "編集" }).click();
  await expect(manager.locator("textarea")).toHaveValue(`@${team.sales.name} 先に`);
  await manager.locator("textarea").fill(`@${team.sales.name} 後で`);
  await manager.getByRole("button", { name: "保存" }).click();
  await expect(said(manager)).toHaveText([`@${team.sales.name} 後で`]);
  await expect(row).toContainText("編集済み");
  manager.on("dialog", (dialog) => dialog.accept());
  await manager.locator("#comment-list").getByRole("button", { name: "削除" }).click();
  await expect(said(manager)).toHaveCount(0);
  await expect(said(sales)).toHaveCount(0);
  await expect(field(sales)).toHaveValue("書きかけ");
});

test("a comment that is refused says why, and comments work without scripts", async ({ as, api, hire, team }) => {
  const stranger = await hire("SALES");
  const post = await api(team.sales);
  const address = (await records(post))[0];
  for (const javaScriptEnabled of [true, false]) {
    const page = await as(team.sales, { javaScriptEnabled, refused: true });
    await page.goto(address);
    await field(page).fill(`@${stranger.email} 見て`);
    await page.getByRole("button", { name: "コメントを投稿" }).click();
    await expect(page.locator("#comment-form .error")).toContainText(stranger.name);
    await expect(field(page)).toHaveValue(`@${stranger.email} 見て`);
    await field(page).fill(`@${team.manager.email} 見て`);
    await page.getByRole("button", { name: "コメントを投稿" }).click();
    await expect(said(page).first()).toHaveText(`@${team.manager.name} 見て`);
    expect(new URL(page.url()).pathname).toBe(address);
  }
});

for (const [language, who] of [["ja", "admin"], ["en", "adminEn"]]) {
  test(`comments are sound and fit every screen in ${language}`, async ({ as, api }) => {
    const post = await api("admin");
    const [address] = await records(post);
    const about = address.replace("/customers/", "/customers/");
    await post(`${about}/comments`, { text: `${"長".repeat(200)}\n${"w".repeat(200)} https://example.com/${"x".repeat(150)}` });
    await post(`${about}/comments`, { text: "@sales@example.com の件、@manager@example.com にも確認をお願いします。".replace("@sales@example.com", "佐藤さん") });
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [360, 1280]) {
        const page = await as(who, { colorScheme, viewport: { width, height: 800 } });
        for (const [name, path] of [["comments", address], ["comments-all", `${address}/comments`]]) {
          await page.goto(path);
          await expect(said(page)).toHaveCount(2);
          if (name === "comments-all") {
            await field(page).click();
            await page.keyboard.type("@");
            await expect(page.getByRole("option").first()).toBeVisible();
          }
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
