import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "tests/**/*.test.ts", "conformance/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/.flotilla/**"],
    // Tests start processes and clusters of their own; two at once is what two cores carry.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
