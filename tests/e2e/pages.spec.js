// The pages of records: read, edited in place, followed; added from a customer's page; completed where they stand.

import { expect, fresh, logIn, test } from "./support.js";

const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
const tomorrow = () => inDays(1);

test("a record is read, and edited where it stands", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const customer = await post("/customers", { name: fresh("訪問先") });
  const meeting = await post("/meetings", { customer_id: customer.id, title: fresh("初回訪問"), met_at: tomorrow(), location: "本社" });
  await page.goto("/meetings");
  await page.getByRole("link", { name: meeting.title }).click();
  await expect(page.locator("h1")).toHaveText(meeting.title);
  await expect(page.locator("dl.record").getByRole("link", { name: customer.name })).toHaveAttribute("href", `/customers/${customer.id}`);
  await expect(page.locator("#activity-list li")).toHaveCount(1);
  // The form stands in the place of the fields, without another page.
  await page.evaluate(() => (globalThis.isSame = true));
  const edit = page.getByRole("link", { name: "編集" });
  await edit.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#record-form")).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/meetings/${meeting.id}/edit$`));
  await expect(page.getByRole("combobox", { name: "顧客" })).toBeFocused();
  expect(await page.evaluate(() => globalThis.isSame)).toBe(true);
  await page.getByRole("link", { name: "キャンセル" }).click();
  await expect(edit).toBeFocused();
  await edit.click();
  await expect(page.locator("#record-form")).toBeVisible();
  await page.goBack();
  await expect(page.locator("dl.record")).toBeVisible();
  await edit.click();
  await page.fill('[name="location"]', "");
  await page.fill('[name="outcome"]', "見積もりを送る");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.locator(".notice.done")).toHaveText("保存しました。");
  await expect(page.locator("dl.record")).toContainText("見積もりを送る");
  await expect(page.locator("#activity-list li").first()).toContainText("変更: 場所、結果");
  await expect(page.locator("#activity-list li").first()).toContainText(team.sales.name);
});

test("an edited form asks before it is given up", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const task = await post("/tasks", { title: fresh("書きかけ"), due_at: tomorrow() });
  await page.goto(`/tasks/${task.id}`);
  await page.getByRole("link", { name: "編集" }).click();
  await page.fill('[name="notes"]', "書きかけ");
  const asked = page.waitForEvent("dialog");
  const click = page.getByRole("link", { name: "キャンセル" }).click();
  await (await asked).dismiss();
  await click;
  await expect(page.locator('[name="notes"]')).toHaveValue("書きかけ");
});

test("a record's page follows what happens", async ({ as, api, team }) => {
  const [manager, sales, post] = [await as(team.manager), await as(team.sales), await api(team.sales)];
  const customer = await post("/customers", { name: fresh("追随先") });
  const approval = await post("/approvals", { customer_id: customer.id, title: fresh("値引き"), amount: 1 });
  const task = await post("/tasks", { title: fresh("追随"), due_at: inDays(9), customer_id: customer.id });
  // No alert goes out for it, which would be an event, too.
  await manager.goto(`/tasks/${task.id}`);
  await sales.goto(`/tasks/${task.id}/edit`);
  await sales.fill('[name="title"]', `${task.title} 改`);
  await sales.getByRole("button", { name: "保存" }).click();
  await expect(manager.locator("h1")).toContainText("改");
  await expect(manager.locator("#activity-list li")).toHaveCount(2);
  // While it is edited, too: its history goes on.
  await manager.getByRole("link", { name: "編集" }).click();
  await manager.fill('[name="notes"]', "途中");
  await sales.getByRole("checkbox").click();
  await expect(manager.locator("#activity-list li").first()).toContainText("タスクの完了");
  await expect(manager.locator('[name="notes"]')).toHaveValue("途中");
  await manager.getByRole("button", { name: "保存" }).click();
  await expect(manager.locator("dl.record")).toContainText("途中");

  await sales.goto(`/approvals/${approval.id}`);
  await manager.goto(`/approvals/${approval.id}`);
  await manager.getByRole("button", { name: "承認する" }).click();
  await expect(sales.locator("#activity-list li").first()).toContainText("申請の承認");
});

