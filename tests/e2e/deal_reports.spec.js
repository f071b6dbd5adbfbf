// Reports of deals: the funnel, the forecast, what became of deals; and from each figure to its list.

import { expect, fresh, freshEmail, test } from "./support.js";

/** Deals of somebody new: two that were won, one that was lost, one under way. */
async function start({ api, hire, team }, locale) {
  const owner = await hire("SALES", { manager_id: team.manager.id, locale });
  const post = await api(owner);
  const customer = await post("/customers", { name: fresh("絆商事"), email: freshEmail("report") });
  const expected_on = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  for (const deal of [
    { title: "一", stage: "WON" }, { title: "二", stage: "WON", currency: "USD" },
    { title: "三", stage: "LOST", lost_reason: "価格" }, { title: "四", stage: "PROPOSE", expected_on },
  ]) {
    await post("/deals", { customer_id: customer.id, amount: 1_000_000, ...deal });
  }
  return owner;
}

test("each figure of the reports leads to a list of as many deals", async ({ as, api, hire, team }) => {
  const page = await as(await start({ api, hire, team }, "ja"));
  await page.goto("/reports");
  await page.getByRole("link", { name: "案件", exact: true }).last().click();
  await expect(page).toHaveURL(/\/reports\/deals$/);
  await expect(page.getByRole("link", { name: "今年度" })).toHaveAttribute("aria-current", "true");
  const funnel = page.locator('section:has(#part-funnel) .figures-table tbody tr');
  await expect(funnel).toHaveCount(4);
  await expect(async () => {
    await page.reload();
    await expect(funnel.nth(1).locator("td").first()).toHaveText("3", { timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  await expect(page.locator('section:has(#part-outcomes) .figures-table tbody tr').first()).toContainText("10,000.00 USD");
  await expect(page.locator('section:has(#part-reasons) .figures-table')).toContainText("価格");
  for (const [part, rows] of [["funnel", 4], ["forecast", 1], ["outcomes", 2], ["owners", 2], ["reasons", 1]]) {
    await page.goto("/reports/deals");
    await page.locator(`section:has(#part-${part}) a[data-rows="${rows}"]`).first().click();
    await expect(page.locator("#deal-list tbody tr")).toHaveCount(rows);
    await expect(page.locator(".chips")).toBeVisible();
  }
});

test("a quarter is chosen by one click, and the tables are files", async ({ as, api, hire, team }) => {
  const page = await as(await start({ api, hire, team }, "en"));
  await page.goto("/reports/deals");
  await page.getByRole("link", { name: "Q2", exact: true }).click();
  await expect(page).toHaveURL(/from=\d{4}-07-01&to=\d{4}-09-30/);
  await page.getByRole("link", { name: "This fiscal year" }).click();
  const download = page.waitForEvent("download");
  await page.locator('section:has(#part-funnel)').getByRole("link", { name: "CSV" }).click();
  expect((await download).suggestedFilename()).toBe("funnel.csv");
});
