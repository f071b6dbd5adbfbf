import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globals: true,
    globalSetup: "tests/server.ts",
    testTimeout: 30_000,
    // The seed's tests change what all of a process shares: axios' defaults.
    isolate: true,
  },
});
