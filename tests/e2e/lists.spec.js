// Lists: headings that sort, filters that apply at once, pages on and back, and the list as a file.

import fs from "node:fs/promises";
import { customersLike, expect, fresh, test } from "./support.js";

const names = (page) => page.locator("#customer-list tbody td.key a").allTextContents();

/** Customers of one person, all with a word of their own in their names. */
async function customers(post, count, more = () => ({})) {
  const word = fresh("x").split(" ")[1];
  for (let n = 0; n < count; n += 1) {
    await post("/customers", { name: `顧客 ${word} ${String(n).padStart(3, "0")}`, ...more(n) });
  }
  return word;
}

test("headings sort both ways by keyboard, and keep the filters", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const word = await customers(post, 3);
  await page.goto(`${customersLike(word)}&status=LEAD`);
  const heading = page.getByRole("columnheader", { name: "名前" });
  await expect(heading).not.toHaveAttribute("aria-sort");
  await heading.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(heading).toHaveAttribute("aria-sort", "ascending");
  expect((await names(page))[0]).toContain("000");
  await heading.getByRole("link").press("Enter");
  await expect(heading).toHaveAttribute("aria-sort", "descending");
  expect((await names(page))[0]).toContain("002");
  await expect(page).toHaveURL(/status=LEAD/);
  await expect(page.locator("#status")).toHaveValue("LEAD");
});

test("filters apply at once and stand in the address, also when one goes back", async ({ as, api, team }) => {
  const [page, post] = [await as(team.manager), await api(team.sales)];
  const word = await customers(post, 4, (n) => ({ status: n < 3 ? "ACTIVE" : "LEAD" }));
  await page.goto("/customers");
  await expect(page.getByRole("button", { name: "絞り込む" })).toBeHidden();
  await page.locator("#q").pressSequentially(word);
  await expect(page).toHaveURL(new RegExp(`q=${word}$|q=${word}&`));
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(4);
  await expect(page.locator("#q")).toBeFocused();
  await page.selectOption("#status", "ACTIVE");
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(3);
  await expect(page).toHaveURL(/status=ACTIVE/);
  await expect(page.locator("#sending")).toHaveText("3 件");
  const owner = page.locator("form.filters").getByRole("combobox", { name: "担当" });
  await owner.fill(team.sales.name);
  await page.getByRole("option", { name: team.sales.name }).click();
  await expect(page).toHaveURL(new RegExp(team.sales.id));
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(3);
  await page.reload();
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(3);
  await page.goBack();
  await expect(page).not.toHaveURL(new RegExp(team.sales.id));
  // The page of that address is there: the browser refuses to go anywhere in the midst of a reload.
  await expect(owner).toHaveValue("");
  await page.goBack();
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(4);
  await expect(page.locator("#status")).toHaveValue("");
});

test("what is chosen before the scripts are there is applied when they come", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const word = fresh("せっかち");
  await post("/customers", { name: word, status: "DORMANT" });
  await post("/customers", { name: `${word} 2` });
  const page = await as(team.sales);
  let come;
  const scripts = new Promise((resolve) => (come = resolve));
  await page.route("**/console.js*", async (route) => {
    await scripts;
    await route.continue();
  });
  await page.goto(customersLike(word), { waitUntil: "commit" });
  await page.selectOption("#status", "DORMANT");
  await expect(page.getByRole("button", { name: "絞り込む" })).toBeVisible();
  come();
  await expect(page).toHaveURL(/status=DORMANT/);
  await expect(page.locator(".list tbody tr")).toHaveCount(1);
});

test("without scripts a button filters, and everything else is a link", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const word = await customers(post, 2, (n) => ({ status: n ? "ACTIVE" : "LEAD" }));
  const page = await as(team.sales, { javaScriptEnabled: false });
  await page.goto(customersLike(word));
  await page.selectOption("#status", "ACTIVE");
  await page.getByRole("button", { name: "絞り込む" }).click();
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(1);
  await page.getByRole("columnheader", { name: "名前" }).getByRole("link").click();
  await expect(page).toHaveURL(/status=ACTIVE.*sort=name/);
});

test("pages lead on and back, of as many rows as one likes", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const word = await customers(post, 60);
  await page.goto(`${customersLike(word)}&sort=name`);
  await page.getByRole("link", { name: "25", exact: true }).click();
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(25);
  const next = page.getByRole("link", { name: "次のページ" });
  const prev = page.getByRole("link", { name: "前のページ" });
  await expect(prev).toHaveCount(0);
  await next.click();
  expect((await names(page))[0]).toContain("025");
  await next.click();
  expect((await names(page))[0]).toContain("050");
  await expect(next).toHaveCount(0);
  await prev.click();
  expect((await names(page))[0]).toContain("025");
  await post("/customers", { name: `顧客 ${word} 0` });
  await prev.click();
  expect((await names(page))[0]).toContain("000");
  await prev.click();
  await expect(prev).toHaveCount(0);
  expect(await names(page)).toHaveLength(25);
  await page.selectOption("#status", "LEAD");
  await expect(page.locator(".sizes [aria-current]")).toHaveText("25");
});

