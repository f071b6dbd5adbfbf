// What operators and auditors see: the state of the node, and the log with what changed from what to what.

import { choose, expect, fresh, test } from "./support.js";

test("the state of the node is told at a glance, and what deserves a look is first", async ({ as }) => {
  const page = await as("admin");
  await page.goto("/admin");
  await expect(page.getByRole("region", { name: "状態" })).toContainText("ログのイベント");
  const groups = page.locator("details.group");
  await expect(groups.locator("summary strong")).toHaveText(["サービス", "記録", "コンシューマー", "サーキットブレーカー", "エンジン"]);
  await expect(groups.first().getByRole("row", { name: /^auth / })).toBeHidden();
  await groups.first().locator("summary").click();
  await expect(groups.first().getByRole("row", { name: /^auth / })).toBeVisible();
  await expect(page.getByRole("img", { name: /^未処理の推移/ }).first()).toBeVisible();

  // Kept closed: nobody else's requests are refused by it.
  const breaker = page.getByRole("row", { name: /breaker\.sales/ });
  await breaker.getByRole("button", { name: "遮断しない" }).click();
  const problem = page.locator(".problems li", { hasText: "breaker.sales" });
  await expect(problem).toContainText("手動で固定");
  const group = page.locator("details.group", { hasText: "サーキットブレーカー" });
  const headings = page.locator("main h2");
  await expect(headings.first(), "before all figures").toHaveText("状態");
  await expect(page.locator("main section").first()).toContainText("breaker.sales");
  await expect(page.locator("section[aria-labelledby=breakers] tbody tr").first(), "of the breakers").toContainText("breaker.sales");
  await expect(group, "where something is amiss is open").toHaveAttribute("open", "");
  await expect(group.locator("tbody tr").first()).toContainText("breaker.sales");
  await breaker.getByRole("button").first().click();
  await expect(problem).toHaveCount(0);
});

test("the audit log is narrowed by person, day and type, and tells what changed from what to what", async ({ as, api, team }) => {
  const [page, post] = [await as(team.manager), await api(team.sales)];
  const name = fresh("監査");
  const { id } = await post("/customers", { name });
  const sales = await as(team.sales);
  await sales.goto(`/customers/${id}/edit`);
  await sales.selectOption('[name="status"]', "ACTIVE");
  await sales.fill('[name="phone"]', "03-1234-5678");
  await sales.getByRole("button", { name: "保存" }).click();
  await expect(sales.locator(".notice.done")).toBeVisible();

  await page.goto("/admin/audit");
  await choose(page, "actor_id", team.sales.name);
  await page.selectOption("#type", "customer.updated");
  await page.getByRole("button", { name: "絞り込む" }).click();
  const row = page.locator("tbody tr");
  await expect(row).toHaveCount(1);
  await expect(row).toContainText(name);
  await expect(row.locator("time")).toHaveText(/\d{2}:\d{2}:\d{2}$/);
  await expect(page).toHaveURL(/actor_id=[0-9a-f-]{36}/);
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Tokyo" }).format(new Date());
  await page.fill("#from", today);
  await page.fill("#to", "2020-01-01");
  await page.getByRole("button", { name: "絞り込む" }).click();
  await expect(page.locator(".empty")).toBeVisible();
  await page.fill("#to", "");
  await page.getByRole("button", { name: "絞り込む" }).click();
  await expect(row, "today is a day of the reader's zone").toHaveCount(1);

  await row.getByRole("link").first().click();
  const changes = page.getByRole("region", { name: "変更内容" });
  await expect(changes.getByRole("row", { name: /ステータス|状態/ })).toContainText("見込み");
  await expect(changes.getByRole("row", { name: /ステータス|状態/ })).toContainText("取引中");
  await expect(changes.getByRole("row", { name: /電話/ })).toContainText("03-1234-5678");
  await expect(changes.locator("tbody tr")).toHaveCount(2);
  await page.getByRole("link", { name: "この対象のすべてのイベント" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await page.locator("tbody tr").last().getByRole("link").first().click();
  await page.getByRole("link", { name }).click();
  await expect(page).toHaveURL(`/customers/${id}`);
});
