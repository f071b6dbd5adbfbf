// Notifications and reports.

import { expect, fresh, test } from "./support.js";

test("notifications are read one by one, archived, and read all at once", async ({ as, api, team }) => {
  const [manager, post] = [await as(team.manager), await api(team.sales)];
  const names = [fresh("One"), fresh("Two"), fresh("Three")];
  for (const name of names) {
    await post("/customers", { name });
  }
  const row = (name) => manager.locator(".notes li", { hasText: name });
  await expect(async () => {
    await manager.goto("/notifications?unread=true");
    await expect(row(names[2])).toBeVisible({ timeout: 500 });
  }).toPass();
  await row(names[0]).getByRole("button", { name: "既読にする" }).click();
  await expect(manager).toHaveURL(/unread=true/);
  await expect(row(names[0])).toHaveCount(0);
  await row(names[1]).getByRole("button", { name: "アーカイブ" }).click();
  await expect(row(names[1])).toHaveCount(0);
  await manager.goto("/notifications");
  await expect(row(names[2])).toBeVisible();
  await expect(row(names[1])).toHaveCount(0);
  await manager.getByRole("link", { name: "アーカイブ済み" }).click();
  await expect(row(names[1])).toContainText("アーカイブ済み");
  await manager.goto("/notifications");
  await manager.getByRole("button", { name: "すべて既読にする" }).click();
  await expect(manager.locator("#bell .count")).toHaveCount(0);
  await expect(row(names[2]).getByRole("button", { name: "既読にする" })).toHaveCount(0);
});

test("a report tells the figures of its period, and lists can be taken away", async ({ as }) => {
  const page = await as("manager", { refused: true });
  await page.goto("/reports");
  await expect(page.locator("#report-summary table.bars")).toHaveCount(4);
  await expect(page.locator("#report-summary .badge")).toHaveCount(0);
  await expect(page.locator("svg.line")).toHaveCount(11);
  const total = page.locator("section", { has: page.locator("#part-customers") }).locator(".figure").first();
  expect(Number((await total.innerText()).replace(",", ""))).toBeGreaterThan(5);
  await page.getByRole("link", { name: "7 日間" }).click();
  await expect(page).toHaveURL(/from=\d{4}-\d\d-\d\d&to=/);
  await page.click("summary");
  await expect(page.locator(".figures-table tbody tr")).toHaveCount(7);
  await page.fill("#from", "2020-01-01");
  await page.fill("#to", "2020-01-31");
  await page.getByRole("button", { name: "表示" }).click();
  await expect(page.locator("section", { has: page.locator("#part-meetings") })).toContainText("この期間の記録はありません");
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "顧客 (CSV)" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("customers.csv");
  // Every kind of record, with a line for its columns at least.
  const files = page.getByRole("link", { name: /\(CSV\)$/ });
  await expect(files).toHaveText(["顧客 (CSV)", "案件 (CSV)", "商談 (CSV)", "タスク (CSV)", "承認申請 (CSV)"]);
  for (const link of await files.all()) {
    const answer = await page.request.get(await link.getAttribute("href"));
    expect(await answer.text()).toContain("created_at");
  }
  await page.goto("/reports?from=2026-02-30");
  await expect(page.locator("h1")).toHaveText("パラメーターの誤り");
});
