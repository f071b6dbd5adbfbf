// Finding: whatever keyboard it was typed on, by words of several fields, and in the order in which people look names up.

import { choose, customersLike, expect, fresh, test } from "./support.js";

/** The names in the list, without the readings under them. */
const listed = (page) => page.locator("#customer-list tbody td.key a").allTextContents();

test("a customer is found by half-width kana, and by two words of two fields", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const word = fresh("x").split(" ")[1];
  const hasegawa = { name: `長谷川 ${word}`, kana: "ハセガワ", company: `㈱アオゾラ ${word}` };
  await post("/customers", hasegawa);
  await post("/customers", { name: `長谷川製作所 ${word}`, kana: "ハセガワセイサクショ" });
  await page.goto("/customers");
  await page.fill("#q", `ﾊｾｶﾞﾜ ${word}`);
  await page.locator("#q").press("Enter");
  await page.waitForURL(/q=/);
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(2);
  for (const [typed, names] of [
    [`ﾊｾｶﾞﾜ ${word}`, 2],
    [`はせがわせい ${word}`, 1],
    [`あおぞら ${word}`, 1],
    [`株式会社 長谷川 ${word}`, 1],
    [`${word.toUpperCase()}　ｱｵｿﾞﾗ　長谷川`, 1],
    [`あおぞら 製作所 ${word}`, 0],
  ]) {
    await page.goto(customersLike(typed));
    await expect(page.locator("#customer-list tbody tr"), typed).toHaveCount(names);
  }
  // The choice of a customer finds alike.
  await page.goto("/tasks");
  await page.click('[data-open="new-task"]');
  const box = page.locator('dialog .combo:has(input[type=hidden][name="customer_id"])');
  await box.getByRole("combobox").fill(`ﾊｾｶﾞﾜ あおぞら ${word}`);
  await expect(box.getByRole("option")).toHaveCount(1);
  await expect(box.getByRole("option").first()).toContainText(hasegawa.name);
  await choose(page, "customer_id", hasegawa.name);
});

test("the reading of a name is typed, shown and sorted by, in both languages", async ({ as, api, hire, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const word = fresh("x").split(" ")[1];
  for (const [name, kana] of [["山田", "ヤマダ"], ["安藤", "ｱﾝﾄﾞｳ"], ["東海林", "しょうじ"]]) {
    await post("/customers", { name: `${name} ${word}`, kana });
  }
  await page.goto("/customers");
  await page.click('[data-open="new-customer"]');
  const dialog = page.locator("dialog[open]");
  await expect(dialog.getByLabel("フリガナ")).toBeVisible();
  await dialog.locator('[name="name"]').fill(`長谷川 ${word}`);
  await dialog.locator('[name="kana"]').fill("ハセガワ");
  await dialog.locator("button.main").click();
  await expect(page.locator(".notice.done")).toBeVisible();
  await page.goto(`${customersLike(word)}&sort=name`);
  const expected = ["安藤", "東海林", "長谷川", "山田"].map((name) => `${name} ${word}`);
  expect(await listed(page)).toEqual(expected);
  await expect(page.locator("#customer-list tbody tr", { hasText: "長谷川" })).toContainText("ハセガワ");
  await page.goto(`${customersLike(word)}&sort=-name`);
  expect(await listed(page)).toEqual(expected.toReversed());

  await page.getByRole("link", { name: `長谷川 ${word}` }).click();
  await expect(page.locator("dl.record")).toContainText("フリガナハセガワ");
  await page.getByRole("link", { name: "編集" }).click();
  await page.fill('[name="kana"]', "ワタナベ");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.locator("dl.record")).toContainText("フリガナワタナベ");
  await page.goto(`${customersLike(word)}&sort=name`);
  expect((await listed(page)).at(-1)).toBe(`長谷川 ${word}`);

  const english = await as(await hire("MANAGER", { locale: "en" }));
  await english.goto("/customers");
  await english.click('[data-open="new-customer"]');
  await expect(english.locator("dialog[open]").getByLabel("Reading (kana)")).toBeVisible();
});

test("a search of too many words says so", async ({ as, team }) => {
  const page = await as(team.sales, { refused: true });
  await page.goto("/customers");
  await expect(page.locator("#q")).toHaveAttribute("maxlength", "200");
  await page.fill("#q", Array.from({ length: 17 }, (_, n) => `w${n}`).join(" "));
  await page.locator("#q").press("Enter");
  await expect(page.locator("main")).toContainText("検索語は 16 語以内にしてください。");
});
