// Forms: sent once, at the right customer, with what was meant, and never lost.

import { choose, customersLike, expect, fresh, freshEmail, logIn, test, PASSWORD } from "./support.js";

/** Opens the form of a new record. */
async function openForm(page, list, id) {
  await page.goto(list);
  await page.click(`[data-open="${id}"]`);
}

const rows = (page, text) => page.locator("tbody tr", { hasText: text });

test("a form that is sent twice makes one record", async ({ as, team }) => {
  const page = await as(team.sales);
  const name = fresh("二度押し");
  await page.goto("/customers");
  const fields = await page.evaluate((name) => {
    const form = document.querySelector("dialog form");
    form.elements.name.value = name;
    return [...new FormData(form)].filter(([, value]) => typeof value === "string");
  }, name);
  const body = new URLSearchParams(fields).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const send = () => page.request.post("/customers", { data: body, headers, maxRedirects: 0 });
  const answers = await Promise.all([send(), send()]);
  answers.push(await send());
  expect(answers.map((answer) => answer.status())).toEqual([303, 303, 303]);
  await page.goto(customersLike(name));
  await expect(rows(page, name)).toHaveCount(1);
});

test("a customer beyond any list is found, and a refused form keeps the one that was chosen", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales, { refused: true }), await api(team.sales)];
  const word = fresh("大勢");
  for (let n = 100; n < 130; n += 1) {
    await post("/customers", { name: `${word} ${n}` });
  }
  const last = await post("/customers", { name: `${word} 最後` });
  await page.goto(`/approvals?customer_id=${last.id}#new-approval`);
  const dialog = page.locator("dialog");
  const box = dialog.getByRole("combobox", { name: "顧客" });
  await expect(box).toHaveValue(last.name);
  await dialog.locator('[name="title"]').fill("値引き");
  await dialog.locator('[name="amount"]').fill("たくさん");
  await dialog.locator("button.main").click();
  await expect(dialog.locator("#new-approval-amount-error")).toContainText("金額");
  await expect(box).toHaveValue(last.name);
  await dialog.locator('[name="amount"]').fill("5000");
  await dialog.locator("button.main").click();
  await expect(page.locator("dl.record")).toContainText(last.name);
});

test("a combobox works by keyboard, and says what it does", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const word = fresh("鍵盤");
  for (const end of ["あ", "い", "う"]) {
    await post("/customers", { name: `${word} ${end}` });
  }
  await openForm(page, "/tasks", "new-task");
  const box = page.locator("dialog").getByRole("combobox", { name: "顧客" });
  const list = page.locator("dialog").getByRole("listbox");
  await expect(box).toHaveAttribute("aria-autocomplete", "list");
  await expect(box).toHaveAttribute("aria-expanded", "false");
  await box.focus();
  await page.keyboard.type(word);
  await expect(list.getByRole("option")).toHaveCount(3);
  await expect(box).toHaveAttribute("aria-expanded", "true");
  await expect(page.locator("dialog .combo-status")).toContainText("3 件の候補");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const active = await box.getAttribute("aria-activedescendant");
  await expect(page.locator(`#${active}`)).toHaveAttribute("aria-selected", "true");
  await expect(page.locator(`#${active}`)).toHaveText(`${word} い`);
  await page.keyboard.press("Escape");
  await expect(list).toBeHidden();
  await expect(page.locator("dialog")).toBeVisible();
  await page.keyboard.press("ArrowUp");
  await expect(list.getByRole("option").last()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(box).toHaveValue(`${word} う`);
  await expect(list).toBeHidden();
  await expect(box).toBeFocused();
});

