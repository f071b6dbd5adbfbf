// What somebody does is seen by somebody else without a reload. Other tests run beside these and tell every manager of
// some things: counts are at least what they are here.

import { addCustomer, expect, fresh, test } from "./support.js";

const unread = async (page) => Number((await page.locator("#bell .hidden").textContent()).match(/\d+/)[0]);

test("a customer created by somebody else appears in an open list, the bell and a toast", async ({ as }) => {
  const [manager, sales] = [await as("boss"), await as("rep")];
  await manager.goto("/customers");
  const before = await unread(manager);
  const name = fresh("速報");
  await addCustomer(sales, name);
  await expect(manager.locator("#customer-list").getByRole("link", { name })).toBeVisible();
  await expect.poll(() => unread(manager)).toBeGreaterThan(before);
  await manager.locator(".toast", { hasText: name }).getByRole("link").click();
  await expect(manager.locator("h1")).toContainText(name);
});

test("a decision reaches its requester, and an open approval changes", async ({ as }) => {
  const [manager, sales] = [await as("boss"), await as("rep")];
  await sales.goto("/approvals");
  await sales.click('[data-open="new-approval"]');
  await sales.selectOption('dialog [name="customer_id"]', { index: 1 });
  const title = fresh("即決");
  await sales.fill('dialog [name="title"]', title);
  await sales.fill('dialog [name="amount"]', "500");
  await sales.click("dialog button.main");
  await expect(sales.locator("h1")).toContainText("承認待ち");
  await manager.goto(new URL(sales.url()).pathname);
  await manager.getByRole("button", { name: "承認する" }).click();
  await expect(sales.locator("h1")).toContainText("承認済み");
  await expect(sales.locator(".toast", { hasText: title })).toBeVisible();
});

test("what is typed and focused stays while the page goes on", async ({ as }) => {
  const [manager, sales] = [await as("boss"), await as("rep")];
  await manager.goto("/customers");
  await manager.fill("#q", "書きかけ");
  const first = manager.locator("#customer-list a").first();
  const href = await first.getAttribute("href");
  await first.focus();
  const name = fresh("割り込み");
  await addCustomer(sales, name);
  await expect(manager.locator("#customer-list").getByRole("link", { name })).toBeVisible();
  await expect(manager.locator("#q")).toHaveValue("書きかけ");
  await expect(manager.locator(`#customer-list a[href="${href}"]`)).toBeFocused();
});

test("a lost connection is told, and what was missed is caught up", async ({ as }) => {
  const [manager, sales] = [await as("boss"), await as("rep")];
  let down = false;
  const open = [];
  await manager.routeWebSocket("**/api/ws*", (socket) => {
    if (down) {
      socket.close({ code: 1001 });
      return;
    }
    socket.connectToServer();
    open.push(socket);
  });
  await manager.goto("/customers");
  await expect(manager.locator("#customer-list")).toBeVisible();
  await expect.poll(() => open.length).toBe(1);
  const before = await unread(manager);
  down = true;
  await open[0].close({ code: 1001 });
  await expect(manager.locator("#connection")).toContainText("接続が切れました");
  const name = fresh("圏外");
  await addCustomer(sales, name);
  await expect(manager.locator("#customer-list").getByRole("link", { name })).toHaveCount(0);
  down = false;
  await expect(manager.locator("#connection")).toContainText("再接続しました", { timeout: 15_000 });
  await expect(manager.locator("#customer-list").getByRole("link", { name })).toBeVisible();
  await expect(manager.locator(".toast", { hasText: name })).toBeVisible();
  await expect.poll(() => unread(manager)).toBeGreaterThan(before);
});

test("the bars of a deletion move by themselves", async ({ as }) => {
  const [watcher, admin] = [await as("admin"), await as("admin")];
  const name = fresh("消える");
  await addCustomer(admin, name);
  await watcher.goto("/sagas");
  const count = await watcher.locator(".saga").count();
  await admin.getByRole("link", { name }).click();
  await admin.getByRole("link", { name: "削除", exact: true }).click();
  await admin.getByRole("button", { name: "削除する" }).click();
  await expect(watcher.locator(".saga")).toHaveCount(count + 1);
  await expect(watcher.locator(".saga").first()).toContainText("完了");
  const bar = watcher.locator(".saga progress").first();
  await expect(bar).toHaveAttribute("value", await bar.getAttribute("max"));
});
