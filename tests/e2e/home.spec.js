// Home: what is due, what awaits a decision, what others have changed; it follows, and its empty parts lead on.

import { expect, fresh, test } from "./support.js";

const HOUR = 3_600_000;
const at = (milliseconds) => new Date(Date.now() + milliseconds).toISOString();

test("an overdue task is done where it stands, and new ones appear by themselves", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const [late, later] = [fresh("遅れた用事"), fresh("もっと遅れた用事")];
  await page.goto("/");
  await expect(page.locator(".nav [aria-current]")).toHaveText("ホーム");
  const tasks = page.locator("#home-tasks");
  await expect(tasks).toContainText("今日が期限のタスクはありません");
  await expect(page.locator("#home-approvals")).toHaveCount(0);
  await expect(page.locator("#home-news")).toContainText("前回確認してからの変更はありません");
  await post("/tasks", { title: late, due_at: at(-HOUR) });
  await expect(tasks).toContainText(late);
  await expect(tasks).toContainText("期限切れ");
  await post("/tasks", { title: later, due_at: at(-2 * HOUR) });
  await expect(tasks).toContainText(later);
  const box = tasks.getByRole("checkbox", { name: `「${late}」の完了` });
  await box.click();
  await expect(box).toBeChecked();
  await expect(box).toBeFocused();
  await box.click();
  await expect(box).not.toBeChecked();
  await box.click();
  await expect(box).toBeChecked();
  // It stays until the page is left.
  await page.goto("/");
  await expect(tasks).toContainText(later);
  await expect(tasks).not.toContainText(late);
  await tasks.getByRole("link", { name: "タスクを作成" }).click();
  await expect(page.locator("#new-task")).toBeVisible();
});

test("what awaits one's decision goes when it is decided, also by somebody else", async ({ as, api, team, hire }) => {
  const other = await hire("MANAGER");
  const [page, post] = [await as(team.manager), await api(team.sales)];
  await page.goto("/");
  const approvals = page.locator("#home-approvals");
  await expect(approvals).toBeVisible();
  const { id } = await post("/customers", { name: fresh("絆") });
  const title = fresh("値引き");
  await post("/approvals", { customer_id: id, title, amount: 120_000 });
  await post("/approvals", { customer_id: id, title: `${title} 他`, amount: 1, approver_id: other.id });
  await expect(approvals).toContainText(title);
  await expect(approvals).not.toContainText(`${title} 他`);
  await approvals.getByRole("link", { name: title }).click();
  await page.getByRole("button", { name: "承認する" }).click();
  await expect(page.locator(".notice.done")).toBeVisible();
  await page.goto("/");
  await expect(approvals).not.toContainText(title);
});

test("what others changed is shown until it is marked as seen", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const name = fresh("青空");
  const { id } = await post("/customers", { name });
  const news = page.locator("#home-news");
  await page.goto("/");
  await expect(news).not.toContainText(name);
  const manager = await as(team.manager);
  await manager.goto(`/customers/${id}/edit`);
  await manager.fill('[name="phone"]', "03-1234-5678");
  await manager.getByRole("button", { name: "保存" }).click();
  await expect(manager.locator(".notice.done")).toBeVisible();
  await expect(news).toContainText(name);
  await expect(news).toContainText(team.manager.name);
  await expect(news).toContainText("電話");
  await news.getByRole("button", { name: "確認済みにする" }).click();
  await expect(page.locator(".notice.done")).toHaveText("確認済みにしました。");
  await expect(news).toContainText("前回確認してからの変更はありません");
  await news.getByRole("link", { name: "自分の顧客を見る" }).click();
  await expect(page).toHaveURL(/\/customers\?owner_id=/);
});