test("a combobox is touched on a telephone", async ({ as, api, team }) => {
  const page = await as(team.sales, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const post = await api(team.sales);
  const { name } = await post("/customers", { name: fresh("指先") });
  await openForm(page, "/meetings", "new-meeting");
  const box = page.locator("dialog").getByRole("combobox", { name: "顧客" });
  await box.tap();
  const option = page.locator("dialog").getByRole("option", { name });
  await expect(option).toBeVisible();
  await page.screenshot({ path: "../../target/screens/combobox-ja-360.png" });
  await option.tap();
  await expect(box).toHaveValue(name);
});

test("without scripts a name chooses whom it fits", async ({ as, api, team }) => {
  const page = await as(team.sales, { javaScriptEnabled: false, refused: true });
  const post = await api(team.sales);
  const word = fresh("素朴");
  const { id } = await post("/customers", { name: `${word} 一` });
  await post("/customers", { name: `${word} 二` });
  await page.goto(`/meetings?customer_id_text=${encodeURIComponent(`${word} 一`)}`);
  await expect(page).toHaveURL(new RegExp(`customer_id=${id}$`));
  await expect(page.locator("#customer_id")).toHaveValue(id);
  await page.goto(`/meetings?customer_id_text=${encodeURIComponent(word)}`);
  await expect(page.locator("#customer_id option")).toHaveCount(3);
  await expect(page.locator(".filters .error")).toContainText("1 つ選んで");
});

test("what two people change at once is merged, and where they collide one chooses", async ({ as, api, team }) => {
  const [mine, theirs] = [await as(team.sales, { refused: true }), await as(team.manager)];
  const post = await api(team.sales);
  const { id, name } = await post("/customers", { name: fresh("取り合い"), phone: "01", company: "旧" });
  const edit = `/customers/${id}/edit`;
  // A form that is edited does not follow what happens.
  await mine.goto(edit);
  await theirs.goto(edit);
  await mine.fill('[name="company"]', "新");
  await theirs.fill('[name="phone"]', "02");
  await theirs.getByRole("button", { name: "保存" }).click();
  await expect(theirs.locator("dl.record")).toContainText("02");
  // Another field: both hold.
  await mine.getByRole("button", { name: "保存" }).click();
  await expect(mine.locator("dl.record")).toContainText("新");
  await expect(mine.locator("dl.record")).toContainText("02");
  // The same field, beside another: one chooses.
  await mine.goto(edit);
  await theirs.goto(edit);
  await mine.fill('[name="phone"]', "04");
  await theirs.fill('[name="phone"]', "03");
  await theirs.fill('[name="notes"]', "電話が変わった");
  await theirs.getByRole("button", { name: "保存" }).click();
  await expect(theirs.locator("dl.record")).toContainText("03");
  await mine.getByRole("button", { name: "保存" }).click();
  await expect(mine.getByRole("alert")).toContainText("ほかの人が先に変更しました");
  const collision = mine.locator(".field", { has: mine.locator('[name="phone"]') }).locator(".collision");
  await expect(collision).toContainText("03");
  await expect(mine.locator('[name="phone"]')).toHaveValue("04");
  await expect(mine.locator('[name="notes"]')).toHaveValue("電話が変わった");
  await expect(mine.locator(".taken-over")).toHaveCount(1);
  await mine.screenshot({ path: "../../target/screens/conflict-ja-light.png", fullPage: true });
  await collision.getByLabel("自分の入力").check();
  await mine.getByRole("button", { name: "保存" }).click();
  await expect(mine.locator("h1")).toContainText(name);
  await expect(mine.locator("dl.record")).toContainText("04");
  await expect(mine.locator("dl.record")).toContainText("電話が変わった");
  // The other one's value may be the one to keep.
  await mine.goto(edit);
  await theirs.goto(edit);
  await mine.fill('[name="phone"]', "555-0106");
  await theirs.fill('[name="phone"]', "555-0105");
  await theirs.getByRole("button", { name: "保存" }).click();
  await expect(theirs.locator("dl.record")).toContainText("555-0105");
  await mine.getByRole("button", { name: "保存" }).click();
  await collision.getByLabel("ほかの人の変更").check();
  await mine.getByRole("button", { name: "保存" }).click();
  await expect(mine.locator("dl.record")).toContainText("555-0105");
});

test("a session that ends under a form loses no text", async ({ as, hire }) => {
  const who = await hire("SALES");
  const page = await as(who, { refused: true });
  const name = fresh("長い仕事");
  await openForm(page, "/customers", "new-customer");
  await page.fill('dialog [name="name"]', name);
  await page.fill('dialog [name="email"]', freshEmail("long"));
  // Signed out in another tab.
  const other = await page.context().newPage();
  await other.goto("/tasks");
  await other.getByRole("button", { name: "ログアウト" }).click();
  await expect(other).toHaveURL(/\/login/);
  // The page stays, and says so.
  await expect(page.locator("#connection")).toContainText("有効期限が切れました", { timeout: 15_000 });
  await page.click("dialog button.main");
  await expect(page.locator("dialog [data-said]")).toContainText("入力した内容は残っています");
  await expect(page.locator('dialog [name="name"]')).toHaveValue(name);
  // Signed in again in the other tab: the form says that it has not been sent, and is sent.
  await logIn(other, who.email);
  await expect(other).toHaveURL("/");
  await page.click("dialog button.main");
  await expect(page.locator("dialog [role=alert]")).toContainText("まだ送信されていません");
  await expect(page.locator('dialog [name="name"]')).toHaveValue(name);
  await page.click("dialog button.main");
  await expect(page.locator(".notice.done")).toBeVisible();
  await page.goto(customersLike(name));
  await expect(rows(page, name)).toHaveCount(1);
});

test("a session that ends under the forms of two tabs loses the text of neither", async ({ as, api, hire }) => {
  const who = await hire("SALES");
  const post = await api(who);
  const customer = await post("/customers", { name: fresh("二つの仕事") });
  const one = await as(who, { refused: true });
  const other = await one.context().newPage();
  const names = [fresh("一つ目"), fresh("二つ目")];
  for (const [page, name] of [[one, names[0]], [other, names[1]]]) {
    await openForm(page, "/customers", "new-customer");
    await page.fill('dialog [name="name"]', name);
  }
  const third = await one.context().newPage();
  await third.goto(`/customers/${customer.id}/edit`);
  await third.fill('[name="notes"]', "書きかけのメモ");
  // The session is over, in every tab at once.
  await one.context().clearCookies();
  for (const page of [one, other, third]) {
    await page.bringToFront();
    await page.locator("button.main:visible").last().click();
    await expect(page.getByRole("alert").filter({ hasText: "入力した内容は残っています" })).toBeVisible();
  }
  // One signs in from the first; the form stands in the others as it was, and is sent from each.
  const [door] = await Promise.all([one.waitForEvent("popup"), one.locator("dialog [data-said] a").click()]);
  await logIn(door, who.email);
  await expect(door).toHaveURL("/");
  for (const [page, field, typed] of [
    [one, 'dialog [name="name"]', names[0]],
    [other, 'dialog [name="name"]', names[1]],
    [third, '[name="notes"]', "書きかけのメモ"],
  ]) {
    await expect(page.locator(field)).toHaveValue(typed);
    await page.locator("button.main:visible").last().click();
    await expect(page.getByRole("alert").filter({ hasText: "まだ送信されていません" })).toBeVisible();
    await expect(page.locator(field)).toHaveValue(typed);
    await page.locator("button.main:visible").last().click();
    await expect(page.locator(".notice.done")).toBeVisible();
  }
  for (const name of names) {
    await one.goto(customersLike(name));
    await expect(rows(one, name)).toHaveCount(1);
  }
  await expect(third.locator("dl.record")).toContainText("書きかけのメモ");
});

test("without scripts the sign-in leads back into the form", async ({ as, hire }) => {
  const who = await hire("SALES");
  const page = await as(who, { refused: true, javaScriptEnabled: false });
  const name = fresh("素朴な仕事");
  await page.goto("/customers");
  const fields = { name, notes: "一時間分の文章", form_token: await page.locator("dialog [name=form_token]").getAttribute("value") };
  await page.context().clearCookies();
  await page.setContent(`<form method="post" action="${new URL("/customers", page.url())}"></form>`);
  await page.goto("/login");
  const answer = await page.request.post("/customers", { form: fields, maxRedirects: 0 });
  expect(answer.status()).toBe(401);
  const text = await answer.text();
  expect(text).toContain("一時間分の文章");
  expect(text).toContain("入力した内容は残っています");
  const kept = { "kept.name": name, "kept.notes": "一時間分の文章", resume: "/customers" };
  const signIn = await page.request.post("/login", { form: { email: who.email, password: PASSWORD, ...kept } });
  expect(signIn.status()).toBe(200);
  expect(await signIn.text()).toContain("一時間分の文章");
});

test("amounts are typed and shown in the currency's own units", async ({ as, api, hire, team }) => {
  const who = await hire("SALES", { locale: "en", manager_id: team.manager.id });
  const [page, post] = [await as(who, { refused: true }), await api(who)];
  const { name } = await post("/customers", { name: fresh("Amounts") });
  for (const [currency, typed, shown] of [
    ["JPY", "120,000", "JPY 120,000"],
    ["USD", "1250", "USD 1,250.00"],
    ["USD", "1,250.00", "USD 1,250.00"],
    ["EUR", "１２００", "EUR 1,200.00"],
  ]) {
    await openForm(page, "/approvals", "new-approval");
    await choose(page, "customer_id", name);
    await page.fill('dialog [name="title"]', fresh("Discount"));
    await page.fill('dialog [name="amount"]', typed);
    await page.selectOption('dialog [name="currency"]', currency);
    await page.click("dialog button.main");
    await expect(page.locator("dl.record")).toContainText(shown);
  }
  await openForm(page, "/approvals", "new-approval");
  await choose(page, "customer_id", name);
  await page.fill('dialog [name="title"]', "Cents");
  await page.fill('dialog [name="amount"]', "12.5");
  await page.click("dialog button.main");
  await expect(page.locator("#new-approval-amount-error")).toHaveText("This currency has no decimals.");
});
