// Taking back what was done, and making one customer of two.

import { addCustomer, choose, customersLike, expect, fresh, test } from "./support.js";

test("a deleted customer is brought back with what went with it", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const name = fresh("絆商店");
  const customer = await post("/customers", { name });
  await post("/meetings", { customer_id: customer.id, title: "初回訪問", met_at: "2026-03-01T10:00:00Z" });
  const page = await as(team.sales);
  await page.goto(`/customers/${customer.id}`);
  await page.getByRole("link", { name: "削除", exact: true }).click();
  await page.getByRole("button", { name: "削除する" }).click();
  const saga = page.locator(".saga", { hasText: "顧客の削除" }).first();
  await expect(saga).toContainText("完了");
  await saga.getByRole("link", { name: "元に戻す" }).click();
  await expect(page.locator("dl.figures")).toContainText("商談1");
  await page.getByRole("button", { name: "元に戻す" }).click();
  await expect(page.locator(".notice.done")).toContainText("元に戻しています");
  await expect(page.locator(".saga", { hasText: "削除・統合を元に戻す処理" })).toContainText("完了");
  await expect(page.locator(".saga", { hasText: "顧客の削除" }).first()).toContainText("元に戻し済み");
  await page.goto(`/customers/${customer.id}`);
  await expect(page.locator("#customer-meetings")).toContainText("初回訪問");
});

test("two customers are compared field by field and become one, and both pages follow", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const [name, other] = [fresh("青空商事"), fresh("株式会社 青空")];
  const stays = await post("/customers", { name, phone: "03-1234-5678" });
  const goes = await post("/customers", { name: other, phone: "０３（１２３４）５６７８", email: `${Date.now()}@example.jp` });
  await post("/tasks", { customer_id: goes.id, title: "見積もり", due_at: "2036-03-01T10:00:00Z" });
  const reader = await as(team.manager);
  await reader.goto(`/customers/${stays.id}`);
  const page = await as(team.sales);
  await page.goto(`/customers/${stays.id}`);
  const matches = page.locator("#customer-matches");
  await expect(matches).toContainText(other);
  await expect(matches).toContainText("電話番号");
  await matches.getByRole("link", { name: /比べて統合/ }).click();
  await expect(page.locator("table.merge")).toContainText(other);
  await expect(page.locator("dl.figures")).toContainText("タスク1");
  await page.locator('input[type=radio][name="name"][value="other"]').check();
  await page.getByRole("button", { name: "統合する" }).click();
  await expect(page.locator(".notice.done")).toContainText("顧客を統合しました");
  await expect(page.locator("h1")).toContainText(other);
  // The task follows a moment later, here and where somebody else reads.
  await expect(page.locator("#customer-tasks")).toContainText("見積もり");
  await expect(reader.locator("h1")).toContainText(other);
  await expect(reader.locator("#customer-tasks")).toContainText("見積もり");
  // A link to the one that went leads to the other.
  await page.goto(`/customers/${goes.id}`);
  await expect(page).toHaveURL(new RegExp(stays.id));
});

test("the customer to merge is chosen by name, and the possible doubles are a list", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const word = fresh("重複");
  const one = await post("/customers", { name: `${word} 株式会社` });
  await post("/customers", { name: `㈱${word}` });
  const other = await post("/customers", { name: fresh("別の名前") });
  const page = await as(team.sales);
  await page.goto("/customers");
  await page.getByRole("link", { name: "重複の候補" }).click();
  await expect(page.locator("section.card", { hasText: word })).toContainText("2 件");
  await page.getByRole("link", { name: "電話番号" }).click();
  await expect(page.locator("section.card", { hasText: word })).toHaveCount(0);
  await page.goto(`/customers/${one.id}/merge`);
  await choose(page, "other_id", other.name);
  await page.getByRole("button", { name: "内容を確認" }).click();
  await expect(page.locator("table.merge")).toContainText(other.name);
});

test("whoever adds a customer sees those that may be the one", async ({ as, api, team }) => {
  const post = await api(team.sales);
  const name = fresh("似た会社");
  await post("/customers", { name: `株式会社${name}` });
  const page = await as(team.sales);
  await page.goto("/customers");
  await page.click('[data-open="new-customer"]');
  await page.fill('dialog [name="name"]', name);
  await expect(page.locator("dialog .doubles")).toContainText(`株式会社${name}`);
  // It holds nothing up, and is gone while the form is sent.
  let goOn;
  const waited = new Promise((resolve) => (goOn = resolve));
  await page.route("**/customers", async (route) => {
    await (route.request().method() === "POST" ? waited : undefined);
    await route.continue();
  });
  await page.click("dialog button.main");
  await expect(page.locator("dialog .doubles a")).toHaveCount(0);
  goOn();
  await expect(page.locator(".notice.done")).toBeVisible();
  await page.goto(customersLike(name));
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(2);
});

test("a merge is refused in words, and two tabs do not undo twice", async ({ as, team }) => {
  const page = await as(team.sales, { refused: true });
  const name = fresh("ひとつだけ");
  await addCustomer(page, name);
  await page.goto(customersLike(name));
  await page.getByRole("link", { name }).click();
  const here = page.url().replace(/\?.*/, "");
  await page.goto(`${here}/merge?other_id=${here.split("/").pop()}`);
  await expect(page.getByRole("alert")).toContainText("別の顧客を選んでください");
  await page.goto(here);
  await page.getByRole("link", { name: "削除", exact: true }).click();
  await page.getByRole("button", { name: "削除する" }).click();
  await expect(page.locator(".saga").first()).toContainText("完了");
  const undo = await page.locator(".saga").first().getByRole("link", { name: "元に戻す" }).getAttribute("href");
  const second = await page.context().newPage();
  await page.goto(undo);
  await second.goto(undo);
  await page.getByRole("button", { name: "元に戻す" }).click();
  await expect(page.locator(".notice.done")).toBeVisible();
  await second.getByRole("button", { name: "元に戻す" }).click();
  await expect(second.getByRole("alert")).toContainText("すでに元に戻されています");
});
