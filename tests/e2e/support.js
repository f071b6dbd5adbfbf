// What the tests share: people, their pages and their API, and the watch over what pages complain of.
//
// A test works with people and records of its own (`team`, `fresh`): others run beside it, and what they do is shown
// to every MANAGER and ADMIN. What a test asserts of a list or a count it narrows to its own records first.

import { test as base, expect } from "@playwright/test";

export { expect };

export const PASSWORD = "kizuna-demo";

/** Who is there before any test: the people of the demo, and an administrator who reads English (prepare.js). */
export const USERS = {
  sales: "sales@example.com",
  manager: "manager@example.com",
  admin: "admin@example.com",
  adminEn: "admin.en@example.com",
};

/** Where prepare.js keeps the cookies that the seed's test begins with. */
export const SEED_STATE = "../../target/e2e-sessions/sales.json";

/** A person's address: of one of USERS by their key, or of somebody hired. */
const emailOf = (who) => USERS[who] ?? who.email;

export async function logIn(page, email, password = PASSWORD) {
  await page.goto("/login");
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', password);
  await page.click("button.main");
}

/** Posts to the API as somebody; answers the record that was made. */
export async function poster(request, who) {
  const login = await request.post("/api/auth/login", { data: { email: emailOf(who), password: PASSWORD } });
  expect(login.status()).toBe(200);
  const headers = { authorization: `Bearer ${(await login.json()).access_token}` };
  return async (path, data) => {
    const made = await request.post(`/api${path}`, { data, headers });
    expect(made.status(), await made.text()).toBe(201);
    return made.json();
  };
}

/** Complaints that a test provokes: Chromium notes an answer that refuses, that fails for the moment, or that does not come. */
const REFUSED = /the server responded with a status of (4\d\d|503)|net::ERR_(FAILED|INTERNET_DISCONNECTED)/;

/** What Playwright itself says where it keeps the service worker out. */
const NO_WORKER = "Service Worker registration blocked by Playwright";

export const test = base.extend({
  /** Opens a page as somebody, in a session of its own; a page that complains on its console fails the test. */
  as: async ({ browser }, use) => {
    const contexts = [];
    const complaints = [];
    await use(async (who, options = {}) => {
      const { refused = false, ...rest } = options;
      const context = await browser.newContext(rest);
      contexts.push(context);
      if (who) {
        const form = { email: emailOf(who), password: PASSWORD };
        const answer = await context.request.post("/login", { form, maxRedirects: 0 });
        expect(answer.status()).toBe(303);
      }
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
      page.on("console", (message) => {
        const provoked = (refused && REFUSED.test(message.text())) || message.text().includes(NO_WORKER);
        if (["error", "warning"].includes(message.type()) && !provoked) {
          complaints.push(`${page.url()}: ${message.text()}`);
        }
      });
      return page;
    });
    for (const context of contexts) {
      await context.close();
    }
    expect(complaints).toEqual([]);
  },

  /** Speaks the API as somebody. */
  api: async ({ request }, use) => use((who) => poster(request, who)),

  /** Adds a user for this test: `{ id, name, email }`. */
  hire: async ({ api }, use) => {
    const post = await api("admin");
    await use(async (role, more = {}) => {
      const user = { name: fresh(role), email: freshEmail("user"), ...more };
      const { id } = await post("/auth/users", { role, password: PASSWORD, ...user });
      return { id, ...user };
    });
  },

  /** A MANAGER and a SALES user of this test's own. What the latter does is told to the former, and to nobody else. */
  team: async ({ hire }, use) => {
    const manager = await hire("MANAGER");
    const sales = await hire("SALES", { manager_id: manager.id });
    await use({ manager, sales });
  },
});

let count = 0;

/** A name that no other test uses. */
export function fresh(word) {
  count += 1;
  return `${word} ${Date.now().toString(36)}${process.env.TEST_WORKER_INDEX}x${count}`;
}

/** An address that nobody else has. */
export const freshEmail = (word) => `${fresh(word).replace(" ", ".")}@example.com`;

/** The customers whose name contains `text`: a list that other tests leave alone. */
export const customersLike = (text) => `/customers?q=${encodeURIComponent(text)}`;

/** Chooses a customer or person as people do: types, and takes the one of that name. */
export async function choose(page, field, name) {
  const part = (await page.locator("dialog[open]").count()) > 0 ? page.locator("dialog[open]") : page;
  const box = part.locator(`.combo:has(input[type=hidden][name="${field}"])`).first();
  await box.getByRole("combobox").fill(name);
  await box.getByRole("option", { name }).first().click();
  await expect(box.locator("input[type=hidden]")).not.toHaveValue("");
}

/** Makes a customer by the console's own form. */
export async function addCustomer(page, name, email = "") {
  await page.goto("/customers");
  await page.click('[data-open="new-customer"]');
  await page.fill('dialog [name="name"]', name);
  await page.fill('dialog [name="email"]', email);
  await page.click("dialog button.main");
  await expect(page.locator(".notice.done")).toBeVisible();
}
