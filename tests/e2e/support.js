// What the tests share: pages of people who are logged in, and the watch over what pages complain of.

import { test as base, expect } from "@playwright/test";

export { expect };

export const PASSWORD = "kizuna-demo";

/** Where a person's cookies are kept between tests. */
export const stateOf = (name) => `../../target/e2e-people/${name}.json`;

/** The demo's people, and those that prepare.js adds: two who read English, and a team of live.spec.js's own. */
export const PEOPLE = {
  sales: "sales@example.com",
  manager: "manager@example.com",
  admin: "admin@example.com",
  adminEn: "admin.en@example.com",
  salesEn: "sales.en@example.com",
  boss: "boss@example.com",
  rep: "rep@example.com",
};

export async function logIn(page, email, password = PASSWORD) {
  await page.goto("/login");
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', password);
  await page.click("button.main");
}

/** Complaints that a test provokes: a form that is refused answers with its status, which Chromium notes. */
const REFUSED = /the server responded with a status of 4\d\d/;

export const test = base.extend({
  /** Opens a page as somebody; a page that complains on its console fails the test. */
  as: async ({ browser }, use) => {
    const contexts = [];
    const complaints = [];
    await use(async (name, options = {}) => {
      const { refused = false, ...rest } = options;
      const context = await browser.newContext({ storageState: name ? stateOf(name) : undefined, ...rest });
      contexts.push(context);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
      page.on("console", (message) => {
        const provoked = refused && REFUSED.test(message.text());
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
});

let count = 0;

/** A name that no other test uses. */
export function fresh(word) {
  count += 1;
  return `${word} ${Date.now().toString(36)}${count}`;
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
