// What a page says of what it does: busy, unsent, unsaved, sure?

import { expect, fresh, test } from "./support.js";

test("a form is busy while it is sent, and stays if the server is away", async ({ as, team }) => {
  const page = await as(team.sales, { refused: true });
  const name = fresh("圏外の仕事");
  await page.goto("/customers");
  await page.click('[data-open="new-customer"]');
  await page.fill('dialog [name="name"]', name);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/customers", async (route) => {
    await held;
    await route.abort();
  });
  const button = page.locator("dialog button.main");
  await button.click();
  await expect(page.locator("dialog form")).toHaveAttribute("aria-busy", "true");
  await expect(page.locator("#sending")).toHaveText("送信しています…");
  release();
  await expect(page.locator("dialog [data-said]")).toContainText("送信できませんでした");
  await expect(page.locator('dialog [name="name"]')).toHaveValue(name);
  await page.unroute("**/customers");
  await button.click();
  await expect(page.locator(".notice.done")).toBeVisible();
});

test("leaving an edited form asks", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const { id } = await post("/customers", { name: fresh("書きかけ") });
  await page.goto(`/customers/${id}/edit`);
  const asked = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    return dialog.dismiss();
  });
  await page.locator('[name="phone"]').pressSequentially("03");
  await page.getByRole("link", { name: "タスク" }).first().click({ noWaitAfter: true });
  await expect.poll(() => asked).toEqual(["beforeunload"]);
  await expect(page).toHaveURL(/edit$/);
  await page.locator('[name="phone"]').fill("");
  await page.getByRole("link", { name: "タスク" }).first().click();
  await expect(page).toHaveURL(/tasks$/);
  expect(asked).toEqual(["beforeunload"]);
});

test("a decision asks where it must, and says what was decided", async ({ as, api, team }) => {
  const [sales, manager] = [await as(team.sales), await as(team.manager)];
  const post = await api(team.sales);
  const { id } = await post("/customers", { name: fresh("決裁先") });
  const request = (title) => post("/approvals", { customer_id: id, title: fresh(title), amount: 1 });
  const [one, two, three] = [await request("承認"), await request("却下"), await request("取消")];
  await manager.goto(`/approvals/${one.id}`);
  await manager.getByRole("button", { name: "承認する" }).click();
  await expect(manager.locator(".notice.done")).toHaveText("申請を承認しました。");
  await manager.goto(`/approvals/${two.id}`);
  await manager.fill('[name="comment"]', "高い");
  await manager.getByRole("button", { name: "却下する" }).click();
  await expect(manager.locator(".notice.done")).toHaveText("申請を却下しました。");
  await sales.goto(`/approvals/${three.id}`);
  sales.once("dialog", (dialog) => dialog.dismiss());
  await sales.getByRole("button", { name: "申請を取り消す" }).click();
  await expect(sales.locator("h1")).toContainText("承認待ち");
  sales.once("dialog", (dialog) => dialog.accept());
  await sales.getByRole("button", { name: "申請を取り消す" }).click();
  await expect(sales.locator(".notice.done")).toHaveText("申請を取り消しました。");
});

test("who is throttled hears for how long", async ({ as, team }) => {
  const page = await as(team.sales, { refused: true });
  await page.goto("/customers");
  await page.click('[data-open="new-customer"]');
  await page.fill('dialog [name="name"]', fresh("混雑"));
  await page.route("**/customers", (route) => route.fulfill({
    status: 503,
    headers: { "retry-after": "7", "content-type": "text/html" },
    body: '<main><div class="refused"><p data-why>混み合っています。7 秒ほど待ってから、もう一度お試しください。</p></div></main>',
  }));
  await page.click("dialog button.main");
  await expect(page.locator("dialog [data-said]")).toContainText("7 秒");
});

