// The test of seeds/, word for word, as somebody who is logged in; run twice on one database.

import { expect, test } from "@playwright/test";

test('should create customer and see in list', async ({ page }) => {
  await page.goto('/customers');
  await page.click('text=新規顧客追加');
  await page.fill('[name="name"]', 'Test Customer');
  await page.fill('[name="email"]', 'test@example.com');
  await page.click('text=作成');

  await expect(page.locator('text=Test Customer')).toBeVisible();
});
