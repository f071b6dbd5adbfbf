// Deals: the list, the page, and the board, where a card moves by drag, by keyboard, and when somebody else moves it.

import { choose, expect, fresh, freshEmail, test } from "./support.js";

/** A deal of somebody new, who sees no other. */
async function start({ api, hire, team }, deals, options = {}) {
  const owner = await hire("SALES", { manager_id: team.manager.id, ...options });
  const post = await api(owner);
  const customer = await post("/customers", { name: fresh("絆商事"), email: freshEmail("deals") });
  const made = [];
  for (const deal of deals) {
    made.push(await post("/deals", { customer_id: customer.id, amount: 1_000_000, ...deal }));
  }
  return { owner, post, customer, made };
}

const column = (page, stage) => page.locator(`[data-board] [data-stage="${stage}"]`);

/** Drags a card by the mouse, as slowly as the page follows. */
async function drag(page, card, to) {
  await card.hover();
  await page.mouse.down();
  let moves = 0;
  await expect(async () => {
    moves += 1;
    // A column that is read anew at this moment has no place.
    const { x, y } = await to.boundingBox();
    await page.mouse.move(x + 40 + (moves % 2), y + 20);
    await expect(to).toHaveClass(/over/, { timeout: 200 });
  }).toPass();
  await page.mouse.up();
}

test("a deal is added, read, edited in place and deleted", async ({ as, api, hire, team }) => {
  const { owner, customer } = await start({ api, hire, team }, []);
  const page = await as(owner, { refused: true });
  await page.goto("/deals");
  await page.click('[data-open="new-deal"]');
  await choose(page, "customer_id", customer.name);
  await page.fill('dialog[open] [name="title"]', "年間保守契約");
  await page.fill('dialog[open] [name="amount"]', "1,200,000");
  await page.fill('dialog[open] [name="expected_on"]', "2036-11-05");
  await page.click("dialog[open] button.main");
  await expect(page.locator("#deal-list tbody tr")).toContainText("年間保守契約");
  await expect(page.locator("#deal-list tbody tr")).toContainText("1,200,000円");
  await page.getByRole("link", { name: "年間保守契約" }).click();
  await expect(page.locator("dl.record")).toContainText("2036年11月5日");
  await page.getByRole("link", { name: "編集" }).click();
  await page.selectOption('#record-form [name="stage"]', "LOST");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.locator('#record-form [name="lost_reason"]')).toBeFocused();
  await page.fill('#record-form [name="lost_reason"]', "予算の削減");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.locator("dl.record")).toContainText("予算の削減");
  await expect(page.locator("h1")).toContainText("失注");
  await expect(page.locator("#activity-list")).toContainText("案件の失注");
  await page.goto(`/customers/${customer.id}`);
  await expect(page.locator("#customer-deals")).toContainText("年間保守契約");
  await page.getByRole("link", { name: "年間保守契約" }).first().click();
  page.on("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "削除" }).click();
  await expect(page).toHaveURL(/\/deals\?|\/deals$/);
  await expect(page.locator(".empty")).toBeVisible();
});

test("a card is dragged to another stage, and the sums follow", async ({ as, api, hire, team }) => {
  const { owner } = await start({ api, hire, team }, [{ title: "一" }, { title: "二", stage: "PROPOSE" }]);
  const page = await as(owner);
  await page.goto("/deals?view=board");
  await expect(column(page, "QUALIFY")).toContainText("1,000,000円");
  const began = Date.now();
  await drag(page, column(page, "QUALIFY").locator(".deal"), column(page, "PROPOSE"));
  await expect(column(page, "PROPOSE").locator(".deal")).toHaveCount(2);
  expect(Date.now() - began, "a limit that only a broken page passes").toBeLessThan(5_000);
  await expect(column(page, "PROPOSE").locator("h2")).toContainText("2 件");
  await expect(column(page, "PROPOSE").locator(".sum")).toContainText("2,000,000円");
  await expect(column(page, "QUALIFY")).toContainText("案件なし");
  await page.reload();
  await expect(column(page, "PROPOSE").locator(".deal")).toHaveCount(2);
});

