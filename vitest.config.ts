// How the suites run: `unit` is quick and in the check, `e2e` and `hostile` use real processes.
import { defineConfig } from "vitest/config";

const slow = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    reporters: ["default", "./test/reporter.ts"],
    globalSetup: "./test/setup.ts",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...slow } },
      { extends: true, test: { name: "hostile", include: ["test/hostile/**/*.test.ts"], ...slow } },
      { extends: true, test: { name: "crash", include: ["test/crash/**/*.test.ts"], ...slow } },
    ],
  },
});
