// The console in Debian's Chromium. ./scripts/e2e starts the server and says where it is.

import { defineConfig } from "@playwright/test";
import { SEED_STATE } from "./support.js";

export default defineConfig({
  testDir: ".",
  outputDir: "../../target/e2e",
  // No test needs another; two cores are shared with the server.
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  retries: 0,
  // What a page owes is that no step hangs: each has its own limit. The sum of a test's steps, thirty and more, says how
  // busy the machine is.
  timeout: 60_000,
  expect: { timeout: 7_000 },
  reporter: [["list"]],
  use: {
    baseURL: process.env.KIZUNA_URL,
    // Tests cut the connection and look at what pages do: installed.spec.js alone has the service worker between.
    serviceWorkers: "block",
    locale: "ja-JP",
    timezoneId: "Asia/Tokyo",
    viewport: { width: 1280, height: 800 },
    actionTimeout: 7_000,
    navigationTimeout: 15_000,
    screenshot: "only-on-failure",
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
  },
  projects: [
    { name: "prepare", testMatch: "prepare.js" },
    // The seed's test holds, and holds again on the same database.
    { name: "seed", testMatch: "seed.spec.js", repeatEach: 2, dependencies: ["prepare"], use: { storageState: SEED_STATE } },
    { name: "pages", testMatch: "*.spec.js", testIgnore: "seed.spec.js", dependencies: ["seed"] },
  ],
});