test("a card moves by keyboard, and a loss asks for its reason", async ({ as, api, hire, team }) => {
  const { owner } = await start({ api, hire, team }, [{ title: "一" }]);
  const page = await as(owner);
  await page.goto("/deals?view=board");
  const choice = page.getByLabel("「一」の移動先");
  await choice.focus();
  await choice.selectOption("NEGOTIATE");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(column(page, "NEGOTIATE").locator(".deal")).toHaveCount(1);
  await expect(page.locator("#sending")).toHaveText("「一」を移動しました。");
  await page.getByLabel("「一」の移動先").selectOption("LOST");
  await column(page, "NEGOTIATE").getByRole("button", { name: "移動" }).click();
  const dialog = page.locator("#lost-why");
  await expect(dialog).toContainText("「一」の失注理由");
  await dialog.locator("textarea").fill("価格");
  await dialog.getByRole("button", { name: "移動" }).click();
  await expect(column(page, "LOST").locator(".deal")).toContainText("価格");
  // What is lost goes to an open stage, and not to WON.
  await expect(column(page, "LOST").locator("option")).toHaveText(["移動先…", "見極め", "提案", "交渉"]);
});

test("every stage is in sight at every width, and a card goes nowhere until one chooses where", async ({ as, api, hire, team }) => {
  const { owner } = await start({ api, hire, team }, [{ title: "一" }, { title: "二", stage: "PROPOSE" }]);
  const page = await as(owner);
  for (const width of [1280, 1024, 768, 360]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto("/deals?view=board");
    const ends = await page.evaluate(() => {
      const columns = [...document.querySelectorAll("[data-board] [data-stage]")];
      return [document.documentElement.scrollWidth, ...columns.map((it) => Math.floor(it.getBoundingClientRect().right))];
    });
    expect(ends).toHaveLength(6);
    expect(Math.max(...ends), `${ends} at ${width}`).toBeLessThanOrEqual(width);
  }
  const choice = page.getByLabel("「一」の移動先");
  await expect(choice.locator("option:checked")).toHaveText("移動先…");
  await column(page, "QUALIFY").getByRole("button", { name: "移動" }).click();
  await expect(choice).toBeFocused();
  await expect(column(page, "QUALIFY").locator(".deal")).toHaveCount(1);
});

test("a card that somebody else moves goes over on an open board", async ({ as, api, hire, team }) => {
  const { owner, made } = await start({ api, hire, team }, [{ title: "一" }]);
  const [mine, theirs] = [await as(owner), await as(team.manager)];
  await mine.goto("/deals?view=board");
  await theirs.goto(`/deals?view=board&owner_id=${owner.id}`);
  await mine.getByLabel("「一」の移動先").selectOption("WON");
  await column(mine, "QUALIFY").getByRole("button", { name: "移動" }).click();
  await expect(column(theirs, "WON").locator(`#deal-${made[0].id}`)).toBeVisible({ timeout: 5_000 });
  await expect(column(theirs, "WON").locator(".sum")).toContainText("1,000,000円");
});

test("a card moves without scripts, and a loss without a reason asks for it on the form", async ({ as, api, hire, team }) => {
  const { owner, made } = await start({ api, hire, team }, [{ title: "一" }], { locale: "en" });
  const page = await as(owner, { javaScriptEnabled: false, refused: true });
  await page.goto("/deals?view=board");
  await page.selectOption(`#move-${made[0].id}`, "PROPOSE");
  await page.click(`#go-${made[0].id}`);
  await expect(page.locator(".notice")).toHaveText("The deal was moved.");
  await expect(column(page, "PROPOSE").locator(".deal")).toHaveCount(1);
  await page.selectOption(`#move-${made[0].id}`, "LOST");
  await page.click(`#go-${made[0].id}`);
  await expect(page.locator('[name="stage"]')).toHaveValue("LOST");
  await page.fill('[name="lost_reason"]', "Budget");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("h1")).toContainText("Lost");
});

test("many deals are changed together, and one's open ones stand on the home page", async ({ as, api, hire, team }) => {
  const deals = [{ title: "後", expected_on: "2036-02-01" }, { title: "先", expected_on: "2036-01-01" }, { title: "済", stage: "WON" }];
  const { owner } = await start({ api, hire, team }, deals);
  const page = await as(owner);
  await page.goto("/");
  await expect(page.locator("#home-deals li a[href^='/deals/']")).toHaveText(["先", "後"]);
  await page.goto("/deals");
  await page.getByLabel("先 を選択").check();
  await page.getByLabel("後 を選択").check();
  await page.getByRole("button", { name: "選択したものを変更" }).click();
  // The list has a choice of that name, too.
  await expect(page.locator("main")).toContainText("2 件を選択しています");
  await page.selectOption('[name="stage"]', "NEGOTIATE");
  await page.getByRole("button", { name: "変更の内容を確認" }).click();
  await expect(page.locator("dl.figures")).toContainText("変更されるもの2");
});
