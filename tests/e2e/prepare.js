// Before all tests: somebody who reads English, and the cookies of the seed's test.

import { expect, test } from "@playwright/test";
import { PASSWORD, USERS, SEED_STATE, logIn, poster } from "./support.js";

test("people are there and log in", async ({ page, request }) => {
  const post = await poster(request, "admin");
  const english = { locale: "en", time_zone: "Europe/London" };
  await post("/auth/users", { email: USERS.adminEn, name: "Grace Admin", role: "ADMIN", password: PASSWORD, ...english });
  await logIn(page, USERS.sales);
  await expect(page).toHaveURL("/");
  await page.context().storageState({ path: SEED_STATE });
});