test("a telephone sorts by a choice, and nothing is wider than it", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales, { viewport: { width: 360, height: 740 } }), await api(team.sales)];
  const word = await customers(post, 30);
  await page.goto(`${customersLike(word)}&limit=25`);
  await page.selectOption("#sort", "name");
  await expect(page).toHaveURL(/sort=name/);
  await expect(page.locator("#customer-list tbody td.key").first()).toContainText("000");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.screenshot({ path: "../../target/screens/list-pages-ja-360.png", fullPage: true });
});

test("the list is saved as a file, as it is shown", async ({ as, api, hire, team }) => {
  const post = await api(team.sales);
  const word = await customers(post, 3, (n) => ({ status: n ? "ACTIVE" : "LEAD", company: "=1+1" }));
  const english = await as(await hire("MANAGER", { locale: "en", time_zone: "America/New_York" }));
  await english.goto(`${customersLike(word)}&sort=-name`);
  await english.selectOption("#status", "ACTIVE");
  await expect(english.locator("#customer-list tbody tr")).toHaveCount(2);
  const [download] = await Promise.all([
    english.waitForEvent("download"),
    english.getByRole("link", { name: "Download CSV" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("customers.csv");
  const lines = (await fs.readFile(await download.path(), "utf8")).split("\r\n");
  expect(lines[0]).toBe('\ufeff"Name","Company","E-mail","Status","Owner","Added (America/New_York)"');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toContain(`"顧客 ${word} 002","'=1+1","","Active","${team.sales.name}"`);
});

test("a view keeps filters, order, columns and rows, and opens the list", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales, { refused: true }), await api(team.sales)];
  const word = await customers(post, 3, (n) => ({ status: n ? "ACTIVE" : "LEAD", kana: "カナ" }));
  await page.goto(`${customersLike(word)}&sort=-name`);
  await page.selectOption("#status", "ACTIVE");
  await expect(page).toHaveURL(/status=ACTIVE/);
  await page.getByText("列", { exact: true }).click();
  const columns = page.locator("#choose-columns");
  await columns.getByLabel("フリガナ").check();
  await columns.getByLabel("会社").uncheck();
  await page.getByRole("button", { name: "表示", exact: true }).click();
  await expect(page.getByRole("columnheader", { name: "フリガナ" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "会社" })).toHaveCount(0);
  await expect(page).toHaveURL(/status=ACTIVE/);
  await page.getByText("ビュー", { exact: true }).click();
  await page.getByLabel("新しいビューの名前").fill("稼働中");
  await page.locator("#save-view").getByLabel("一覧をこのビューで開く").check();
  await page.screenshot({ path: "../../target/screens/views-menu-ja.png" });
  await page.getByRole("button", { name: "新しいビューとして保存" }).click();
  await expect(page.locator(".notice.done")).toContainText("ビューを保存しました");
  await page.goto("/customers");
  await expect(page.locator(".views [aria-current]")).toHaveText("稼働中");
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(2);
  await expect(page.getByRole("columnheader", { name: "名前" })).toHaveAttribute("aria-sort", "descending");
  await page.selectOption("#status", "LEAD");
  await page.getByRole("button", { name: "変更をこのビューに保存" }).click();
  await expect(page.locator(".notice.done")).toContainText("ビューを保存しました");
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(1);
  // A name that is taken is told where it was typed.
  await page.getByText("ビュー", { exact: true }).click();
  await page.getByLabel("新しいビューの名前").fill("稼働中");
  await page.getByRole("button", { name: "新しいビューとして保存" }).click();
  await expect(page.locator("#save-view [role=alert]")).toContainText("この名前はすでに使われています");
  await page.getByLabel("このビューの名前").fill("見込み");
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "このビューを削除" }).click();
  await expect(page.locator(".views")).toHaveCount(0);
});

