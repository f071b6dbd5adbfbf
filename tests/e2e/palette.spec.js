// Ctrl-K: records, pages and actions by the keyboard alone or by touch; and the keys that `?` lists.

import { expect, fresh, test } from "./support.js";

const dialog = (page) => page.locator("dialog#palette");
const box = (page) => dialog(page).getByRole("combobox");
const options = (page) => dialog(page).getByRole("option");
const active = (page) => dialog(page).locator('[role=option][aria-selected="true"]');
const keysDialog = (page) => page.locator("dialog[open]", { hasText: "キーボードショートカット" });

/** Opens the dialog when the page's scripts are there. */
async function open(page, keys = "Control+k") {
  await expect(async () => {
    await page.keyboard.press(keys);
    await expect(dialog(page)).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(options(page).first()).toBeVisible();
}

test("a record is found and opened by the keyboard alone, and is first the next time", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const word = fresh("x").split(" ")[1];
  const customer = await post("/customers", { name: `長谷川 ${word}`, kana: "ハセガワ", company: "㈱アオゾラ" });
  await post("/tasks", { title: `見積り ${word}`, due_at: "2030-01-01T00:00:00Z", customer_id: customer.id });
  await page.goto("/reports");
  await open(page);
  await expect(box(page)).toBeFocused();
  await expect(box(page)).toHaveAttribute("aria-controls", "palette-list");
  await page.keyboard.type(`ﾊｾｶﾞﾜ ${word}`);
  await expect(options(page)).toHaveCount(1);
  await expect(active(page)).toContainText(`長谷川 ${word}`);
  await expect(box(page)).toHaveAttribute("aria-activedescendant", await active(page).getAttribute("id"));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/customers/${customer.id}`);

  await page.goto("/reports");
  await open(page);
  await expect(options(page).first()).toContainText(`長谷川 ${word}`);
  await expect(dialog(page).getByRole("group").first()).toHaveAccessibleName("最近開いたもの");
  await page.keyboard.type(word);
  await expect(options(page)).toHaveCount(2);
  // Both begin with nothing of it: the newer one is first.
  await expect(active(page)).toContainText(`見積り ${word}`);
  await page.keyboard.press("ArrowDown");
  await expect(active(page)).toContainText(`長谷川 ${word}`);
  await page.keyboard.press("ArrowDown");
  await expect(active(page)).toContainText(`見積り ${word}`);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/tasks\/[0-9a-f-]{36}$/);
});

test("what is typed fast is what Enter means", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const name = fresh("早打ち");
  const customer = await post("/customers", { name });
  await page.goto("/reports");
  await open(page);
  await page.keyboard.insertText(name);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/customers/${customer.id}`);
});

test("a record that is no longer one's to see is not among the recent ones", async ({ as, api, team, hire }) => {
  const other = await hire("SALES", { manager_id: team.manager.id });
  // The open page of the record is refused when it is read again.
  const [page, post] = [await as(team.sales, { refused: true }), await api(team.sales)];
  const name = fresh("譲渡");
  const { id } = await post("/customers", { name });
  await page.goto(`/customers/${id}`);
  await open(page);
  await expect(options(page).first()).toContainText(name);
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toBeHidden();
  const manager = await as(team.manager);
  await manager.goto(`/customers/${id}/edit`);
  const owner = manager.locator('.combo:has(input[type=hidden][name="owner_id"])');
  await owner.getByRole("combobox").fill(other.name);
  await owner.getByRole("option", { name: other.name }).click();
  await manager.getByRole("button", { name: "保存" }).click();
  await expect(manager.locator(".notice.done")).toBeVisible();
  await page.goto("/reports");
  await open(page);
  await expect(dialog(page)).not.toContainText(name);
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(name);
});

test("pages and actions are offered as far as one may use them", async ({ as, team }) => {
  const page = await as(team.sales);
  await page.goto("/reports");
  await open(page);
  await expect(dialog(page)).not.toContainText("監査ログ");
  await page.keyboard.type("新規");
  await expect(active(page)).toHaveText(/新規顧客追加/);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/customers#new-customer$/);
  await expect(page.locator("#new-customer")).toBeVisible();
  // On the page itself it opens the form at once.
  await page.keyboard.press("Escape");
  await open(page);
  await page.keyboard.type("add customer");
  await expect(options(page)).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page.locator("#new-customer")).toBeVisible();
  await page.keyboard.press("Escape");
  await open(page);
  await page.keyboard.type("ログアウト");
  await expect(options(page)).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/login$/);
});