test("a long word breaks no page, and a hidden filter can be removed", async ({ as, api, hire, team }) => {
  const who = await hire("SALES", { name: `${fresh("長い")}${"名".repeat(150)}`, manager_id: team.manager.id });
  const post = await api(who);
  const word = "w".repeat(200);
  const long = `${"a".repeat(60)}.${"b".repeat(60)}@${"c".repeat(60)}.example.com`;
  const { id } = await post("/customers", { name: word, company: word, email: fresh(long.slice(0, 9)).replace(" ", "") + long.slice(9) });
  await post("/tasks", { title: word, due_at: new Date(Date.now() + 3_600_000).toISOString(), customer_id: id });
  await post("/meetings", { title: word, met_at: new Date().toISOString(), customer_id: id, location: word, outcome: word });
  await post("/approvals", { title: word, amount: 9007199254740991, customer_id: id, reason: word });
  for (const width of [360, 768, 1280]) {
    const page = await as(who, { viewport: { width, height: 800 } });
    for (const path of ["/customers", `/customers/${id}`, "/tasks", "/meetings", "/approvals", "/reports", `/customers/${id}/edit`]) {
      await page.goto(path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, `${path} at ${width}`).toBeLessThanOrEqual(width);
      const out = await page.evaluate(() => [...document.querySelectorAll("main table, main .card, main td, .tools > :not(.bell)")]
        .filter((it) => it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).overflowX === "visible").map((it) => it.outerHTML.slice(0, 80)));
      expect(out, `${path} at ${width}`).toEqual([]);
    }
    await page.goto("/customers");
    await page.screenshot({ path: `../../target/screens/long-words-${width}.png`, fullPage: true });
  }
  const page = await as(who);
  await page.goto(`/tasks?customer_id=${id}`);
  const chip = page.locator(".chip");
  await expect(chip).toContainText("顧客");
  await page.selectOption("#status", "DONE");
  await expect(page).toHaveURL(/status=DONE/);
  await expect(page).toHaveURL(new RegExp(id));
  await chip.getByRole("link").click();
  await expect(page).not.toHaveURL(new RegExp(id));
  await expect(chip).toHaveCount(0);
});

test("a name from right to left turns nothing beside it", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const { id } = await post("/customers", { name: "شركة المستقبل" });
  const meeting = await post("/meetings", { customer_id: id, title: "مرحبا", met_at: "2026-11-26T06:23:00Z" });
  const before = async (one, other, where) => {
    const [left, right] = [await one.boundingBox(), await other.boundingBox()];
    expect(left.x + left.width, where).toBeLessThanOrEqual(right.x + 1);
  };
  await page.goto(`/customers/${id}`);
  const row = page.locator("#customer-meetings li");
  await before(row.getByRole("link"), row.locator("time"), "the date follows the title");
  const told = page.locator(".timeline li", { hasText: "مرحبا" }).first();
  await before(told.locator("strong"), told.locator("p span").first(), "the title follows what happened");
  await page.goto(`/meetings/${meeting.id}`);
  await expect(page.locator("h1")).toContainText("مرحبا");
});

test("the badge and the name are apart, and an address breaks at its parts", async ({ as, api, team }) => {
  const [page, post] = [await as(team.manager, { viewport: { width: 360, height: 740 } }), await api(team.sales)];
  for (let n = 0; n < 12; n += 1) {
    await post("/customers", { name: fresh("通知") });
  }
  await page.goto("/customers");
  await expect(page.locator("#bell .count")).toHaveText("12");
  const [badge, name] = [await page.locator("#bell .count").boundingBox(), await page.locator(".me").boundingBox()];
  expect(name.x - (badge.x + badge.width)).toBeGreaterThanOrEqual(3);
  const sales = await as(team.sales);
  const address = "hanako.suzuki-yamamoto@marketing.example.co.jp";
  const own = fresh("宛先");
  await post("/customers", { name: own, email: `${own.replace(/\W/g, "")}.${address}` });
  await sales.goto(`/customers?q=${encodeURIComponent(own)}`);
  const cell = sales.locator("td.address").first();
  const broken = await cell.evaluate((it) => {
    const range = document.createRange();
    const parts = [...it.childNodes].filter((node) => node.nodeType === 3 && node.textContent.trim());
    return parts.filter((node) => (range.selectNodeContents(node), range.getClientRects().length > 1)).map((node) => node.textContent);
  });
  expect(broken).toEqual([]);
});
