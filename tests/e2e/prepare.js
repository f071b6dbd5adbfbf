// Before all tests: people who read English, and everybody's cookies.

import { expect, test } from "@playwright/test";
import { PASSWORD, PEOPLE, logIn, stateOf } from "./support.js";

test("people are there and log in", async ({ browser, request }) => {
  const login = await request.post("/api/auth/login", { data: { email: PEOPLE.admin, password: PASSWORD } });
  const { access_token: token } = await login.json();
  const authorization = { authorization: `Bearer ${token}` };
  const hire = async (email, name, role, more) => {
    const user = { email, name, role, password: PASSWORD, ...more };
    const made = await request.post("/api/auth/users", { data: user, headers: authorization });
    expect(made.status()).toBe(201);
    return (await made.json()).id;
  };
  const english = { locale: "en", time_zone: "Europe/London" };
  await hire(PEOPLE.adminEn, "Grace Admin", "ADMIN", english);
  await hire(PEOPLE.salesEn, "Ann Sales", "SALES", english);
  const boss = await hire(PEOPLE.boss, "生中 継子", "MANAGER");
  await hire(PEOPLE.rep, "速水 報", "SALES", { manager_id: boss });
  for (const [name, email] of Object.entries(PEOPLE)) {
    const page = await browser.newPage();
    await logIn(page, email);
    await expect(page).toHaveURL(/\/customers$/);
    await page.context().storageState({ path: stateOf(name) });
    await page.close();
  }
});
