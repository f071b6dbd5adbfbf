import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globals: true,
    globalSetup: "tests/server.ts",
    testTimeout: 30_000,
  },
});
