// What people do with records: customers, meetings, tasks, approvals.

import { addCustomer, choose, customersLike, expect, fresh, freshEmail, test } from "./support.js";

test("a customer is registered, changed, found, and deleted with what goes with it", async ({ as, team }) => {
  const page = await as(team.sales);
  const name = fresh("絆商店");
  await addCustomer(page, name, freshEmail("shop"));
  await page.getByRole("link", { name }).click();
  await expect(page.locator("h1")).toContainText(name);
  await page.getByRole("link", { name: "編集" }).click();
  await page.fill('[name="phone"]', "03-1234-5678");
  await page.selectOption('[name="status"]', "ACTIVE");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.locator("dl.record")).toContainText("03-1234-5678");
  // The timeline follows its events a moment later.
  await expect(async () => {
    await page.reload();
    await expect(page.locator("#activity-list")).toContainText("変更: 電話番号、状態", { timeout: 500 });
  }).toPass();

  await page.getByRole("link", { name: "タスクを作成" }).click();
  await page.fill('dialog[open] [name="title"]', "電話する");
  await page.click("dialog[open] button.main");
  await expect(page.locator("#customer-tasks")).toContainText("電話する");

  await page.goto(`${customersLike(name)}&status=ACTIVE`);
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(1);
  await page.goto(`${customersLike(name)}&status=LEAD`);
  await expect(page.locator(".empty")).toContainText("条件に合うものはありません");
  await page.goto(customersLike(name));
  await page.getByRole("link", { name }).click();
  await page.getByRole("link", { name: "削除", exact: true }).click();
  await expect(page.locator("dl.figures")).toContainText("タスク1");
  await page.getByRole("button", { name: "削除する" }).click();
  await expect(page).toHaveURL(/\/sagas/);
  await expect(page.locator(".saga", { hasText: name })).toContainText("完了");
  await page.goto(customersLike(name));
  await expect(page.locator(".empty")).toBeVisible();
});

test("faults stand beside their fields, and what was typed stays", async ({ as, team }) => {
  const page = await as(team.sales, { refused: true });
  await page.goto("/customers");
  await page.click('[data-open="new-customer"]');
  await page.fill('dialog [name="name"]', "  ");
  await page.fill('dialog [name="email"]', "kizuna@example.jp");
  await page.click("dialog summary");
  await page.fill('dialog [name="phone"]', "0".repeat(51));
  await page.fill('dialog [name="notes"]', "覚え書き");
  await page.click("dialog button.main");
  const dialog = page.locator("dialog");
  await expect(dialog).toBeVisible();
  await expect(dialog.locator("#new-customer-name-error")).toHaveText("必須項目です。");
  await expect(dialog.locator('[name="name"]')).toBeFocused();
  await expect(dialog.locator("#new-customer-phone-error")).toHaveText("50 文字以内で入力してください。");
  await expect(dialog.locator('[name="email"]')).toHaveValue("kizuna@example.jp");
  await expect(dialog.locator('[name="notes"]')).toHaveValue("覚え書き");
});

test("lists are sorted and paged", async ({ as, api, hire, team }) => {
  const reader = await hire("SALES", { locale: "en", manager_id: team.manager.id });
  const [post, word] = [await api(reader), fresh("Paged")];
  for (let n = 10; n < 65; n += 1) {
    await post("/customers", { name: `${word} ${n}` });
  }
  const page = await as(reader);
  await page.goto(`${customersLike(word)}&sort=name`);
  await expect(page.locator("tbody tr")).toHaveCount(50);
  await expect(page.locator("tbody tr").first()).toContainText(`${word} 10`);
  await page.getByRole("link", { name: "Next page" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(5);
  await expect(page.locator("tbody tr").last()).toContainText(`${word} 64`);
  await page.goto("/customers");
  await page.getByRole("link", { name: "Name", exact: true }).click();
  await page.getByRole("link", { name: "Name", exact: true }).click();
  await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "descending");
  await expect(page.locator("tbody tr").first()).toContainText(`${word} 64`);
});

test("a meeting is recorded, changed and deleted", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const { name } = await post("/customers", { name: fresh("訪問先") });
  const title = fresh("打ち合わせ");
  await page.goto("/meetings");
  await page.click('[data-open="new-meeting"]');
  await choose(page, "customer_id", name);
  await page.fill('dialog [name="title"]', title);
  await page.fill('dialog [name="met_at"]', "2026-03-02T18:30");
  await page.fill('dialog [name="duration_minutes"]', "４５");
  await page.click("dialog button.main");
  const row = page.locator("tr", { hasText: title });
  await expect(row).toContainText("45 分");
  await expect(row.locator("time")).toHaveAttribute("datetime", "2026-03-02T09:30:00.000000Z");
  await page.getByRole("link", { name: title }).click();
  await page.getByRole("link", { name: "編集" }).click();
  await page.fill('[name="outcome"]', "見積もりを送る");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.locator("dl.record")).toContainText("見積もりを送る");
  await page.goto("/meetings");
  await expect(row).toContainText("見積もりを送る");
  await page.getByRole("link", { name: title }).click();
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "削除" }).click();
  await expect(page.locator(".notice.done")).toBeVisible();
  await expect(row).toHaveCount(0);
});