test("what is added from a customer's page is of that customer and leads back there", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales, { refused: true }), await api(team.sales)];
  const { id, name } = await post("/customers", { name: fresh("起点") });
  const dialog = page.locator("dialog[open]");
  await page.goto(`/customers/${id}`);
  for (const [button, title, more, done] of [
    ["タスクを作成", fresh("電話"), {}, "作成しました。"],
    ["商談を記録", fresh("訪問"), {}, "商談を記録しました。"],
    ["承認を申請", fresh("値引き"), { amount: "1,000" }, "承認を申請しました。"],
  ]) {
    await page.getByRole("link", { name: button }).click();
    await expect(dialog.getByRole("combobox", { name: "顧客" })).toHaveValue(name);
    // Refused first: the form stays on the customer's page, and knows of whom it is.
    await dialog.locator('[name="title"]').fill(" ");
    for (const [field, text] of Object.entries(more)) {
      await dialog.locator(`[name="${field}"]`).fill(text);
    }
    await dialog.locator("button.main").click();
    await expect(dialog.locator('[aria-invalid="true"]')).toBeFocused();
    await expect(page).toHaveURL(new RegExp(`/customers/${id}`));
    await expect(dialog.getByRole("combobox", { name: "顧客" })).toHaveValue(name);
    await dialog.locator('[name="title"]').fill(title);
    await dialog.locator("button.main").click();
    await expect(page.locator(".notice.done")).toHaveText(done);
    await expect(page).toHaveURL(new RegExp(`/customers/${id}`));
    await expect(page.locator("h1")).toContainText(name);
    await expect(page.locator("main").getByRole("link", { name: title })).toBeVisible();
  }
});

test("a sign-in in between leads back to the customer", async ({ as, api, hire }) => {
  const who = await hire("SALES");
  const [page, post] = [await as(who, { refused: true }), await api(who)];
  const { id } = await post("/customers", { name: fresh("再開") });
  await page.goto(`/customers/${id}`);
  await page.getByRole("link", { name: "タスクを作成" }).click();
  const dialog = page.locator("dialog[open]");
  const title = fresh("電話");
  await dialog.locator('[name="title"]').fill(title);
  const other = await page.context().newPage();
  await other.goto("/tasks");
  await other.getByRole("button", { name: "ログアウト" }).click();
  await expect(other).toHaveURL(/\/login/);
  await dialog.locator("button.main").click();
  await expect(dialog.locator("[data-said]")).toContainText("入力した内容は残っています");
  await logIn(other, who.email);
  await expect(other.locator(".me")).toBeVisible();
  await dialog.locator("button.main").click();
  await expect(dialog.locator("[role=alert]")).toContainText("まだ送信されていません");
  await dialog.locator("button.main").click();
  await expect(page.locator(".notice.done")).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/customers/${id}`));
  await expect(page.locator("#customer-tasks").getByRole("link", { name: title })).toBeVisible();
});

test("a task is completed where it stands, and the same button takes that back", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const customer = await post("/customers", { name: fresh("完了先") });
  const make = (word, hours) =>
    post("/tasks", { title: fresh(word), customer_id: customer.id, due_at: new Date(Date.now() + hours * 3_600_000).toISOString() });
  const [before, task] = [await make("先", 30), await make("資料を送る", 40)];
  await make("後", 50);
  for (const path of ["/tasks", `/customers/${customer.id}`, `/tasks/${task.id}`]) {
    await page.goto(path);
    await page.evaluate(() => (globalThis.isSame = true));
    const box = page.getByRole("checkbox", { name: `「${task.title}」の完了` });
    await box.focus();
    await page.keyboard.press("Space");
    await expect(box).toBeChecked();
    await expect(box).toBeFocused();
    await expect(page.locator("#sending")).toHaveText(`「${task.title}」を完了しました。`);
    // Somebody else's change, which the page follows: the task stays where it stood.
    await post("/tasks", { title: fresh("別件"), due_at: tomorrow(), customer_id: customer.id });
    if (path === "/tasks") {
      await expect(page.locator("tbody tr", { hasText: "別件" }).first()).toBeVisible();
      const rows = page.locator("tbody tr", { hasText: customer.name });
      await expect(rows.filter({ hasText: before.title })).toHaveCount(1);
      await expect(rows.filter({ hasText: task.title })).toContainText("完了");
    }
    await expect(box).toBeFocused();
    await page.keyboard.press("Space");
    await expect(box).not.toBeChecked();
    await expect(box).toBeFocused();
    await expect(page.locator("#sending")).toHaveText(`「${task.title}」を未完了に戻しました。`);
    expect(await page.evaluate(() => globalThis.isSame), "the page stays").toBe(true);
  }
});

test("without scripts a record is edited, and a task is completed", async ({ as, api, team }) => {
  const page = await as(team.sales, { javaScriptEnabled: false });
  const post = await api(team.sales);
  const task = await post("/tasks", { title: fresh("素朴"), due_at: tomorrow() });
  await page.goto("/tasks");
  await page.getByRole("checkbox", { name: `「${task.title}」の完了` }).click();
  await expect(page.locator(".notice.done")).toHaveText("タスクを完了しました。");
  await expect(page.locator("tr", { hasText: task.title })).toContainText("完了");
  await page.getByRole("checkbox", { name: `「${task.title}」の完了` }).click();
  await expect(page.locator("tr", { hasText: task.title })).toContainText("期限間近");
  await page.getByRole("link", { name: task.title }).click();
  await page.getByRole("link", { name: "編集" }).click();
  await page.fill('[name="notes"]', "書き足し");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.locator("dl.record")).toContainText("書き足し");
});