test("on a telephone the search is a button, and its answers are touched", async ({ as, api, team }) => {
  const options360 = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  const [page, post] = [await as(team.sales, options360), await api(team.sales)];
  const name = `${fresh("絆")} ${"長い名前".repeat(20)}`;
  const { id } = await post("/customers", { name });
  await page.goto("/reports");
  const button = page.getByRole("link", { name: "検索" });
  await expect(button).toBeVisible();
  const size = await button.boundingBox();
  expect(Math.min(size.width, size.height)).toBeGreaterThanOrEqual(32);
  await expect(async () => {
    await button.tap();
    await expect(dialog(page)).toBeVisible({ timeout: 500 });
  }).toPass();
  await box(page).fill(name.slice(0, 20));
  await expect(options(page)).toHaveCount(1);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await options(page).first().tap();
  await expect(page).toHaveURL(`/customers/${id}`);
});

test("without scripts the search is a page", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales, { javaScriptEnabled: false }), await api(team.sales)];
  const name = fresh("無言");
  const { id } = await post("/customers", { name });
  await page.goto("/reports");
  await page.getByRole("link", { name: "検索" }).click();
  await expect(page).toHaveURL("/search");
  await page.fill("#q", name);
  await page.locator("main").getByRole("button", { name: "検索" }).click();
  await page.getByRole("link", { name }).click();
  await expect(page).toHaveURL(`/customers/${id}`);
});

test("keys go to pages, to the search and to the form, and never while one types", async ({ as, team }) => {
  const page = await as(team.sales);
  await page.goto("/reports");
  await open(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await expect(page).toHaveURL("/tasks");
  await expect(async () => {
    await page.keyboard.press("/");
    await expect(page.locator("#q")).toBeFocused({ timeout: 300 });
  }).toPass();
  await page.keyboard.type("gc/?");
  await expect(page).toHaveURL("/tasks");
  await expect(page.locator("#q")).toHaveValue("gc/?");
  await page.locator("#q").blur();
  for (const keys of ["Control+c", "Alt+c", "Shift+C"]) {
    await page.keyboard.press(keys);
    await expect(page.locator("dialog[open]")).toHaveCount(0);
  }
  await page.keyboard.press("c");
  await expect(page.locator("#new-task")).toBeVisible();
  await page.keyboard.press("Escape");
  // A page without a search has that of everything.
  await page.goto("/reports");
  await expect(async () => {
    await page.keyboard.press("/");
    await expect(dialog(page)).toBeVisible({ timeout: 300 });
  }).toPass();
});

test("the keys are listed, and can be switched off for the browser", async ({ as, team }) => {
  const page = await as(team.sales);
  await page.goto("/reports");
  await open(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(keysDialog(page)).toContainText("すべてを検索");
  await expect(keysDialog(page)).not.toContainText("管理");
  await keysDialog(page).getByRole("checkbox").uncheck();
  await page.keyboard.press("Escape");
  await expect(keysDialog(page)).toHaveCount(0);
  for (const key of ["?", "c", "/"]) {
    await page.keyboard.press(key);
    await expect(page.locator("dialog[open]")).toHaveCount(0);
  }
  await open(page);
  await page.keyboard.press("Escape");
  await page.goto("/shortcuts");
  const box = page.getByRole("checkbox", { name: "1 文字のショートカットを使う" });
  await expect(box).not.toBeChecked();
  await box.check();
  await page.goto("/customers");
  await expect(async () => {
    await page.keyboard.press("c");
    await expect(page.locator("#new-customer")).toBeVisible({ timeout: 300 });
  }).toPass();
});

test("a service that is away is named, and the dialog says when nothing is found", async ({ as, team }) => {
  const page = await as(team.sales, { refused: true });
  await page.goto("/reports");
  await open(page);
  await page.keyboard.type("ありえない言葉");
  await expect(dialog(page).getByRole("status")).toContainText("該当するものはありません");
  await page.route("**/palette?**", (route) => route.fulfill({ status: 503, body: "" }));
  await page.keyboard.type("さらに");
  await expect(dialog(page).getByRole("status")).toContainText("検索できませんでした");
});
