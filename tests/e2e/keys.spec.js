// API keys in the console, and pages of other origins that call the API with one.

import http from "node:http";
import { expect, fresh, test } from "./support.js";

/** Makes a key on the page; answers its text. */
async function makeKey(page, name, scopes) {
  await page.goto("/admin/api-keys");
  const form = page.locator("#new-api-key");
  await form.locator('[name="name"]').fill(name);
  await form.locator('[name="role"]').selectOption("ADMIN");
  for (const scope of scopes) {
    await form.locator(`[value="${scope}"]`).check();
  }
  await form.getByRole("button", { name: "作成" }).click();
  await expect(page.getByRole("alert")).toContainText("今すぐコピー");
  const key = await page.locator("#made-key").inputValue();
  expect(key).toMatch(/^kzn_[\w-]{64}$/);
  return key;
}

test("a key is shown once, used, and revoked", async ({ as, request }) => {
  const page = await as("admin");
  const name = fresh("連携");
  const key = await makeKey(page, name, ["customers:read"]);
  const row = page.getByRole("row", { name: new RegExp(name) });
  await expect(row).toContainText(key.slice(0, 16));
  await expect(row).toContainText("customers:read");
  await expect(row).toContainText("未使用");
  const ask = (path) => request.get(`/api${path}`, { headers: { authorization: `Bearer ${key}` } });
  expect((await ask("/customers")).status()).toBe(200);
  expect((await (await ask("/tasks")).json()).code).toBe("missing_scope");

  await page.reload();
  await expect(page.locator("#made-key"), "never again").toHaveCount(0);
  expect(await page.content()).not.toContain(key);
  page.once("dialog", (dialog) => {
    expect(dialog.message()).toContain("1 秒以内");
    dialog.accept();
  });
  await row.getByRole("button", { name: /失効させる/ }).click();
  await expect(row).toHaveCount(0);
  await expect(page.locator("[data-done], .toasts")).toContainText(["失効させました"]);
  expect((await ask("/customers")).status()).toBe(401);
});

test("what is wrong with a key to make stands beside it, and what was typed stays", async ({ as }) => {
  const page = await as("admin", { refused: true });
  await page.goto("/admin/api-keys");
  const form = page.locator("#new-api-key");
  await form.locator('[name="name"]').fill("スコープなし");
  await form.locator('[name="expires_at"]').fill("2020-01-01T00:00");
  await form.getByRole("button", { name: "作成" }).click();
  await expect(form.getByRole("alert")).toBeVisible();
  await expect(form.locator('[name="name"]')).toHaveValue("スコープなし");
  await form.locator('[value="tasks:write"]').check();
  await form.getByRole("button", { name: "作成" }).click();
  await expect(form.locator("#new-api-key-expires_at-error")).toContainText("現在より後");
  await expect(form.locator('[value="tasks:write"]')).toBeChecked();
});

test("the audit log tells which key acted", async ({ as, request }) => {
  const page = await as("admin");
  const name = fresh("連携");
  const key = await makeKey(page, name, ["customers:write"]);
  const data = { name: fresh("顧客") };
  const made = await request.post("/api/customers", { data, headers: { authorization: `Bearer ${key}` } });
  const { id } = await made.json();
  await page.goto(`/admin/audit?subject=${id}`);
  await page.locator(".list td.key a").first().click();
  await page.getByRole("link", { name }).click();
  await expect(page.locator("tbody tr").first()).toContainText(name);
});

/** A site of its own on a port: any will do if `port` is 0. */
async function site(port) {
  const server = http.createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<h1>別のサイト</h1>"));
  await new Promise((listening) => server.listen(port, "127.0.0.1", listening));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** What a page of another origin gets of the API: the status and some headers, or the error of the browser. */
async function call(page, path, options) {
  return page.evaluate(
    async ([url, init]) => {
      try {
        const answer = await fetch(url, init);
        const names = ["etag", "x-request-id", "ratelimit", "retry-after", "location"];
        return { status: answer.status, body: await answer.text(), headers: names.map((name) => answer.headers.get(name)) };
      } catch (error) {
        return { error: error.name };
      }
    },
    [`${process.env.KIZUNA_URL}${path}`, options],
  );
}

test("a page of an origin that is named calls the API with a key, and one of another does not", async ({ as, browser }) => {
  const admin = await as("admin");
  const key = await makeKey(admin, fresh("別サイト"), ["customers:write"]);
  const [named, other] = [await site(Number(new URL(process.env.KIZUNA_OTHER_ORIGIN).port)), await site(0)];
  const context = await browser.newContext();
  const page = await context.newPage();
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "idempotency-key": fresh("key"),
    "accept-language": "ja",
    "x-request-id": "from-elsewhere",
    "x-allow-duplicate": "true",
  };
  const post = { method: "POST", headers, body: JSON.stringify({ name: fresh("顧客") }) };
  await page.goto(named.origin);
  const made = await call(page, "/api/customers", post);
  expect(made.status).toBe(201);
  expect(made.headers).toEqual([expect.stringMatching(/^"1"$/), "from-elsewhere", expect.stringContaining("r="), null, expect.stringMatching(/^\/api/)]);
  const patch = { method: "PATCH", headers: { ...headers, "if-match": '"1"' }, body: JSON.stringify({ notes: "変更" }) };
  expect((await call(page, `/api/customers/${JSON.parse(made.body).id}`, patch)).status).toBe(200);
  // A page can read what is wrong, too.
  expect((await call(page, "/api/customers", {})).status).toBe(401);
  expect(JSON.parse((await call(page, "/api/tasks", { headers })).body).code).toBe("missing_scope");
  // The console's cookies do not count, and are not asked for.
  const cookies = await admin.context().cookies();
  await context.addCookies(cookies);
  expect((await call(page, "/api/customers", { credentials: "include" })).error).toBe("TypeError");
  expect((await call(page, "/api/customers", {})).status).toBe(401);
  // Pages of the console are for no other origin.
  expect((await call(page, "/customers", {})).error).toBe("TypeError");

  await page.goto(other.origin);
  expect((await call(page, "/api/customers", post)).error).toBe("TypeError");
  expect((await call(page, "/api/customers", { headers: { authorization: `Bearer ${key}` } })).error).toBe("TypeError");
  await context.close();
  named.close();
  other.close();
});