test("a task is marked by its time and completed by one click", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  await post("/tasks", { title: fresh("昨日まで"), due_at: new Date(Date.now() - 86_400_000).toISOString() });
  const title = fresh("資料を送る");
  await page.goto("/tasks");
  await expect(page.locator("tr.overdue").first()).toContainText("期限切れ");
  await page.click('[data-open="new-task"]');
  await page.fill('dialog [name="title"]', title);
  await page.click("dialog button.main");
  const row = page.locator("tr", { hasText: title });
  await expect(row).toContainText("期限間近");
  const box = row.getByRole("checkbox", { name: /の完了$/ });
  await box.click();
  // It stays until the list is left.
  await expect(box).toBeChecked();
  await page.goto("/tasks");
  await expect(row).toHaveCount(0);
  await page.goto("/tasks?status=DONE");
  await expect(row).toContainText("完了");
  await box.click();
  await expect(box).not.toBeChecked();
  await page.goto("/tasks?status=DONE");
  await expect(row).toHaveCount(0);
  await page.goto("/tasks");
  await expect(row).toContainText("期限間近");
});

/** The pages of a SALES user who requests an approval, and of the MANAGER whom it waits for, both open at it. */
async function requested({ as, api, team }, word) {
  const [sales, manager] = [await as(team.sales), await as(team.manager, { refused: true })];
  const post = await api(team.sales);
  const { name } = await post("/customers", { name: fresh("商談先") });
  await sales.goto("/approvals");
  await sales.click('[data-open="new-approval"]');
  await choose(sales, "customer_id", name);
  await sales.fill('dialog [name="title"]', fresh(word));
  await sales.fill('dialog [name="amount"]', "1,234,567");
  await sales.click("dialog button.main");
  await expect(sales.locator("h1")).toContainText("承認待ち");
  await expect(sales.locator("dl.record")).toContainText("1,234,567");
  await manager.goto(new URL(sales.url()).pathname);
  return [sales, manager];
}

test("an approval that is handed on waits for somebody else", async ({ as, api, team }) => {
  const [, manager] = await requested({ as, api, team }, "値引き");
  await choose(manager, "approver_id", "管理 花子");
  await manager.getByRole("button", { name: "承認者を変更する" }).click();
  await expect(manager.locator("dl.record")).toContainText("管理 花子");
  await expect(manager.getByRole("button", { name: "承認する" })).toHaveCount(0);
});

test("an approval is rejected with a comment, which its requester reads", async ({ as, api, team }) => {
  const [sales, manager] = await requested({ as, api, team }, "無償対応");
  await manager.getByRole("button", { name: "却下する" }).click();
  await expect(manager.locator("#decision-comment-error")).toHaveText("必須項目です。");
  await manager.fill('[name="comment"]', "金額を見直してください");
  await manager.getByRole("button", { name: "却下する" }).click();
  await expect(manager.locator("h1")).toContainText("却下");
  await sales.reload();
  await expect(sales.locator("dl.record")).toContainText("金額を見直してください");
});

test("an approval is approved", async ({ as, api, team }) => {
  const [, manager] = await requested({ as, api, team }, "特別価格");
  await manager.getByRole("button", { name: "承認する" }).click();
  await expect(manager.locator("h1")).toContainText("承認済み");
});

test("an approval is taken back by its requester", async ({ as, api, team }) => {
  const [sales] = await requested({ as, api, team }, "取り下げ");
  sales.once("dialog", (dialog) => dialog.accept());
  await sales.getByRole("button", { name: "申請を取り消す" }).click();
  await expect(sales.locator("h1")).toContainText("取消");
});