test("columns and views need no scripts, and fit a telephone", async ({ as, team }) => {
  const page = await as(team.sales, { javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
  await page.goto("/tasks");
  await page.getByText("列", { exact: true }).click();
  await page.locator("#choose-columns").getByLabel("メモ").check();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.screenshot({ path: "../../target/screens/columns-menu-ja-360.png" });
  await page.getByRole("button", { name: "表示", exact: true }).click();
  await expect(page).toHaveURL(/columns=notes/);
  await page.getByText("ビュー", { exact: true }).click();
  await page.getByLabel("新しいビューの名前").fill("メモ付き");
  await page.getByRole("button", { name: "新しいビューとして保存" }).click();
  await expect(page.locator(".views [aria-current]")).toHaveText("メモ付き");
});

test("ticked rows are changed together, after what would be done is shown", async ({ as, api, team }) => {
  const [page, post] = [await as(team.manager), await api(team.sales)];
  const word = await customers(post, 3);
  await page.goto(`${customersLike(word)}&sort=name`);
  const bar = page.locator("#bulk");
  await expect(bar.getByRole("button", { name: "選択したものを変更…" })).toBeDisabled();
  await page.getByLabel(`顧客 ${word} 000 を選択`).check();
  await page.getByLabel(`顧客 ${word} 001 を選択`).check();
  await expect(bar.getByRole("status")).toHaveText("2 件を選択中");
  // The list goes on by itself, and what is ticked stays.
  await post("/customers", { name: `顧客 ${word} 003` });
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(4);
  await expect(page.getByLabel(`顧客 ${word} 001 を選択`)).toBeChecked();
  await page.screenshot({ path: "../../target/screens/bulk-bar-ja.png" });
  await bar.getByRole("button", { name: "選択したものを変更…" }).click();
  await expect(page.locator("main")).toContainText("2 件を選択しています");
  await page.selectOption('[name="status"]', "ACTIVE");
  await page.getByRole("button", { name: "変更の内容を確認" }).click();
  await expect(page.locator("dl.figures")).toContainText("変更されるもの2");
  await page.screenshot({ path: "../../target/screens/bulk-preview-ja.png" });
  await page.getByRole("button", { name: "2 件を変更する" }).click();
  await expect(page).toHaveURL(/\/sagas/);
  await expect(page.locator(".saga").first()).toContainText("完了");
  await page.goto(`${customersLike(word)}&status=ACTIVE`);
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(2);
  // The whole list, of every page.
  await page.goto(`${customersLike(word)}&status=LEAD`);
  await page.getByRole("button", { name: "一覧のすべてを変更…" }).click();
  await page.getByRole("button", { name: "削除の内容を確認" }).click();
  await page.getByRole("button", { name: "2 件を削除する" }).click();
  await expect(page).toHaveURL(/\/sagas/);
  await page.goto(customersLike(word));
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(2);
});

test("on a telephone menus stand on the screen, and what is ticked is changed above the navigation", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const word = fresh("指先");
  for (let n = 0; n < 6; n += 1) {
    await post("/customers", { name: `${word} ${n}` });
  }
  const page = await as(team.sales, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await page.goto(customersLike(word));
  for (const menu of ["列", "ビュー"]) {
    await page.locator(".menus summary", { hasText: menu }).click();
    const { x, width } = await page.locator(".menus details[open] .pop").boundingBox();
    expect(x, menu).toBeGreaterThanOrEqual(0);
    expect(x + width, menu).toBeLessThanOrEqual(360);
    await page.locator(".menus summary", { hasText: menu }).click();
  }
  await page.locator(".list tbody .pick input").first().check();
  await page.evaluate(() => scrollTo(0, 0));
  const button = page.getByRole("button", { name: "選択したものを変更…" });
  const isOnTop = () => button.evaluate((it) => {
    const { x, y, width, height } = it.getBoundingClientRect();
    return [1, height / 2, height - 1].every((down) => document.elementFromPoint(x + width / 2, y + down) === it);
  });
  await expect.poll(isOnTop, "nothing lies over the button").toBe(true);
});

test("without scripts ticked tasks are changed by plain forms, on a telephone, too", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const title = fresh("電話");
  await post("/tasks", { title, due_at: "2036-03-01T10:00:00Z" });
  const page = await as(team.sales, { javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
  await page.goto(`/tasks?q=${encodeURIComponent(title)}`);
  await page.getByLabel(`${title} を選択`).check();
  await page.screenshot({ path: "../../target/screens/bulk-bar-ja-360.png", fullPage: true });
  await page.getByRole("button", { name: "選択したものを変更…" }).click();
  await expect(page.locator("main")).toContainText("1 件を選択しています");
  await page.selectOption('[name="status"]', "DONE");
  await page.getByRole("button", { name: "変更の内容を確認" }).click();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.getByRole("button", { name: "1 件を変更する" }).click();
  await expect(page).toHaveURL(/\/sagas/);
  await page.goto(`/tasks?status=DONE&q=${encodeURIComponent(title)}`);
  await expect(page.locator("#task-list tbody tr")).toHaveCount(1);
});
