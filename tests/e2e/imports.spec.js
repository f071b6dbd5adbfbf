// Files that are imported: uploaded, mended, carried out.

import { expect, fresh, test } from "./support.js";

/** In Shift_JIS: 氏名, X, メール; three rows whose company stands under X, and one whose address is wrong. */
const SHIFT_JIS =
  "joGWvCxYLIOBgVuDiw0KjuaNniAwLJDCi/OPpI6WIDAsdG9yaWtvbWkwQGV4YW1wbGUuY29tDQqO5o2eIDEskMKL84+kjpYgMSx0b3Jpa29taTFAZXhhbXBsZS5jb20NCo7mjZ4gMiyQwovzj6SOliAyLHRvcmlrb21pMkBleGFtcGxlLmNvbQ0KjlKTYyyKQ45SLGJhZA0K";

const file = (name, content) => ({ name, mimeType: "text/csv", buffer: Buffer.from(content, "base64") });
const outcome = (page, name) => page.locator("#import-state .figures div", { hasText: name }).locator("dd");

const over = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

async function upload(page, name, content) {
  await page.goto("/customers");
  await page.locator(".list-tools").getByRole("link", { name: /取り込み|Import/ }).click();
  await page.setInputFiles("#import-file", file(name, content));
  await page.locator("#import-form button").click();
}

test("a file in Shift_JIS is uploaded, its mapping mended, and carried out", async ({ as, team }) => {
  const page = await as(team.sales);
  page.on("dialog", (dialog) => dialog.accept());
  const name = `${fresh("名簿")}.csv`;
  await upload(page, name, SHIFT_JIS);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(outcome(page, "新規")).toHaveText("3");
  await expect(outcome(page, "エラー")).toHaveText("1");
  await expect(page.locator("#import-rows")).toContainText("メール: name@example.com");
  await expect(page.locator("#import-encoding")).toHaveValue("Shift_JIS");
  await expect(page.locator("#import-choices")).toHaveAttribute("data-instant");
  await page.locator("#import-reading").getByLabel("X", { exact: true }).selectOption({ label: "会社" });
  await page.locator("#import-rows nav").getByRole("link", { name: "新規" }).click();
  await expect(page.locator("#import-rows tbody tr")).toHaveCount(3);
  await expect(page.locator("#import-rows tbody tr").first()).toContainText("会社: 青空商事 0");
  await page.getByRole("button", { name: "3 行を取り込む" }).click();
  await expect(page.locator("#import-written")).toHaveText("3");
  await expect(page.locator("#import-state .badge")).toHaveText("完了");
  await page.locator("#import-state .links").getByRole("link", { name: "顧客" }).click();
  await expect(page.locator("#customer-list tbody tr")).toHaveCount(3);
  await expect(page.locator("#customer-list")).toContainText("取込 2");
  await upload(page, name, SHIFT_JIS);
  await expect(outcome(page, "変更なし")).toHaveText("3");
  await expect(page.locator("#import-state")).toContainText("取り込む行はありません");
});

test("what is done while a choice is applied sees that choice", async ({ as, team }) => {
  const page = await as(team.sales);
  const asked = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    dialog.accept();
  });
  // Each choice takes a while, so that there is time to do something else.
  await page.route("**/imports/*", async (route) => {
    if (route.request().method() === "POST") {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await route.continue();
  });
  const text = "Who,X,Y\n急ぐ 0,株式会社いそぎ,先の客\n急ぐ 1,株式会社いそぎ,先の客\n";
  await upload(page, `${fresh("急ぎ")}.csv`, Buffer.from(text).toString("base64"));
  const [choices, first] = [page.locator("#import-choices"), page.locator("#import-rows tbody tr").first()];
  const choose = (column, field) => choices.getByLabel(column, { exact: true }).selectOption({ label: field });
  await expect(choices, "the scripts are there").toHaveAttribute("data-instant");
  await expect(choices.getByRole("button")).toBeHidden();
  await choose("Who", "名前 *");
  await choose("X", "会社");
  await choose("Y", "メモ");
  await page.locator("#import-rows nav").getByRole("link", { name: "新規" }).click();
  await expect(page).toHaveURL(/outcome=new/);
  await expect(first).toContainText("会社: 株式会社いそぎ");
  await expect(first).toContainText("メモ: 先の客");
  for (const [column, field] of [["Who", "name"], ["X", "company"], ["Y", "notes"]]) {
    await expect(choices.getByLabel(column, { exact: true })).toHaveValue(field);
  }
  expect(asked, "nobody is asked whether to leave").toEqual([]);
  await page.locator("#import-reading summary").click();
  // What is carried out is what was chosen last, and the question is of that.
  await choose("Y", "取り込まない");
  await page.getByRole("button", { name: "2 行を取り込む" }).click();
  await expect(page.locator("#import-state .badge")).toHaveText("完了");
  expect(asked.length).toBe(1);
  await page.locator("#import-rows tbody tr a").first().click();
  await expect(page.locator("dl.record")).toContainText("株式会社いそぎ");
  await expect(page.locator("dl.record")).not.toContainText("先の客");
});

