// The ten tasks of docs/hallway.md, each by its shortest way, with as many steps as the document says.

import fs from "node:fs";
import { expect, fresh, test } from "./support.js";

const STEPS_MAX = 6;
const HOUR = 3_600_000;

/** The number of steps of each task, as the document has it. */
const documented = new Map(
  [...fs.readFileSync("../../docs/hallway.md", "utf8").matchAll(/^\| (\d+) \|.*\| (\d+) \|$/gm)].map((row) => [Number(row[1]), Number(row[2])]),
);

/** A person at a page, whose steps are counted: a click, a key, a text. */
class Person {
  steps = 0;

  constructor(page) {
    this.page = page;
  }

  async click(target) {
    this.steps += 1;
    await target.click();
  }

  async press(key) {
    this.steps += 1;
    await this.page.keyboard.press(key);
  }

  async type(text) {
    this.steps += 1;
    await this.page.keyboard.type(text);
  }

  async select(target, value) {
    this.steps += 1;
    await target.selectOption(value);
  }

  /** Presses keys until they have an effect: the page's scripts may not be there yet. They count once. */
  async pressUntil(keys, effect) {
    this.steps += keys.length;
    await expect(async () => {
      for (const key of keys) {
        await this.page.keyboard.press(key);
      }
      await effect({ timeout: 1_000 });
    }).toPass();
  }

  /** Ctrl-K, a text, Enter: the first record that is found. */
  async find(text, title) {
    const box = this.page.locator("dialog#palette").getByRole("combobox");
    await this.pressUntil(["Control+k"], (within) => expect(box).toBeFocused(within));
    await this.type(text);
    await expect(this.page.locator('dialog#palette [role=option][aria-selected="true"]')).toContainText(title);
    await this.press("Enter");
    await expect(this.page.locator("h1")).toContainText(title);
  }

  /** `g` and a letter. */
  async go(letter, path) {
    await this.pressUntil(["g", letter], (within) => expect(this.page).toHaveURL(new RegExp(`${path}$`), within));
  }
}

/** Begins at home, does the task, and compares its steps with the document's. */
async function task(number, page, way) {
  await page.goto("/");
  const person = new Person(page);
  await way(person);
  expect(documented.get(number)).toBe(person.steps);
  expect(person.steps).toBeLessThanOrEqual(STEPS_MAX);
}

const time = (milliseconds) => new Date(Date.now() + milliseconds).toISOString();

test("hallway: the document has ten tasks", () => {
  expect([...documented.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("hallway: a customer is found by kana, and their overdue task is moved to Monday", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  const name = fresh("長谷川");
  const { id } = await post("/customers", { name, kana: "ハセガワ" });
  const late = await post("/tasks", { title: "見積り", due_at: time(-50 * HOUR), customer_id: id });
  await task(1, page, (person) => person.find("ﾊｾｶﾞﾜ", name));
  await task(2, page, async (person) => {
    await person.find("はせがわ", name);
    const tasks = page.locator("#customer-tasks");
    await expect(tasks).toContainText("期限切れ");
    await person.click(tasks.getByText("延期", { exact: true }));
    await person.click(tasks.getByRole("button", { name: "次の月曜日" }));
    await expect(tasks).not.toContainText("期限切れ");
  });
  const due = new Date((await (await page.request.get(`/tasks/${late.id}`)).text()).match(/datetime="([^"]+)"/)[1]);
  expect(new Intl.DateTimeFormat("en", { weekday: "long", timeZone: "Asia/Tokyo" }).format(due)).toBe("Monday");
});

test("hallway: a customer is registered, and a meeting with one is recorded", async ({ as, team }) => {
  const page = await as(team.sales);
  const name = fresh("絆商事");
  await task(3, page, async (person) => {
    await person.go("c", "/customers");
    const field = page.locator("dialog[open] [name=name]");
    await person.pressUntil(["c"], (within) => expect(field).toBeFocused(within));
    await person.type(name);
    await person.press("Enter");
    await expect(page.locator(".notice.done")).toBeVisible();
  });
  await task(5, page, async (person) => {
    await person.find(name, name);
    await person.click(page.locator('[data-open="new-meeting"]'));
    await expect(page.locator("dialog[open] [name=title]")).toBeFocused();
    await person.type("初回訪問");
    await person.press("Enter");
    await expect(page.locator("#customer-meetings")).toContainText("初回訪問");
  });
});

test("hallway: a task is done and taken back, the open ones are saved as a file", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  await post("/tasks", { title: "折返し電話", due_at: time(-HOUR) });
  await task(4, page, async (person) => {
    const box = page.getByRole("checkbox", { name: "「折返し電話」の完了" });
    await person.click(box);
    await expect(box).toBeChecked();
    await person.click(box);
    await expect(box).not.toBeChecked();
  });
  await task(8, page, async (person) => {
    await person.go("t", "/tasks");
    const saved = page.waitForEvent("download");
    await person.click(page.locator("main").getByRole("link", { name: "CSV" }));
    expect(fs.readFileSync(await (await saved).path(), "utf8")).toContain("折返し電話");
  });
});

test("hallway: a request is approved", async ({ as, api, team }) => {
  const [page, post] = [await as(team.manager), await api(team.sales)];
  const { id } = await post("/customers", { name: fresh("青空") });
  const title = fresh("値引き");
  await post("/approvals", { customer_id: id, title, amount: 120_000 });
  await task(6, page, async (person) => {
    await person.click(page.locator("#home-approvals").getByRole("link", { name: title }));
    await person.click(page.getByRole("button", { name: "承認する" }));
    await expect(page.locator(".notice.done")).toBeVisible();
  });
});

test("hallway: dormant customers are listed by name", async ({ as, api, team }) => {
  const [page, post] = [await as(team.sales), await api(team.sales)];
  for (const [name, status] of [["若葉", "DORMANT"], ["青空", "DORMANT"], ["白樺", "LEAD"]]) {
    await post("/customers", { name, status });
  }
  await task(7, page, async (person) => {
    await person.go("c", "/customers");
    await person.select(page.locator("#status"), "DORMANT");
    await expect(page.locator("#customer-list tbody tr")).toHaveCount(2);
    await person.click(page.getByRole("columnheader", { name: "名前" }).getByRole("link"));
    await expect(page).toHaveURL(/status=DORMANT.*sort=name|sort=name.*status=DORMANT/);
  });
});

test("hallway: a notification leads to what it is about, and the console becomes dark", async ({ as, api, team }) => {
  const [page, post] = [await as(team.manager), await api(team.sales)];
  const name = fresh("白樺");
  await post("/customers", { name });
  await expect(async () => {
    await page.goto("/notifications");
    await expect(page.locator("main")).toContainText(name, { timeout: 1_000 });
  }).toPass();
  await task(9, page, async (person) => {
    await person.go("n", "/notifications");
    await person.click(page.locator("main li", { hasText: name }).getByRole("link").first());
    await expect(page.locator("h1")).toContainText(name);
  });
  await task(10, page, async (person) => {
    await person.go("s", "/settings");
    await person.select(page.locator("#theme"), "DARK");
    await person.click(page.locator('form[action="/settings/preferences"]').getByRole("button", { name: "保存" }));
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  });
});
