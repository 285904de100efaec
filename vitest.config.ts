// How the suites run: `unit` is quick and in the check, `e2e` and `hostile` use real processes.
import { defineConfig } from "vitest/config";

/** Suites of single parts that take long: real sandboxes, races, many generated cases. */
const real = [
  "src/boundary/workspace/{bubblewrap,escape,guard,guard-git,hosts-network,sandbox,swap}.test.ts",
  "src/boundary/tools/builtin/{paths,search}.test.ts",
  "src/boundary/tools/servers/{servers,real-servers}.test.ts",
  "src/boundary/models/{cuts,deadlines,garbage,known}.test.ts",
  "src/boundary/turns-provider-faults.test.ts",
  "src/**/*.property.test.ts",
];

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
          exclude: real,
          testTimeout: 30_000,
        },
      },
      { extends: true, test: { name: "real", include: real, testTimeout: 120_000 } },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...slow } },
      { extends: true, test: { name: "hostile", include: ["test/hostile/**/*.test.ts"], ...slow } },
      { extends: true, test: { name: "writers", include: ["test/writers/**/*.test.ts"], ...slow } },
      { extends: true, test: { name: "crash", include: ["test/crash/**/*.test.ts"], ...slow } },
    ],
  },
});