test("a link that is followed twice does not wait for a choice, which is applied all the same", async ({ as, team }) => {
  const page = await as(team.sales);
  await upload(page, `${fresh("待てない")}.csv`, Buffer.from("Who\n待てない客\n").toString("base64"));
  const choices = page.locator("#import-choices");
  await expect(choices).toHaveAttribute("data-instant");
  const here = page.url();
  let goOn;
  const held = new Promise((resolve) => (goOn = resolve));
  await page.route("**/imports/*", async (route) => {
    await (route.request().method() === "POST" ? held : undefined);
    await route.continue();
  });
  await choices.getByLabel("Who").selectOption({ label: "名前 *" });
  const home = page.getByRole("link", { name: "ホーム" });
  await home.click();
  await expect(choices, "it waits").toHaveAttribute("data-busy");
  await home.click();
  await expect(page).toHaveURL("/");
  goOn();
  await expect(async () => {
    await page.goto(here);
    await expect(outcome(page, "新規")).toHaveText("1", { timeout: 200 });
  }).toPass();
});

test("a choice that is made before the scripts are there is applied when they come", async ({ as, team }) => {
  const page = await as(team.sales);
  await upload(page, `${fresh("早い")}.csv`, Buffer.from("Who\n早い客\n").toString("base64"));
  await expect(page.locator("#import-choices")).toBeVisible();
  let come;
  const scripts = new Promise((resolve) => (come = resolve));
  await page.route("**/console.js*", async (route) => {
    await scripts;
    await route.continue();
  });
  await page.goto(page.url(), { waitUntil: "commit" });
  await page.locator("#import-choices").getByLabel("Who").selectOption({ label: "名前 *" });
  await expect(page.getByRole("button", { name: "もう一度読み取る" })).toBeVisible();
  come();
  await expect(outcome(page, "新規")).toHaveText("1");
});

test("a file that cannot be read says why, and the form stays", async ({ as, team }) => {
  const page = await as(team.sales, { refused: true });
  await upload(page, "a.csv", Buffer.from("name,email\na\n").toString("base64"));
  await expect(page.locator("#import-form [role=alert]")).toContainText("2 行目のセルの数が見出しの数と違います");
  expect(new URL(page.url()).pathname).toBe("/imports");
});

test("an import works without scripts", async ({ as, team }) => {
  const page = await as(team.sales, { javaScriptEnabled: false });
  await page.goto("/imports?kind=tasks");
  const text = "What;When\n電話;5/11/2036\n";
  await page.setInputFiles("#import-file", file("todo.csv", Buffer.from(text).toString("base64")));
  await page.locator("#import-form button").click();
  const columns = page.locator("#import-reading");
  await columns.getByLabel("What").selectOption("title");
  await columns.getByLabel("When").selectOption("due_at");
  await columns.getByLabel("日付の順序").selectOption("dmy");
  await columns.getByRole("button", { name: "もう一度読み取る" }).click();
  await expect(outcome(page, "新規")).toHaveText("1");
  await page.getByRole("button", { name: "1 行を取り込む" }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.locator("#import-state .badge")).toHaveText("完了", { timeout: 100 });
  }).toPass();
});

for (const [language, locale] of [["ja", "ja-JP"], ["en", "en-US"]]) {
  for (const width of [360, 660, 768, 1280]) {
    test(`the pages of imports at ${width} px in ${language}`, async ({ as }) => {
      const page = await as(language === "ja" ? "admin" : "adminEn", { locale, viewport: { width, height: 800 } });
      await page.goto("/imports?kind=customers");
      await page.setInputFiles("#import-file", file(`${"名簿".repeat(30)} 2026.csv`, SHIFT_JIS));
      await page.locator("#import-form button").click();
      await expect(page.locator("#import-rows tbody tr").first()).toBeVisible();
      for (const [name, act] of [["wrong", null], ["new", "new"]]) {
        if (act) {
          await page.goto(`${page.url().split("?")[0]}?outcome=${act}`);
        }
        await page.screenshot({ path: `../../target/screens/import-${name}-${language}-${width}.png`, fullPage: true });
        expect(await over(page), "nothing stands beside the page").toBeLessThanOrEqual(0);
      }
      await page.goto("/imports");
      await page.screenshot({ path: `../../target/screens/imports-${language}-${width}.png`, fullPage: true });
      expect(await over(page), "nothing stands beside the list").toBeLessThanOrEqual(0);
    });
  }
}
