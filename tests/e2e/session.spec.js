// The session, and who may see what; IME, keyboard.

import { PASSWORD, choose, customersLike, expect, fresh, freshEmail, logIn, test } from "./support.js";

test("somebody logs in, changes the password, and logs out", async ({ as, hire }) => {
  const { email } = await hire("SALES", { name: "新人" });
  const page = await as(null, { refused: true });
  await page.goto("/tasks");
  await expect(page).toHaveURL(/\/login\?next=%2Ftasks/);
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', "wrong-password");
  await page.click("button.main");
  await expect(page.getByRole("alert")).toContainText("正しくありません");
  await expect(page.locator('[name="email"]')).toHaveValue(email);
  await page.fill('[name="password"]', PASSWORD);
  await page.click("button.main");
  await expect(page).toHaveURL(/\/tasks$/);
  await expect(page.locator(".empty")).toContainText("タスクを作成");

  await page.goto("/settings");
  await page.fill('[name="current_password"]', PASSWORD);
  await page.fill('[name="new_password"]', "short");
  await page.getByRole("button", { name: "変更" }).click();
  await expect(page.locator(".error")).toHaveText("8 文字以上で入力してください。");
  await page.fill('[name="current_password"]', PASSWORD);
  await page.fill('[name="new_password"]', "another-password");
  await page.getByRole("button", { name: "変更" }).click();
  await expect(page.locator(".notice.done")).toBeVisible();

  await page.getByRole("button", { name: "ログアウト" }).click();
  await expect(page).toHaveURL(/\/login$/);
  await page.goBack();
  await page.goto("/customers");
  await expect(page).toHaveURL(/\/login/);
  await logIn(page, email, "another-password");
  await expect(page).toHaveURL("/");
});

