// An open page follows: counts, a record's own page, decisions, one's other tabs; and days are the reader's.

import { customersLike, expect, fresh, test } from "./support.js";

const customer = (page, name) => page.locator("#customer-list").getByRole("link", { name });

test("counts, a customer's own page and decisions follow what happens", async ({ as, api, team }) => {
  const [manager, colleague] = [await as(team.manager), await as(team.manager)];
  const post = await api(team.sales);
  const word = fresh("追随");
  const { id } = await post("/customers", { name: word });
  const approval = await post("/approvals", { customer_id: id, title: word, amount: 1 });
  await manager.goto(customersLike(word));
  await expect(manager.locator("#customer-total")).toHaveText("1 件");
  await post("/customers", { name: `${word} 2` });
  await expect(manager.locator("#customer-total")).toHaveText("2 件");
  await manager.goto(`/customers/${id}`);
  await colleague.goto(`/customers/${id}/edit`);
  await colleague.fill('[name="name"]', `${word} 改名`);
  await colleague.fill('[name="phone"]', "03-9876-5432");
  await colleague.getByRole("button", { name: "保存" }).click();
  await expect(manager.locator("h1")).toContainText("改名");
  await expect(manager.locator("dl.record")).toContainText("03-9876-5432");

  await manager.goto(`/approvals/${approval.id}`);
  await manager.fill('[name="comment"]', "考え中");
  // Two customers and the request.
  await expect(manager.locator("#bell .count")).toHaveText("3");
  await colleague.goto(`/approvals/${approval.id}`);
  await colleague.getByRole("button", { name: "承認する" }).click();
  await expect(manager.locator("h1")).toContainText("承認済み");
  await expect(manager.getByRole("button", { name: "承認する" })).toHaveCount(0);
  // Whoever decides has read of the request, in every tab.
  for (const page of [manager, colleague]) {
    await expect(page.locator("#bell .count")).toHaveText("2");
  }
});

test("a comment that is being typed stays while its request changes", async ({ as, api, team, hire }) => {
  const other = await hire("MANAGER");
  const [manager, colleague] = [await as(team.manager), await as(other)];
  const post = await api(team.sales);
  const { id } = await post("/customers", { name: fresh("途中") });
  const approval = await post("/approvals", { customer_id: id, title: fresh("途中"), amount: 1 });
  await manager.goto(`/approvals/${approval.id}`);
  await manager.fill('[name="comment"]', "まだ考えています");
  await colleague.goto(`/approvals/${approval.id}`);
  const box = colleague.getByRole("combobox");
  await box.fill(team.manager.name);
  await colleague.getByRole("option", { name: team.manager.name }).click();
  await colleague.getByRole("button", { name: "承認者を変更する" }).click();
  await expect(manager.locator("dl.record")).toContainText(team.manager.name);
  await expect(manager.locator('[name="comment"]')).toHaveValue("まだ考えています");
  await manager.getByRole("button", { name: "承認する" }).click();
  await expect(manager.locator("h1")).toContainText("承認済み");
});

test("a record's form follows until it is edited", async ({ as, api, team }) => {
  const [manager, sales] = [await as(team.manager), await as(team.sales)];
  const post = await api(team.sales);
  const { id } = await post("/tasks", { title: fresh("追いかける"), due_at: new Date(Date.now() + 86_400_000).toISOString() });
  await manager.goto(`/tasks/${id}/edit`);
  const change = async (text) => {
    await sales.goto(`/tasks/${id}/edit`);
    await sales.fill('[name="notes"]', text);
    await sales.getByRole("button", { name: "保存" }).click();
    await expect(sales.locator(".notice.done")).toBeVisible();
  };
  await change("一度目");
  await expect(manager.locator('[name="notes"]')).toHaveValue("一度目");
  await manager.fill('[name="title"]', "書き換え中");
  await change("二度目");
  await manager.getByRole("button", { name: "保存" }).click();
  await expect(manager.locator(".notice.done")).toBeVisible();
  await manager.goto(`/tasks/${id}/edit`);
  await expect(manager.locator('[name="title"]')).toHaveValue("書き換え中");
  await expect(manager.locator('[name="notes"]')).toHaveValue("二度目");
});

test("a list is never a second old under a steady stream of changes", async ({ as, api, team }) => {
  const [manager, post] = [await as(team.manager), await api(team.sales)];
  const word = fresh("絶え間なく");
  const count = manager.locator("#customer-total");
  await post("/customers", { name: `${word} ${Date.now()}` });
  await manager.goto(customersLike(word));
  await expect(count).toHaveText("1 件");
  // The newest customer is first, and its name says when it was made: a reading counts when it shows a newer one.
  await manager.evaluate(() => {
    const newest = () => Number(document.querySelector("#customer-list td.key a").textContent.split(" ").at(-1));
    let last = newest();
    globalThis.readings = [];
    new MutationObserver(() => {
      if (newest() > last) {
        last = newest();
        globalThis.readings.push(Date.now());
      }
    }).observe(document.querySelector("main"), { childList: true, subtree: true });
  });
  const until = Date.now() + 4_000;
  let made = 1;
  const begin = await manager.evaluate(() => Date.now());
  while (Date.now() < until) {
    await post("/customers", { name: `${word} ${Date.now()}` });
    made += 1;
    // Far less than the pause that ends a burst; without it the test would measure how busy it makes the machine.
    await manager.waitForTimeout(30);
  }
  const [readings, end] = await manager.evaluate(() => [globalThis.readings, Date.now()]);
  expect(made, "a steady stream").toBeGreaterThan(20);
  const moments = [begin, ...readings, end];
  const gaps = moments.slice(1).map((time, place) => time - moments[place]);
  expect(gaps.length, `between readings, in ms: ${gaps}`).toBeGreaterThan(4);
  expect(Math.max(...gaps), `between readings, in ms: ${gaps}`).toBeLessThan(1_000);
  await expect(count, "and nothing is left out at the end").toHaveText(`${made} 件`);
});

test("what is read in one tab is known in the others", async ({ as, api, team }) => {
  const [one, post] = [await as(team.manager), await api(team.sales)];
  const name = fresh("既読");
  await post("/customers", { name });
  await post("/customers", { name: `${name} 2` });
  await one.goto("/notifications");
  const count = one.locator("#bell .count");
  await expect(count).toHaveText("2");
  const other = await one.context().newPage();
  await other.goto("/tasks");
  await expect(other.locator("#bell .count")).toHaveText("2");
  // Opening one marks it as read.
  await one.locator(".notes li").first().getByRole("link", { name: "新しい顧客" }).click();
  await expect(one.locator("h1")).toContainText(name);
  await expect(other.locator("#bell .count")).toHaveText("1");
  await one.goto("/notifications");
  await one.getByRole("button", { name: "すべて既読にする" }).click();
  await expect(other.locator("#bell .count")).toHaveCount(0);
});

test("the days of a report are the reader's", async ({ as, hire }) => {
  const who = await hire("SALES", { time_zone: "Pacific/Kiritimati" });
  const page = await as(who);
  await page.goto("/reports");
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "Pacific/Kiritimati" }).format(new Date());
  await expect(page.locator("#to")).toHaveValue(today);
  await expect(page.locator("#from")).toHaveAttribute("max", today);
  await expect(page.locator("main")).toContainText("Pacific/Kiritimati");
});
