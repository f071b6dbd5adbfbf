// Every page in both languages, both themes and on a telephone: as people see it (target/screens/), and as axe does.

import fs from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "./support.js";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = "../../target/screens";

/** A page's name and how to get there, as an ADMIN. */
const PAGES = [
  ["home", "/"],
  ["search", "/search?q=a"],
  ["shortcuts", "/shortcuts"],
  ["customers", "/customers"],
  ["customer-new", "/customers#new-customer"],
  ["customer", (page) => follow(page, "/customers?sort=created_at")],
  ["customer-edit", (page) => follow(page, "/customers?sort=created_at", "/edit")],
  ["customer-delete", (page) => follow(page, "/customers?sort=created_at", "/delete")],
  ["meetings", "/meetings"],
  ["meeting-new", "/meetings#new-meeting"],
  ["meeting", (page) => follow(page, "/meetings")],
  ["meeting-edit", (page) => follow(page, "/meetings", "/edit")],
  ["tasks", "/tasks"],
  ["task-new", "/tasks#new-task"],
  ["task", (page) => follow(page, "/tasks")],
  ["task-edit", (page) => follow(page, "/tasks", "/edit")],
  ["approvals", "/approvals"],
  ["approval-new", "/approvals#new-approval"],
  ["approval", (page) => follow(page, "/approvals?status=PENDING")],
  ["deals", "/deals"],
  ["deals-board", "/deals?view=board"],
  ["deal-new", "/deals#new-deal"],
  ["deal", (page) => follow(page, "/deals")],
  ["deal-edit", (page) => follow(page, "/deals", "/edit")],
  ["notifications", "/notifications"],
  ["reports", "/reports"],
  ["deal-reports", "/reports/deals"],
  ["sagas", "/sagas"],
  ["duplicates", "/duplicates"],
  ["imports", "/imports"],
  ["admin", "/admin"],
  ["users", "/admin/users"],
  ["user-edit", (page) => follow(page, "/admin/users")],
  ["user-delete", (page) => follow(page, "/admin/users?q=sales@", "/delete")],
  ["api-keys", "/admin/api-keys"],
  ["webhooks", "/admin/webhooks"],
  ["security", "/admin/security"],
  ["audit", "/admin/audit"],
  ["audit-event", (page) => follow(page, "/admin/audit?type=customer.created")],
  ["settings", "/settings"],
  ["design", "/design"],
  ["missing", "/nowhere"],
];

/** A test's limit is that of its pages together. */
const LIMIT = PAGES.length * 10_000;

async function follow(page, list, then = "") {
  await page.goto(list);
  const href = await page.locator(".list td.key a").first().getAttribute("href");
  await page.goto(href + then);
}

async function violations(page) {
  // The policy of our pages lets no foreign script in; the browser's own protocol does.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: AXE });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, { resultTypes: ["violations"] }).then((found) => JSON.stringify(found.violations
      .filter((one) => ["serious", "critical"].includes(one.impact))
      .map((one) => ({ id: one.id, nodes: one.nodes.map((node) => node.html.slice(0, 160) + " " + node.failureSummary.slice(0, 200)) }))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return JSON.parse(result.value);
}

for (const [who, language] of [["admin", "ja"], ["adminEn", "en"]]) {
  test(`every page is sound in ${language}, light and dark`, async ({ as }) => {
    test.setTimeout(2 * LIMIT);
    const page = await as(who, { refused: true });
    for (const [name, address] of PAGES) {
      await (typeof address === "string" ? visit(page, address) : address(page));
      await expect(page.locator("html")).toHaveAttribute("lang", language);
      expect(await page.locator("body").innerText(), `a raw key on ${name}`).not.toContain("⟦");
      // The page follows its reader's theme: it is not read again for the other.
      for (const theme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await page.screenshot({ path: `${SCREENS}/${name}-${language}-${theme}.png`, fullPage: true });
        expect(await violations(page), `axe on ${name}, ${theme}`).toEqual([]);
      }
    }
  });

  test(`every page fits a telephone and a tablet in ${language}`, async ({ as }) => {
    test.setTimeout(LIMIT);
    const page = await as(who, { viewport: { width: 360, height: 740 }, refused: true });
    for (const [name, address] of PAGES) {
      await (typeof address === "string" ? visit(page, address) : address(page));
      // The page follows its width: it is not read again for another.
      for (const width of [768, 360]) {
        await page.setViewportSize({ width, height: 740 });
        await page.screenshot({ path: `${SCREENS}/${name}-${language}-${width}.png`, fullPage: true });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, `${name} is as wide as the screen`).toBeLessThanOrEqual(width);
      }
    }
  });
}

/** An address that differs from the last in its fragment alone would be no navigation. */
async function visit(page, address) {
  if (address.includes("#")) {
    await page.goto("about:blank");
  }
  await page.goto(address);
}

for (const [language, locale] of [["ja", "ja-JP"], ["en", "en-GB"]]) {
  test(`the sign-in page is sound in ${language}`, async ({ as }) => {
    for (const theme of ["light", "dark"]) {
      const page = await as(null, { colorScheme: theme, locale });
      await page.goto("/login");
      await expect(page.locator("html")).toHaveAttribute("lang", language);
      await page.screenshot({ path: `${SCREENS}/login-${language}-${theme}.png`, fullPage: true });
      expect(await violations(page)).toEqual([]);
    }
  });
}