test("one's own colours and notifications are one's own to choose", async ({ as, api, team }) => {
  const [page, post] = [await as(team.manager), await api(team.sales)];
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.goto("/settings");
  const light = await ground();
  await page.getByLabel("配色").selectOption({ label: "ダーク" });
  await page.locator('form[action="/settings/preferences"]').getByRole("button", { name: "保存" }).click();
  await expect(page.locator(".notice.done")).toBeVisible();
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.emulateMedia({ colorScheme: "light" });
  expect(await ground(), "whatever the device says").toBe(dark);
  await page.getByLabel("配色").selectOption({ label: "ライト" });
  await page.locator('form[action="/settings/preferences"]').getByRole("button", { name: "保存" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await ground()).toBe(light);

  await page.goto("/settings");
  await expect(page.locator(".notice.done"), "of the form before").toHaveCount(0);
  const kinds = page.getByRole("group", { name: "受け取る通知" });
  await expect(kinds.getByRole("checkbox", { checked: true })).toHaveCount(8);
  await kinds.getByRole("checkbox", { name: "新しい顧客" }).uncheck();
  await page.locator('form[action="/settings/preferences"]').getByRole("button", { name: "保存" }).click();
  await expect(page.locator(".notice.done")).toBeVisible();
  await expect(kinds.getByRole("checkbox", { name: "新しい顧客" })).not.toBeChecked();
  await expect(kinds.getByRole("checkbox", { checked: true })).toHaveCount(7);
  const unwanted = await post("/customers", { name: fresh("無音") });
  await post("/approvals", { customer_id: unwanted.id, title: fresh("値引き"), amount: 1, approver_id: team.manager.id });
  await page.goto("/notifications");
  await expect(page.locator("main")).toContainText("承認の申請");
  await expect(page.locator("main")).not.toContainText(unwanted.name);
});

test("one's own name, language and time zone are changed, and a device that is not one's own is signed out", async ({ as, hire }) => {
  const who = await hire("SALES");
  const [page, lost] = [await as(who), await as(who, { refused: true })];
  await lost.goto("/tasks");
  await page.goto("/settings");
  const devices = page.locator("section[aria-labelledby=sessions] tbody tr");
  await expect(devices).toHaveCount(2);
  // A browser has the name that people know, and no riddle of a hundred letters.
  await expect(devices.first().locator(".key")).toHaveText(/^(Chrome|playwright)/i);
  const name = fresh("改名");
  await page.getByLabel("名前").fill(name);
  await page.getByLabel("表示言語").selectOption("en");
  await page.getByLabel("タイムゾーン").selectOption("Europe/London");
  await page.locator('form[action="/settings/profile"]').getByRole("button", { name: "保存" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page.locator("h1")).toHaveText("Account");
  await expect(page.locator(".me")).toContainText(name);
  await expect(page.getByLabel("Time zone")).toHaveValue("Europe/London");
  await devices.filter({ has: page.getByRole("button", { name: "End" }) }).getByRole("button").click();
  await expect(page.locator(".notice.done")).toHaveText("The session was ended.");
  await lost.reload();
  await expect(lost).toHaveURL(/\/login/);
});

test("each role sees its own pages", async ({ as }) => {
  const sales = await as("sales", { refused: true });
  await sales.goto("/customers");
  await expect(sales.locator(".nav")).not.toContainText("管理");
  await sales.goto("/admin");
  await expect(sales.locator("h1")).toHaveText("権限なし");
  const manager = await as("manager");
  await manager.goto("/customers");
  await manager.getByRole("link", { name: "監査ログ" }).click();
  await expect(manager.locator("tbody tr").first()).toBeVisible();
  await manager.selectOption("#type", "customer.created");
  await manager.getByRole("button", { name: "絞り込む" }).click();
  await expect(manager.locator("tbody tr").first()).toContainText("customer.created");
});

test("an administrator adds, changes and deletes a user who has customers", async ({ as, api, team }) => {
  const page = await as("admin", { refused: true });
  const name = fresh("退職者");
  const email = freshEmail("gone");
  await page.goto("/admin/users");
  await page.click('[data-open="new-user"]');
  await page.fill('dialog [name="name"]', name);
  await page.fill('dialog [name="email"]', team.sales.email);
  await choose(page, "manager_id", team.manager.name);
  await page.fill('dialog [name="password"]', PASSWORD);
  await page.click("dialog button.main");
  await expect(page.getByRole("alert")).toContainText("別のユーザー");
  await page.fill('dialog [name="email"]', email);
  await page.fill('dialog [name="password"]', PASSWORD);
  await page.click("dialog button.main");
  // A page of the list has 50 of the users.
  const find = async () => {
    await expect(page.locator(".notice.done")).toBeVisible();
    await page.goto(`/admin/users?q=${encodeURIComponent(name)}`);
  };
  await find();
  await page.getByRole("link", { name }).click();
  await page.selectOption('[name="time_zone"]', "Europe/London");
  await page.getByRole("button", { name: "保存" }).click();
  await find();
  await expect(page.locator("tr", { hasText: name })).toContainText("Europe/London");

  const post = await api({ email });
  await post("/customers", { name: `${name}の顧客` });
  await page.getByRole("link", { name }).click();
  await page.getByRole("link", { name: "削除", exact: true }).click();
  await expect(page.locator("dl.figures")).toContainText("顧客1");
  await choose(page, "reassign_to", "佐藤 部長");
  await page.getByRole("button", { name: "削除する" }).click();
  await expect(page.locator(".saga", { hasText: name })).toContainText("完了");
  await page.goto(customersLike(name));
  await expect(page.locator("tbody tr")).toContainText("佐藤 部長");
  await page.goto("/admin");
  await expect(page.locator("#dead-letters")).toContainText("デッドレターはありません");
});

test("Enter that ends a composition sends no form", async ({ as, team }) => {
  const page = await as(team.sales);
  await page.goto("/customers");
  await page.click('[data-open="new-customer"]');
  const name = fresh("変換中");
  await page.fill('dialog [name="name"]', name);
  // As browsers tell of it: Chromium and Firefox by `isComposing`, Safari by the key code alone.
  const taken = await page.locator('dialog [name="name"]').evaluate((input) =>
    [{ isComposing: true }, { keyCode: 229 }, {}].map((about) => {
      const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...about });
      input.dispatchEvent(event);
      return event.defaultPrevented;
    }));
  expect(taken).toEqual([true, true, false]);
  // And with the browser's own composition.
  const session = await page.context().newCDPSession(page);
  await page.focus('dialog [name="name"]');
  await session.send("Input.imeSetComposition", { text: "きずな", selectionStart: 3, selectionEnd: 3 });
  await session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", windowsVirtualKeyCode: 229 });
  await expect(page.locator("dialog")).toBeVisible();
  await session.send("Input.insertText", { text: "絆" });
  await page.keyboard.press("Enter");
  await expect(page.locator(".notice.done")).toBeVisible();
});

test("the keyboard alone is enough", async ({ as, team }) => {
  const page = await as(team.sales);
  await page.goto("/customers");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "本文へ移動" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.locator(".head").getByRole("link", { name: "重複の候補" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.locator(".head").getByRole("button", { name: "新規顧客追加" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator('dialog [name="name"]')).toBeFocused();
  const name = fresh("鍵盤");
  await page.keyboard.type(name);
  await page.keyboard.press("Escape");
  await expect(page.locator("dialog")).toBeHidden();
  await expect(page.locator(".head").getByRole("button", { name: "新規顧客追加" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name })).toBeVisible();
});
